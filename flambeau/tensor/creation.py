"""New tensors from numbers, lists, arrays and rules.

In: PyTorch's arguments. Out: tensors. Random ones stand in `random`.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.defaults import default_dtype, set_default_dtype
from ..core.device import CPU, META, check_device
from ..core.dtype import BY_NUMPY
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.layout import channels_last, contiguous
from ..graph.node import Node
from ..graph.primitive import EXPAND, const, spec
from ..runtime.buffer import Buffer
from . import functionalize as f
from . import pinning
from .conversion import ordered, values
from .infer import parse
from .size import Size
from .storage import Storage
from .tensor import Tensor, _makers, method

Array = np.ndarray[Any, Any]


def finish(node: Node, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A new leaf."""
    place = CPU if device is None else check_device(device)
    if place is META:
        node = spec(node.shape, node.dtype)
    t = f.wrap(node, place)
    if requires_grad:
        t.requires_grad_(True)
    return t


def from_array(array: Array, kind: DType | None = None) -> Node:
    """A node owning this array, which nobody else may change."""
    array = np.asarray(array, order="C")
    return pinning.array_node(array, kind or BY_NUMPY[array.dtype])


def size_of(args: Sequence[Any], name: str = "size") -> tuple[int, ...]:
    """Sizes given as `f(2, 3)` or `f((2, 3))`."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
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
        if n < 0:
            raise RuntimeError("Trying to create tensor with negative dimension "
                               f"{n}: {shape}")
    return tuple(shape)


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
        from ..graph.primitive import CAST
        if dtype is not None and dtype is not node.dtype:
            node = CAST(node, dtype=dtype)
        return finish(node, requires_grad, device or data._storage.device)
    array, kind = parse(data, dtype)
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
    node = const(value, kind)
    return finish(EXPAND(node, shape=shape) if shape else node, requires_grad, device)


def _out(out: Tensor | None, made: Tensor) -> Tensor:
    if out is None:
        return made
    from .inplace import copy_into
    copy_into(out, f.read(made))
    return out


def zeros(*size: Any, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
          requires_grad: bool = False, pin_memory: bool = False, names: Any = None) -> Tensor:
    _check_layout(layout)
    kind = dtype or (out.dtype if out is not None else default_dtype())
    return _out(out, filled(size_of(size, "zeros"), 0, kind, device, requires_grad))


def ones(*size: Any, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
         requires_grad: bool = False, pin_memory: bool = False, names: Any = None) -> Tensor:
    _check_layout(layout)
    kind = dtype or (out.dtype if out is not None else default_dtype())
    return _out(out, filled(size_of(size, "ones"), 1, kind, device, requires_grad))


def empty(*size: Any, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
          requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
          names: Any = None) -> Tensor:
    """Zeros: flambeau does not show you old memory."""
    _check_layout(layout)
    kind = dtype or (out.dtype if out is not None else default_dtype())
    t = _out(out, filled(size_of(size, "empty"), 0, kind, device, requires_grad))
    return _in_order(t, memory_format)


def _in_order(t: Tensor, memory_format: Any) -> Tensor:
    if memory_format is not None and memory_format.name.startswith("channels_last"):
        t._layout = channels_last(t._shape)
        node = t._storage.value
        t._storage.value = ordered(node, t._layout).value
    return t


def full(size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, layout: Any = None,
         device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
         names: Any = None) -> Tensor:
    _check_layout(layout)
    value = fill_value.item() if isinstance(fill_value, (Tensor, np.generic)) else fill_value
    kind = dtype or (out.dtype if out is not None else _kind_of(fill_value))
    if isinstance(value, complex) and kind.kind != "c":
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")
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
    t = filled(input._shape, value, dtype or input.dtype, place, requires_grad)
    if memory_format is None or memory_format.name == "preserve_format":
        if input._layout is not None:
            _keep_order(t, input._layout)
        return t
    return _in_order(t, memory_format)


def _keep_order(t: Tensor, layout: Any) -> None:
    from ..core.layout import preserved
    kept = preserved(layout)
    if not kept.is_contiguous:
        node = t._storage.value
        t._storage.value = ordered(node, kept).value
        t._layout = kept


def zeros_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
               requires_grad: bool = False, memory_format: Any = None,
               pin_memory: bool = False) -> Tensor:
    return _like(_tensor_argument(input, "zeros_like"), 0, dtype, device, requires_grad,
                 memory_format)


def ones_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
              requires_grad: bool = False, memory_format: Any = None,
              pin_memory: bool = False) -> Tensor:
    return _like(_tensor_argument(input, "ones_like"), 1, dtype, device, requires_grad,
                 memory_format)


def empty_like(input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
               requires_grad: bool = False, memory_format: Any = None,
               pin_memory: bool = False) -> Tensor:
    return _like(_tensor_argument(input, "empty_like"), 0, dtype, device, requires_grad,
                 memory_format)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None,
              device: Any = None, requires_grad: bool = False, memory_format: Any = None,
              pin_memory: bool = False) -> Tensor:
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
    from ..core.layout import Layout
    made = Layout(tuple(size), tuple(stride), 0)
    t = filled((made.span,), 0, dtype or default_dtype(), device)
    t._shape, t._layout = made.shape, made
    return t.requires_grad_() if requires_grad else t


def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, layout: Any = None,
                   device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
                   ) -> Tensor:
    inner = contiguous(tuple(size[d] for d in physical_layout)).stride
    stride = [0] * len(size)
    for d, s in zip(physical_layout, inner):
        stride[d] = s
    return empty_strided(size, stride, dtype=dtype, device=device, requires_grad=requires_grad)


def scalar_tensor(s: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
                  pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    return filled((), s, dtype or default_dtype(), device, requires_grad)


# ---------------------------------------------------------------- sequences


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, (Tensor, np.generic)) else x


def arange(*args: Any, start: Any = None, end: Any = None, step: Any = None, out: Any = None,
           dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
           pin_memory: bool = False) -> Tensor:
    """start, start + step, ... below end."""
    given = [_number(a) for a in args]
    first, last, by = 0, end, 1
    if len(given) == 1:
        last = given[0]
    elif len(given) > 1:
        first, last = given[0], given[1]
        by = given[2] if len(given) > 2 else 1
    first = _number(start) if start is not None else first
    last = _number(end) if end is not None else last
    by = _number(step) if step is not None else by
    if start is not None and len(given) == 1 and end is None:
        last = given[0]
    if last is None:
        raise TypeError("arange() received an invalid combination of arguments")
    _check_range(first, last, by)
    kind = dtype or (out.dtype if out is not None else _range_kind(first, last, by))
    if all(isinstance(v, int) for v in (first, last, by)):
        count = -(-(last - first) // by)
        array = first + np.arange(count, dtype=np.int64) * by
    else:
        count = math.ceil((last - first) / by)
        array = first + np.arange(count, dtype=np.float64) * by
    return _out(out, finish(from_array(array.astype(kind.numpy), kind), requires_grad, device))


def _check_range(first: Any, last: Any, by: Any) -> None:
    if by == 0:
        raise RuntimeError("step must be nonzero")
    if not all(math.isfinite(v) for v in (first, last)):
        raise RuntimeError(f"unsupported range: {first} -> {last}")
    if (last - first) * by < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def _range_kind(*bounds: Any) -> DType:
    return default_dtype() if any(isinstance(b, float) for b in bounds) else dt.int64


def range_(start: Any = 0, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None,
           layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """As arange, with the end included (deprecated in PyTorch)."""
    if end is None:
        start, end = 0, start
    _check_range(start, end, step)
    count = math.floor((end - start) / step) + 1
    array = start + np.arange(count, dtype=np.float64) * step
    kind = dtype or default_dtype()
    return _out(out, finish(from_array(array.astype(kind.numpy), kind), requires_grad, device))


def linspace(start: Any, end: Any, steps: int, *, out: Any = None, dtype: Any = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False,
             pin_memory: bool = False) -> Tensor:
    """`steps` values from start to end, both included."""
    start, end, steps = _number(start), _number(end), int(_number(steps))
    array, kind = _spaced(start, end, steps, dtype, out)
    return _out(out, finish(from_array(array.astype(kind.numpy), kind), requires_grad, device))


def _spaced(start: Any, end: Any, steps: int, dtype: Any, out: Any) -> tuple[Array, DType]:
    """Symmetric about the middle, computed in the precision of the result as PyTorch does."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    complex_ = isinstance(start, complex) or isinstance(end, complex)
    kind = dtype or (out.dtype if out is not None else
                     default_dtype().to_complex() if complex_ else default_dtype())
    if complex_ and kind.kind != "c":
        raise RuntimeError(f"linspace(): inferred dtype {default_dtype().to_complex()} can't be "
                           f"safely cast to passed dtype {kind}")
    if steps == 1:
        return np.array([start]), kind
    wide = {"float64": np.float64, "complex64": np.complex64, "complex128": np.complex128}.get(
        kind.name, np.float32 if kind.kind == "f" else np.float64)
    first, last = wide(start), wide(end)
    by = wide((last - first) / wide(max(steps - 1, 1)))
    k = np.arange(steps)
    up = first + (by * k.astype(wide)).astype(wide)
    down = last - (by * (steps - 1 - k).astype(wide)).astype(wide)
    array = np.where(k < steps // 2, up, down)
    return (np.trunc(array) if kind.kind in "iu" else array), kind


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, out: Any = None,
             dtype: Any = None, layout: Any = None, device: Any = None,
             requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    start, end, steps = _number(start), _number(end), int(_number(steps))
    base = _number(base)
    kind = dtype or (out.dtype if out is not None else default_dtype())
    wide = dt.float64 if kind.kind in "iuf" else kind
    array, _ = _spaced(start, end, steps, wide, None)
    found = np.power(base, array)
    return _out(out, finish(from_array(found.astype(kind.numpy), kind), requires_grad, device))


def eye(n: int, m: int | None = None, *, out: Any = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    rows, columns = n.__index__(), (n if m is None else m).__index__()
    if rows < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {rows}")
    if columns < 0:
        raise RuntimeError(f"m must be greater or equal to 0, got {columns}")
    kind = dtype or (out.dtype if out is not None else default_dtype())
    array = np.eye(rows, columns, dtype=kind.numpy)
    return _out(out, finish(from_array(array, kind), requires_grad, device))


def _triangle(find: Any, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        name = "row" if row < 0 else "col"
        raise RuntimeError(f"{name} must be non-negative, got{min(row, col)}")
    kind = dtype or dt.int64
    if kind.kind not in "iu":
        from ..core.errors import scalar_name
        raise RuntimeError(f"\"tril_indices\" not implemented for '{scalar_name(kind)}'")
    pairs = np.stack(find(row, offset, col)).astype(kind.numpy)
    return finish(from_array(pairs, kind), False, device)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None,
                 layout: Any = None) -> Tensor:
    return _triangle(np.tril_indices, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None,
                 layout: Any = None) -> Tensor:
    return _triangle(np.triu_indices, row, col, offset, dtype, device)


# ---------------------------------------------------------------- Tensor.new_*


def _new_maker(name: str, value: Any) -> None:
    def new(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, layout: Any = None,
            requires_grad: bool = False, pin_memory: bool = False, **named: Any) -> Tensor:
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
    return full(size, fill_value, dtype=dtype or self.dtype, device=device,
                requires_grad=requires_grad)


@method
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None,
               requires_grad: bool = False, layout: Any = None, pin_memory: bool = False) -> Tensor:
    if isinstance(data, Tensor):
        t = data.detach().clone().to(dtype or data.dtype)
        return t.requires_grad_(requires_grad)
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


@method
def new_empty_strided(self: Tensor, size: Any, stride: Any, dtype: Any = None, device: Any = None,
                      requires_grad: bool = False, layout: Any = None, pin_memory: bool = False,
                      ) -> Tensor:
    return empty_strided(size, stride, dtype=dtype or self.dtype, requires_grad=requires_grad)


@method
def new(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return _legacy(self.dtype, args)


# ---------------------------------------------------------------- legacy constructors


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
    return as_class(self, cls)


class _LegacyType(type):
    """Makes `isinstance(t, torch.FloatTensor)` true for every float32 tensor on the CPU."""

    kind: DType

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and x.dtype is cls.kind


def legacy_type(name: str, kind: DType) -> type:
    """`torch.FloatTensor` and its kin: makes tensors, and is the type of those of its dtype."""
    def make(cls: type, *args: Any, **kwargs: Any) -> Tensor:
        return _legacy(kind, (kwargs["data"],) if "data" in kwargs else args)

    made = _LegacyType(name, (), {"__new__": make, "kind": kind, "dtype": kind,
                                  "type_name": f"torch.{name}", "__module__": "torch"})
    return made


def is_tensor(obj: Any) -> bool:
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    return _tensor_argument(input, "numel").numel()


def get_default_dtype() -> DType:
    return default_dtype()


__all__ = ["set_default_dtype", "values"]
