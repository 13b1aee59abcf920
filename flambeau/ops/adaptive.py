"""Adaptive pooling: windows chosen so that the result has a given size.

In: a node (N, C, *S) or (C, *S) and the sizes wanted (None: as it is). Out: nodes. Window i
of m over n elements goes from floor(i n / m) to ceil((i + 1) n / m).

    adaptive_avg_pool2d(x, 1)  ->  sum(x, dims=(2, 3)) / (H W)
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtype import dtype
from ..graph.node import Node, Shape
from . import algebra as alg
from .known import constant, integer
from .pooling import MAX_INDEX, MAX_POOL, Pool
from .table import composite, public


def _bounds(n: int, m: int) -> list[tuple[int, int]]:
    return [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


def _infer(x: Node, size: Shape) -> tuple[Shape, dtype]:
    return x.shape[:x.ndim - len(size)] + size, x.dtype


@composite("adaptive_avg_pool", _infer, ("size",))
def ADAPTIVE_AVERAGE(x: Node, size: Shape) -> Node:  # noqa: N802 - an Op
    lead = x.ndim - len(size)
    for d, m in enumerate(size, lead):
        n = x.shape[d]
        if n == m:
            continue
        if n % m == 0:
            x = _even_mean(x, d, m)
        else:
            x = _uneven_mean(x, d, m)
    return x


def _even_mean(x: Node, d: int, m: int) -> Node:
    """Windows of one size side by side: a reduction of a reshaped view."""
    each = x.shape[d] // m
    parts = alg.reshape(x, x.shape[:d] + (m, each) + x.shape[d + 1:])
    return alg.squeeze(alg.sum_(parts, (d + 1,)), (d + 1,)) * (1.0 / each)


def _uneven_mean(x: Node, d: int, m: int) -> Node:
    """A product with the matrix whose row i holds 1/len at window i."""
    n = x.shape[d]
    row, column = alg.iota((m, n), 0), alg.iota((m, n), 1)
    start = alg.floordiv(row * n, m)
    stop = alg.floordiv((row + 1) * n + (m - 1), m)
    inside = alg.and_(alg.ge(column, start), alg.lt(column, stop))
    share = alg.where(inside, 1 / alg.cast(stop - start, x.dtype), 0)
    labels = tuple(range(x.ndim))
    out = labels[:d] + (x.ndim,) + labels[d + 1:]
    return alg.dot(x, share, labels, (x.ndim, d), out)


def _sizes(x: Node, output_size: Any, rank: int, name: str) -> Shape:
    given = tuple(output_size) if hasattr(output_size, "__iter__") else (output_size,) * rank
    if len(given) != rank:
        raise RuntimeError(f"{name}: output_size must be {rank}")
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got "
                           f"{list(x.shape)}")
    sizes = tuple(n if m is None else integer(m) for n, m in zip(x.shape[-rank:], given))
    if any(m < 0 for m in sizes):
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but"
                           f" received {{{', '.join(map(str, sizes))}}}")
    for d in range(x.ndim - rank, x.ndim):
        if x.shape[d] == 0:
            raise RuntimeError(f"{name}(): Expected input to have non-zero size for non-batch "
                               f"dimensions, but input has sizes {list(x.shape)} with dimension "
                               f"{d} being empty")
    return sizes


def _max(x: Node, sizes: Shape) -> tuple[Node, Node]:
    """(greatest, its place in the plane)."""
    rank = len(sizes)
    lead = x.ndim - rank
    if all(n % m == 0 for n, m in zip(x.shape[lead:], sizes)):
        each = tuple(n // m for n, m in zip(x.shape[lead:], sizes))
        zero = (0,) * rank
        at = Pool(each, each, zero, zero, (1,) * rank)._asdict()
        return MAX_POOL(x, **at), MAX_INDEX(x, **at)
    index = _uneven_index(x, sizes)
    flat = alg.reshape(x, x.shape[:lead] + (math.prod(x.shape[lead:]),))
    line = alg.reshape(index, x.shape[:lead] + (math.prod(sizes),))
    out = alg.along(flat, line, lead)
    return alg.reshape(out, x.shape[:lead] + sizes), index


def _uneven_index(x: Node, sizes: Shape) -> Node:
    """Places of the greatest: windows are taken by index, the shorter ones repeat their last."""
    rank = len(sizes)
    lead = x.ndim - rank
    line = np.zeros((1, 1), np.int64)
    for n, m in zip(x.shape[lead:], sizes):
        ends = _bounds(n, m)
        most = max(b - a for a, b in ends)
        at = np.array([[min(a + j, b - 1) for j in range(most)] for a, b in ends], np.int64)
        line = (line[:, None, :, None] * n + at[None, :, None, :]).reshape(
            line.shape[0] * m, line.shape[1] * most)
    places = constant(line)                                  # (windows, elements of one)
    flat = alg.reshape(x, x.shape[:lead] + (math.prod(x.shape[lead:]),))
    front = alg.permute(alg.take(flat, [places], (lead,)), (*range(2, lead + 2), 0, 1))
    best = alg.amax(front, (lead + 1,))
    hit = alg.eq(front, best)
    if x.dtype.kind == "f":
        hit = alg.or_(hit, alg.isnan(front))
    number = alg.positions(front, lead + 1)
    first = alg.amin(alg.where(hit, number, front.shape[-1]), (lead + 1,))
    row = alg.iota((*first.shape[:-1],), lead)
    found = alg.take(places, [row, alg.squeeze(first, (lead + 1,))], (0, 1))
    return alg.reshape(found, x.shape[:lead] + sizes)


def _declare(rank: int) -> None:
    average = [f"nn.functional.adaptive_avg_pool{rank}d"]
    greatest = [f"nn.functional.adaptive_max_pool{rank}d"]
    if rank == 1:
        average.append("torch.adaptive_avg_pool1d")

    @public(*average)
    def average_pool(input: Node, output_size: Any) -> Node:
        """Means over as many windows a dim as output_size says."""
        sizes = _sizes(input, output_size, rank, f"adaptive_avg_pool{rank}d")
        if input.dtype.kind not in "fc":
            raise NotImplementedError('"adaptive_avg_pool2d" not implemented for '
                                      f"'{input.dtype.name}'")
        return ADAPTIVE_AVERAGE(input, size=sizes)

    @public(*greatest)
    def max_pool(input: Node, output_size: Any, return_indices: bool = False) -> Any:
        """Maxima over as many windows a dim as output_size says."""
        sizes = _sizes(input, output_size, rank, f"adaptive_max_pool{rank}d")
        out, index = _max(input, sizes)
        return (out, index) if return_indices else out

    names = [f"nn.functional.adaptive_max_pool{rank}d_with_indices"]
    if rank == 1:
        names.append("torch.adaptive_max_pool1d")

    @public(*names)
    def max_with_indices(input: Node, output_size: Any, return_indices: bool = False) -> Any:
        """The maxima, and where in the flattened input each stood."""
        return _max(input, _sizes(input, output_size, rank, f"adaptive_max_pool{rank}d"))


for _rank in (1, 2, 3):
    _declare(_rank)
