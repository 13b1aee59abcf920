"""Reading and writing at places given by index tensors.

In: nodes and integer or bool index nodes. Out: nodes made of `take` and `put`, whose indices are
int64 and in range: what is known of an index (`known.bounds`) is checked here, at the call.

    index(%0 : (4, 3), [%1 : int64(5), None])  ->  take(%0, %1, dims=(0,))
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..core import dtype as dt
from ..graph.node import Node, Shape
from ..graph.primitive import broadcast
from . import algebra as alg
from . import promotion as pro
from .known import array, bounds, constant, relied, within
from .table import public

INDEX_KINDS = (dt.int64, dt.int32)


# ---------------------------------------------------------------- checks


def check_index(index: Node, size: int, dim: int = 0, *, wrap: bool = True,
                error: Callable[[int], Exception] | None = None) -> Node:
    """The index as int64 with 0 <= i < size, negatives wrapped if `wrap`; else the error.

    `error` makes the exception from the first bad value; by default IndexError in PyTorch's words.
    """
    least = -size if wrap else 0
    fits = within(index, least, size - 1)
    low, high = bounds(index)
    if index.size and not fits:
        bad = high if high >= size else low
        if error is None:
            raise IndexError(f"index {bad} is out of bounds for dimension {dim} with size {size}")
        raise error(bad)
    relied(index, 0 if low >= 0 else least, size - 1)
    index = alg.cast(index, dt.int64)
    if low < 0 and index.size:
        index = alg.where(alg.lt(index, 0), index + size, index)
        index.facts = (0, size - 1)
    return index


def beyond(size: int, dim: int, kind: type[Exception] = RuntimeError,
            lead: str = "") -> Callable[[int], Exception]:
    return lambda bad: kind(f"{lead}index {bad} is out of bounds for dimension {dim} with size "
                            f"{size}")


def in_self(_bad: int) -> Exception:
    return IndexError("index out of range in self")


# ---------------------------------------------------------------- x[i, j]


def _plain_indices(x: Node, indices: Sequence[Node | None]) -> list[Node | None]:
    """Masks as the positions they hold, every index int64 and in range, None for whole dims."""
    out: list[Node | None] = []
    for i in indices:
        if i is None:
            out.append(None)
        elif i.dtype in (dt.bool_, dt.uint8):
            _check_mask(x, i, len(out))
            found = np.nonzero(array(i))
            out.extend(constant(np.ascontiguousarray(f, np.int64)) for f in found)
            if i.ndim == 0:
                raise IndexError("a 0-d mask has no dims to index")
        elif i.dtype.kind in "iu":
            if len(out) < x.ndim:
                n = x.shape[len(out)]
                if n == 0 and i.size:
                    raise IndexError("index is out of bounds for dimension with size 0")
                i = check_index(i, n, len(out))
            out.append(i)
        else:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if len(out) > x.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x.ndim}")
    return out + [None] * (x.ndim - len(out))


def _check_mask(x: Node, mask: Node, at: int) -> None:
    if x.shape[at:at + mask.ndim] != mask.shape:
        raise IndexError(f"The shape of the mask {list(mask.shape)} at index {at} does not match "
                         f"the shape of the indexed tensor {list(x.shape)} at index {at}")


def _split(x: Node, indices: Sequence[Node | None]) -> tuple[list[Node], Shape, Shape, int]:
    """(index nodes, the dims they index, their broadcast shape, where that lands in the result)."""
    plain = _plain_indices(x, indices)
    dims = tuple(d for d, i in enumerate(plain) if i is not None)
    given = [i for i in plain if i is not None]
    try:
        front = broadcast(*[i.shape for i in given])
    except RuntimeError:
        shapes = ", ".join(str(list(i.shape)) for i in given)
        raise IndexError("shape mismatch: indexing tensors could not be broadcast together with "
                         f"shapes {shapes}") from None
    together = dims == tuple(range(dims[0], dims[0] + len(dims)))
    return given, dims, front, dims[0] if together else 0


def front_to(x: Node, count: int, at: int) -> Node:
    """Move the first `count` dims behind the `at` dims that follow them."""
    order = (*range(count, count + at), *range(count), *range(count + at, x.ndim))
    return alg.permute(x, order)


def front_from(x: Node, count: int, at: int) -> Node:
    """The inverse of `_front_to`."""
    return alg.permute(x, (*range(at, at + count), *range(at), *range(at + count, x.ndim)))


def index(x: Node, indices: Sequence[Node | None]) -> Node:
    """x[i, j, ...] with None for a whole dim. Adjacent indices leave their dims in place, others
    put them in front (NumPy's rule)."""
    if all(i is None for i in indices):
        return x
    given, dims, front, at = _split(x, indices)
    return front_to(alg.take(x, given, dims), len(front), at)


def _mask_write(x: Node, indices: Sequence[Node | None], value: Node, accumulate: bool,
                ) -> Node | None:
    """A single number written under one mask is a `where`, and no position need be known."""
    if len(indices) != 1 or value.size != 1 or indices[0] is None:
        return None
    mask = indices[0]
    if mask.dtype is not dt.bool_ or mask.ndim == 0:
        return None
    _check_mask(x, mask, 0)
    mask = alg.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim))
    one = alg.reshape(value, ())
    return alg.where(mask, x + one if accumulate else one, x)


@public("index_put", inplace=True)
def index_put(input: Node, indices: Sequence[Node | None], values: Node,
              accumulate: bool = False) -> Node:
    """input with values written (or added) at input[indices]."""
    if values.dtype is not input.dtype:
        raise RuntimeError("Index put requires the source and destination dtypes match, got "
                           f"{pro.type_name(input.dtype)} for the destination and "
                           f"{pro.type_name(values.dtype)} for the source.")
    if len(indices) > input.ndim and all(i is None or i.dtype.kind == "i" for i in indices):
        raise IndexError(f"too many indices for tensor of dimension {input.ndim} (got "
                         f"{len(indices)})")
    if all(i is None for i in indices):
        whole = alg.expand(values, input.shape)
        return input + whole if accumulate else whole
    masked = _mask_write(input, indices, values, accumulate)
    if masked is not None:
        return masked
    given, dims, front, at = _split(input, indices)
    rest = tuple(n for d, n in enumerate(input.shape) if d not in dims)
    shape = rest[:at] + front + rest[at:]
    value = _broadcast_value(values, shape)
    value = front_from(value, len(front), at)
    return alg.put(input, value, given, dims, "add" if accumulate else "set")


def _broadcast_value(value: Node, shape: Shape) -> Node:
    """The value stretched to the result of indexing; leading extents of 1 may go."""
    given = value.shape
    while len(given) > len(shape) and given[0] == 1:
        given = given[1:]
    try:
        fits = len(given) <= len(shape) and broadcast(given, shape) == shape
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(f"shape mismatch: value tensor of shape {list(value.shape)} cannot be "
                           f"broadcast to indexing result of shape {list(shape)}")
    return alg.expand(alg.reshape(value, given), shape)


@public("put", inplace=True)
def put(input: Node, index: Node, source: Node, accumulate: bool = False) -> Node:
    """input, seen as one row, with source written (or added) at the given places."""
    if source.dtype is not input.dtype:
        raise RuntimeError("put_(): self and source expected to have the same dtype, but got "
                           f"self.dtype = {pro.type_name(input.dtype)} and source.dtype = "
                           f"{pro.type_name(source.dtype)}")
    _long("put_", index)
    if source.size != index.size:
        raise IndexError("put_(): Expected source and index to have the same number of elements, "
                         f"but got source.numel() = {source.size}, index.numel() = {index.size}")
    at = _flat_index(input, index)
    flat = alg.put(alg.reshape(input, (input.size,)), alg.reshape(source, at.shape), [at], (0,),
                   "add" if accumulate else "set")
    return alg.reshape(flat, input.shape)


def _long(name: str, index: Node) -> None:
    if index.dtype is not dt.int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got "
                           f"{pro.type_name(index.dtype)}")


def _flat_index(x: Node, index: Node) -> Node:
    return check_index(index, x.size, error=lambda bad: IndexError(
        f"out of range: tried to access index {bad} on a tensor of {x.size} elements."))


@public("take")
def take(input: Node, index: Node) -> Node:
    """The elements of input, seen as one row, at the given places."""
    _long("take", index)
    return alg.take(alg.reshape(input, (input.size,)), [_flat_index(input, index)], (0,))
