"""Searching, sorting, set and indexing functions of the standard.

In: arrays. Out: positions (int64) and elements.
"""
from __future__ import annotations

from typing import Any, NamedTuple

from ..tensor.tensor import Tensor
from ._promotion import need, normal, pair, torch


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the first largest element, among all or along an axis."""
    return _extreme(torch.argmax, need(x, "argmax"), axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the first smallest element, among all or along an axis."""
    return _extreme(torch.argmin, need(x, "argmin"), axis, keepdims)


def _extreme(fn: Any, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    if axis is not None:
        return fn(x, normal(axis, x.ndim), keepdim=keepdims)
    found = fn(x)
    return found.reshape((1,) * x.ndim) if keepdims else found


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """The positions of nonzero elements, an array for each axis."""
    if need(x, "nonzero").ndim == 0:
        raise ValueError("nonzero(): a 0-d array has no positions")
    return tuple(torch.nonzero(x, as_tuple=True))


def searchsorted(x1: Tensor, x2: Tensor, /, *, side: str = "left",
                 sorter: Tensor | None = None) -> Tensor:
    """Where each element of x2 would go into the 1-d array x1 so that it stays in order."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted(): side must be 'left' or 'right', not {side!r}")
    if need(x1, "searchsorted").ndim != 1:
        raise ValueError(f"searchsorted(): x1 must have one axis, not {x1.ndim}")
    a, b = pair(x1, x2)
    if sorter is not None:
        a = a[sorter.to(torch.int64)]
    return torch.searchsorted(a, b, side=side)


def where(condition: Tensor, x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """Elements of x1 where the condition holds, of x2 elsewhere."""
    return torch.where(need(condition, "where"), *pair(x1, x2))


# ---------------------------------------------------------------- sorting


def argsort(x: Tensor, /, *, axis: int = -1, descending: bool = False,
            stable: bool = True) -> Tensor:
    """The positions that put elements in order; equal ones stay in theirs."""
    return torch.argsort(need(x, "argsort"), normal(axis, x.ndim), descending=descending,
                         stable=stable)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False,
         stable: bool = True) -> Tensor:
    """The elements in order along an axis."""
    return torch.sort(need(x, "sort"), dim=normal(axis, x.ndim), descending=descending,
                      stable=stable)[0]


# ---------------------------------------------------------------- sets


class UniqueAll(NamedTuple):
    """values, where each is first, which each element is, how many of each."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    values: Tensor
    inverse_indices: Tensor


def _order(x: Tensor) -> Tensor:
    """Stable positions of a flat array's order; complex numbers by real part, then imaginary."""
    if x.dtype.kind != "c":
        return torch.argsort(x, 0, stable=True)
    order = torch.argsort(x.imag, 0, stable=True)
    return order[torch.argsort(x.real[order], 0, stable=True)]


def _runs(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The order of all elements, whether each is the first of its value, and those in order."""
    flat = x.reshape(-1)
    order = _order(flat)
    ordered = flat[order]
    first = torch.ones((flat.shape[0],), dtype=torch.bool, device=x.device)
    first[1:] = ordered[1:] != ordered[:-1]     # a NaN differs from the next
    return order, first, ordered


def _counts(first: Tensor) -> Tensor:
    starts = torch.nonzero(first)[:, 0]
    ends = torch.cat([starts[1:], torch.tensor([first.shape[0]])]) if starts.shape[0] else starts
    return ends - starts


def _inverse(order: Tensor, first: Tensor, shape: Any) -> Tensor:
    which = torch.cumsum(first, 0) - 1
    return torch.empty_like(order).scatter_(0, order, which).reshape(tuple(shape))


def unique_all(x: Tensor, /) -> UniqueAll:
    """The distinct elements in order (each NaN is one), and all about them."""
    order, first, ordered = _runs(need(x, "unique_all"))
    return UniqueAll(ordered[first], order[first], _inverse(order, first, x.shape),
                     _counts(first))


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The distinct elements in order, and how many there are of each."""
    _, first, ordered = _runs(need(x, "unique_counts"))
    return UniqueCounts(ordered[first], _counts(first))


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The distinct elements in order, and which of them each element is."""
    order, first, ordered = _runs(need(x, "unique_inverse"))
    return UniqueInverse(ordered[first], _inverse(order, first, x.shape))


def unique_values(x: Tensor, /) -> Tensor:
    """The distinct elements in order."""
    _, first, ordered = _runs(need(x, "unique_values"))
    return ordered[first]


# ---------------------------------------------------------------- indexing


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The elements (slices along an axis) at some positions; a 1-d array needs no axis."""
    if axis is None:
        if need(x, "take").ndim != 1:
            raise ValueError(f"take(): an array of {x.ndim} axes needs axis=")
        axis = 0
    at = normal(axis, need(x, "take").ndim)
    places = need(indices, "take").to(torch.int64)
    return x[(slice(None),) * at + (places,)]


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """x[..., indices[...], ...]: each position's own index along an axis; the rest broadcasts."""
    at = normal(axis, need(x, "take_along_axis").ndim)
    return torch.take_along_dim(x, need(indices, "take_along_axis").to(torch.int64), at)


__all__ = [
    "argmax", "argmin", "argsort", "nonzero", "searchsorted", "sort", "take", "take_along_axis",
    "unique_all", "unique_counts", "unique_inverse", "unique_values", "where",
]
