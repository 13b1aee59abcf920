"""Spread and order statistics: var, std, median, quantile, mode, kthvalue, covariance.

In: nodes and dims. Out: nodes and named tuples (values, indices).

    median(x, dim=1)  ->  take(%0, take(argsort(%0, dim=1), (n-1)//2))
"""
from __future__ import annotations

import math
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Op, Shape
from . import algebra as a
from . import known
from .algebra import cast, const, or_, where
from .elementwise import spread
from .fused import fused
from .promotion import check_ordered, promote, wrap_dim, wrap_dims
from .reduction import ARGMAX, mean, reduced, restored
from .results import named_result
from .table import public

Dim = Any
median_result = named_result("median", "values", "indices")
nanmedian_result = named_result("nanmedian", "values", "indices")
kthvalue_result = named_result("kthvalue", "values", "indices")
mode_result = named_result("mode", "values", "indices")


# ---------------------------------------------------------------- variance


def _infer(x: Node, dims: tuple[int, ...], keepdim: bool, correction: float) -> tuple[Shape, dtype]:
    return reduced(x, dims, keepdim), x.dtype


def freedom(x: Node, dims: tuple[int, ...], correction: float) -> float:
    """1 / max(0, n - correction); infinite for none."""
    left = max(0.0, a.count(x, dims) - correction)
    return 1.0 / left if left else math.inf


def centred(x: Node, dims: tuple[int, ...]) -> Node:
    n = a.count(x, dims)
    return x - a.sum_(x, dims) * (1.0 / n if n else math.nan)


def _var_slope(g: Node, _out: Node, x: Node, dims: tuple[int, ...], keepdim: bool,
               correction: float) -> tuple[Node]:
    return (restored(g, x, dims) * (2 * freedom(x, dims, correction)) * centred(x, dims),)


@fused("var", ("dims", "keepdim", "correction"), infer=_infer, vjp=_var_slope)
def var_op(x: Node, dims: tuple[int, ...], keepdim: bool, correction: float) -> Node:
    """Two passes: the mean, then the squares of the distances to it."""
    gap = centred(x, dims)
    squares = a.sum_(gap * gap, dims) * freedom(x, dims, correction)
    return a.reshape(squares, reduced(x, dims, keepdim))


def _std_slope(g: Node, out: Node, x: Node, dims: tuple[int, ...], keepdim: bool,
               correction: float) -> tuple[Node]:
    inner = where(a.eq(out, 0), 0, g / out)
    return (restored(inner, x, dims) * freedom(x, dims, correction) * centred(x, dims),)


@fused("std", ("dims", "keepdim", "correction"), infer=_infer, vjp=_std_slope)
def std_op(x: Node, dims: tuple[int, ...], keepdim: bool, correction: float) -> Node:
    return a.sqrt(var_op(x, dims=dims, keepdim=keepdim, correction=correction))


def _spread_arguments(name: str, x: Node, dim: Dim, unbiased: Any, correction: Any,
                      ) -> tuple[tuple[int, ...], float]:
    """The overloads: (unbiased), (dim, unbiased, keepdim), (dim, *, correction, keepdim)."""
    if x.dtype.kind not in "fc":
        raise RuntimeError(f"{name} only support floating point and complex dtypes")
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return wrap_dims(dim, x.ndim), float(correction)


def sum_of_parts(x: Node, dims: tuple[int, ...], keepdim: bool, correction: float) -> Node:
    """The variance of complex numbers: those of the parts together."""
    parts = [var_op(p, dims=dims, keepdim=bool(keepdim), correction=correction)
             for p in (a.real(x), a.imag(x))]
    return parts[0] + parts[1]


@public("var")
def var(input: Node, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: float | None = None) -> Node:
    """The variance over dims; divides by the count less the correction (1)."""
    dims, c = _spread_arguments("std and var", input, dim, unbiased, correction)
    if input.dtype.kind == "c":
        return sum_of_parts(input, dims, keepdim, c)
    return var_op(input, dims=dims, keepdim=bool(keepdim), correction=c)


@public("std")
def std(input: Node, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: float | None = None) -> Node:
    """The standard deviation over dims; divides by the count less the correction (1)."""
    dims, c = _spread_arguments("std and var", input, dim, unbiased, correction)
    if input.dtype.kind == "c":
        return a.sqrt(sum_of_parts(input, dims, keepdim, c))
    return std_op(input, dims=dims, keepdim=bool(keepdim), correction=c)


@public("torch.var_mean")
def var_mean(input: Node, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: float | None = None) -> tuple[Node, Node]:
    """The variance and the mean over dims."""
    spread_ = var(input, dim, unbiased, keepdim, correction=correction)
    return spread_, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@public("torch.std_mean")
def std_mean(input: Node, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: float | None = None) -> tuple[Node, Node]:
    """The standard deviation and the mean over dims."""
    spread_ = std(input, dim, unbiased, keepdim, correction=correction)
    return spread_, mean(input, None if isinstance(dim, bool) else dim, keepdim)


# ---------------------------------------------------------------- order statistics


def _pick_infer(x: Node, index: Node, dim: int) -> tuple[Shape, dtype]:
    return index.shape, x.dtype


def _pick_slope(g: Node, _out: Node, _x: Node, index: Node, dim: int) -> tuple[Node, None]:
    if index.shape[dim] == 1:
        return where(a.eq(a.positions(_x, dim), index), g, 0), None
    picks = [index if d == dim else a.iota(index.shape, d) for d in range(_x.ndim)]
    return a.put(a.zeros_like(_x), g, picks, range(_x.ndim), "add"), None


# Elements of x along dim at positions known to be in range.
PICK = Op("pick", _pick_infer, params=("dim",), vjp=_pick_slope,
          expand=lambda x, index, dim: a.along(x, index, dim))


def _no_nan(x: Node) -> bool:
    return x.dtype.kind != "f"


def _flat(x: Node) -> Node:
    return a.reshape(x, (x.size,))


def _shared_slope(g: Node, out: Node, x: Node) -> tuple[Node]:
    hit = or_(a.eq(x, out), a.isnan(out) if x.dtype.kind != "f" else
              a.and_(a.isnan(x), a.isnan(out)))
    mask = cast(hit, g.dtype)
    return (spread(g, x) * mask / a.sum_(mask, (0,)),)


def _middle(x: Node, dim: int, skip_nan: bool) -> Node:
    """The position (dim kept) of the lower median along dim."""
    order = a.argsort(x, dim)
    n = x.shape[dim]
    if _no_nan(x):
        return a.narrow(order, dim, (n - 1) // 2, 1)
    bad = a.isnan(x)
    if not skip_nan:
        middle = a.narrow(order, dim, (n - 1) // 2, 1)
        return where(a.any_(bad, (dim,)), ARGMAX(x, dim=dim, keepdim=True), middle)
    numbers = a.sum_(cast(a.not_(bad), dt.int64), (dim,))
    rank = a.max_(a.truncdiv(numbers - 1, 2), 0)
    return a.along(order, rank, dim)


@fused("median_all", ("skip_nan",), infer=lambda x, skip_nan: ((1,), x.dtype), vjp=lambda
       g, out, x, skip_nan: _shared_slope(g, out, x))
def _median_all(x: Node, skip_nan: bool) -> Node:
    return a.along(x, _middle(x, 0, skip_nan), 0)


def _median(input: Node, dim: int | None, keepdim: bool, skip_nan: bool, result: Any) -> Any:
    check_ordered("median_cpu", input)
    if dim is None:
        if not input.size:
            kind = input.dtype
            return const(math.nan if kind.kind == "f" else -(1 << 8 * kind.itemsize - 1), kind)
        return a.reshape(_median_all(_flat(input), skip_nan=skip_nan), ())
    d = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return result(a.reshape(input * 1, ()), const(0, dt.int64))
    if not input.shape[d]:
        raise IndexError(f"median(): Expected reduction dim {d} to have non-zero size.")
    return _selected(input, _middle(input, d, skip_nan), d, keepdim, result)


def _selected(x: Node, index: Node, d: int, keepdim: bool, result: Any) -> Any:
    values = PICK(x, index, dim=d)
    if keepdim:
        return result(values, index)
    return result(a.squeeze(values, (d,)), a.squeeze(index, (d,)))


@public("median")
def median(input: Node, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median; with a dim also where it stands."""
    return _median(input, dim, keepdim, False, median_result)


@public("nanmedian")
def nanmedian(input: Node, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of what is not NaN."""
    return _median(input, dim, keepdim, True, nanmedian_result)


@public("kthvalue")
def kthvalue(input: Node, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along dim (from 1), and where it stands."""
    check_ordered("kthvalue_cpu", input)
    d = wrap_dim(dim, input.ndim)
    n = input.shape[d] if input.ndim else 1
    if n == 0:
        raise IndexError(f"kthvalue(): Expected reduction dim {d} to have non-zero size.")
    if not 1 <= k <= n:
        raise RuntimeError("kthvalue(): selected number k out of range for dimension "
                           f"{d}")
    if not input.ndim:
        return kthvalue_result(input, const(0, dt.int64))
    index = a.narrow(a.argsort(input, d, count=k), d, k - 1, 1)
    return _selected(input, index, d, keepdim, kthvalue_result)


@public("mode")
def mode(input: Node, dim: int = -1, keepdim: bool = False) -> Any:
    """The smallest of the most frequent values, and its last position."""
    check_ordered("mode_cpu", input)
    d = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return mode_result(input, const(0, dt.int64))
    if not input.shape[d]:
        raise IndexError(f"mode(): Expected reduction dim {d} to have non-zero size.")
    order = a.argsort(input, d)
    ordered = a.along(input, order, d)
    n = input.shape[d]
    at = a.iota(input.shape, d)
    changes = a.ne(a.narrow(ordered, d, 1, n - 1), a.narrow(ordered, d, 0, n - 1))
    first = a.full(a.narrow(ordered, d, 0, 1).shape, True, dt.bool_)
    start = a.scan(where(a.cat([first, changes], d), at, 0), "max", d)
    index = a.along(order, ARGMAX(at - start, dim=d, keepdim=True), d)
    return _selected(input, index, d, keepdim, mode_result)


# ---------------------------------------------------------------- quantiles

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _check_quantile(name: str, x: Node, q: Any, interpolation: str) -> None:
    if x.dtype not in (dt.float32, dt.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Node):
        if q.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q.dtype is not x.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
    if interpolation not in _METHODS:
        raise RuntimeError(f"{name}() interpolation must be one of linear, lower, higher, midpoint "
                           f"or nearest, but got {interpolation}")


def _quantile(name: str, x: Node, q: Any, dim: int | None, keepdim: bool, interpolation: str,
              skip_nan: bool) -> Node:
    _check_quantile(name, x, q, interpolation)
    if not x.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    rank = x.ndim
    d = 0 if dim is None else wrap_dim(dim, rank)
    if dim is None or not rank:
        x = _flat(x)
        d = 0
    kept = tuple(1 if dim is None or i == d else n for i, n in enumerate((1,) * rank if dim is None
                                                                         else x.shape[:rank]))
    rows = a.permute(x, [i for i in range(x.ndim) if i != d] + [d])        # (..., n)
    last = rows.ndim - 1
    ordered = PICK(rows, a.argsort(rows, last), dim=last)
    many = isinstance(q, Node) and q.ndim == 1
    qs = q if isinstance(q, Node) else const(q, x.dtype)
    qs = a.reshape(qs, (1,) * last + (-1 if not isinstance(q, Node) else qs.size,)) \
        if isinstance(q, Node) else a.reshape(qs, (1,) * (last + 1))
    out = _interpolated(rows, ordered, qs, interpolation, skip_nan)       # (..., q)
    out = a.permute(out, [last, *range(last)])
    shape = kept if keepdim else tuple(n for i, n in enumerate(rows.shape[:-1]))
    if dim is None and not keepdim:
        shape = ()
    return a.reshape(out, ((out.shape[0],) if many else ()) + shape)


def _interpolated(rows: Node, ordered: Node, q: Node, method: str, skip_nan: bool) -> Node:
    last = rows.ndim - 1
    bad = a.isnan(rows)
    numbers = a.sum_(cast(a.not_(bad), rows.dtype), (last,))
    top = a.max_(numbers - 1, 0) if skip_nan else const(rows.shape[last] - 1, rows.dtype)
    rank = q * top
    if not skip_nan:
        rank = where(a.any_(bad, (last,)), rows.shape[last] - 1, rank)
    elif rank.shape[:-1] != rows.shape[:-1]:
        rank = a.expand(rank, rows.shape[:-1] + rank.shape[-1:])
    if method in ("lower", "higher", "nearest"):
        rounding = {"lower": a.floor, "higher": a.ceil, "nearest": a.round_}[method]
        return PICK(ordered, cast(rounding(rank), dt.int64), dim=last)
    low = a.floor(rank)
    below = PICK(ordered, cast(low, dt.int64), dim=last)
    above = PICK(ordered, cast(a.ceil(rank), dt.int64), dim=last)
    weight = rank - low if method == "linear" else const(0.5, rows.dtype)
    return below + (above - below) * weight


@public("quantile")
def quantile(input: Node, q: Any, dim: int | None = None, keepdim: bool = False, *,
             interpolation: str = "linear") -> Node:
    """The q-th quantiles along dim, between neighbours as `interpolation` says."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@public("nanquantile")
def nanquantile(input: Node, q: Any, dim: int | None = None, keepdim: bool = False, *,
                interpolation: str = "linear") -> Node:
    """The quantiles of what is not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


# ---------------------------------------------------------------- covariance


@public("cov")
def cov(input: Node, *, correction: int = 1, fweights: Node | None = None,
        aweights: Node | None = None) -> Node:
    """Rows are variables, columns observations, weighted by counts and by importance."""
    if input.ndim > 2:
        raise RuntimeError("cov(): expected input to have two or fewer dimensions but got an input "
                           f"with {input.ndim} dimensions")
    if input.dtype is dt.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input if input.ndim == 2 else a.reshape(input, (1, input.size))
    if x.dtype.kind not in "fc":
        x = cast(x, dt.float32)
    if aweights is not None and aweights.dtype.kind == "f":
        x = promote(x, aweights)[0]
    weights = _weights(x, fweights, aweights)
    n = x.shape[1]
    if weights is None:
        total: Any = const(n, x.dtype)
        mean_ = a.sum_(x, (1,)) / n
    else:
        total = a.sum_(weights, (0,))
        mean_ = a.sum_(x * weights, (1,)) / total
    factor = total - correction
    if weights is not None and aweights is not None and correction:
        counts = weights * cast(aweights, x.dtype)
        factor = total - correction * a.sum_(counts, (0,)) / total
    gap = x - mean_
    scaled = gap if weights is None else gap * weights
    product = a.dot(scaled, a.conj(gap), (0, 1), (2, 1), (0, 2))
    out = product / a.reshape(_positive(factor), (1, 1))
    return a.reshape(out, ()) if out.size == 1 else out


def _positive(factor: Node) -> Node:
    """At least 0; the factor of complex data is a real number too."""
    if factor.dtype.kind == "c":
        return cast(a.max_(a.real(factor), 0), factor.dtype)
    return a.max_(factor, 0)


def _weights(x: Node, fweights: Node | None, aweights: Node | None) -> Node | None:
    for name, w, kinds in (("fweights", fweights, "bui"), ("aweights", aweights, "f")):
        if w is None:
            continue
        if w.ndim > 1:
            raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got "
                               f"{name} with {w.ndim} dimensions")
        if w.dtype.kind not in kinds:
            kind = "integral" if name == "fweights" else "floating point"
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with "
                               f"{w.dtype.name} dtype")
        if w.size != x.shape[1]:
            raise RuntimeError(f"cov(): expected {name} to have the same numel as there are "
                               f"observations in the input but got {w.size} != {x.shape[1]}")
        if w.dtype.kind != "b" and known.array(w).min(initial=0) < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")
    parts = [cast(a.reshape(w, (x.shape[1],)), x.dtype) for w in (fweights, aweights)
             if w is not None]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else parts[0] * parts[1]


@public("corrcoef")
def corrcoef(input: Node) -> Node:
    """The correlations of the rows with one another."""
    if input.ndim > 2:
        raise RuntimeError("corrcoef(): expected input to have two or fewer dimensions but got an "
                           f"input with {input.ndim} dimensions")
    c = cov(input)
    if not c.ndim:
        return c / c
    n = c.shape[0]
    same = a.eq(a.iota((n, n), 0), a.iota((n, n), 1))
    deviation = a.sqrt(a.sum_(where(same, c, 0), (1,)))               # (n, 1)
    out = c / deviation / a.reshape(deviation, (1, n))
    if out.dtype.kind == "c":
        return a.complex_(_clipped(a.real(out)), _clipped(a.imag(out)))
    return _clipped(out)


def _clipped(x: Node) -> Node:
    return a.min_(a.max_(x, -1), 1)


