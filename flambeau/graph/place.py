"""Index tuples: where an element of one shape is in memory, and in another shape.

In: tuples of indices and shapes. Out: the same. Called by `emit`, `nest`, `lower` and `single`.

    flat((i, j), (4, 8))  ->  8*i + j          reshaped((n, c, y), (2, 6, 5), (2, 3, 2, 5))
                                               ->  (n, c // 2, c % 2, y)
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from ..core.symbol import ZERO, Index
from .node import Shape, strides

At = tuple[Index, ...]


def flat(at: Sequence[Index], shape: Shape) -> Index:
    """The row-major position of an index tuple."""
    total = ZERO
    for i, s in zip(at, strides(shape)):
        total = total + i * s
    return total


def unflatten(position: Index, shape: Shape) -> At:
    """The index tuple at a row-major position."""
    steps = strides(shape)
    return tuple(ZERO if n == 1 else (position // s if k == 0 else (position // s) % n)
                 for k, (n, s) in enumerate(zip(shape, steps)))


def reshaped(at: At, shape: Shape, other: Shape) -> At:
    """The index tuple in `other` of the element at `at` of `shape`, as many elements.

    Dims that are the same in both stay as they are, also where a mask is what keeps them inside.
    """
    found: list[Index] = []
    for (a, b), (c, d) in _matching(shape, other):
        if b - a == d - c == 1:
            found.append(at[a])
        else:
            found += unflatten(flat(at[a:b], shape[a:b]), other[c:d])
    return tuple(found)


@lru_cache(maxsize=1024)
def _matching(shape: Shape, other: Shape) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """Ranges of dims of both shapes, in order, that hold equally many elements; the shortest."""
    if not shape or not other or math.prod(shape) == 0:
        return (((0, len(shape)), (0, len(other))),)
    parts = []
    i = j = 0
    while i < len(shape) or j < len(other):
        a, c = i, j
        left = right = 1
        while True:
            if left == right and (i > a or j > c):
                break
            if left <= right and i < len(shape):
                left, i = left * shape[i], i + 1
            else:
                right, j = right * other[j], j + 1
        parts.append(((a, i), (c, j)))
    return tuple(parts)


def fitted(at: At, shape: Shape) -> At:
    """The index of a source that broadcasts into a result indexed by `at`."""
    lead = len(at) - len(shape)
    return tuple(ZERO if n == 1 else at[lead + i] for i, n in enumerate(shape))
