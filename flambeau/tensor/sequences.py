"""Tensors of a rule: ranges, evenly spaced values, the identity, triangles' indices.

In: numbers. Out: tensors whose values are computed already, in NumPy, as PyTorch rounds them.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.errors import scalar_name
from .creation import _out, finish, from_array
from .tensor import Tensor

Array = np.ndarray[Any, Any]

def _number(x: Any) -> Any:
    return x.item() if isinstance(x, (Tensor, np.generic)) else x


def _steps(name: str, steps: Any) -> int:
    steps = _number(steps)
    if isinstance(steps, float) or not hasattr(steps, "__index__"):
        raise TypeError(f"{name}(): argument 'steps' must be int, not {type(steps).__name__}")
    return int(steps.__index__())


def arange(*args: Any, start: Any = None, end: Any = None, step: Any = None, out: Any = None,
           dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Tensor:
    """start, start + step, ... below end."""
    given = [_number(a) for a in args]
    first, last, by = 0, end, 1
    if len(given) == 1:
        last = given[0]
    elif len(given) > 1:
        first, last = given[0], given[1]
        by = given[2] if len(given) > 2 else 1
    first = _number(start) if start is not None else first
    last = _number(end) if end is not None else last
    by = _number(step) if step is not None else by
    if start is not None and len(given) == 1 and end is None:
        last = given[0]
    if last is None:
        raise TypeError("arange() received an invalid combination of arguments")
    _check_range(first, last, by)
    kind = dtype or (out.dtype if out is not None else _range_kind(first, last, by))
    if kind.kind in "iu":
        first, last, by = int(first), int(last), int(by)
        if by == 0:
            raise ValueError("step must be nonzero")
    if all(isinstance(v, int) for v in (first, last, by)):
        count = -(-(last - first) // by)
        array = first + np.arange(count, dtype=np.int64) * by
    else:
        count = math.ceil((last - first) / by)
        array = first + np.arange(count, dtype=np.float64) * by
    return _out(out, finish(from_array(array.astype(kind.numpy), kind), requires_grad, device))


def _check_range(first: Any, last: Any, by: Any) -> None:
    if by == 0:
        raise RuntimeError("step must be nonzero")
    if not all(math.isfinite(v) for v in (first, last)):
        raise RuntimeError(f"unsupported range: {first} -> {last}")
    if (last - first) * by < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def _range_kind(*bounds: Any) -> DType:
    return default_dtype() if any(isinstance(b, float) for b in bounds) else dt.int64


def range_(start: Any = 0, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
           layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """As arange, with the end included (deprecated in PyTorch)."""
    if end is None:
        start, end = 0, start
    _check_range(start, end, step)
    count = math.floor((end - start) / step) + 1
    array = start + np.arange(count, dtype=np.float64) * step
    kind = dtype or default_dtype()
    return _out(out, finish(from_array(array.astype(kind.numpy), kind), requires_grad, device))


def linspace(start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False,
             pin_memory: bool = False) -> Tensor:
    """`steps` values from start to end, both included."""
    start, end, steps = _number(start), _number(end), _steps("linspace", steps)
    array, kind = _spaced(start, end, steps, dtype, out)
    return _out(out, finish(from_array(array.astype(kind.numpy), kind), requires_grad, device))


def _spaced(start: Any, end: Any, steps: int, dtype: Any, out: Any) -> tuple[Array, DType]:
    """Symmetric about the middle, computed in the precision of the result as PyTorch does."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    complex_ = isinstance(start, complex) or isinstance(end, complex)
    kind = dtype or (out.dtype if out is not None else
                     default_dtype().to_complex() if complex_ else default_dtype())
    if complex_ and kind.kind != "c":
        raise RuntimeError(f"linspace(): inferred dtype {default_dtype().to_complex()} can't be "
                           f"safely cast to passed dtype {kind}")
    if steps == 1:
        return np.array([start]), kind
    wide = {"float64": np.float64, "complex64": np.complex64, "complex128": np.complex128}.get(
        kind.name, np.float32 if kind.kind == "f" else np.float64)
    if kind.kind in "iu":
        start, end = int(start), int(end)
    first, last = wide(start), wide(end)
    by = wide((last - first) / wide(max(steps - 1, 1)))
    k = np.arange(steps)
    up = first + (by * k.astype(wide)).astype(wide)
    down = last - (by * (steps - 1 - k).astype(wide)).astype(wide)
    array = np.where(k < steps // 2, up, down)
    return (np.trunc(array) if kind.kind in "iu" else array), kind


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, out: Any = None,
             dtype: Any = None, layout: Any = None, device: Any = None,
             requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """`steps` powers of the base, their exponents evenly from start to end."""
    start, end, steps = _number(start), _number(end), _steps("logspace", steps)
    base = _number(base)
    kind = dtype or (out.dtype if out is not None else default_dtype())
    wide = dt.float64 if kind.kind in "iuf" else kind
    array, _ = _spaced(start, end, steps, wide, None)
    found = np.power(base, array)
    return _out(out, finish(from_array(found.astype(kind.numpy), kind), requires_grad, device))


def eye(n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """The identity matrix, n by m."""
    rows, columns = n.__index__(), (n if m is None else m).__index__()
    if rows < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {rows}")
    if columns < 0:
        raise RuntimeError(f"m must be greater or equal to 0, got {columns}")
    kind = dtype or (out.dtype if out is not None else default_dtype())
    array = np.eye(rows, columns, dtype=kind.numpy)
    return _out(out, finish(from_array(array, kind), requires_grad, device))


def _triangle(find: Any, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        name = "row" if row < 0 else "col"
        raise RuntimeError(f"{name} must be non-negative, got{min(row, col)}")
    kind = dtype or dt.int64
    if kind.kind not in "iu":
        raise RuntimeError(f"\"tril_indices\" not implemented for '{scalar_name(kind)}'")
    pairs = np.stack(find(row, offset, col)).astype(kind.numpy)
    return finish(from_array(pairs, kind), False, device)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None,
                 layout: Any = None) -> Tensor:
    """The positions of a matrix's lower triangle: (2, count)."""
    return _triangle(np.tril_indices, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None,
                 layout: Any = None) -> Tensor:
    """The positions of a matrix's upper triangle: (2, count)."""
    return _triangle(np.triu_indices, row, col, offset, dtype, device)
