"""Elementwise functions of the standard.

In: arrays, and Python numbers for one of two operands. Out: an array of the broadcast shape. Each
is an operation of the `torch` namespace after the standard's promotion; those whose values differ
from PyTorch's (signs of zero, NaN, complex numbers) are written out below the tables.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor.tensor import Tensor
from ._promotion import cast, need, pair, torch

Unary = Callable[[Tensor], Tensor]
Binary = Callable[[Any, Any], Tensor]


def _unary(name: str, fn: Callable[..., Tensor], doc: str) -> Unary:
    def call(x: Tensor, /) -> Tensor:
        return fn(need(x, name))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return call


def _binary(name: str, fn: Callable[..., Tensor], doc: str) -> Binary:
    def call(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
        return fn(*pair(x1, x2))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return call


def _integers_stay(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A rounding function: whole numbers are what they are."""
    return lambda x: x.clone() if x.dtype.kind in "biu" else fn(x)


abs = _unary("abs", torch.abs, "The absolute value.")  # noqa: A001
acos = _unary("acos", torch.acos, "The inverse cosine.")
acosh = _unary("acosh", torch.acosh, "The inverse hyperbolic cosine.")
asin = _unary("asin", torch.asin, "The inverse sine.")
asinh = _unary("asinh", torch.asinh, "The inverse hyperbolic sine.")
atan = _unary("atan", torch.atan, "The inverse tangent.")
atanh = _unary("atanh", torch.atanh, "The inverse hyperbolic tangent.")
bitwise_invert = _unary("bitwise_invert", torch.bitwise_not, "Every bit flipped.")
ceil = _unary("ceil", _integers_stay(torch.ceil), "The smallest integer that is no smaller.")
cos = _unary("cos", torch.cos, "The cosine.")
cosh = _unary("cosh", torch.cosh, "The hyperbolic cosine.")
exp = _unary("exp", torch.exp, "e to the power x.")
expm1 = _unary("expm1", torch.expm1, "exp(x) - 1, exact near zero.")
floor = _unary("floor", _integers_stay(torch.floor), "The largest integer that is no larger.")
imag = _unary("imag", torch.imag, "The imaginary part.")
isfinite = _unary("isfinite", torch.isfinite, "Whether neither infinite nor NaN.")
isinf = _unary("isinf", torch.isinf, "Whether infinite.")
isnan = _unary("isnan", torch.isnan, "Whether NaN.")
log = _unary("log", torch.log, "The natural logarithm.")
log10 = _unary("log10", torch.log10, "The logarithm to the base 10.")
log1p = _unary("log1p", torch.log1p, "log(1 + x), exact near zero.")
log2 = _unary("log2", torch.log2, "The logarithm to the base 2.")
logical_not = _unary("logical_not", torch.logical_not, "Whether zero.")
negative = _unary("negative", torch.neg, "-x.")
positive = _unary("positive", torch.positive, "+x.")
real = _unary("real", torch.real, "The real part; a real array is its own.")
reciprocal = _unary("reciprocal", torch.reciprocal, "1 / x.")
signbit = _unary("signbit", torch.signbit, "Whether the sign bit is set.")
sin = _unary("sin", torch.sin, "The sine.")
sinh = _unary("sinh", torch.sinh, "The hyperbolic sine.")
sqrt = _unary("sqrt", torch.sqrt, "The principal square root.")
square = _unary("square", torch.square, "x * x.")
tan = _unary("tan", torch.tan, "The tangent.")
tanh = _unary("tanh", torch.tanh, "The hyperbolic tangent.")
trunc = _unary("trunc", _integers_stay(torch.trunc), "The next integer towards zero.")

add = _binary("add", torch.add, "x1 + x2.")
atan2 = _binary("atan2", torch.atan2, "The angle of the point (x2, x1), in [-π, π].")
bitwise_and = _binary("bitwise_and", torch.bitwise_and, "x1 & x2.")
bitwise_left_shift = _binary("bitwise_left_shift", torch.bitwise_left_shift, "x1 << x2.")
bitwise_or = _binary("bitwise_or", torch.bitwise_or, "x1 | x2.")
bitwise_right_shift = _binary("bitwise_right_shift", torch.bitwise_right_shift, "x1 >> x2.")
bitwise_xor = _binary("bitwise_xor", torch.bitwise_xor, "x1 ^ x2.")
copysign = _binary("copysign", torch.copysign, "The size of x1 with the sign of x2.")
divide = _binary("divide", torch.div, "x1 / x2.")
equal = _binary("equal", torch.eq, "x1 == x2.")
floor_divide = _binary("floor_divide", torch.floor_divide, "The largest integer <= x1 / x2.")
greater = _binary("greater", torch.gt, "x1 > x2.")
greater_equal = _binary("greater_equal", torch.ge, "x1 >= x2.")
hypot = _binary("hypot", torch.hypot, "sqrt(x1*x1 + x2*x2), without overflow on the way.")
less = _binary("less", torch.lt, "x1 < x2.")
less_equal = _binary("less_equal", torch.le, "x1 <= x2.")
logaddexp = _binary("logaddexp", torch.logaddexp, "log(exp(x1) + exp(x2)).")
logical_and = _binary("logical_and", torch.logical_and, "Whether both are nonzero.")
logical_or = _binary("logical_or", torch.logical_or, "Whether one is nonzero.")
logical_xor = _binary("logical_xor", torch.logical_xor, "Whether exactly one is nonzero.")
maximum = _binary("maximum", torch.maximum, "The larger of the two; NaN if one is.")
minimum = _binary("minimum", torch.minimum, "The smaller of the two; NaN if one is.")
multiply = _binary("multiply", torch.mul, "x1 * x2.")
nextafter = _binary("nextafter", torch.nextafter, "The next number from x1 towards x2.")
not_equal = _binary("not_equal", torch.ne, "x1 != x2.")
pow = _binary("pow", torch.pow, "x1 to the power x2.")  # noqa: A001
subtract = _binary("subtract", torch.sub, "x1 - x2.")


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """Each element moved into [min, max]; either bound may be None, a number or an array.

    The result has the dtype of x and the broadcast shape; a NaN bound gives NaN.
    """
    need(x, "clip")
    out = x
    if min is not None:
        out = torch.maximum(out, _bound(min, x))
    if max is not None:
        out = torch.minimum(out, _bound(max, x))
    return out.clone() if out is x else out


def _bound(value: Any, x: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        return cast(value, x.dtype)
    return torch.tensor(value, dtype=x.dtype)


def conj(x: Tensor, /) -> Tensor:
    """The complex conjugate."""
    return torch.conj(need(x, "conj")).resolve_conj()


def remainder(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """x1 - floor(x1 / x2) * x2: it has the sign of x2, and so has a zero."""
    a, b = pair(x1, x2)
    out = torch.remainder(a, b)
    return torch.where(out == 0, torch.copysign(out, b), out) if out.dtype.kind == "f" else out


def round(x: Tensor, /) -> Tensor:  # noqa: A001
    """The nearest integer, the even one of two; each part of a complex number by itself."""
    if need(x, "round").dtype.kind == "c":
        return torch.complex(torch.round(x.real), torch.round(x.imag))
    return x.clone() if x.dtype.kind in "biu" else torch.round(x)


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1; x / abs(x) for complex numbers; NaN for NaN."""
    if need(x, "sign").dtype.kind == "c":
        return torch.where(torch.eq(x, 0), torch.zeros_like(x), x / torch.abs(x))
    out = torch.sign(x)
    return torch.where(torch.isnan(x), x, out) if x.dtype.kind == "f" else out


__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf", "isnan",
    "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative",
    "nextafter", "not_equal", "positive", "pow", "real", "reciprocal", "remainder", "round", "sign",
    "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
]
