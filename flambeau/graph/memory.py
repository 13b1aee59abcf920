"""Where results and temporaries live: offsets in the arena, reused when their last reader is done.

In: sizes and lifetimes in steps. Out: byte offsets. Called by `graph/lower` as it goes.
"""
from __future__ import annotations

ALIGN = 64


class Arena:
    """An allocator for one program, used while it is planned; first fit, freed blocks merge."""

    def __init__(self) -> None:
        self.free: list[tuple[int, int]] = []          # (offset, bytes), ascending
        self.size = 0

    def take(self, nbytes: int) -> tuple[int, int]:
        """An aligned (offset, bytes) block."""
        need = max(ALIGN, -(-nbytes // ALIGN) * ALIGN)
        fits = [(size, offset, i) for i, (offset, size) in enumerate(self.free) if size >= need]
        if fits:
            size, offset, i = min(fits)
            rest = [(offset + need, size - need)] if size > need else []
            self.free[i:i + 1] = rest
            return offset, need
        if self.free and sum(self.free[-1]) == self.size:
            offset, size = self.free.pop()
        else:
            offset = self.size
        self.size = offset + need
        return offset, need

    def give(self, block: tuple[int, int]) -> None:
        """Return a block; neighbours merge."""
        self.free.append(block)
        self.free.sort()
        merged: list[tuple[int, int]] = []
        for offset, size in self.free:
            if merged and sum(merged[-1]) == offset:
                merged[-1] = (merged[-1][0], merged[-1][1] + size)
            else:
                merged.append((offset, size))
        self.free = merged
