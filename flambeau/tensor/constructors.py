"""The older ways to a tensor: `Tensor(2, 3)`, `FloatTensor([1.])`, `x.new_zeros(…)`, `x.set_(…)`.

In: sizes, data, tensors. Out: tensors; subclasses of Tensor are made here.
"""
from __future__ import annotations

from typing import Any, Union

import numpy as np

from ..core.defaults import default_dtype
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.layout import Layout, contiguous_stride
from . import functionalize as f
from .creation import empty, empty_strided, filled, from_numpy, full, size_of, tensor
from .size import Size
from .storage import Storage
from .tensor import Tensor, _makers, method

Array = np.ndarray[Any, Any]


def _new_maker(name: str, value: Any) -> None:
    def new(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, layout: Any = None,
            requires_grad: bool = False, pin_memory: bool = False, **named: Any) -> Tensor:
        """The constructor of this tensor's old-style class."""
        place = device if device is not None else self._storage.device
        shape = size_of(size or (named["size"],), name)
        return filled(shape, value, dtype or self.dtype, place, requires_grad)

    new.__name__ = name
    setattr(Tensor, name, new)


_new_maker("new_zeros", 0)
_new_maker("new_ones", 1)
_new_maker("new_empty", 0)


@method
def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, pin_memory: bool = False) -> Tensor:
    """A tensor of one value, with this one's type and device."""
    return full(size, fill_value, dtype=dtype or self.dtype, device=device,
                requires_grad=requires_grad)


@method
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None,
               requires_grad: bool = False, layout: Any = None, pin_memory: bool = False) -> Tensor:
    """A copy of data, with this tensor's type and device."""
    if isinstance(data, Tensor):
        t = data.detach().clone().to(dtype or data.dtype)
        return t.requires_grad_(requires_grad)
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


@method
def new_empty_strided(self: Tensor, size: Any, stride: Any, dtype: Any = None, device: Any = None,
                      requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
                      ) -> Tensor:
    """Memory of a size and strides, with this tensor's type and device."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, requires_grad=requires_grad)


@method
def new(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The constructor of this tensor's old-style class."""
    return _legacy(self.dtype, args)


@method
def __array_wrap__(self: Tensor, array: Array, context: Any = None, return_scalar: bool = False,
                   ) -> Any:
    array = np.asarray(array)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    return from_numpy(array)


@method
def set_(self: Tensor, source: Any = None, storage_offset: int = 0, size: Any = None,
         stride: Any = None) -> Tensor:
    """Make this tensor a view of another's storage."""
    if source is None:
        source = empty(0, dtype=self.dtype)
    cell = source._storage
    self._storage = cell
    self._counter = getattr(source, "_counter", cell)
    if isinstance(source, Tensor) and size is None:
        self._shape, self._layout = source._shape, source._layout
    else:
        shape = tuple(size) if size is not None else (cell.value.size,)
        steps = tuple(stride) if stride is not None else contiguous_stride(shape)
        self._shape, self._layout = shape, Layout(shape, steps, storage_offset)
    self._cache = None
    return self


def _legacy(kind: DType, args: tuple[Any, ...]) -> Tensor:
    """`FloatTensor(2, 3)` has that shape, `FloatTensor([2, 3])` those values."""
    if not args:
        return filled((0,), 0, kind)
    first = args[0]
    if len(args) == 1 and isinstance(first, Tensor):
        if first.dtype is not kind:
            raise TypeError("expected " + str(kind) + " (got " + str(first.dtype) + ")")
        return first.detach()
    if len(args) == 1 and isinstance(first, Size):
        return filled(tuple(first), 0, kind)
    if len(args) == 1 and isinstance(first, Storage):
        return f.wrap(first.value)
    if len(args) == 1 and isinstance(first, (list, tuple, np.ndarray)):
        return tensor(first, dtype=kind)
    if not all(hasattr(a, "__index__") for a in args):
        raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
    return filled(size_of(args, "new"), 0, kind)


def _make(cls: type, *args: Any, **kwargs: Any) -> Tensor:
    """`Tensor(...)` and subclasses."""
    if "data" in kwargs:
        args = (kwargs["data"], *args)
    t = _legacy(default_dtype(), args) if not (
        len(args) == 1 and isinstance(args[0], Tensor)) else args[0].detach()
    if cls is Tensor:
        return t
    return as_class(t, cls)


def as_class(t: Tensor, cls: type) -> Tensor:
    """The same tensor as an instance of a subclass."""
    made: Any = object.__new__(cls)
    for field in ("_storage", "_counter", "_shape", "_layout", "dtype", "_cache", "_auto"):
        setattr(made, field, getattr(t, field))
    return made


_makers["Tensor"] = _make


def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Tensor:
    """A new leaf of class `cls` over data's storage."""
    made = as_class(data.detach(), cls)
    if require_grad:
        made.requires_grad_()
    return made


Tensor._make_subclass = staticmethod(_make_subclass)  # type: ignore[attr-defined]


@method
def as_subclass(self: Tensor, cls: type) -> Tensor:
    """The same tensor as an object of a subclass."""
    return as_class(self, cls)


class LegacyType:
    """`torch.FloatTensor` and its kin: makes tensors, and is the type of all those of its dtype."""

    __slots__ = ("__name__", "__qualname__", "dtype", "kind", "type_name")

    def __init__(self, name: str, kind: DType) -> None:
        self.__name__ = self.__qualname__ = name
        self.dtype = self.kind = kind
        self.type_name = f"torch.{name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return _legacy(self.kind, (kwargs["data"],) if "data" in kwargs else args)

    def __instancecheck__(self, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype is self.kind

    def __or__(self, other: Any) -> Any:
        """`torch.LongTensor | None`, in annotations."""
        return Union[self, other]  # noqa: UP007

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007

    def __repr__(self) -> str:
        return f"<class '{self.type_name}'>"


def legacy_type(name: str, kind: DType) -> LegacyType:
    """An old-style class such as torch.FloatTensor."""
    return LegacyType(name, kind)


class VariableType:
    """`autograd.Variable`, the old name of Tensor; a call makes a leaf over data's memory."""

    __slots__ = ()

    def __call__(self, data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor:
        return data.detach().requires_grad_(requires_grad)

    def __instancecheck__(self, x: Any) -> bool:
        return isinstance(x, Tensor)


Variable = VariableType()
