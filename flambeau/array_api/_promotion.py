"""Data types of the standard, and the one dtype that the arguments of a function share.

In: tensors, dtypes and Python numbers. Out: dtypes, and arguments of one dtype. Unlike in `torch`,
a 0-d array counts as much as any other; a Python number takes the arrays' dtype if its kind fits.

    pair(int8[3], int64[])   ->  int64[3], int64[]
    pair(float32[3], 2)      ->  float32[3], 2 as float32[]
"""
from __future__ import annotations

import builtins
from typing import Any

from .. import api
from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.dtype import promote_types
from ..tensor.tensor import Tensor

# Most names are attached from the op table, so no type checker knows them.
torch: Any = api

BY_KIND: dict[str, tuple[DType, ...]] = {
    "bool": (dt.bool_,),
    "signed integer": (dt.int8, dt.int16, dt.int32, dt.int64),
    "unsigned integer": (dt.uint8, dt.uint16, dt.uint32, dt.uint64),
    "real floating": (dt.float32, dt.float64),
    "complex floating": (dt.complex64, dt.complex128),
}
BY_KIND["integral"] = BY_KIND["signed integer"] + BY_KIND["unsigned integer"]
BY_KIND["numeric"] = BY_KIND["integral"] + BY_KIND["real floating"] + BY_KIND["complex floating"]

_NUMBERS = {builtins.bool: "b", int: "i", float: "f", complex: "c"}
_ORDER = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def need(x: Any, name: str) -> Tensor:
    """The array argument `x` of the function `name`; TypeError for anything else."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): expected an array, but got {type(x).__name__}")
    return x


def number_type(value: Any, kind: DType | None) -> DType:
    """The dtype of a Python number next to arrays of dtype `kind` (None: on its own)."""
    letter = _NUMBERS.get(type(value))
    if letter is None:
        raise TypeError(f"expected an array or a Python number, but got {type(value).__name__}")
    if kind is not None and _ORDER[kind.kind] >= _ORDER[letter]:
        return kind
    if letter == "b":
        return dt.bool_
    if letter == "i":
        return dt.int64
    if letter == "f":
        return default_dtype()
    return kind.to_complex() if kind is not None and kind.kind == "f" else (
        default_dtype().to_complex())


def common(*args: Any) -> DType:
    """The dtype that arrays, dtypes and Python numbers promote to.

    RuntimeError where there is none (uint64 with a signed integer).
    """
    found: DType | None = None
    for a in args:
        kind = a.dtype if isinstance(a, Tensor) else a
        if isinstance(kind, DType):
            found = kind if found is None else promote_types(found, kind)
    for a in args:
        if not isinstance(a, (Tensor, DType)):
            found = number_type(a, found)
    if found is None:
        raise ValueError("result_type(): at least one array or dtype is needed")
    return found


def pair(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Two operands, one of which may be a Python number, as arrays of one dtype."""
    first, second = isinstance(x1, Tensor), isinstance(x2, Tensor)
    if first and second and x1.dtype is x2.dtype:
        return x1, x2
    if not first and not second:
        raise TypeError(f"expected at least one array, but got {type(x1).__name__} and "
                        f"{type(x2).__name__}")
    kind = common(x1, x2)
    return (cast(x1, kind) if first else torch.tensor(x1, dtype=kind),
            cast(x2, kind) if second else torch.tensor(x2, dtype=kind))


def several(arrays: Any) -> list[Tensor]:
    """A sequence of arrays, all of their common dtype."""
    found = [need(x, "arrays") for x in arrays]
    if not found:
        raise ValueError("expected a non-empty list of arrays")
    kind = common(*found)
    return [cast(x, kind) for x in found]


def cast(x: Tensor, kind: DType) -> Tensor:
    """The array in another dtype; itself if it has it."""
    return x if x.dtype is kind else x.to(kind)


def accumulator(x: Tensor, dtype: DType | None) -> DType:
    """What sums and products are made in: 64 bits for integers, else the array's own dtype."""
    if dtype is not None:
        return dtype
    if x.dtype.kind == "u":
        return dt.uint64
    return dt.int64 if x.dtype.kind in "bi" else x.dtype


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of a reduction, counted from the start: None is all of them, () is none."""
    if axis is None:
        return tuple(range(ndim))
    wanted = (axis,) if not isinstance(axis, (tuple, list)) else tuple(axis)
    found = tuple(normal(a, ndim) for a in wanted)
    if len(set(found)) != len(found):
        raise ValueError(f"an axis appears twice in {wanted}")
    return found


def normal(axis: Any, ndim: int) -> int:
    """One axis, counted from the start; IndexError where an array has no such axis."""
    if not hasattr(axis, "__index__"):
        raise TypeError(f"an axis must be an int, not {type(axis).__name__}")
    at = axis.__index__()
    if not -ndim <= at < ndim:
        raise IndexError(f"axis {at} is out of range for an array with {ndim} axes")
    return at % ndim
