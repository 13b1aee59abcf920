"""Lanes at constant distances as a few contiguous loads, where a gather would read one by one.

In: what each lane adds to an address. Out: the windows to load, in order, or None where a gather
is as good. Called by `memory`.

    windows([0, 2, 4, ..., 30])                    -> [0, 16) and [15, 31)
    windows([0, 1, ..., 7, 58, 59, ..., 65])       -> [0, 8) and [58, 66)

Nothing is read before the first lane's element or after the last one's.
"""
from __future__ import annotations

from typing import NamedTuple

MOST = 4                           # windows; a gather takes about as long as that many


class Window(NamedTuple):
    """`size` elements from `start` on; the size is a power of two."""

    start: int
    size: int

    def __contains__(self, offset: object) -> bool:
        return isinstance(offset, int) and self.start <= offset < self.start + self.size


def windows(offsets: list[int]) -> list[Window] | None:
    """Windows of at most as many elements as there are lanes, that hold every offset."""
    lanes = len(offsets)
    low, high = min(offsets), max(offsets)
    found: list[Window] = []
    for k in sorted(set(offsets)):
        if found and k in found[-1]:
            continue
        if len(found) == MOST:
            return None
        last = max(n for n in offsets if k <= n < k + lanes)
        size = 1 << (last - k).bit_length()
        start = k if k + size - 1 <= high else high - size + 1
        if start < low:
            return None
        found.append(Window(start, size))
    return found
