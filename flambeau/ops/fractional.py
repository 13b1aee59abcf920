"""Max pooling over windows at random, fractional steps (Graham, "Fractional Max-Pooling", 2014).

In: a node (N, C, *S) or (C, *S), the extents of the result, and a random number in [0, 1) for each
plane and dim. Out: the greatest of each window and its place in the plane.

    starts of windows:  floor((i + u) * step) - floor(u * step), step = (n - kernel) / (out - 1);
    the last one begins at n - kernel
"""
from __future__ import annotations

from ..core import dtype as dt
from ..graph.node import Node, Shape
from . import algebra as alg


def starts(u: Node, n: int, kernel: int, out: int) -> Node:
    """(N, C) random numbers to (N, C, out) places where windows start."""
    last = n - kernel
    shape = (*u.shape, out)
    if out == 1:
        return alg.full(shape, last, dt.int64)
    step = last / (out - 1)
    u = alg.unsqueeze(u, u.ndim)
    i = alg.iota((1,) * (len(shape) - 1) + (out,), len(shape) - 1, u.dtype)
    begin = alg.trunc((i + u) * step) - alg.trunc(u * step)
    at = alg.cast(begin, dt.int64)
    place = alg.iota(shape, len(shape) - 1)
    return alg.where(alg.eq(place, out - 1), last, at)


def fractional_max_pool(x: Node, samples: Node, kernel: Shape, out: Shape) -> tuple[Node, Node]:
    """(values, places in the row-major plane) of x (N, C, *S); samples (N, C, rank)."""
    n, c, *size = x.shape
    rank = len(size)
    full = (n, c, *out, *kernel)
    flat: Node | None = None
    for d in range(rank):
        # PyTorch keeps the numbers of 2-d planes with the width first.
        which = rank - 1 - d if rank == 2 else d
        u = alg.squeeze(alg.narrow(samples, 2, which, 1), (2,))
        begin = alg.reshape(starts(u, size[d], kernel[d], out[d]),
                            (n, c) + tuple(out[d] if k == d else 1 for k in range(2 * rank)))
        inner = alg.iota((1,) * (2 + rank) + tuple(
            kernel[d] if k == d else 1 for k in range(rank)), 2 + rank + d)
        here = begin + inner
        flat = here if flat is None else flat * size[d] + here
    assert flat is not None
    count = 1
    for k in kernel:
        count *= k
    places = alg.reshape(alg.expand(flat, full), (n, c, *out, count))
    plane = alg.reshape(x, (n, c, -1 if not x.size else x.size // (n * c)))
    rows = [alg.iota((n, c) + (1,) * (rank + 1), d) for d in range(2)]
    seen = alg.take(plane, [*rows, places], (0, 1, 2))
    best = _first_greatest(seen)
    chosen = alg.along(places, best, rank + 2)
    values = alg.along(seen, best, rank + 2)
    return alg.squeeze(values, (rank + 2,)), alg.squeeze(chosen, (rank + 2,))


def _first_greatest(seen: Node) -> Node:
    """Where each line's greatest is (the first one, or a NaN), the last dim kept as 1."""
    last = seen.ndim - 1
    top = alg.amax(seen, (last,))
    found = alg.or_(alg.eq(seen, top), alg.isnan(seen))
    place = alg.iota(seen.shape, last)
    return alg.amin(alg.where(found, place, seen.shape[last]), (last,))
