"""When the values of a chain are worked out: passes over the columns, one after the other.

In: a `fuse.Group` with a `Chain`. Out: the pass of each node, and which large values are written to
scratch. Called by `attend`.

    amax(s) in pass 0; e = exp(s - amax) in pass 1, kept for the contraction that reads it; sum(e)
    in pass 1
"""
from __future__ import annotations

from dataclasses import dataclass

from ..kernel.loopnest import Buffer, Local
from .chain import sink_form
from .fuse import HEAVY, Group, weight_of
from .node import Node
from .primitive import CONST, EXPAND, IOTA, RESHAPE

LAST = 1 << 30                  # after all passes


@dataclass(slots=True)
class Large:
    """Where a large value lies: `until` is the last pass that reads it (LAST: contractions do)."""

    place: Local
    until: int


class Passes:
    """The order of work in a chain; `outside` is the memory it only reads."""

    def __init__(self, group: Group, buffers: dict[int, Buffer]) -> None:
        assert group.chain is not None
        self.group, self.chain, self.buffers = group, group.chain, buffers
        own = {id(n) for n in group.nodes}
        self.outside = {k: b for k, b in buffers.items() if k not in own}
        self.forms = {id(s): sink_form(s, self.chain.wide) for s in self.chain.sinks}
        self.passes: dict[int, int] = {}
        self.order = self._needed(self.ends())
        for node in self.order:
            self._number(node)

    def form(self, sink: Node) -> tuple[int, bool]:
        form = self.forms[id(sink)]
        assert form is not None
        return form

    def ends(self) -> list[Node]:
        """What the chain is for: the large operands of sinks, and reductions."""
        return [*(s.src[self.form(s)[0]] for s in self.chain.sinks), *self.chain.reductions]

    def _needed(self, ends: list[Node]) -> list[Node]:
        """The nodes below that are worked out here, sources first."""
        order: list[Node] = []
        seen: set[int] = set()
        stack = [(n, False) for n in reversed(ends)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                if not self._given(node):
                    stack.extend((s, False) for s in reversed(node.src))
        return order

    def _given(self, node: Node) -> bool:
        """Whether the node is there before the passes."""
        return id(node) in self.outside or not node.src or node in self.chain.sources

    def _number(self, node: Node) -> None:
        """How many reductions have to be finished before the node (itself included)."""
        below = 0 if self._given(node) else max(
            (self.passes[id(s)] for s in node.src), default=0)
        self.passes[id(node)] = below + (node in self.chain.reductions)

    def kept(self) -> dict[int, tuple[Node, int]]:
        """Large values written to scratch, with the pass that does: operands of sinks, and costly
        ones that several passes read."""
        kept = {id(n): (n, self.passes[id(n)])
                for s in self.chain.sinks if (n := s.src[self.form(s)[0]])
                not in self.chain.sources}
        uses: dict[int, set[int]] = {}
        for end in self.ends():
            step = self.passes[id(end)] - (end in self.chain.reductions)
            for node in self._large_below(end, set(kept) - {id(end)}, step):
                uses.setdefault(id(node), set()).add(step)
                if len(uses[id(node)]) > 1 and self._costly(node):
                    kept[id(node)] = (node, self.passes[id(node)])
        return kept

    def _large_below(self, end: Node, stops: set[int], step: int) -> list[Node]:
        """Large maps that have to be worked out for `end` in pass `step`."""
        found, seen = [], set()
        stack = [end.src[0] if end in self.chain.reductions else end]
        while stack:
            node = stack.pop()
            if id(node) in seen or id(node) not in self.chain.wide or node in self.chain.sources:
                continue
            seen.add(id(node))
            if id(node) in stops and self.passes[id(node)] < step:
                continue
            found.append(node)
            stack.extend(node.src)
        return found

    def _costly(self, root: Node) -> bool:
        """Whether reading a value again beats working it out again."""
        total, seen, stack = 0, set(), [root]
        while stack:
            node = stack.pop()
            if id(node) in seen or node in self.chain.sources or node in self.chain.reductions:
                continue
            seen.add(id(node))
            if id(node) not in self.chain.wide:
                # A mask from memory is gathered: its columns lie side by side, lanes are rows.
                total += 2 * HEAVY * _crosses(node)
                continue
            total += weight_of(node)
            stack.extend(node.src)
        return total > HEAVY

    def until(self, node: Node, kept: dict[int, tuple[Node, int]]) -> int:
        """The last pass that reads a large value."""
        if any(s.src[self.form(s)[0]] is node for s in self.chain.sinks):
            return LAST
        last = 0
        for end in self.ends():
            step = self.passes[id(end)] - (end in self.chain.reductions)
            for found in self._large_below(end, set(kept) - {id(end)}, step):
                if any(s is node for s in found.src):
                    last = max(last, step)
            if end in self.chain.reductions and end.src[0] is node:
                last = max(last, step)
        return last


def _crosses(node: Node) -> bool:
    """Whether a value from memory differs between rows and between columns."""
    if node.op in (CONST, IOTA) or node.ndim < 2:
        return False
    while node.op in (EXPAND, RESHAPE) and node.src and node.src[0].ndim == node.ndim:
        node = node.src[0]
    if not node.src and node.op.kind == "leaf" and node.op.name != "input":
        return False
    if node.op.kind == "map":
        return any(_crosses(s) for s in node.src)
    return min(node.shape[-2:]) > 1
