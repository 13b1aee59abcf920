"""Functions of complex numbers, in real primitives on their two parts.

In: pairs (re, im) of real nodes. Out: pairs. `graph/pairs` calls them for the map primitives.
Moduli and divisors are scaled, so that squares neither overflow nor vanish; zeros keep their sign
where a branch cut needs it, and infinities give what C99 says.

    sqrt((x, y))  ->  t = sqrt(|x|/2 + |z|/2);  (t, y / 2t) where x >= 0, else (|y| / 2t, +-t)
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .node import Node
from .primitive import PRIMITIVES, const

Pair = tuple[Node, Node]


def _of(name: str) -> Callable[..., Node]:
    op = PRIMITIVES[name]

    def apply(*src: Any) -> Node:
        kind = next(s for s in src[::-1] if isinstance(s, Node)).dtype
        return op(*[s if isinstance(s, Node) else const(s, kind) for s in src])
    return apply


_add, _sub, _mul, _div, _neg = (_of(n) for n in ("add", "sub", "mul", "div", "neg"))
_abs, _sqrt, _exp, _expm1, _log, _log1p = (
    _of(n) for n in ("abs", "sqrt", "exp", "expm1", "log", "log1p"))
_sin, _cos, _tan, _sinh, _cosh, _asinh, _atan2 = (
    _of(n) for n in ("sin", "cos", "tan", "sinh", "cosh", "asinh", "atan2"))
_max, _min, _fmax, _copysign, _where = (_of(n) for n in ("max", "min", "fmax", "copysign", "where"))
_eq, _ne, _lt, _le, _gt, _ge, _isinf = (
    _of(n) for n in ("eq", "ne", "lt", "le", "gt", "ge", "isinf"))
_and, _or, _not = PRIMITIVES["and"], PRIMITIVES["or"], PRIMITIVES["not"]


def _finite(x: Node) -> Node:
    return _lt(_abs(x), const(math.inf, x.dtype))


# ---------------------------------------------------------------- modulus


def _scaled(z: Pair) -> tuple[Node, Node]:
    """The larger part without sign, and the smaller one over it (0 where that has no meaning)."""
    x, y = _abs(z[0]), _abs(z[1])
    high, low = _where(_isinf(_fmax(x, y)), math.inf, _max(x, y)), _min(x, y)
    plain = _or(_eq(high, 0.0), _isinf(high))
    return high, _where(plain, const(0.0, high.dtype), _div(low, _where(plain, 1.0, high)))


def modulus(z: Pair) -> Node:
    """|z|; infinite if either part is."""
    high, ratio = _scaled(z)
    return _mul(high, _sqrt(_add(_mul(ratio, ratio), 1.0)))


def log_modulus(z: Pair) -> Node:
    """log|z|, exact to the last digits near |z| = 1 too."""
    high, ratio = _scaled(z)
    low = _mul(high, ratio)
    far = _add(_log(high), _mul(_log1p(_mul(ratio, ratio)), 0.5))
    excess = _add(_mul(_sub(high, 1.0), _add(high, 1.0)), _mul(low, low))
    near = _and(_gt(high, 0.5), _lt(high, 2.0))
    return _where(near, _mul(_log1p(_where(near, excess, 0.0)), 0.5), far)


# ---------------------------------------------------------------- arithmetic


def add(z: Pair, w: Pair) -> Pair:
    """z + w."""
    return _add(z[0], w[0]), _add(z[1], w[1])


def negative(z: Pair) -> Pair:
    """-z."""
    return _neg(z[0]), _neg(z[1])


def product(z: Pair, w: Pair) -> Pair:
    """z * w."""
    (a, b), (c, d) = z, w
    return _sub(_mul(a, c), _mul(b, d)), _add(_mul(a, d), _mul(b, c))


def quotient(z: Pair, w: Pair) -> Pair:
    """Smith's: the smaller part of the divisor is taken relative to the larger one."""
    (a, b), (c, d) = z, w
    first = _ge(_abs(c), _abs(d))
    large, small = _where(first, c, d), _where(first, d, c)
    zero = _eq(large, 0.0)
    ratio = _where(zero, const(0.0, large.dtype), _div(small, large))
    scale = _where(zero, const(math.inf, large.dtype),
                   _div(1.0, _add(large, _mul(small, ratio))))
    u, v = _where(first, a, b), _where(first, b, a)
    turned = _mul(_sub(v, _mul(u, ratio)), scale)
    return _mul(_add(u, _mul(v, ratio)), scale), _where(first, turned, _neg(turned))


def reciprocal(z: Pair) -> Pair:
    """1 / z, scaled against overflow."""
    kind = z[0].dtype
    return quotient((const(1.0, kind), const(0.0, kind)), z)


def times_i(z: Pair) -> Pair:
    """i * z."""
    return _neg(z[1]), z[0]


def over_i(z: Pair) -> Pair:
    """z / i."""
    return z[1], _neg(z[0])


def _rotated(fn: Callable[[Pair], Pair]) -> Callable[[Pair], Pair]:
    """f(iz) / i: sin of sinh, tan of tanh, atan of atanh."""
    return lambda z: over_i(fn(times_i(z)))


# ---------------------------------------------------------------- exponentials and logarithms


def _without_nan(z: Pair, size: Node, re: Node, im: Node) -> Pair:
    """exp where a part is infinite or on the real axis; `size` is exp of the real part."""
    odd = _endless(z)
    im = _where(odd, _mul(size, 0.0), _where(_eq(z[1], 0.0), z[1], im))
    return _where(odd, size, re), im


def exp(z: Pair) -> Pair:
    """exp(z)."""
    size = _exp(z[0])
    return _without_nan(z, size, _mul(size, _cos(z[1])), _mul(size, _sin(z[1])))


def exp2(z: Pair) -> Pair:
    """2**z."""
    return exp((_mul(z[0], math.log(2)), _mul(z[1], math.log(2))))


def expm1(z: Pair) -> Pair:
    """exp(z) - 1, exact near 0."""
    x, y = z
    half = _sin(_mul(y, 0.5))
    re = _sub(_mul(_expm1(x), _cos(y)), _mul(_mul(half, half), 2.0))
    size = _exp(x)
    odd = _endless(z)
    _, im = _without_nan(z, size, re, _mul(size, _sin(y)))
    return _where(odd, _expm1(x), re), im


def log(z: Pair) -> Pair:
    """log(z), the branch cut along the negative reals."""
    return log_modulus(z), _atan2(z[1], z[0])


def log2(z: Pair) -> Pair:
    """log(z) / log(2)."""
    re, im = log(z)
    return _mul(re, 1 / math.log(2)), _mul(im, 1 / math.log(2))


def log10(z: Pair) -> Pair:
    """log(z) / log(10)."""
    re, im = log(z)
    return _mul(re, 1 / math.log(10)), _mul(im, 1 / math.log(10))


def log1p(z: Pair) -> Pair:
    """Small numbers would be lost in 1 + z."""
    x, y = z
    small = _and(_lt(_abs(x), 0.5), _lt(_abs(y), 0.5))
    excess = _add(_mul(x, _add(x, 2.0)), _mul(y, y))
    shifted = _add(x, 1.0), y
    re = _where(small, _mul(_log1p(_where(small, excess, 0.0)), 0.5), log_modulus(shifted))
    return re, _atan2(y, shifted[0])


def power(z: Pair, w: Pair) -> Pair:
    """exp(w log z); 1 for w = 0, and 0 for z = 0 where re(w) > 0."""
    re, im = exp(product(w, log(z)))
    one = _and(_eq(w[0], 0.0), _eq(w[1], 0.0))
    nothing = _and(_and(_eq(z[0], 0.0), _eq(z[1], 0.0)), _gt(w[0], 0.0))
    return (_where(one, 1.0, _where(nothing, 0.0, re)), _where(_or(one, nothing), 0.0, im))


def sigmoid(z: Pair) -> Pair:
    """1 / (1 + w) or w / (1 + w), whichever has |w| <= 1."""
    x, y = z
    left = _lt(x, 0.0)
    w = exp((_neg(_abs(x)), _where(left, y, _neg(y))))
    top = _where(left, w[0], 1.0), _where(left, w[1], 0.0)
    return quotient(top, (_add(w[0], 1.0), w[1]))


# ---------------------------------------------------------------- roots


def sqrt(z: Pair) -> Pair:
    """The root with a real part that is not negative."""
    x, y = z
    high, ratio = _scaled(z)
    half = _mul(_mul(high, 0.5), _sqrt(_add(_mul(ratio, ratio), 1.0)))
    large = _sqrt(_add(_mul(_abs(x), 0.5), half))
    small = _where(_eq(large, 0.0), _abs(y), _div(_abs(y), _mul(large, 2.0)))
    left = _lt(x, 0.0)
    endless = _isinf(y)
    re = _where(endless, _abs(y), _where(left, small, large))
    im = _where(endless, _abs(y), _where(left, large, small))
    return re, _copysign(im, y)


def rsqrt(z: Pair) -> Pair:
    """1 / sqrt(z)."""
    return reciprocal(sqrt(z))


# ---------------------------------------------------------------- hyperbolic and trigonometric


def _endless(z: Pair) -> Node:
    """Where an infinite real part has no direction: the other one is infinite or NaN."""
    return _and(_isinf(z[0]), _not(_finite(z[1])))


def sinh(z: Pair) -> Pair:
    """sinh(z)."""
    x, y = z
    kept = _or(_eq(x, 0.0), _endless(z))
    return (_where(kept, x, _mul(_sinh(x), _cos(y))),
            _where(_eq(y, 0.0), y, _mul(_cosh(x), _sin(y))))


def cosh(z: Pair) -> Pair:
    """cosh(z)."""
    x, y = z
    axis = _or(_eq(x, 0.0), _eq(y, 0.0))
    nothing = _mul(_copysign(const(0.0, x.dtype), x), _copysign(const(1.0, y.dtype), y))
    re = _where(_endless(z), _abs(x), _mul(_cosh(x), _cos(y)))
    return re, _where(axis, nothing, _mul(_sinh(x), _sin(y)))


def tanh(z: Pair) -> Pair:
    """Kahan's; beyond `edge` the real part is 1 in the type's precision."""
    x, y = z
    edge = 22.0 if x.dtype.itemsize == 8 else 12.0
    far = _gt(_abs(x), edge)
    t, s = _tan(y), _sinh(_where(far, 0.0, x))
    square = _mul(s, s)
    beta = _add(_mul(t, t), 1.0)
    below = _add(_mul(beta, square), 1.0)
    near_re = _div(_mul(_mul(beta, _sqrt(_add(square, 1.0))), s), below)
    wave = _mul(_mul(_sin(y), _cos(y)), _mul(_exp(_mul(_abs(x), -2.0)), 4.0))
    far_im = _where(_isinf(x), _copysign(const(0.0, y.dtype), y), wave)
    near_re = _where(_eq(x, 0.0), x, near_re)
    return (_where(far, _copysign(const(1.0, x.dtype), x), near_re),
            _where(far, far_im, _where(_eq(y, 0.0), y, _div(t, below))))


sin = _rotated(sinh)
tan = _rotated(tanh)


def cos(z: Pair) -> Pair:
    """cos(z) = cosh(i z)."""
    return cosh(times_i(z))


# ---------------------------------------------------------------- their inverses (Kahan's)


def _beyond(z: Pair) -> tuple[Node, Node]:
    """Where squares would be all that counts, and log|2z| there."""
    far = _gt(_fmax(_abs(z[0]), _abs(z[1])), 1e9 if z[0].dtype.itemsize == 8 else 1e5)
    return far, _add(log_modulus(z), math.log(2))


def _kept(far: Node, z: Pair) -> Pair:
    """z where it is not far away, else 0."""
    return _where(far, 0.0, z[0]), _where(far, 0.0, z[1])


def asin(z: Pair) -> Pair:
    """asin(z)."""
    far, size = _beyond(z)
    x, y = _kept(far, z)
    a, b = sqrt((_sub(1.0, x), _neg(y))), sqrt((_add(x, 1.0), y))
    re = _where(_eq(x, 0.0), x, _atan2(x, _sub(_mul(a[0], b[0]), _mul(a[1], b[1]))))
    im = _asinh(_sub(_mul(a[0], b[1]), _mul(a[1], b[0])))
    return (_where(far, _atan2(z[0], _abs(z[1])), re),
            _where(far, _copysign(size, z[1]), im))


def acos(z: Pair) -> Pair:
    """acos(z)."""
    far, size = _beyond(z)
    x, y = _kept(far, z)
    a, b = sqrt((_sub(1.0, x), _neg(y))), sqrt((_add(x, 1.0), y))
    re = _where(_eq(x, 0.0), math.pi / 2, _mul(_atan2(a[0], b[0]), 2.0))
    im = _asinh(_sub(_mul(b[0], a[1]), _mul(b[1], a[0])))
    return (_where(far, _atan2(_abs(z[1]), z[0]), re),
            _where(far, _copysign(size, _neg(z[1])), im))


def acosh(z: Pair) -> Pair:
    """acosh(z)."""
    far, size = _beyond(z)
    x, y = _kept(far, z)
    a, b = sqrt((_sub(x, 1.0), y)), sqrt((_add(x, 1.0), y))
    re = _asinh(_add(_mul(a[0], b[0]), _mul(a[1], b[1])))
    im = _mul(_atan2(a[1], b[0]), 2.0)
    return _where(far, size, re), _where(far, _atan2(z[1], z[0]), im)


def atanh(z: Pair) -> Pair:
    """atanh(z)."""
    x, y = z
    high, ratio = _scaled(z)
    far = _gt(high, 1e18 if x.dtype.itemsize == 8 else 1e9)
    kept_x, kept_y = _kept(far, z)
    flat = _abs(kept_x)
    gap, square = _sub(1.0, flat), _mul(kept_y, kept_y)
    re = _mul(_log1p(_div(_mul(flat, 4.0), _add(_mul(gap, gap), square))), 0.25)
    re = _where(_eq(x, 0.0), 0.0, re)
    im = _mul(_atan2(_mul(kept_y, 2.0), _sub(_mul(gap, _add(flat, 1.0)), square)), 0.5)
    size = _mul(high, _sqrt(_add(_mul(ratio, ratio), 1.0)))
    far_re = _where(_isinf(high), const(0.0, x.dtype), _div(_div(_abs(x), size), size))
    quarter = _where(_ne(y, y), y, _copysign(const(math.pi / 2, y.dtype), y))
    return _copysign(_where(far, far_re, re), x), _where(far, quarter, im)


asinh = _rotated(asin)
atan = _rotated(atanh)

FUNCTIONS: dict[str, Callable[..., Pair]] = {
    "mul": product, "div": quotient, "reciprocal": reciprocal, "exp": exp, "exp2": exp2,
    "expm1": expm1, "log": log, "log2": log2, "log10": log10, "log1p": log1p, "pow": power,
    "sigmoid": sigmoid, "sqrt": sqrt, "rsqrt": rsqrt, "sin": sin, "cos": cos, "tan": tan,
    "sinh": sinh, "cosh": cosh, "tanh": tanh, "asin": asin, "acos": acos, "atan": atan,
    "asinh": asinh, "acosh": acosh, "atanh": atanh,
    "fma": lambda a, b, c: add(product(a, b), c),
}
