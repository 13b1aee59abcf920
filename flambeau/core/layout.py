"""Where the elements of a tensor lie in its storage: shape, strides, offset, and view arithmetic.

In: nothing but integers. Out: `Layout`, used by `tensor` (every view is one) and by `ops/view`.
Everything here is pure; errors are PyTorch's.

    Layout((2, 3), (3, 1), 0).permute((1, 0))  ->  Layout((3, 2), (1, 3), 0)
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

Shape = tuple[int, ...]


class Layout:
    """Element i of a tensor lies at `offset + sum(i[d] * stride[d])`. Never changed once made."""

    __slots__ = ("_contiguous", "numel", "offset", "shape", "stride")

    def __init__(self, shape: Shape, stride: Shape, offset: int = 0) -> None:
        self.shape = shape
        self.stride = stride
        self.offset = offset
        self.numel = math.prod(shape)
        self._contiguous: bool | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        return (self.shape == other.shape and self.stride == other.stride
                and self.offset == other.offset)

    def __hash__(self) -> int:
        return hash((self.shape, self.stride, self.offset))

    def __repr__(self) -> str:
        return f"Layout({self.shape}, {self.stride}, {self.offset})"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.numel

    # ------------------------------------------------------------ questions

    @property
    def is_contiguous(self) -> bool:
        """Row-major without gaps (any offset); strides of extents 0 and 1 do not matter."""
        if self._contiguous is None:
            self._contiguous = self.numel == 0 or self._follows(range(self.ndim - 1, -1, -1))
        return self._contiguous

    @property
    def is_channels_last(self) -> bool:
        """NHWC memory order of a 4-d (or NDHWC of a 5-d) tensor."""
        if self.ndim not in (4, 5):
            return False
        return self._follows([1, *range(self.ndim - 1, 1, -1), 0])

    def _follows(self, order: Sequence[int]) -> bool:
        """Whether the dims, innermost first, lie in this order without gaps."""
        expected = 1
        for d in order:
            n = self.shape[d]
            if n != 1:
                if self.stride[d] != expected:
                    return False
                expected *= n
        return True

    @property
    def is_dense(self) -> bool:
        """Every place between the first and the last is used exactly once, in any order of dims."""
        return self.is_contiguous or self._follows(
            sorted(range(self.ndim), key=lambda d: (self.stride[d], self.shape[d])))

    @property
    def span(self) -> int:
        """The number of storage elements needed, offset included (0 when empty)."""
        if self.numel == 0:
            return 0
        return self.offset + 1 + sum((n - 1) * s for n, s in zip(self.shape, self.stride))

    @property
    def may_overlap_itself(self) -> bool:
        """False only if no two elements can share a place (sufficient test on sorted strides)."""
        reach = 0
        pairs = sorted((s, n) for n, s in zip(self.shape, self.stride) if n != 1)
        for s, n in pairs:
            if s <= reach and self.numel:
                return True
            reach += s * (n - 1)
        return False

    @property
    def has_expanded_dim(self) -> bool:
        """A dim of several elements with stride 0: surely more than one element in one place."""
        return any(s == 0 and n > 1 for n, s in zip(self.shape, self.stride))

    # ------------------------------------------------------------ views

    def reshape(self, shape: Shape) -> Layout | None:
        """The same elements under another shape, or None if no strides can say that."""
        if self is contiguous(self.shape):
            return contiguous(shape)
        stride = _view_stride(self.shape, self.stride, shape)
        return None if stride is None else Layout(shape, stride, self.offset)

    def permute(self, dims: Shape) -> Layout:
        return Layout(tuple(self.shape[d] for d in dims), tuple(self.stride[d] for d in dims),
                      self.offset)

    def expand(self, shape: Shape) -> Layout:
        """Stretch extents of 1 and add leading dims, with stride 0. `shape` is final (no -1)."""
        lead = len(shape) - self.ndim
        stride = (0,) * lead + tuple(
            s if n == to else 0 for n, s, to in zip(self.shape, self.stride, shape[lead:]))
        return Layout(shape, stride, self.offset)

    def slice(self, start: Shape, step: Shape, shape: Shape) -> Layout:
        """Elements start + step * i of each dim."""
        offset = self.offset
        if self.numel:
            offset += sum(a * s for a, s in zip(start, self.stride))
        else:
            offset += sum(min(a, max(n - 1, 0)) * s
                          for a, n, s in zip(start, self.shape, self.stride))
        return Layout(shape, tuple(s * k for s, k in zip(self.stride, step)), offset)

    def narrow(self, dim: int, start: int, length: int, step: int = 1) -> Layout:
        """Elements start, start+step, ... (length of them) of one dim."""
        shape = self.shape[:dim] + (length,) + self.shape[dim + 1:]
        stride = self.stride[:dim] + (self.stride[dim] * step,) + self.stride[dim + 1:]
        return Layout(shape, stride, self.offset + start * self.stride[dim])

    def select(self, dim: int, index: int) -> Layout:
        """One element of a dim; the dim is dropped. `index` is in range."""
        return Layout(self.shape[:dim] + self.shape[dim + 1:],
                      self.stride[:dim] + self.stride[dim + 1:],
                      self.offset + index * self.stride[dim])

    def squeeze(self, dims: Sequence[int]) -> Layout:
        """Drop those of `dims` whose extent is 1."""
        keep = [d for d in range(self.ndim) if d not in dims or self.shape[d] != 1]
        return self.permute(tuple(keep))

    def unsqueeze(self, dim: int) -> Layout:
        s = self.shape[dim] * self.stride[dim] if dim < self.ndim else 1
        return Layout(self.shape[:dim] + (1,) + self.shape[dim:],
                      self.stride[:dim] + (s,) + self.stride[dim:], self.offset)

    def diagonal(self, offset: int, dim1: int, dim2: int) -> Layout:
        """The diagonal of two dims as a new last dim."""
        n1, n2 = self.shape[dim1], self.shape[dim2]
        count = max(min(n1, n2 - offset) if offset >= 0 else min(n1 + offset, n2), 0)
        start = self.offset
        if count:
            start += offset * self.stride[dim2] if offset >= 0 else -offset * self.stride[dim1]
        keep = [d for d in range(self.ndim) if d not in (dim1, dim2)]
        return Layout(tuple(self.shape[d] for d in keep) + (count,),
                      tuple(self.stride[d] for d in keep)
                      + (self.stride[dim1] + self.stride[dim2],), start)

    def unfold(self, dim: int, size: int, step: int) -> Layout:
        """Windows of one dim; the place in the window is a new last dim."""
        count = (self.shape[dim] - size) // step + 1
        shape = self.shape[:dim] + (count,) + self.shape[dim + 1:] + (size,)
        stride = (self.stride[:dim] + (self.stride[dim] * step,) + self.stride[dim + 1:]
                  + (self.stride[dim],))
        return Layout(shape, stride, self.offset)


def contiguous_stride(shape: Shape) -> Shape:
    """Row-major strides; an extent of 0 counts as 1, as PyTorch has it."""
    stride = []
    step = 1
    for n in reversed(shape):
        stride.append(step)
        step *= n or 1
    return tuple(reversed(stride))


@lru_cache(8192)
def contiguous(shape: Shape) -> Layout:
    """The natural layout of a shape."""
    made = Layout(shape, contiguous_stride(shape), 0)
    made._contiguous = True
    return made


@lru_cache(1024)
def channels_last(shape: Shape) -> Layout:
    """NHWC (4-d) or NDHWC (5-d) memory for a tensor of this (N, C, ...) shape."""
    order = (0, *range(2, len(shape)), 1)
    inner = contiguous_stride(tuple(shape[d] for d in order))
    stride = [0] * len(shape)
    for d, s in zip(order, inner):
        stride[d] = s
    return Layout(shape, tuple(stride), 0)


def preserved(like: Layout) -> Layout:
    """The layout of a fresh copy with memory_format=preserve_format."""
    if like.is_dense:
        natural = contiguous(like.shape)
        return natural if natural.stride == like.stride else Layout(like.shape, like.stride, 0)
    stride = [0] * like.ndim
    step = 1
    for d in _innermost_first(like):
        stride[d] = step
        step *= like.shape[d] or 1
    return Layout(like.shape, tuple(stride), 0)


def _innermost_first(like: Layout) -> list[int]:
    """The dims by stride, smallest first; a stride of 0 says nothing and keeps its place.

    An insertion sort, because that order is not total (as in PyTorch's TensorIterator).
    """
    order = list(range(like.ndim - 1, -1, -1))
    for i in range(1, like.ndim):
        at = i
        for k in range(i - 1, -1, -1):
            a, b = order[k], order[at]
            if like.stride[a] == 0 or like.stride[b] == 0:
                continue
            if (like.stride[a], like.shape[a]) > (like.stride[b], like.shape[b]):
                order[k], order[at] = b, a
                at = k
            elif like.stride[a] != like.stride[b]:
                break
    return order


def _view_stride(shape: Shape, stride: Shape, to: Shape) -> Shape | None:
    """Strides that give shape `to` to elements laid out as (shape, stride), or None.

    Dims that continue each other in memory form a chunk; a new dim must fit inside one chunk.
    """
    if math.prod(shape) == 0:
        return contiguous_stride(to)
    out = [0] * len(to)
    d = len(to) - 1
    base = stride[-1] if stride else 1
    chunk = 1
    for k in range(len(shape) - 1, -1, -1):
        chunk *= shape[k]
        ends = k == 0 or (shape[k - 1] != 1 and stride[k - 1] != chunk * base)
        if not ends:
            continue
        filled = 1
        while d >= 0 and (filled < chunk or to[d] == 1):
            out[d] = filled * base
            filled *= to[d]
            d -= 1
        if filled != chunk:
            return None
        if k > 0:
            base = stride[k - 1]
            chunk = 1
    if not shape:
        return contiguous_stride(to)
    return tuple(out) if d < 0 else None


# ---------------------------------------------------------------- arguments, with PyTorch's errors


def wrap_dim(dim: int, ndim: int) -> int:
    """A dim in [0, ndim); 0-d tensors have one dim for this purpose."""
    n = ndim or 1
    if -n <= dim < n:
        return dim + n if dim < 0 else dim
    if not isinstance(dim, int):
        raise TypeError(f"dim must be an int, not {type(dim).__name__}")
    raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                     f"but got {dim})")


def wrap_dims(dims: Sequence[int], ndim: int) -> Shape:
    """Several dims, wrapped; RuntimeError if one comes twice."""
    out: list[int] = []
    for dim in dims:
        d = wrap_dim(dim, ndim)
        if d in out:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        out.append(d)
    return tuple(out)


def infer_shape(shape: Sequence[int], numel: int) -> Shape:
    """Replace a -1 by what is left of `numel`."""
    known = 1
    free = -1
    for d, n in enumerate(shape):
        if n == -1:
            if free >= 0:
                raise RuntimeError("only one dimension can be inferred")
            free = d
        elif n < 0:
            raise RuntimeError(f"invalid shape dimension {n}")
        else:
            known *= n
    if free < 0:
        if known != numel:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return tuple(shape)
    if known == 0:
        if numel == 0:
            raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {list(shape)} "
                               "because the unspecified dimension size -1 can be any value and is "
                               "ambiguous")
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    if numel % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return tuple(shape[:free]) + (numel // known,) + tuple(shape[free + 1:])


def expand_shape(shape: Shape, to: Sequence[int]) -> Shape:
    """The final shape of expand(to), -1 kept from `shape`."""
    lead = len(to) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.FloatTensor{{{list(shape)}}}, size={list(to)}): the number of sizes "
            f"provided ({len(to)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(shape)})")
    out = []
    for d, n in enumerate(to):
        have = shape[d - lead] if d >= lead else None
        if n == -1:
            if have is None:
                raise RuntimeError(f"The expanded size of the tensor ({n}) isn't allowed in a "
                                   f"leading, non-existing dimension {d}")
            n = have
        elif n < 0:
            raise RuntimeError(f"The expanded size of the tensor ({n}) isn't allowed in a leading, "
                               f"non-existing dimension {d}" if have is None else
                               f"The expanded size of the tensor ({n}) must be non-negative at "
                               f"dimension {d}")
        elif have is not None and have != n and have != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at "
                f"non-singleton dimension {d}.  Target sizes: {list(to)}.  "
                f"Tensor sizes: {list(shape)}")
        out.append(n)
    return tuple(out)


def slice_range(n: int, start: int | None, end: int | None, step: int) -> tuple[int, int]:
    """(first index, count) of start:end:step in an extent n; PyTorch's clamping."""
    if step <= 0:
        raise ValueError("step must be greater than zero")
    first = 0 if start is None else start
    last = n if end is None else end
    first = min(max(first + n if first < 0 else first, 0), n)
    last = min(max(last + n if last < 0 else last, first), n)
    return first, (last - first + step - 1) // step


def check_index(index: int, n: int, dim: int) -> int:
    """A single position, wrapped; IndexError in select's words."""
    if not -n <= index < n:
        raise IndexError(f"index {index} is out of bounds for dimension {dim} with size {n}")
    return index + n if index < 0 else index


def check_strided(shape: Shape, stride: Shape, offset: int, storage: int) -> Layout:
    """The layout of as_strided, its arguments checked against the storage's element count."""
    if len(shape) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in stride):
        raise RuntimeError("as_strided: Negative strides are not supported at the moment, got "
                           f"strides: {list(stride)}")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    made = Layout(shape, stride, offset)
    if made.span > storage:
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(stride)}, storage offset {offset}, "
            f"and itemsize 1 requiring a storage size of {made.span} are out of bounds for storage "
            f"of size {storage}")
    return made
