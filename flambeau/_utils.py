"""`torch._utils`: the functions that pickled tensors and parameters name."""
from __future__ import annotations

from typing import Any

from .nn.parameter import _rebuild_parameter, _rebuild_parameter_with_state
from .tensor.rebuild import (
    _rebuild_device_tensor_from_cpu_tensor, _rebuild_device_tensor_from_numpy,
    _rebuild_meta_tensor_no_storage, _rebuild_tensor, _rebuild_tensor_v2, _rebuild_tensor_v3,
    _set_obj_state,
)


def _flatten_dense_tensors(tensors: Any) -> Any:
    """All elements in one row."""
    from .api import cat  # type: ignore[attr-defined]
    return cat([t.reshape(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Any, tensors: Any) -> tuple[Any, ...]:
    """Views of a row in the shapes of `tensors`."""
    found, at = [], 0
    for t in tensors:
        found.append(flat.narrow(0, at, t.numel()).view_as(t))
        at += t.numel()
    return tuple(found)


__all__ = [
    "_flatten_dense_tensors", "_rebuild_device_tensor_from_cpu_tensor",
    "_rebuild_device_tensor_from_numpy", "_rebuild_meta_tensor_no_storage", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3",
    "_set_obj_state", "_unflatten_dense_tensors",
]
