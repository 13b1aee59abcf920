"""Arithmetic: addition to powers, with PyTorch's promotion, alpha and rounding modes.

In: nodes and numbers from `tensor/dispatch`. Out: nodes.

    div(int64[3], 2)                         ->  div(cast(%0, float32), scalar(2.0))
    div(int64[3], 2, rounding_mode="floor")  ->  floordiv(%0, scalar(2))
"""
from __future__ import annotations

import math
from typing import Any

from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..graph.node import Node
from ..graph.primitive import PRIMITIVES
from . import algebra as a
from .algebra import cast, where
from .complex_ import MODULUS, SGN
from .fused import fused
from .promotion import (
    as_node,
    check_float,
    float_type,
    number,
    only_tensors,
    promote,
    promote_float,
    promote_types,
    result_type,
    some_tensor,
)
from .table import public

Number = Any
ONE = 1
# The primitives themselves where both operands are nodes: one call less on the hottest path.
ADD, MUL = PRIMITIVES["add"], PRIMITIVES["mul"]


def _check_alpha(kind: dt.dtype, alpha: Number) -> None:
    if isinstance(alpha, bool) and kind is not dt.bool_:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and kind.kind in "biu":
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating "
                           "point number.")
    if isinstance(alpha, complex) and kind.kind != "c":
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex "
                           "number.")


def _scaled(x: Node, alpha: Number) -> Node:
    if isinstance(alpha, Node):
        return x * cast(alpha, x.dtype)
    if alpha == 1 and not isinstance(alpha, bool):
        return x
    _check_alpha(x.dtype, alpha)
    return x * number(alpha, x.dtype)


def _once_first(factor: Any) -> Any:
    """The number that a signature of PyTorch 1.4 has before its tensors."""
    if isinstance(factor, Node):
        raise TypeError("received an invalid combination of arguments: one tensor too many")
    return factor


@public("add", inplace=True)
def add(input: Node, other: Node | Number, last: Node | None = None, *,
        alpha: Number = ONE) -> Node:
    """input + alpha * other; once it was add(input, alpha, other), which is still taken."""
    if last is not None:
        other, alpha = last, _once_first(other)
    x, y = promote(input, other)
    return ADD(x, y if alpha is ONE else _scaled(y, alpha))


@public("sub", "subtract", inplace=True)
def sub(input: Node, other: Node | Number, *, alpha: Number = 1) -> Node:
    """input - alpha * other."""
    x, y = promote(input, other)
    if x.dtype is dt.bool_:
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not "
                           "supported. Use the `^` or `logical_xor()` operator instead.")
    return a.sub(x, _scaled(y, alpha))


@public("rsub")
def rsub(input: Node, other: Node | Number, *, alpha: Number = 1) -> Node:
    """other - alpha * input."""
    only_tensors("rsub", input)
    y, x = promote(input, other)
    if x.dtype is dt.bool_:
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not "
                           "supported. Use the `^` or `logical_xor()` operator instead.")
    return a.sub(x, _scaled(y, alpha))


@public("mul", "multiply", inplace=True)
def mul(input: Node, other: Node | Number) -> Node:
    """input * other."""
    x, y = promote(input, other)
    return MUL(x, y)


@public("div", "divide", inplace=True)
def div(input: Node, other: Node | Number, *, rounding_mode: str | None = None) -> Node:
    """input / other; rounding_mode "trunc" or "floor" rounds the quotient."""
    if rounding_mode is None:
        x, y = promote_float(input, other)
        return a.div(x, y)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError("div expected rounding_mode to be one of None, 'trunc', or 'floor' but "
                           f"found '{rounding_mode}'")
    if rounding_mode == "floor":
        return floor_divide(input, other)
    x, y = _divisible(input, other)
    return a.truncdiv(x, y)


@public("true_divide", inplace=True)
def true_divide(input: Node, other: Node | Number) -> Node:
    """input / other, in floating point whatever the types."""
    return div(input, other)


@public("floor_divide", inplace=True)
def floor_divide(input: Node, other: Node | Number) -> Node:
    """The quotient, rounded down."""
    x, y = _divisible(input, other)
    return a.floordiv(x, y)


@public("remainder", inplace=True)
def remainder(input: Node | Number, other: Node | Number) -> Node:
    """Has the sign of the divisor."""
    x, y = _divisible(input, other)
    return a.mod(x, y)


@public("fmod", inplace=True)
def fmod(input: Node, other: Node | Number) -> Node:
    """Has the sign of the dividend."""
    only_tensors("fmod", input)
    x, y = _divisible(input, other)
    return a.rem(x, y)


def _divisible(input: Node | Number, other: Node | Number) -> tuple[Node, Node]:
    """Both promoted; an integer divided by the number 0 is an error at the call."""
    x, y = promote(input, other)
    if x.dtype is dt.bool_:
        x, y = cast(x, dt.int64), cast(y, dt.int64)
    if x.dtype.kind in "iu" and not isinstance(other, Node) and int(other) == 0:
        raise RuntimeError("ZeroDivisionError")
    return x, y


# ---------------------------------------------------------------- one operand


@public("neg", "negative", inplace=True)
def neg(input: Node) -> Node:
    """-input."""
    if input.dtype is dt.bool_:
        raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported. If you "
                           "are trying to invert a mask, use the `~` or `logical_not()` operator "
                           "instead.")
    return a.neg(input)


@public("positive")
def positive(input: Node) -> Node:
    """The input; a boolean is refused."""
    if input.dtype is dt.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@public("abs", "absolute", inplace=True)
def abs_(input: Node) -> Node:
    """The absolute value; the modulus of a complex number."""
    if input.dtype.kind == "c":
        return MODULUS(input)
    return input if input.dtype.kind in "bu" else a.abs_(input)


@public("sign", inplace=True)
def sign(input: Node) -> Node:
    """-1, 0 or 1 by the sign."""
    if input.dtype.kind == "c":
        raise NotImplementedError("Unlike NumPy, torch.sign is not intended to support complex "
                                  "numbers. Please use torch.sgn instead.")
    return input if input.dtype is dt.bool_ else a.sign(input)


@public("sgn", inplace=True)
def sgn(input: Node) -> Node:
    """The sign; for a complex number, the number of modulus 1 in its direction."""
    return SGN(input) if input.dtype.kind == "c" else sign(input)


def _double(g: Node, _out: Node, x: Node) -> tuple[Node]:
    return (g * a.conj(x) * 2,)


@fused("square", vjp=_double)
def _square(x: Node) -> Node:
    return x * x


@public("square", inplace=True)
def square(input: Node) -> Node:
    """input * input."""
    return _square(cast(input, dt.int64) if input.dtype is dt.bool_ else input)


@public("reciprocal", inplace=True)
def reciprocal(input: Node) -> Node:
    """1 / input."""
    return a.reciprocal(promote_float(input)[0])


@public("sqrt", inplace=True)
def sqrt(input: Node) -> Node:
    """The square root; NaN for a negative number."""
    return a.sqrt(promote_float(input)[0])


@public("rsqrt", inplace=True)
def rsqrt(input: Node) -> Node:
    """1 / sqrt(input)."""
    return a.rsqrt(promote_float(input)[0])


def _no_angle(name: str, x: Node) -> None:
    if x.dtype.kind == "c":
        raise RuntimeError(f"{name} is not supported for complex tensors.")


@public("deg2rad", "Tensor.deg2rad", inplace=True)
def deg2rad(input: Node) -> Node:
    """Degrees to radians."""
    _no_angle("deg2rad", input)
    return promote_float(input)[0] * (math.pi / 180)


@public("rad2deg", inplace=True)
def rad2deg(input: Node) -> Node:
    """Radians to degrees."""
    _no_angle("rad2deg", input)
    return promote_float(input)[0] * (180 / math.pi)


# ---------------------------------------------------------------- powers


def _power_slope(g: Node, _out: Node, x: Node, exponent: int) -> tuple[Node]:
    return (g * (exponent * _integer_power(a.conj(x), exponent - 1)),)


def _repeated(x: Node, n: int) -> Node:
    """x ** n for n >= 1 by squaring."""
    if n == 1:
        return x
    half = _repeated(x * x, n // 2)
    return half * x if n & 1 else half


@fused("integer_power", ("exponent",), vjp=_power_slope)
def _integer_power_op(x: Node, exponent: int) -> Node:
    return _repeated(x, exponent) if exponent > 0 else a.reciprocal(_repeated(x, -exponent))


def _integer_power(x: Node, exponent: int) -> Node:
    if exponent == 0:
        return a.full(x.shape, 1, x.dtype)
    return x if exponent == 1 else _integer_power_op(x, exponent=exponent)


def _power(x: Node, exponent: Number) -> Node:
    """x ** a number, in the dtype of x; small integer exponents become products."""
    if isinstance(exponent, complex):
        return a.power(x, number(exponent, x.dtype))
    if exponent == 2:
        return _square(x)
    if x.dtype.kind in "iu":
        if exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        return a.power(x, number(exponent, x.dtype))
    if exponent == 1:
        return a.mul(x, number(1, x.dtype))
    if exponent == 0.5:
        return a.sqrt(x)
    if exponent == -0.5:
        return a.rsqrt(x)
    if exponent in (3, 4, -1, -2):
        return _integer_power(x, int(exponent))
    return a.power(x, number(exponent, x.dtype))


@public("pow", inplace=True)
def pow_(input: Node | Number, exponent: Node | Number) -> Node:
    """input to the power of exponent, either of them a number or a tensor."""
    some_tensor(input, exponent)
    kind = result_type(input, exponent)
    if kind is dt.bool_ and not isinstance(exponent, Node):
        return cast(input, dt.bool_) if exponent else a.full(input.shape, True, kind)
    if not isinstance(exponent, Node):
        return _power(cast(input, kind), exponent)
    if not isinstance(input, Node) and input == 1:
        return a.full(exponent.shape, 1, kind)
    return a.power(as_node(input, kind), as_node(exponent, kind))


@public("float_power", inplace=True)
def float_power(input: Node | Number, exponent: Node | Number) -> Node:
    """The power, worked out in float64 (complex128)."""
    kind = dt.complex128 if result_type(input, exponent).kind == "c" else dt.float64
    if not isinstance(exponent, Node):
        return _power(cast(input, kind), exponent)
    return a.power(as_node(input, kind), as_node(exponent, kind))


def _log_sum(g: Node, _out: Node, x: Node, y: Node, two: bool) -> tuple[Node, Node]:
    power = a.exp2 if two else a.exp
    x, y = a.conj(x), a.conj(y)
    level = a.eq(x, y)
    first = where(level, 0.5, a.reciprocal(1 + power(where(level, 0, y - x))))
    return g * first, g * (1 - first)


@fused("logaddexp", ("two",), vjp=_log_sum)
def _logaddexp(x: Node, y: Node, two: bool) -> Node:
    """max + log(1 + exp(-|x - y|)); equal infinities stay themselves."""
    if x.dtype.kind == "c":
        first = a.ge(a.real(x), a.real(y))
        high, low = where(first, x, y), where(first, y, x)
        return high + log_of_sum(low - high, two)
    high = a.max_(x, y)
    gap = a.neg(a.abs_(x - y))
    return where(a.and_(a.eq(x, y), a.isinf(x)), x, high + log_of_sum(gap, two))


def log_of_sum(gap: Node, two: bool) -> Node:
    """log(1 + e^gap), or both to base 2."""
    return a.log1p(a.exp2(gap)) * (1 / math.log(2)) if two else a.log1p(a.exp(gap))


@public("logaddexp")
def logaddexp(input: Node, other: Node) -> Node:
    """log(exp(input) + exp(other)), without overflow."""
    only_tensors("logaddexp", input, other)
    x, y = promote_float(input, other)
    return _logaddexp(x, y, two=False)


@public("logaddexp2")
def logaddexp2(input: Node, other: Node) -> Node:
    """log2(2**input + 2**other), without overflow."""
    only_tensors("logaddexp2", input, other)
    x, y = promote_float(input, other)
    return _logaddexp(x, y, two=True)


def _hypot_slope(g: Node, out: Node, x: Node, y: Node) -> tuple[Node, Node]:
    return g * (x / out), g * (y / out)


@fused("hypot", vjp=_hypot_slope)
def _hypot(x: Node, y: Node) -> Node:
    """sqrt(x^2 + y^2) scaled by the larger, so that squares do not overflow."""
    high = a.max_(a.abs_(x), a.abs_(y))
    low = a.min_(a.abs_(x), a.abs_(y))
    plain = a.or_(a.eq(high, 0), a.isinf(high))
    ratio = low / where(plain, 1, high)
    endless = a.or_(a.isinf(x), a.isinf(y))
    out = where(plain, high, high * a.sqrt(1 + ratio * ratio))
    return where(endless, math.inf, out)


@public("hypot", inplace=True)
def hypot(input: Node, other: Node) -> Node:
    """sqrt(input**2 + other**2)."""
    only_tensors("hypot", input, other)
    x, y = promote(input, other)
    check_float("hypot_cpu", x)
    return _hypot(x, y)


# ---------------------------------------------------------------- three operands


@fused("lerp")
def _lerp(start: Node, end: Node, weight: Node) -> Node:
    """From the nearer end, so that weights 0 and 1 give the ends exactly."""
    way = end - start
    near = a.lt(a.cast(a.abs_(weight), weight.dtype.to_real()), 0.5)
    return where(near, start + weight * way, end - way * (1 - weight))


@public("lerp", inplace=True)
def lerp(input: Node, end: Node, weight: Node | Number) -> Node:
    """input + weight * (end - input)."""
    for name, x in (("end", end), ("weight", weight)):
        if isinstance(x, Node) and x.dtype is not input.dtype:
            raise RuntimeError(f"expected dtype {_word(input)} for `{name}` but got dtype "
                               f"{_word(x)}")
    check_float("lerp_kernel", input, complex_too=True)
    return _lerp(input, end, as_node(weight, input.dtype))


def _word(x: Node) -> str:
    return {"float32": "float", "float64": "double", "float16": "c10::Half",
            "bfloat16": "c10::BFloat16", "int64": "long int"}.get(x.dtype.name, x.dtype.name)


@fused("addcmul")
def _addcmul(x: Node, b: Node, c: Node, value: Node) -> Node:
    return x + value * b * c


@fused("addcdiv")
def _addcdiv(x: Node, b: Node, c: Node, value: Node) -> Node:
    return x + value * (b / c)


@public("addcmul", inplace=True)
def addcmul(input: Node, tensor1: Node, tensor2: Node, last: Node | None = None, *,
            value: Number = 1) -> Node:
    """input + value * tensor1 * tensor2; addcmul(input, value, tensor1, tensor2) of old too."""
    if last is not None:
        value, tensor1, tensor2 = _once_first(tensor1), tensor2, last
    x, b, c = promote(input, tensor1, tensor2)
    return _addcmul(x, b, c, as_node(value, x.dtype))


@public("addcdiv", inplace=True)
def addcdiv(input: Node, tensor1: Node, tensor2: Node, last: Node | None = None, *,
            value: Number = 1) -> Node:
    """input + value * tensor1 / tensor2; addcdiv(input, value, tensor1, tensor2) of old too."""
    if last is not None:
        value, tensor1, tensor2 = _once_first(tensor1), tensor2, last
    if tensor1.dtype.kind in "biu" and tensor2.dtype.kind in "biu":
        raise RuntimeError("Integer division with addcdiv is no longer supported, and in a future "
                           "release addcdiv will perform a true division of tensor1 and tensor2.")
    x, b, c = promote(input, tensor1, tensor2)
    return _addcdiv(x, b, c, as_node(value, x.dtype))


@public("ldexp", inplace=True)
def ldexp(input: Node, other: Node) -> Node:
    """input * 2 ** other."""
    kind = float_type(promote_types(input.dtype, other.dtype))
    if other.dtype.kind not in "fc":
        other = cast(other, default_dtype())
    return cast(input, kind) * cast(a.exp2(cast(other, kind)), kind)


