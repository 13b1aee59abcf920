"""In-place forms, `out=`, and the writes that keep nothing of the old value.

In: entries of the table, tensors. Out: functions with a trailing underscore, and `overwrite` for
`fill_`, `zero_`, `copy_` and the random fills.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import state
from ..autograd.tape import GradFn, OpGradFn
from ..core.errors import scalar_name
from ..graph.node import Node
from ..graph.primitive import ALIAS, CAST, EXPAND, RESHAPE, scalar
from ..ops import derive
from .dispatch import Call, call_entry, record, rename, spec_of
from .functionalize import (
    check_inplace, edge_of, layout_of, read, requires_grad, share, store, write,
)
from .override import ask, asks
from .resizing import can_cast
from .tensor import Tensor


def inplace(name: str, fn: Callable[..., Any], cls: type[OpGradFn]) -> Callable[..., Tensor]:
    """The trailing-underscore form of an entry."""
    code = getattr(fn, "__code__", None)
    known = frozenset(code.co_varnames[:code.co_argcount + code.co_kwonlyargcount] if code else ())

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if self.__class__ is not Tensor and asks(self):
            return ask(call, (self, *args), kwargs)
        c = Call()
        raw = [c.take(self)]
        if any(a is self for a in args):
            args = tuple(_shadow(self) if a is self else a for a in args)
        raw += [c.swap(a) for a in args]
        if kwargs:
            kwargs = rename({k: c.swap(v) for k, v in kwargs.items()}, known)
        tracked = c.track and state.grad
        check_inplace(self, tracked)
        result = call_entry(name, fn, raw, kwargs)
        if isinstance(result, (tuple, list)):
            result = result[0]
        put(self, result, c, cls, tracked)
        return self

    call.__name__ = call.__qualname__ = name
    call.__doc__ = fn.__doc__
    call.__wrapped__ = fn  # type: ignore[attr-defined]  # its signature is what `help` shows
    return call


def _shadow(t: Tensor) -> Tensor:
    """The tensor as a second argument of its own in-place operation.

    PyTorch keeps a copy of the old value only for the first, so a derivative that reads the second
    is refused.
    """
    other = share(t, t._layout, t._shape)
    other._auto = t._auto
    return other


def put(self: Tensor, result: Node, c: Call, cls: type[OpGradFn], tracked: bool) -> None:
    """Write a result into `self`, with its gradient."""
    if result.shape != self._shape:
        raise RuntimeError(f"output with shape {list(self._shape)} doesn't match the broadcast "
                           f"shape {list(result.shape)}")
    if result.dtype is not self.dtype:
        if not can_cast(result.dtype, self.dtype):
            raise RuntimeError(f"result type {scalar_name(result.dtype)} can't be cast to the "
                               f"desired output type {scalar_name(self.dtype)}")
        result = CAST(result, dtype=self.dtype)
    if id(result) in c.inputs:
        result = ALIAS(result)
    if not tracked:
        store(self, result)
        return
    view = self._auto is not None and self._auto.base is not None
    fn = record(result, c.inputs, cls, self._counter, own=self)
    edge: Any = (fn, 0) if fn is not None else None
    if fn is None and requires_grad(self) and not view:
        edge = _forget(self, None)
    write(self, result, edge, True)


class Forget(GradFn):
    """A write that keeps nothing: the old value gets a zero gradient, the new one its own."""

    __slots__ = ("like",)

    def __init__(self, old: Any, new: Any, like: Node) -> None:
        super().__init__((old, new))
        self.like = like

    def name(self) -> str:
        return "CopyBackwards"

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        if grads[0] is None:
            return [None, None]
        return [rules.lift(derive.zeros_like(self.like)), grads[0]]


def _forget(t: Tensor, edge: Any) -> Any:
    old = edge_of(t)
    if old is None:
        return edge
    return Forget(old, edge, spec_of(read(t))), 0


def overwrite(t: Tensor, node: Node, edge: Any = None, uniform: bool = False) -> Tensor:
    """Replace all elements by those of a node of t's shape and dtype."""
    tracked = state.grad and (requires_grad(t) or edge is not None)
    check_inplace(t, tracked, uniform)
    if not tracked:
        store(t, node)
        return t
    view = t._auto is not None and t._auto.base is not None
    write(t, node, edge if view else _forget(t, edge), True)
    return t


def fill(t: Tensor, value: Any) -> Tensor:
    """Every element becomes a number."""
    return overwrite(t, EXPAND(scalar(value, t.dtype), shape=t._shape), uniform=True)


def copy(t: Tensor, source: Tensor) -> Tensor:
    """t.copy_(source): broadcast and cast, with the gradient to the source."""
    from .labels import of_name
    same = _same_memory(t, source)
    check_inplace(t, state.grad and (requires_grad(t) or requires_grad(source)), same)
    c = Call()
    node = c.take(source)
    if node.shape != t._shape:
        node = _broadcast(node, t._shape)
    if node.dtype is not t.dtype:
        node = CAST(node, dtype=t.dtype)
    edge = None
    if c.track and state.grad:
        fn = record(node, c.inputs, of_name("copy"), None)
        edge = None if fn is None else (fn, 0)
    return overwrite(t, node, edge, uniform=same)


def _same_memory(a: Tensor, b: Tensor) -> bool:
    """Whether both are the same elements of one storage: writing one to the other changes nothing,
    even where elements share a place."""
    return a is b or (a._storage is b._storage and a._shape == b._shape and a.dtype is b.dtype
                      and layout_of(a) == layout_of(b))


def _broadcast(node: Node, shape: tuple[int, ...]) -> Node:
    lead = len(shape) - len(node.shape)
    fits = lead >= 0 and all(n in (1, m) for n, m in zip(node.shape, shape[max(lead, 0):]))
    if fits:
        return EXPAND(node, shape=shape)
    if lead < 0 and all(n == 1 for n in node.shape[:-lead]):
        return _broadcast(RESHAPE(node, shape=node.shape[-lead:]), shape)
    a, b = len(shape), len(node.shape)
    for k in range(1, min(a, b) + 1):
        if node.shape[-k] not in (1, shape[-k]):
            raise RuntimeError(f"The size of tensor a ({shape[-k]}) must match the size of tensor "
                               f"b ({node.shape[-k]}) at non-singleton dimension {a - k}")
    raise RuntimeError(f"expand(torch.FloatTensor{{{list(node.shape)}}}, size={list(shape)}): the "
                       f"number of sizes provided ({a}) must be greater or equal to the number of "
                       f"dimensions in the tensor ({b})")
