"""How tensors are pickled and come back; the functions that PyTorch's files name.

In: storages, sizes, strides. Out: tensors. `Tensor.__reduce_ex__` gives one of these functions and
its arguments; `serialization` writes them under their names in `torch._utils`.
"""
from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

from ..autograd.tape import Auto
from ..core import dtype as dt
from ..core.device import META
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.layout import Layout
from ..graph.primitive import spec
from . import functionalize as f
from .storages import TypedStorage, UntypedStorage, tensor_over
from .tensor import Tensor, method


def _rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Tensor:
    """A view of a typed storage, checked to lie within it."""
    if not isinstance(storage, TypedStorage):
        raise TypeError(f"expected a TypedStorage, but got {type(storage).__name__}")
    return tensor_over(storage._cell, tuple(size), tuple(stride), storage_offset, storage.dtype)


def _finished(t: Tensor, requires_grad: Any, backward_hooks: Any, metadata: Any) -> Tensor:
    if requires_grad:
        t.requires_grad_(True)
    if metadata:
        if metadata.get("conj"):
            t = t.conj()
        if metadata.get("neg"):
            t = -t
    return t


def _rebuild_tensor_v2(storage: Any, storage_offset: Any, size: Any, stride: Any,
                       requires_grad: Any, backward_hooks: Any, metadata: Any = None) -> Tensor:
    t = _rebuild_tensor(storage, storage_offset, size, stride)
    return _finished(t, requires_grad, backward_hooks, metadata)


def _rebuild_tensor_v3(storage: Any, storage_offset: Any, size: Any, stride: Any,
                       requires_grad: Any, backward_hooks: Any, dtype: Any,
                       metadata: Any = None) -> Tensor:
    """As v2, for types without a legacy storage class: the storage is bytes."""
    if not isinstance(storage, (TypedStorage, UntypedStorage)):
        raise TypeError(f"expected a storage, but got {type(storage).__name__}")
    if not isinstance(dtype, DType):
        raise TypeError(f"expected a dtype, but got {type(dtype).__name__}")
    t = tensor_over(storage._cell, tuple(size), tuple(stride), storage_offset, dtype)
    return _finished(t, requires_grad, backward_hooks, metadata)


def _rebuild_device_tensor_from_numpy(data: Any, dtype: Any, device: Any, requires_grad: Any,
                                      ) -> Tensor:
    """A tensor of a device without storages (xla, maia), sent as an array."""
    from .creation import from_numpy
    t = from_numpy(data).to(dtype=dtype, device=device)
    return t.requires_grad_(bool(requires_grad))


def _rebuild_device_tensor_from_cpu_tensor(data: Any, dtype: Any, device: Any, requires_grad: Any,
                                           ) -> Tensor:
    t = data.to(dtype=dtype, device=device)
    return t.requires_grad_(bool(requires_grad))


def _rebuild_meta_tensor_no_storage(dtype: Any, size: Any, stride: Any, requires_grad: Any,
                                    ) -> Tensor:
    if not isinstance(dtype, DType):
        raise TypeError(f"expected a dtype, but got {type(dtype).__name__}")
    layout = Layout(tuple(size), tuple(stride), 0)
    cell = UntypedStorage._of(_meta(layout, dtype))._cell
    t = tensor_over(cell, layout.shape, layout.stride, 0, dtype)
    return t.requires_grad_(bool(requires_grad)) if requires_grad else t


def _meta(layout: Layout, kind: DType) -> Any:
    from .storage import Storage
    for n in (*layout.shape, *layout.stride):
        if type(n) is not int or n < 0:
            raise RuntimeError(f"invalid size or stride {n!r}")
    return Storage(spec((layout.span,), kind), META)


def _rebuild_from_type_v2(func: Any, new_type: Any, args: Any, state: Any) -> Any:
    """A tensor of a subclass, or one with attributes."""
    made = func(*args)
    if type(made) is not new_type:
        made = made.as_subclass(new_type)
    if getattr(made.__class__, "__setstate__", None) is not getattr(Tensor, "__setstate__", None):
        made.__setstate__(state)
        return made
    return _set_obj_state(made, state)


def _set_obj_state(obj: Any, state: Any) -> Any:
    if isinstance(state, tuple):
        if len(state) != 2:
            raise RuntimeError(f"Invalid serialized state: {state}")
        members, slots = state
    else:
        members, slots = state, None
    if members:
        obj.__dict__.update(members)
    for name, value in (slots or {}).items():
        setattr(obj, name, value)
    return obj


# ---------------------------------------------------------------- reduction


@method
def __reduce_ex__(self: Tensor, protocol: Any) -> tuple[Any, ...]:
    state = dict(self.__dict__)
    func, args = reduced(self)
    if type(self) is Tensor and not state:
        return func, args
    if type(self).__name__ == "Parameter" or getattr(self, "_is_param", False):
        return func, args
    return _rebuild_from_type_v2, (func, type(self), args, state)


def reduced(t: Tensor) -> tuple[Any, tuple[Any, ...]]:
    """The function and arguments that make this tensor's data again."""
    shape = tuple(t._shape)
    layout = f.layout_of(t)
    needs = f.requires_grad(t)
    if t._storage.device is META:
        return _rebuild_meta_tensor_no_storage, (t.dtype, shape, layout.stride, needs)
    hooks: OrderedDict[Any, Any] = OrderedDict()
    if t.dtype in (dt.uint16, dt.uint32, dt.uint64):
        untyped = UntypedStorage._of(t._storage)
        return _rebuild_tensor_v3, (untyped, layout.offset, shape, layout.stride, needs, hooks,
                                    t.dtype)
    typed = TypedStorage(wrap_storage=UntypedStorage._of(t._storage), dtype=t.dtype)
    return _rebuild_tensor_v2, (typed, layout.offset, shape, layout.stride, needs, hooks)


@method
def __copy__(self: Tensor) -> Tensor:
    """`copy.copy`: another tensor over the same storage."""
    made = f.share(self, self._layout, self._shape, cls=type(self))
    if f.requires_grad(self):
        made._auto = Auto(True)
    made.__dict__.update(copy.copy(self.__dict__))
    return made
