"""In-place forms, `out=`, and the writes that keep nothing of the old value.

In: entries of the table, tensors. Out: functions with a trailing underscore, and `overwrite` for
`fill_`, `zero_`, `copy_` and the random fills.
"""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import state
from ..autograd.tape import Auto, GradFn, OpGradFn
from ..core.dtype import KIND_ORDER, dtype
from ..core.errors import scalar_name
from ..core.layout import contiguous
from ..graph.node import Node
from ..graph.primitive import ALIAS, CAST, EXPAND, RESHAPE, const
from ..ops import derive
from . import pinning
from .dispatch import Call, call_entry, record, rename, spec_of
from .functionalize import (
    check_inplace, edge_of, read, requires_grad, share, store, write,
)
from .override import ask, asks
from .storage import Storage
from .tensor import Tensor


def can_cast(source: dtype, target: dtype) -> bool:
    """Whether an in-place result of one type may be put into the other (torch.can_cast)."""
    a, b = KIND_ORDER[source.kind], KIND_ORDER[target.kind]
    return a <= b


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
    return overwrite(t, EXPAND(const(value, t.dtype), shape=t._shape), uniform=True)


def copy(t: Tensor, source: Tensor) -> Tensor:
    """t.copy_(source): broadcast and cast, with the gradient to the source."""
    from .labels import of_name
    check_inplace(t, state.grad and (requires_grad(t) or requires_grad(source)), source is t)
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
    return overwrite(t, node, edge, uniform=source is t)


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


# ---------------------------------------------------------------- out= and resizing


def copy_into(out: Tensor, node: Node) -> None:
    """`out=`: resize where the shape differs, cast where that is allowed."""
    if not can_cast(node.dtype, out.dtype):
        raise RuntimeError(f"result type {scalar_name(node.dtype)} can't be cast to the desired "
                           f"output type {scalar_name(out.dtype)}")
    check_inplace(out, False)
    if out._shape != node.shape:
        if contiguous(out._shape).numel:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out._shape)}, which does not match the required output shape "
                f"{list(node.shape)}. This behavior is deprecated, and in a future PyTorch release "
                "outputs will not be resized unless they have zero elements. You can explicitly "
                "reuse an out tensor t by resizing it, inplace, to zero elements with "
                "t.resize_(0).", stacklevel=4)
        resize(out, node.shape)
    if node.dtype is not out.dtype:
        node = CAST(node, dtype=out.dtype)
    store(out, node)


def resize(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """t.resize_: another shape over the same storage, which grows if it has to."""
    layout = contiguous(shape)
    storage = t._storage
    offset = 0 if t._layout is None else t._layout.offset
    have = storage.value
    if offset == 0 and (have.size == layout.numel and t._layout is None):
        storage.value = have if have.shape == shape else RESHAPE(have, shape=shape)
    elif offset + layout.numel > have.size:
        grow(storage, offset + layout.numel)
    t._shape = shape
    if offset == 0 and storage.value.shape == shape:
        t._layout = None
    else:
        t._layout = layout.narrow(0, 0, shape[0]) if shape else contiguous(())
        t._layout = type(layout)(shape, layout.stride, offset)
    t._cache = None
    return t


def grow(storage: Storage, size: int) -> None:
    """More elements for a storage; the new ones are zero."""
    have = storage.value
    flat = RESHAPE(have, shape=(have.size,))
    from ..graph.primitive import PAD
    storage.value = PAD(flat, low=(0,), high=(size - have.size,), inner=(0,))
    storage.pin = None


def unpin(storage: Storage) -> None:
    """Forget that the memory is shared (after `set_`)."""
    storage.pin = None


__all__ = ["Auto", "can_cast", "copy", "copy_into", "fill", "inplace", "overwrite", "pinning",
           "resize"]
