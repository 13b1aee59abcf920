"""Views in several parts: split, chunk, unbind and their kin, on layouts and on nodes alike.

In: a layout or node and PyTorch's arguments. Out: a tuple of the same kind.

    chunk(Layout((4, 3), (3, 1), 0), 2)  ->  (Layout((2, 3), (3, 1), 0), Layout((2, 3), (3, 1), 6))
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core import layout as lay
from ..core.layout import wrap_dim
from ..graph.node import Node
from .known import array, integer
from .view import V, ints, narrow_dim, pick, view_op


def _pieces(input: V, dim: int, sizes: Sequence[int]) -> tuple[V, ...]:
    out = []
    at = 0
    for n in sizes:
        out.append(narrow_dim(input, dim, at, n))
        at += n
    return tuple(out)


@view_op("torch.split", "functional.split")
def split(tensor: V, split_size_or_sections: Any, dim: int = 0) -> tuple[V, ...]:
    """Pieces of one size (the last may be smaller), or of the sizes given."""
    if tensor.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, tensor.ndim)
    n = tensor.shape[d]
    if hasattr(split_size_or_sections, "__iter__") and not isinstance(split_size_or_sections, Node):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size = integer(split_size_or_sections)
    if size < 0:
        raise RuntimeError("split expects split_size be non-negative, but got "
                           f"split_size={size}")
    if size == 0 and n != 0:
        raise RuntimeError("split_size can only be 0 if dimension size is 0, but got dimension "
                           "size "
                           f"of {n}")
    count = max(1, -(-n // size)) if size else 1
    return _pieces(tensor, d, [min(size, n - i * size) for i in range(count)])


@view_op("Tensor.split")
def split_method(input: V, split_size: Any, dim: int = 0) -> tuple[V, ...]:
    """Views of split_size elements (or of the listed sizes) along dim."""
    return split(input, split_size, dim)


@view_op("split_with_sizes", "unsafe_split_with_sizes")
def split_with_sizes(input: V, split_sizes: Sequence[int], dim: int = 0) -> tuple[V, ...]:
    """Views of the listed sizes along dim."""
    if not input.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, input.ndim)
    sizes = ints((split_sizes,))
    n = input.shape[d]
    if any(s < 0 for s in sizes):
        raise RuntimeError("split_with_sizes expects split_sizes have only non-negative entries, "
                           f"but got split_sizes={list(sizes)}")
    if sum(sizes) != n:
        raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {n} (input "
                           f"tensor's size at dimension {d}), but got split_sizes={list(sizes)}")
    return _pieces(input, d, sizes)


@view_op("chunk", "unsafe_chunk")
def chunk(input: V, chunks: int, dim: int = 0) -> tuple[V, ...]:
    """At most `chunks` pieces of one size."""
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = wrap_dim(dim, input.ndim)
    n = input.shape[d]
    size = -(-n // chunks)
    if size == 0:
        return _pieces(input, d, [0] * chunks)
    return split(input, size, dim)


@view_op("unsafe_split")
def unsafe_split(input: V, split_size: int, dim: int = 0) -> tuple[V, ...]:
    """split, as copies."""
    return split(input, split_size, dim)


@view_op("tensor_split")
def tensor_split(input: V, indices_or_sections: Any = None, dim: int = 0, *,
                 indices: Any = None, sections: Any = None,
                 tensor_indices_or_sections: Any = None) -> tuple[V, ...]:
    """`n` nearly equal pieces, or pieces that end at the given indices."""
    if input.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a "
                           "tensor with 0 dims")
    how: Any = next(a for a in (indices_or_sections, indices, sections, tensor_indices_or_sections)
               if a is not None)
    d = wrap_dim(dim, input.ndim)
    n = input.shape[d]
    if isinstance(how, Node) and how.ndim == 1:
        how = array(how).tolist()
    if not hasattr(how, "__iter__") or isinstance(how, Node):
        count = integer(how)
        if count <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {count}")
        small, extra = divmod(n, count)
        return _pieces(input, d, [small + (i < extra) for i in range(count)])
    out = []
    at = 0
    for end in [*ints((how,)), n]:
        first, length = lay.slice_range(n, at, end, 1)
        out.append(narrow_dim(input, d, first, length))
        at = end
    return tuple(out)


def _split_along(name: str, least: int, dim: int, doc: str) -> Callable[..., Any]:
    def along(input: V, *indices: Any, sections: Any = None) -> tuple[V, ...]:
        if input.ndim < least:
            raise RuntimeError(f"torch.{name} requires a tensor with at least {least} dimension, "
                               f"but got a tensor with {input.ndim} "
                               "dimensions!")
        d = 0 if input.ndim == 1 else dim
        how = sections if sections is not None else indices[0] if len(indices) == 1 else indices
        if not hasattr(how, "__iter__"):
            n = integer(how)
            if n <= 0 or input.shape[d] % n:
                raise RuntimeError(f"torch.{name} attempted to split along dimension {d}, but the "
                                   f"size of the dimension {input.shape[d]} is not divisible by "
                                   f"the split_size {n}!")
        return tensor_split(input, how, d)

    along.__name__ = name
    along.__doc__ = doc
    return along


hsplit = view_op("hsplit")(_split_along(
    "hsplit", 1, 1, doc="Views along dim 1 (0 of a vector): equal ones, or cut at the positions."))
vsplit = view_op("vsplit")(_split_along(
    "vsplit", 2, 0, doc="Views along dim 0: equal ones, or cut at the positions."))
dsplit = view_op("dsplit")(_split_along(
    "dsplit", 3, 2, doc="Views along dim 2: equal ones, or cut at the positions."))


@view_op("unbind")
def unbind(input: V, dim: int = 0) -> tuple[V, ...]:
    """Views of all positions along dim."""
    if input.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    d = wrap_dim(dim, input.ndim)
    return tuple(pick(input, d, i) for i in range(input.shape[d]))
