"""Containers as trees, taken apart and put together (torch.utils._pytree).

In: nested lists, tuples, dicts, named tuples, and what was registered. Out: leaves and `TreeSpec`.

    tree_flatten({"a": 1, "b": [2, 3]})   ->   [1, 2, 3], TreeSpec(dict, ["a", "b"], [*, TreeSpec(list, ...)])
"""  # noqa: E501
from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

PyTree = Any
Context = Any
FlattenFunc = Callable[[Any], tuple[list[Any], Any]]
UnflattenFunc = Callable[[Iterable[Any], Any], Any]


@dataclass(frozen=True)
class NodeDef:
    """How one type of container is taken apart and put together."""

    type: type
    flatten_fn: FlattenFunc
    unflatten_fn: UnflattenFunc
    flatten_with_keys_fn: Any = None


@dataclass(frozen=True)
class SequenceKey:
    """The place of a child in a sequence."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        return sequence[self.idx]


@dataclass(frozen=True)
class MappingKey:
    """The place of a child in a mapping."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        return mapping[self.key]


@dataclass(frozen=True)
class GetAttrKey:
    """The place of a child that is an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        return getattr(obj, self.name)


SUPPORTED_NODES: dict[type, NodeDef] = {}
SERIALIZED_TYPES: dict[str, type] = {}


def register_pytree_node(cls: type, flatten_fn: FlattenFunc, unflatten_fn: UnflattenFunc, *,
                         serialized_type_name: str | None = None, to_dumpable_context: Any = None,
                         from_dumpable_context: Any = None, flatten_with_keys_fn: Any = None,
                         ) -> None:
    """Treat instances of a class as containers."""
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)
    if serialized_type_name is not None:
        SERIALIZED_TYPES[serialized_type_name] = cls


_register_pytree_node = register_pytree_node


def register_dataclass(cls: type, *, field_names: list[str] | None = None,
                       drop_field_names: list[str] | None = None,
                       serialized_type_name: str | None = None) -> None:
    """Treat a dataclass as a container of its fields."""
    import dataclasses
    names = field_names or [f.name for f in dataclasses.fields(cls) if f.init]
    names = [n for n in names if n not in (drop_field_names or ())]
    register_pytree_node(cls, lambda x: ([getattr(x, n) for n in names], None),
                         lambda values, _: cls(**dict(zip(names, values))),
                         serialized_type_name=serialized_type_name)


def _dict_node(make: Callable[[Any, list[Any], Any], Any], keep: Callable[[Any], Any] | None = None,
               ) -> tuple[FlattenFunc, UnflattenFunc]:
    def flatten(d: Any) -> tuple[list[Any], Any]:
        keys = list(d.keys())
        return list(d.values()), keys if keep is None else [keep(d), keys]

    return flatten, lambda values, context: make(context, list(values), None)


register_pytree_node(tuple, lambda x: (list(x), None), lambda values, _: tuple(values))
register_pytree_node(list, lambda x: (list(x), None), lambda values, _: list(values))
register_pytree_node(dict, *_dict_node(lambda keys, values, _: dict(zip(keys, values))))
register_pytree_node(OrderedDict, *_dict_node(lambda keys, values, _: OrderedDict(
    zip(keys, values))))
register_pytree_node(defaultdict, *_dict_node(lambda c, values, _: defaultdict(
    c[0], zip(c[1], values)), lambda d: d.default_factory))
register_pytree_node(deque, lambda x: (list(x), x.maxlen),
                     lambda values, maxlen: deque(values, maxlen=maxlen))
_NAMED = namedtuple("_NAMED", ())
register_pytree_node(_NAMED, lambda x: (list(x), type(x)), lambda values, cls: cls(*values))


def is_namedtuple(obj: Any) -> bool:
    """Whether an object is of a namedtuple class."""
    cls = obj if isinstance(obj, type) else type(obj)
    return issubclass(cls, tuple) and hasattr(cls, "_fields") and hasattr(cls, "_make")


is_namedtuple_class = is_namedtuple
_is_namedtuple_instance = is_namedtuple


def _node(tree: Any) -> NodeDef | None:
    """How a tree's root is taken apart; None for a leaf."""
    found = SUPPORTED_NODES.get(type(tree))
    if found is None and is_namedtuple(tree):
        return SUPPORTED_NODES[_NAMED]
    return found


def _get_node_type(tree: Any) -> type:
    if is_namedtuple(tree) and type(tree) not in SUPPORTED_NODES:
        return namedtuple  # type: ignore[return-value]
    return type(tree)


def tree_is_leaf(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether a tree has nothing inside."""
    return is_leaf is not None and is_leaf(tree) or _node(tree) is None


_is_leaf = tree_is_leaf


@dataclass(frozen=True)
class TreeSpec:
    """The structure of a tree without its leaves."""

    type: Any
    context: Any
    children_specs: list[TreeSpec] = field(default_factory=list)

    @property
    def num_leaves(self) -> int:
        return 1 if self.is_leaf() else sum(c.num_leaves for c in self.children_specs)

    @property
    def num_children(self) -> int:
        return len(self.children_specs)

    @property
    def num_nodes(self) -> int:
        return 1 + sum(c.num_nodes for c in self.children_specs)

    def is_leaf(self) -> bool:
        return self.type is None

    def children(self) -> list[TreeSpec]:
        return list(self.children_specs)

    def child(self, index: int) -> TreeSpec:
        return self.children_specs[index]

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        return tree_unflatten(leaves, self)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The subtrees of `tree` where this structure has leaves."""
        if self.is_leaf():
            return [tree]
        node = _node(tree)
        if node is None:
            raise ValueError(f"Type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        children, _ = node.flatten_fn(tree)
        if len(children) != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got "
                             f"{len(children)}.")
        return [x for c, s in zip(children, self.children_specs) for x in s.flatten_up_to(c)]

    def __hash__(self) -> int:
        return hash((self.type, str(self.context), tuple(self.children_specs)))

    def __repr__(self) -> str:
        if self.is_leaf():
            return "*"
        inner = ", ".join(map(repr, self.children_specs))
        return f"TreeSpec({getattr(self.type, '__name__', self.type)}, {self.context}, [{inner}])"


class LeafSpec(TreeSpec):
    """The structure of a leaf."""

    def __init__(self) -> None:
        super().__init__(None, None, [])

    def __repr__(self) -> str:
        return "*"


_LEAF = TreeSpec(None, None, [])


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None,
                 ) -> tuple[list[Any], TreeSpec]:
    """The leaves from left to right, and the structure."""
    leaves: list[Any] = []

    def walk(t: Any) -> TreeSpec:
        node = None if is_leaf is not None and is_leaf(t) else _node(t)
        if node is None:
            leaves.append(t)
            return _LEAF
        children, context = node.flatten_fn(t)
        return TreeSpec(_get_node_type(t), context, [walk(c) for c in children])

    spec = walk(tree)
    return leaves, spec


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The tree of these leaves."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError("tree_unflatten(leaves, treespec): Expected `treespec` to be instance of "
                        f"TreeSpec but got item of type {type(treespec)}.")
    given = list(leaves)
    if len(given) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten(leaves, treespec): `leaves` has length {len(given)} but "
                         f"the spec refers to a pytree that holds {treespec.num_leaves} items "
                         f"({treespec}).")
    source = iter(given)

    def build(spec: TreeSpec) -> Any:
        if spec.is_leaf():
            return next(source)
        cls = _NAMED if spec.type is namedtuple else spec.type
        return SUPPORTED_NODES[cls].unflatten_fn([build(c) for c in spec.children_specs],
                                                 spec.context)

    return build(treespec)


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterator[Any]:
    """The leaves of a tree, one by one."""
    yield from tree_flatten(tree, is_leaf)[0]


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The shape of a tree, without its leaves."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any,
             is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree with `func` of its leaves (and of those in the same places of `rests`)."""
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves, *(spec.flatten_up_to(r) for r in rests)]
    return spec.unflatten([func(*row) for row in zip(*columns)])


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any,
              is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Call `func` on the leaves; the tree itself comes back."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def _matching(kinds: Any) -> Callable[[Any], bool]:
    if isinstance(kinds, (type, tuple)) or hasattr(kinds, "__args__"):
        return lambda x: isinstance(x, kinds)
    return kinds


def map_only(type_or_types_or_pred: Any, /) -> Callable[[Any], Any]:
    """A decorator: apply a function only to leaves of these types."""
    fits = _matching(type_or_types_or_pred)

    def wrap(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: func(x) if fits(x) else x

    return wrap


def tree_map_only(type_or_types_or_pred: Any, /, func: Callable[[Any], Any], tree: Any,
                  is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """A tree with `func` applied to leaves of some types alone."""
    return tree_map(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_map_only_(type_or_types_or_pred: Any, /, func: Callable[[Any], Any], tree: Any,
                   is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Apply `func` to leaves of some types for its effect; the tree itself comes back."""
    return tree_map_(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any,
             is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether `pred` holds for every leaf."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any,
             is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether `pred` holds for some leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(type_or_types: Any, /, pred: Callable[[Any], bool], tree: Any,
                  is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether `pred` holds for every leaf of some types."""
    fits = _matching(type_or_types)
    return all(pred(x) for x in tree_iter(tree, is_leaf) if fits(x))


def tree_any_only(type_or_types: Any, /, pred: Callable[[Any], bool], tree: Any,
                  is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether `pred` holds for some leaf of some types."""
    fits = _matching(type_or_types)
    return any(pred(x) for x in tree_iter(tree, is_leaf) if fits(x))


def _broadcast_to_and_flatten(tree: Any, treespec: TreeSpec,
                              is_leaf: Callable[[Any], bool] | None = None) -> list[Any] | None:
    """Leaves of `tree` repeated so that there is one for each leaf of the structure, or None."""
    if tree_is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    if treespec.is_leaf() or _get_node_type(tree) is not treespec.type:
        return None
    node = _node(tree)
    children, context = node.flatten_fn(tree)  # type: ignore[union-attr]
    if len(children) != treespec.num_children or context != treespec.context:
        return None
    found: list[Any] = []
    for child, spec in zip(children, treespec.children_specs):
        part = _broadcast_to_and_flatten(child, spec, is_leaf)
        if part is None:
            return None
        found += part
    return found


# ---------------------------------------------------------------- with paths


def _keys(tree: Any, context: Any, n: int) -> list[Any]:
    if is_namedtuple(tree):
        return [GetAttrKey(name) for name in tree._fields]
    if isinstance(tree, dict):
        return [MappingKey(k) for k in tree]
    return [SequenceKey(i) for i in range(n)]


def tree_flatten_with_path(tree: Any, is_leaf: Callable[[Any], bool] | None = None,
                           ) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """As tree_flatten, each leaf with the keys that lead to it."""
    found: list[tuple[tuple[Any, ...], Any]] = []

    def walk(t: Any, path: tuple[Any, ...]) -> None:
        node = None if is_leaf is not None and is_leaf(t) else _node(t)
        if node is None:
            found.append((path, t))
            return
        children, context = node.flatten_fn(t)
        keys = _keys(t, context, len(children))
        if node.flatten_with_keys_fn is not None:
            keys = [k for k, _ in node.flatten_with_keys_fn(t)[0]]
        for key, child in zip(keys, children):
            walk(child, (*path, key))

    walk(tree, ())
    return found, tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: Any, is_leaf: Callable[[Any], bool] | None = None,
                          ) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) of every leaf."""
    return tree_flatten_with_path(tree, is_leaf)[0]


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any,
                       is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """A tree of func(path, leaf, ...) for every leaf."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    columns = [[p for p, _ in pairs], [x for _, x in pairs],
               *(spec.flatten_up_to(r) for r in rests)]
    return spec.unflatten([func(*row) for row in zip(*columns)])


def keystr(kp: tuple[Any, ...]) -> str:
    """A path as the text of a subscript: "['a'][0].b"."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: tuple[Any, ...]) -> Any:
    """What stands at a path of an object."""
    for key in kp:
        obj = key.get(obj)
    return obj


def arg_tree_leaves(*args: Any, **kwargs: Any) -> list[Any]:
    """The leaves of all arguments."""
    return [x for a in (*args, *kwargs.values()) for x in tree_leaves(a)]
