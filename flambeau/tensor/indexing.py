"""`x[...]` and `x[...] = value`.

In: a tensor and Python's index. Out: a view where ints, slices, None and Ellipsis suffice, a gather
where a tensor, list, array or bool is among them.

    x[1, :, None]     one slice and one reshape; a view
    x[idx, 2:]        the view x[:, 2:], then take(idx, dims=(0,))
    x[mask] = 0       where(mask, 0, x): no need to know how many
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.grad_mode import state
from ..core import dtype as dt
from ..core.layout import Layout, check_index, slice_range
from ..graph.node import Node
from ..graph.primitive import CAST, EXPAND, PERMUTE, PUT, RESHAPE, SLICE, TAKE
from ..ops import algebra as alg
from ..ops import known
from ..ops.indexing import check_index as checked
from . import functionalize as f
from . import inplace
from .dispatch import Call, finish
from .labels import of_name
from .tensor import Tensor, method
from .views import again, make, plain

Shape = tuple[int, ...]


class _Plan:
    """An index taken apart: per dim of x a slice, which dims go, where new ones come, and gathers.

    `form` lists the dims of the view: a dim of x, or -1 - d for one inserted before dim d;
    `gathers` maps places in the view to index nodes or masks.
    """

    __slots__ = ("form", "gathers", "label", "shape", "start", "step")

    def __init__(self, shape: Shape) -> None:
        self.shape = list(shape)
        self.start = [0] * len(shape)
        self.step = [1] * len(shape)
        self.form: list[int] = []
        self.gathers: list[tuple[int, Any]] = []
        self.label = "alias"


def _is_gather(key: Any) -> bool:
    return isinstance(key, (Tensor, list, tuple, np.ndarray, bool, np.bool_))


def _width(key: Any) -> int:
    """How many dims an entry of the index uses up."""
    if key is None or key is Ellipsis or key is True or key is False:
        return 0
    if isinstance(key, Tensor):
        return len(key._shape) if key.dtype in (dt.bool_, dt.uint8) else 1
    if isinstance(key, np.ndarray) and key.dtype == np.bool_:
        return key.ndim
    return 1


def _as_index(key: Any) -> Any:
    """A list, tuple or array of positions as a tensor."""
    if type(key) is int or type(key) is slice:
        return key
    from .creation import from_numpy, tensor
    if isinstance(key, np.ndarray):
        return from_numpy(np.ascontiguousarray(key).copy())
    if isinstance(key, (list, tuple, range)):
        found = tensor(list(key))
        return found if found.numel() else found.long()
    return key


def plan(x: Tensor, key: Any) -> _Plan:
    """Take an index apart; IndexError and TypeError in PyTorch's words."""
    keys = list(key) if type(key) is tuple else [key]
    keys = [_as_index(k) for k in keys]
    rank = len(x._shape)
    used = sum(map(_width, keys))
    if used > rank:
        if rank == 0 and len(keys) == 1:
            raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
                             "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number")
        raise IndexError(f"too many indices for tensor of dimension {rank}")
    p = _Plan(x._shape)
    d = 0
    for k in keys:
        d = _entry(p, k, d, rank - used)
    p.form.extend(range(d, rank))
    return p


def _entry(p: _Plan, k: Any, d: int, rest: int) -> int:
    """Add one entry of the index, which begins at dim d; the dim after it."""
    if isinstance(k, slice):
        step = 1 if k.step is None else k.step.__index__()
        n = p.shape[d]
        first, count = slice_range(n, None if k.start is None else k.start.__index__(),
                                   None if k.stop is None else k.stop.__index__(), step)
        p.start[d], p.step[d], p.shape[d] = first, step, count
        if (first, count, step) != (0, n, 1):
            p.label = "slice"
        p.form.append(d)
        return d + 1
    if k is None:
        p.form.append(-1 - d)
        p.label = "unsqueeze"
        return d
    if k is Ellipsis:
        p.form.extend(range(d, d + rest))
        return d + rest
    if isinstance(k, (bool, np.bool_)):
        p.gathers.append((len(p.form), bool(k)))
        p.form.append(-1 - d)
        return d
    if isinstance(k, Tensor):
        return _tensor_entry(p, k, d)
    if isinstance(k, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(k).__name__}'")
    if isinstance(k, float) or not hasattr(k, "__index__"):
        raise IndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte "
                         "Variables are valid indices (got " + type(k).__name__ + ")")
    _select(p, k.__index__(), d)
    return d + 1


def _select(p: _Plan, at: int, d: int) -> None:
    p.start[d] = check_index(at, p.shape[d], d)
    p.shape[d] = 1
    p.label = "select"


def _tensor_entry(p: _Plan, k: Tensor, d: int) -> int:
    if k.dtype.kind not in "biu" or k.dtype in (dt.uint16, dt.uint32, dt.uint64):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    mask = k.dtype in (dt.bool_, dt.uint8)
    if not k._shape and not mask:
        _select(p, int(k), d)
        return d + 1
    if not k._shape:
        p.gathers.append((len(p.form), bool(k)))
        p.form.append(-1 - d)
        return d
    p.gathers.append((len(p.form), k))
    width = len(k._shape) if mask else 1
    p.form.extend(range(d, d + width))
    return d + width


# ---------------------------------------------------------------- the view part


def _sliced(p: _Plan, node: Node) -> Node:
    start, step, shape = tuple(p.start), tuple(p.step), tuple(p.shape)
    if shape != node.shape or any(start) or step.count(1) != len(step):
        node = SLICE(node, start=start, step=step, shape=shape)
    final = tuple([1 if d < 0 else shape[d] for d in p.form])
    return node if final == node.shape else RESHAPE(node, shape=final)


def _layout(p: _Plan, layout: Layout) -> Layout:
    cut = layout.slice(tuple(p.start), tuple(p.step), tuple(p.shape))
    shape: list[int] = []
    stride: list[int] = []
    for d in p.form:
        if d >= 0:
            shape.append(cut.shape[d])
            stride.append(cut.stride[d])
        else:
            behind = -1 - d                     # as it was: PyTorch applies the entries in turn
            shape.append(1)
            stride.append(layout.shape[behind] * layout.stride[behind]
                          if behind < layout.ndim else 1)
    return Layout(tuple(shape), tuple(stride), cut.offset)


def _view(x: Tensor, p: _Plan, key: Any = None) -> Tensor:
    c = Call()
    node = _sliced(p, c.take(x))
    return make(x, _layout(p, f.layout_of(x)), node, c, of_name(p.label), key)


def _key(key: Any) -> Any:
    """A name for an index of ints, slices, None and Ellipsis; None for any other."""
    entries = key if type(key) is tuple else (key,)
    names: list[Any] = [slice]                  # apart from the arguments of a view's function
    for k in entries:
        if type(k) is slice:
            k = (k.start, k.stop, k.step)
            if not plain(k):
                return None
        elif type(k) not in _NAMED:
            return None
        names.append(k)
    return tuple(names)


_NAMED = frozenset({int, type(None), type(Ellipsis)})


# ---------------------------------------------------------------- the gather part


def _gather(p: _Plan, x: Node) -> tuple[list[Node], Shape]:
    """Checked index nodes for dims of the view x, and those dims."""
    indices: list[Node] = []
    dims: list[int] = []
    for place, k in p.gathers:
        if isinstance(k, bool):
            indices.append(known.constant(np.zeros(int(k), np.int64)))
            dims.append(place)
        elif k.dtype in (dt.bool_, dt.uint8):
            for i, positions in enumerate(_positions(k, x, place)):
                indices.append(known.constant(positions))
                dims.append(place + i)
        else:
            indices.append(checked(f.read(k), x.shape[place], place))
            dims.append(place)
    shapes = [i.shape for i in indices]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        raise IndexError("shape mismatch: indexing tensors could not be broadcast together with "
                         f"shapes {', '.join(str(list(s)) for s in shapes)}") from None
    return indices, tuple(dims)


def _positions(mask: Tensor, x: Node, place: int) -> tuple[np.ndarray[Any, Any], ...]:
    _check_mask(mask, x, place)
    found = np.nonzero(known.array(f.read(mask)))
    return tuple(i.astype(np.int64) for i in found)


def _check_mask(mask: Tensor, x: Node, place: int) -> None:
    """Extents must agree; a mask without elements selects none (the array API standard's rule)."""
    for i, n in enumerate(mask._shape):
        if n not in (x.shape[place + i], 0):
            raise IndexError(f"The shape of the mask {list(mask._shape)} at index {i} does not "
                             f"match the shape of the indexed tensor {list(x.shape)} at index "
                             f"{place + i}")


def _front_rank(indices: list[Node]) -> int:
    return max(i.ndim for i in indices)


def _order(dims: Shape, front: int, rank: int) -> Shape:
    """How the dims of take's result (indices first) come to stand where PyTorch has them."""
    if dims != tuple(range(dims[0], dims[0] + len(dims))):
        return tuple(range(rank))
    before = dims[0]
    return (*range(front, front + before), *range(front), *range(front + before, rank))


def taken(x: Node, indices: list[Node], dims: Shape) -> Node:
    """x indexed by tensors at `dims`."""
    out = TAKE(x, *indices, dims=dims)
    order = _order(dims, _front_rank(indices), out.ndim)
    return out if order == tuple(range(out.ndim)) else PERMUTE(out, dims=order)


# ---------------------------------------------------------------- reading


@method
def __getitem__(self: Tensor, key: Any) -> Tensor:
    name = _key(key) if self.__class__ is Tensor else None
    if name is not None:
        found = again(self, name)
        if found is not None:
            return found
    p = plan(self, key)
    if not p.gathers:
        return _view(self, p, name)
    c = Call()
    x = _sliced(p, c.take(self))
    indices, dims = _gather(p, x)
    return finish(taken(x, indices, dims), c, of_name("index"))


@method
def __iter__(self: Tensor) -> Any:
    if not self._shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


# ---------------------------------------------------------------- writing


def _value(value: Any, like: Tensor) -> Tensor:
    from .creation import scalar_tensor, tensor
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (bool, int, float, complex, np.generic)):
        number = value.item() if isinstance(value, np.generic) else value
        if isinstance(number, complex) and like.dtype.kind != "c":
            raise RuntimeError(f"value cannot be converted to type {like.dtype.name} without "
                               "overflow")
        return scalar_tensor(number, dtype=like.dtype)
    if isinstance(value, (list, tuple)) or value is None:
        raise TypeError(f"can't assign a {type(value).__name__} to a {like.type()}")
    return tensor(value)


@method
def __setitem__(self: Tensor, key: Any, value: Any) -> None:
    p = plan(self, key)
    whole = p.label == "alias" and p.form == list(range(len(self._shape)))
    target = self if whole else _view(self, p)
    if not p.gathers:
        if isinstance(value, (bool, int, float)):
            f.check_inplace(target, state.grad and f.requires_grad(target))
            inplace.fill(target, value)
        else:
            _assign(target, _value(value, self))
        return
    source = _value(value, self)
    f.check_inplace(target, state.grad and (f.requires_grad(target) or f.requires_grad(source)),
                    uniform=True)
    mask = _lone_mask(p, target)
    if mask is not None and not source._shape:
        _fill_masked(target, mask, source)
    else:
        c = Call()
        x = c.take(target)
        indices, dims = _gather(p, x)
        _put(target, c, x, indices, dims, source, "set")


def _assign(target: Tensor, source: Tensor) -> None:
    """target.copy_(source), less the extents of 1 in front that target does not have."""
    shape = source._shape
    while len(shape) > len(target._shape) and shape[0] == 1:
        shape = shape[1:]
    if shape != source._shape:
        source = source.view(shape)
    try:
        inplace.copy(target, source)
    except RuntimeError as error:
        if str(error).startswith("The size of tensor a"):
            raise _no_fit(list(target._shape), list(shape)) from None
        if not str(error).startswith("expand("):
            raise
        raise RuntimeError(f"shape mismatch: value tensor of shape {list(shape)} cannot be "
                           "broadcast to indexing result of shape "
                           f"{list(target._shape)}") from None


def _no_fit(target: list[int], source: list[int]) -> RuntimeError:
    """The error for values that cannot be expanded to what they are written to."""
    lead = len(target) - len(source)
    d = max(d for d in range(len(source)) if source[d] not in (1, target[d + lead]))
    return RuntimeError(
        f"The expanded size of the tensor ({target[d + lead]}) must match the existing size "
        f"({source[d]}) at non-singleton dimension {d + lead}.  Target sizes: {target}.  Tensor "
        f"sizes: {source}")


def _lone_mask(p: _Plan, x: Tensor) -> Tensor | None:
    if len(p.gathers) != 1:
        return None
    place, k = p.gathers[0]
    if isinstance(k, bool) or k.dtype is not dt.bool_ or place:
        return None
    _check_mask(k, f.read(x), place)
    return k


def _fill_masked(x: Tensor, mask: Tensor, value: Tensor) -> None:
    """x[mask] = one value."""
    c = Call()
    node = c.take(x)
    m = f.read(mask)
    m = EXPAND(RESHAPE(m, shape=m.shape + (1,) * (node.ndim - m.ndim)), shape=node.shape) \
        if m.shape != node.shape else m
    v = c.take(value)
    v = CAST(v, dtype=node.dtype) if v.dtype is not node.dtype else v
    _write(x, alg.where(m, v, node), c)


def _put(x: Tensor, c: Call, node: Node, indices: list[Node], dims: Shape, value: Tensor,
         mode: str) -> None:
    v = c.take(value)
    if v.dtype is not node.dtype:
        if mode == "set" and isinstance(value, Tensor) and v.ndim == 0:
            v = CAST(v, dtype=node.dtype)
        elif v.dtype is not node.dtype:
            v = CAST(v, dtype=node.dtype)
    _write(x, placed(node, v, indices, dims, mode), c)


def placed(node: Node, v: Node, indices: list[Node], dims: Shape, mode: str) -> Node:
    """node with v put at the indices; v broadcasts to what reading there would give."""
    front = np.broadcast_shapes(*[i.shape for i in indices])
    shape = front + tuple(n for d, n in enumerate(node.shape) if d not in dims)
    order = _order(dims, len(front), len(shape))
    seen = tuple(shape[d] for d in order)
    while v.ndim > len(seen) and v.shape[0] == 1:
        v = RESHAPE(v, shape=v.shape[1:])
    if v.shape != seen:
        lead = len(seen) - v.ndim
        if lead < 0 or any(a not in (1, b) for a, b in zip(v.shape, seen[lead:])):
            raise RuntimeError(f"shape mismatch: value tensor of shape {list(v.shape)} cannot be "
                               f"broadcast to indexing result of shape {list(seen)}")
        v = EXPAND(v, shape=seen)
    back = tuple(order.index(d) for d in range(len(order)))
    if back != tuple(range(len(back))):
        v = PERMUTE(v, dims=back)
    return PUT(node, v, *indices, dims=dims, mode=mode)


def _write(x: Tensor, result: Node, c: Call) -> None:
    tracked = c.track and state.grad
    f.check_inplace(x, tracked, uniform=True)
    inplace.put(x, result, c, of_name("index_put"), tracked)


@method
def __delitem__(self: Tensor, key: Any) -> None:
    raise TypeError("Tensor does not support deleting items")
