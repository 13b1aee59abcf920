"""`torch._utils`: the functions that pickled tensors and parameters name, and errors on their way.

In: files' calls, exceptions of other processes. Out: tensors; the exceptions again.
"""
from __future__ import annotations

import sys
import traceback
from typing import Any

from .nn.parameter import _rebuild_parameter, _rebuild_parameter_with_state
from .tensor.names import PUBLIC
from .tensor.rebuild import (
    _rebuild_device_tensor_from_cpu_tensor, _rebuild_device_tensor_from_numpy,
    _rebuild_meta_tensor_no_storage, _rebuild_tensor, _rebuild_tensor_v2, _rebuild_tensor_v3,
    _set_obj_state,
)


class KeyErrorMessage(str):
    """A text that KeyError prints as it is, lines and all."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception of a worker, with its traceback as text, to be raised in another process."""

    def __init__(self, exc_info: Any = None, where: str = "in background") -> None:
        info: Any = sys.exc_info() if exc_info is None else exc_info
        self.exc_type: Any = info[0]
        self.exc_msg = "".join(traceback.format_exception(*info))
        self.where = where

    def reraise(self) -> None:
        """Raise an exception of the same type whose text has the original traceback."""
        text = (f"Caught {self.exc_type.__name__} {self.where}.\nOriginal "
                f"{self.exc_msg}")
        if self.exc_type is KeyError:
            text = KeyErrorMessage(text)
        elif getattr(self.exc_type, "message", None):
            raise self.exc_type(message=text)
        try:
            exception = self.exc_type(text)
        except Exception:               # its constructor wants something else
            raise RuntimeError(text) from None
        raise exception


def _element_size(dtype: Any) -> int:
    """The bytes of an element."""
    return dtype.itemsize


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The number of a device; -1 for the CPU where that is allowed."""
    if isinstance(device, int):
        return device
    kind = str(device).partition(":")[0]
    if kind == "cpu" and allow_cpu:
        return -1
    raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:"
                     f"{device}")


def _flatten_dense_tensors(tensors: Any) -> Any:
    """All elements in one row."""
    return PUBLIC["torch"]["cat"]([t.reshape(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Any, tensors: Any) -> tuple[Any, ...]:
    """Views of a row in the shapes of `tensors`."""
    found, at = [], 0
    for t in tensors:
        found.append(flat.narrow(0, at, t.numel()).view_as(t))
        at += t.numel()
    return tuple(found)


__all__ = [
    "ExceptionWrapper", "KeyErrorMessage",
    "_flatten_dense_tensors", "_rebuild_device_tensor_from_cpu_tensor",
    "_rebuild_device_tensor_from_numpy", "_rebuild_meta_tensor_no_storage", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3",
    "_set_obj_state", "_unflatten_dense_tensors",
]
