"""Running results along a dim, and differences: cumsum, cumprod, cummax, diff, trapezoid.

In: nodes, a dim. Out: nodes of the same shape (but diff and trapezoid).

    cumsum(x, dim=1)  ->  scan(%0, op="add", dim=1)
"""
from __future__ import annotations

from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node
from ..graph.primitive import SCAN
from . import algebra as a
from .algebra import and_, cast, const, or_, where
from .fused import fused
from .promotion import check_ordered, float_type, promote, wrap_dim
from .reduction import logsumexp_kept, sum_type
from .results import named_result
from .table import derivative, public

cummax_result = named_result("cummax", "values", "indices")
cummin_result = named_result("cummin", "values", "indices")


def _from_the_end(g: Node, dim: int) -> Node:
    """Running sum from the last element to the first."""
    return a.flip(a.scan(a.flip(g, (dim,)), "add", dim), (dim,))


@derivative(SCAN)
def _scan_slope(g: Node, out: Node, x: Node, op: str, dim: int) -> tuple[Node]:
    if op == "add":
        return (_from_the_end(g, dim),)
    if op == "mul":
        return (_product_slope(g, out, x, dim),)
    at = _where_reached(x, out, dim)
    picks = [at if d == dim else a.iota(x.shape, d) for d in range(x.ndim)]
    return (a.put(a.zeros_like(g), g, picks, range(x.ndim), "add"),)


def _product_slope(g: Node, out: Node, x: Node, dim: int) -> Node:
    """Before the first zero sum(g * out) / x over what follows; at it, the products without it."""
    zero = a.eq(x, 0)
    zeros = a.scan(cast(zero, dt.int64), "add", dim)
    first = and_(zero, a.eq(zeros, 1))
    without = a.scan(where(first, 1, x), "mul", dim)
    before = _from_the_end(g * a.conj(out), dim) / a.conj(where(zero, 1, x))
    at = _from_the_end(where(a.eq(zeros, 1), g * a.conj(without), 0), dim)
    return where(a.eq(zeros, 0), before, where(first, at, 0))


def _where_reached(x: Node, out: Node, dim: int) -> Node:
    """The last position so far that equals the running extreme."""
    hit = a.eq(x, out)
    if x.dtype.kind == "f":
        hit = or_(hit, a.isnan(x))
    return a.scan(where(hit, a.positions(x, dim), const(0, dt.int64)), "max", dim)


@public("cumsum", inplace=True)
def cumsum(input: Node, dim: int, *, dtype: dtype | None = None) -> Node:
    """The sums of all elements up to each one along `dim`."""
    d = wrap_dim(dim, input.ndim)
    x = cast(input, sum_type(input, dtype))
    return a.scan(x, "add", d) if x.ndim else x


@public("cumprod", inplace=True)
def cumprod(input: Node, dim: int, *, dtype: dtype | None = None) -> Node:
    """The products of all elements up to each one along `dim`."""
    d = wrap_dim(dim, input.ndim)
    x = cast(input, sum_type(input, dtype))
    return a.scan(x, "mul", d) if x.ndim else x


def _running(input: Node, dim: int, op: str, result: Any) -> Any:
    check_ordered(f"cum{op}_cpu", input)
    d = wrap_dim(dim, input.ndim)
    if not input.ndim:
        return result(input, const(0, dt.int64))
    x = cast(input, dt.uint8) if input.dtype is dt.bool_ else input
    out = a.scan(x, op, d)
    return result(cast(out, input.dtype), _where_reached(x, out, d))


@public("cummax")
def cummax(input: Node, dim: int) -> Any:
    """The largest element so far along `dim`, and where it stood."""
    return _running(input, dim, "max", cummax_result)


@public("cummin")
def cummin(input: Node, dim: int) -> Any:
    """The smallest element so far along `dim`, and where it stood."""
    return _running(input, dim, "min", cummin_result)


def _log_slope(g: Node, out: Node, x: Node, dim: int) -> tuple[Node]:
    """exp(x_j - out_i) summed over i >= j, term by term: no exponent is taken apart."""
    rows = a.unsqueeze(out, dim + 1)
    columns = a.unsqueeze(x, dim)
    later = a.ge(a.positions(rows, dim), a.positions(columns, dim + 1))
    terms = where(later, a.unsqueeze(g, dim + 1) * a.exp(a.conj(columns - rows)), 0)
    return (a.squeeze(a.sum_(terms, (dim,)), (dim,)),)


@fused("logcumsumexp", ("dim",), vjp=_log_slope)
def _logcumsumexp(x: Node, dim: int) -> Node:
    """Each element's own log-sum-exp of what comes before it: n^2 terms, none overflows."""
    n = x.shape[dim]
    columns = a.unsqueeze(x, dim)                        # (..., 1, n, ...)
    shape = columns.shape[:dim] + (n,) + columns.shape[dim + 1:]
    before = a.le(a.iota(shape, dim + 1), a.iota(shape, dim))
    masked = where(before, columns, const(float("-inf"), x.dtype))
    return a.squeeze(logsumexp_kept(masked, (dim + 1,)), (dim + 1,))


@public("logcumsumexp")
def logcumsumexp(input: Node, dim: int) -> Node:
    """log(cumsum(exp(input))), without overflow."""
    d = wrap_dim(dim, input.ndim)
    x = cast(input, float_type(input.dtype))
    return _logcumsumexp(x, dim=d) if x.ndim and x.size else x


# ---------------------------------------------------------------- differences and areas


@public("diff")
def diff(input: Node, n: int = 1, dim: int = -1, prepend: Node | None = None,
         append: Node | None = None) -> Node:
    """The n-th differences of neighbours along `dim`."""
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    d = wrap_dim(dim, input.ndim)
    parts = promote(*[p for p in (prepend, input, append) if p is not None])
    for p in parts:
        rest = [k for i, k in enumerate(p.shape) if i != d]
        if p.ndim != input.ndim or rest != [k for i, k in enumerate(input.shape) if i != d]:
            raise RuntimeError("diff expects the shape of tensor to prepend or append to match "
                               "that of input except along the differencing dimension")
    x = a.cat(parts, d)
    for _ in range(n):
        size = max(x.shape[d] - 1, 0)
        if not size:
            return a.narrow(x, d, 0, 0)
        high, low = a.narrow(x, d, 1, size), a.narrow(x, d, 0, size)
        x = a.xor(high, low) if x.dtype is dt.bool_ else high - low
    return x


def _pairs(y: Node, x: Node | None, d: int) -> Node:
    """Twice the areas between neighbours along dim d (for steps of 1 without x)."""
    size = max(y.shape[d] - 1, 0)
    if y.dtype is dt.bool_:
        y = cast(y, dt.int64)
    heights = a.narrow(y, d, 1, size) + a.narrow(y, d, 0, size)
    if x is None:
        return heights
    if x.ndim == 1 and y.ndim > 1:
        x = a.reshape(x, tuple(x.shape[0] if i == d else 1 for i in range(y.ndim)))
        along = d
    else:
        along = d - y.ndim + x.ndim
    width = a.narrow(x, along, 1, x.shape[along] - 1) - a.narrow(x, along, 0, x.shape[along] - 1)
    a_, b_ = promote(heights, width)
    return a_ * b_


def _halved(doubled: Node, x: Node | None, dx: Any) -> Node:
    out = cast(doubled, float_type(doubled.dtype))
    return out * (0.5 if x is not None else dx / 2)


def _check_abscissa(y: Node, x: Node | None, d: int) -> None:
    if x is not None and x.ndim == 1 and x.shape[0] != y.shape[d]:
        raise RuntimeError(f"There must be one `x` value for each sample point, got {x.shape[0]} "
                           f"points for {y.shape[d]} samples")


@public("torch.trapezoid", "torch.trapz")
def trapezoid(y: Node, x: Node | None = None, *, dx: Any = 1, dim: int = -1) -> Node:
    """The integral along `dim` by the trapezoidal rule."""
    d = wrap_dim(dim, y.ndim)
    _check_abscissa(y, x, d)
    areas = _pairs(y, x, d)
    return _halved(a.squeeze(a.sum_(cast(areas, sum_type(areas, None)), (d,)), (d,)), x, dx)


@public("torch.cumulative_trapezoid")
def cumulative_trapezoid(y: Node, x: Node | None = None, *, dx: Any = 1, dim: int = -1) -> Node:
    """The integral up to each point along `dim` by the trapezoidal rule."""
    d = wrap_dim(dim, y.ndim)
    _check_abscissa(y, x, d)
    areas = _pairs(y, x, d)
    return _halved(a.scan(cast(areas, sum_type(areas, None)), "add", d), x, dx)


@public("torch.vander")
def vander(x: Node, N: int | None = None, increasing: bool = False) -> Node:  # noqa: N803
    """Columns x^(N-1) ... x^0, or the other way round."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    out = powers(x, x.shape[0] if N is None else N)
    return out if increasing else a.flip(out, (1,))


@public("linalg.vander")
def linalg_vander(x: Node, *, N: int | None = None) -> Node:  # noqa: N803
    """(..., n) to (..., n, N): powers 0 to N - 1."""
    if N is not None and N <= 1:
        raise RuntimeError("N must be greater than 1.")
    if not x.ndim:
        x = a.reshape(x, (1,))
    if N is None and x.shape[-1] <= 1:
        raise RuntimeError("N must be greater than 1.")
    return powers(x, x.shape[-1] if N is None else N)


def powers(x: Node, count: int) -> Node:
    """(..., n) to (..., n, count): x^0, x^1, ..."""
    x = cast(x, sum_type(x, None))
    column = a.unsqueeze(x, x.ndim)
    if count <= 1:
        return a.expand(a.const(1, x.dtype), (*x.shape, count))
    ones = a.full(column.shape, 1, x.dtype)
    rest = a.expand(column, (*x.shape, count - 1))
    return a.scan(a.cat([ones, rest], x.ndim), "mul", x.ndim)
