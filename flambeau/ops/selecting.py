"""Results whose shape depends on values: nonzero, masked_select, unique, histograms, searches.

In: nodes. Out: nodes. What decides a shape is computed for that: a mask (its positions are found
in NumPy), the number of groups. The elements themselves are taken in the graph, so that gradients
flow.

    masked_select(%0, mask)  ->  take(%0, constant positions of mask)
"""
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..core import dtype as dt
from ..core.layout import wrap_dim
from ..graph.node import Node
from ..graph.primitive import broadcast
from ..graph.realize import realize
from . import algebra as alg
from . import promotion as pro
from .known import array, constant, extremes, within
from .table import public


def _positions(x: Node) -> tuple[Any, ...]:
    values = array(x)
    return np.nonzero(values.reshape(1) if values.ndim == 0 else values)


@public("nonzero")
def nonzero(input: Node, *, as_tuple: bool = False) -> Any:
    """Where elements are not zero: a row each, or a vector for each dim."""
    found = _positions(input)
    if as_tuple:
        return tuple(constant(f.astype(np.int64)) for f in found)
    rows = np.stack(found, 1).astype(np.int64)
    return constant(rows if input.ndim else rows[:, :0])


@public("argwhere")
def argwhere(input: Node) -> Node:
    """The positions of all elements that are not 0: (count, dims)."""
    return nonzero(input)


@public("masked_select")
def masked_select(input: Node, mask: Node) -> Node:
    """The elements under a mask, in row-major order; input and mask broadcast."""
    if mask.dtype not in (dt.bool_, dt.uint8):
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = broadcast(mask.shape, input.shape)
    flat = np.flatnonzero(np.broadcast_to(array(mask), shape)).astype(np.int64)
    x = alg.reshape(alg.expand(input, shape), (input.size,) if shape == input.shape else
                    (int(np.prod(shape)),))
    return alg.take(x, [constant(flat)], (0,))


@public("masked_scatter", inplace=True)
def masked_scatter(input: Node, mask: Node, source: Node) -> Node:
    """input with its elements under the mask replaced by those of source, in order."""
    if mask.dtype is not dt.bool_:
        raise RuntimeError("masked_scatter_ only supports boolean masks, but got mask with dtype "
                           f"{pro.type_name(mask.dtype)}")
    if source.dtype is not input.dtype:
        raise RuntimeError("masked_scatter: expected self and source to have same dtypes but got"
                           f"{pro.type_name(input.dtype)} and {pro.type_name(source.dtype)}")
    shape = broadcast(mask.shape, input.shape)
    flat = np.flatnonzero(np.broadcast_to(array(mask), shape)).astype(np.int64)
    if source.size < flat.size:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    base = alg.expand(input, shape)
    size = int(np.prod(shape))
    part = alg.narrow(alg.reshape(source, (source.size,)), 0, 0, flat.size)
    out = alg.put(alg.reshape(base, (size,)), part, [constant(flat)], (0,))
    return alg.reshape(out, shape)


# ---------------------------------------------------------------- sets


@public("unique")
def unique(input: Node, sorted: bool = True, return_inverse: bool = False,
           return_counts: bool = False, dim: int | None = None) -> Any:
    """The distinct elements (or slices along dim), in order."""
    pro.check_ordered("unique", input)
    if dim is not None:
        d = wrap_dim(dim, input.ndim)
        slices, index, sizes = np.unique(array(input), return_inverse=True, return_counts=True,
                                         axis=d)
        found = (constant(slices), constant(index.reshape(-1).astype(np.int64)),
                 constant(sizes.astype(np.int64)))
        return _wanted(found, return_inverse, return_counts)
    flat = alg.reshape(input, (input.size,))
    order = alg.argsort(flat, 0)
    ordered = alg.along(flat, order, 0)
    runs = _runs(alg.reshape(ordered, (input.size, 1)), [ordered, order])
    values = alg.take(ordered, [runs.starts], (0,))
    # The group of each element, where the element was.
    inverse = alg.put(alg.full(flat.shape, 0, dt.int64), runs.group, [order], (0,))
    found = values, alg.reshape(inverse, input.shape), runs.counts
    return _wanted(found, return_inverse, return_counts)


@public("unique_consecutive")
def unique_consecutive(input: Node, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Any:
    """The elements (or slices along dim) without those equal to their predecessor."""
    d = 0 if dim is None else wrap_dim(dim, input.ndim)
    line = alg.reshape(input, (input.size,)) if dim is None else input
    n = line.shape[d]
    first = alg.permute(line, (d, *(i for i in range(line.ndim) if i != d)))
    runs = _runs(alg.reshape(first, (n, line.size // n if n else 0)), [])
    values = alg.take(first, [runs.starts], (0,))
    values = alg.permute(values, (*range(1, d + 1), 0, *range(d + 1, line.ndim)))
    inverse = runs.group if dim is not None else alg.reshape(runs.group, input.shape)
    return _wanted((values, inverse, runs.counts), return_inverse, return_counts)


class Runs(NamedTuple):
    """Equal neighbours as groups: the group of each row, where groups start, their sizes."""

    group: Node
    starts: Node
    counts: Node


def _runs(rows: Node, others: list[Node]) -> Runs:
    """The runs of equal rows of a matrix. Their number has to be known, so they are computed now,
    and `others` with them."""
    n = rows.shape[0]
    if not n:
        none = alg.full((0,), 0, dt.int64)
        return Runs(none, none, none)
    differ = alg.ne(alg.narrow(rows, 0, 1, n - 1), alg.narrow(rows, 0, 0, n - 1))
    changes = alg.cast(alg.reshape(alg.any_(differ, (1,)), (n - 1,)), dt.int64)
    group = alg.scan(alg.cat([alg.full((1,), 0, dt.int64), changes], 0), "add", 0)
    realize([group, *others])
    size = int(array(group)[-1]) + 1
    starts = alg.put(alg.full((size,), n, dt.int64), alg.iota((n,), 0), [group], (0,), "min")
    ends = alg.cat([alg.narrow(starts, 0, 1, size - 1), alg.full((1,), n, dt.int64)], 0)
    return Runs(group, starts, ends - starts)


def _wanted(found: tuple[Node, Node, Node], inverse: bool, counts: bool) -> Any:
    """Values and what else was asked for, computed, so that no derivative is recorded."""
    kept = [found[0], *([found[1]] if inverse else ()), *([found[2]] if counts else ())]
    realize(kept)
    return kept[0] if len(kept) == 1 else tuple(kept)


@public("torch.isin")
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False,
         invert: bool = False) -> Node:
    """Whether each element is among the test elements."""
    a, b = pro.promote(elements, test_elements)
    if b.size <= 16:
        found = alg.full(a.shape, False, dt.bool_)
        flat = alg.reshape(b, (b.size,))
        for i in range(b.size):
            one = alg.reshape(alg.narrow(flat, 0, i, 1), ())
            found = alg.or_(found, alg.eq(a, one))
        return alg.not_(found) if invert else found
    if a.dtype.kind == "c":
        return constant(np.isin(array(a), array(b), invert=invert))
    tests = alg.reshape(b, (b.size,))
    tests = alg.along(tests, alg.argsort(tests, 0), 0)
    found = alg.reshape(_among(alg.reshape(a, (a.size,)), tests), a.shape)
    return alg.not_(found) if invert else found


def _among(x: Node, tests: Node) -> Node:
    """Whether elements of a vector are among sorted tests. A NaN is among none."""
    # A search passes every NaN; those of the tests stand last, where infinities may stand too.
    lines = tests
    if tests.dtype.kind == "f":
        lines = alg.where(alg.isnan(tests), alg.full(tests.shape, math.inf, tests.dtype), tests)
    place = alg.min_(alg.search(lines, x, False), tests.size - 1)
    return alg.eq(alg.take(tests, [place], (0,)), x)


# ---------------------------------------------------------------- counts


@public("bincount")
def bincount(input: Node, weights: Node | None = None, minlength: int = 0) -> Node:
    """How often each non-negative integer comes, or the sum of its weights."""
    if input.dtype.kind not in "iu":
        kind = pro.type_name(input.dtype)
        raise NotImplementedError(f'"bincount_cpu" not implemented for \'{kind}\'')
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    low, high = extremes(input)
    if input.ndim != 1 or low < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    size = max(high + 1, minlength)
    if weights is None:
        part = alg.full(input.shape, 1, dt.int64)
    else:
        part = alg.cast(weights, weights.dtype if weights.dtype is dt.float32 else dt.float64)
    return alg.put(alg.full((size,), 0, part.dtype), part, [alg.cast(input, dt.int64)], (0,), "add")


@public("histc")
def histc(input: Node, bins: int = 100, min: float = 0, max: float = 0) -> Node:
    """Counts of elements in equal bins between min and max (their own extremes when both are 0)."""
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    pro.check_ordered("aminmax_cpu", input)
    x = alg.reshape(input, (input.size,))
    low, high = float(min), float(max)
    if low == high and input.size:
        ends = alg.cat([alg.amin(x, (0,)), alg.amax(x, (0,))], 0)
        low, high = map(float, array(ends))
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if not low < high:
        raise RuntimeError("torch.histc: max must be larger than min")
    if x.dtype.kind != "f":
        x = alg.cast(x, dt.float64)
    inside = alg.and_(alg.ge(x, low), alg.le(x, high))
    at = alg.cast((alg.where(inside, x, low) - low) * (bins / (high - low)), dt.int64)
    counts = alg.put(alg.full((bins,), 0, dt.int64), alg.cast(inside, dt.int64),
                     [alg.min_(at, bins - 1)], (0,), "add")
    return alg.cast(counts, input.dtype)


# ---------------------------------------------------------------- searches


@public("torch.searchsorted")
def searchsorted(sorted_sequence: Node, input: Any = None, *, out_int32: bool = False,
                 right: bool = False, side: str | None = None, sorter: Node | None = None,
                 self: Any = None) -> Node:
    """Where each value would go in the sorted last dim so that it stays sorted."""
    values = input if input is not None else self
    if side not in (None, "left", "right"):
        raise RuntimeError("torch.searchsorted(): side can only be 'left' or 'right' but got "
                           f"{side}")
    if side == "left" and right:
        raise RuntimeError("torch.searchsorted(): side and right can't be set to opposites, got "
                           "side of left while right was True")
    if not isinstance(values, Node):
        values = pro.number(values, pro.result_type(sorted_sequence, values))
    edges = sorted_sequence
    if edges.ndim != 1 and edges.shape[:-1] != values.shape[:-1]:
        raise RuntimeError("torch.searchsorted(): boundaries tensor should be 1 dimension or the "
                           "first N-1 dimensions of boundaries tensor and input value tensor must "
                           f"match, but we got boundaries tensor {list(edges.shape)} and input "
                           f"value tensor {list(values.shape)}")
    kind = dt.int32 if out_int32 else dt.int64
    if not edges.size or not values.size:
        return alg.full(values.shape, 0, kind)
    if sorter is not None:
        if not within(sorter, 0, edges.shape[-1] - 1):
            raise RuntimeError("torch.searchsorted(): sorter index out of range")
        edges = alg.along(edges, sorter, edges.ndim - 1)
    lines, wanted = pro.promote(edges, values)
    # A number alone may be a constant of the program, which has no memory; an array has.
    listed = wanted if wanted.ndim else alg.expand(wanted, (1,))
    found = alg.search(lines, listed, right or side == "right")
    return alg.cast(alg.reshape(found, wanted.shape), kind)


@public("torch.bucketize")
def bucketize(input: Any, boundaries: Node, *, out_int32: bool = False, right: bool = False,
              ) -> Node:
    """The bin of each value between sorted boundaries."""
    if boundaries.ndim != 1:
        raise RuntimeError("boundaries tensor must be 1 dimension, but got dim"
                           f"({boundaries.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@public("torch.unravel_index")
def unravel_index(indices: Node, shape: Any) -> tuple[Node, ...]:
    """Flat positions as one index for each dim of `shape`."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    out = []
    rest = alg.cast(indices, dt.int64)
    for n in reversed(sizes):
        out.append(alg.mod(rest, n))
        rest = alg.floordiv(rest, n)
    return tuple(reversed(out))
