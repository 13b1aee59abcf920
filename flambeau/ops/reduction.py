"""Reductions: sums, products, extremes, truth, and where the extremes are.

In: nodes and PyTorch's dim/keepdim/dtype arguments. Out: nodes, or named tuples of them.

    mean(x: float32(4, 3), dim=1)  ->  mean(%0, dims=(1,), keepdim=False)  ->  sum(%0) * (1/3)
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..core.dtype import dtype
from ..graph.node import Node, Op, Shape
from ..graph.primitive import ALL, AMAX, AMIN, ANY, PROD, SUM
from . import algebra as a
from .algebra import and_, cast, const, or_, where
from .comparison import maximum, minimum, truth
from .elementwise import spread
from .fused import fused
from .promotion import check_ordered, type_name, wrap_dim, wrap_dims
from .results import named_result
from .table import derivative, public

Dim = Any
max_result = named_result("max", "values", "indices")
min_result = named_result("min", "values", "indices")
aminmax_result = named_result("aminmax", "min", "max")


def reduced(x: Node, dims: tuple[int, ...], keepdim: bool) -> Shape:
    """The shape of x after a reduction."""
    if keepdim:
        return tuple(1 if d in dims else n for d, n in enumerate(x.shape))
    return tuple(n for d, n in enumerate(x.shape) if d not in dims)


def restored(g: Node, x: Node, dims: tuple[int, ...]) -> Node:
    """A reduced node with its dims back as 1, so that it broadcasts against x."""
    return a.reshape(g, reduced(x, dims, True))


# ---------------------------------------------------------------- derivatives of the primitives


@derivative(SUM)
def _sum_slope(g: Node, _out: Node, _x: Node, dims: tuple[int, ...]) -> tuple[Node]:
    return (spread(g, _x),)


@derivative(PROD)
def _prod_slope(g: Node, _out: Node, x: Node, dims: tuple[int, ...]) -> tuple[Node]:
    """The product of the others: the whole over x, or, at the only zero, the product without it."""
    zero = a.eq(x, 0)
    zeros = a.sum_(cast(zero, x.dtype), dims)
    safe = where(zero, 1, x)
    others = a.prod(safe, dims)
    plain = where(a.eq(zeros, 0), g * a.conj(others / safe), 0)
    return (where(and_(zero, a.eq(zeros, 1)), g * a.conj(others), plain),)


def _shared(g: Node, out: Node, x: Node, dims: tuple[int, ...]) -> tuple[Node]:
    """Elements that tie for the extreme share its gradient."""
    hit = or_(a.eq(x, out), and_(a.isnan(x), a.isnan(out)))
    mask = cast(hit, g.dtype)
    return (g * mask / a.sum_(mask, dims),)


AMAX.vjp = _shared
AMIN.vjp = _shared


def _none(_g: Node, _out: Node, _x: Node, dims: tuple[int, ...]) -> tuple[None]:
    return (None,)


ANY.vjp = _none
ALL.vjp = _none


# ---------------------------------------------------------------- sum, prod, mean


def sum_type(x: Node, dtype: dtype | None) -> dtype:
    """Sums of integers and bools are int64 unless a dtype is asked for."""
    if dtype is not None:
        return dtype
    return dt.int64 if x.dtype.kind in "bui" else x.dtype


def _total_slope(g: Node, _out: Node, _x: Node, dims: tuple[int, ...], keepdim: bool,
                 kind: dtype) -> tuple[Node]:
    return (spread(restored(g, _x, dims), _x),)


def _total_expansion(x: Node, dims: tuple[int, ...], keepdim: bool, kind: dtype) -> Node:
    return a.reshape(a.sum_(cast(x, kind), dims), reduced(x, dims, keepdim))


TOTAL = Op("sum_dims", lambda x, dims, keepdim, kind: (reduced(x, dims, keepdim), kind),
           params=("dims", "keepdim", "kind"), expand=_total_expansion, vjp=_total_slope)


def total(x: Node, dims: tuple[int, ...], keepdim: bool, kind: dtype) -> Node:
    """sum over dims in `kind`; the dims dropped unless kept."""
    if not dims:
        return cast(x, kind)
    return TOTAL(x, dims=dims, keepdim=bool(keepdim), kind=kind)


@public("sum")
def sum_(input: Node, dim: Dim = None, keepdim: bool = False, *,
         dtype: dtype | None = None) -> Node:
    """The sum over dims (all unless given); integers add up in int64."""
    return total(input, wrap_dims(dim, input.ndim), keepdim, sum_type(input, dtype))


@public("nansum")
def nansum(input: Node, dim: Dim = None, keepdim: bool = False, *,
           dtype: dtype | None = None) -> Node:
    """The sum, NaN counted as 0."""
    if input.dtype.kind == "c":
        raise RuntimeError("nansum on CPU does not support complex inputs")
    x = where(a.isnan(input), 0, input) if input.dtype.kind == "f" else input
    return sum_(x, dim, keepdim, dtype=dtype)


@public("prod")
def prod(input: Node, dim: Dim = None, keepdim: bool = False, *,
         dtype: dtype | None = None) -> Node:
    """The product over a dim (all unless given)."""
    dims = wrap_dims(dim, input.ndim)
    out = a.prod(cast(input, sum_type(input, dtype)), dims)
    return out if keepdim else a.squeeze(out, dims)


def _reduced_infer(x: Node, *attrs: Any) -> tuple[Shape, dtype]:
    return reduced(x, attrs[0], attrs[1]), x.dtype


def _mean_slope(g: Node, _out: Node, _x: Node, dims: tuple[int, ...],
                keepdim: bool) -> tuple[Node]:
    n = a.count(_x, dims)
    scaled = restored(g, _x, dims) * (1.0 / n if n else float("nan"))
    return (spread(scaled, _x),)


@fused("mean", ("dims", "keepdim"), infer=_reduced_infer, vjp=_mean_slope)
def mean_op(x: Node, dims: tuple[int, ...], keepdim: bool) -> Node:
    n = a.count(x, dims)
    out = a.sum_(x, dims) / n if n else a.sum_(x, dims) * float("nan")
    return a.reshape(out, reduced(x, dims, keepdim))


def mean_type(name: str, x: Node, dtype: dtype | None) -> dtype:
    kind = dtype or x.dtype
    if kind.kind not in "fc":
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(f"{name}: could not infer output dtype. {which} dtype must be either a "
                           f"floating point or complex dtype. Got: {type_name(kind)}")
    return kind


@public("mean")
def mean(input: Node, dim: Dim = None, keepdim: bool = False, *,
         dtype: dtype | None = None) -> Node:
    """The mean over dims (all unless given)."""
    kind = mean_type("mean()", input, dtype)
    return mean_op(cast(input, kind), dims=wrap_dims(dim, input.ndim), keepdim=bool(keepdim))


@public("nanmean")
def nanmean(input: Node, dim: Dim = None, keepdim: bool = False, *,
            dtype: dtype | None = None) -> Node:
    """The mean of what is not NaN."""
    if input.dtype.kind not in "fc":
        raise RuntimeError("nanmean(): expected input to have floating point or complex dtype but "
                           f"got {type_name(input.dtype)}")
    numbers = sum_(cast(a.not_(a.isnan(input)), dt.int64), dim, keepdim)
    out = nansum(input, dim, keepdim, dtype=dtype)
    return out / cast(numbers, out.dtype)


@public("count_nonzero")
def count_nonzero(input: Node, dim: Dim = None) -> Node:
    """How many elements are not 0."""
    return total(truth(input), wrap_dims(dim, input.ndim), False, dt.int64)


# ---------------------------------------------------------------- truth


def _truth_reduction(name: str, op: Callable[..., Node], doc: str) -> Callable[..., Node]:
    @public(name)
    def apply(input: Node, dim: Dim = None, keepdim: bool = False) -> Node:
        dims = wrap_dims(dim, input.ndim)
        out = op(truth(input), dims)
        out = out if keepdim else a.squeeze(out, dims)
        return cast(out, dt.uint8) if input.dtype is dt.uint8 else out
    apply.__name__ = name
    apply.__doc__ = doc
    return apply


any_ = _truth_reduction("any", a.any_, doc="Whether some element is not 0.")
all_ = _truth_reduction("all", a.all_, doc="Whether no element is 0.")


# ---------------------------------------------------------------- extremes


def check_not_empty(name: str, x: Node, dims: Sequence[int], named: bool) -> None:
    """An extreme of nothing does not exist."""
    if all(x.shape[d] for d in dims):
        return
    if not named and name.startswith("arg"):
        raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == "
                         "0.")
    if not named:
        raise RuntimeError(f"{name}(): Expected reduction dim to be specified for input.numel() == "
                           "0. Specify the reduction dim with the 'dim' argument.")
    d = next(d for d in dims if not x.shape[d])
    raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def _extreme(name: str, op: Callable[..., Node], doc: str) -> Callable[..., Node]:
    @public(name)
    def apply(input: Node, dim: Dim = (), keepdim: bool = False) -> Node:
        check_ordered("max_values_cpu" if name == "amax" else "min_values_cpu", input)
        dims = wrap_dims(dim, input.ndim)
        check_not_empty(name, input, dims, dim not in ((), None, []))
        out = op(input, dims)
        return out if keepdim else a.squeeze(out, dims)
    apply.__name__ = name
    apply.__doc__ = doc
    return apply


amax = _extreme("amax", a.amax,
                doc="The largest element over dims; its gradient is shared among equals.")
amin = _extreme("amin", a.amin,
                doc="The smallest element over dims; its gradient is shared among equals.")


@public("aminmax")
def aminmax(input: Node, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Over all dims, or over one."""
    check_ordered("aminmax_cpu", input)
    where_ = () if dim is None else dim
    return aminmax_result(amin(input, where_, keepdim), amax(input, where_, keepdim))


def _index_infer(x: Node, dim: int, keepdim: bool, *_rest: Any) -> tuple[Shape, dtype]:
    return reduced(x, (dim,), keepdim), dt.int64


def _arg(extreme: Callable[..., Node]) -> Callable[[Node, int, bool], Node]:
    """The first position of the extreme along dim; a NaN is the extreme."""
    def expansion(x: Node, dim: int, keepdim: bool) -> Node:
        best = extreme(x, (dim,))
        hit = a.eq(x, best)
        if x.dtype.kind == "f":
            hit = or_(hit, a.isnan(x))
        at = where(hit, a.positions(x, dim), const(x.shape[dim], dt.int64))
        return a.reshape(a.amin(at, (dim,)), reduced(x, (dim,), keepdim))
    return expansion


def _no_slope(_g: Node, _out: Node, _x: Node, *_attrs: Any) -> tuple[None]:
    return (None,)


ARGMAX = Op("argmax", _index_infer, params=("dim", "keepdim"), expand=_arg(a.amax), vjp=_no_slope)
ARGMIN = Op("argmin", _index_infer, params=("dim", "keepdim"), expand=_arg(a.amin), vjp=_no_slope)


def _arg_public(name: str, op: Op, doc: str) -> Callable[..., Node]:
    @public(name)
    def apply(input: Node, dim: int | None = None, keepdim: bool = False) -> Node:
        if input.dtype.kind == "c":
            raise RuntimeError(f"{name}(): does not support complex input")
        if dim is None:
            if not input.size:
                check_not_empty(name, input, range(input.ndim), False)
            flat = op(a.reshape(input, (input.size,)), dim=0, keepdim=False)
            return a.reshape(flat, (1,) * input.ndim) if keepdim else flat
        d = wrap_dim(dim, input.ndim)
        if not input.ndim:
            return const(0, dt.int64)
        check_not_empty(name, input, (d,), True)
        return op(input, dim=d, keepdim=bool(keepdim))
    apply.__name__ = name
    apply.__doc__ = doc
    return apply


argmax = _arg_public("argmax", ARGMAX,
                     doc="Where the largest element stands (the first of equals).")
argmin = _arg_public("argmin", ARGMIN,
                     doc="Where the smallest element stands (the first of equals).")


def _at_index(g: Node, _out: Node, _x: Node, index: Node, dim: int,
              keepdim: bool) -> tuple[Node, None]:
    """To the chosen position alone."""
    hit = a.eq(a.positions(_x, dim), restored(index, _x, (dim,)))
    return where(hit, restored(g, _x, (dim,)), 0), None


def _value_infer(x: Node, index: Node, dim: int, keepdim: bool) -> tuple[Shape, dtype]:
    return reduced(x, (dim,), keepdim), x.dtype


# The extreme along dim whose gradient goes to the given index.
MAX_AT = Op("max_at", _value_infer, params=("dim", "keepdim"), vjp=_at_index,
            expand=lambda x, index, dim, keepdim: a.reshape(
                a.amax(x, (dim,)), reduced(x, (dim,), keepdim)))
MIN_AT = Op("min_at", _value_infer, params=("dim", "keepdim"), vjp=_at_index,
            expand=lambda x, index, dim, keepdim: a.reshape(
                a.amin(x, (dim,)), reduced(x, (dim,), keepdim)))


def _extreme_overloads(name: str, whole: Callable[..., Node], two: Callable[..., Node], arg: Op,
                       value: Op, result: Any, doc: str) -> Callable[..., Any]:
    """torch.max and torch.min: of all elements, along a dim with indices, or of two tensors."""
    @public(name)
    def apply(input: Node, dim: Any = None, keepdim: bool = False, *, other: Node | None = None,
              ) -> Any:
        if isinstance(dim, Node) or other is not None:
            return two(input, dim if other is None else other)
        check_ordered(f"{name}_all" if dim is None else f"{name}_cpu", input)
        if dim is None:
            if not input.size:
                check_not_empty(name, input, range(input.ndim), False)
            return whole(input)
        d = wrap_dim(dim, input.ndim)
        if not input.ndim:
            return result(a.reshape(whole(input), ()), const(0, dt.int64))
        check_not_empty(name, input, (d,), True)
        index = arg(input, dim=d, keepdim=bool(keepdim))
        return result(value(input, index, dim=d, keepdim=bool(keepdim)), index)
    apply.__name__ = name
    apply.__doc__ = doc
    return apply


max_ = _extreme_overloads("max", amax, maximum, ARGMAX, MAX_AT, max_result,
                          doc="The largest element; with a dim also where; or the larger of two.")
min_ = _extreme_overloads("min", amin, minimum, ARGMIN, MIN_AT, min_result,
                          doc="The smallest element; with a dim also where; or the smaller of two.")


# ---------------------------------------------------------------- log-sum-exp


def _logsumexp_slope(g: Node, out: Node, x: Node, dims: tuple[int, ...],
                     keepdim: bool) -> tuple[Node]:
    share = a.exp(a.conj(x - restored(out, x, dims)))
    return (restored(g, x, dims) * share,)


def logsumexp_kept(x: Node, dims: tuple[int, ...]) -> Node:
    """log sum exp with dims kept: shifted by the maximum, unless that is infinite."""
    if not all(x.shape[d] for d in dims):
        return a.log(a.sum_(a.exp(x), dims))
    high = a.amax(a.real(x) if x.dtype.kind == "c" else x, dims)
    high = cast(where(a.isinf(high), 0, high), x.dtype)
    return a.log(a.sum_(a.exp(x - high), dims)) + high


@fused("logsumexp", ("dims", "keepdim"), infer=_reduced_infer, vjp=_logsumexp_slope)
def _logsumexp(x: Node, dims: tuple[int, ...], keepdim: bool) -> Node:
    return a.reshape(logsumexp_kept(x, dims), reduced(x, dims, keepdim))


@public("logsumexp", "special.logsumexp")
def logsumexp(input: Node, dim: Dim, keepdim: bool = False) -> Node:
    """log(sum(exp(input))) over dims, without overflow."""
    x = input if input.dtype.kind in "fc" else cast(input, default_dtype())
    return _logsumexp(x, dims=wrap_dims(dim, x.ndim), keepdim=bool(keepdim))


