"""What `torch.tensor(data)` makes of nested Python data: an array and an element type.

In: numbers, nested sequences, NumPy arrays and scalars, tensors. Out: a contiguous array and dtype.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..core.dtype import BY_NUMPY
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.dtype import promote_types
from ..core.errors import overflow
from .tensor import Tensor

Array = np.ndarray[Any, Any]


def parse(data: Any, kind: DType | None) -> tuple[Array, DType]:
    """A fresh array of the data, in `kind` or in the type it implies."""
    if isinstance(data, (np.ndarray, np.generic)):
        return _array(np.asarray(data), kind)
    if not isinstance(data, (list, tuple)):
        data = _plain(data)
    shape = _shape(data)
    flat: list[Any] = []
    found = _flatten(data, shape, 0, flat, None)
    if kind is None:
        kind = found or default_dtype()
    return _filled(flat, shape, kind, found), kind


def _plain(data: Any) -> Any:
    """A number, or a sequence as a list."""
    if isinstance(data, (bool, int, float, complex, Tensor)):
        return data
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if hasattr(data, "__array_interface__") or hasattr(data, "__array__"):
        return np.asarray(data)
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        return list(data)
    if data is None:
        raise RuntimeError("Could not infer dtype of NoneType")
    if hasattr(data, "__index__"):
        return data.__index__()
    if hasattr(data, "__float__"):
        return float(data)
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _array(array: Array, kind: DType | None) -> tuple[Array, DType]:
    have = BY_NUMPY.get(array.dtype)
    if have is None:
        if array.dtype.kind in "fiu" and not array.dtype.isnative:
            raise ValueError("given numpy array has byte order different from the native byte "
                             "order. Conversion between byte orders is currently not supported.")
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{array.dtype.type.__name__}. The only "
            "supported types are: float64, float32, float16, complex64, complex128, int64, int32, "
            "int16, int8, uint64, uint32, uint16, uint8, and bool.")
    kind = kind or have
    from ..graph.interpret import cast
    made = cast(array, kind.numpy) if kind is not have else array
    return np.array(made, order="C", copy=True), kind


def _shape(data: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(data, (list, tuple)):
        shape.append(len(data))
        if not data:
            return tuple(shape)
        data = data[0]
        if isinstance(data, (str, bytes)):
            raise ValueError(f"too many dimensions '{type(data).__name__}'")
        if not isinstance(data, (list, tuple, bool, int, float, complex)):
            data = _plain(data)
    if isinstance(data, Tensor):
        shape.extend(data._shape)
    elif isinstance(data, np.ndarray):
        shape.extend(data.shape)
    return tuple(shape)


def _flatten(data: Any, shape: tuple[int, ...], depth: int, flat: list[Any],
             kind: DType | None) -> DType | None:
    """Append all numbers in row-major order; the type they imply together."""
    if isinstance(data, (list, tuple)):
        if depth >= len(shape):
            raise TypeError(f"only length-1 arrays can be converted; got {type(data).__name__}")
        if len(data) != shape[depth]:
            raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got "
                             f"{len(data)})")
        if depth == len(shape) - 1 and _quick(data):
            flat.extend(data)
            return _of_numbers(data, kind)
        for item in data:
            kind = _flatten(item, shape, depth + 1, flat, kind)
        return kind
    return _leaf(data, shape, depth, flat, kind)


def _quick(data: Any) -> bool:
    return {*map(type, data)} <= {bool, int, float, complex}


def _of_numbers(data: Any, kind: DType | None) -> DType | None:
    for t in {*map(type, data)}:
        kind = _join(kind, _implied(t))
    return kind


def _implied(t: type) -> DType:
    if t is bool:
        return dt.bool_
    if t is int:
        return dt.int64
    return default_dtype() if t is float else default_dtype().to_complex()


def _join(a: DType | None, b: DType) -> DType:
    return b if a is None else promote_types(a, b)


def _leaf(data: Any, shape: tuple[int, ...], depth: int, flat: list[Any],
          kind: DType | None) -> DType | None:
    if isinstance(data, (bool, int, float, complex)) and not isinstance(data, np.generic):
        if depth != len(shape):
            raise TypeError(f"expected sequence of length {shape[depth]} at dim {depth}")
        flat.append(data)
        return _join(kind, _implied(_python(data)))
    if isinstance(data, Tensor):
        array = data.detach().numpy() if data.dtype is not dt.bfloat16 else \
            data.detach().float().numpy()
        return _embed(array, data.dtype, shape, depth, flat, kind)
    if isinstance(data, np.generic):
        data = np.asarray(data)
    if isinstance(data, np.ndarray):
        have = BY_NUMPY.get(data.dtype)
        if have is None:
            raise TypeError(f"can't convert np.ndarray of type {data.dtype}")
        return _embed(data, have, shape, depth, flat, kind)
    return _flatten(_plain(data), shape, depth, flat, kind)


def _python(x: Any) -> type:
    for t in (bool, int, float):
        if isinstance(x, t):
            return t
    return complex


def _embed(array: Array, have: DType, shape: tuple[int, ...], depth: int, flat: list[Any],
           kind: DType | None) -> DType:
    if array.shape != shape[depth:]:
        if array.ndim == 0 or depth >= len(shape) or array.size != 1:
            length = shape[depth] if depth < len(shape) else 0
            raise ValueError(f"expected sequence of length {length}"
                             f" at dim {depth} (got {array.shape[0] if array.ndim else 0})")
        if array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
    flat.extend(array.ravel().tolist())
    return _join(kind, have)


def _filled(flat: list[Any], shape: tuple[int, ...], kind: DType, found: DType | None) -> Array:
    if found is not None and found.kind == "c" and kind.kind != "c":
        raise overflow(kind)
    if kind.kind in "iu" and found is not None and found.kind == "f":
        from ..graph.interpret import cast
        numbers = np.array(flat, np.float64)
        if not np.isfinite(numbers).all():
            raise overflow(kind)
        return cast(numbers, kind.numpy).reshape(shape)
    if kind.kind == "b":
        return np.array([bool(x) for x in flat], np.bool_).reshape(shape)
    if kind.kind in "iu":
        _check_range(flat, kind)
    try:
        return np.array(flat, kind.numpy).reshape(shape)
    except OverflowError as error:
        raise overflow(kind) from error


def _check_range(flat: list[Any], kind: DType) -> None:
    limits = np.iinfo(kind.numpy)
    low = limits.min if kind.kind == "i" else -int(limits.max) - 1
    for x in (min(flat), max(flat)) if flat else ():
        if not low <= x <= limits.max:
            if kind is dt.int64:
                raise ValueError("Overflow when unpacking long long")
            raise overflow(kind)
    if kind.kind == "u":
        flat[:] = [int(x) % (int(limits.max) + 1) for x in flat]
