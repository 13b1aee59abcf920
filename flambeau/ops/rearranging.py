"""Copies of elements in another order: flip, roll, repeat, pixel_shuffle, and writes into views.

In: nodes. Out: nodes made of movement primitives.

    roll(%0 : (5,), 2, 0)  ->  cat(slice(%0, start=(3,)), slice(%0, start=(0,)), dim=0)
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import layout as lay
from ..core.layout import Layout, wrap_dim, wrap_dims
from ..graph.node import Node
from . import algebra as alg
from . import view as vw
from .known import array, constant, integer
from .table import public
from .view import ints


@public("torch.flip")
def flip(input: Node, dims: Any) -> Node:
    """The order of elements along the dims reversed."""
    return alg.flip(input, [d for d in wrap_dims(ints((dims,)) if hasattr(dims, "__iter__")
                                                 else (dims,), input.ndim) if d < input.ndim])


@public("Tensor.flip")
def flip_method(input: Node, *order: Any, dims: Any = ()) -> Node:
    """The order of elements along the dims reversed."""
    return flip(input, ints(order or (dims,)))


@public("fliplr")
def fliplr(input: Node) -> Node:
    """The order along dim 1 reversed."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return alg.flip(input, [1])


@public("flipud")
def flipud(input: Node) -> Node:
    """The order along dim 0 reversed."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return alg.flip(input, [0])


@public("rot90")
def rot90(input: Node, k: int = 1, dims: Sequence[int] = (0, 1)) -> Node:
    """Turn by 90 degrees k times in the plane of two dims, the first towards the second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == input.ndim:
        raise RuntimeError("expected rotation dims to be different, but got "
                           f"dim0 = {dims[0]} and dim1 = {dims[1]}")
    a, b = (wrap_dim(d, input.ndim) for d in dims)
    turns = k % 4
    if turns == 1:
        return alg.transpose(alg.flip(input, [b]), a, b)
    if turns == 2:
        return alg.flip(input, [a, b])
    if turns == 3:
        return alg.transpose(alg.flip(input, [a]), a, b)
    return input


@public("roll")
def roll(input: Node, shifts: Any, dims: Any = ()) -> Node:
    """Shift along dims; what falls off one end comes in at the other."""
    by = ints((shifts,)) if hasattr(shifts, "__iter__") else (integer(shifts),)
    over = ints((dims,)) if hasattr(dims, "__iter__") else (integer(dims),)
    if not over and len(by) == 1:
        flat = alg.reshape(input, (input.size,))
        return alg.reshape(_roll(flat, by[0], 0), input.shape)
    if not by:
        raise RuntimeError("`shifts` required")
    if len(by) != len(over):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, "
                           f"dims:{len(over)}")
    if input.ndim == 0:
        raise IndexError(f"Dimension specified as {over[0]} but tensor has no dimensions")
    for n, d in zip(by, over):
        input = _roll(input, n, wrap_dim(d, input.ndim))
    return input


def _roll(x: Node, by: int, dim: int) -> Node:
    n = x.shape[dim] if x.ndim else 0
    by = by % n if n else 0
    if by == 0:
        return x
    return alg.cat([alg.narrow(x, dim, n - by, by), alg.narrow(x, dim, 0, n - by)], dim)


def empty_of(x: Node, shape: tuple[int, ...]) -> Node:
    """No element of x, in a shape without any; still a function of x."""
    return alg.reshape(alg.narrow(alg.reshape(x, (x.size,)), 0, 0, 0), shape)


@public("Tensor.repeat")
def repeat(input: Node, *counts: Any, repeats: Any = ()) -> Node:
    """The whole tensor that many times along each dim."""
    times = ints(counts or (repeats,))
    lead = len(times) - input.ndim
    if lead < 0:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of "
                           "dimensions of tensor")
    shape = (1,) * lead + input.shape
    final = tuple(r * n for r, n in zip(times, shape))
    if any(n < 0 for n in final):
        bad = next(n for n in final if n < 0)
        raise RuntimeError(f"Trying to create tensor with negative dimension {bad}: {list(final)}")
    if 0 in final:
        return empty_of(input, final)
    thin = tuple(e for n in shape for e in (1, n))
    wide = tuple(e for r, n in zip(times, shape) for e in (r, n))
    return alg.reshape(alg.expand(alg.reshape(input, thin), wide), final)


@public("torch.tile")
def tile(input: Node, dims: Sequence[int]) -> Node:
    """The input repeated as often as `dims` says, a count for each of the last dims."""
    times = ints((dims,))
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


@public("Tensor.tile")
def tile_method(input: Node, *counts: Any, dims: Any = ()) -> Node:
    """The input repeated as often as the counts say."""
    return tile(input, ints(counts or (dims,)))


@public("repeat_interleave")
def repeat_interleave(input: Node, repeats: Any = None, dim: int | None = None, *,
                      output_size: int | None = None) -> Node:
    """Each element (or slice along dim) several times in a row."""
    if repeats is None:
        return constant(_counts_to_positions(input))
    if dim is None:
        input = alg.reshape(input, (input.size,))
        dim = 0
    d = wrap_dim(dim, input.ndim)
    n = input.shape[d]
    if isinstance(repeats, Node) and repeats.size == 1:
        repeats = integer(repeats)
    if isinstance(repeats, Node):
        if repeats.ndim != 1 or repeats.size != n:
            raise RuntimeError("repeats must have the same size as input along dim, but got "
                               f"repeats.size(0) = {repeats.size} and input.size({d}) = {n}")
        where = constant(_counts_to_positions(repeats))
        return vw.movedim(alg.take(input, [where], (d,)), 0, d)
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    thin = alg.unsqueeze(input, d + 1)
    wide = thin.shape[:d + 1] + (repeats,) + thin.shape[d + 2:]
    return alg.reshape(alg.expand(thin, wide), input.shape[:d] + (n * repeats,)
                       + input.shape[d + 1:])


def _counts_to_positions(repeats: Node) -> Any:
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats.dtype.name not in ("int32", "int64"):
        raise RuntimeError("repeats has to be Long or Int tensor")
    counts = array(repeats)
    if counts.size and counts.min() < 0:
        raise RuntimeError("repeats can not be negative")
    return np.repeat(np.arange(counts.size, dtype=np.int64), counts)


# ---------------------------------------------------------------- images


@public("torch.pixel_shuffle", "nn.functional.pixel_shuffle")
def pixel_shuffle(input: Node, upscale_factor: int) -> Node:
    """(..., C*r*r, H, W) to (..., C, H*r, W*r)."""
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError("pixel_shuffle expects input to have at least 3 dimensions, but got "
                           f"input with {input.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible "
                           f"by the square of upscale_factor, but input.size(-3)={c} is not "
                           f"divisible by {r * r}")
    n = len(batch)
    x = alg.reshape(input, (*batch, c // (r * r), r, r, h, w))
    x = alg.permute(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return alg.reshape(x, (*batch, c // (r * r), h * r, w * r))


@public("torch.pixel_unshuffle", "nn.functional.pixel_unshuffle")
def pixel_unshuffle(input: Node, downscale_factor: int) -> Node:
    """(..., C, H*r, W*r) to (..., C*r*r, H, W)."""
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError("pixel_unshuffle expects input to have at least 3 dimensions, but got "
                           f"input with {input.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, c, h, w = input.shape
    for name, k, extent in (("height", -2, h), ("width", -1, w)):
        if extent % r:
            raise RuntimeError(f"pixel_unshuffle expects {name} to be divisible by "
                               f"downscale_factor, but input.size({k})={extent} is not divisible "
                               f"by {r}")
    n = len(batch)
    x = alg.reshape(input, (*batch, c, h // r, r, w // r, r))
    x = alg.permute(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return alg.reshape(x, (*batch, c * r * r, h // r, w // r))


@public("torch.channel_shuffle", "torch.native_channel_shuffle", "nn.functional.channel_shuffle")
def channel_shuffle(input: Node, groups: int) -> Node:
    """Interleave the channels (dim 1) of several groups."""
    if input.ndim < 3:
        raise RuntimeError("channel_shuffle expects input with > 2 dims, but got input with sizes "
                           f"{list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of "
                           f"groups:{groups}")
    b, c, *rest = input.shape
    if c % groups:
        raise RuntimeError("Number of channels must be divisible by groups. Got "
                           f"{c} channels and {groups} groups.")
    x = alg.reshape(input, (b, groups, c // groups, *rest))
    return alg.reshape(alg.transpose(x, 1, 2), input.shape)


# ---------------------------------------------------------------- writes into a view of a copy


def _written(x: Node, at: Layout, src: Node) -> Node:
    if src.shape != at.shape:
        raise RuntimeError("expected src to have a size equal to the slice of self. src size = "
                           f"{list(src.shape)}, slice size = {list(at.shape)}")
    return alg.write(x, alg.cast(src, x.dtype), at.shape, at.stride, at.offset)


@public("select_scatter")
def select_scatter(input: Node, src: Node, dim: int, index: int) -> Node:
    """A copy of the input with `src` at position `index` of dim."""
    return _written(input, vw.select(lay.contiguous(input.shape), dim, index), src)


@public("slice_scatter")
def slice_scatter(input: Node, src: Node, dim: int = 0, start: int | None = None,
                  end: int | None = None, step: int = 1) -> Node:
    """A copy of the input with `src` in a slice of dim."""
    at = vw.slice_dim(lay.contiguous(input.shape), dim, start, end, step)
    return _written(input, at, src)


@public("diagonal_scatter")
def diagonal_scatter(input: Node, src: Node, offset: int = 0, dim1: int = 0,
                     dim2: int = 1) -> Node:
    """A copy of the input with `src` on a diagonal."""
    at = vw.diagonal(lay.contiguous(input.shape), offset, dim1, dim2)
    return _written(input, at, src)


@public("as_strided_scatter")
def as_strided_scatter(input: Node, src: Node, size: Sequence[int], stride: Sequence[int],
                       storage_offset: int | None = None) -> Node:
    """A copy of the input with `src` where size, stride and offset say."""
    at = lay.check_strided(ints((size,)), ints((stride,)), storage_offset or 0, input.size)
    return _written(input, at, src)
