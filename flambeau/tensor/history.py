"""A tensor's part in autograd: gradients, hooks, leaves, `detach` and `data`.

In: tensors. Out: the attributes and methods of `torch.Tensor` about gradients.
"""
from __future__ import annotations

import warnings
import weakref
from typing import Any

from ..autograd.api import backward as run_backward
from ..autograd.grad_mode import state
from ..autograd.tape import Auto
from ..core.errors import cpp_name, scalar_name
from ..core.follow import refuse
from ..core.hooks import Registry, RemovableHandle
from . import functionalize as f
from .storage import INFERENCE, Counter
from .tensor import Tensor, attribute, method

def _auto(t: Tensor) -> Auto:
    if t._auto is None:
        t._auto = Auto()
    return t._auto


def _get_requires(self: Tensor) -> bool:
    """Whether backward computes a gradient of this tensor, or goes through it."""
    return f.requires_grad(self)


def _set_requires(self: Tensor, value: bool) -> None:
    requires_grad_(self, value)


Tensor.requires_grad = property(_get_requires, _set_requires)  # type: ignore[attr-defined]


@method
def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Ask for a gradient of this tensor (or not any longer)."""
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
        if not state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside "
                               "InferenceMode is not allowed.")
    if value or self._auto is not None:
        _auto(self).requires = value
    return self


def is_leaf(self: Tensor) -> bool:
    """Whether the user made the tensor, not an operation that a gradient goes through."""
    auto = self._auto
    if auto is None:
        return True
    if auto.base is not None:
        f.edge_of(self)
    return auto.fn is None


Tensor.is_leaf = property(is_leaf)  # type: ignore[attr-defined]


@attribute
def grad_fn(self: Tensor) -> Any:
    """The step of the recorded graph that made the tensor."""
    auto = self._auto
    if auto is None:
        return None
    if auto.base is not None:
        f.edge_of(self)
    return auto.fn


@attribute
def output_nr(self: Tensor) -> int:
    """Which result of grad_fn the tensor is."""
    return 0 if self._auto is None else self._auto.index


@attribute
def _version(self: Tensor) -> int:
    refuse("a tensor's version is read")
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
    """The gradient that backward has added up; None before."""
    auto = self._auto
    if auto is None:
        return None
    if auto.grad is None and auto.fn is not None and not auto.retains:
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
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{cpp_name(value.dtype)}' to a tensor "
                f"with grad_dtype '{scalar_name(self.dtype)}'. The gradient must match the "
                "tensor's dtype.")
        if value._shape != self._shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value._shape)}' to a tensor of "
                f"size '{list(self._shape)}'. Please ensure that the gradient and the tensor are "
                "the same size")
    elif self._auto is None:
        return
    _auto(self).grad = value


def _del_grad(self: Tensor) -> None:
    if self._auto is not None:
        self._auto.grad = None


Tensor.grad = property(_get_grad, _set_grad, _del_grad)  # type: ignore[attr-defined]


@method
def retain_grad(self: Tensor) -> None:
    """Keep the gradient of a tensor that is no leaf."""
    if not f.requires_grad(self):
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if is_leaf(self) or self._auto.retains:
        return
    self._auto.retains = True
    self._retain_again()


@method
def _retain_again(self: Tensor) -> None:
    """Ask the step that now makes this tensor to leave its gradient here."""
    auto = self._auto
    if auto.fn is not None:
        auto.fn.all_hooks().retain[auto.index] = weakref.ref(self)


@attribute
def retains_grad(self: Tensor) -> bool:
    """Whether the gradient of a tensor that is no leaf is kept."""
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
    """The gradients of all leaves that this tensor came from, added to their `.grad`."""
    run_backward(self, gradient, retain_graph, create_graph, inputs=inputs)


# ---------------------------------------------------------------- sharing


@method
def detach(self: Tensor) -> Tensor:
    """The same storage without history."""
    return f.share(self, self._layout, self._shape)


@method
def detach_(self: Tensor) -> Tensor:
    """Take the tensor out of the recorded graph."""
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
    """The tensor on the same memory, out of the recorded graph."""
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
