"""Creation functions of the standard.

In: shapes, Python numbers, nested sequences, arrays and buffers. Out: arrays; without a dtype the
default one of the number's kind (int64, the default float, its complex twin, bool).
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.tensor import Tensor
from ._promotion import need, number_type, torch

Shape = int | tuple[int, ...]


def _shape(shape: Any) -> tuple[int, ...]:
    if hasattr(shape, "__index__") and not isinstance(shape, Tensor):
        return (shape.__index__(),)
    return tuple(n.__index__() for n in shape)


def arange(start: float, /, stop: float | None = None, step: float = 1, *,
           dtype: DType | None = None, device: Any = None) -> Tensor:
    """start, start + step, ... before stop; arange(n) counts from 0."""
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError("arange(): step must not be zero")
    count = math.ceil((stop - start) / step)
    if dtype is None:
        dtype = number_type(start + stop + step, None)
    if count <= 0:
        return torch.empty((0,), dtype=dtype, device=device)
    if dtype.kind == "u" and max(start, stop) >= 2**63:
        # Beyond what a signed 64-bit bound says; the sum wraps round, so negative steps are right.
        return torch.arange(count, dtype=dtype, device=device) * int(step) + int(start)
    return torch.arange(start, stop, step, dtype=dtype, device=device)


def asarray(obj: Any, /, *, dtype: DType | None = None, device: Any = None,
            copy: bool | None = None) -> Tensor:
    """An array of a number, nested sequences, a buffer, or another array.

    copy=None shares memory where it can, True never does; False raises ValueError where it cannot.
    """
    if isinstance(obj, Tensor):
        made = obj if dtype is None else obj.to(dtype)
        if device is not None:
            made = made.to(device)
        if copy is False and made is not obj:
            raise ValueError(f"asarray(): {obj.dtype} on {obj.device} cannot become {dtype} on "
                             f"{device} without a copy")
        return made.clone() if copy and made is obj else made
    if not isinstance(obj, (bool, int, float, complex, list, tuple)):
        if not hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__"):
            obj = np.asarray(memoryview(obj))
        return torch.asarray(obj, dtype=dtype, device=device, copy=copy)
    if copy is False:
        raise ValueError("asarray(): Python numbers and sequences cannot become an array without a "
                         "copy")
    return torch.tensor(obj, dtype=dtype, device=device)


def empty(shape: Shape, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """An array whose elements nobody chose (zeros, here)."""
    return torch.empty(_shape(shape), dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """`empty` with the shape and, unless told, the dtype of x."""
    return torch.empty_like(need(x, "empty_like"), dtype=dtype, device=device)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None,
        device: Any = None) -> Tensor:
    """Ones on the k-th diagonal (above the main one for k > 0), zeros elsewhere."""
    columns = n_rows if n_cols is None else n_cols
    if k == 0:
        return torch.eye(n_rows, columns, dtype=dtype, device=device)
    rows = torch.arange(n_rows, device=device)[:, None]
    kind = dtype or torch.get_default_dtype()
    return (torch.arange(columns, device=device) - rows == k).to(kind)


def from_dlpack(x: object, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """An array over the memory of any object that speaks DLPack."""
    return torch.from_dlpack(x, device=device, copy=copy)


def full(shape: Shape, fill_value: complex, *, dtype: DType | None = None,
         device: Any = None) -> Tensor:
    """An array with every element equal to fill_value."""
    return torch.full(_shape(shape), fill_value, dtype=dtype, device=device)


def full_like(x: Tensor, /, fill_value: complex, *, dtype: DType | None = None,
              device: Any = None) -> Tensor:
    """`full` with the shape and, unless told, the dtype of x."""
    return torch.full_like(need(x, "full_like"), fill_value, dtype=dtype, device=device)


def linspace(start: complex, stop: complex, /, num: int, *, dtype: DType | None = None,
             device: Any = None, endpoint: bool = True) -> Tensor:
    """`num` evenly spaced numbers from start to stop, or up to the one before it."""
    if dtype is None:
        some_complex = isinstance(start, complex) or isinstance(stop, complex)
        dtype = number_type(1j if some_complex else 1.0, None)
    if not endpoint and num:
        return linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]
    if dtype.kind in "fc" and abs(stop - start) > torch.finfo(dtype).max:
        # The way would be infinite, and so would be the steps.
        return torch.linspace(start / 2, stop / 2, num, dtype=dtype, device=device) * 2
    return torch.linspace(start, stop, num, dtype=dtype, device=device)


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid, an array for each of the 1-d arrays: rows first for "ij"."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid(): indexing must be 'xy' or 'ij', not {indexing!r}")
    return list(torch.meshgrid(*arrays, indexing=indexing)) if arrays else []


def ones(shape: Shape, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """An array of ones."""
    return torch.ones(_shape(shape), dtype=dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """`ones` with the shape and, unless told, the dtype of x."""
    return torch.ones_like(need(x, "ones_like"), dtype=dtype, device=device)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Matrices with zeros above the k-th diagonal."""
    return torch.tril(need(x, "tril"), k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Matrices with zeros below the k-th diagonal."""
    return torch.triu(need(x, "triu"), k)


def zeros(shape: Shape, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """An array of zeros."""
    return torch.zeros(_shape(shape), dtype=dtype, device=device)


def zeros_like(x: Tensor, /, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """`zeros` with the shape and, unless told, the dtype of x."""
    return torch.zeros_like(need(x, "zeros_like"), dtype=dtype, device=device)


__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]
