"""Every view: one function each, which works on a `Layout` (a view of a storage) and on a `Node`.

In: a layout or node and PyTorch's arguments. Out: the same kind of thing; on layouts, None where
the call cannot be a view (`reshape`, `flatten` and `ravel` of a layout that does not allow it), so
that the caller copies with the node form.

    transpose(Layout((2, 3), (3, 1), 0), 0, 1)  ->  Layout((3, 2), (1, 3), 0)
    transpose(%0 : float32(2, 3), 0, 1)         ->  permute(%0, dims=(1, 0))
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..core import layout as lay
from ..core.dtype import dtype as DType  # noqa: N812 - `dtype` is a parameter below
from ..core.layout import Layout, Shape, wrap_dim, wrap_dims
from ..graph import primitive as p
from ..graph.node import Node
from . import algebra as alg
from .known import integer
from .table import public

V = TypeVar("V", Layout, Node)
F = TypeVar("F", bound=Callable[..., Any])


def view_op(*names: str, inplace: bool = False) -> Callable[[F], F]:
    """Declare a function of layouts or nodes as a view of these public names."""
    def declare(fn: F) -> F:
        return public(*names, inplace=inplace, view=fn)(fn)
    return declare


def ints(values: Sequence[Any]) -> Shape:
    """Sizes given as `f(2, 3)` or `f((2, 3))`."""
    if len(values) == 1 and hasattr(values[0], "__iter__") and not isinstance(values[0], Node):
        values = tuple(values[0])
    return tuple([v if type(v) is int else integer(v) for v in values])


# ---------------------------------------------------------------- the moves, on both kinds


def _permute(x: V, dims: Sequence[int]) -> V:
    dims = tuple(dims)
    return x.permute(dims) if isinstance(x, Layout) else alg.permute(x, dims)


def _drop(x: V, dims: Sequence[int]) -> V:
    """Without those dims, whose extent is 1."""
    return x.squeeze(dims) if isinstance(x, Layout) else alg.squeeze(x, dims)


def _insert(x: V, dim: int) -> V:
    return x.unsqueeze(dim) if isinstance(x, Layout) else alg.unsqueeze(x, dim)


def narrow_dim(x: V, dim: int, start: int, length: int, step: int = 1) -> V:
    if isinstance(x, Layout):
        return x.narrow(dim, start, length, step)
    if step == 1:
        return alg.narrow(x, dim, start, length)
    begin = tuple(start if d == dim else 0 for d in range(x.ndim))
    steps = tuple(step if d == dim else 1 for d in range(x.ndim))
    shape = x.shape[:dim] + (length,) + x.shape[dim + 1:]
    return alg.slice_(x, begin, steps, shape)


def pick(x: V, dim: int, index: int) -> V:
    """One position of a dim, which is dropped."""
    if isinstance(x, Layout):
        return x.select(dim, index)
    return alg.squeeze(alg.narrow(x, dim, index, 1), (dim,))


def _reshape(x: V, shape: Shape) -> V | None:
    return x.reshape(shape) if isinstance(x, Layout) else alg.reshape(x, shape)


def _must(x: V | None) -> V:
    if x is None:
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at "
                           "least one dimension spans across two contiguous subspaces). Use "
                           ".reshape(...) instead.")
    return x


# ---------------------------------------------------------------- shape


@view_op("Tensor.view")
def view(input: V, *size: Any, dtype: DType | None = None) -> V:
    """Another shape (or element type) for the same storage."""
    if len(size) == 1 and isinstance(size[0], DType):
        dtype = size[0]
    if dtype is not None:
        return view_dtype(input, dtype)
    return _must(_reshape(input, lay.infer_shape(ints(size), input.size)))


def view_dtype(input: V, dtype: DType) -> V:
    """The same bytes as elements of another type of the same size."""
    if isinstance(input, Layout):
        return input
    if input.dtype.itemsize != dtype.itemsize:
        raise NotImplementedError("view(dtype) to an element type of another size")
    return alg.bitcast(input, dtype)


@view_op("torch.reshape")
def reshape(input: V, shape: Sequence[int]) -> V | None:
    """The elements in another shape, a view where the strides allow; one size may be -1."""
    return _reshape(input, lay.infer_shape(ints(shape), input.size))


@view_op("Tensor.reshape")
def reshape_method(input: V, *sizes: Any, shape: Any = ()) -> V | None:
    """The elements in another shape, a view where the strides allow; one may be -1."""
    return reshape(input, ints(sizes or (shape,)))


@view_op("Tensor.view_as")
def view_as(input: V, other: V) -> V:
    """The elements in the shape of `other`, as a view."""
    return _must(_reshape(input, lay.infer_shape(other.shape, input.size)))


@view_op("Tensor.reshape_as")
def reshape_as(input: V, other: V) -> V | None:
    """The elements in the shape of `other`."""
    return _reshape(input, lay.infer_shape(other.shape, input.size))


@view_op("flatten")
def flatten(input: V, start_dim: int = 0, end_dim: int = -1) -> V | None:
    """Dims start_dim..end_dim as one."""
    first = wrap_dim(start_dim, input.ndim)
    last = wrap_dim(end_dim, input.ndim)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if input.ndim == 0:
        return _reshape(input, (1,))
    if first == last:
        return input
    shape = input.shape
    middle = math.prod(shape[first:last + 1])
    return _reshape(input, shape[:first] + (middle,) + shape[last + 1:])


@view_op("ravel")
def ravel(input: V) -> V | None:
    """The elements in one dim."""
    return _reshape(input, (input.size,))


@view_op("unflatten")
def unflatten(input: V, dim: int, sizes: Sequence[int]) -> V:
    """One dim as several."""
    d = wrap_dim(dim, input.ndim)
    sizes = ints((sizes,))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    n = input.shape[d] if input.ndim else 1
    try:
        found = lay.infer_shape(sizes, n)
    except RuntimeError as error:
        if str(error).startswith(("only one", "cannot")):
            raise
        raise RuntimeError(f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size "
                           f"of dim {d} ({n}) in the input tensor") from None
    return _must(_reshape(input, input.shape[:d] + found + input.shape[d + 1:]))


@view_op("squeeze", inplace=True)
def squeeze(input: V, *dims: Any, dim: Any = None) -> V:
    """Without the dims of extent 1 (or those among `dim`)."""
    if dim is not None:
        dims = (dim,)
    chosen: Sequence[int] = wrap_dims(ints(dims), input.ndim) if dims else range(input.ndim)
    return _drop(input, [d for d in chosen if d < input.ndim and input.shape[d] == 1])


@view_op("unsqueeze", inplace=True)
def unsqueeze(input: V, dim: int) -> V:
    """A dim of size 1 put in."""
    return _insert(input, wrap_dim(integer(dim), input.ndim + 1))


@view_op("torch.broadcast_to")
def broadcast_to(input: V, size: Sequence[int]) -> V:
    """The input as if repeated to the size, without a copy."""
    shape = lay.expand_shape(input.shape, ints((size,)))
    return input.expand(shape) if isinstance(input, Layout) else alg.expand(input, shape)


@view_op("Tensor.expand", "Tensor.broadcast_to")
def expand(input: V, *sizes: Any, size: Any = None, implicit: bool = False) -> V:
    """The input as if repeated to the size, without a copy; -1 keeps a size."""
    return broadcast_to(input, ints(sizes if size is None else (size,)))


@view_op("Tensor.expand_as")
def expand_as(input: V, other: V) -> V:
    """The input as if repeated to the shape of `other`."""
    return broadcast_to(input, other.shape)


def _all(fn: Callable[[V], V], xs: tuple[Any, ...]) -> Any:
    """fn of one tensor, or of each of several."""
    if len(xs) == 1 and not isinstance(xs[0], (list, tuple)):
        return fn(xs[0])
    many = xs[0] if len(xs) == 1 else xs
    return tuple(fn(x) for x in many)


@view_op("torch.broadcast_tensors", "functional.broadcast_tensors")
def broadcast_tensors(*tensors: Any) -> tuple[V, ...]:
    """The tensors, all expanded to one shape."""
    many = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    shape = p.broadcast(*[x.shape for x in many]) if many else ()
    return tuple(broadcast_to(x, shape) for x in many)


@view_op("torch.atleast_1d")
def atleast_1d(*tensors: Any) -> Any:
    """The tensors with at least 1 dim."""
    return _all(lambda x: x if x.ndim else _insert(x, 0), tensors)


def _atleast_2d(x: V) -> V:
    for _ in range(2 - x.ndim):
        x = _insert(x, 0)
    return x


@view_op("torch.atleast_2d")
def atleast_2d(*tensors: Any) -> Any:
    """The tensors with at least 2 dims."""
    return _all(_atleast_2d, tensors)


@view_op("torch.atleast_3d")
def atleast_3d(*tensors: Any) -> Any:
    """The tensors with at least 3 dims."""
    return _all(lambda x: x if x.ndim > 2 else _insert(_atleast_2d(x), 2), tensors)


# ---------------------------------------------------------------- order of dims


@view_op("torch.permute")
def permute(input: V, dims: Sequence[int]) -> V:
    """The dims in another order."""
    order = ints((dims,))
    if len(order) != input.ndim:
        raise RuntimeError("permute(sparse_coo): number of dimensions in the tensor input does not "
                           "match the length of the desired ordering of dimensions i.e. "
                           f"input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}")
    wrapped = tuple(wrap_dim(d, input.ndim) for d in order)
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, wrapped)


@view_op("Tensor.permute")
def permute_method(input: V, *order: Any, dims: Any = ()) -> V:
    """The dims in another order."""
    return permute(input, ints(order or (dims,)))


@view_op("transpose", inplace=True)
def transpose(input: V, dim0: int, dim1: int) -> V:
    """Two dims exchanged."""
    a, b = wrap_dim(integer(dim0), input.ndim), wrap_dim(integer(dim1), input.ndim)
    if a == b:
        return input
    order = list(range(input.ndim))
    order[a], order[b] = b, a
    return _permute(input, order)


@view_op("swapaxes", inplace=True)
def swapaxes(input: V, axis0: int, axis1: int) -> V:
    """Two dims exchanged."""
    return transpose(input, axis0, axis1)


@view_op("swapdims", inplace=True)
def swapdims(input: V, dim0: int, dim1: int) -> V:
    """Two dims exchanged."""
    return transpose(input, dim0, dim1)


@view_op("t", inplace=True)
def t(input: V) -> V:
    """A matrix transposed; a vector or a number as it is."""
    if input.ndim > 2:
        raise RuntimeError("t() expects a tensor with <= 2 dimensions, but self is "
                           f"{input.ndim}D")
    return _permute(input, tuple(reversed(range(input.ndim))))


def T(input: V) -> V:  # noqa: N802 - Tensor.T
    """All dims reversed."""
    return _permute(input, tuple(reversed(range(input.ndim))))


def mT(input: V) -> V:  # noqa: N802 - Tensor.mT
    """The last two dims swapped."""
    if input.ndim < 2:
        raise RuntimeError("tensor.mT is only supported on matrices or batches of matrices. Got "
                           f"{input.ndim}-D tensor.")
    return transpose(input, -2, -1)


@view_op("movedim", "moveaxis")
def movedim(input: V, source: Any, destination: Any) -> V:
    """Dims `source` at the places `destination`; the others keep their order."""
    one = hasattr(source, "__index__")
    given = (source,) if one else tuple(source)
    wanted = (destination,) if hasattr(destination, "__index__") else tuple(destination)
    if len(given) != len(wanted):
        raise RuntimeError(f"movedim: Invalid source or destination dims: source ({list(given)} "
                           f"dims) should contain the same number of dims as destination "
                           f"({list(wanted)} dims)")
    takes = [wrap_dim(integer(d), input.ndim) for d in given]
    puts = [wrap_dim(integer(d), input.ndim) for d in wanted]
    for name, dims, said in (("source", takes, given), ("destination", puts, wanted)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(said)})")
    if input.ndim == 0:
        return input
    order = [-1] * input.ndim
    for s, d in zip(takes, puts):
        order[d] = s
    rest = iter(d for d in range(input.ndim) if d not in takes)
    return _permute(input, [next(rest) if d < 0 else d for d in order])


# ---------------------------------------------------------------- parts


def _not_scalar(input: V, name: str) -> None:
    if input.ndim == 0:
        raise IndexError(f"{name}() cannot be applied to a 0-dim tensor.")


@view_op("select")
def select(input: V, dim: int, index: int) -> V:
    """Position `index` of dim, which goes away."""
    _not_scalar(input, "select")
    d = wrap_dim(integer(dim), input.ndim)
    n = input.shape[d]
    at = integer(index)
    if not -n <= at < n:
        raise IndexError(f"select(): index {at} out of range for tensor of size "
                         f"{list(input.shape)} at dimension {d}")
    return pick(input, d, at % n)


@view_op("narrow")
def narrow(input: V, dim: int, start: Any, length: int) -> V:
    """Elements start to start + length of dim."""
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    count = integer(length)
    if count < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    d = wrap_dim(integer(dim), input.ndim)
    n = input.shape[d]
    if isinstance(start, Node) and (start.ndim or start.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    first = integer(start)
    if not -n <= first <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got "
                         f"{first})")
    if first < 0:
        first += n
    if first + count > n:
        raise RuntimeError(f"start ({first}) + length ({count}) exceeds dimension size ({n}).")
    return narrow_dim(input, d, first, count)


def slice_dim(input: V, dim: int = 0, start: Any = None, end: Any = None, step: Any = 1) -> V:
    """x[start:end:step] along one dim (aten.slice; `tensor.indexing` calls it)."""
    d = wrap_dim(dim, input.ndim)
    if integer(step) < 1:
        raise RuntimeError("slice step must be positive")
    first, count = lay.slice_range(input.shape[d], None if start is None else integer(start),
                                   None if end is None else integer(end), integer(step))
    return narrow_dim(input, d, first, count, integer(step))


@view_op("diagonal")
def diagonal(input: V, offset: int = 0, dim1: int = 0, dim2: int = 1) -> V:
    """The diagonal of two dims, as a new last one."""
    d1, d2 = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if d1 == d2:
        raise RuntimeError("diagonal dimensions cannot be identical "
                           f"{dim1}, {dim2}")
    if isinstance(input, Layout):
        return input.diagonal(offset, d1, d2)
    at = lay.contiguous(input.shape).diagonal(offset, d1, d2)
    return alg.as_strided(input, at.shape, at.stride, at.offset)


@view_op("linalg.diagonal")
def linalg_diagonal(A: V, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> V:  # noqa: N803
    """The diagonal of the last two dims, as a new last one."""
    return diagonal(A, offset, dim1, dim2)


@view_op("Tensor.unfold")
def unfold(input: V, dimension: int, size: int, step: int) -> V:
    """Windows of `size` every `step`, as a new last dim."""
    d = wrap_dim(dimension, input.ndim)
    n = input.shape[d] if input.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if input.ndim == 0:
        return narrow_dim(_insert(input, 0), 0, 0, size)
    if isinstance(input, Layout):
        return input.unfold(d, size, step)
    return alg.unfold(input, d, size, step)


@view_op("as_strided", inplace=True)
def as_strided(input: V, size: Sequence[int], stride: Sequence[int],
               storage_offset: int | None = None) -> V:
    """Any view of the storage. On a node: of its own elements in row-major order."""
    shape, strides = ints((size,)), ints((stride,))
    if isinstance(input, Layout):
        offset = input.offset if storage_offset is None else integer(storage_offset)
        return lay.check_strided(shape, strides, offset, 1 << 62)
    at = lay.check_strided(shape, strides, integer(storage_offset or 0), input.size)
    return alg.as_strided(input, at.shape, at.stride, at.offset)
