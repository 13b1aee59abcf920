"""Images at other sizes: interpolate.

In: a node (N, C, *S) and PyTorch's arguments. Out: a node. Every mode works on one dim at a time:
elements are taken at computed positions and weighted, so it all fuses.

    linear along d:  take(x, floor(s)) * (1 - w) + take(x, floor(s) + 1) * w,  w = s - floor(s)
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from . import algebra as alg
from .adaptive import ADAPTIVE_AVERAGE
from .fused import wide_type
from .known import constant, integer
from .table import composite, public


class Line(NamedTuple):
    """One dim resampled: extents before and after, source steps a result step, corners kept."""

    n: int
    m: int
    step: float
    align: bool


def _infer(x: Node, size: Shape, steps: tuple[float, ...], mode: str, align: bool,
           ) -> tuple[Shape, dtype]:
    return x.shape[:2] + size, x.dtype


@composite("interpolate", _infer, ("size", "steps", "mode", "align"))
def INTERPOLATE(x: Node, size: Shape, steps: tuple[float, ...], mode: str,  # noqa: N802 - an Op
                align: bool) -> Node:
    along = {"nearest": _nearest, "nearest-exact": _nearest_exact, "linear": _linear,
             "cubic": _cubic}[mode]
    kind = x.dtype
    out = x if mode.startswith("nearest") else alg.cast(x, _wide(kind))
    for d in reversed(range(2, x.ndim)):
        line = Line(x.shape[d], size[d - 2], steps[d - 2], align)
        if line.n != line.m or line.step != 1.0:
            out = along(out, d, line)
            out = _in_bytes(out) if kind.kind == "u" and out.dtype is not kind else out
    return alg.cast(out, kind)


def _wide(kind: dtype) -> dtype:
    return dt.float32 if kind.kind == "u" else wide_type(kind)


def _in_bytes(x: Node) -> Node:
    """Rounded and kept in range: PyTorch stores bytes between the dims."""
    return alg.max_(alg.min_(alg.floor(x + 0.5), 255), 0)


def _at(x: Node, d: int, index: Node) -> Node:
    """The slices of dim d at a vector of positions."""
    out = alg.take(x, [index], (d,))
    return alg.permute(out, (*range(1, d + 1), 0, *range(d + 1, x.ndim)))


def _ramp(m: int, kind: dtype) -> Node:
    return alg.iota((m,), 0, kind)


def _position_type(x: Node) -> dtype:
    return dt.float64 if x.dtype is dt.float64 else dt.float32


def _nearest(x: Node, d: int, line: Line) -> Node:
    n, m, step, _ = line
    if m % n == 0 and step == n / m:
        thin = alg.unsqueeze(x, d + 1)
        wide = alg.expand(thin, x.shape[:d + 1] + (m // n,) + x.shape[d + 1:])
        return alg.reshape(wide, x.shape[:d] + (m,) + x.shape[d + 1:])
    place = alg.cast(alg.floor(_ramp(m, dt.float32) * step), dt.int64)
    return _at(x, d, alg.min_(place, n - 1))


def _nearest_exact(x: Node, d: int, line: Line) -> Node:
    place = alg.cast(alg.floor((_ramp(line.m, dt.float32) + 0.5) * line.step), dt.int64)
    return _at(x, d, alg.min_(place, line.n - 1))


def _source(x: Node, line: Line) -> Node:
    """Where each result element lies among the source's."""
    ramp = _ramp(line.m, _position_type(x))
    return ramp * line.step if line.align else (ramp + 0.5) * line.step - 0.5


def _weigh(x: Node, d: int, weight: Node) -> Node:
    """A weight for each position of dim d, shaped to broadcast."""
    return alg.cast(alg.reshape(weight, (weight.size,) + (1,) * (x.ndim - d - 1)), x.dtype)


def _linear(x: Node, d: int, line: Line) -> Node:
    source = alg.max_(_source(x, line), 0)
    low = alg.min_(alg.cast(alg.floor(source), dt.int64), line.n - 1)
    high = alg.min_(low + 1, line.n - 1)
    w = alg.min_(alg.max_(source - alg.cast(low, source.dtype), 0), 1)
    return _at(x, d, low) * _weigh(x, d, 1 - w) + _at(x, d, high) * _weigh(x, d, w)


_A = -0.75                                     # Keys, 1981; the value PyTorch and OpenCV use


def _near(t: Node) -> Node:
    return ((t * (_A + 2) - (_A + 3)) * t) * t + 1


def _far(t: Node) -> Node:
    return ((t * _A - 5 * _A) * t + 8 * _A) * t - 4 * _A


def cubic_weights(t: Node) -> list[Node]:
    """Weights of the four neighbours at -1, 0, 1, 2 of a fraction t (Keys, "Cubic convolution
    interpolation", 1981, equation 15)."""
    return [_far(t + 1), _near(t), _near(1 - t), _far(2 - t)]


def _cubic(x: Node, d: int, line: Line) -> Node:
    source = _source(x, line)
    base = alg.floor(source)
    place = alg.cast(base, dt.int64)
    total: Node | None = None
    for k, w in enumerate(cubic_weights(source - base)):
        index = alg.max_(alg.min_(place + (k - 1), line.n - 1), 0)
        term = _at(x, d, index) * _weigh(x, d, w)
        total = term if total is None else total + term
    assert total is not None
    return total


# ---------------------------------------------------------------- antialiased


def _triangle(t: Any) -> Any:
    return np.maximum(1 - np.abs(t), 0)


def _cubic_filter(t: Any) -> Any:
    a = -0.5
    t = np.abs(t)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((t - 5) * t + 8) * t * a - 4 * a
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def _lanczos(t: Any) -> Any:
    return np.where(np.abs(t) < 3, np.sinc(t) * np.sinc(t / 3), 0)


_FILTERS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "linear": (_triangle, 1), "cubic": (_cubic_filter, 2), "lanczos": (_lanczos, 3)}


def _antialiased(x: Node, size: Shape, steps: Sequence[float], mode: str, align: bool) -> Node:
    """A product with each dim's matrix of filter weights, the filter widened when shrinking."""
    kind = x.dtype
    out = alg.cast(x, _wide(kind))
    for d in reversed(range(2, x.ndim)):
        n, m, step = x.shape[d], size[d - 2], steps[d - 2]
        if n == m and step == 1.0:
            continue
        matrix = constant(_filter_matrix(n, m, step, mode).astype(out.dtype.numpy))
        labels = tuple(range(x.ndim))
        out = alg.dot(out, matrix, labels, (x.ndim, d), labels[:d] + (x.ndim,) + labels[d + 1:])
        out = _in_bytes(out) if kind.kind == "u" else out
    return alg.cast(out, kind)


def _filter_matrix(n: int, m: int, step: float, mode: str) -> Any:
    shape, reach = _FILTERS[mode]
    scale = max(step, 1.0)
    centre = step * (np.arange(m) + 0.5)
    low = np.maximum((centre - reach * scale + 0.5).astype(np.int64), 0)
    high = np.minimum((centre + reach * scale + 0.5).astype(np.int64), n)
    at = np.arange(n)
    weights = shape((at[None] - centre[:, None] + 0.5) / scale)
    weights = np.where((at[None] >= low[:, None]) & (at[None] < high[:, None]), weights, 0)
    total = weights.sum(1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


# ---------------------------------------------------------------- PyTorch's functions


_MODES = {("nearest", 3): "nearest", ("nearest", 4): "nearest", ("nearest", 5): "nearest",
          ("nearest-exact", 3): "nearest-exact", ("nearest-exact", 4): "nearest-exact",
          ("nearest-exact", 5): "nearest-exact", ("linear", 3): "linear", ("bilinear", 4): "linear",
          ("trilinear", 5): "linear", ("bicubic", 4): "cubic", ("area", 3): "area",
          ("area", 4): "area", ("area", 5): "area", ("lanczos", 4): "lanczos"}
_RANKS = {"linear": 3, "bilinear": 4, "trilinear": 5}
_CORNERS = ("linear", "bilinear", "trilinear", "bicubic")


def _sizes(x: Node, size: Any, scale_factor: Any) -> tuple[Shape, list[float | None]]:
    """(the result's spatial shape, the scales asked for)."""
    spatial = x.shape[2:]
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        wanted = tuple(size) if hasattr(size, "__iter__") else (size,) * len(spatial)
        if len(wanted) != len(spatial):
            raise ValueError("Input and output must have the same number of spatial dimensions, "
                             f"but got input with spatial dimensions of {list(spatial)} and "
                             f"output size of {size}. Please provide input tensor in (N, C, d1, "
                             "d2, ...,dK) format and output size in (o1, o2, ...,oK) format.")
        return tuple(integer(n) for n in wanted), [None] * len(spatial)
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    scales = (list(scale_factor) if hasattr(scale_factor, "__iter__")
              else [scale_factor] * len(spatial))
    if len(scales) != len(spatial):
        raise ValueError("Input and scale_factor must have the same number of spatial dimensions, "
                         f"but got input with spatial dimensions of {list(spatial)} and "
                         f"scale_factor of shape {scale_factor}. Please provide input tensor in "
                         "(N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) "
                         "format.")
    return tuple(math.floor(n * float(s)) for n, s in zip(spatial, scales)), scales


def _mode(x: Node, mode: str) -> str:
    found = _MODES.get((mode, x.ndim))
    if found is not None:
        return found
    if mode in _RANKS and x.ndim in (3, 4, 5):
        raise NotImplementedError(f"Got {x.ndim}D input, but {mode} mode needs {_RANKS[mode]}D "
                                  "input")
    raise NotImplementedError("Input Error: Only 3D, 4D and 5D input Tensors supported (got "
                              f"{x.ndim}D) for the modes: nearest | linear | bilinear | bicubic | "
                              f"trilinear | lanczos | area | nearest-exact (got {mode})")


@public("nn.functional.interpolate")
def interpolate(input: Node, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
                align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
                antialias: bool = False) -> Node:
    """Resample the spatial dims to a size, or by a factor."""
    if mode not in _CORNERS and align_corners is not None:
        raise ValueError("align_corners option can only be set with the interpolating modes: "
                         "linear | bilinear | bicubic | trilinear")
    wanted, scales = _sizes(input, size, scale_factor)
    if recompute_scale_factor:
        if size is not None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        scales = [None] * len(scales)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.ndim == 4):
        raise ValueError("Anti-alias option is restricted to bilinear, bicubic, and lanczos modes "
                         "and requires a 4-D tensor as input")
    kind = _mode(input, mode)
    if any(n <= 0 for n in (*wanted, *input.shape[2:])):
        raise RuntimeError("Input and output sizes should be greater than 0, but got input "
                           f"{list(input.shape[2:])} output {list(wanted)}")
    if kind == "area":
        return ADAPTIVE_AVERAGE(input, size=wanted)
    align = bool(align_corners)
    steps = tuple(_step(n, m, s, align) for n, m, s in zip(input.shape[2:], wanted, scales))
    if antialias or kind == "lanczos":
        return _antialiased(input, wanted, steps, kind, align)
    return INTERPOLATE(input, size=wanted, steps=steps, mode=kind, align=align)


def _step(n: int, m: int, scale: float | None, align: bool) -> float:
    """Source elements a result element."""
    if align:
        return (n - 1) / (m - 1) if m > 1 else 0.0
    return 1.0 / float(scale) if scale is not None and scale > 0 else n / m


@public("nn.functional.upsample")
def upsample(input: Node, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
             align_corners: bool | None = None) -> Node:
    """The old name of interpolate."""
    return interpolate(input, size, scale_factor, mode, align_corners)


@public("nn.functional.upsample_nearest")
def upsample_nearest(input: Node, size: Any = None, scale_factor: Any = None) -> Node:
    """interpolate with mode "nearest"."""
    return interpolate(input, size, scale_factor, "nearest")


@public("nn.functional.upsample_bilinear")
def upsample_bilinear(input: Node, size: Any = None, scale_factor: Any = None) -> Node:
    """interpolate with mode "bilinear" and aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)
