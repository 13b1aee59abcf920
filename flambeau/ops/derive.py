"""Derivatives of expansions: the reverse walk that gives every composite its gradient.

In: an operation and which of its sources to differentiate. Out: an `Op` whose expansion is the
gradient, so a gradient is itself a node and can be differentiated again.

    softmax(x, dim) with g  ->  softmax.vjp0(g, out, x, dim)  ->  expanded: out * (g - sum(g * out))
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph.node import Node, Op, Shape
from ..graph.primitive import (
    ALIAS, AS_STRIDED, CAST, EXPAND, PRIMITIVES, RESHAPE, SLICE, SUM, const,
)


def gradient(op: Op, g: Node, out: Node, src: tuple[Node, ...], attrs: tuple[Any, ...],
             i: int) -> Node:
    """The node of d(sum(g * op(src))) / d(src[i])."""
    derived = op.vjps.get(i)
    if derived is None:
        derived = op.vjps[i] = _derived(op, i)
    return Node(derived, (g, out, *src), attrs, src[i].shape, src[i].dtype)


def final_gradient(op: Op, g: Node, out: Node, src: tuple[Node, ...], attrs: tuple[Any, ...],
                   i: int) -> Node:
    """`gradient`, where nobody will differentiate it again.

    That of a slice or view is expanded at once: where it begins must be seen in the graph, or
    every other place would be another program.
    """
    node = gradient(op, g, out, src, attrs, i)
    if op is SLICE or op is AS_STRIDED:
        assert node.op.expand is not None
        return node.op.expand(*node.src, *attrs)
    return node


def _derived(op: Op, i: int) -> Op:
    def infer(g: Node, out: Node, *rest: Any) -> tuple[Shape, Any]:
        return rest[i].shape, rest[i].dtype

    def expand(g: Node, out: Node, *rest: Any) -> Node:
        count = len(rest) - len(op.params)
        grads = source_gradients(op, g, out, rest[:count], rest[count:], only=i)
        found = grads[i]
        return zeros_like(rest[i]) if found is None else found

    return Op(f"{op.name}.vjp{i}", infer, params=op.params, expand=expand)


def source_gradients(op: Op, g: Node, out: Node, src: tuple[Node, ...], attrs: tuple[Any, ...],
                     only: int | None = None) -> list[Node | None]:
    """Gradients of every source (or of the source `only`), shaped and typed like the source."""
    if op.vjp is not None:
        grads = list(op.vjp(g, out, *src, *attrs))
    elif op.expand is not None:
        starts = [ALIAS(s) for s in src]
        inner = op.expand(*starts, *attrs)
        wanted = starts if only is None else [starts[only]]
        found = reverse(inner, g, wanted)
        grads = found if only is None else [*([None] * only), *found]
    elif op is ALIAS:
        return [g]
    else:
        raise NotImplementedError(f"derivative for {op.name} is not implemented")
    return [None if d is None else fit(d, s) for d, s in zip(grads, src)]


def reverse(out: Node, g: Node, wrt: Sequence[Node]) -> list[Node | None]:
    """Gradients of sum(g * out) by each node of `wrt`."""
    return reverse_all([out], [g], wrt)


def reverse_all(outs: Sequence[Node], gs: Sequence[Node],
                wrt: Sequence[Node]) -> list[Node | None]:
    """Gradients of sum(g * out), over all pairs, by each node of `wrt`; the walk stops there.
    Iterative."""
    order = _between(outs, wrt)
    grads: dict[int, Node] = {}
    stops = {id(w) for w in wrt}
    inside = {id(n) for n in order}

    def give(node: Node, d: Node) -> None:
        before = grads.get(id(node))
        grads[id(node)] = d if before is None else PRIMITIVES["add"](before, d)
    for out, g in zip(outs, gs):
        give(out, g)
    for node in reversed(order):
        incoming = grads.get(id(node))
        if incoming is None or id(node) in stops:
            continue
        found = source_gradients(node.op, incoming, node, node.src, node.attrs)
        for s, d in zip(node.src, found):
            if d is not None and id(s) in inside:
                give(s, d)
    return [grads.get(id(w)) for w in wrt]


def _between(outs: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """Nodes on a path from `wrt` to `outs`, sources first."""
    reaches = {id(w): True for w in wrt}
    order = list(wrt)
    stack: list[tuple[Node, bool]] = [(out, False) for out in reversed(outs)]
    while stack:
        node, done = stack.pop()
        if done:
            reaches[id(node)] = any(reaches[id(s)] for s in node.src)
            if reaches[id(node)]:
                order.append(node)
        elif id(node) not in reaches:
            reaches[id(node)] = False
            stack.append((node, True))
            stack.extend((s, False) for s in node.src if id(s) not in reaches)
    return order


def fit(d: Node, like: Node) -> Node:
    """Sum what was broadcast and cast, so that a gradient looks like its source."""
    if d.shape != like.shape:
        d = sum_to(d, like.shape)
    return d if d.dtype is like.dtype else CAST(d, dtype=like.dtype)


def sum_to(x: Node, shape: Shape) -> Node:
    """Sum over the dims that broadcasting `shape` to x.shape would add or stretch."""
    if x.shape == shape:
        return x
    lead = x.ndim - len(shape)
    dims = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1)
    if dims:
        x = SUM(x, dims=dims)
    return x if x.shape == shape else RESHAPE(x, shape=shape)


def zeros_like(x: Node) -> Node:
    return EXPAND(const(0, x.dtype), shape=x.shape)
