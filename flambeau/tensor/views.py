"""Views: functions whose result shares the storage of their input.

In: entries of the table with a layout form. Out: PyTorch's functions. The layout form says where
the view lies; the node form gives its value now and its derivative.

    x.t()   ->   layout (3, 2), (1, 3);  node permute(x, (1, 0));  TBackward0
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import state
from ..autograd.tape import OpGradFn, named
from ..core.layout import Layout
from ..graph.node import Node
from .dispatch import Call, call_entry, finish, record
from .functionalize import (
    check_inplace, layout_of, requires_grad, strided_step, view_of, within,
)
from .override import ask, asks
from .storage import INFERENCE
from .tensor import Tensor

# Functions with several results that PyTorch makes in one step; their views refuse in-place writes.
MULTIPLE = frozenset({"split", "chunk", "unbind", "split_with_sizes", "unsafe_chunk"})
# What gives the tensor itself where there is nothing to do.
SELF = frozenset({"flatten"})


def view(name: str, fn: Callable[..., Any], form: Callable[..., Any],
         cls: type[OpGradFn]) -> Callable[..., Any]:
    """PyTorch's function of a view entry."""
    multiple = name in MULTIPLE

    def call(*args: Any, **kwargs: Any) -> Any:
        if args:
            self, rest = args[0], args[1:]
        else:
            key = next((k for k in ("input", "tensor", "self") if k in kwargs), None)
            if key is None:
                raise TypeError(f"{name}() missing 1 required positional arguments: \"input\"")
            self, rest = kwargs.pop(key), ()
        if self.__class__ is not Tensor and asks(self):
            return ask(call, (self, *rest), kwargs)
        if not isinstance(self, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not "
                            f"{type(self).__name__}")
        c = Call()
        raw = [c.swap(a) for a in rest]
        kwargs = {k: c.swap(v) for k, v in kwargs.items()}
        layout = call_entry(name, form, [layout_of(self), *raw], kwargs)
        if isinstance(layout, Layout):
            if name in SELF and layout == layout_of(self):
                return self
            return make(self, layout, call_entry(name, fn, [_node(c, self), *raw], kwargs), c, cls)
        node = call_entry(name, fn, [_node(c, self), *raw], kwargs)
        if layout is None:
            return finish(node, c, cls)
        found = [make(self, one, n, c, cls) for one, n in zip(layout, node)]
        if multiple:
            for k, v in enumerate(found):
                v._auto.made = v._auto.made or "multi"
                v._auto.place = k
        return tuple(found)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = fn.__doc__
    call.__wrapped__ = fn  # type: ignore[attr-defined]  # its signature is what `help` shows
    return call


def _elements(t: Tensor) -> int:
    """How many elements of the tensor's type its storage holds."""
    value = t._storage.value
    return int(value.size * value.dtype.itemsize // t.dtype.itemsize)


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """Any view of the storage, whatever the layout of `input`."""
    from ..core.layout import check_strided
    from ..ops.view import ints
    if not isinstance(input, Tensor):
        raise TypeError("as_strided(): argument 'input' (position 1) must be Tensor, not "
                        f"{type(input).__name__}")
    offset = layout_of(input).offset if storage_offset is None else storage_offset.__index__()
    layout = check_strided(ints((size,)), ints((stride,)), offset, _elements(input))
    if input._layout is None:
        c = Call()
        return make(input, layout, within(c.take(input), layout_of(input), layout), c,
                    named("AsStridedBackward0"))
    fn = strided_step(input, layout) if state.grad and requires_grad(input) else None
    v = view_of(input, layout, None)
    if fn is not None:
        v._auto.fn, v._auto.requires = fn, True
    return v


def several(name: str, fn: Callable[..., Any], form: Callable[..., Any],
            cls: type[OpGradFn]) -> Callable[..., Any]:
    """A view entry of any number of tensors: each result is a view of the tensor in its place."""
    def call(*tensors: Any, **kwargs: Any) -> Any:
        lone = len(tensors) == 1 and isinstance(tensors[0], (list, tuple))
        many = tensors[0] if lone else tensors
        for t in many:
            if not isinstance(t, Tensor):
                raise TypeError(f"{name}(): expected Tensor as element 0 in argument 0, but got "
                                f"{type(t).__name__}")
        layouts = call_entry(name, form, [tuple(layout_of(t) for t in many)], kwargs)
        c = Call()
        nodes = call_entry(name, fn, [tuple(c.take(t) for t in many)], kwargs)
        found = tuple(t if layout == layout_of(t) and name not in COPIES
                      else make(t, layout, node, c, cls)
                      for t, layout, node in zip(many, layouts, nodes))
        return found[0] if len(tensors) == 1 and many is tensors and name in ONE else found

    call.__name__ = call.__qualname__ = name
    call.__doc__ = fn.__doc__
    call.__wrapped__ = fn  # type: ignore[attr-defined]  # its signature is what `help` shows
    return call


SEVERAL = frozenset({"broadcast_tensors", "meshgrid", "atleast_1d", "atleast_2d", "atleast_3d"})
ONE = frozenset({"atleast_1d", "atleast_2d", "atleast_3d"})
COPIES = frozenset({"meshgrid", "broadcast_tensors"})


def _node(c: Call, self: Tensor) -> Node:
    return c.take(self)


def make(self: Tensor, layout: Layout, node: Node, c: Call, cls: type[OpGradFn]) -> Tensor:
    """A view with its tape entry."""
    v = view_of(self, layout, node)
    v.dtype = node.dtype
    if state.grad and requires_grad(self):
        if self._counter is INFERENCE:
            return v
        fn = record(node, c.inputs, cls, None)
        if fn is not None:
            auto = v._auto
            auto.fn, auto.requires = fn, True
    return v


def inplace_view(name: str, fn: Callable[..., Any], form: Callable[..., Any],
                 cls: type[OpGradFn]) -> Callable[..., Tensor]:
    """`squeeze_`, `t_`, ...: the tensor itself looks at its storage in another way."""
    def call(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        c = Call()
        node = c.take(self)
        tracked = c.track and state.grad
        check_inplace(self, tracked, uniform=True)
        raw = [c.swap(a) for a in args]
        try:
            layout = call_entry(name, form, [layout_of(self), *raw], kwargs)
        except RuntimeError as error:
            raise RuntimeError(str(error).replace(f"{name[:-1]}()", f"{name}()")) from None
        new = call_entry(name, fn, [node, *raw], kwargs)
        fn_ = record(new, c.inputs, cls, None) if tracked else None
        self._layout = layout
        self._shape = layout.shape
        self._cache = (self._storage.value, new)
        self._counter.version += 1
        if fn_ is not None:
            auto = self._auto
            auto.fn, auto.index, auto.requires = fn_, 0, True
            auto.seen = self._counter.version
        return self

    call.__name__ = call.__qualname__ = name
    call.__doc__ = fn.__doc__
    call.__wrapped__ = fn  # type: ignore[attr-defined]  # its signature is what `help` shows
    return call
