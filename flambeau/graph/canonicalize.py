"""What a pending graph looks like, apart from its data: the key that finds a compiled program.

In: nodes that somebody wants. Out: `Pending`: the nodes in order, their leaves, the numbers in
them, and a hashable structure. Called by `graph/realize`.

    (x + 1.5) * x   ->   ((float32, (4,)), (scalar float32), (add, (), (0, 1)), (mul, (), (2, 0)))
"""
from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..core.dtype import dtype, int64
from ..core.errors import NotBatched
from ..core.traced import plain
from .node import Node, Shape, strides
from .primitive import (
    AS_STRIDED,
    AS_STRIDED_AT,
    CONST,
    INPUT,
    PAD,
    PAD_AT,
    PUT,
    SAMPLE,
    SCALAR,
    SLICE,
    SLICE_AT,
    WRITE,
    WRITE_AT,
)

CHEAP = frozenset(("map", "move", "leaf"))
CHAIN = 16                      # that many cheap operations on each other are no longer cheap


class Number(NamedTuple):
    """A number of the user's program: its value and type, whether it is an input from the start,
    and the node it stands in."""

    value: Any
    dtype: dtype
    varies: bool
    node: Node


@dataclass(slots=True)
class Pending:
    """A graph to be computed.

    order      nodes, sources first; leaves are those with a value, and SCALARs
    leaves     nodes whose buffers are inputs; a slice of one is an input too, at an address of its
               own, so that the next batch of a data set runs the same program
    numbers    the user's numbers: SCALARs, and where slices, views and WRITEs begin; not part of
               `structure`
    structure  equal for graphs that differ in data and numbers alone
    donated    leaves (by number) that nobody else holds and that a PUT or WRITE may overwrite
    """

    order: list[Node]
    roots: list[Node]
    leaves: list[Node]
    numbers: list[Number]
    structure: tuple[Any, ...]
    donated: frozenset[int]


def _own_references() -> int:
    """What sys.getrefcount reports for an object that only a list and a loop variable hold."""
    held = [object()]
    for item in held:
        return sys.getrefcount(item)
    return 0


LISTED = _own_references()
VIEWS = frozenset((SLICE, AS_STRIDED))          # of a computed value: leaves
PLACED = frozenset((SLICE, PAD, AS_STRIDED, WRITE))   # where they begin is the user's number


def canonicalize(wanted: list[Node]) -> Pending:
    """Order and describe the graph below `wanted`; adds to the results what others will need.

    A node that somebody outside this graph holds (a live tensor, a pending derivative) is computed
    and kept if working it out again would be expensive: being part of the graph asked for it.
    """
    w = _Walk()
    w.below(wanted)
    roots = wanted + _needed_later(w, {id(n) for n in wanted})
    donated = _given_up(w.order, w.leaves, w.place, w.uses)
    structure = (tuple(w.parts), tuple([w.place[id(r)] for r in roots]), donated)
    return Pending(w.order, roots, w.leaves, w.numbers, structure, donated)


class _Walk:
    """Nodes in order, what each is in the structure, and how many of the others read it."""

    __slots__ = ("leaves", "numbers", "order", "parts", "place", "uses")

    def __init__(self) -> None:
        self.order: list[Node] = []
        self.place: dict[int, int] = {}
        self.uses: list[int] = []
        self.leaves: list[Node] = []
        self.numbers: list[Number] = []
        self.parts: list[Any] = []

    def below(self, wanted: list[Node]) -> None:
        """Enter everything that the wanted nodes need, sources first."""
        place, uses = self.place, self.uses
        stack = [n for n in wanted[::-1] if self.leaf(n) is None]
        while stack:
            node = stack.pop()
            if id(node) in place:
                continue
            at: list[int] = []
            missing: list[Node] = []
            for s in node.src:
                i = place.get(id(s))
                if i is None and (s.value is not None or not s.src or s.op in VIEWS):
                    i = self.leaf(s)
                if i is None:
                    missing.append(s)
                else:
                    at.append(i)
            if missing:
                stack.append(node)
                missing.reverse()
                stack += missing
                continue
            for i in at:
                uses[i] += 1
            attrs = node.attrs
            if node.op in PLACED and node.dtype.kind != "c":
                starts, attrs = _starts(node)
                self.numbers += [Number(s, int64, False, node) for s in starts]
            self.enter(node, (node.op, attrs, *at))

    def enter(self, node: Node, part: Any) -> int:
        """Give a node its place."""
        at = self.place[id(node)] = len(self.order)
        self.order.append(node)
        self.uses.append(0)
        self.parts.append(part)
        return at

    def leaf(self, node: Node) -> int | None:
        """The place of a node that needs no other one, None if it has to be computed."""
        if node.value is not None:
            self.leaves.append(node)
            return self.enter(node, (node.shape, node.dtype))
        src = node.src
        if not src:
            return self.enter(node, _leaf(node, self.numbers))
        op = node.op
        if op is SLICE:
            if src[0].value is None or not _is_window(node):
                return None
        elif op is not AS_STRIDED or src[0].value is None or not _is_view(node):
            return None
        self.leaves.append(node)
        return self.enter(node, (node.shape, node.dtype, _steps(node)))


def _starts(node: Node) -> tuple[list[int], tuple[Any, ...]]:
    """Where a PLACED node begins, and its other attributes."""
    if node.op is WRITE or node.op is AS_STRIDED:
        return [node.attrs[2]], node.attrs[:2]
    dims = _cut(node)
    start = node.attrs[0]
    kept = tuple([None if d in dims else a for d, a in enumerate(start)])
    rest = node.attrs[1:] if node.op is SLICE else (node.shape, node.attrs[2])
    return [start[d] for d in dims], (kept, *rest)


def _cut(node: Node) -> list[int]:
    """The dims of a slice that could begin elsewhere, or of zeros around that could lie otherwise.

    As many zeros on either side, as convolutions have them, are no position.
    """
    if node.op is PAD:
        return [d for d, (a, b) in enumerate(zip(*node.attrs[:2])) if a != b]
    _, step, shape = node.attrs
    whole = node.src[0].shape
    return [d for d, n in enumerate(shape) if n != whole[d] and step[d] > 0]


def _placed(node: Node, src: tuple[Node, ...], starts: list[Node | None]) -> Node:
    """A PLACED node that begins where the given nodes say; None: where it says itself."""
    given = [s for s in starts if s is not None]
    if node.op is WRITE or node.op is AS_STRIDED:
        op = WRITE_AT if node.op is WRITE else AS_STRIDED_AT
        return op(*src, *given, shape=node.attrs[0], stride=node.attrs[1])
    dims = tuple(d for d, s in zip(_cut(node), starts) if s is not None)
    op = SLICE_AT if node.op is SLICE else PAD_AT
    return op(*src, *given, **dict(zip(node.op.params, node.attrs)), dims=dims)


def _is_window(node: Node) -> bool:
    """Whether a slice of a computed value can be read where it lies."""
    return (node.value is None and node.dtype.kind != "c" and node.size > 0
            and all(s > 0 for s in node.attrs[1]))


def _is_view(node: Node) -> bool:
    """Whether a strided view of a computed value can be read where it lies."""
    return node.value is None and node.dtype.kind != "c" and node.size > 0


def _steps(node: Node) -> Shape:
    """How far apart the elements of a slice or view lie in its source's memory, by dim."""
    if node.op is AS_STRIDED:
        return node.attrs[1]
    return tuple(k * s for k, s in zip(node.attrs[1], strides(node.src[0].shape)))


def buffer_of(leaf: Node) -> tuple[Any, int]:
    """The buffer of a leaf and the byte offset at which its elements begin."""
    if leaf.value is not None:
        return leaf.value, 0
    source = leaf.src[0]
    if leaf.op is AS_STRIDED:
        start = leaf.attrs[2]
    else:
        start = sum(a * s for a, s in zip(leaf.attrs[0], strides(source.shape)))
    return source.value, start * leaf.dtype.itemsize


def _leaf(node: Node, numbers: list[Number]) -> tuple[Any, ...]:
    """How a node without sources stands in the structure."""
    if node.op is SCALAR and node.dtype.kind != "c":          # a complex one does not fit 8 bytes
        value, varies, kind = node.attrs
        numbers.append(Number(value, kind, varies, node))
        return kind, varies
    if node.op is CONST:
        return CONST, repr(node.attrs[0]), node.dtype
    if node.op is SAMPLE:
        raise NotBatched("vmap: the value of one sample is needed")
    return node.op, node.attrs


def _needed_later(w: _Walk, wanted: set[int]) -> list[Node]:
    """Expensive nodes with a reader outside the graph: more references than the graph's own."""
    kept, at = [], 0
    uses, held = w.uses, Counter([id(n.node) for n in w.numbers])
    for node in w.order:
        if (sys.getrefcount(node) > LISTED + uses[at] and node.value is None
                and sys.getrefcount(node) > LISTED + uses[at] + held[id(node)]
                and id(node) not in wanted
                and (node.op.kind not in CHEAP or node.src and _is_dear(node, wanted))):
            kept.append(node)
            wanted.add(id(node))
        at += 1
    return kept


def _is_dear(node: Node, stored: set[int]) -> bool:
    """Whether a cheap node stands on an expensive one, or on many, that nobody stores.

    Without this, a state that every round of a loop makes from the last one (an LSTM's cell, a
    solver's solution) would be worked out from the beginning in each, by a program of its own.
    """
    seen: set[int] = set()
    stack = [node]
    while stack:
        for s in stack.pop().src:
            if s.value is None and s.src and id(s) not in stored and id(s) not in seen:
                if s.op.kind not in CHEAP or len(seen) == CHAIN:
                    return True
                seen.add(id(s))
                stack.append(s)
    return False


def _given_up(order: list[Node], leaves: list[Node], place: dict[int, int],
              uses: list[int]) -> frozenset[int]:
    """The leaves that are the base of one PUT or WRITE and that only this graph refers to."""
    bases = {id(n.src[0]) for n in order if n.src and (n.op is WRITE or n.op is PUT)}
    if not bases:
        return frozenset()
    given, number = [], 0
    for leaf in leaves:
        if (id(leaf) in bases and leaf.value is not None and uses[place[id(leaf)]] == 1
                and not leaf.value.pinned
                and sys.getrefcount(leaf) == LISTED + 2 and sys.getrefcount(leaf.value) == 2):
            given.append(number)
        number += 1
    return frozenset(given)


def template(pending: Pending, constant: list[bool]) -> list[Node]:
    """The graph with its leaves replaced by inputs; numbers marked constant become constants.

    Numbers that vary lie in the slot after the leaves', 8 bytes each.
    """
    new: dict[int, Node] = {}
    slots = {id(n): i for i, n in enumerate(pending.leaves)}
    numbers: dict[int, list[int]] = {}
    for i, n in enumerate(pending.numbers):
        numbers.setdefault(id(n.node), []).append(i)
    for node in pending.order:
        if id(node) in slots:
            made = (_window if node.value is None else _whole)(slots[id(node)], node)
        elif node.op is SCALAR and id(node) in numbers:
            i, = numbers[id(node)]
            made = (Node(CONST, (), (plain(node.attrs[0]), node.dtype), (), node.dtype)
                    if constant[i] else _input(len(slots), 8 * i, node.shape, node.dtype))
        else:
            src = tuple(new[id(s)] for s in node.src)
            starts = [None if constant[i] else _input(len(slots), 8 * i, (), int64)
                      for i in numbers.get(id(node), ())]
            if any(s is not None for s in starts):
                made = _placed(node, src, starts)
            else:
                made = Node(node.op, src, node.attrs, node.shape, node.dtype)
        made.origin = node.origin
        new[id(node)] = made
    return [new[id(r)] for r in pending.roots]


def _input(slot: int, offset: int, shape: Shape, kind: dtype) -> Node:
    return Node(INPUT, (), (slot, offset, shape, kind), shape, kind)


def _whole(slot: int, node: Node) -> Node:
    return _input(slot, 0, node.shape, node.dtype)


def _window(slot: int, node: Node) -> Node:
    """A slice as a view of the memory from its first element on."""
    steps = _steps(node)
    span = 1 + sum((n - 1) * s for n, s in zip(node.shape, steps))
    memory = _input(slot, 0, (span,), node.dtype)
    return AS_STRIDED(memory, shape=node.shape, stride=steps, offset=0)
