"""Images read at given points (grid_sample, affine_grid) and as columns of patches (unfold, fold).

In: nodes. Out: nodes.

    grid_sample(x, grid)  ->  sum over the corners round each point of weight * take(x, corner)
"""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from . import algebra as alg
from .known import integer
from .resampling import cubic_weights
from .table import composite, public

# ---------------------------------------------------------------- points


def _grid_shape(x: Node, grid: Node, *_: Any) -> tuple[Shape, dtype]:
    return x.shape[:2] + grid.shape[1:-1], x.dtype


@composite("grid_sample", _grid_shape, ("mode", "padding", "align"))
def GRID_SAMPLE(x: Node, grid: Node, mode: str, padding: str, align: bool) -> Node:  # noqa: N802
    rank = x.ndim - 2
    last = grid.ndim - 1
    points = []                                # per spatial dim of x, each (N, *out)
    for i in range(rank):
        at = alg.squeeze(alg.narrow(grid, last, rank - 1 - i, 1), (last,))
        points.append(_pixels(at, x.shape[2 + i], align))
    if mode != "bicubic":
        points = [_inside(at, n, padding, align) for at, n in zip(points, x.shape[2:])]
    if mode == "nearest":
        places = [alg.cast(alg.round_(at), dt.int64) for at in points]
        return _last_first(_read(x, places, padding))
    taps = [_cubic_taps(at) if mode == "bicubic" else _linear_taps(at) for at in points]
    total: Node | None = None
    for corner in itertools.product(*taps):
        weight: Node | None = None
        places = []
        for (place, w), n in zip(corner, x.shape[2:]):
            weight = w if weight is None else weight * w
            if mode == "bicubic":
                place = _inside(place, n, padding, align)
            places.append(alg.cast(place, dt.int64))
        assert weight is not None
        term = _read(x, places, padding) * alg.unsqueeze(weight, weight.ndim)
        total = term if total is None else total + term
    assert total is not None
    return _last_first(total)


def _last_first(out: Node) -> Node:
    """(N, *out, C) to (N, C, *out)."""
    return alg.permute(out, (0, out.ndim - 1, *range(1, out.ndim - 1)))


def _pixels(at: Node, n: int, align: bool) -> Node:
    """From -1..1 to element positions."""
    return (at + 1) * ((n - 1) / 2) if align else ((at + 1) * n - 1) * 0.5


def _inside(at: Node, n: int, padding: str, align: bool) -> Node:
    """Positions brought into the image; outside, border's have no slope."""
    if padding == "zeros":
        return at
    if padding == "reflection":
        at = _reflected(at, 0, 2 * (n - 1)) if align else _reflected(at, -1, 2 * n - 1)
    return alg.where(alg.le(at, 0), 0, alg.where(alg.ge(at, n - 1), n - 1, at))


def _reflected(at: Node, twice_low: int, twice_high: int) -> Node:
    if twice_low == twice_high:
        return at * 0
    low = twice_low / 2
    span = (twice_high - twice_low) / 2
    away = alg.abs_(at - low)
    turns = alg.floor(away / span)
    extra = away - turns * span
    odd = alg.eq(alg.mod(turns, 2), 1)
    return alg.where(odd, span - extra, extra) + low


def _linear_taps(at: Node) -> list[tuple[Node, Node]]:
    base = alg.floor(at)
    w = at - base
    return [(base, 1 - w), (base + 1, w)]


def _cubic_taps(at: Node) -> list[tuple[Node, Node]]:
    base = alg.floor(at)
    return [(base + (k - 1), w) for k, w in enumerate(cubic_weights(at - base))]


def _read(x: Node, places: Sequence[Node], padding: str) -> Node:
    """x at integer positions per spatial dim, (N, *out, C); zero outside."""
    inside: Node | None = None
    safe = []
    for place, n in zip(places, x.shape[2:]):
        ok = alg.and_(alg.ge(place, 0), alg.lt(place, n))
        inside = ok if inside is None else alg.and_(inside, ok)
        safe.append(alg.max_(alg.min_(place, n - 1), 0))
    batch = alg.positions(places[0], 0)
    out = alg.take(x, [batch, *safe], (0, *range(2, x.ndim)))
    assert inside is not None
    return alg.where(alg.unsqueeze(inside, inside.ndim), out, 0)


_GRID_MODES = ("bilinear", "nearest", "bicubic")
_GRID_PADDINGS = ("zeros", "border", "reflection")


@public("nn.functional.grid_sample")
def grid_sample(input: Node, grid: Node, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None) -> Node:
    """input (N, C, *S) at the points of grid (N, *out, rank): -1..1, the last dim first."""
    if mode not in _GRID_MODES:
        raise ValueError("nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' "
                         f"or 'bicubic', but got: '{mode}'")
    if padding_mode not in _GRID_PADDINGS:
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', "
                         f"'border', or 'reflection', but got: '{padding_mode}'")
    if input.ndim not in (4, 5) or grid.ndim != input.ndim:
        raise RuntimeError("grid_sampler(): expected 4D or 5D input and grid with same number of "
                           f"dimensions, but got input with sizes {list(input.shape)} and grid "
                           f"with sizes {list(grid.shape)}")
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {input.ndim - 2} in last "
                           f"dimension, but got grid with sizes {list(grid.shape)}")
    if grid.shape[0] != input.shape[0]:
        raise RuntimeError("grid_sampler(): expected grid and input to have same batch size, but "
                           f"got input with sizes {list(input.shape)} and grid with sizes "
                           f"{list(grid.shape)}")
    if mode == "bicubic" and input.ndim == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    return GRID_SAMPLE(input, grid, mode=mode, padding=padding_mode, align=bool(align_corners))


_MODE_NUMBERS = dict(enumerate(_GRID_MODES))
_PADDING_NUMBERS = dict(enumerate(_GRID_PADDINGS))


@public("torch.grid_sampler", "torch.grid_sampler_2d", "torch.grid_sampler_3d")
def grid_sampler(input: Node, grid: Node, interpolation_mode: int, padding_mode: int,
                 align_corners: bool) -> Node:
    """grid_sample with its modes as numbers."""
    return grid_sample(input, grid, _MODE_NUMBERS[interpolation_mode],
                       _PADDING_NUMBERS[padding_mode], align_corners)


@public("nn.functional.affine_grid")
def affine_grid(theta: Node, size: Sequence[int], align_corners: bool | None = None) -> Node:
    """The points that grid_sample reads for an affine map theta (N, rank, rank + 1)."""
    sizes = tuple(integer(n) for n in size)
    rank = len(sizes) - 2
    if rank not in (2, 3):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine "
                                  f"transforms, respectively. Got size {sizes}.")
    if theta.ndim != 3 or theta.shape[1:] != (rank, rank + 1):
        raise ValueError(f"Expected a batch of {rank}D affine matrices of shape "
                         f"Nx{rank}x{rank + 1} for size {sizes}. Got {list(theta.shape)}.")
    shape = sizes[2:]
    parts = [_axis(shape, d, theta.dtype, bool(align_corners)) for d in reversed(range(rank))]
    parts.append(alg.full((*shape, 1), 1, theta.dtype))
    base = alg.cat([alg.expand(p, (*shape, 1)) for p in parts], rank)
    places = tuple(range(1, rank + 1))
    row, column = rank + 1, rank + 2
    return alg.dot(base, theta, (*places, column), (0, row, column), (0, *places, row))


def _axis(shape: Shape, d: int, kind: dtype, align: bool) -> Node:
    """-1..1 along one dim, in the middles of the elements unless align."""
    n = shape[d]
    ramp = alg.iota((1,) * d + (n,) + (1,) * (len(shape) - d), d, kind)
    if n <= 1:
        return ramp * 0
    line = ramp * (2 / (n - 1)) - 1
    return line if align else line * ((n - 1) / n)


# ---------------------------------------------------------------- patches


def _pair(value: Any) -> tuple[int, int]:
    found = tuple(value) if hasattr(value, "__iter__") else (value, value)
    if len(found) == 1:
        found *= 2
    return integer(found[0]), integer(found[1])


def _blocks(size: Sequence[int], kernel: Shape, dilation: Shape, padding: Shape, stride: Shape,
            ) -> Shape:
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1
                 for n, k, d, p, s in zip(size, kernel, dilation, padding, stride))


@public("nn.functional.unfold", "_C._nn.im2col")
def unfold(input: Node, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
           stride: Any = 1) -> Node:
    """Patches as columns: (N, C, H, W) to (N, C * kh * kw, blocks)."""
    kernel, spread, pads, steps = (_pair(v) for v in (kernel_size, dilation, padding, stride))
    if input.ndim not in (3, 4):
        raise RuntimeError("Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and "
                           f"other non-zero dimensions for input, but got: {list(input.shape)}")
    if min(kernel) <= 0:
        raise RuntimeError("kernel size should be greater than zero, but got kernel_height: "
                           f"{kernel[0]} kernel_width: {kernel[1]}")
    x = input if input.ndim == 4 else alg.unsqueeze(input, 0)
    count = _blocks(x.shape[2:], kernel, spread, pads, steps)
    if any(n < 1 for n in count):
        raise RuntimeError(f"Given input with spatial size {x.shape[2:]}, kernel_size={kernel}, "
                           f"dilation={spread}, padding={pads}, calculated shape of the array of "
                           f"sliding blocks as {count}, but its components must be at least one.")
    x = alg.pad(x, (0, 0, *pads), (0, 0, *pads))
    for d in (0, 1):
        x = alg.unfold(x, 2 + d, kernel[d], steps[d], spread[d])
    x = alg.permute(x, (0, 1, 4, 5, 2, 3))
    rows = x.shape[1] * kernel[0] * kernel[1]
    out = alg.reshape(x, (x.shape[0], rows, count[0] * count[1]))
    return out if input.ndim == 4 else alg.squeeze(out, (0,))


@public("nn.functional.fold", "_C._nn.col2im")
def fold(input: Node, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
         stride: Any = 1) -> Node:
    """Columns of patches summed back into images: the transpose of unfold."""
    size, kernel, spread, pads, steps = (
        _pair(v) for v in (output_size, kernel_size, dilation, padding, stride))
    x = _columns(input, size, kernel, spread, pads, steps)
    count = _blocks(size, kernel, spread, pads, steps)
    channels = x.shape[1] // (kernel[0] * kernel[1])
    x = alg.reshape(x, (x.shape[0], channels, *kernel, *count))
    x = alg.permute(x, (0, 1, 4, 5, 2, 3))
    for d in (1, 0):
        x = alg.fold(x, 2 + d, size[d] + 2 * pads[d], steps[d], spread[d])
    out = alg.slice_(x, (0, 0, *pads), (1,) * 4, (*x.shape[:2], *size))
    return out if input.ndim == 3 else alg.squeeze(out, (0,))


def _columns(x: Node, size: Shape, kernel: Shape, spread: Shape, pads: Shape, steps: Shape) -> Node:
    """The input with a batch dim, checked."""
    if x.ndim not in (2, 3):
        raise RuntimeError("Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch "
                           f"size and non-zero dimensions for input, but got: {list(x.shape)}")
    x = x if x.ndim == 3 else alg.unsqueeze(x, 0)
    if x.shape[1] % (kernel[0] * kernel[1]):
        raise RuntimeError("Expected size of input's dimension 1 to be divisible by the product of "
                           f"kernel_size, but got input.size(1)={x.shape[1]} and "
                           f"kernel_size={kernel}.")
    count = _blocks(size, kernel, spread, pads, steps)
    given = (f"Given output_size={size}, kernel_size={kernel}, dilation={spread}, padding={pads}, "
             f"stride={steps}, ")
    if any(n < 1 for n in count):
        raise RuntimeError(f"{given}calculated shape of the array of sliding blocks as {count}, "
                           "which is too small (non-positive)")
    if x.shape[2] != count[0] * count[1]:
        raise RuntimeError(f"{given}expected size of input's dimension 2 to match the calculated "
                           f"number of sliding blocks {count[0]} * {count[1]} = "
                           f"{count[0] * count[1]}, but got input.size(2)={x.shape[2]}.")
    return x
