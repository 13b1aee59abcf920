"""`torch.utils._pytree`: containers as trees; they are in `core.pytree`, for all to use."""
from __future__ import annotations

from typing import Any

from ..core.pytree import (
    SERIALIZED_TYPES, SUPPORTED_NODES, Context, FlattenFunc, GetAttrKey, LeafSpec, MappingKey,
    NodeDef, PyTree, SequenceKey, TreeSpec, UnflattenFunc, _broadcast_to_and_flatten,
    _get_node_type, _is_leaf, _is_namedtuple_instance, _register_pytree_node, arg_tree_leaves,
    is_namedtuple, is_namedtuple_class, key_get, keystr, map_only, register_dataclass,
    register_pytree_node, tree_all, tree_all_only, tree_any, tree_any_only, tree_flatten,
    tree_flatten_with_path, tree_is_leaf, tree_iter, tree_leaves, tree_leaves_with_path, tree_map,
    tree_map_, tree_map_only, tree_map_only_, tree_map_with_path, tree_structure, tree_unflatten,
)



def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(d.values()), list(d)


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return [(MappingKey(k), v) for k, v in d.items()], list(d)


def _dict_unflatten(values: Any, context: list[Any]) -> dict[Any, Any]:
    return dict(zip(context, values))


def _list_flatten(d: list[Any]) -> tuple[list[Any], None]:
    return d, None


def _list_unflatten(values: Any, context: None) -> list[Any]:
    return list(values)


def _tuple_flatten(d: tuple[Any, ...]) -> tuple[list[Any], None]:
    return list(d), None


def _tuple_unflatten(values: Any, context: None) -> tuple[Any, ...]:
    return tuple(values)


__all__ = [
    "SERIALIZED_TYPES", "SUPPORTED_NODES", "Context", "FlattenFunc", "GetAttrKey", "LeafSpec",
    "MappingKey", "NodeDef", "PyTree", "SequenceKey", "TreeSpec", "UnflattenFunc",
    "_broadcast_to_and_flatten", "_get_node_type", "_is_leaf", "_is_namedtuple_instance",
    "_register_pytree_node", "arg_tree_leaves", "is_namedtuple", "is_namedtuple_class", "key_get",
    "keystr", "map_only", "register_dataclass", "register_pytree_node", "tree_all",
    "tree_all_only", "tree_any", "tree_any_only", "tree_flatten", "tree_flatten_with_path",
    "tree_is_leaf", "tree_iter", "tree_leaves", "tree_leaves_with_path", "tree_map", "tree_map_",
    "tree_map_only", "tree_map_only_", "tree_map_with_path", "tree_structure", "tree_unflatten",
]
