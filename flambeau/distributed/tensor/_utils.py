"""Sizes of parts: refused with the tensors that have them."""
from __future__ import annotations

from .. import _absent

_REFUSED = _absent.refused("compute_local_shape_and_global_offset", "compute_global_tensor_info")
compute_local_shape_and_global_offset = _REFUSED["compute_local_shape_and_global_offset"]
compute_global_tensor_info = _REFUSED["compute_global_tensor_info"]

__all__ = ["compute_global_tensor_info", "compute_local_shape_and_global_offset"]
