"""Values in and out: numbers, lists, NumPy arrays, other types, copies.

In: tensors. Out: Python numbers, arrays, and tensors of another type, place or memory order.
"""
from __future__ import annotations

import copy as copying
import weakref
from typing import Any

import numpy as np

from ..autograd.tape import Auto
from ..core import dtype as dt
from ..core.device import META, check_device
from ..core.device import device as Device  # noqa: N812 - `device` is a parameter below
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.errors import overflow, type_string
from ..core.layout import Layout, channels_last, preserved
from ..graph.primitive import ALIAS, CAST
from ..graph.realize import realize
from . import functionalize as f
from . import inplace, pinning, resizing
from .constants import memory_format as MemoryFormat  # noqa: N812
from .dispatch import Call, finish
from .labels import of_name
from .storage import Storage
from .tensor import Tensor, method

Array = np.ndarray[Any, Any]

# ---------------------------------------------------------------- out


def values(t: Tensor) -> Array:
    """The elements as an array, computed now; not to be written to."""
    if t._storage.device is META:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    storage = t._storage
    value = storage.value
    if t._layout is not None and value.value is not None and value.dtype is t.dtype:
        memory = value.value.numpy(value.dtype.numpy, (value.size,))
        return pinning.strided(memory, t._layout)
    return pinning.array_of(f.read(t))


@method
def item(self: Tensor) -> Any:
    """The one element as a Python number."""
    n = self.numel()
    if n != 1:
        raise RuntimeError(f"a Tensor with {n} elements cannot be converted to Scalar")
    number = values(self).reshape(-1)[0]
    return _number(number, self.dtype)


def _number(x: Any, kind: DType) -> Any:
    if kind.kind == "f":
        return float(x)
    if kind.kind == "c":
        return complex(x)
    return bool(x) if kind.kind == "b" else int(x)


@method
def tolist(self: Tensor) -> Any:
    """The elements as nested lists of Python numbers."""
    array = values(self)
    if self.dtype is dt.bfloat16:
        array = array.astype(np.float32)
    return array.tolist()


@method
def numpy(self: Tensor, *, force: bool = False) -> Array:
    """An array over the same memory."""
    if force:
        return numpy(self.detach().cpu().resolve_conj().resolve_neg())
    if f.requires_grad(self):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use "
                           "tensor.detach().numpy() instead.")
    if self.is_conj():
        raise RuntimeError("Can't call numpy() on Tensor that has conjugate bit set. Use "
                           "tensor.resolve_conj().numpy() instead.")
    if self.dtype is dt.bfloat16:
        raise TypeError("Got unsupported ScalarType BFloat16")
    return shared(self)


def shared(t: Tensor) -> Array:
    """An array over the tensor's own memory, which is pinned from now on."""
    if t._storage.device is META:
        raise TypeError("can't convert meta device type tensor to numpy.")
    if t._storage.value.dtype is not t.dtype:
        whole = pinning.give_out(t._storage).view(t.dtype.numpy)
    else:
        whole = pinning.give_out(t._storage)
    t._cache = None
    if t._layout is None:
        return whole.reshape(t._shape)
    return pinning.strided(whole, t._layout)


@method
def __array__(self: Tensor, dtype: Any = None, copy: Any = None) -> Array:
    array = numpy(self)
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


@method
def data_ptr(self: Tensor) -> int:
    """The address of the first element; the storage stays there from now on."""
    if self._storage.device is META or not self.numel():
        return 0
    pin = pinning.expose(self._storage)
    offset = 0 if self._layout is None else self._layout.offset
    self._cache = None
    return pin.buffer.address + offset * self.dtype.itemsize


@method
def const_data_ptr(self: Tensor) -> int:
    """The address of the first element."""
    return data_ptr(self)


@method
def __len__(self: Tensor) -> int:
    if not self._shape:
        raise TypeError("len() of a 0-d tensor")
    return self._shape[0]


@method
def __bool__(self: Tensor) -> bool:
    n = self.numel()
    if n == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if n > 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(item(self))


def _lone(self: Tensor) -> Any:
    if self.numel() != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return item(self)


def _real(number: Any, kind: DType) -> Any:
    """A number without an imaginary part."""
    if not isinstance(number, complex):
        return number
    if number.imag:
        raise overflow(kind)
    return number.real


@method
def __int__(self: Tensor) -> int:
    return int(_real(_lone(self), dt.int64))


@method
def __float__(self: Tensor) -> float:
    return float(_real(_lone(self), dt.float64))


@method
def __complex__(self: Tensor) -> complex:
    return complex(_lone(self))


@method
def __index__(self: Tensor) -> int:
    if self.dtype.kind not in "biu" or self.numel() != 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(item(self))


@method
def __contains__(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, int, float, complex, np.generic)):
        return bool((element == self).any())  # type: ignore[union-attr]
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                       f"{type(element)}.")


@method
def __format__(self: Tensor, spec: str) -> str:
    if not self._shape and not self.is_meta and type(self) is Tensor:
        return format(item(self), spec)
    return object.__format__(self, spec)


@method
def __repr__(self: Tensor, *, tensor_contents: Any = None) -> str:
    from .printing import tensor_str
    return tensor_str(self)


@method
def __reversed__(self: Tensor) -> Tensor:
    return self.flip(0) if self._shape else self


# ---------------------------------------------------------------- types


def cast(self: Tensor, kind: DType) -> Tensor:
    """A tensor of another element type; itself if it has it."""
    if self.dtype is kind:
        return self
    c = Call()
    node = c.take(self)
    out = finish(CAST(node, dtype=kind), c, of_name("to"))
    if self._layout is not None and not self._layout.is_contiguous:
        kept = preserved(self._layout)
        if not kept.is_contiguous:
            f.lay_out(out, kept)
    return out


def _caster(name: str, kind: DType) -> None:
    def to_kind(self: Tensor, memory_format: Any = None) -> Tensor:
        return cast(self, kind)

    to_kind.__name__ = name
    to_kind.__doc__ = f"The elements as {kind.name}."
    setattr(Tensor, name, to_kind)


for _name, _kind in (("float", dt.float32), ("double", dt.float64), ("half", dt.float16),
                     ("bfloat16", dt.bfloat16), ("int", dt.int32), ("long", dt.int64),
                     ("short", dt.int16), ("char", dt.int8), ("byte", dt.uint8),
                     ("bool", dt.bool_), ("cfloat", dt.complex64), ("cdouble", dt.complex128)):
    _caster(_name, _kind)


@method
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """to(dtype), to(device, dtype), to(other); the tensor itself where nothing changes."""
    copy = kwargs.pop("copy", False)
    kwargs.pop("non_blocking", None)
    order = kwargs.pop("memory_format", None)
    kind, where = kwargs.pop("dtype", None), kwargs.pop("device", None)
    other = kwargs.pop("other", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    flags = []
    for a in args:
        if isinstance(a, DType):
            kind = a
        elif isinstance(a, Tensor):
            other = a
        elif isinstance(a, MemoryFormat):
            order = a
        elif isinstance(a, bool):
            flags.append(a)
        elif isinstance(a, (str, Device, int)):
            where = a
        elif a is not None:
            raise TypeError("to() received an invalid combination of arguments - got "
                            f"({', '.join(type(x).__name__ for x in args)})")
    if len(flags) > 1:
        copy = flags[1]
    if other is not None:
        kind, where = other.dtype, other._storage.device
    return _converted(self, kind, where, copy, order)


def _converted(self: Tensor, kind: Any, where: Any, copy: bool, order: Any) -> Tensor:
    place = self._storage.device if where is None else check_device(where)
    result = self if kind is None else cast(self, kind)
    if place is not self._storage.device:
        if place is META:
            return _on_meta(result)
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    if order is not None and order.name != "preserve_format":
        result = contiguous(result, memory_format=order)
    return clone(result) if copy and result is self else result


def _on_meta(t: Tensor) -> Tensor:
    from ..graph.primitive import spec
    return f.wrap(spec(t._shape, t.dtype), META)


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor on the CPU: itself if it is there."""
    return to(self, "cpu")


@method
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None,
         ) -> Tensor:
    """Refused: there is no such device."""
    raise AssertionError("Torch not compiled with CUDA enabled")


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the type of `other`."""
    return cast(self, other.dtype)


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
    """The name of the tensor's old-style class, or the tensor in another type."""
    if dtype is None:
        return type_string(self.dtype)
    if isinstance(dtype, DType):
        return cast(self, dtype)
    name = dtype if isinstance(dtype, str) else getattr(dtype, "type_name", None)
    for kind in dt.ALL:
        if name == type_string(kind):
            return cast(self, kind)
    if isinstance(dtype, str):
        raise ValueError(f"invalid type: '{dtype}'")
    raise RuntimeError(f"type(): invalid dtype {dtype!r}")


Tensor.type = type_  # type: ignore[attr-defined]


# ---------------------------------------------------------------- copies


def _copied(self: Tensor, layout: Layout, label: str) -> Tensor:
    """A recorded copy whose memory is in the given order."""
    c = Call()
    node = ALIAS(c.take(self))
    t = finish(node, c, of_name(label))
    if not layout.is_contiguous:
        f.lay_out(t, layout)
    return t


@method
def clone(self: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, which gradients go through."""
    return _copied(self, _target(self, memory_format), "clone")


def _target(self: Tensor, order: Any) -> Layout:
    if order is None or order.name == "preserve_format":
        return preserved(f.layout_of(self))
    if order.name.startswith("channels_last"):
        _check_rank(self, order)
        return channels_last(self._shape)
    from ..core.layout import contiguous as natural
    return natural(self._shape)


def _check_rank(self: Tensor, order: Any) -> None:
    rank = 4 if order.name == "channels_last" else 5
    if len(self._shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {order.name} format")


@method
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor with its elements in memory in the order asked for; itself if they are."""
    if memory_format is None or memory_format.name == "contiguous_format":
        if self._layout is None or self._layout.is_contiguous:
            return self
        from ..core.layout import contiguous as natural
        return _copied(self, natural(self._shape), "clone")
    if memory_format.name == "preserve_format":
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    _check_rank(self, memory_format)
    if f.layout_of(self).is_channels_last:
        return self
    return _copied(self, channels_last(self._shape), "clone")


@method
def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Write the elements of `src`, broadcast and converted, into this tensor."""
    if not isinstance(src, Tensor):
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not "
                        f"{src.__class__.__name__}")
    return inplace.copy(self, src)


@method
def fill_(self: Tensor, value: Any) -> Tensor:
    """Write one value into every element."""
    if isinstance(value, Tensor):
        if value._shape:
            raise RuntimeError("fill_ only supports 0-dimension value tensor but got tensor with "
                               f"{len(value._shape)} dimensions.")
        return inplace.copy(self, value)
    if isinstance(value, complex) and self.dtype.kind != "c":
        raise overflow(self.dtype)
    return inplace.fill(self, value)


@method
def zero_(self: Tensor) -> Tensor:
    """Write 0 into every element."""
    return inplace.fill(self, 0)


@method
def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Give the tensor another size; memory that is new holds anything."""
    from ..ops.view import ints
    if f.requires_grad(self):
        raise RuntimeError("cannot resize variables that require grad")
    return resizing.resize(self, ints(sizes))


@method
def resize_as_(self: Tensor, the_template: Tensor, memory_format: Any = None) -> Tensor:
    """Give the tensor the size of another."""
    return resize_(self, *the_template._shape)


_shared: weakref.WeakSet[Storage] = weakref.WeakSet()


@method
def share_memory_(self: Tensor) -> Tensor:
    """Marks the storage; processes that are sent it get a copy."""
    _shared.add(self._storage)
    return self


@method
def is_shared(self: Tensor) -> bool:
    """Whether other processes see the memory."""
    return self._storage in _shared


@method
def resolve_conj(self: Tensor) -> Tensor:
    """The tensor with its conjugation computed."""
    return self


@method
def resolve_neg(self: Tensor) -> Tensor:
    """The tensor itself: negation is never pending."""
    return self


# ---------------------------------------------------------------- copying objects


@method
def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Any:
    if id(self) in memo:
        return memo[id(self)]
    if self._auto is not None and self._auto.fn is not None:
        raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the "
                           "deepcopy protocol at the moment.  If you were attempting to deepcopy a "
                           "module, this may be because of a torch.nn.utils.weight_norm usage, see "
                           "https://github.com/pytorch/pytorch/pull/103001")
    cell = memo.get(id(self._storage))
    if cell is None:
        storage = self._storage
        value = storage.value if storage.pin is None else ALIAS(pinning.current(storage))
        if storage.pin is not None:
            realize([value])
        cell = memo[id(storage)] = Storage(value, storage.device)
    made = object.__new__(self.__class__)
    made._storage = made._counter = cell
    made._shape, made._layout, made.dtype = self._shape, self._layout, self.dtype
    made._cache = made._auto = None
    memo[id(self)] = made
    auto = self._auto
    if auto is not None:
        made._auto = Auto(auto.requires)
        if auto.grad is not None:
            made._auto.grad = copying.deepcopy(auto.grad, memo)
    made.__dict__.update(copying.deepcopy(self.__dict__, memo))
    return made
