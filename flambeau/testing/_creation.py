"""`make_tensor`: random tensors of any type, within bounds."""
from __future__ import annotations

import math
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.creation import empty, full
from ..tensor.random import randint
from ..tensor.tensor import Tensor

INTEGERS = {dt.uint8: (0, 255), dt.int8: (-128, 127), dt.int16: (-2 ** 15, 2 ** 15 - 1),
            dt.int32: (-2 ** 31, 2 ** 31 - 1), dt.int64: (-2 ** 63, 2 ** 63 - 1),
            dt.uint16: (0, 2 ** 16 - 1), dt.uint32: (0, 2 ** 32 - 1),
            dt.uint64: (0, 2 ** 63 - 1), dt.bool_: (0, 1)}


def make_tensor(*shape: Any, dtype: DType, device: Any = "cpu", low: float | None = None,
                high: float | None = None, requires_grad: bool = False,
                noncontiguous: bool = False, exclude_zero: bool = False,
                memory_format: Any = None) -> Tensor:
    """Uniform numbers from [low, high); the bounds default to [-9, 9) (integers [-9, 10))."""
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError("The parameters `noncontiguous` and `memory_format` are mutually "
                         f"exclusive, but got noncontiguous={noncontiguous!r} and "
                         f"memory_format={memory_format!r}")
    if requires_grad and dtype.kind not in "fc":
        raise ValueError("`requires_grad=True` is not supported for boolean and integral dtypes, "
                         f"but got dtype={dtype!r}")
    doubled = noncontiguous and math.prod(sizes) > 1
    made: Any = _numbers(tuple(sizes) + (2,) if doubled else tuple(sizes), dtype, low, high)
    if doubled:
        made = made[..., 0]
    elif memory_format is not None:
        made = made.contiguous(memory_format=memory_format)
    if exclude_zero:
        made[made == 0] = 1 if dtype.kind in "biu" else _smallest(dtype)
    if device is not None and str(device) != "cpu":
        made = made.to(device)
    return made.requires_grad_() if requires_grad else made


def _smallest(dtype: DType) -> float:
    import ml_dtypes
    return float(ml_dtypes.finfo(dtype.to_real().numpy).tiny)  # type: ignore[no-untyped-call]


def _numbers(sizes: tuple[int, ...], dtype: DType, low: Any, high: Any) -> Any:
    if dtype.kind in "biu":
        first, last = INTEGERS[dtype]
        a = max(first, -9 if low is None else math.ceil(low))
        b = min(last + 1, (2 if dtype is dt.bool_ else 10) if high is None else math.ceil(high))
        if low is not None and high is not None and low > high:
            raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
        if low == high and low is not None:
            return full(sizes, low, dtype=dtype)
        return randint(a, b, sizes, dtype=dtype)
    a = -9.0 if low is None else float(low)
    b = 9.0 if high is None else float(high)
    if a != a or b != b or a > b:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if dtype.kind == "c":
        real = empty((*sizes, 2), dtype=dtype.to_real()).uniform_(a, b)
        from ..tensor.names import PUBLIC
        return PUBLIC["torch"]["view_as_complex"](real)
    return empty(sizes, dtype=dtype).uniform_(a, b)
