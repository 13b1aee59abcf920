"""Errors of an export."""
from __future__ import annotations


class OnnxExporterWarning(UserWarning):
    """A warning of an export."""


class OnnxExporterError(RuntimeError):
    """An export failed."""


class UnsupportedOperatorError(OnnxExporterError):
    """An operator cannot be exported."""


class SymbolicValueError(OnnxExporterError):
    """A value cannot be exported."""


__all__ = ["OnnxExporterError", "OnnxExporterWarning", "SymbolicValueError",
           "UnsupportedOperatorError"]
