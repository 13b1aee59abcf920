"""Exports of operators: refused."""
from __future__ import annotations

from ..core.absent import refuse_all

_REFUSED = refuse_all(("masked_fill", "softmax", "dropout"),
                      RuntimeError("flambeau does not export ONNX models"))
masked_fill, softmax, dropout = (_REFUSED[n] for n in ("masked_fill", "softmax", "dropout"))

__all__ = ["dropout", "masked_fill", "softmax"]
