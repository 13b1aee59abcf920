"""Statistical and utility functions of the standard: what is worked out along axes.

In: an array, and `axis`: None for all axes, an int, or a tuple. Out: an array without those axes,
or with one element along each for keepdims=True.
"""
from __future__ import annotations

from typing import Any

from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.tensor import Tensor
from ._promotion import accumulator, axes, cast, common, need, normal, torch

Axes = int | tuple[int, ...] | None


def max(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The largest element; NaN if there is one."""
    at = axes(axis, need(x, "max").ndim)
    return torch.amax(x, at, keepdim=keepdims) if at else x.clone()


def min(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """The smallest element; NaN if there is one."""
    at = axes(axis, need(x, "min").ndim)
    return torch.amin(x, at, keepdim=keepdims) if at else x.clone()


def mean(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean."""
    at = axes(axis, need(x, "mean").ndim)
    return torch.mean(x, at, keepdim=keepdims) if at else x.clone()


def sum(x: Tensor, /, *, axis: Axes = None, dtype: DType | None = None,  # noqa: A001
        keepdims: bool = False) -> Tensor:
    """The sum; of integers, in 64 bits unless told."""
    at = axes(axis, need(x, "sum").ndim)
    kind = accumulator(x, dtype)
    return torch.sum(x, at, keepdim=keepdims, dtype=kind) if at else _own(x, kind)


def prod(x: Tensor, /, *, axis: Axes = None, dtype: DType | None = None,
         keepdims: bool = False) -> Tensor:
    """The product; of integers, in 64 bits unless told."""
    at = axes(axis, need(x, "prod").ndim)
    kind = accumulator(x, dtype)
    if not at:
        return _own(x, kind)
    out = cast(x, kind)
    for a in sorted(at, reverse=True):
        out = torch.prod(out, a, keepdim=keepdims, dtype=kind)
    return out


def _own(x: Tensor, kind: DType) -> Tensor:
    """What is left of a reduction over no axis."""
    return x.clone() if x.dtype is kind else x.to(kind)


def std(x: Tensor, /, *, axis: Axes = None, correction: float = 0.0,
        keepdims: bool = False) -> Tensor:
    """The standard deviation, with N - correction in the denominator."""
    return torch.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))


def var(x: Tensor, /, *, axis: Axes = None, correction: float = 0.0,
        keepdims: bool = False) -> Tensor:
    """The variance, with N - correction in the denominator."""
    at = axes(axis, need(x, "var").ndim)
    if not at:
        return (x - x) / (1 - correction) if correction < 1 else torch.full_like(x, torch.nan)
    return torch.var(x, at, correction=correction, keepdim=keepdims)


def cumulative_sum(x: Tensor, /, *, axis: int | None = None, dtype: DType | None = None,
                   include_initial: bool = False) -> Tensor:
    """The sums up to each element; one more, the empty one, with include_initial."""
    return _cumulative("cumulative_sum", torch.cumsum, torch.zeros, x, axis, dtype,
                       include_initial)


def cumulative_prod(x: Tensor, /, *, axis: int | None = None, dtype: DType | None = None,
                    include_initial: bool = False) -> Tensor:
    """The products up to each element; one more, the empty one, with include_initial."""
    return _cumulative("cumulative_prod", torch.cumprod, torch.ones, x, axis, dtype,
                       include_initial)


def _cumulative(name: str, scan: Any, initial: Any, x: Tensor, axis: int | None,
                dtype: DType | None, include_initial: bool) -> Tensor:
    if axis is None:
        if need(x, name).ndim != 1:
            raise ValueError(f"{name}(): an array of {x.ndim} axes needs axis=")
        axis = 0
    at = normal(axis, need(x, name).ndim)
    kind = accumulator(x, dtype)
    out = scan(x, at, dtype=kind)
    if not include_initial:
        return out
    shape = tuple(x.shape[:at]) + (1,) + tuple(x.shape[at + 1:])
    return torch.cat([initial(shape, dtype=kind, device=x.device), out], at)


def all(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Whether every element is nonzero."""
    at = axes(axis, need(x, "all").ndim)
    return torch.all(x, at, keepdim=keepdims).to(torch.bool) if at else x.to(torch.bool)


def any(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:  # noqa: A001
    """Whether some element is nonzero."""
    at = axes(axis, need(x, "any").ndim)
    return torch.any(x, at, keepdim=keepdims).to(torch.bool) if at else x.to(torch.bool)


def count_nonzero(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """How many elements are nonzero, as int64."""
    nonzero = torch.ne(need(x, "count_nonzero"), 0)
    return sum(nonzero, axis=axis, dtype=torch.int64, keepdims=keepdims)


def diff(x: Tensor, /, *, axis: int = -1, n: int = 1, prepend: Tensor | None = None,
         append: Tensor | None = None) -> Tensor:
    """The differences between neighbours along an axis, n times over."""
    parts = [need(p, "diff") for p in (prepend, x, append) if p is not None]
    kind = common(*parts)
    at = normal(axis, x.ndim)
    x = parts[0] if len(parts) == 1 else torch.cat([cast(p, kind) for p in parts], at)
    return torch.diff(x, n, at) if n else x.clone()


__all__ = [
    "all", "any", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff", "max", "mean",
    "min", "prod", "std", "sum", "var",
]
