"""Where results and temporaries live: offsets in the arena, reused when their last reader is done;
and which writes can happen in place.

In: sizes, lifetimes in steps, groups. Out: byte offsets, `homes`. Called by `graph/lower`.
"""
from __future__ import annotations

from collections.abc import Iterable

from .fuse import Group
from .node import Node
from .primitive import INPUT, PUT, WRITE, WRITE_AT

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


def homes(groups: list[Group], roots: Iterable[Node], donated: frozenset[int]) -> dict[int, Node]:
    """For each node that may share its memory with a later one: the last such node, or the input.

    PUT and WRITE may change their base where it lies if nobody else reads it: the base is a
    temporary of this program, or an input that its owner gives up (`donated` slots).

        w1 = write(x, ..); w2 = write(w1, ..)   ->   w1 lives where w2 will be; with x donated, both
                                                     live where x is
    """
    readers = _readers(groups)
    results = {id(r) for r in roots}
    home: dict[int, Node] = {}
    chains: list[Node] = []
    for group in reversed(groups):
        node = group.nodes[0]
        if node.op not in (PUT, WRITE, WRITE_AT):
            continue
        base = node.src[0]
        if readers.get(id(base)) != 1 or id(base) in results or base.size != node.size:
            continue
        if base.op is INPUT:
            if base.attrs[0] in donated:
                chains.append(node)
        else:
            home[id(base)] = home.get(id(node), node)
    for first in chains:
        last = home.get(id(first), first)
        for key, end in list(home.items()):
            if end is last:
                home[key] = first.src[0]
        home[id(last)] = first.src[0]
    return home


def _readers(groups: list[Group]) -> dict[int, int]:
    """How many times each node in memory is read: by groups, and by operands within a group."""
    computed = {id(n) for g in groups for n in g.nodes}
    count: dict[int, int] = {}
    for group in groups:
        seen: set[int] = set()
        stack = [s for n in group.nodes for s in n.src]
        while stack:
            node = stack.pop()
            if id(node) in computed or node.op is INPUT:
                count[id(node)] = count.get(id(node), 0) + 1
            elif id(node) not in seen:
                seen.add(id(node))
                stack.extend(node.src)
    return count
