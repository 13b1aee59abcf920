"""torch.onnx: models cannot be exported; the names are here so that libraries import."""
from __future__ import annotations

import enum
from typing import Any

from ..core.absent import refuse, refusing_class
from . import (
    errors, symbolic_helper, symbolic_opset9, symbolic_opset10, symbolic_opset11,
    symbolic_opset12, symbolic_opset13,
)

_ERROR = RuntimeError("flambeau does not export ONNX models")


class TrainingMode(enum.Enum):
    """The mode that a model is exported in."""

    EVAL = 0
    PRESERVE = 1
    TRAINING = 2


class OperatorExportTypes(enum.Enum):
    """How operators are exported."""

    ONNX = 0
    ONNX_ATEN = 1
    ONNX_ATEN_FALLBACK = 2
    ONNX_FALLTHROUGH = 3


def is_in_onnx_export() -> bool:
    """Whether a model is being exported: never."""
    return False


export = refuse("export", _ERROR)
ONNXProgram: Any = refusing_class("ONNXProgram", __name__, _ERROR)
select_model_mode_for_export = refuse("select_model_mode_for_export", _ERROR)
dynamo_export = refuse("dynamo_export", _ERROR)


def register_custom_op_symbolic(symbolic_name: str, symbolic_fn: Any, opset_version: int) -> None:
    """Accepted: nothing is exported, so nothing will ask for it."""


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Accepted."""


OnnxExporterError = errors.OnnxExporterError
producer_name, producer_version = "pytorch", "2.13.0"

__all__ = ["ONNXProgram", "OnnxExporterError", "OperatorExportTypes", "TrainingMode", "errors",
           "export", "is_in_onnx_export", "register_custom_op_symbolic",
           "select_model_mode_for_export", "symbolic_helper", "symbolic_opset9", "symbolic_opset10",
           "symbolic_opset11", "symbolic_opset13",
           "symbolic_opset12", "unregister_custom_op_symbolic"]
