"""New tensors from numbers, lists, arrays and rules.

In: PyTorch's arguments. Out: tensors. Random ones stand in `random`.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.defaults import default_dtype, set_default_dtype
from ..core.device import META, check_device, default_place
from ..core.dtype import BY_NUMPY
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.errors import overflow
from ..core.layout import channels_last, contiguous
from ..graph.node import Node
from ..graph.primitive import CAST, EXPAND, const, spec
from ..runtime.buffer import Buffer
from . import functionalize as f
from . import pinning
from .infer import parse
from .tensor import Tensor

Array = np.ndarray[Any, Any]


def finish(node: Node, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new leaf."""
    place = default_place() if device is None else check_device(device)
    if place is META:
        node = spec(node.shape, node.dtype)
    t = f.wrap(node, place)
    if requires_grad:
        if node.dtype.kind not in "fc":
            raise RuntimeError("Only Tensors of floating point and complex dtype can require "
                               "gradients")
        t.requires_grad_(True)
    return t


def from_array(array: Array, kind: DType | None = None) -> Node:
    """A node owning this array, which nobody else may change."""
    array = np.asarray(array, order="C")
    return pinning.array_node(array, kind or BY_NUMPY[array.dtype])


def size_of(args: Sequence[Any], name: str = "size") -> tuple[int, ...]:
    """Sizes given as `f(2, 3)` or `f((2, 3))`."""
    if len(args) == 1:
        if isinstance(args[0], (tuple, list)):
            args = args[0]
        elif isinstance(args[0], (str, float)):
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not "
                            f"{type(args[0]).__name__}")
    shape: list[int] = []
    for n in args:
        if type(n) is not int:
            if isinstance(n, float) or not hasattr(n, "__index__"):
                raise TypeError(f"{name}(): argument 'size' failed to unpack the object at pos "
                                f"{len(shape) + 1} with error \"type must be tuple of ints,but got "
                                f"{type(n).__name__}\"")
            n = n.__index__()
        shape.append(n)
    for n in shape:
        if n < 0 and name == "zeros":
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        if n < 0:
            raise RuntimeError("Trying to create tensor with negative dimension "
                               f"{n}: {shape}")
    return tuple(shape)


def chosen(name: str, kind: Any, out: Tensor | None = None, other: DType | None = None) -> DType:
    """The type that was asked for, that of `out`, another, or the default one."""
    if kind is None:
        return out.dtype if out is not None else other or default_dtype()
    if not isinstance(kind, DType):
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not "
                        f"{type(kind).__name__}")
    return kind


def _check_layout(layout: Any) -> None:
    if layout is not None and layout.name != "strided":
        raise NotImplementedError(f"flambeau has no {layout} tensors")


# ---------------------------------------------------------------- from data


def tensor(data: Any, *, dtype: DType | None = None, device: Any = None,
           requires_grad: bool = False, pin_memory: bool = False, names: Any = None) -> Tensor:
    """A copy of nested lists, numbers, arrays or tensors."""
    if isinstance(data, Tensor):
        import warnings
        warnings.warn("To copy construct from a tensor, it is recommended to use "
                      "sourceTensor.detach().clone() or "
                      "sourceTensor.detach().clone().requires_grad_(True), rather than "
                      "torch.tensor(sourceTensor).", stacklevel=2)
        node = f.read(data)
        if dtype is not None and dtype is not node.dtype:
            node = CAST(node, dtype=dtype)
        return finish(node, requires_grad, device or data._storage.device)
    array, kind = parse(data, None if dtype is None else chosen("tensor", dtype))
    return finish(from_array(array, kind), requires_grad, device)


def as_tensor(data: Any, dtype: DType | None = None, device: Any = None) -> Tensor:
    """A tensor that shares memory with `data` where that is possible."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    if isinstance(data, np.ndarray) and data.dtype in BY_NUMPY and all(
            s >= 0 for s in data.strides):
        t = from_numpy(data)
        return t if dtype is None else t.to(dtype)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj: Any, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None,
            requires_grad: bool = False) -> Tensor:
    """A tensor of an array, a buffer, a list or a tensor; shares memory where it can."""
    elements = getattr(type(obj), "_flat", None)
    if elements is not None:                    # a storage, which knows its own as a tensor
        obj = elements(obj)
    if isinstance(obj, (Tensor, np.ndarray, np.generic)) or hasattr(obj, "__dlpack__"):
        base = obj if isinstance(obj, Tensor) else as_tensor(np.asarray(obj))
        t = base if dtype is None else base.to(dtype)
        if copy and t is base:
            t = t.clone()
        elif copy is False and t is not base:
            raise ValueError("can't alias tensor with dtype different from "
                             f"'{base.dtype}'")
        if t.requires_grad and not requires_grad:
            t = t.detach()
        return t.requires_grad_() if requires_grad else t
    if isinstance(obj, (bytes, bytearray, memoryview)):
        return frombuffer(obj, dtype=dtype or default_dtype(), requires_grad=requires_grad)
    if copy is False:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    return tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor over the array's own memory: changes are seen both ways."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    kind = BY_NUMPY.get(ndarray.dtype)
    if kind is None:
        raise TypeError(
            f"can't convert np.ndarray of type {ndarray.dtype.type.__module__}."
            f"{ndarray.dtype.type.__name__}. The only supported types are: float64, float32, "
            "float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, "
            "uint8, and bool.")
    if any(s < 0 for s in ndarray.strides):
        raise ValueError("At least one stride in the given numpy array is negative, and tensors "
                         "with negative strides are not currently supported. (You can probably "
                         "work around this by making a copy of your array  with array.copy().) ")
    item = ndarray.itemsize
    if any(s % item for s in ndarray.strides):
        raise ValueError("given numpy array strides not a multiple of the element byte size. Copy "
                         "the numpy array to reallocate the memory.")
    return _over(ndarray, kind)


def _over(array: Array, kind: DType) -> Tensor:
    """A tensor over a foreign array's memory."""
    from ..core.layout import Layout
    shape, item = array.shape, array.itemsize
    if array.flags.c_contiguous:
        buffer = Buffer.from_numpy(array)
        node = pinning.buffer_node(buffer, shape, kind)
        t = f.wrap(node)
        t._storage.pin = pinning.Pin(buffer)
        return t
    layout = Layout(shape, tuple(s // item for s in array.strides), 0)
    buffer = Buffer.from_numpy(array)
    t = f.wrap(pinning.buffer_node(buffer, (layout.span,), kind))
    t._storage.pin = pinning.Pin(buffer)
    t._shape, t._layout = shape, layout
    return t


def frombuffer(buffer: Any, *, dtype: DType, count: int = -1, offset: int = 0,
               requires_grad: bool = False) -> Tensor:
    """A tensor on the memory of a buffer."""
    view = memoryview(buffer)
    size = view.nbytes
    if size == 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer "
                         f"length ({size} bytes) minus 1")
    if count < 0 and (size - offset) % dtype.itemsize:
        raise ValueError(f"buffer length ({size - offset} bytes) after offset ({offset} bytes) "
                         "must "
                         f"be a multiple of element size ({dtype.itemsize})")
    if count > 0 and offset + count * dtype.itemsize > size:
        raise ValueError(f"requested buffer length ({count} * {dtype.itemsize} bytes) after offset "
                         f"({offset} bytes) must not be greater than actual buffer length ({size} "
                         "bytes)")
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    t = _over(array, dtype)
    return t.requires_grad_() if requires_grad else t


# ---------------------------------------------------------------- filled


def filled(shape: tuple[int, ...], value: Any, kind: DType, device: Any = None,
           requires_grad: bool = False) -> Tensor:
    """A tensor of one value, made without a program."""
    node = const(value, kind)
    return finish(EXPAND(node, shape=shape) if shape else node, requires_grad, device)


def _out(out: Tensor | None, made: Tensor) -> Tensor:
    if out is None:
        return made
    from .resizing import copy_into
    copy_into(out, f.read(made))
    return out


def zeros(*sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None,
          device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
          names: Any = None) -> Tensor:
    """A tensor of zeros."""
    _check_layout(layout)
    kind = chosen("zeros", dtype, out)
    shape = size_of(sizes if size is None else (size,), "zeros")
    return _out(out, filled(shape, 0, kind, device, requires_grad))


def ones(*sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None,
         device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
          names: Any = None) -> Tensor:
    """A tensor of ones."""
    _check_layout(layout)
    kind = chosen("ones", dtype, out)
    shape = size_of(sizes if size is None else (size,), "ones")
    return _out(out, filled(shape, 1, kind, device, requires_grad))


def empty(*sizes: Any, size: Any = None, out: Any = None, dtype: Any = None, layout: Any = None,
          device: Any = None,
          requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
          names: Any = None) -> Tensor:
    """Zeros: flambeau does not show you old memory."""
    _check_layout(layout)
    kind = chosen("empty", dtype, out)
    shape = size_of(sizes if size is None else (size,), "empty")
    t = _out(out, filled(shape, 0, kind, device, requires_grad))
    return _in_order(t, memory_format)


def _in_order(t: Tensor, memory_format: Any) -> Tensor:
    if memory_format is not None and memory_format.name.startswith("channels_last"):
        f.lay_out(t, channels_last(t._shape))
    return t


def full(size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None,
         device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
         names: Any = None) -> Tensor:
    """A tensor of one value."""
    _check_layout(layout)
    value = fill_value.item() if isinstance(fill_value, (Tensor, np.generic)) else fill_value
    kind = chosen("full", dtype, out, _kind_of(fill_value))
    if isinstance(value, complex) and kind.kind != "c":
        raise overflow(kind)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not "
                        f"{type(size).__name__}")
    return _out(out, filled(size_of((tuple(size),), "full"), value, kind, device, requires_grad))


def _kind_of(value: Any) -> DType:
    if isinstance(value, Tensor):
        return value.dtype
    if isinstance(value, bool):
        return dt.bool_
    if isinstance(value, int):
        return dt.int64
    if isinstance(value, complex):
        return default_dtype().to_complex()
    return default_dtype()


def _like(input: Tensor, value: Any, dtype: Any, device: Any, requires_grad: bool,
          memory_format: Any) -> Tensor:
    place = device if device is not None else input._storage.device
    t = filled(input._shape, value, chosen("full_like", dtype, None, input.dtype), place,
               requires_grad)
    if memory_format is None or memory_format.name == "preserve_format":
        if input._layout is not None:
            _keep_order(t, input._layout)
        return t
    return _in_order(t, memory_format)


def _keep_order(t: Tensor, layout: Any) -> None:
    from ..core.layout import preserved
    kept = preserved(layout)
    if not kept.is_contiguous:
        f.lay_out(t, kept)


def zeros_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
               requires_grad: bool = False, memory_format: Any = None,
               pin_memory: bool = False) -> Tensor:
    """Zeros in the shape and type of the input."""
    return _like(_tensor_argument(input, "zeros_like"), 0, dtype, device, requires_grad,
                 memory_format)


def ones_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
              requires_grad: bool = False, memory_format: Any = None,
              pin_memory: bool = False) -> Tensor:
    """Ones in the shape and type of the input."""
    return _like(_tensor_argument(input, "ones_like"), 1, dtype, device, requires_grad,
                 memory_format)


def empty_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
               requires_grad: bool = False, memory_format: Any = None,
               pin_memory: bool = False) -> Tensor:
    """A tensor in the shape and type of the input; its values are anything."""
    return _like(_tensor_argument(input, "empty_like"), 0, dtype, device, requires_grad,
                 memory_format)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None,
              device: Any = None, requires_grad: bool = False, memory_format: Any = None,
              pin_memory: bool = False) -> Tensor:
    """One value in the shape and type of the input."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _like(_tensor_argument(input, "full_like"), value, dtype, device, requires_grad,
                 memory_format)


def _tensor_argument(x: Any, name: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not "
                        f"{type(x).__name__}")
    return x


def empty_strided(size: Any, stride: Any, *, dtype: Any = None, layout: Any = None,
                  device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
                  ) -> Tensor:
    """A tensor with a size and strides; its values are anything."""
    from ..core.layout import Layout
    made = Layout(tuple(size), tuple(stride), 0)
    t = filled((made.span,), 0, dtype or default_dtype(), device)
    t._shape, t._layout = made.shape, made
    return t.requires_grad_() if requires_grad else t


def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, layout: Any = None,
                   device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
                   ) -> Tensor:
    """A tensor whose dims stand in memory in an order; its values are anything."""
    _check_order(len(size), physical_layout)
    inner = contiguous(tuple(size[d] for d in physical_layout)).stride
    stride = [0] * len(size)
    for d, s in zip(physical_layout, inner):
        stride[d] = s
    return empty_strided(size, stride, dtype=dtype, device=device, requires_grad=requires_grad)


def _check_order(rank: int, order: Any) -> None:
    if len(order) != rank:
        raise RuntimeError("Number of dimensions in size does not match the length of the "
                           f"physical_layout; i.e. len(size) = {rank} is not equal to "
                           f"len(physical_layout) = {len(order)}")
    for i, d in enumerate(order):
        if not 0 <= d < rank:
            raise RuntimeError("Dimension out of range (expected to be between 0 and "
                               f"{rank - 1}, but got {d} at index {i}).  NB: negative dims not "
                               "currently supported; file an issue if you want it.")
        if d in order[:i]:
            raise RuntimeError("Duplicate dim not allowed")


def scalar_tensor(s: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
                  pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """A number as a tensor without dims, in the default type."""
    return filled((), s, dtype or default_dtype(), device, requires_grad)


def is_tensor(obj: Any) -> bool:
    """Whether an object is a tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """How many elements a tensor has."""
    return _tensor_argument(input, "numel").numel()


def get_default_dtype() -> DType:
    """The floating type of tensors made from Python numbers."""
    return default_dtype()


__all__ = ["set_default_dtype"]
