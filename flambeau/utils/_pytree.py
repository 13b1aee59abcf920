"""`torch.utils._pytree`: containers as trees; they are in `core.pytree`, for all to use."""
from __future__ import annotations

from ..core.pytree import (
    SERIALIZED_TYPES, SUPPORTED_NODES, Context, FlattenFunc, GetAttrKey, LeafSpec, MappingKey,
    NodeDef, PyTree, SequenceKey, TreeSpec, UnflattenFunc, _broadcast_to_and_flatten,
    _get_node_type, _is_leaf, _is_namedtuple_instance, _register_pytree_node, arg_tree_leaves,
    is_namedtuple, is_namedtuple_class, key_get, keystr, map_only, register_dataclass,
    register_pytree_node, tree_all, tree_all_only, tree_any, tree_any_only, tree_flatten,
    tree_flatten_with_path, tree_is_leaf, tree_iter, tree_leaves, tree_leaves_with_path, tree_map,
    tree_map_, tree_map_only, tree_map_only_, tree_map_with_path, tree_structure, tree_unflatten,
)

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
