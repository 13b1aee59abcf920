"""Aliasing: reading through layouts, writing in place, and what both mean for gradients.

In: tensors, layouts, nodes. Out: the node a tensor stands for (`read`), new values of storages
(`write`), and the tape's edge of a tensor (`edge_of`). No other file knows that memory is shared.

    v = x[1]        v shares x's storage: layout (3,), (1,), 3
    v.mul_(2)       storage.value = write(storage.value, mul(v, 2)), version 1; x gets a new edge
"""
from __future__ import annotations

import weakref
from typing import Any

from ..autograd.grad_mode import state
from ..autograd.tape import NOWHERE, AccumulateGrad, Auto, GradFn, named
from ..core.device import CPU, META
from ..core.layout import Layout, contiguous
from ..graph.node import Node
from ..graph.primitive import (
    AS_STRIDED, EXPAND, PERMUTE, RESHAPE, WRITE, const, spec,
)
from ..graph.realize import recorded
from . import pinning
from .recording import tape
from .retyping import base_as, retyped, shaped
from .storage import INFERENCE, Storage
from .tensor import Tensor

_new = object.__new__
Edge = tuple[GradFn, int]


# ---------------------------------------------------------------- making tensors


def wrap(node: Node, device: Any = CPU) -> Tensor:
    """A fresh plain tensor of this value."""
    t = _new(Tensor)
    storage = Storage(node, device)
    t._storage = storage
    t._counter = INFERENCE if state.inference else storage
    t._shape = node.shape
    t.dtype = node.dtype
    t._layout = None
    t._cache = None
    t._auto = None
    return t


def wrap_as(node: Node, fn: GradFn, index: int, device: Any = CPU) -> Tensor:
    """A fresh tensor that is output `index` of a step."""
    t = wrap(node, device)
    t._auto = Auto(True, fn, index)
    return t


def ordered(node: Node, layout: Layout) -> Node:
    """The value of a storage that holds a node's elements in a dense layout of its shape."""
    if layout.is_contiguous:
        return node
    order = sorted(range(layout.ndim), key=lambda d: (-layout.stride[d], -layout.shape[d]))
    return PERMUTE(node, dims=tuple(order))


def lay_out(t: Tensor, layout: Layout) -> None:
    """Let a fresh tensor's memory have another order; its elements stay what they are."""
    node = t._storage.value
    t._storage.value = ordered(node, layout)
    t._layout = layout
    t._cache = (t._storage.value, node)


def share(t: Tensor, layout: Layout | None, shape: tuple[int, ...], counter: Any = None,
          cls: type[Tensor] = Tensor) -> Tensor:
    """A tensor over the same storage with no history."""
    s = _new(cls)
    s._storage = t._storage
    s._counter = t._counter if counter is None else counter
    s._shape = shape
    s.dtype = t.dtype
    s._layout = layout
    s._cache = t._cache if layout is t._layout else None
    s._auto = None
    return s


def view_of(t: Tensor, layout: Layout, node: Node | None) -> Tensor:
    """A view of `t` that takes part in its gradients; `node` is its value if known."""
    v = share(t, layout, layout.shape)
    if node is not None:
        v._cache = (t._storage.value, node)
    auto = v._auto = Auto()
    parent = t._auto
    auto.base = t if parent is None or parent.base is None else parent.base
    auto.seen = t._counter.version
    if parent is not None and parent.base is not None and parent.made:
        auto.made = parent.made
    elif not state.grad:
        auto.made = "inference" if state.inference else "no_grad"
    return v


def pack_hooks() -> Any:
    """The innermost (pack, unpack) of `saved_tensors_hooks`, or None."""
    return state.pack[-1] if state.pack else None


# ---------------------------------------------------------------- reading


def layout_of(t: Tensor) -> Layout:
    """The layout of a tensor: its own, or the contiguous one."""
    return contiguous(t._shape) if t._layout is None else t._layout


def read(t: Tensor) -> Node:
    """The node of the tensor's elements, in its logical shape."""
    storage = t._storage
    value = storage.value if storage.pin is None else pinning.current(storage)
    if t._layout is None and value.shape == t._shape:
        return value
    cache = t._cache
    if cache is not None and cache[0] is value:
        return cache[1]
    node = strided(retyped(value, t.dtype), layout_of(t))
    t._cache = (value, node)
    return node


def strided(value: Node, layout: Layout) -> Node:
    """The elements of a storage that a layout names."""
    if layout.offset == 0 and layout.numel == value.size and layout.is_contiguous:
        return value if layout.shape == value.shape else RESHAPE(value, shape=layout.shape)
    return AS_STRIDED(value, shape=layout.shape, stride=layout.stride, offset=layout.offset)


# ---------------------------------------------------------------- edges


def requires_grad(t: Tensor) -> bool:
    """Whether a gradient leads to a tensor."""
    auto = t._auto
    if auto is None:
        return False
    return auto.requires or auto.base is not None and requires_grad(auto.base)


def edge_of(t: Tensor) -> Edge | None:
    """Where the tensor's gradient goes; None if it needs none."""
    auto = t._auto
    if auto is None:
        return None
    if auto.base is not None and auto.seen != t._counter.version:
        _regenerate(t, auto)
    if auto.fn is not None:
        return auto.fn, auto.index
    if not auto.requires:
        return (NOWHERE, 0) if requires_grad(t) else None
    leaf = None if auto.leaf is None else auto.leaf()
    if leaf is None:
        leaf = AccumulateGrad(t)
        auto.leaf = weakref.ref(leaf)
    return leaf, 0


_AsStrided = named("AsStridedBackward0")
_CopySlices = named("CopySlices")


def _regenerate(t: Tensor, auto: Auto) -> None:
    """The memory of a view was written: its gradient now goes through its base's."""
    auto.seen = t._counter.version
    base = auto.base
    edge = edge_of(base)
    if edge is None:
        return
    if auto.made:
        auto.seen = -1                          # says so again when asked again
        _refuse_view(auto, True)
    root = spec(base._shape, base.dtype)
    mine, whole = layout_of(t), layout_of(base)
    if t.dtype is not base.dtype:
        node = within(*base_as(root, whole, t.dtype), mine)
        auto.fn = _chain(node, {id(root): edge}, _AsStrided)
    elif whole.is_contiguous:
        attrs = (mine.shape, mine.stride, mine.offset - whole.offset)
        auto.fn = _AsStrided(AS_STRIDED, attrs, spec(mine.shape, t.dtype), (root,), (edge,), (),
                             None)
    else:
        node = within(root, whole, mine)
        auto.fn = _chain(node, {id(root): edge}, _AsStrided)
    auto.index = 0
    auto.requires = True


def within(base: Node, whole: Layout, mine: Layout) -> Node:
    """A view's elements out of those of its base."""
    if whole.is_contiguous:
        return AS_STRIDED(base, shape=mine.shape, stride=mine.stride,
                          offset=mine.offset - whole.offset)
    memory = _spread(base, whole, max(mine.span, whole.span))
    return AS_STRIDED(memory, shape=mine.shape, stride=mine.stride, offset=mine.offset)


def _spread(base: Node, whole: Layout, span: int) -> Node:
    """A storage with the elements of `base` in their places and zeros elsewhere."""
    empty = EXPAND(const(0, base.dtype), shape=(span,))
    return WRITE(empty, base, shape=whole.shape, stride=whole.stride, offset=whole.offset)


def strided_step(t: Tensor, layout: Layout) -> GradFn | None:
    """The step of `t.as_strided(...)`: what lies outside of t gets no gradient, as in PyTorch."""
    root = spec(t._shape, t.dtype)
    edge = edge_of(t)
    whole = layout_of(t)
    memory = _spread(root, whole, max(layout.span, whole.span))
    node = AS_STRIDED(memory, shape=layout.shape, stride=layout.stride, offset=layout.offset)
    return _chain(node, {id(root): edge}, _AsStrided)


def _chain(out: Node, edges: dict[int, Edge | None], cls: Any) -> GradFn | None:
    """Steps for every node between `out` and the nodes of `edges`."""
    return tape(out, edges, cls)


# ---------------------------------------------------------------- writing

LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
VIEW_OF_LEAF = ("a view of a leaf Variable that requires grad is being used in an in-place "
                "operation.")
_ADVICE = {
    "multi": "This view is the output of a function that returns multiple views. Such functions "
             "do not allow the output views to be modified inplace. You should replace the inplace "
             "operation by an out-of-place one.",
    "custom": "This view was created inside a custom Function (or because an input was returned "
              "as-is) and the autograd logic to handle view+inplace would override the custom "
              "backward associated with the custom Function, leading to incorrect gradients. This "
              "behavior is forbidden. You can fix this by cloning the output of the custom "
              "Function.",
    "no_grad": "Given that this use case is ambiguous and error-prone, it is forbidden. You can "
               "clarify your code by moving both the view and the inplace either both inside the "
               "no_grad block (if you don't want the inplace to be tracked) or both outside (if "
               "you want the inplace to be tracked).",
    "inference": "Given that this use case is ambiguous and error-prone, it is forbidden. You can "
                 "clarify your code by moving both the view and the inplace either both inside the "
                 "inference_mode block (if you don't want the inplace to be tracked) or both "
                 "outside (if you want the inplace to be tracked).",
}


def check_inplace(t: Tensor, tracked: bool, uniform: bool = False) -> None:
    """PyTorch's refusals of an in-place write.

    `tracked`: it would be recorded. `uniform`: every element gets the same value, so that it does
    not matter if several lie in one place.
    """
    if t._counter is INFERENCE and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make "
            "a clone to get a normal tensor before doing inplace update.See "
            "https://github.com/pytorch/rfcs/pull/17 for more details.")
    if tracked and t._auto is not None:
        _check_history(t, t._auto)
    layout = t._layout
    if layout is not None and not uniform and layout.has_expanded_dim:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation.")


def _check_history(t: Tensor, auto: Auto) -> None:
    """No leaf, nor a view of one, may be written while recording; nor may a view of some kinds."""
    needs = requires_grad(t)
    if auto.base is not None:
        if auto.made:
            _refuse_view(auto, False)
        base = auto.base._auto
        if needs and (base is None or base.fn is None):
            raise RuntimeError(VIEW_OF_LEAF)
    # Like PyTorch, a view that nobody looked at since its base got a history counts as a leaf.
    if needs and auto.fn is None:
        raise RuntimeError(LEAF)


def _refuse_view(auto: Auto, indirect: bool) -> None:
    """The view may not be written, or (indirect) looked at after its base was."""
    made = auto.made
    what = ("its base or another view of its base has been modified inplace" if indirect else
            "is being modified inplace")
    if made in ("no_grad", "inference"):
        raise RuntimeError(f"A view was created in {made} mode and {what} with grad mode enabled. "
                           + _ADVICE[made])
    name = "" if auto.fn is None else auto.fn.name().split("Backward")[0]
    place = auto.place if made == "multi" else auto.index
    first = f"Output {place} of {name}" if name else "This"
    raise RuntimeError(f"{first} is a view and {what}. {_ADVICE[made]}")


# While functions are recorded for batches, one in another: what each writes to, and what was there.
writes: list[list[tuple[Storage, Node]]] = []


def store(t: Tensor, new: Node) -> None:
    """Replace the tensor's elements by those of a node of its shape and dtype."""
    storage = t._storage
    layout = t._layout
    if storage.pin is not None:
        pinning.store(t, new)
    else:
        old = storage.value
        if writes:
            writes[-1].append((storage, old))
        if old.dtype is t.dtype:
            storage.value = merged(old, layout, t._shape, new)
        else:
            whole = merged(retyped(old, t.dtype), layout, t._shape, new)
            storage.value = shaped(whole, old)
        if layout is not None:
            t._cache = (storage.value, new)
        if storage.device is not META:
            recorded(storage.value)
    t._counter.version += 1


def merged(old: Node, layout: Layout | None, shape: tuple[int, ...], new: Node) -> Node:
    """The value of a storage after a write of `new` to a layout."""
    if layout is None:
        if old.shape == shape:
            return new
        layout = contiguous(shape)
    if layout.numel == old.size and layout.is_contiguous:
        return new if new.shape == old.shape else RESHAPE(new, shape=old.shape)
    if not layout.numel:
        return old
    return WRITE(old, new, shape=layout.shape, stride=layout.stride, offset=layout.offset)


def write(t: Tensor, new: Node, edge: Edge | None, tracked: bool) -> None:
    """An in-place write with its gradient: `edge` is where the gradient of `new` goes."""
    if not tracked:
        store(t, new)
        return
    auto = t._auto
    if auto is not None and auto.base is not None:
        _write_view(t, auto, new, edge)
        return
    store(t, new)
    if auto is None:
        if edge is None:
            return
        auto = t._auto = Auto()
    if edge is None:
        auto.requires, auto.fn = False, None
    else:
        auto.requires = True
        auto.fn, auto.index = edge
    auto.leaf = None
    if auto.retains:
        t._retain_again()


def _replaced(base: Node, whole: Layout, value: Node, mine: Layout) -> Node:
    """The elements of a base after a write of `value` to a view of it."""
    if whole.is_contiguous:
        return WRITE(base, value, shape=mine.shape, stride=mine.stride,
                     offset=mine.offset - whole.offset)
    memory = WRITE(_spread(base, whole, max(mine.span, whole.span)), value, shape=mine.shape,
                   stride=mine.stride, offset=mine.offset)
    return AS_STRIDED(memory, shape=whole.shape, stride=whole.stride, offset=whole.offset)


def _write_view(t: Tensor, auto: Auto, new: Node, edge: Edge | None) -> None:
    """A write into a view: the base becomes the result of "old base with this region replaced"."""
    base = auto.base
    before = edge_of(base)
    mine, whole = layout_of(t), layout_of(base)
    store(t, new)
    if before is None and edge is None:
        return
    root = spec(base._shape, base.dtype)
    value = spec(new.shape, new.dtype)
    fn: GradFn | None
    if t.dtype is not base.dtype:
        parts, place = base_as(root, whole, t.dtype)
        node = shaped(_replaced(parts, place, value, mine), root)
        fn = _chain(node, {id(root): before, id(value): edge}, _CopySlices)
    elif whole.is_contiguous:
        attrs = (mine.shape, mine.stride, mine.offset - whole.offset)
        fn = _CopySlices(WRITE, attrs, root, (root, value), (before, edge), (),
                                        None)
    else:
        node = _replaced(root, whole, value, mine)
        fn = _chain(node, {id(root): before, id(value): edge}, _CopySlices)
    own = base._auto
    if own is None:
        own = base._auto = Auto()
    own.requires = True
    own.fn, own.index, own.leaf = fn, 0, None
    if own.retains:
        base._retain_again()
    edge_of(t)                                  # the view's step follows its base's at once
