"""Proxies: values that note what is done with them.

In: nodes of a graph and the tracer that fills it. Out: `Proxy`, whose operators, methods and
arguments of PyTorch's functions become nodes.
"""
from __future__ import annotations

import enum
import inspect
import operator
from collections.abc import Callable, Iterator
from typing import Any

from ..tensor.tensor import Tensor
from .graph import Graph
from .node import BASE_ARGUMENT_TYPES, Node, map_aggregate

_OPERATORS = ("add", "sub", "mul", "floordiv", "truediv", "div", "mod", "pow", "lshift", "rshift",
              "and_", "or_", "xor", "getitem", "matmul", "eq", "ne", "lt", "gt", "le", "ge", "pos",
              "neg", "invert", "abs")
_REFLECTED = ("add", "sub", "mul", "floordiv", "truediv", "mod", "pow", "lshift", "rshift", "and_",
              "or_", "xor", "matmul")
_CONSTANTS = (*BASE_ARGUMENT_TYPES, enum.Enum, type(Ellipsis), range)


class TraceError(ValueError):
    """The program asks something of a proxy that only a value can answer."""


class TracerBase:
    """Makes nodes out of calls."""

    graph: Graph
    record_stack_traces: bool = False
    check_mutable_operations: bool = False
    trace_asserts: bool = False
    proxy_buffer_attributes: bool = False

    def create_node(self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
                    name: str | None = None, type_expr: Any = None) -> Node:
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node: Node) -> Proxy:
        return Proxy(node, self)

    def create_proxy(self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
                     name: str | None = None, type_expr: Any = None,
                     proxy_factory_fn: Callable[[Node], Proxy] | None = None) -> Proxy:
        """A node for a call, and the proxy of its result."""
        node = self.create_node(kind, target, self.create_arg(args), self.create_arg(kwargs), name,
                                type_expr)
        return proxy_factory_fn(node) if proxy_factory_fn else self.proxy(node)

    def create_arg(self, a: Any) -> Any:
        """A value as an argument of a node."""
        if isinstance(a, Proxy):
            return a.node
        if hasattr(a, "__fx_create_arg__"):
            return a.__fx_create_arg__(self)
        if isinstance(a, tuple):
            items = [self.create_arg(x) for x in a]
            return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
        if isinstance(a, list):
            return [self.create_arg(x) for x in a]
        if isinstance(a, dict):
            return {k: self.create_arg(v) for k, v in a.items()}
        if isinstance(a, slice):
            return slice(self.create_arg(a.start), self.create_arg(a.stop),
                         self.create_arg(a.step))
        if a is None or isinstance(a, (Node, Tensor, *_CONSTANTS)):
            return a
        if callable(a) or type(a).__module__.partition(".")[0] == __name__.partition(".")[0]:
            return a                       # dtypes, devices, functions
        raise NotImplementedError(f"argument of type: {type(a)}")

    def to_bool(self, obj: Proxy) -> bool:
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj: Proxy) -> Iterator[Any]:
        """Only unpacking into a known number of names can be traced."""
        frame = inspect.currentframe()
        frame = frame.f_back.f_back if frame is not None and frame.f_back is not None else None
        count = _unpacked(frame)
        if count is None:
            raise TraceError("Proxy object cannot be iterated. This can be attempted when the "
                             "Proxy is used in a loop or as a *args or **kwargs function argument.")
        return (obj[i] for i in range(count))

    def keys(self, obj: Proxy) -> Any:
        return Attribute(obj, "keys")()


def _unpacked(frame: Any) -> int | None:
    """How many names the instruction that a frame is at unpacks into."""
    import dis

    if frame is None:
        return None
    for instruction in dis.get_instructions(frame.f_code):
        if instruction.offset == frame.f_lasti:
            return instruction.arg if instruction.opname == "UNPACK_SEQUENCE" else None
    return None


class GraphAppendingTracer(TracerBase):
    """Appends to a graph that exists."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph


class Proxy:
    """Stands for a value of the traced program."""

    def __init__(self, node: Node, tracer: TracerBase | None = None) -> None:
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer
        self.node = node

    def __repr__(self) -> str:
        return f"Proxy({self.node.name})"

    def __getattr__(self, k: str) -> Any:
        if k.startswith("__") and k.endswith("__"):
            raise AttributeError(k)
        return Attribute(self, k)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self) -> Iterator[Any]:
        return self.tracer.iter(self)

    def __bool__(self) -> bool:
        return self.tracer.to_bool(self)

    def __len__(self) -> int:
        raise RuntimeError("'len' is not supported in symbolic tracing by default. If you want "
                           "this call to be recorded, please call torch.fx.wrap('len') at module "
                           "scope")

    def __contains__(self, item: Any) -> bool:
        raise TraceError("'in' cannot be traced")

    def keys(self) -> Any:
        return self.tracer.keys(self)

    __hash__ = object.__hash__

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, index, value), {})

    @classmethod
    def __torch_function__(cls, orig_method: Any, types: Any, args: Any = (),
                           kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tracers = {p.tracer: None for p in _proxies((args, kwargs))}
        if len(tracers) != 1:
            raise RuntimeError(f"Found multiple different tracers {list(tracers)} while trying to "
                               f"trace operations {orig_method}")
        tracer = next(iter(tracers))
        name = getattr(orig_method, "__name__", "")
        if getattr(Tensor, name, None) is orig_method and not _function(orig_method, name):
            return tracer.create_proxy("call_method", name, args, kwargs)
        return tracer.create_proxy("call_function", orig_method, args, kwargs)


def _function(fn: Any, name: str) -> bool:
    """Whether a method of Tensor is a function of torch too."""
    from ..tensor.names import PUBLIC

    return PUBLIC["torch"].get(name) is fn


def _proxies(tree: Any) -> list[Proxy]:
    found: list[Proxy] = []
    map_aggregate(tree, lambda x: found.append(x) if isinstance(x, Proxy) else None)
    return found


class Attribute(Proxy):
    """`proxy.name`: a method if it is called, else the attribute's value."""

    def __init__(self, root: Proxy, attr: str) -> None:
        self.root = root
        self.attr = attr
        self.tracer = root.tracer
        self._node: Node | None = None

    @property
    def node(self) -> Node:  # type: ignore[override]
        if self._node is None:
            self._node = self.tracer.create_proxy("call_function", getattr,
                                                  (self.root, self.attr), {}).node
        return self._node

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """The proxy of a parameter, whose shape is known."""

    def __init__(self, tracer: TracerBase, node: Node, name: str, param: Any) -> None:
        super().__init__(node, tracer)
        self.param = param
        self.name = name

    @property
    def shape(self) -> Any:
        return self.param.shape

    def size(self, *args: Any) -> Any:
        return self.param.size(*args)

    def dim(self) -> int:
        return self.param.dim()

    @property
    def ndim(self) -> int:
        return self.param.ndim

    def numel(self) -> int:
        return self.param.numel()


def _operator(name: str) -> Callable[..., Any]:
    fn = getattr(operator, name, None) or operator.truediv

    def call(self: Proxy, *args: Any) -> Any:
        return self.tracer.create_proxy("call_function", fn, (self, *args), {})

    return call


def _reflected(name: str) -> Callable[..., Any]:
    fn = getattr(operator, name)

    def call(self: Proxy, other: Any) -> Any:
        return self.tracer.create_proxy("call_function", fn, (other, self), {})

    return call


for _name in _OPERATORS:
    setattr(Proxy, f"__{_name.strip('_')}__", _operator(_name))
for _name in _REFLECTED:
    setattr(Proxy, f"__r{_name.strip('_')}__", _reflected(_name))
