"""Flattening rules by which fx takes a program's arguments apart."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.pytree import LeafSpec, PyTree, TreeSpec

FlattenFuncSpec = Callable[[PyTree, TreeSpec], list[Any]]
FlattenFuncExactMatchSpec = Callable[[PyTree, TreeSpec], bool]
SUPPORTED_NODES: dict[type, FlattenFuncSpec] = {}
SUPPORTED_NODES_EXACT_MATCH: dict[type, FlattenFuncExactMatchSpec | None] = {}


def register_pytree_flatten_spec(cls: type, flatten_fn_spec: FlattenFuncSpec,
                                 flatten_fn_exact_match_spec: Any = None) -> None:
    """How a value of `cls` comes apart as a spec says."""
    SUPPORTED_NODES[cls] = flatten_fn_spec
    SUPPORTED_NODES_EXACT_MATCH[cls] = flatten_fn_exact_match_spec


def tree_flatten_spec(pytree: PyTree, spec: TreeSpec) -> list[Any]:
    """The leaves of a tree, in a spec's order."""
    if isinstance(spec, LeafSpec):
        return [pytree]
    parts = SUPPORTED_NODES[spec.type](pytree, spec)
    return [leaf for part, inner in zip(parts, spec.children_specs)
            for leaf in tree_flatten_spec(part, inner)]


register_pytree_flatten_spec(dict, lambda d, spec: [d[k] for k in spec.context])
register_pytree_flatten_spec(list, lambda x, spec: [x[i] for i in range(spec.num_children)])
register_pytree_flatten_spec(tuple, lambda x, spec: [x[i] for i in range(spec.num_children)])
