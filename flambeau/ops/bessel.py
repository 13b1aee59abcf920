"""Bessel functions J, Y, K and Airy's Ai: power series near 0, asymptotic series far from it.

In: a node. Out: a node. Computed in float64 whatever the dtype, since the series cancel. Absolute
errors stay near 1e-9 where the two meet (DLMF 10.2, 10.8, 10.17, 10.31, 10.40, 9.4, 9.7).
"""
from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as a
from .algebra import cast, exp, log, where
from .fused import fused
from .promotion import promote_float
from .special import horner, i0, i1
from .table import public

_EULER = 0.57721566490153286061
_TERMS = 40


def _harmonic(n: int) -> Fraction:
    return sum((Fraction(1, k) for k in range(1, n + 1)), Fraction(0))


def _power_series(order: int, sign: int) -> list[float]:
    """Coefficients of (x/2)^2k in J (sign -1) or I (sign 1), over (x/2)^order."""
    return [float(Fraction(sign ** k, math.factorial(k) * math.factorial(k + order)))
            for k in range(_TERMS)]


def _log_series(order: int, sign: int) -> list[float]:
    """The same with the sum of digammas at k + 1 and k + order + 1, less Euler's constants."""
    return [float(Fraction(sign ** k, math.factorial(k) * math.factorial(k + order))
                  * (_harmonic(k) + _harmonic(k + order))) for k in range(_TERMS)]


def _hankel(order: int, count: int) -> list[float]:
    """a_k of DLMF 10.17.1."""
    out, c = [], Fraction(1)
    for k in range(count):
        out.append(float(c))
        c *= Fraction(4 * order * order - (2 * k + 1) ** 2, 8 * (k + 1))
    return out


# ---------------------------------------------------------------- J and Y

_FAR = 13.0


def _waves(x: Node, order: int) -> tuple[Node, Node]:
    """The far forms of J and Y (10.17.3, 10.17.4)."""
    terms = _hankel(order, 20)
    inverse = 1 / x
    square = inverse * inverse
    even = horner(square, [(-1) ** k * c for k, c in enumerate(terms[0::2])])
    odd = horner(square, [(-1) ** k * c for k, c in enumerate(terms[1::2])]) * inverse
    phase = x - (order / 2 + 0.25) * math.pi
    size = a.sqrt(inverse * (2 / math.pi))
    c, s = a.cos(phase), a.sin(phase)
    return size * (even * c - odd * s), size * (even * s + odd * c)


def _j(x: Node, order: int) -> Node:
    size = a.abs_(x)
    near = a.lt(size, _FAR)
    half = where(near, size, 0) * 0.5
    series = horner(half * half, _power_series(order, -1))
    series = series * half if order else series
    out = where(near, series, _waves(where(near, _FAR, size), order)[0])
    out = where(a.isinf(x), 0, out)
    return where(a.lt(x, 0), a.neg(out), out) if order else out


def _y(x: Node, order: int) -> Node:
    near = a.lt(x, _FAR)
    safe = where(a.and_(near, a.gt(x, 0)), x, 1.0)
    half = safe * 0.5
    square = half * half
    first = horner(square, _power_series(order, -1))
    digammas = horner(square, _log_series(order, -1)) - 2 * _EULER * first
    if order:
        first, digammas = first * half, digammas * half
    series = (2 * log(half) * first - digammas) * (1 / math.pi)
    if order:
        series = series - 2 / (math.pi * safe)
    out = where(near, series, _waves(where(near, _FAR, x), order)[1])
    out = where(a.eq(x, 0), -math.inf, where(a.lt(x, 0), math.nan, out))
    return where(a.eq(x, math.inf), 0, out)


# ---------------------------------------------------------------- K

_K_FAR = 9.0


def _k(x: Node, order: int, scaled: bool) -> Node:
    near = a.lt(x, _K_FAR)
    safe = where(a.and_(near, a.gt(x, 0)), x, 1.0)
    half = safe * 0.5
    square = half * half
    first = horner(square, _power_series(order, 1))
    digammas = (horner(square, _log_series(order, 1)) - 2 * _EULER * first) * 0.5
    if order:
        series = 1 / safe + (log(half) * first - digammas) * half
    else:
        series = digammas - log(half) * first
    far = where(near, _K_FAR, x)
    tail = horner(1 / far, _hankel(order, 18)) * a.sqrt(math.pi / (2 * far))
    if scaled:
        series = series * exp(safe)
    else:
        tail = tail * exp(a.neg(far))
    out = where(near, series, tail)
    return where(a.eq(x, 0), math.inf, where(a.lt(x, 0), math.nan, out))


# ---------------------------------------------------------------- Airy, spherical

_AIRY_FAR = 5.5
_AI0 = 1 / (3 ** (2 / 3) * math.gamma(2 / 3))
_AI1 = 1 / (3 ** (1 / 3) * math.gamma(1 / 3))


def _airy_series(start: int) -> list[float]:
    """Coefficients of x^3k in the solutions 1 + ... (start 0) and x + ... over x (start 1)."""
    out, c = [], Fraction(1)
    for k in range(_TERMS):
        out.append(float(c))
        c /= (3 * k + 2 + start) * (3 * k + 3 + start)
    return out


def _airy_tail(count: int) -> list[float]:
    """u_k of DLMF 9.7.2."""
    out, c = [], Fraction(1)
    for k in range(1, count + 1):
        out.append(float(c))
        c *= Fraction((6 * k - 5) * (6 * k - 3) * (6 * k - 1), 216 * k * (2 * k - 1))
    return out


def _airy(x: Node) -> Node:
    size = a.abs_(x)
    near = a.lt(size, _AIRY_FAR)
    inner = where(near, x, 0)
    cube = inner * inner * inner
    series = _AI0 * horner(cube, _airy_series(0)) - _AI1 * inner * horner(cube, _airy_series(1))
    far = where(near, _AIRY_FAR, size)
    root = a.sqrt(far)
    zeta = far * root * (2 / 3)
    u, inverse = _airy_tail(18), 1 / zeta
    height = 1 / (math.sqrt(math.pi) * a.sqrt(root))
    falling = 0.5 * height * exp(a.neg(zeta)) * horner(a.neg(inverse), u)
    square = inverse * inverse
    even = horner(square, [(-1) ** k * c for k, c in enumerate(u[0::2])])
    odd = horner(square, [(-1) ** k * c for k, c in enumerate(u[1::2])]) * inverse
    phase = zeta - math.pi / 4
    waving = height * (a.cos(phase) * even + a.sin(phase) * odd)
    return where(near, series, where(a.gt(x, 0), falling, waving))


def _spherical_j0(x: Node) -> Node:
    small = a.lt(a.abs_(x), 0.5)
    near = where(small, x, 0)
    coefficients = [(-1) ** k / math.factorial(2 * k + 1) for k in range(8)]
    series = horner(near * near, coefficients)
    out = where(small, series, a.sin(x) / where(small, 1.0, x))
    return where(a.isinf(x), 0, out)


# ---------------------------------------------------------------- public names


def _public(name: str, formula: Callable[[Node], Node], doc: str) -> None:
    @fused(name)
    def op(x: Node) -> Node:
        return cast(formula(cast(x, dt.float64)), x.dtype)

    @public(f"special.{name}")
    def apply(input: Node) -> Node:
        return op(promote_float(input)[0])
    apply.__name__ = name
    apply.__doc__ = doc


_public("bessel_j0", lambda x: _j(x, 0), doc="The Bessel function of the first kind, order 0.")
_public("bessel_j1", lambda x: _j(x, 1), doc="The Bessel function of the first kind, order 1.")
_public("bessel_y0", lambda x: _y(x, 0), doc="The Bessel function of the second kind, order 0.")
_public("bessel_y1", lambda x: _y(x, 1), doc="The Bessel function of the second kind, order 1.")
_public("modified_bessel_k0", lambda x: _k(x, 0, False),
        doc="The modified Bessel function of the second kind, order 0.")
_public("modified_bessel_k1", lambda x: _k(x, 1, False),
        doc="The modified Bessel function of the second kind, order 1.")
_public("scaled_modified_bessel_k0", lambda x: _k(x, 0, True), doc="exp(input) * K0(input).")
_public("scaled_modified_bessel_k1", lambda x: _k(x, 1, True), doc="exp(input) * K1(input).")
_public("airy_ai", _airy, doc="The Airy function Ai.")
_public("spherical_bessel_j0", _spherical_j0, doc="sin(input) / input, 1 at 0.")


@public("special.modified_bessel_i0")
def modified_bessel_i0(input: Node) -> Node:
    """The modified Bessel function of the first kind, order 0."""
    return i0(input)


@public("special.modified_bessel_i1")
def modified_bessel_i1(input: Node) -> Node:
    """The modified Bessel function of the first kind, order 1."""
    return i1(input)
