"""Derivatives of the map primitives: what every elementwise function's gradient is made of.

In: `g`, the result and the sources of a primitive. Out: a gradient (or None) per source, which
`derive.fit` sums over broadcast dims and casts. The public functions stand in the families' files.

    exp:  g, out  ->  g * out
"""
from __future__ import annotations

import math
from collections.abc import Callable

from ..graph.node import Node
from ..graph.primitive import PRIMITIVES
from .algebra import (
    abs_,
    and_,
    cast,
    complex_,
    conj,
    const,
    copysign,
    cos,
    cosh,
    digamma,
    eq,
    exp,
    expand,
    floor,
    ge,
    imag,
    isnan,
    le,
    log,
    lt,
    neg,
    or_,
    power,
    real,
    rsqrt,
    sign,
    sin,
    sinh,
    square,
    trunc,
    where,
    zeros_like,
)
from .table import derivative

LN2 = math.log(2.0)
LN10 = math.log(10.0)
SQRT_PI = math.sqrt(math.pi)

Gradients = tuple["Node | None", ...]


def _of_out(name: str, rule: Callable[[Node, Node], Node]) -> None:
    """A function of one source whose derivative is written in its result."""
    def vjp(g: Node, out: Node, _x: Node) -> Gradients:
        return (rule(g, conj(out)),)
    PRIMITIVES[name].vjp = vjp


def _of_source(name: str, rule: Callable[[Node, Node], Node]) -> None:
    """A function of one source whose derivative is written in that source."""
    def vjp(g: Node, _out: Node, x: Node) -> Gradients:
        return (rule(g, conj(x)),)
    PRIMITIVES[name].vjp = vjp


def _flat(*names: str) -> None:
    """Functions that are constant almost everywhere."""
    def vjp(g: Node, _out: Node, *_src: Node) -> Gradients:
        return tuple(zeros_like(s) for s in _src)
    for name in names:
        PRIMITIVES[name].vjp = vjp


def _no_gradient(*names: str) -> None:
    def vjp(g: Node, _out: Node, *_src: Node) -> Gradients:
        return (None,) * len(_src)
    for name in names:
        PRIMITIVES[name].vjp = vjp


_of_out("exp", lambda g, out: g * out)
_of_out("exp2", lambda g, out: g * out * LN2)
_of_out("expm1", lambda g, out: g * (out + 1))
_of_out("sqrt", lambda g, out: g / (out * 2))
_of_out("rsqrt", lambda g, out: g * (out * out * out) * -0.5)
_of_out("reciprocal", lambda g, out: neg(g * (out * out)))
_of_out("tan", lambda g, out: g * (1 + out * out))
_of_out("tanh", lambda g, out: g * (1 - out * out))
_of_out("sigmoid", lambda g, out: g * ((1 - out) * out))
_of_out("erfinv", lambda g, out: g * exp(out * out) * (SQRT_PI / 2))

_of_source("log", lambda g, x: g / x)
_of_source("log2", lambda g, x: g / (x * LN2))
_of_source("log10", lambda g, x: g / (x * LN10))
_of_source("log1p", lambda g, x: g / (x + 1))
_of_source("sin", lambda g, x: g * cos(x))
_of_source("cos", lambda g, x: neg(g * sin(x)))
_of_source("asin", lambda g, x: g * rsqrt(1 - x * x))
_of_source("acos", lambda g, x: neg(g * rsqrt(1 - x * x)))
_of_source("atan", lambda g, x: g / (x * x + 1))
_of_source("sinh", lambda g, x: g * cosh(x))
_of_source("cosh", lambda g, x: g * sinh(x))
_of_source("asinh", lambda g, x: g * rsqrt(x * x + 1))
_of_source("acosh", lambda g, x: g * (rsqrt(x - 1) * rsqrt(x + 1)))
_of_source("atanh", lambda g, x: g / (1 - x * x))
_of_source("erf", lambda g, x: g * exp(neg(square(x))) * (2 / SQRT_PI))
_of_source("erfc", lambda g, x: g * exp(neg(square(x))) * (-2 / SQRT_PI))
_of_source("lgamma", lambda g, x: g * digamma(x))

_flat("floor", "ceil", "trunc", "round", "sign", "floordiv", "truncdiv")
_no_gradient("eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "signbit", "and", "or", "xor",
             "not", "shl", "shr", "popcount", "bitcast")


@derivative(PRIMITIVES["abs"])
def _abs(g: Node, _out: Node, x: Node) -> Gradients:
    return (g * sign(x),)


@derivative(PRIMITIVES["neg"])
def _neg(g: Node, _out: Node, _x: Node) -> Gradients:
    return (neg(g),)


@derivative(PRIMITIVES["add"])
def _add(g: Node, _out: Node, _a: Node, _b: Node) -> Gradients:
    return g, g


@derivative(PRIMITIVES["sub"])
def _sub(g: Node, _out: Node, _a: Node, _b: Node) -> Gradients:
    return g, neg(g)


@derivative(PRIMITIVES["mul"])
def _mul(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    return g * conj(b), g * conj(a)


@derivative(PRIMITIVES["fma"])
def _fma(g: Node, _out: Node, a: Node, b: Node, _c: Node) -> Gradients:
    return g * conj(b), g * conj(a), g


@derivative(PRIMITIVES["div"])
def _div(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    b = conj(b)
    return g / b, neg(g) * ((conj(a) / b) / b)


@derivative(PRIMITIVES["pow"])
def _pow(g: Node, out: Node, a: Node, b: Node) -> Gradients:
    """0 ** 0 has no slope; log(0) counts as nothing where the power stays 0 whatever b does."""
    base = where(eq(b, 0), 0, g * conj(b * power(a, b - 1)))
    exponent = real(b) if b.dtype.kind == "c" else b
    flat = and_(eq(a, 0), ge(exponent, 0))
    return base, where(flat, 0, g * conj(out * log(a)))


@derivative(PRIMITIVES["rem"])
def _rem(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    return g, neg(g * trunc(a / b))


@derivative(PRIMITIVES["mod"])
def _mod(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    return g, neg(g * floor(a / b))


@derivative(PRIMITIVES["max"])
def _max(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    """A tie gives each side half."""
    half = where(eq(a, b), g / 2, g)
    return where(lt(a, b), 0, half), where(lt(b, a), 0, half)


@derivative(PRIMITIVES["min"])
def _min(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    half = where(eq(a, b), g / 2, g)
    return where(lt(b, a), 0, half), where(lt(a, b), 0, half)


@derivative(PRIMITIVES["fmax"])
def _fmax(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    first = or_(ge(a, b), isnan(b))
    return where(first, g, 0), where(first, 0, g)


@derivative(PRIMITIVES["fmin"])
def _fmin(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    first = or_(le(a, b), isnan(b))
    return where(first, g, 0), where(first, 0, g)


@derivative(PRIMITIVES["atan2"])
def _atan2(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    scale = g / (a * a + b * b)
    return scale * b, neg(scale * a)


@derivative(PRIMITIVES["copysign"])
def _copysign(g: Node, _out: Node, a: Node, b: Node) -> Gradients:
    """g with the sign by which the result differs from a; nothing at a = 0."""
    turned = copysign(const(1, g.dtype), b) * sign(a)
    return g * turned, zeros_like(b)


@derivative(PRIMITIVES["nextafter"])
def _nextafter(g: Node, _out: Node, _a: Node, _b: Node) -> Gradients:
    return g, None


@derivative(PRIMITIVES["real"])
def _real(g: Node, _out: Node, _x: Node) -> Gradients:
    return (cast(g, _x.dtype),)


@derivative(PRIMITIVES["imag"])
def _imag(g: Node, _out: Node, _x: Node) -> Gradients:
    return (complex_(zeros_like(g), g),)


@derivative(PRIMITIVES["complex"])
def _complex(g: Node, _out: Node, _a: Node, _b: Node) -> Gradients:
    return real(g), imag(g)


@derivative(PRIMITIVES["where"])
def _where(g: Node, _out: Node, mask: Node, _a: Node, _b: Node) -> Gradients:
    return None, where(mask, g, 0), where(mask, 0, g)


@derivative(PRIMITIVES["cast"])
def _cast(g: Node, _out: Node, _x: Node, dtype: object) -> Gradients:
    return (cast(g, _x.dtype) if _x.dtype.kind in "fc" else None,)


@derivative(PRIMITIVES["alias"])
def _alias(g: Node, _out: Node, _x: Node) -> Gradients:
    return (g,)


@derivative(PRIMITIVES["digamma"])
def _digamma(g: Node, _out: Node, x: Node) -> Gradients:
    return (g * TRIGAMMA[0](x),)


# The derivative of digamma needs polygamma, which `special` makes from simpler functions.
TRIGAMMA: list[Callable[[Node], Node]] = []


def finite(x: Node) -> Node:
    """Neither infinite nor NaN, for floats."""
    return lt(abs_(x), const(math.inf, x.dtype))


def spread(g: Node, x: Node) -> Node:
    """The gradient of a reduction (dims kept) at every element of x."""
    return expand(g, x.shape)
