"""What a well-formed graph is: checked after each pass when FLAMBEAU_CHECK holds "ir".

In: root nodes. Out: nothing, or `MalformedGraph`. Called by `graph/program`.
"""
from __future__ import annotations

from .node import Node, topological
from .primitive import CAST, RESHAPE, SPEC


class MalformedGraph(AssertionError):
    """A graph that breaks a rule: a bug of a pass, not of the user."""


def verify(roots: list[Node], after: str, primitive: bool = True) -> None:
    """Every node's shape and dtype are what its operation says of its sources."""
    for node in topological(roots):
        if primitive and node.op.expand is not None:
            raise MalformedGraph(f"after {after}: {node.op.name} is still a composite")
        if node.op is SPEC or not node.src:
            continue
        shape, kind = node.op.infer(*node.src, *node.attrs)
        if tuple(shape) != node.shape or kind is not node.dtype:
            raise MalformedGraph(f"after {after}: {node.op.name} says {kind.name}{tuple(shape)}, "
                                 f"the node {node.dtype.name}{node.shape}")
        if node.op.kind == "map" and node.op is not CAST:
            kinds = {s.dtype for s in node.src[1 if node.op.name == "where" else 0:]}
            if len(kinds) > 1:
                raise MalformedGraph(f"after {after}: {node.op.name} mixes {kinds}")
        if node.op is RESHAPE and node.size != node.src[0].size:
            raise MalformedGraph(f"after {after}: reshape of {node.src[0].shape} to {node.shape}")
