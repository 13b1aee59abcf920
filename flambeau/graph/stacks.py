"""Where a loop's turns find what they read and leave what they make: buffers that move.

In: the memory of a LOOP's block and of its sources. Out: `Buffer`s with a step. Called by
`graph/lower`.

    3 turns of a state of 4 floats, forwards: before = block[4 t:], after = block[4 + 4 t:]
"""
from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ..core.layout import Layout
from ..kernel.loopnest import Buffer
from .loop import Body, lies
from .node import Node
from .primitive import AS_STRIDED, INPUT


@dataclass(frozen=True, slots=True)
class Stacks:
    """The parts of a block: `states` with a value before the first turn, then the others."""

    block: Buffer
    body: Body
    count: int
    back: bool

    def _part(self, k: int, entry: int, moves: bool = True) -> Buffer:
        """The element of part k that a turn uses, `entry` from the first in the order of turns."""
        shapes = self.body.shapes(self.count)
        size, length = prod(shapes[k][1:]), shapes[k][0]
        at = length - 1 - entry if self.back else entry
        width = size * self.block.dtype.itemsize
        before = sum(map(prod, shapes[:k])) * self.block.dtype.itemsize
        step = (-width if self.back else width) if moves else 0
        return Buffer(f"{self.block.name}_{k}_{entry}", self.block.slot, self.block.dtype, size,
                      self.block.offset + before + at * width, step, self.count)

    def first(self, k: int) -> Buffer:
        """State k before the first turn."""
        return self._part(k, 0, moves=False)

    def before(self, k: int) -> Buffer:
        """State k as a turn finds it."""
        return self._part(k, 0)

    def after(self, k: int) -> Buffer:
        """Result k of a turn."""
        return self._part(k, 1 if k < self.body.states else 0)

    def source(self, node: Node, buffers: dict[int, Buffer], slot: int,
               moves: bool) -> tuple[Node, Node, Buffer]:
        """A source as a turn reads it: its node, the INPUT below that, and its memory."""
        found = lies(node)
        memory, layout, step = buffers[id(found.base)], found.layout, 0
        if moves:
            step = layout.stride[0]
            layout = layout.select(0, self.count - 1 if self.back else 0)
        width = memory.dtype.itemsize
        span = Layout(layout.shape, layout.stride).span
        buffer = Buffer(f"{memory.name}_{slot}", memory.slot, memory.dtype, span,
                        memory.offset + layout.offset * width,
                        (-step if self.back else step) * width, self.count)
        whole = Layout(layout.shape, layout.stride).is_contiguous
        shape = layout.shape if whole else (span,)
        given = Node(INPUT, (), (slot, 0, shape, node.dtype), shape, node.dtype)
        seen = given if whole else AS_STRIDED(given, shape=layout.shape, stride=layout.stride,
                                              offset=0)
        return seen, given, buffer
