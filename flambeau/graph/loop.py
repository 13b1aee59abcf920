"""Loops: a body that runs many times, each turn on the state that the last one left.

In: what a turn computes, as nodes over INPUTs. Out: a `Body`, the attribute of a LOOP node; its
sources are the first states, then stacks that a turn sees one element of, then what stays.

    h' = tanh(x_t + h @ w.T), 48 turns:
      %3 = loop(%h0, %x, %w, body=.., count=48, back=False)     flat: 49 states, oldest first
      %4 = reshape(slice(%3, ..))                               part(%3, 0): (49, N, H)

A LOOP gives one block of memory: for each state its values before the first turn and after every
one, then for each further result its values by turn. The order is that of the stacks; a loop that
goes `back` takes their last elements first, and its first states stand last.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from ..core.dtype import dtype
from ..core.layout import Layout, contiguous
from .node import Node, Shape, text, topological
from .primitive import (
    CONST,
    EXPAND,
    INPUT,
    LOOP,
    PERMUTE,
    PRIMITIVES,
    RESHAPE,
    SCALAR,
    SLICE,
    const,
)

ADD = PRIMITIVES["add"]
Turn = Callable[[list[Node]], Sequence[Node]]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """What a turn computes.

    inputs    INPUT nodes: `states` of them, then `moving` elements of stacks, then what stays
    results   the next states, shaped and typed as the states; then what each turn puts out
    key       equal for bodies that compute the same

    All results have one dtype. Nothing in a body sorts or runs on the host.
    """

    inputs: tuple[Node, ...]
    results: tuple[Node, ...]
    states: int
    moving: int
    key: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<body of {len(self.inputs)} inputs, {len(self.results)} results>"

    @property
    def kind(self) -> dtype:
        """The dtype of the results."""
        return self.results[0].dtype

    def shapes(self, count: int) -> list[Shape]:
        """The shape of each part of the block after `count` turns."""
        return [(count + (k < self.states), *r.shape) for k, r in enumerate(self.results)]

    def infer(self, src: Sequence[Node], count: int) -> tuple[Shape, dtype]:
        """The shape and dtype of the block; the sources are those that the body was made for."""
        for k, (node, want) in enumerate(zip(src, self.inputs, strict=True)):
            moves = self.states <= k < self.states + self.moving
            if node.shape != ((count,) if moves else ()) + want.shape:
                raise ValueError(f"loop: source {k} has shape {node.shape}, a turn {want.shape}")
        return (sum(map(prod, self.shapes(count))),), self.kind


def make_body(states: Sequence[Node], moving: Sequence[Node], staying: Sequence[Node],
              turn: Turn) -> Body:
    """The body of a loop whose inputs look like the given nodes (each with the shape of a turn)."""
    like = (*states, *moving, *staying)
    inputs = [Node(INPUT, (), (k, 0, n.shape, n.dtype), n.shape, n.dtype)
              for k, n in enumerate(like)]
    return body_of(inputs, turn(inputs), len(states), len(moving))


def body_of(inputs: Sequence[Node], results: Sequence[Node], states: int, moving: int) -> Body:
    """A body of results over inputs; numbers in it are constants."""
    numbers = {id(n): const(n.attrs[0], n.dtype) for n in topological(list(results))
               if n.op is SCALAR}
    made = replaced(results, numbers)
    if {r.dtype for r in made} != {made[0].dtype}:
        raise ValueError("loop: the results of a body have one dtype")
    order = {id(n): str(k) for k, n in enumerate(topological(made))}
    if any(n.op.kind in ("sort", "host", "loop") for n in topological(made)):
        raise ValueError("loop: a body does not sort, call the host or loop itself")
    key = f"{states} {moving} {','.join(order[id(r)] for r in made)}\n{text(made)}"
    for k, (state, after) in enumerate(zip(inputs[:states], made)):
        if state.shape != after.shape or state.dtype is not after.dtype:
            raise ValueError(f"loop: state {k} is {state!r} and becomes {after!r}")
    key += "".join(f"\n{n.attrs}" for n in inputs)
    return Body(tuple(inputs), tuple(made), states, moving, key)


def loop(body: Body, src: Sequence[Node], count: int, back: bool = False) -> Node:
    """The block of `count` turns."""
    shape, kind = body.infer(src, count)
    return Node(LOOP, tuple(src), (body, count, back), shape, kind)


def part(block: Node, body: Body, count: int, k: int) -> Node:
    """Part k of a loop's block: a state before and after the turns, or a result of each turn."""
    return piece(block, body.shapes(count), k)


def piece(block: Node, shapes: Sequence[Shape], k: int) -> Node:
    """Array k of the arrays of these shapes that lie one behind another."""
    start, size = sum(map(prod, shapes[:k])), prod(shapes[k])
    flat = SLICE(block, start=(start,), step=(1,), shape=(size,))
    return RESHAPE(flat, shape=shapes[k])


# ---------------------------------------------------------------- what nobody reads


def trim(roots: list[Node]) -> list[Node]:
    """Loops without the results that nobody reads, and with constants inside instead of read.

    Called between simplifications: readers of a block are SLICEs of one part each.
    """
    order = topological(roots)
    if not any(n.op is LOOP for n in order):
        return roots
    readers: dict[int, list[Node]] = {}
    for node in order:
        for s in node.src:
            readers.setdefault(id(s), []).append(node)
    whole = {id(r) for r in roots}
    new: dict[int, Node] = {}
    starts: dict[int, dict[int, int]] = {}           # of a trimmed loop: where its parts moved
    for node in order:
        src = tuple(new[id(s)] for s in node.src)
        made = node
        if node.op is SLICE and id(node.src[0]) in starts:
            start, step, shape = node.attrs
            moved = _moved(starts[id(node.src[0])], start[0])
            made = Node(SLICE, src, ((moved,), step, shape), node.shape, node.dtype)
        elif any(a is not b for a, b in zip(src, node.src)):
            made = Node(node.op, src, node.attrs, node.shape, node.dtype)
        if node.op is LOOP:
            found = readers.get(id(node), [])
            if id(node) not in whole and all(r.op is SLICE for r in found):
                made, starts[id(node)] = _without(made, [r.attrs for r in found])
            made = _constants_inside(made)
        made.origin = node.origin
        new[id(node)] = made
    return [new[id(r)] for r in roots]


def _moved(starts: dict[int, int], start: int) -> int:
    before = max(s for s in starts if s <= start)
    return starts[before] + start - before


def _without(node: Node, read: list[Any]) -> tuple[Node, dict[int, int]]:
    """A loop without the further results that no slice reads; where each kept part begins."""
    body, count, back = node.attrs
    sizes = [prod(s) for s in body.shapes(count)]
    kept, starts = [], {}
    old = new = 0
    for k, size in enumerate(sizes):
        wanted = any(start[0] < old + size and start[0] + (shape[0] - 1) * step[0] >= old
                     for start, step, shape in read)
        if k < body.states or wanted:
            kept.append(body.results[k])
            starts[old] = new
            new += size
        old += size
    if len(kept) == len(sizes):
        return node, starts
    return loop(body_of(body.inputs, kept, body.states, body.moving), node.src, count,
                back), starts


def _constants_inside(node: Node) -> Node:
    """A loop whose constant sources are constants of its body, and without unused sources."""
    body, count, back = node.attrs
    known: dict[int, Node] = {}
    for k, (s, inner) in enumerate(zip(node.src, body.inputs)):
        value = _constant(s)
        if value is not None and k >= body.states:
            known[id(inner)] = EXPAND(value, shape=inner.shape)
    used = {id(n) for n in topological(list(body.results))}
    keep = [k for k, n in enumerate(body.inputs)
            if k < body.states or id(n) not in known and id(n) in used]
    if len(keep) == len(node.src):
        return node
    inputs = []
    for slot, k in enumerate(keep):
        n = body.inputs[k]
        made = Node(INPUT, (), (slot, 0, n.shape, n.dtype), n.shape, n.dtype)
        inputs.append(made)
        known[id(n)] = made
    results = _without_zeros(replaced(body.results, known))
    moving = sum(body.states <= k < body.states + body.moving for k in keep)
    return loop(body_of(inputs, results, body.states, moving), [node.src[k] for k in keep],
                count, back)


def _without_zeros(roots: list[Node]) -> list[Node]:
    """The graph with x for x + 0. (The sign of a zero is lost: a gradient that nobody gives adds
    nothing.)"""
    new: dict[int, Node] = {}
    for node in topological(roots):
        src = tuple(new[id(s)] for s in node.src)
        made = node
        if any(a is not b for a, b in zip(src, node.src)):
            made = Node(node.op, src, node.attrs, node.shape, node.dtype)
        if node.op is ADD:
            for x, y in (src, src[::-1]):
                zero = _constant(x)
                if zero is not None and zero.attrs[0] == 0 and y.shape == node.shape:
                    made = y
        new[id(node)] = made
    return [new[id(r)] for r in roots]


def _constant(node: Node) -> Node | None:
    while node.op in (EXPAND, RESHAPE) and node.src:
        node = node.src[0]
    return node if node.op is CONST and node.shape == () else None


def replaced(roots: Sequence[Node], known: dict[int, Node]) -> list[Node]:
    """The graph with some nodes (by id) replaced by others."""
    new = dict(known)
    for node in topological(list(roots)):
        if id(node) in new:
            continue
        src = tuple(new[id(s)] for s in node.src)
        if any(a is not b for a, b in zip(src, node.src)):
            new[id(node)] = Node(node.op, src, node.attrs, node.shape, node.dtype)
        else:
            new[id(node)] = node
    return [new[id(r)] for r in roots]


# ---------------------------------------------------------------- where a source lies


@dataclass(frozen=True, slots=True)
class Lies:
    """A node as a strided view of the row-major elements of `base`."""

    base: Node
    layout: Layout


def lies(node: Node) -> Lies:
    """The node as a view of what is below its movements, as far as strides can say that."""
    chain = []
    while node.op in (EXPAND, RESHAPE, PERMUTE, SLICE) and not _runs_back(node):
        chain.append(node)
        node = node.src[0]
    found = Lies(node, contiguous(node.shape))
    for move in reversed(chain):
        layout = _view(found.layout, move)
        found = Lies(move, contiguous(move.shape)) if layout is None else replace(
            found, layout=layout)
    return found


def _runs_back(node: Node) -> bool:
    return node.op is SLICE and any(s < 0 for s in node.attrs[1])


def _view(layout: Layout, move: Node) -> Layout | None:
    if move.op is EXPAND:
        return layout.expand(move.shape)
    if move.op is RESHAPE:
        return layout.reshape(move.shape)
    if move.op is PERMUTE:
        return layout.permute(move.attrs[0])
    return layout.slice(*move.attrs)
