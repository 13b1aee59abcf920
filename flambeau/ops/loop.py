"""The derivative of a loop: the same turns backwards, and sums over turns as one operation after.

In: the gradient of a LOOP's block. Out: nodes; a LOOP again, so that every order works.

    h' = tanh(x_t + h @ w.T)   ->   turns backwards: d = (g_t + gh) * (1 - h'^2);  gh' = d @ w
                                    gx = d of all turns;  gw = d.T @ h, over all turns at once
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..graph.loop import Body, body_of, loop, part, piece, replaced
from ..graph.node import Node, topological
from ..graph.primitive import ALIAS, CAST, DOT, INPUT, LOOP, PERMUTE, PRIMITIVES, RESHAPE, SUM
from . import algebra as a
from .derive import reverse_all
from .table import derivative

ADD = PRIMITIVES["add"]


@dataclass(frozen=True, slots=True)
class Backward:
    """The derivative of a body.

    body      of the backward loop. States: the gradients of the states. Moving: gradients of the
              results, states before, results, then what moved. Staying: what stayed
    grads     by source of the forward body: its gradient in a turn (None: there is none)
    stacked   nodes of a turn (by id) -> the result of the body that has them
    """

    body: Body
    grads: tuple[Node | None, ...]
    stacked: dict[int, int]


def _input(slot: int, like: Node) -> Node:
    return Node(INPUT, (), (slot, 0, like.shape, like.dtype), like.shape, like.dtype)


@lru_cache(maxsize=256)
def backward(body: Body) -> Backward:
    """The backward body; derived once for a body."""
    states, results = body.inputs[:body.states], body.results
    moving, staying = body.inputs[body.states:][:body.moving], body.inputs[
        body.states + body.moving:]
    like = [*states, *results, *states, *results, *moving, *staying]
    inputs = [_input(k, n) for k, n in enumerate(like)]
    rest = iter(inputs)
    carried, given, before, after, moved, stayed = (
        [next(rest) for _ in group] for group in (states, results, states, results, moving,
                                                  staying))
    seeds = [a.add(g, carried[k]) if k < body.states else g for k, g in enumerate(given)]
    found = reverse_all(results, seeds, body.inputs)
    grads = [a.zeros_like(n) if g is None and k < body.states else g
             for k, (g, n) in enumerate(zip(found, body.inputs))]
    known = {id(r): n for r, n in zip(results, after)}
    known.update((id(n), m) for n, m in zip(body.inputs, (*before, *moved, *stayed)))
    wanted = [k for k, g in enumerate(grads) if g is not None]
    made = replaced([g for g in grads if g is not None], known)
    opened: list[Node | None] = [None] * len(grads)
    for k, g in zip(wanted, made):
        opened[k] = g
    return _with_stacks(body, inputs, opened)


def _with_stacks(body: Body, inputs: list[Node], grads: list[Node | None]) -> Backward:
    """The backward body puts out what moves, and what gradients of what stays are made of."""
    ends = body.states + body.moving
    results = [g for g in grads[:body.states] if g is not None]
    stacked: dict[int, int] = {}
    varying = _varying(grads, inputs, len(inputs) - (len(body.inputs) - ends))
    needed = [g for g in grads[body.states:ends] if g is not None]
    for g in grads[ends:]:
        needed += [] if g is None else _operands(g, varying)
    for node in needed:
        if node.op is not INPUT and id(node) in varying and id(node) not in stacked:
            stacked[id(node)] = len(results)
            results.append(node)
    moving = 2 * len(body.results) + body.states + body.moving
    return Backward(body_of(inputs, results, body.states, moving), tuple(grads), stacked)


def _varying(grads: Sequence[Node | None], inputs: Sequence[Node], fixed: int) -> set[int]:
    """The nodes (by id) that differ from turn to turn; inputs from `fixed` on do not."""
    found = {id(n) for n in inputs[:fixed]}
    for node in topological([g for g in grads if g is not None]):
        if any(id(s) in found for s in node.src):
            found.add(id(node))
    return found


# ---------------------------------------------------------------- sums over turns


def _opens(node: Node, varying: set[int]) -> tuple[Node, ...]:
    """The sources through which a sum over turns moves in; none if the node itself is stacked."""
    src = node.src
    if node.op is ADD and all(s.shape == node.shape and _sums(s, varying) for s in src):
        return src
    if node.op in (RESHAPE, PERMUTE, ALIAS, SUM) or (
            node.op is CAST and node.dtype.kind == src[0].dtype.kind == "f"):
        return src
    return ()


def _sums(node: Node, varying: set[int]) -> bool:
    """Whether a sum over turns moves into the node."""
    return bool(_opens(node, varying)) or _is_product(node, varying)


def _operands(node: Node, varying: set[int]) -> list[Node]:
    """What has to be known of every turn to sum a node over turns."""
    found: list[Node] = []
    stack = [node]
    while stack:
        n = stack.pop()
        inner = _opens(n, varying)
        if inner:
            stack.extend(inner)
        elif _is_product(n, varying):
            found.extend(n.src)
        else:
            found.append(n)
    return found


def _is_product(node: Node, varying: set[int]) -> bool:
    return node.op is DOT and all(id(s) in varying for s in node.src)


class _Totals:
    """Sums over the turns of a backward loop."""

    def __init__(self, made: Backward, block: Node, src: Sequence[Node], count: int,
                 back: bool) -> None:
        self.made, self.block, self.src, self.count, self.back = made, block, src, count, back
        body = made.body
        self.varying = _varying(made.grads, body.inputs, body.states + body.moving)

    def stack(self, node: Node) -> Node:
        """A node's values by turn."""
        body = self.made.body
        if id(node) in self.made.stacked:
            return part(self.block, body, self.count, self.made.stacked[id(node)])
        if id(node) not in self.varying:
            return a.expand(node, (self.count, *node.shape))
        slot = node.attrs[0]
        if slot < body.states:
            whole = part(self.block, body, self.count, slot)
            return a.narrow(whole, 0, int(self.back), self.count)
        return self.src[slot]

    def total(self, node: Node) -> Node:
        """The sum over turns; contractions take the turns as one more dim to sum over."""
        inner = _opens(node, self.varying)
        if node.op is ADD and inner:
            return a.add(self.total(inner[0]), self.total(inner[1]))
        if node.op is SUM and not _sums(inner[0], self.varying):
            dims = (0, *(d + 1 for d in node.attrs[0]))
            return a.reshape(a.sum_(self.stack(inner[0]), dims), node.shape)
        if inner:
            return node.op(self.total(inner[0]), **dict(zip(node.op.params, node.attrs)))
        if not _is_product(node, self.varying):
            x = self.stack(node)
            return a.reshape(a.sum_(x, (0,)), node.shape)
        a_dims, b_dims, out_dims, kind = node.attrs
        turn = 1 + max((*a_dims, *b_dims))
        return a.dot(self.stack(node.src[0]), self.stack(node.src[1]), (turn, *a_dims),
                     (turn, *b_dims), out_dims, kind)


@derivative(LOOP)
def _loop(g: Node, out: Node, *rest: Any) -> list[Node | None]:
    *src, body, count, back = rest
    made = backward(body)
    shapes = body.shapes(count)
    given, values = ([piece(n, shapes, k) for k in range(len(shapes))] for n in (g, out))
    inputs = _stacks(body, given, values, count, back)
    states = [a.zeros_like(s) for s in src[:body.states]]
    sources = [*states, *inputs, *src[body.states:]]
    block = loop(made.body, sources, count, not back)
    totals = _Totals(made, block, sources, count, not back)
    first = count if back else 0
    grads: list[Node | None] = []
    for k, d in enumerate(made.grads):
        if k < body.states:
            last = a.narrow(part(block, made.body, count, k), 0, first, 1)
            both = a.add(last, a.narrow(given[k], 0, first, 1))
            grads.append(a.reshape(both, src[k].shape))
        elif d is None:
            grads.append(None)
        elif k < body.states + body.moving:
            grads.append(totals.stack(d))
        else:
            grads.append(totals.total(d))
    return grads


def _stacks(body: Body, given: list[Node], values: list[Node], count: int,
            back: bool) -> list[Node]:
    """What moves in the backward loop: gradients of results, states before, results."""
    def after(stack: Node, k: int) -> Node:
        return a.narrow(stack, 0, int(not back), count) if k < body.states else stack
    before = [a.narrow(v, 0, int(back), count) for v in values[:body.states]]
    return [*(after(g, k) for k, g in enumerate(given)), *before,
            *(after(v, k) for k, v in enumerate(values))]
