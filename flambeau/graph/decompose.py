"""Expands composites into primitives and merges equal nodes.

In: a canonical graph (leaves are inputs). Out: the same values in primitives alone, each computed
once. `rebuild` is the walk that simplify uses too.

    %1 = silu(%0)        ->   %1 = sigmoid(%0); %2 = mul(%0, %1)
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.trace import at
from .node import Node, Op, topological
from .primitive import CONST, PRIMITIVES, SUM

Rewrite = Callable[[Node], Node]


class Interner:
    """Gives one node for one meaning: same operation, sources and attributes."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], Node] = {}

    def __call__(self, node: Node) -> Node:
        if node.op is CONST:
            # repr tells 0.0 from -0.0 and makes nan equal to itself
            key: tuple[Any, ...] = (node.op, repr(node.attrs[0]), node.dtype)
        else:
            key = (node.op, tuple(id(s) for s in node.src), node.attrs, node.dtype, node.shape)
        return self.known.setdefault(key, node)


def rebuild(roots: list[Node], rewrite: Rewrite) -> list[Node]:
    """The graph with every node replaced by `rewrite(node on new sources)`, equal nodes merged."""
    new: dict[int, Node] = {}
    intern = Interner()
    for node in topological(roots):
        src = tuple(new[id(s)] for s in node.src)
        if any(a is not b for a, b in zip(src, node.src)):
            copy = Node(node.op, src, node.attrs, node.shape, node.dtype)
            copy.origin = node.origin
        else:
            copy = node
        new[id(node)] = rewrite(intern(copy))
    return [new[id(r)] for r in roots]


def decompose(roots: list[Node]) -> list[Node]:
    """Expand until only primitives are left; each pass opens one level of composites."""
    roots = rebuild(roots, _keep)
    while any(n.op.expand is not None or n.op in DEFINED for n in topological(roots)):
        roots = rebuild(roots, _open)
    return rebuild(roots, _keep)


def _keep(node: Node) -> Node:
    return node


def _open(node: Node) -> Node:
    expand = node.op.expand or DEFINED.get(node.op)
    if expand is None:
        return node
    with at(node.origin):
        out = expand(*node.src, *node.attrs)
    if out.shape != node.shape or out.dtype is not node.dtype:
        raise AssertionError(f"{node.op.name} promised {node.dtype.name}{node.shape} and expands "
                             f"to {out.dtype.name}{out.shape}")
    return out


# ---------------------------------------------------------------- primitives defined by others


def _skew_rule(g: Node, dim: int, n: int, step: int, dilation: int) -> tuple[Any, Any]:
    return g.shape[:dim] + (n,) + g.shape[dim + 1:], g.dtype


# out[..., i (at dim), ..., j (last)] = g[..., o, ..., j] where o*step + j*dilation == i, else 0
SKEW = Op("skew", _skew_rule, params=("dim", "n", "step", "dilation"), kind="move")


def _fold(g: Node, dim: int, n: int, step: int, dilation: int) -> Node:
    """fold = the sum over windows j of the windows moved back to where they came from."""
    skewed = SKEW(g, dim=dim, n=n, step=step, dilation=dilation)
    total = SUM(skewed, dims=(g.ndim - 1,))
    return PRIMITIVES["reshape"](total, shape=total.shape[:-1])


DEFINED: dict[Op, Callable[..., Node]] = {PRIMITIVES["fold"]: _fold}
