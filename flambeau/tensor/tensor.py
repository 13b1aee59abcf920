"""`Tensor`, the user's object: a storage, a layout and a place in the tape.

In: nothing; this file only declares the object. Its operations come from the table
(`tensor/dispatch`), its other methods from `attributes`, `conversion`, `gradients` and `indexing`
beside this file, which put them here with `@method`.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _Cell:
    """The fields of a tensor.

    _storage   the cell that holds the value, shared with views
    _counter   what counts writes: the storage, or a cell of its own for what `.data` gives
    _shape     the logical shape, a plain tuple
    dtype      the element type
    _layout    None while the tensor is its whole storage in row-major order, else a Layout
    _cache     (value of the storage, this tensor's node) for tensors with a layout
    _auto      autograd's part (autograd.tape.Auto), None for a plain tensor
    """

    __slots__ = ("__weakref__", "_auto", "_cache", "_counter", "_layout", "_shape", "_storage",
                 "dtype")


class Tensor(_Cell):
    """A multi-dimensional array whose operations are recorded and computed when looked at."""

    _storage: Any
    _counter: Any
    _shape: tuple[int, ...]
    dtype: Any
    _layout: Any
    _cache: Any
    _auto: Any

    if TYPE_CHECKING:                           # put here by the table and the files named above
        def __getattr__(self, name: str) -> Any: ...
        __add__: Any
        __radd__: Any
        __sub__: Any
        __rsub__: Any
        __mul__: Any
        __rmul__: Any
        __truediv__: Any
        __neg__: Any
        __lt__: Any
        __gt__: Any
        __and__: Any
        __or__: Any
        __getitem__: Any
        __setitem__: Any
        __len__: Any
        __int__: Any
        __float__: Any
        __iter__: Any

    __array_priority__ = 1000
    is_cuda = False
    is_sparse = False
    is_sparse_csr = False
    is_quantized = False
    is_mkldnn = False
    is_mps = False
    is_xpu = False
    is_xla = False
    is_ipu = False
    is_hpu = False
    is_vulkan = False
    is_maia = False
    is_mtia = False
    is_nested = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        return legacy(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass


def legacy(cls: type, *args: Any, **kwargs: Any) -> Tensor:
    """`Tensor(2, 3)`, `Tensor([1., 2.])`; creation installs the maker."""
    return _makers["Tensor"](cls, *args, **kwargs)


_makers: dict[str, Callable[..., Tensor]] = {}


def method(fn: F) -> F:
    """Make a function a method of Tensor."""
    setattr(Tensor, fn.__name__, fn)
    return fn


def attribute(fn: Callable[[Any], Any]) -> property:
    """Make a function of self a read-only attribute of Tensor."""
    made = property(fn)
    setattr(Tensor, fn.__name__, made)
    return made
