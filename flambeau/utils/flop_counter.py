"""Counting floating-point operations of a program: refused when entered."""
from __future__ import annotations

from typing import Any

from ._python_dispatch import TorchDispatchMode


class FlopCounterMode(TorchDispatchMode):
    """A context that counts operations; flambeau sees them only when they are compiled."""

    def __enter__(self) -> Any:
        raise RuntimeError("flambeau does not count floating-point operations")


__all__ = ["FlopCounterMode"]
