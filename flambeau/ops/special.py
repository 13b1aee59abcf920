"""Special functions made of simpler ones: gamma, zeta, Bessel I, normal distribution, entropy.

In: nodes and numbers. Out: nodes. Series are summed from coefficients computed here; each function
names the expansion it uses (DLMF: https://dlmf.nist.gov).
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as a
from .algebra import and_, const, exp, log, or_, where
from .elementwise import TRIGAMMA
from .fused import fused
from .promotion import check_ordered, only_tensors, promote_float, type_name
from .table import public

Number = Any
SQRT2 = math.sqrt(2.0)
SQRT_PI = math.sqrt(math.pi)


def horner(x: Node, coefficients: Sequence[float]) -> Node:
    """The polynomial with these coefficients, the constant first."""
    total = const(coefficients[-1], x.dtype)
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


# ---------------------------------------------------------------- gamma and zeta


def _bernoulli(count: int) -> list[Fraction]:
    """B_2, B_4, ..., by the recurrence over binomials."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * count + 1):
        total = sum((math.comb(m + 1, k) * numbers[k] for k in range(m)), Fraction(0))
        numbers.append(-total / (m + 1))
    return numbers[2::2]


_B2 = _bernoulli(8)
_SHIFT = 20


def hurwitz(s: Node | float, q: Node) -> Node:
    """sum 1 / (q + k)^s by Euler-Maclaurin after 20 terms (DLMF 25.11.5), for q > -12."""
    total = const(0, q.dtype)
    for k in range(_SHIFT):
        total = total + a.power(q + k, -s if isinstance(s, (int, float)) else a.neg(s))
    w = q + _SHIFT
    last = a.power(w, -s if isinstance(s, (int, float)) else a.neg(s))
    total = total + last * w / (s - 1) + last * 0.5
    factor = last * s / w
    for k, b in enumerate(_B2, 1):
        total = total + factor * float(b / math.factorial(2 * k))
        factor = factor * ((s + (2 * k - 1)) * (s + 2 * k)) / (w * w)
    return total


def _zeta_slope(g: Node, _out: Node, s: Node, q: Node) -> tuple[Node | None, Node]:
    return None, g * a.neg(s) * _zeta(s + 1, q)


@fused("zeta", vjp=_zeta_slope)
def _zeta(s: Node, q: Node) -> Node:
    """Infinite at the poles q = 0, -1, ..., and at s = 1; NaN where the sum means nothing."""
    pole = and_(a.le(q, 0), a.eq(q, a.floor(q)))
    bad = and_(a.le(q, 0), a.ne(s, a.floor(s)))
    out = where(pole, math.inf, where(bad, math.nan, hurwitz(s, q)))
    return where(a.eq(s, 1), math.inf, where(a.lt(s, 1), math.nan, out))


@public("special.zeta")
def zeta(input: Node | Number, other: Node | Number) -> Node:
    """The Hurwitz zeta function: the sum of (k + other)**-input over k >= 0."""
    s, q = promote_float(input, other)
    return _zeta(s, q)


def _polygamma_slope(g: Node, _out: Node, x: Node, n: int) -> tuple[Node]:
    return (g * _polygamma(x, n=n + 1),)


@fused("polygamma", ("n",), vjp=_polygamma_slope)
def _polygamma(x: Node, n: int) -> Node:
    """(-1)^(n+1) n! zeta(n + 1, x); for n = 1 and x < 0.5 by reflection (DLMF 5.15.6)."""
    if n > 1:
        scale = float((-1) ** (n + 1) * math.factorial(n))
        return _zeta(const(n + 1, x.dtype), x) * scale
    low = a.lt(x, 0.5)
    main = hurwitz(2.0, where(low, 1 - x, x))
    ratio = math.pi / a.sin(x * math.pi)
    return where(low, ratio * ratio - main, main)


TRIGAMMA.append(lambda x: _polygamma(x, n=1))


def _check_order(n: int) -> None:
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")


@public("polygamma", "special.polygamma")
def polygamma(n: int, input: Node) -> Node:
    """The n-th derivative of digamma."""
    if isinstance(n, Node):                      # the method form: x.polygamma(n)
        n, input = input, n
    _check_order(n)
    x = promote_float(input)[0]
    return a.digamma(x) if n == 0 else _polygamma(x, n=n)


@public("mvlgamma", "special.multigammaln", inplace=True)
def mvlgamma(input: Node, p: int) -> Node:
    """The logarithm of the gamma function of p dimensions."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    x = promote_float(input)[0]
    total = a.lgamma(x)
    for i in range(1, p):
        total = total + a.lgamma(x - i / 2)
    return total + p * (p - 1) / 4 * math.log(math.pi)


# ---------------------------------------------------------------- incomplete gamma


def _gamma_series(s: Node, x: Node, steps: int) -> Node:
    """P(s, x) = x^s e^-x / Gamma(s + 1) (1 + x/(s+1) + ...)  (DLMF 8.7.1)."""
    term = total = const(1, x.dtype)
    for k in range(1, steps):
        term = term * (x / (s + k))
        total = total + term
    return total * exp(s * log(x) - x - a.lgamma(s + 1))


def _gamma_fraction(s: Node, x: Node, steps: int) -> Node:
    """Q(s, x) by its continued fraction (DLMF 8.9.2), evaluated from the far end."""
    tail = x + (2 * steps + 1 - s)
    for k in range(steps, 0, -1):
        tail = (x + (2 * k - 1) - s) - k * (k - s) / tail
    return exp(s * log(x) - x - a.lgamma(s)) / tail


def _incomplete(s: Node, x: Node, upper: bool) -> Node:
    steps = 80 if s.dtype is dt.float32 else 160
    direct = or_(a.lt(x, s + 1), a.lt(x, 1.0))
    series = _gamma_series(s, where(direct, x, 1.0), steps)
    rest = _gamma_fraction(s, where(direct, s + 2, x), steps)
    out = where(direct, 1 - series, rest) if upper else where(direct, series, 1 - rest)
    out = where(a.eq(x, 0), 1.0 if upper else 0.0, out)
    out = where(a.eq(s, 0), 0.0 if upper else 1.0, out)
    out = where(a.isinf(x), 0.0 if upper else 1.0, where(a.isinf(s), 1.0 if upper else 0.0, out))
    bad = or_(or_(a.lt(x, 0), a.lt(s, 0)), or_(a.isnan(x), a.isnan(s)))
    undefined = or_(and_(a.eq(x, 0), a.eq(s, 0)), and_(a.isinf(x), a.isinf(s)))
    return where(or_(bad, undefined), math.nan, out)


def _density(s: Node, x: Node) -> Node:
    return exp((s - 1) * log(x) - x - a.lgamma(s))


def _lower_slope(g: Node, _out: Node, s: Node, x: Node) -> tuple[Node | None, Node]:
    return None, g * _density(s, x)


def _upper_slope(g: Node, _out: Node, s: Node, x: Node) -> tuple[Node | None, Node]:
    return None, a.neg(g * _density(s, x))


@fused("gammainc", vjp=_lower_slope)
def _gammainc(s: Node, x: Node) -> Node:
    return _incomplete(s, x, False)


@fused("gammaincc", vjp=_upper_slope)
def _gammaincc(s: Node, x: Node) -> Node:
    return _incomplete(s, x, True)


@public("special.gammainc", "igamma", inplace=True)
def gammainc(input: Node, other: Node) -> Node:
    """The regularised lower incomplete gamma function."""
    only_tensors("igamma", input, other)
    s, x = promote_float(input, other)
    return _gammainc(s, x)


@public("special.gammaincc", "igammac", inplace=True)
def gammaincc(input: Node, other: Node) -> Node:
    """The regularised upper incomplete gamma function."""
    only_tensors("igammac", input, other)
    s, x = promote_float(input, other)
    return _gammaincc(s, x)


# ---------------------------------------------------------------- modified Bessel functions

# I_n(x) for |x| <= 16 by its power series (DLMF 10.25.2), beyond by the expansion in 1/x (10.40.1).
_EDGE = 16.0
_SERIES = 48
_ASYMPTOTIC = 24


def _bessel_series(order: int) -> list[float]:
    """Coefficients of (x/2)^2k in I_n(x) / (x/2)^n."""
    return [float(Fraction(1, math.factorial(k) * math.factorial(k + order)))
            for k in range(_SERIES)]


def _bessel_tail(order: int) -> list[float]:
    """Coefficients of x^-k in I_n(x) e^-x sqrt(2 pi x)."""
    out, c = [], Fraction(1)
    for k in range(_ASYMPTOTIC):
        out.append(float(c))
        c *= -Fraction(4 * order * order - (2 * k + 1) ** 2, 8 * (k + 1))
    return out


def _bessel(x: Node, order: int, scaled: bool) -> Node:
    size = a.abs_(x)
    small = a.le(size, _EDGE)
    near = where(small, size, _EDGE)
    far = where(small, _EDGE, size)
    half = near * 0.5
    series = horner(half * half, _bessel_series(order))
    if order:
        series = series * half
    tail = horner(1 / far, _bessel_tail(order)) / a.sqrt(far * (2 * math.pi))
    if scaled:
        out = where(small, series * exp(a.neg(near)), tail)
    else:
        # e^x in two factors: I_n(x) is finite a little beyond where e^x is not.
        grown = exp(far * 0.5)
        out = where(small, series, tail * grown * grown)
    return a.copysign(out, x) if order else out


def _i0_slope(g: Node, _out: Node, x: Node) -> tuple[Node]:
    return (g * _i1(x),)


def _i0e_slope(g: Node, out: Node, x: Node) -> tuple[Node]:
    return (g * (_i1e(x) - a.sign(x) * out),)


@fused("i0", vjp=_i0_slope)
def _i0(x: Node) -> Node:
    return _bessel(x, 0, False)


@fused("i0e", vjp=_i0e_slope)
def _i0e(x: Node) -> Node:
    return _bessel(x, 0, True)


@fused("i1", vjp=lambda g, out, x: (g * (_i0(x) - _over(out, x)),))
def _i1(x: Node) -> Node:
    return _bessel(x, 1, False)


@fused("i1e", vjp=lambda g, out, x: (g * (_i0e(x) - out * a.sign(x) - _over(out, x)),))
def _i1e(x: Node) -> Node:
    return _bessel(x, 1, True)


def _over(out: Node, x: Node) -> Node:
    """I_1(x) / x, which is 1/2 at 0."""
    zero = a.eq(x, 0)
    return where(zero, 0.5, out / where(zero, 1.0, x))


# ---------------------------------------------------------------- the normal distribution


def _erfcx(x: Node) -> Node:
    """exp(x^2) erfc(x): the product while it keeps its digits, then DLMF 7.12.1 in 1/x^2."""
    edge, terms = (4.5, 10) if x.dtype is dt.float32 else (10.0, 16)
    near = where(a.gt(x, edge), 0, x)
    far = where(a.gt(x, edge), x, edge)
    coefficients = [float(Fraction((-1) ** k * math.prod(range(1, 2 * k, 2)), 2 ** k))
                    for k in range(terms)]
    inverse = 1 / far
    tail = horner(inverse * inverse, coefficients) * inverse * (1 / SQRT_PI)
    # x^2 splits into a part that squares exactly and a small rest, so that exp keeps its digits.
    head = a.round_(near * 16) * 0.0625
    square = exp(head * head) * exp((near - head) * (near + head))
    return where(a.gt(x, edge), tail, square * a.erfc(near))


@fused("erfcx", vjp=lambda g, out, x: (g * (2 * x * out - 2 / SQRT_PI),))
def _erfcx_op(x: Node) -> Node:
    return _erfcx(x)


@fused("ndtr", vjp=lambda g, _out, x: (g * exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi)),))
def _ndtr(x: Node) -> Node:
    return a.erfc(x * (-1 / SQRT2)) * 0.5


def _log_ndtr_slope(g: Node, _out: Node, x: Node) -> tuple[Node]:
    low = a.lt(x, -1.0)
    scale = math.sqrt(2 / math.pi)
    deep = scale / _erfcx(where(low, x, -1.0) * (-1 / SQRT2))
    shallow = exp(x * x * -0.5) * scale / a.erfc(where(low, 0, x) * (-1 / SQRT2))
    return (g * where(low, deep, shallow),)


@fused("log_ndtr", vjp=_log_ndtr_slope)
def _log_ndtr(x: Node) -> Node:
    low = a.lt(x, -1.0)
    t = x * (1 / SQRT2)
    deep = log(_erfcx(where(low, a.neg(t), 0)) * 0.5) - t * t
    return where(low, deep, a.log1p(a.erfc(where(low, 0, t)) * -0.5))


@fused("ndtri", vjp=lambda g, out, _x: (g * exp(out * out * 0.5) * math.sqrt(2 * math.pi),))
def _ndtri(p: Node) -> Node:
    """The quantile: erfinv in the middle; in the tails Newton's steps on log_ndtr."""
    middle = and_(a.gt(p, 0.02), a.lt(p, 0.98))
    centre = a.erfinv(2 * where(middle, p, 0.5) - 1) * SQRT2
    tail = where(a.gt(p, 0.5), 1 - p, p)
    inside = and_(a.gt(tail, 0), a.not_(middle))
    goal = log(where(inside, tail, 0.01))
    x = a.neg(a.sqrt(goal * -2))
    for _ in range(5):
        y = log(_erfcx(x * (-1 / SQRT2)) * 0.5) - x * x * 0.5
        x = x - (y - goal) * _erfcx(x * (-1 / SQRT2)) * math.sqrt(math.pi / 2)
    x = where(a.gt(p, 0.5), a.neg(x), x)
    out = where(middle, centre, x)
    out = where(a.eq(p, 0), -math.inf, where(a.eq(p, 1), math.inf, out))
    return where(and_(a.ge(p, 0), a.le(p, 1)), out, math.nan)


# ---------------------------------------------------------------- logarithms and entropy


def _xlogy_slope(g: Node, _out: Node, x: Node, y: Node) -> tuple[Node, Node]:
    return where(and_(a.eq(x, 0), a.le(y, 0)), 0, g * log(y)), g * x / y


@fused("xlogy", vjp=_xlogy_slope)
def XLOGY(x: Node, y: Node) -> Node:  # noqa: N802 - an Op
    return where(a.isnan(y), math.nan, where(a.eq(x, 0), 0, x * log(y)))


def _xlog1py_slope(g: Node, _out: Node, x: Node, y: Node) -> tuple[Node, Node]:
    return where(and_(a.eq(x, 0), a.le(y, -1)), 0, g * a.log1p(y)), g * x / (y + 1)


@fused("xlog1py", vjp=_xlog1py_slope)
def _xlog1py(x: Node, y: Node) -> Node:
    return where(a.isnan(y), math.nan, where(a.eq(x, 0), 0, x * a.log1p(y)))


@public("xlogy", "special.xlogy", inplace=True)
def xlogy(input: Node | Number, other: Node | Number) -> Node:
    """input * log(other), 0 where the input is 0."""
    x, y = promote_float(input, other)
    return XLOGY(x, y)


@public("special.xlog1py")
def xlog1py(input: Node | Number, other: Node | Number) -> Node:
    """input * log(1 + other), 0 where the input is 0."""
    x, y = promote_float(input, other)
    return _xlog1py(x, y)


@fused("entr", vjp=lambda g, _out, x: (g * (a.neg(log(x)) - 1),))
def _entr(x: Node) -> Node:
    inside = a.gt(x, 0)
    value = a.neg(x * log(where(inside, x, 1.0)))
    edge = where(a.eq(x, 0), 0.0, a.full(x.shape, -math.inf, x.dtype))
    return where(a.isnan(x), x, where(inside, value, edge))


def _logit_slope(g: Node, _out: Node, x: Node, eps: float) -> tuple[Node]:
    slope = g / (x * (1 - x))
    if eps < 0:
        outside = or_(a.lt(x, 0.0), a.gt(x, 1.0))
        return (where(outside, math.nan, slope),)
    outside = or_(a.lt(x, eps), a.gt(x, 1 - eps))
    return (where(outside, 0, slope),)


@fused("logit", ("eps",), vjp=_logit_slope)
def _logit(x: Node, eps: float) -> Node:
    """eps < 0: no clamping."""
    if eps >= 0:
        x = a.min_(a.max_(x, eps), 1 - eps)
    return log(x / (1 - x))


@public("logit", "special.logit", inplace=True)
def logit(input: Node, eps: float | None = None) -> Node:
    """log(p / (1 - p)), p held between eps and 1 - eps."""
    check_ordered("logit_cpu", input)
    return _logit(promote_float(input)[0], eps=-1.0 if eps is None else float(eps))


def _sinc_slope(g: Node, _out: Node, x: Node) -> tuple[Node]:
    t = a.conj(x) * math.pi
    zero = a.eq(t, 0)
    safe = where(zero, 1.0, t)
    return (g * where(zero, 0, (t * a.cos(t) - a.sin(t)) / (safe * safe) * math.pi),)


@fused("sinc", vjp=_sinc_slope)
def _sinc(x: Node) -> Node:
    t = x * math.pi
    zero = a.eq(t, 0)
    return where(zero, 1.0, a.sin(t) / where(zero, 1.0, t))


def _special(op: Callable[[Node], Node], *names: str, doc: str) -> Callable[[Node], Node]:
    @public(*names, inplace=True)
    def apply(input: Node) -> Node:
        if input.dtype.kind == "c" and op is not _sinc:
            raise NotImplementedError(f'"{names[0]}" not implemented for '
                                      f"'{type_name(input.dtype)}'")
        return op(promote_float(input)[0])
    apply.__name__ = names[0].split(".")[-1]
    apply.__doc__ = doc
    return apply


sinc = _special(_sinc, "sinc", "special.sinc", doc="sin(pi * input) / (pi * input), 1 at 0.")
entr = _special(_entr, "special.entr", doc="-input * log(input), 0 at 0 and -inf below.")
i0 = _special(_i0, "i0", "special.i0",
              doc="The modified Bessel function of the first kind, order 0.")
i0e = _special(_i0e, "special.i0e", doc="exp(-|input|) * i0(input).")
i1 = _special(_i1, "special.i1", doc="The modified Bessel function of the first kind, order 1.")
i1e = _special(_i1e, "special.i1e", doc="exp(-|input|) * i1(input).")
erfcx = _special(_erfcx_op, "special.erfcx", doc="exp(input**2) * erfc(input), without overflow.")
ndtr = _special(_ndtr, "special.ndtr", doc="The normal distribution's cumulative function.")
log_ndtr = _special(_log_ndtr, "special.log_ndtr", doc="log(ndtr(input)), exact far below 0 too.")
ndtri = _special(_ndtri, "special.ndtri", doc="The inverse of ndtr.")
