"""What a tensor can be asked without computing: shape, type, place, history.

In: tensors. Out: the properties and questions of `torch.Tensor`.
"""
from __future__ import annotations

from typing import Any

from ..autograd import engine
from ..autograd.tape import Auto
from ..core.device import CPU
from ..core.errors import type_string
from ..core.hooks import Registry, RemovableHandle
from ..core.layout import contiguous, wrap_dim
from . import functionalize as f
from .size import Size, size_of
from .storage import INFERENCE, Counter
from .tensor import Tensor, attribute, method

# ---------------------------------------------------------------- shape


@attribute
def shape(self: Tensor) -> Size:
    return size_of(self._shape)


@attribute
def ndim(self: Tensor) -> int:
    return len(self._shape)


@attribute
def nbytes(self: Tensor) -> int:
    return numel(self) * self.dtype.itemsize


@attribute
def itemsize(self: Tensor) -> int:
    return self.dtype.itemsize


@attribute
def device(self: Tensor) -> Any:
    return self._storage.device


@attribute
def layout(self: Tensor) -> Any:
    from .constants import strided
    return strided


@method
def size(self: Tensor, dim: int | None = None) -> Any:
    if dim is None:
        return size_of(self._shape)
    if not self._shape:
        raise IndexError("Dimension specified as "
                         f"{dim} but tensor has no dimensions")
    return self._shape[wrap_dim(dim, len(self._shape))]


@method
def stride(self: Tensor, dim: int | None = None) -> Any:
    steps = f.layout_of(self).stride
    return steps if dim is None else steps[wrap_dim(dim, len(steps))]


@method
def storage_offset(self: Tensor) -> int:
    return 0 if self._layout is None else self._layout.offset


@method
def dim(self: Tensor) -> int:
    return len(self._shape)


@method
def numel(self: Tensor) -> int:
    n = 1
    for extent in self._shape:
        n *= extent
    return n


@method
def element_size(self: Tensor) -> int:
    return self.dtype.itemsize


@method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    if memory_format is None or memory_format.name == "contiguous_format":
        return self._layout is None or self._layout.is_contiguous
    if memory_format.name in ("channels_last", "channels_last_3d"):
        rank = 4 if memory_format.name == "channels_last" else 5
        return len(self._shape) == rank and f.layout_of(self).is_channels_last
    raise RuntimeError(f"is_contiguous: unsupported memory format {memory_format}")


@method
def is_floating_point(self: Tensor) -> bool:
    return self.dtype.is_floating_point


@method
def is_complex(self: Tensor) -> bool:
    return self.dtype.is_complex


@method
def is_signed(self: Tensor) -> bool:
    return self.dtype.is_signed


@method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    return self._shape == other._shape


@method
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    return self._storage is tensor._storage and f.layout_of(self) == f.layout_of(tensor)


@method
def get_device(self: Tensor) -> int:
    return -1


@method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    return False


@method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    return self


@method
def is_shared(self: Tensor) -> bool:
    return False


@method
def is_inference(self: Tensor) -> bool:
    return self._counter is INFERENCE


@method
def is_conj(self: Tensor) -> bool:
    return False


@method
def is_neg(self: Tensor) -> bool:
    return False


@method
def is_coalesced(self: Tensor) -> bool:
    return False


@attribute
def is_meta(self: Tensor) -> bool:
    return self._storage.device.type == "meta"


@attribute
def is_cpu(self: Tensor) -> bool:
    return self._storage.device is CPU


@attribute
def names(self: Tensor) -> tuple[None, ...]:
    return (None,) * len(self._shape)


@method
def has_names(self: Tensor) -> bool:
    return False


@method
def dim_order(self: Tensor, ambiguity_check: Any = False) -> tuple[int, ...]:
    steps = f.layout_of(self).stride
    return tuple(sorted(range(len(steps)), key=lambda d: -steps[d]))


Tensor.ndimension = dim  # type: ignore[attr-defined]
Tensor.nelement = numel  # type: ignore[attr-defined]


# ---------------------------------------------------------------- history


def _auto(t: Tensor) -> Auto:
    if t._auto is None:
        t._auto = Auto()
    return t._auto


def _get_requires(self: Tensor) -> bool:
    return f.requires_grad(self)


def _set_requires(self: Tensor, value: bool) -> None:
    requires_grad_(self, value)


Tensor.requires_grad = property(_get_requires, _set_requires)  # type: ignore[attr-defined]


@method
def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    value = bool(requires_grad)
    if not is_leaf(self):
        if not value:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach().")
        return self
    if value and self.dtype.kind not in "fc":
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    if value and self._counter is INFERENCE:
        from ..autograd.grad_mode import state
        if not state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside "
                               "InferenceMode is not allowed.")
    if value or self._auto is not None:
        _auto(self).requires = value
    return self


def is_leaf(self: Tensor) -> bool:
    auto = self._auto
    if auto is None:
        return True
    if auto.base is not None:
        f.edge_of(self)
    return auto.fn is None


Tensor.is_leaf = property(is_leaf)  # type: ignore[attr-defined]


@attribute
def grad_fn(self: Tensor) -> Any:
    auto = self._auto
    if auto is None:
        return None
    if auto.base is not None:
        f.edge_of(self)
    return auto.fn


@attribute
def output_nr(self: Tensor) -> int:
    return 0 if self._auto is None else self._auto.index


@attribute
def _version(self: Tensor) -> int:
    if self._counter is INFERENCE:
        raise RuntimeError("Inference tensors do not track version counter.")
    return self._counter.version


@attribute
def _base(self: Tensor) -> Any:
    return None if self._auto is None else self._auto.base


@method
def _is_view(self: Tensor) -> bool:
    return self._auto is not None and self._auto.base is not None


def _get_grad(self: Tensor) -> Any:
    auto = self._auto
    if auto is None:
        return None
    if auto.grad is None and auto.fn is not None and not auto.retains:
        import warnings
        warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being "
                      "accessed. Its .grad attribute won't be populated during "
                      "autograd.backward(). If you indeed want the .grad field to be populated "
                      "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
                      stacklevel=2)
    return auto.grad


def _set_grad(self: Tensor, value: Any) -> None:
    if value is not None:
        if not isinstance(value, Tensor):
            raise TypeError("assigned grad expected to be a Tensor or None but got grad of type "
                            f"{type(value).__name__}")
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value.dtype is not self.dtype:
            raise RuntimeError(f"assigned grad has data of a different type: "
                               f"{type_string(value.dtype)} vs {type_string(self.dtype)}")
        if value._shape != self._shape:
            raise RuntimeError("assigned grad has data of a different size")
    elif self._auto is None:
        return
    _auto(self).grad = value


def _del_grad(self: Tensor) -> None:
    if self._auto is not None:
        self._auto.grad = None


Tensor.grad = property(_get_grad, _set_grad, _del_grad)  # type: ignore[attr-defined]


@method
def retain_grad(self: Tensor) -> None:
    if not f.requires_grad(self):
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if is_leaf(self) or self._auto.retains:
        return
    self._auto.retains = True
    self._retain_again()


@method
def _retain_again(self: Tensor) -> None:
    """Ask the step that now makes this tensor to leave its gradient here."""
    import weakref
    auto = self._auto
    if auto.fn is not None:
        auto.fn.all_hooks().retain[auto.index] = weakref.ref(self)


@attribute
def retains_grad(self: Tensor) -> bool:
    return self._auto is not None and self._auto.retains and self._auto.fn is not None


@method
def register_hook(self: Tensor, hook: Any) -> RemovableHandle:
    """hook(grad) -> grad or None, called when the gradient of this tensor is known."""
    if not f.requires_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if is_leaf(self):
        auto = self._auto
        if auto.hooks is None:
            auto.hooks = Registry()
        return RemovableHandle.register(auto.hooks, hook)
    fn, index = f.edge_of(self)  # type: ignore[misc]
    registry = fn.all_hooks().of_output.setdefault(index, Registry())
    return RemovableHandle.register(registry, hook)


@method
def register_post_accumulate_grad_hook(self: Tensor, hook: Any) -> RemovableHandle:
    """hook(tensor), called after a gradient was added to this leaf's `.grad`."""
    if not f.requires_grad(self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not is_leaf(self):
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    auto = self._auto
    if auto.post is None:
        auto.post = Registry()
    return RemovableHandle.register(auto.post, hook)


@method
def backward(self: Tensor, gradient: Any = None, retain_graph: bool | None = None,
             create_graph: bool = False, inputs: Any = None) -> None:
    from ..autograd.api import backward as run
    run(self, gradient, retain_graph, create_graph, inputs=inputs)


# ---------------------------------------------------------------- sharing


@method
def detach(self: Tensor) -> Tensor:
    """The same storage without history."""
    return f.share(self, self._layout, self._shape)


@method
def detach_(self: Tensor) -> Tensor:
    auto = self._auto
    if auto is None:
        return self
    if auto.base is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead. If you are using "
                           "DistributedDataParallel (DDP) for training, and "
                           "gradient_as_bucket_view "
                           "is set as True, gradients are views of DDP buckets, and hence "
                           "detach_() "
                           "cannot be called on these gradients. To fix this error, please "
                           "refer to "
                           "the Optimizer.zero_grad() function in torch/optim/optimizer.py as a "
                           "solution.")
    auto.fn, auto.index, auto.requires = None, 0, False
    return self


def _get_data(self: Tensor) -> Tensor:
    return f.share(self, self._layout, self._shape, Counter())


def _set_data(self: Tensor, new: Tensor) -> None:
    if not isinstance(new, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(new).__name__}")
    if self._auto is not None and self._auto.requires and new.dtype.kind not in "fc":
        raise RuntimeError("data set to a tensor that requires gradients must be floating point or "
                           "complex dtype")
    self._storage = new._storage
    self._shape = new._shape
    self.dtype = new.dtype
    self._layout = new._layout
    self._cache = new._cache
    if self._auto is not None:
        self._auto.leaf = None if self._auto.fn is None and self._auto.leaf is None else \
            self._auto.leaf


Tensor.data = property(_get_data, _set_data)  # type: ignore[attr-defined]

Tensor.__hash__ = lambda self: id(self)  # type: ignore[method-assign]


class _Questions:
    """What autograd.api asks of tensors."""

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, Tensor)

    def edge(self, t: Tensor) -> Any:
        return f.edge_of(t)

    def requires(self, t: Tensor) -> bool:
        return f.requires_grad(t)

    def ones(self, t: Tensor) -> Tensor:
        from ..ops.algebra import full
        return f.wrap(full(t._shape, 1, t.dtype))

    def zeros(self, t: Tensor) -> Tensor:
        from ..ops.algebra import full
        return f.wrap(full(t._shape, 0, t.dtype))

    def shape(self, t: Tensor) -> tuple[int, ...]:
        return t._shape

    def dtype(self, t: Tensor) -> Any:
        return t.dtype

    def detach(self, t: Tensor) -> Tensor:
        return detach(t)

    # -------------------------------------------------------- for autograd.function

    def describe(self, t: Tensor) -> Any:
        return t._shape, t.dtype

    def full(self, described: Any, value: Any) -> Tensor:
        from ..ops.algebra import full
        return f.wrap(full(described[0], value, described[1]))

    def stack(self, rows: list[Tensor]) -> Tensor:
        from .names import PUBLIC
        return PUBLIC["torch"]["stack"](rows)

    def differentiable(self, t: Tensor) -> bool:
        return t.dtype.kind in "fc"

    def attach(self, t: Tensor, fn: Any, index: int, dirty: bool, given: bool) -> Tensor:
        """A result of a custom function: `fn` made it (None: nobody); `given`: it is an input."""
        if dirty:
            return _dirtied(t, fn, index)
        if given or (t._auto is not None and (t._auto.requires or t._auto.base is not None)):
            base = t
            t = f.share(t, t._layout, t._shape)
            if given and fn is not None:
                t._auto = Auto(True, fn, index)
                t._auto.base, t._auto.made = base, "custom"
                t._auto.seen = t._counter.version
                return t
        if fn is not None:
            t._auto = Auto(True, fn, index)
        return t

    def pack(self, t: Any, fn: Any, result: Any) -> Any:
        """What to keep of a tensor that forward saved. A result is kept without its step."""
        if t is None:
            return None
        if not isinstance(t, Tensor):
            raise TypeError("save_for_backward can only save variables, but argument 0 is of type "
                            f"{type(t).__name__}")
        packed = f.pack_hooks()
        if packed is not None:
            return _Packed(packed[0](detach(t) if result is not None else t), packed[1])
        if result is not None and result._auto is not None and result._auto.fn is fn:
            return _Own(detach(result), result._auto.index, result._counter.version)
        return _Kept(t, t._counter.version)

    def unpack(self, kept: Any, fn: Any) -> Any:
        return None if kept is None else kept.get(fn)

    def fit(self, g: Tensor, described: Any, name: str, i: int) -> Tensor:
        """A user's gradient, checked against the input it belongs to."""
        shape, kind = described
        if g._shape != shape:
            from ..graph.primitive import broadcast
            try:
                fits = broadcast(g._shape, shape) == g._shape
            except RuntimeError:
                fits = False
            if not fits:
                raise RuntimeError(f"Function {name} returned an invalid gradient at index {i} - "
                                   f"got {list(g._shape)} but expected shape compatible with "
                                   f"{list(shape)}")
            g = g.sum_to_size(shape)
        return g if g.dtype is kind else g.to(kind)


def _dirtied(t: Tensor, fn: Any, index: int) -> Tensor:
    """An input that a custom function wrote to in place: its history is now that function's."""
    if fn is None:
        return t
    auto = t._auto
    if auto is not None and auto.requires and auto.fn is None and auto.base is None:
        raise RuntimeError(f.LEAF)
    if auto is None:
        auto = t._auto = Auto()
    auto.requires, auto.fn, auto.index, auto.leaf = True, fn, index, None
    auto.seen = t._counter.version
    return t


class _Kept:
    """A saved input, and how often it had been written to."""

    __slots__ = ("tensor", "version")

    def __init__(self, tensor: Tensor, version: int) -> None:
        self.tensor = tensor
        self.version = version

    def get(self, fn: Any) -> Tensor:
        t = self.tensor
        if t._counter.version != self.version:
            auto = t._auto
            which = ("" if auto is None or auto.fn is None else
                     f", which is output {auto.index} of {auto.fn.name().split('Backward')[0]},")
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: [{type_string(t.dtype)} {list(t._shape)}]{which} is at "
                f"version {t._counter.version}; expected version {self.version} instead. Hint: "
                "enable anomaly detection to find the operation that failed to compute its "
                "gradient, with torch.autograd.set_detect_anomaly(True).")
        return t


class _Own:
    """A saved result: kept without its history, which leads to the step that keeps it."""

    __slots__ = ("index", "tensor", "version")

    def __init__(self, tensor: Tensor, index: int, version: int) -> None:
        self.tensor = tensor
        self.index = index
        self.version = version

    def get(self, fn: Any) -> Tensor:
        t = f.share(self.tensor, self.tensor._layout, self.tensor._shape)
        t._auto = Auto(True, fn, self.index)
        return _Kept(t, self.version).get(fn)


class _Packed:
    """What a pack hook made of a saved tensor."""

    __slots__ = ("unpack", "value")

    def __init__(self, value: Any, unpack: Any) -> None:
        self.value = value
        self.unpack = unpack

    def get(self, fn: Any) -> Any:
        return self.unpack(self.value)


def install() -> None:
    from ..autograd import api
    api.install(_Questions())


install()

__all__ = ["contiguous", "engine"]
