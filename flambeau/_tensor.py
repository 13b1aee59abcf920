"""`torch._tensor`: where PyTorch keeps `Tensor` and the function that rebuilds its subclasses."""
from __future__ import annotations

from .tensor.rebuild import _rebuild_from_type_v2
from .tensor.tensor import Tensor

__all__ = ["Tensor", "_rebuild_from_type_v2"]
