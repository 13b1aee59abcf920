"""torch.histogram and torch.histogramdd: how many points fall into each bin of a grid.

In: points (..., D). Out: counts (or weights, or their density) and the edges of the bins of each
dim. A bin holds its lower edge; the last one its upper edge as well.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph.node import Node
from . import promotion as pro
from .known import array, constant
from .results import named_result
from .table import public

Array = np.ndarray[Any, Any]
histogram_result = named_result("histogram", "hist", "bin_edges")
histogramdd_result = named_result("histogramdd", "hist", "bin_edges")
_WORDS = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}


def _word(x: Node) -> str:
    return _WORDS.get(x.dtype.name, x.dtype.name)


@public("histogram")
def histogram(input: Node, bins: Any = 100, *, range: Sequence[float] | None = None,
              weight: Node | None = None, density: bool = False) -> Any:
    """How many elements (or how much weight) fall into each bin, and the bins' edges."""
    if isinstance(bins, float):
        raise TypeError("histogram() received an invalid combination of arguments - got (Tensor, "
                        "float)")
    points = array(input).reshape(-1, 1)
    weights = _weights(input, (*points.shape,), weight, input.shape)
    hist, edges = _count(input, points, [bins], range, weights, density)
    return histogram_result(hist, edges[0])


@public("torch.histogramdd", out=False)
def histogramdd(input: Node, bins: Any, range: Sequence[float] | None = None,
                weight: Node | None = None, density: bool = False) -> Any:
    """The histogram of points (..., D) in D dims, and the edges of each."""
    if isinstance(bins, str) or not (hasattr(bins, "__index__") or hasattr(bins, "__iter__")):
        raise TypeError("histogramdd() received an invalid combination of arguments - got (Tensor, "
                        f"{type(bins).__name__})")
    if input.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    rank = input.shape[-1]
    grid = [bins] * rank if hasattr(bins, "__index__") else list(bins)
    if len(grid) != rank:
        if grid and isinstance(grid[0], Node):
            raise RuntimeError(f"torch.histogramdd: expected {rank} sequences of bin edges for a "
                               f"{rank}-dimensional histogram but got {len(grid)}")
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension "
                           "of the input.")
    weights = _weights(input, input.shape, weight, input.shape[:-1])
    hist, edges = _count(input, array(input).reshape(-1, rank), grid, range, weights, density)
    return histogramdd_result(hist, tuple(edges))


def _weights(x: Node, shape: tuple[int, ...], weight: Node | None, expected: tuple[int, ...],
             ) -> Array | None:
    if weight is None:
        return None
    if weight.dtype is not x.dtype:
        raise RuntimeError("torch.histogramdd: if weight tensor is provided, input tensor and "
                           "weight tensor should have the same dtype, but got "
                           f"input({_word(x)}), and weight({_word(weight)})")
    if weight.shape != expected:
        raise RuntimeError("torch.histogramdd: if weight tensor is provided it should have the "
                           "same shape as the input tensor excluding its innermost dimension, but "
                           f"got input with shape {list(shape)} and weight with shape "
                           f"{list(weight.shape)}")
    return array(weight).reshape(-1)


def _count(x: Node, points: Array, bins: list[Any], range: Sequence[float] | None,
           weights: Array | None, density: bool) -> tuple[Node, list[Node]]:
    """Counts on the grid and the edges of each dim."""
    rank = len(bins)
    if range is not None and len(range) != 2 * rank:
        raise RuntimeError(f"torch.histogramdd: for a {rank}-dimensional histogram range should "
                           f"have {2 * rank} elements, but got {len(range)}")
    given = [_given(x, b, d) if isinstance(b, Node) else None for d, b in enumerate(bins)]
    for d, b in enumerate(bins):
        if not isinstance(b, Node) and b < 1:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {b} for dimension "
                               f"{d}")
    if x.dtype.name not in ("float32", "float64"):
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{pro.type_name(x.dtype)}'")
    edges = [_even(points[:, d], bins[d], d, range) if e is None else e
             for d, e in enumerate(given)]
    shape = tuple(len(e) - 1 for e in edges)
    inside = np.ones(len(points), bool)
    flat = np.zeros(len(points), np.int64)
    for d, e in enumerate(edges):
        values = points[:, d]
        place = np.searchsorted(e, values, "right") - 1
        place[values == e[-1]] = len(e) - 2
        inside &= (values >= e[0]) & (values <= e[-1])
        flat = flat * shape[d] + place
    size = math.prod(shape)
    counts = np.bincount(flat[inside], None if weights is None else weights[inside], size)
    hist = counts.astype(np.float64).reshape(shape)
    if density:
        hist = hist / hist.sum()
        for d, e in enumerate(edges):
            widths = np.diff(e.astype(np.float64))
            hist = hist / widths.reshape(tuple(-1 if k == d else 1 for k in np.arange(rank)))
    kind = x.dtype.numpy
    return constant(hist.astype(kind)), [constant(e.astype(kind)) for e in edges]


def _given(x: Node, edges: Node, d: int) -> Array:
    if edges.dtype is not x.dtype:
        raise RuntimeError("torch.histogramdd: input tensor and bins tensors should have the same "
                           f"dtype, but got input with dtype {_word(x)} and bins for dimension "
                           f"{d} with dtype {_word(edges)}")
    if edges.ndim != 1:
        raise RuntimeError("torch.histogramdd: bins tensor should have one dimension, but got "
                           f"{edges.ndim} dimensions in the bins tensor for dimension {d}")
    if not edges.size:
        raise RuntimeError("torch.histogramdd: bins tensor should have at least 1 element, but got "
                           f"0 elements in the bins tensor for dimension {d}")
    return array(edges)


def _even(values: Array, bins: int, d: int, range: Sequence[float] | None) -> Array:
    """bins + 1 edges from the least value to the greatest, or over the range asked for."""
    if range is not None:
        low, high = float(range[2 * d]), float(range[2 * d + 1])
    elif values.size:
        low, high = float(values.min()), float(values.max())
    else:
        low, high = 0.0, 1.0
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: dimension {d}'s range [{low:g}, {high:g}] is not "
                           "finite")
    if low > high:
        raise RuntimeError(f"torch.histogramdd: min should not exceed max, but got min {low:g} max "
                           f"{high:g} for dimension {d}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1).astype(values.dtype)
