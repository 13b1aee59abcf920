"""Modules whose forward is a graph.

In: a module (or a dict of attributes) and a graph. Out: `GraphModule`: its `code` is the graph as
Python text, its forward walks the graph's nodes.
"""
from __future__ import annotations

import copy
from typing import Any

from ..nn.modules.container import Sequential
from ..nn.modules.module import Module
from ..nn.parameter import Parameter
from ..tensor.tensor import Tensor
from .graph import Graph, PythonCode
from .node import Node, map_arg


def _copy_attr(from_module: Any, to_module: Module, target: str) -> None:
    """Give a module another's attribute, with the modules on its path."""
    *prefix, last = target.split(".")
    for item in prefix:
        inner = getattr(from_module, item, None)
        if inner is from_module:
            return
        if not hasattr(to_module, item):
            setattr(to_module, item, Module())
        from_module, to_module = inner, getattr(to_module, item)
    value = getattr(from_module, last)
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        to_module.register_buffer(last, value)
    else:
        setattr(to_module, last, value)


def _assign_attr(value: Any, to_module: Module, target: str) -> None:
    *prefix, last = target.split(".")
    for item in prefix:
        if not hasattr(to_module, item):
            setattr(to_module, item, Module())
        to_module = getattr(to_module, item)
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        to_module.register_buffer(last, value)
    else:
        setattr(to_module, last, value)


class GraphModule(Module):
    """A module that computes what its graph says."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # A class for each instance, as PyTorch has: programs patch `type(gm)`.
        for c in cls.__mro__:
            if c.__qualname__.split(".")[-1] not in ("GraphModuleImpl", "_lazy"):
                cls = c
                break
        made = type("GraphModuleImpl", (cls,), {"__module__": cls.__module__})
        return super().__new__(made)

    def __init__(self, root: Any, graph: Graph, class_name: str = "GraphModule") -> None:
        super().__init__()
        self.__class__.__name__ = class_name
        if isinstance(root, Module):
            if hasattr(root, "training"):
                self.training = root.training
            for node in graph.nodes:
                if node.op in ("get_attr", "call_module"):
                    _copy_attr(root, self, node.target)
        elif isinstance(root, dict):
            named = {n.target for n in graph.nodes if n.op in ("get_attr", "call_module")}
            for target in sorted(named, key=lambda t: t.count(".")):
                if target not in root:
                    raise RuntimeError(f"Node references target {target} but that target was not "
                                       "provided in ``root``!")
                _assign_attr(root[target], self, target)
        else:
            raise RuntimeError(f"Unsupported type {root} passed for root!")
        self.graph = graph
        self._tracer_cls = graph._tracer_cls
        self.meta: dict[str, Any] = dict(getattr(root, "meta", {}) or {})

    __jit_unused_properties__ = ["graph"]

    @property
    def graph(self) -> Graph:
        return self._graph

    @graph.setter
    def graph(self, g: Graph) -> None:
        if not isinstance(g, Graph):
            raise AssertionError(f"Expected a Graph instance, but got {type(g)}")
        self._graph = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self) -> str:
        return self._code

    def recompile(self) -> PythonCode:
        """Take up changes of the graph."""
        made = self._graph.python_code(root_module="self")
        self._code = made.src
        self._program = tuple(self._graph.nodes)
        return made

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The graph's result: its placeholders are the arguments."""
        env: dict[Node, Any] = {}
        given = list(args)
        for node in self._program:
            if node.op == "placeholder":
                env[node] = _argument(node, given, kwargs)
                continue
            a = map_arg(node.args, env.__getitem__)
            k = map_arg(node.kwargs, env.__getitem__)
            if node.op == "output":
                _check_all_used(given, kwargs)
                return a[0]
            env[node] = self._step(node, a, k)
        return None

    def _step(self, node: Node, args: Any, kwargs: Any) -> Any:
        if node.op == "call_function":
            return node.target(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], node.target)(*args[1:], **kwargs)
        found: Any = self
        for atom in node.target.split("."):
            found = getattr(found, atom)
        return found if node.op == "get_attr" else found(*args, **kwargs)

    def add_submodule(self, target: str, m: Module) -> bool:
        """Put a module at a dotted name; False if something else is on the path."""
        *prefix, last = target.split(".")
        holder: Module = self
        for item in prefix:
            inner = getattr(holder, item, None)
            if inner is None:
                inner = Module()
                setattr(holder, item, inner)
            if not isinstance(inner, Module):
                return False
            holder = inner
        holder.add_module(last, m)
        return True

    def delete_submodule(self, target: str) -> bool:
        *prefix, last = target.split(".")
        holder: Any = self
        for item in prefix:
            holder = getattr(holder, item, None)
            if not isinstance(holder, Module):
                return False
        if not isinstance(getattr(holder, last, None), Module):
            return False
        delattr(holder, last)
        return True

    def delete_all_unused_submodules(self) -> None:
        """Remove the modules that no node uses."""
        used: set[str] = set()
        for node in self._graph.nodes:
            if node.op in ("call_module", "get_attr"):
                parts = node.target.split(".")
                used.update(".".join(parts[:i]) for i in range(1, len(parts) + 1))
                if node.op == "call_module":
                    inner = self.get_submodule(node.target)
                    used.update(f"{node.target}.{n}" for n, _ in inner.named_modules() if n)
        for name, _ in list(self.named_modules()):
            if name and name not in used:
                self.delete_submodule(name)

    def print_readable(self, print_output: bool = True, *args: Any, **kwargs: Any) -> str:
        text = f"class {self.__class__.__name__}(torch.nn.Module):\n" + "\n".join(
            f"    {line}" for line in self._code.strip().splitlines())
        if print_output:
            print(text)
        return text

    def __deepcopy__(self, memo: Any) -> GraphModule:
        holder = Module()
        holder.training = self.training
        for name in ("_parameters", "_buffers", "_modules"):
            setattr(holder, name, copy.deepcopy(getattr(self, name), memo))
        made = GraphModule(holder, copy.deepcopy(self._graph), self.__class__.__name__)
        made.meta = dict(self.meta)
        return made

    def __copy__(self) -> GraphModule:
        return GraphModule(self, copy.deepcopy(self._graph), self.__class__.__name__)

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self._code}\n\n" \
            "# To see more debug info, please use `graph_module.print_readable()`"

    def __reduce__(self) -> Any:
        state = {k: v for k, v in self.__dict__.items() if k not in ("_graph", "_program")}
        return _rebuild, (state, _portable(self._graph), self.__class__.__name__)


def _portable(graph: Graph) -> list[tuple[Any, ...]]:
    """A graph as a list that pickles: nodes by their names."""
    def named(a: Any) -> Any:
        return map_arg(a, lambda n: _Ref(n.name))

    return [(n.op, n.target, named(n.args), named(n.kwargs), n.name, n.type) for n in graph.nodes]


class _Ref(str):
    """The name of a node in a pickled graph."""

    __slots__ = ()


def _rebuild(state: dict[str, Any], rows: list[tuple[Any, ...]], name: str) -> GraphModule:
    from .node import map_aggregate

    graph = Graph()
    nodes: dict[str, Node] = {}

    def unnamed(a: Any) -> Any:
        return map_aggregate(a, lambda x: nodes[x] if isinstance(x, _Ref) else x)

    for op, target, args, kwargs, node_name, kind in rows:
        nodes[node_name] = graph.create_node(op, target, unnamed(args), unnamed(kwargs), node_name,
                                             kind)
    holder = Module()
    holder.__dict__.update(state)
    return GraphModule(holder, graph, name)


_MISSING = object()


def _argument(node: Node, given: list[Any], kwargs: dict[str, Any]) -> Any:
    """The value of a placeholder, taken from the call's arguments."""
    name = node.target
    if name.startswith("**"):
        rest = dict(kwargs)
        kwargs.clear()
        return rest
    if name.startswith("*"):
        rest_ = list(given)
        given.clear()
        return rest_
    if given:
        return given.pop(0)
    if name in kwargs:
        return kwargs.pop(name)
    if node.args:
        return node.args[0]
    raise TypeError(f"forward() missing 1 required positional argument: '{name}'")


def _check_all_used(given: list[Any], kwargs: dict[str, Any]) -> None:
    if given:
        raise TypeError(f"forward() takes {len(given)} positional arguments less than given")
    if kwargs:
        raise TypeError("forward() got an unexpected keyword argument "
                        f"'{next(iter(kwargs))}'")


__all__ = ["GraphModule", "Sequential"]
