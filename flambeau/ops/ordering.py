"""Sorted orders: sort, argsort, topk, msort.

In: nodes. Out: nodes: positions by `argsort` (stable), values by `take` at them, so gradients flow.

    sort(x, 1)  ->  (take(x, iota(dim=0), %i), %i) with %i = argsort(x, dim=1)
"""
from __future__ import annotations

from collections import namedtuple

from ..core import dtype as dt
from ..core.layout import wrap_dim
from ..graph.node import Node
from . import algebra as alg
from .table import public

sort_result = namedtuple("sort", ["values", "indices"])
topk_result = namedtuple("topk", ["values", "indices"])


def _order(x: Node, dim: int, descending: bool, count: int | None = None) -> tuple[Node, int]:
    """(int64 positions that sort x, or the first `count`; the wrapped dim)."""
    d = wrap_dim(dim, x.ndim)
    if x.dtype.kind == "c":
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    if x.ndim == 0:
        return alg.full((), 0, dt.int64), 0
    return alg.argsort(x, d, bool(descending), count), d


def _at(x: Node, index: Node, dim: int) -> Node:
    if x.ndim == 0:
        return x
    picks = [index if d == dim else alg.positions(index, d) for d in range(x.ndim)]
    return alg.take(x, picks, tuple(range(x.ndim)))


@public("sort")
def sort(input: Node, dim: int = -1, descending: bool = False, stable: bool | None = False,
         ) -> sort_result:
    """Values in order along a dim and where they were; always stable."""
    index, d = _order(input, dim, descending)
    return sort_result(_at(input, index, d), index)


@public("argsort")
def argsort(input: Node, dim: int = -1, descending: bool = False, stable: bool = False) -> Node:
    """The positions that would sort the input along dim."""
    return _order(input, dim, descending)[0]


@public("msort")
def msort(input: Node) -> Node:
    """The input, sorted along its first dim."""
    return sort(input, 0).values


@public("topk")
def topk(input: Node, k: int, dim: int = -1, largest: bool = True, sorted: bool = True,
         ) -> topk_result:
    """The k greatest (or least) along a dim, in order, and where they are."""
    d = wrap_dim(dim, input.ndim)
    if input.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    if input.dtype.kind == "c":
        raise RuntimeError(" topk does not support complex dtypes on CPU")
    n = input.shape[d] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError("selected index k out of range")
    if input.ndim == 0:
        return topk_result(input, alg.full((), 0, dt.int64))
    index, d = _order(input, dim, largest, k)
    return topk_result(_at(input, index, d), index)
