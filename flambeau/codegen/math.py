"""The functions of analysis, and float division with remainder, for float and double of any lanes.

In: values of type float or double. Out: the same. Called by `operations`. The common functions of
float are in `math32`; its others are computed in double (`math64`) and rounded.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import math32, math64, slow
from .emit import Val, constant, float_text
from .real import Real

if TYPE_CHECKING:
    from .memory import Memory


def neg(em: Memory, a: Val) -> Val:
    """-a."""
    return (-Real(em, a)).value


def _fixed_exponent(y: Val) -> float | None:
    """The value of a literal exponent that a few multiplications serve."""
    for x in (2.0, 3.0, 1.0, -1.0, -2.0, 0.5, -0.5):
        if y.lanes == 0 and y.name == FIXED[y.type][x]:
            return x
    return None


def pow(em: Memory, a: Val, b: Val) -> Val:
    """a**b, with the special cases of IEEE 754."""
    x, y = Real(em, a), Real(em, b)
    fixed = _fixed_exponent(b)
    if fixed is not None:
        return _power(x, fixed).value
    if x.single:
        return math64.pow(x.to("double"), y.to("double")).to("float").value
    return slow.lanewise("pow", x, y).value


def _power(x: Real, n: float) -> Real:
    """The exponents that PyTorch, too, serves with multiplications and roots."""
    if n < 0:
        return 1.0 / _power(x, -n)
    if n == 0.5:
        return x.sqrt()
    return {1.0: x, 2.0: x * x, 3.0: x * x * x}[n]


def _floats(x: float) -> dict[str, str]:
    return {type: float_text(x, type) for type in ("float", "double")}


FIXED: dict[str, dict[float, str]] = {
    type: {x: _floats(x)[type] for x in (2.0, 3.0, 1.0, -1.0, -2.0, 0.5, -0.5)}
    for type in ("float", "double")
}


# ---------------------------------------------------------------- division with remainder


def rem(em: Memory, a: Val, b: Val) -> Val:
    """C's fmod: a - trunc(a / b) * b, exactly, with the sign of a."""
    x, y = Real(em, a), Real(em, b)
    n, d = x.abs(), y.abs()
    q = (n / d).trunc()
    r = (-q).fma(d, n)
    # The quotient may have been rounded up to the next integer, or over it.
    r = (r + d).where(r.is_("olt", 0.0), r)
    r = (r - d).where(em.compare("fcmp oge", r.value, d.value), r)
    # Up to here exact for quotients of few bits and an infinite or zero divisor's special cases.
    far = em.compare("fcmp uge", q.value, q.lift(2.0 ** 22 if x.single else 2.0 ** 51).value)
    r = n.where(em.compare("fcmp olt", n.value, d.value), r)
    return slow.patch(r.copysign(x), far, "fmod", x, y).value


def mod(em: Memory, a: Val, b: Val) -> Val:
    """Python's remainder: the sign of the divisor."""
    y = Real(em, b)
    r = Real(em, rem(em, a, b))
    unlike = em.compare("icmp slt", em.binary("xor", r.bits(), y.bits()), _zero(r))
    wrong = em.binary("and", unlike, r.is_("one", 0.0))
    return (r + y).where(wrong, r).value


def _zero(r: Real) -> Val:
    return constant(0, r.integer)


def floordiv(em: Memory, a: Val, b: Val) -> Val:
    """Floor of the exact quotient, as PyTorch computes it from the remainder."""
    x, y = Real(em, a), Real(em, b)
    r = Real(em, rem(em, a, b))
    q = (x - r) / y
    unlike = em.compare("icmp slt", em.binary("xor", r.bits(), y.bits()), _zero(r))
    q = (q - 1.0).where(em.binary("and", unlike, r.is_("one", 0.0)), q)
    down = q.floor()
    down = (down + 1.0).where((q - down).is_("ogt", 0.5), down)
    plain = x / y
    down = down.where(q.is_("une", 0.0), q.lift(0.0).copysign(plain))
    return plain.where(y.is_("oeq", 0.0), down).value


def truncdiv(em: Memory, a: Val, b: Val) -> Val:
    """a / b rounded towards 0."""
    return (Real(em, a) / Real(em, b)).trunc().value


# ---------------------------------------------------------------- functions of one or two values


def _own(name: str) -> Callable[..., Val]:
    """Each type by its own formula."""
    of_float, of_double = getattr(math32, name), getattr(math64, name)

    def emit(em: Memory, a: Val) -> Val:
        x = Real(em, a)
        out: Real = (of_float if x.single else of_double)(x)
        return out.value
    return emit


def _through_double(name: str) -> Callable[..., Val]:
    """Float by way of double."""
    of_double = getattr(math64, name)

    def emit(em: Memory, *args: Val) -> Val:
        wide = [Real(em, a).to("double") for a in args]
        out: Real = of_double(*wide)
        return out.to(args[0].type).value
    return emit


def _sqrt(em: Memory, a: Val) -> Val:
    return Real(em, a).sqrt().value


def _rsqrt(em: Memory, a: Val) -> Val:
    return (1.0 / Real(em, a).sqrt()).value


def _reciprocal(em: Memory, a: Val) -> Val:
    return (1.0 / Real(em, a)).value


FUNCTIONS: dict[str, Callable[..., Val]] = {
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "reciprocal": _reciprocal,
    **{name: _own(name) for name in ("exp", "exp2", "expm1", "sigmoid", "tanh", "erf", "log",
                                     "log2", "log10", "log1p", "sin", "cos")},
    **{name: _through_double(name) for name in ("tan", "asin", "acos", "atan", "atan2", "sinh",
                                                "cosh", "asinh", "acosh", "atanh", "erfc",
                                                "erfinv", "lgamma", "digamma")},
}
