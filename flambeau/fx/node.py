"""Nodes of a traced program and the containers that hold them as arguments.

In: operators, targets, arguments. Out: `Node`, an entry of a `Graph` that knows who uses it.

    %add : [num_users=1] = call_function[target=operator.add](args = (%x, 1), kwargs = {})
"""
from __future__ import annotations

import builtins
import operator
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph import Graph

Argument = Any
Target = Callable[..., Any] | str
BASE_ARGUMENT_TYPES = (str, int, float, bool, complex, type(None))
OPS = ("placeholder", "get_attr", "call_function", "call_method", "call_module", "output", "root")
_side_effects: set[Any] = set()


def has_side_effect(fn: Any) -> Any:
    """Mark a function so that `eliminate_dead_code` keeps calls of it."""
    _side_effects.add(fn)
    return fn


def map_aggregate(a: Any, fn: Callable[[Any], Any]) -> Any:
    """`a` with `fn` applied to everything in its tuples, lists, dicts and slices."""
    if isinstance(a, tuple):
        items = [map_aggregate(x, fn) for x in a]
        return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
    if isinstance(a, list):
        return [map_aggregate(x, fn) for x in a]
    if isinstance(a, dict):
        return {k: map_aggregate(v, fn) for k, v in a.items()}
    if isinstance(a, slice):
        return slice(map_aggregate(a.start, fn), map_aggregate(a.stop, fn),
                     map_aggregate(a.step, fn))
    return fn(a)


def map_arg(a: Any, fn: Callable[[Node], Any]) -> Any:
    """`a` with `fn` applied to the nodes in it."""
    if not callable(fn):
        raise AssertionError("torch.fx.map_arg(a, fn): fn must be a callable")
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def type_repr(obj: Any) -> str:
    if isinstance(obj, type) and not isinstance(obj, types.GenericAlias):
        if obj.__module__ == "builtins":
            return obj.__qualname__
        return f"{obj.__module__}.{obj.__qualname__}"
    if obj is ...:
        return "..."
    return obj.__name__ if isinstance(obj, types.FunctionType) else repr(obj)


def module_of(func: Any) -> str:
    """The module whose attribute a function is, under PyTorch's name."""
    from . import names

    return names.module_of(func)


def qualified_name(func: Any) -> str:
    """`torch.relu`, `operator.add`, `builtins.getattr`."""
    name = getattr(func, "__name__", None)
    if name is None:
        return repr(func)
    if getattr(builtins, name, None) is func:
        return f"builtins.{name}"
    if getattr(operator, name, None) is func:
        return f"operator.{name}"
    return f"{module_of(func)}.{name}"


class Node:
    """One operation of a graph: `op`, what it applies (`target`), to what (`args`, `kwargs`)."""

    def __init__(self, graph: Graph, name: str, op: str, target: Any, args: tuple[Any, ...],
                 kwargs: dict[str, Any], return_type: Any = None) -> None:
        if op not in OPS:
            raise AssertionError(f"unknown opcode {op}")
        if op == "call_function" and not callable(target):
            raise ValueError(f"Node [graph = {graph}, name = '{name}'] target {target} has type "
                             f"{type(target)} but a Callable is expected")
        if op not in ("call_function", "root") and not isinstance(target, str):
            raise ValueError(f"Node [graph = {graph}, name = '{name}'] target {target} has type "
                             f"{type(target)} but a str is expected")
        self.graph = graph
        self.name = name
        self.op = op
        self.target = target
        self.users: dict[Node, None] = {}
        self._input_nodes: dict[Node, None] = {}
        self.type = return_type
        self.meta: dict[str, Any] = {}
        self._erased = False
        self._prev: Node = self
        self._next: Node = self
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}
        self._set(args, kwargs)

    def _set(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for old in self._input_nodes:
            old.users.pop(self, None)
        self._args, self._kwargs = args, kwargs
        self._input_nodes = {}
        map_arg((args, kwargs), lambda n: self._input_nodes.setdefault(n))
        for node in self._input_nodes:
            node.users.setdefault(self)

    @property
    def args(self) -> tuple[Any, ...]:
        return self._args

    @args.setter
    def args(self, a: tuple[Any, ...]) -> None:
        self._set(tuple(a), self._kwargs)

    @property
    def kwargs(self) -> dict[str, Any]:
        return self._kwargs

    @kwargs.setter
    def kwargs(self, k: dict[str, Any]) -> None:
        self._set(self._args, dict(k))

    @property
    def all_input_nodes(self) -> list[Node]:
        return list(self._input_nodes)

    @property
    def next(self) -> Node:
        return self._next

    @property
    def prev(self) -> Node:
        return self._prev

    @property
    def stack_trace(self) -> str | None:
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace: str | None) -> None:
        self.meta["stack_trace"] = trace

    def _remove(self) -> None:
        self._prev._next, self._next._prev = self._next, self._prev

    def prepend(self, x: Node) -> None:
        """Put `x` before this node."""
        if x is self:
            return
        x._remove()
        p = self._prev
        p._next, x._prev = x, p
        x._next, self._prev = self, x

    def append(self, x: Node) -> None:
        """Put `x` after this node."""
        self._next.prepend(x)

    def update_arg(self, idx: int, arg: Any) -> None:
        args = list(self.args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx: int, arg: Any) -> None:
        args = list(self.args)
        args.insert(idx, arg)
        self.args = tuple(args)

    def update_kwarg(self, key: str, arg: Any) -> None:
        self.kwargs = {**self.kwargs, key: arg}

    def replace_input_with(self, old_input: Node, new_input: Any) -> None:
        def swap(n: Node) -> Any:
            return new_input if n is old_input else n

        self._set(map_arg(self.args, swap), map_arg(self.kwargs, swap))

    def replace_all_uses_with(self, replace_with: Node,
                              delete_user_cb: Callable[[Node], bool] = lambda user: True, *,
                              propagate_meta: bool = False) -> list[Node]:
        """Make the users of this node use another; the users."""
        if propagate_meta:
            replace_with.meta.update(self.meta)
        changed = [user for user in list(self.users) if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    def is_impure(self, impure_random: bool = True) -> bool:
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_function":
            return self.target in _side_effects
        if self.op == "call_module":
            module = self.graph.owning_module
            target = module.get_submodule(self.target) if module is not None else None
            return getattr(target, "_is_impure", False)
        return False

    def _pretty_print_target(self, target: Any) -> str:
        return target if isinstance(target, str) else qualified_name(target)

    def format_node(self, *args: Any, **kwargs: Any) -> str | None:
        if self.op == "placeholder":
            default = "" if not self._args else f"(default={self._args[0]})"
            return (f"%{self.name} : [num_users={len(self.users)}] = {self.op}[target="
                    f"{self.target}]{default}")
        if self.op == "output":
            return f"return {self.args[0]}"
        call = "" if self.op == "get_attr" else f"(args = {_show(self.args)}, kwargs = " \
            f"{_show(self.kwargs)})"
        return (f"%{self.name} : [num_users={len(self.users)}] = {self.op}[target="
                f"{self._pretty_print_target(self.target)}]{call}")

    def __repr__(self) -> str:
        return self.name


class _Shown(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _show(a: Any) -> str:
    """Arguments as a graph's text has them: nodes with a %, texts and keys bare."""
    if isinstance(a, Node):
        return f"%{a.name}"
    if isinstance(a, tuple):
        return f"({', '.join(map(_show, a))}{',' if len(a) == 1 else ''})"
    if isinstance(a, list):
        return f"[{', '.join(map(_show, a))}]"
    if isinstance(a, dict):
        return "{" + ", ".join(f"{k}: {_show(v)}" for k, v in a.items()) + "}"
    return str(a)
