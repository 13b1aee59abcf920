"""Views: functions whose result shares the storage of their input.

In: entries of the table with a layout form. Out: PyTorch's functions. The layout form says where
the view lies; the node form gives its value now and its derivative.

    x.t()   ->   layout (3, 2), (1, 3);  node permute(x, (1, 0));  TBackward0
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..autograd.grad_mode import state
from ..autograd.tape import OpGradFn, named
from ..core.dtype import dtype as DType
from ..core.layout import Layout
from ..core.trace import caller
from ..graph.node import Node, Op, made
from .dispatch import Call, call_entry, finish, record
from .functionalize import (
    check_inplace, edge_of, layout_of, read, requires_grad, strided_step, view_of, within,
)
from .labels import of_op
from .override import MODES, ask, asks
from .recording import step
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
        key = None
        if not kwargs and args and args[0].__class__ is Tensor and plain(args[1:]):
            known = again(args[0], key := (name, args[1:]))
            if known is not None:
                return known
        if args:
            self, rest = args[0], args[1:]
        else:
            word = next((k for k in ("input", "tensor", "self") if k in kwargs), None)
            if word is None:
                raise TypeError(f"{name}() missing 1 required positional arguments: \"input\"")
            self, rest = kwargs.pop(word), ()
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
            node = call_entry(name, fn, [_node(c, self), *raw], kwargs)
            return make(self, layout, node, c, cls, key)
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
            if t.__class__ is not Tensor and asks(t):
                return ask(call, tensors, kwargs)
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


def _as(self: Tensor, layout: Layout, node: Node) -> Tensor:
    """The view; one as integers has no part in the gradients."""
    v = view_of(self, layout, node)
    if node.dtype is not self.dtype:
        v.dtype = node.dtype
        if node.dtype.kind not in "fc":
            v._auto = None
    return v


def make(self: Tensor, layout: Layout, node: Node, c: Call, cls: type[OpGradFn],
         key: Any = None) -> Tensor:
    """A view with its tape entry; `key` names the call for the next time (see `Recipe`)."""
    v = _as(self, layout, node)
    if key is not None:
        _remember(self, key, layout, node, c.nodes[0], cls)
    if v._auto is not None and state.grad and requires_grad(self):
        if self._counter is INFERENCE:
            return v
        fn = record(node, c.inputs, cls, None)
        if fn is not None:
            auto = v._auto
            auto.fn, auto.requires = fn, True
    return v


# ---------------------------------------------------------------- views that were made before

# What may stand in a key: values whose equality means that the call is the same.
_EXACT = frozenset({int, str, type(None), type(Ellipsis)})
_recipes: dict[Any, Recipe] = {}


class Recipe(NamedTuple):
    """How a view is made of any tensor of that layout and dtype: no need to work it out again.

    `chain` holds (op, attributes, shape, dtype, tape class) of the nodes from the tensor's.
    """

    layout: Layout
    chain: tuple[tuple[Op, tuple[Any, ...], tuple[int, ...], DType, type[OpGradFn]], ...]


def plain(values: tuple[Any, ...]) -> bool:
    """Whether arguments are numbers and tuples of them, so that they can be a key."""
    for v in values:
        kind = type(v)
        if kind not in _EXACT and not (kind is tuple and plain(v)):
            return False
    return True


def again(self: Tensor, key: Any) -> Tensor | None:
    """The view that the call of this key makes, if one like it was made before."""
    recipe = _recipes.get((self._layout or self._shape, self.dtype, key))
    if recipe is None or MODES:
        return None
    source = read(self)
    edge = None
    if state.grad and self._counter is not INFERENCE and requires_grad(self):
        edge = edge_of(self)
    inputs = {id(source): self}
    origin = caller()
    node = source
    for op, attrs, shape, kind, cls in recipe.chain:
        node = made(op, (node,), attrs, shape, kind, origin)
        if edge is not None:
            edge = (step(node, cls, (edge,), inputs, None), 0) if kind.kind in "fc" else None
    v = _as(self, recipe.layout, node)
    if edge is not None:
        auto = v._auto
        auto.fn, auto.requires = edge[0], True
    return v


def _remember(self: Tensor, key: Any, layout: Layout, node: Node, source: Node,
              cls: type[OpGradFn]) -> None:
    """Note how this view was made, if it is a chain of nodes from the tensor's."""
    chain: list[Any] = []
    while node is not source:
        if len(node.src) != 1:
            return
        chain.append((node.op, node.attrs, node.shape, node.dtype,
                      of_op(node.op.name) if chain else cls))
        node = node.src[0]
    if chain:
        if len(_recipes) > 4096:
            _recipes.clear()
        _recipes[self._layout or self._shape, self.dtype, key] = Recipe(layout,
                                                                        tuple(chain[::-1]))


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
