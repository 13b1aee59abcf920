"""Symbolic tracing: runs a program on proxies to learn its graph.

In: a function or a module. Out: a `GraphModule`; `Tracer` decides which modules stay whole.
"""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..nn.modules.container import Sequential
from ..nn.modules.module import Module
from ..nn.parameter import Parameter
from ..tensor.tensor import Tensor
from .graph import Graph
from .graph_module import GraphModule
from .node import map_aggregate
from .proxy import ParameterProxy, Proxy, TracerBase

_wrapped_fns_to_patch: dict[tuple[int, str], dict[str, Any]] = {}
_wrapped_methods_to_patch: list[tuple[type, str]] = []
_tracing: list[Tracer] = []
_PACKAGE = __name__.partition(".")[0]


def is_fx_tracing() -> bool:
    return bool(_tracing)


def is_fx_symbolic_tracing() -> bool:
    return bool(_tracing)


class PHBase:
    """Stands for an argument of `concrete_args` that stays a placeholder."""

    def __repr__(self) -> str:
        return "PH"


PH = PHBase()


class Tracer(TracerBase):
    """Traces a program into a graph."""

    def __init__(self, autowrap_modules: tuple[Any, ...] = (),
                 autowrap_functions: tuple[Callable[..., Any], ...] = (),
                 param_shapes_constant: bool = False) -> None:
        super().__init__()
        self.autowrap_functions = autowrap_functions
        self.param_shapes_constant = param_shapes_constant
        self.root: Any = Module()
        self.tensor_attrs: dict[Any, str] = {}
        self.module_stack: list[str] = []

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        """Whether calls of a module stay one node: those of torch.nn do."""
        head = m.__module__.split(".")
        return (head[0] in ("torch", _PACKAGE) and head[1:2] in (["nn"], ["ao"])
                and not isinstance(m, Sequential))

    def path_of_module(self, mod: Module) -> str:
        for name, inner in self.root.named_modules():
            if inner is mod:
                return name
        raise NameError("module is not installed as a submodule")

    def call_module(self, m: Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """A module's call: a node, or what its forward does."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        self.module_stack.append(path)
        try:
            return forward(*args, **kwargs)
        finally:
            self.module_stack.pop()

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """A parameter or buffer as a proxy."""
        if isinstance(attr_val, Parameter) or (
                self.proxy_buffer_attributes and isinstance(attr_val, Tensor)):
            name = self._attributes().get(id(attr_val))
            if name is not None:
                if name not in parameter_proxy_cache:
                    parameter_proxy_cache[name] = self._parameter(name, attr_val)
                return parameter_proxy_cache[name]
        return attr_val

    def _parameter(self, name: str, value: Any) -> Any:
        if not self.param_shapes_constant:
            return self.create_proxy("get_attr", name, (), {})
        return self.create_proxy("get_attr", name, (), {}, proxy_factory_fn=lambda node:
                                 ParameterProxy(self, node, name, value))

    def _attributes(self) -> dict[int, str]:
        """Names of the root's tensors by identity."""
        found: dict[int, str] = {}
        for prefix, module in self.root.named_modules():
            tensors = {**module._parameters, **module._buffers,
                       **{k: v for k, v in vars(module).items() if isinstance(v, Tensor)}}
            for name, value in tensors.items():
                if value is not None:
                    found.setdefault(id(value), f"{prefix}.{name}" if prefix else name)
        return found

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, Tensor):
            name = self._attributes().get(id(a))
            if name is None:
                count = 0
                while hasattr(self.root, f"_tensor_constant{count}"):
                    count += 1
                name = f"_tensor_constant{count}"
                setattr(self.root, name, a)
            return self.create_node("get_attr", name, (), {})
        if isinstance(a, Module):
            for name, inner in self.root.named_modules():
                if inner is a:
                    return self.create_node("get_attr", name, (), {})
        return super().create_arg(a)

    def create_args_for_root(self, root_fn: Any, is_module: bool,
                             concrete_args: Any = None) -> tuple[Any, list[Any], dict[str, Any]]:
        """Placeholders for the arguments of the traced function."""
        parameters = list(inspect.signature(root_fn).parameters.values())
        args: list[Any] = [self.root] if is_module else []
        kwargs: dict[str, Any] = {}
        concrete = dict(concrete_args or {}) if not isinstance(concrete_args, tuple) else \
            {p.name: c for p, c in zip(parameters[int(is_module):], concrete_args)}
        star, double, only = [], {}, None
        for p in parameters[int(is_module):]:
            if p.kind is p.VAR_POSITIONAL:
                star = [self._placeholder("*" + p.name, ...)]
                only = star[0]
            elif p.kind is p.VAR_KEYWORD:
                double = {"**": self._placeholder("**" + p.name, ...)}
            elif p.name in concrete and concrete[p.name] is not PH:
                (kwargs.__setitem__(p.name, concrete[p.name]) if p.kind is p.KEYWORD_ONLY
                 else args.append(concrete[p.name]))
            else:
                made = self._placeholder(p.name, ... if p.default is p.empty else p.default)
                if p.kind is p.KEYWORD_ONLY:
                    kwargs[p.name] = made
                else:
                    args.append(made)
        if only is None and not double:
            return root_fn, args, kwargs
        return _spread(root_fn, len(args), bool(star), bool(double)), \
            [*args, *star, *double.values()], kwargs

    def _placeholder(self, name: str, default: Any) -> Proxy:
        args = () if default is ... else (default,)
        return self.create_proxy("placeholder", name, args, {})

    def trace(self, root: Any, concrete_args: Any = None) -> Graph:
        """The graph of a module's forward, or of a function."""
        is_module = isinstance(root, Module)
        self.root = root if is_module else Module()
        fn = type(root).forward if is_module else root
        self.root_module_name = type(root).__name__ if is_module else ""
        self.graph = Graph(tracer_cls=type(self))
        fn, args, kwargs = self.create_args_for_root(fn, is_module, concrete_args)
        with _patched(self):
            result = fn(*args, **kwargs)
            self.create_node("output", "output", (self.create_arg(result),), {})
        return self.graph


def _spread(fn: Any, plain: int, star: bool, double: bool) -> Callable[..., Any]:
    """`fn` called with a proxy where PyTorch has *args or **kwargs: they are taken whole."""
    code = fn.__code__

    def call(*args: Any, **kwargs: Any) -> Any:
        import types

        bare = code.replace(co_flags=code.co_flags & ~(0x04 | 0x08),
                            co_argcount=code.co_argcount + star + double,
                            co_kwonlyargcount=0) if not code.co_kwonlyargcount else None
        if bare is None:
            raise NotImplementedError("*args beside keyword-only arguments cannot be traced")
        made = types.FunctionType(bare, fn.__globals__, fn.__name__, None, fn.__closure__)
        return made(*args, **kwargs)

    return call


@contextmanager
def _patched(tracer: Tracer) -> Iterator[None]:
    """Module calls, attributes and wrapped functions ask the tracer meanwhile."""
    call, get = Module.__call__, Module.__getattr__
    cache: dict[str, Any] = {}

    def module_call(mod: Module, *args: Any, **kwargs: Any) -> Any:
        def forward(*a: Any, **k: Any) -> Any:
            return call(mod, *a, **k)

        return tracer.call_module(mod, forward, args, kwargs)

    def module_getattr(mod: Module, attr: str) -> Any:
        return tracer.getattr(attr, get(mod, attr), cache)

    undo: list[tuple[Any, str, Any]] = []
    _tracing.append(tracer)
    Module.__call__ = module_call  # type: ignore[method-assign]
    Module.__getattr__ = module_getattr  # type: ignore[method-assign]
    try:
        _patch_wrapped(undo)
        yield
    finally:
        for scope, name, before in reversed(undo):
            if isinstance(scope, dict):
                scope[name] = before
            else:
                setattr(scope, name, before)
        Module.__call__ = call  # type: ignore[method-assign]
        Module.__getattr__ = get  # type: ignore[method-assign]
        _tracing.pop()


def _patch_wrapped(undo: list[tuple[Any, str, Any]]) -> None:
    import builtins
    import math

    for (_, name), scope in _wrapped_fns_to_patch.items():
        before = scope.get(name, getattr(builtins, name, None))
        undo.append((scope, name, before))
        scope[name] = _recorded(before)
    for name, fn in list(vars(math).items()):
        if not name.startswith("_") and callable(fn):
            undo.append((math, name, fn))
            setattr(math, name, _recorded(fn))
    for cls, name in _wrapped_methods_to_patch:
        before = getattr(cls, name)
        undo.append((cls, name, before))
        setattr(cls, name, _recorded(before))


def _recorded(fn: Any) -> Callable[..., Any]:
    """`fn`, but a node where a proxy is among its arguments."""
    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        found: list[Proxy] = []
        map_aggregate((args, kwargs), lambda x: found.append(x) if isinstance(x, Proxy) else None)
        if found:
            return found[0].tracer.create_proxy("call_function", fn, args, kwargs)
        return fn(*args, **kwargs)

    return call


def wrap(fn_or_name: Any) -> Any:
    """Let calls of a function of this module stay one node; at module level, or as a decorator."""
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError("Unsupported type for global function! Must be either a callable or "
                           "string name")
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    if caller is None or caller.f_code.co_name != "<module>":
        raise NotImplementedError("wrap must be called at the top level of a module")
    _wrapped_fns_to_patch[(id(caller.f_globals), name)] = caller.f_globals
    return fn_or_name


def symbolic_trace(root: Any, concrete_args: Any = None) -> GraphModule:
    """The program as a module whose forward is a graph."""
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = root.__class__.__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)


__all__ = ["PH", "Tracer", "is_fx_symbolic_tracing", "is_fx_tracing", "symbolic_trace", "wrap"]
