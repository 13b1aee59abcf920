"""The only door from tensors to nodes: builds PyTorch's functions out of the table's entries.

In: `ops.table.TABLE`, and calls with tensors. Out: functions that swap tensors for nodes, call the
entry, record the tape, and wrap the result. `names` beside this file attaches them.

    add(x, 2)   ->   ops: add(node of x, 2) -> node   ->   Tensor(node), AddBackward0 -> x
"""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.grad_mode import state
from ..autograd.tape import Auto, GradFn, OpGradFn
from ..core.config import config
from ..core.device import CPU, META
from ..core.dtype import dtype
from ..core.layout import Layout, channels_last, preserved
from ..graph.node import Node
from ..graph.primitive import ALIAS
from ..graph.realize import realize, recorded
from .functionalize import edge_of, lay_out, read, requires_grad, wrap, wrap_as
from .override import MODES, ask, ask_mode, asks
from .recording import spec_of, step, tape
from .resizing import EXACT, copy_into
from .size import Size
from .tensor import Tensor

Edge = tuple[GradFn, int]
Inputs = dict[int, Tensor]

__all__ = ["Call", "blame", "call_entry", "finish", "function", "into", "record", "rename",
           "spec_of"]

# Arguments that need no look: what ops functions take as it is.
PLAIN = frozenset({int, float, bool, complex, str, type(None), dtype, slice, type(Ellipsis)})

def record(out: Node, inputs: Inputs, cls: type[OpGradFn], counter: Any,
           own: Tensor | None = None) -> GradFn | None:
    """The tape entry of a call's result, or None if nothing that needs a gradient leads to it."""
    if out.dtype.kind not in "fc":
        return None
    src = out.src
    if id(out) not in inputs:
        edges: list[Any] = []
        some = None
        for s in src:
            t = inputs.get(id(s))
            if t is None:
                if s.src:
                    break
                edges.append(None)
            elif t._auto is None:
                edges.append(None)
            else:
                edge = edge_of(t)
                edges.append(edge)
                some = some or edge
        else:
            return None if some is None else step(out, cls, tuple(edges), inputs, counter,
                                                  own)
    else:
        out = ALIAS(out)
    known = {key: edge_of(t) for key, t in inputs.items()}
    return tape(out, known, cls, inputs, counter, own)


# ---------------------------------------------------------------- arguments


class Call:
    """What a call's arguments hold: the tensors by their node, and whether one needs a gradient."""

    __slots__ = ("asked", "device", "inputs", "nodes", "track")

    def __init__(self, inputs: Inputs | None = None, track: bool = False,
                 device: Any = CPU) -> None:
        self.inputs: Inputs = {} if inputs is None else inputs
        self.track = track
        self.device = device
        self.nodes: list[Node] = []             # keeps the keys of `inputs` valid
        self.asked = False                      # a class with __torch_function__ is among them

    def take(self, t: Tensor) -> Node:
        """The node of a tensor argument."""
        if t.__class__ is not Tensor and asks(t):
            self.asked = True
        node = read(t)
        prior = self.inputs.get(id(node))
        if prior is not None and prior is not t:
            node = ALIAS(node)
        self.inputs[id(node)] = t
        self.nodes.append(node)
        if not self.track and requires_grad(t):
            self.track = True
        if t._storage.device is not CPU:
            self.device = t._storage.device
        return node

    def swap(self, a: Any) -> Any:
        """An argument with every tensor in it replaced by its node."""
        kind = type(a)
        if kind in PLAIN:
            return a
        if isinstance(a, Tensor):
            return self.take(a)
        if kind is list or kind is tuple:
            return kind([self.swap(x) for x in a])
        if isinstance(a, np.generic):
            return a.item()
        if isinstance(a, Size):
            return a
        if isinstance(a, (list, tuple)):
            items = [self.swap(x) for x in a]
            return kind(*items) if hasattr(a, "_fields") else tuple(items)
        if hasattr(kind, "__torch_function__"):
            self.asked = True
        return a


# ---------------------------------------------------------------- results


def finish(out: Any, call: Call, cls: type[OpGradFn]) -> Any:
    """A call's result as tensors, recorded if need be."""
    track = call.track and state.grad
    if type(out) is Node:
        return _one(out, call, cls, {} if track else None)
    return _many(out, call, cls, track)


def _one(out: Node, call: Call, cls: type[OpGradFn], known: Any) -> Tensor:
    t = wrap(out, call.device)
    if known is not None:
        fn = record(out, call.inputs, cls, t._counter)
        if fn is not None:
            t._auto = Auto(True, fn, 0)
    if call.device is not META:
        recorded(out)
        if config.eager:
            realize([out])
    return t


def _many(out: Any, call: Call, cls: type[OpGradFn], track: bool) -> Any:
    """Results in a tuple, list or named tuple; numbers and None pass."""
    edges: dict[int, Edge | None] | None = None
    if track:
        edges = {key: edge_of(t) for key, t in call.inputs.items()}

    result = _converted(out, call, cls, edges)
    if call.device is not META:
        for o in out if isinstance(out, (list, tuple)) else ():
            if type(o) is Node:
                recorded(o)
    if config.eager and call.device is not META:
        realize([o for o in (out if isinstance(out, (list, tuple)) else []) if type(o) is Node])
    return result


def _converted(o: Any, call: Call, cls: type[OpGradFn],
               edges: dict[int, Edge | None] | None) -> Any:
    """`_many` of one result. Not a function inside: one that calls itself is a cycle, which would
    keep the call's tensors until the garbage collector comes by."""
    if type(o) is Node:
        t = wrap(o, call.device)
        if edges is not None and o.dtype.kind in "fc":
            inner = ALIAS(o) if id(o) in call.inputs else o
            fn = tape(inner, edges, cls, call.inputs, t._counter)
            if fn is not None:
                return wrap_as(o, fn, 0, call.device)
        return t
    if isinstance(o, tuple):
        items = [_converted(x, call, cls, edges) for x in o]
        return type(o)(*items) if hasattr(o, "_fields") else tuple(items)
    if isinstance(o, list):
        return [_converted(x, call, cls, edges) for x in o]
    return o


# ---------------------------------------------------------------- functions

ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "self": "input"}


def rename(kwargs: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """NumPy's keyword names, which PyTorch takes as well."""
    for old, new in ALIASES.items():
        if old in kwargs and old not in known and new in known:
            kwargs[new] = kwargs.pop(old)
    return kwargs


def call_entry(name: str, fn: Callable[..., Any], raw: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call an entry; what only goes wrong because an argument is no tensor is a TypeError."""
    try:
        return fn(*raw, **kwargs)
    except AttributeError as error:
        raise blame(name, error, raw, kwargs) from None
    except TypeError as error:
        raise unbound(name, fn, error, raw, kwargs) from None


def unbound(name: str, fn: Callable[..., Any], error: TypeError, raw: list[Any],
            kwargs: dict[str, Any]) -> TypeError:
    """The error to raise for a TypeError: in PyTorch's words if the arguments did not fit."""
    inside = error.__traceback__.tb_next if error.__traceback__ is not None else None
    if inside is not None and inside.tb_next is not None or inside is not None and (
            inside.tb_frame.f_code is getattr(fn, "__code__", None)):
        return error
    if "positional argument" in str(error) and "given" in str(error):
        return TypeError(f"{name}{str(error)[str(error).index('('):]}")
    got = [_type_of(a) for a in raw] + [f"{k}={_type_of(v)}" for k, v in kwargs.items()]
    parts = inspect.signature(fn).parameters.values()
    plain = inspect.Signature([p.replace(annotation=p.empty) for p in parts])
    return TypeError(f"{name}() received an invalid combination of arguments - got "
                     f"({', '.join(got)}), but expected {plain}")


def _type_of(a: Any) -> str:
    return "Tensor" if isinstance(a, Node) else type(a).__name__


def blame(name: str, error: AttributeError, raw: list[Any], kwargs: dict[str, Any]) -> Exception:
    """The error to raise for an AttributeError inside an entry."""
    text = str(error)
    if any(f"'{type(a).__name__}' object" in text for a in (*raw, *kwargs.values())
           if not isinstance(a, Node)):
        return _not_tensor(name, raw, kwargs)
    return error


def _not_tensor(name: str, raw: list[Any], kwargs: dict[str, Any]) -> TypeError:
    for i, a in enumerate(raw):
        if not isinstance(a, Node):
            word = "input" if i == 0 else "other"
            return TypeError(f"{name}(): argument '{word}' (position {i + 1}) must be Tensor, not "
                             f"{type(a).__name__}")
    got = ", ".join(f"{k}={type(v).__name__}" for k, v in kwargs.items())
    return TypeError(f"{name}() received an invalid combination of arguments - got ({got})")


def function(name: str, fn: Callable[..., Any], label: type[OpGradFn],
             choose: Callable[..., type[OpGradFn]] | None = None) -> Callable[..., Any]:
    """PyTorch's function of an entry that is no view."""
    code = getattr(fn, "__code__", None)
    known = frozenset(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount] if code else ())
    var_keywords = bool(code and code.co_flags & 8)

    # The straight path of every operation: written out, since each call here costs 50 ns and more.
    def call(*args: Any, **kwargs: Any) -> Any:
        if MODES:
            return ask_mode(call, args, kwargs)
        inputs: Inputs = {}
        raw = []
        track = False
        device = CPU
        order: Layout | None = None
        for a in args:
            if isinstance(a, Tensor):
                if a.__class__ is not Tensor and asks(a):
                    return ask(call, args, kwargs)
                storage = a._storage
                node = storage.value
                if a._layout is not None or storage.pin is not None or node.shape != a._shape:
                    node = read(a)
                    if a._layout is not None:
                        order = order or _order(a, first=not inputs)
                key = id(node)
                if key in inputs and inputs[key] is not a:
                    node = ALIAS(node)
                    key = id(node)
                inputs[key] = a
                auto = a._auto
                if auto is not None and (auto.requires or auto.base is not None):
                    track = track or requires_grad(a)
                if storage.device is not CPU:
                    device = storage.device
                raw.append(node)
            elif type(a) in PLAIN:
                raw.append(a)
            else:
                c = Call(inputs, track, device)
                raw.append(c.swap(a))
                if c.asked:
                    return ask(call, args, kwargs)
                track, device = c.track, c.device
        if kwargs:
            return slow(args, kwargs, Call(inputs, track, device), raw)
        try:
            result = fn(*raw)
        except AttributeError as error:
            raise blame(name, error, raw, kwargs) from None
        except TypeError as error:
            raise unbound(name, fn, error, raw, kwargs) from None
        if type(result) is not Node or config.eager:
            cls = label if choose is None else choose(args, kwargs)
            return finish(result, Call(inputs, track, device), cls)
        t = wrap(result, device)
        if track and state.grad:
            fn_ = record(result, inputs, label if choose is None else choose(args, kwargs),
                         t._counter)
            if fn_ is not None:
                t._auto = Auto(True, fn_)
        if device is not META:
            recorded(result)
        return t if order is None else _in_order_of(t, order, name)

    def slow(args: Any, kwargs: dict[str, Any], c: Call, raw: list[Any]) -> Any:
        out = kwargs.pop("out", None)
        given = kwargs
        kwargs = {k: c.swap(v) for k, v in kwargs.items()}
        if c.asked:
            return ask(call, args, given if out is None else {**given, "out": out})
        if not var_keywords:
            kwargs = rename(kwargs, known)
        result = call_entry(name, fn, raw, kwargs)
        if out is not None:
            return into(out, result, c, name)
        return finish(result, c, label if choose is None else choose(args, kwargs))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = fn.__doc__
    call.__wrapped__ = fn  # type: ignore[attr-defined]  # its signature is what `help` shows
    return call


def _order(t: Tensor, first: bool) -> Layout | None:
    """The layout of an argument whose order of dims in memory results keep: NHWC of any argument,
    any permutation of the first one."""
    layout = t._layout
    if layout.is_contiguous or not (layout.is_channels_last or first and layout.is_dense):
        return None
    return layout


ELEMENTWISE = frozenset({"map", "fused"})

# Functions that keep NHWC although they change the shape.
SPATIAL = frozenset({"conv2d", "conv3d", "conv_transpose2d", "max_pool2d", "avg_pool2d",
                     "adaptive_avg_pool2d", "adaptive_max_pool2d", "interpolate"})


def _in_order_of(t: Tensor, order: Layout, name: str) -> Tensor:
    """A fresh result, laid out in memory as PyTorch's kernels leave it."""
    same = t._shape == order.shape
    if order.is_channels_last:
        kept = channels_last(t._shape) if same or (
            name in SPATIAL and len(t._shape) == len(order.shape)) else None
    else:
        kept = preserved(order) if same and t._storage.value.op.kind in ELEMENTWISE else None
    if kept is not None and not kept.is_contiguous:
        lay_out(t, kept)
    return t


def into(out: Any, result: Any, c: Call, name: str) -> Any:
    """Put results where `out=` says."""
    if isinstance(out, Tensor):
        outs, nodes = [out], [result]
    else:
        outs, nodes = list(out), list(result)
    if state.grad and (c.track or any(requires_grad(o) for o in outs)):
        raise RuntimeError(f"{name}(): functions with out=... arguments don't support automatic "
                           "differentiation, but one of the arguments requires grad.")
    if not isinstance(out, Tensor) and len(outs) != len(nodes):
        raise TypeError(f"{name}(): expected a tuple of {len(nodes)} elements for 'out'")
    for o, node in zip(outs, nodes):
        copy_into(o, node, name in EXACT and len(outs) == 1)
    if isinstance(out, Tensor):
        return out
    return type(result)(*outs) if hasattr(result, "_fields") else tuple(outs)
