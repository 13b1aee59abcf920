"""Comparisons, logic, choice and clamping.

In: nodes and numbers. Out: bool nodes, or one of the operands element by element.

    clamp(x, min=0.0)  ->  clamp_min(x, scalar(0.0))      maximum with a gradient of its own
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core import dtype as dt
from ..core.errors import cpp_name, overflow
from ..graph.node import Node
from . import algebra as a
from .algebra import and_, cast, not_, or_, where
from .complex_ import MODULUS
from .elementwise import finite
from .fused import fused
from .known import item
from .promotion import (
    as_node,
    float_type,
    only_tensors,
    promote,
    promote_types,
    result_type,
    type_name,
)
from .table import public

Number = Any


def _comparison(op: Callable[[Node, Node], Node], *names: str, doc: str) -> Callable[..., Node]:
    @public(*names, inplace=True)
    def compare(input: Node, other: Node | Number) -> Node:
        only_tensors(names[0], input)
        x, y = _comparable(input, other)
        return op(x, y)
    compare.__name__ = names[0]
    compare.__doc__ = doc
    return compare


def _comparable(input: Node, other: Node | Number) -> list[Node]:
    """Promoted; an integer tensor is compared with a number out of its range in a wider type."""
    if (isinstance(other, int) and not isinstance(other, bool) and input.dtype.kind in "iu"
            and input.dtype.itemsize < 8):
        bits = 8 * input.dtype.itemsize
        low, high = (-(1 << bits - 1), 1 << bits - 1) if input.dtype.kind == "i" else (0, 1 << bits)
        if not low <= other < high:
            return [cast(input, dt.int64), as_node(other, dt.int64)]
    return promote(input, other)


eq = _comparison(a.eq, "eq", doc="Where the two are equal.")
ne = _comparison(a.ne, "ne", "not_equal", doc="Where the two differ.")
lt = _comparison(a.lt, "lt", "less", doc="Where input < other.")
le = _comparison(a.le, "le", "less_equal", doc="Where input <= other.")
gt = _comparison(a.gt, "gt", "greater", doc="Where input > other.")
ge = _comparison(a.ge, "ge", "greater_equal", doc="Where input >= other.")


@public("equal", out=False)
def equal(input: Node, other: Node) -> bool:
    """Same shape and same values; computes them."""
    only_tensors("equal", input, other)
    if input.shape != other.shape:
        return False
    x, y = promote(input, other)
    same = a.all_(a.eq(x, y), a.every(x))
    return bool(item(same))


# ---------------------------------------------------------------- kinds of values


@public("isnan")
def isnan(input: Node) -> Node:
    """Where the input is NaN."""
    return a.isnan(input)


@public("isinf")
def isinf(input: Node) -> Node:
    """Where the input is infinite."""
    return a.isinf(input)


@public("isfinite")
def isfinite(input: Node) -> Node:
    """Where the input is neither infinite nor NaN."""
    if input.dtype.kind == "f":
        return finite(input)
    return not_(or_(a.isnan(input), a.isinf(input)))


@public("isposinf", "special.isposinf")
def isposinf(input: Node) -> Node:
    """Where the input is +inf."""
    _real_only("isposinf", input)
    if input.dtype.kind != "f":
        return a.full(input.shape, False, dt.bool_)
    return a.eq(input, math.inf)


@public("isneginf", "special.isneginf")
def isneginf(input: Node) -> Node:
    """Where the input is -inf."""
    _real_only("isneginf", input)
    if input.dtype.kind != "f":
        return a.full(input.shape, False, dt.bool_)
    return a.eq(input, -math.inf)


def _real_only(name: str, x: Node) -> None:
    if x.dtype.kind == "c":
        raise RuntimeError(f"{name} does not support complex inputs.")


@public("signbit")
def signbit(input: Node) -> Node:
    """Where the sign bit is set (-0.0 too)."""
    if input.dtype.kind in "bu":
        return a.full(input.shape, False, dt.bool_)
    return a.signbit(input)


@public("isclose")
def isclose(input: Node, other: Node, rtol: float = 1e-05, atol: float = 1e-08,
            equal_nan: bool = False) -> Node:
    """|input - other| <= atol + rtol |other|, or equal (as infinities are)."""
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{_word(input)} did not match {_word(other)}")
    if rtol < 0 or atol < 0:
        which, value = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"{which} must be greater than or equal to zero, but got {value:g}")
    x, y = input, other
    close = a.eq(x, y)
    if equal_nan and x.dtype.kind in "fc":
        close = or_(close, and_(a.isnan(x), a.isnan(y)))
    if rtol == 0 and atol == 0:
        return close
    if x.dtype.kind in "biu":
        x, y = cast(x, dt.float64), cast(y, dt.float64)
    allowed = atol + _size(rtol * y)
    gap = _size(x - y)
    return or_(close, and_(isfinite(gap), a.le(gap, allowed)))


def _size(x: Node) -> Node:
    return MODULUS(x) if x.dtype.kind == "c" else a.abs_(x)


def _word(x: Node) -> str:
    return type_name(x.dtype)


@public("allclose", out=False)
def allclose(input: Node, other: Node, rtol: float = 1e-05, atol: float = 1e-08,
             equal_nan: bool = False) -> bool:
    """Whether |input - other| <= atol + rtol * |other| everywhere: a bool."""
    close = isclose(input, other, rtol, atol, equal_nan)
    return bool(item(a.all_(close, a.every(close))))


# ---------------------------------------------------------------- logic


def truth(x: Node) -> Node:
    """x != 0 as bool."""
    return cast(x, dt.bool_)


@public("logical_not", inplace=True)
def logical_not(input: Node) -> Node:
    """Where the input is 0."""
    return not_(truth(input))


@public("logical_and", inplace=True)
def logical_and(input: Node, other: Node) -> Node:
    """Where neither is 0."""
    only_tensors("logical_and", input, other)
    return and_(truth(input), truth(other))


@public("logical_or", inplace=True)
def logical_or(input: Node, other: Node) -> Node:
    """Where one of them is not 0."""
    only_tensors("logical_or", input, other)
    return or_(truth(input), truth(other))


@public("logical_xor", inplace=True)
def logical_xor(input: Node, other: Node) -> Node:
    """Where exactly one of them is not 0."""
    only_tensors("logical_xor", input, other)
    return a.xor(truth(input), truth(other))


# ---------------------------------------------------------------- choice


@public("maximum")
def maximum(input: Node, other: Node) -> Node:
    """The larger of the two; NaN if either is."""
    x, y = _ordered("maximum", input, other)
    return a.max_(x, y)


@public("minimum")
def minimum(input: Node, other: Node) -> Node:
    """The smaller of the two; NaN if either is."""
    x, y = _ordered("minimum", input, other)
    return a.min_(x, y)


@public("fmax")
def fmax(input: Node, other: Node) -> Node:
    """The larger of the two; of a NaN and a number, the number."""
    x, y = _ordered("fmax", input, other)
    return a.fmax(x, y)


@public("fmin")
def fmin(input: Node, other: Node) -> Node:
    """The smaller of the two; of a NaN and a number, the number."""
    x, y = _ordered("fmin", input, other)
    return a.fmin(x, y)


def _ordered(name: str, *args: Any) -> list[Node]:
    only_tensors(name, *args)
    out = promote(*args)
    if out[0].dtype.kind == "c":
        raise RuntimeError(f"{name} not implemented for complex tensors.")
    return out


@public("torch.where")
def where_(condition: Node, input: Node | Number | None = None,
           other: Node | Number | None = None) -> Node:
    """Element by element; `torch.where(condition)` is nonzero."""
    if input is None or other is None:
        if input is None and other is None:
            from .selecting import nonzero
            found: Node = nonzero(condition, as_tuple=True)
            return found
        raise TypeError("where() expects condition, input and other (or condition alone)")
    if condition.dtype not in (dt.bool_, dt.uint8):
        raise RuntimeError("where expected condition to be a boolean tensor, but got a tensor with "
                           f"dtype {type_name(condition.dtype)}")
    kind = result_type(input, other)
    return where(cast(condition, dt.bool_), as_node(input, kind), as_node(other, kind))


def where_method(self: Node, condition: Node, other: Node | Number) -> Node:
    """self where the condition holds, `other` elsewhere."""
    return where_(condition, self, other)


public("Tensor.where")(where_method)


@public("masked_fill", inplace=True)
def masked_fill(input: Node, mask: Node, value: Node | Number) -> Node:
    """`value` where the mask is set, the input elsewhere."""
    if mask.dtype is not dt.bool_:
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype "
                           f"{cpp_name(mask.dtype)}")
    if isinstance(value, Node) and value.shape:
        raise RuntimeError("masked_fill_ only supports a 0-dimensional value tensor, but got "
                           f"tensor with {value.ndim} dimension(s).")
    kind = input.dtype
    if isinstance(value, complex) and value.imag and kind.kind in "fiu":
        raise overflow(kind)
    if kind.kind == "b" and not isinstance(value, Node):
        value = bool(value)
    return where(mask, as_node(value, kind), input)


# ---------------------------------------------------------------- clamping


def _both_slopes(g: Node, _out: Node, x: Node, low: Node, high: Node) -> tuple[Node, ...]:
    """Inside (ends included) to x, below to low, above to high; high has the last word."""
    crossed = a.gt(low, high)
    inside = and_(not_(a.lt(x, low)), not_(a.gt(x, high)))
    below = and_(a.lt(x, low), not_(crossed))
    above = or_(a.gt(x, high), crossed)
    return where(inside, g, 0), where(below, g, 0), where(above, g, 0)


@fused("clamp", vjp=_both_slopes)
def _clamp(x: Node, low: Node, high: Node) -> Node:
    return a.min_(a.max_(x, low), high)


def _low_slope(g: Node, _out: Node, x: Node, low: Node) -> tuple[Node, ...]:
    below = a.lt(x, low)
    return where(below, 0, g), where(below, g, 0)


@fused("clamp_min", vjp=_low_slope)
def _clamp_min(x: Node, low: Node) -> Node:
    return a.max_(x, low)


def _high_slope(g: Node, _out: Node, x: Node, high: Node) -> tuple[Node, ...]:
    above = a.gt(x, high)
    return where(above, 0, g), where(above, g, 0)


@fused("clamp_max", vjp=_high_slope)
def _clamp_max(x: Node, high: Node) -> Node:
    return a.min_(x, high)


@public("clamp", "clip", inplace=True)
def clamp(input: Node, min: Node | Number | None = None, max: Node | Number | None = None) -> Node:
    """The input, held between min and max."""
    given = [v for v in (min, max) if v is not None]
    if not given:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    kind = result_type(input, *given)
    if kind.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    if any(isinstance(v, float) and math.isnan(v) for v in given):
        return a.full(input.shape, math.nan, kind)
    x = cast(input, kind)
    if max is None:
        return _clamp_min(x, as_node(min, kind))
    if min is None:
        return _clamp_max(x, as_node(max, kind))
    return _clamp(x, as_node(min, kind), as_node(max, kind))


@public("clamp_min", inplace=True)
def clamp_min(input: Node, min: Node | Number) -> Node:
    """The input, not below `min`."""
    return clamp(input, min, None)


@public("clamp_max", inplace=True)
def clamp_max(input: Node, max: Node | Number) -> Node:
    """The input, not above `max`."""
    return clamp(input, None, max)


def _kept_finite(g: Node, _out: Node, x: Node, *_rest: Any) -> tuple[Node, ...]:
    return (where(finite(x), g, 0),)


@fused("nan_to_num", ("nan", "high", "low"), vjp=_kept_finite)
def _nan_to_num(x: Node, nan: float, high: float, low: float) -> Node:
    x = where(a.isnan(x), nan, x)
    return where(a.eq(x, math.inf), high, where(a.eq(x, -math.inf), low, x))


LARGEST = {"float16": 65504.0, "bfloat16": float.fromhex("0x1.fep127"),
           "float32": float.fromhex("0x1.fffffep127"),
           "float64": float.fromhex("0x1.fffffffffffffp1023")}


@public("nan_to_num", inplace=True)
def nan_to_num(input: Node, nan: float | None = None, posinf: float | None = None,
               neginf: float | None = None) -> Node:
    """NaN, inf and -inf replaced (0 and the type's largest numbers unless given)."""
    if input.dtype.kind != "f":
        return input
    largest = LARGEST[input.dtype.name]
    return _nan_to_num(input, nan=float(nan or 0.0),
                       high=largest if posinf is None else float(posinf),
                       low=-largest if neginf is None else float(neginf))


@public("heaviside", inplace=True)
def heaviside(input: Node, values: Node) -> Node:
    """0 below zero, 1 above it, `values` at it."""
    if "c" in (input.dtype.kind, values.dtype.kind):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype is not values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    step = cast(a.gt(input, 0), input.dtype)
    return where(a.eq(input, 0), values, step)


@public("copysign", inplace=True)
def copysign(input: Node, other: Node | Number) -> Node:
    """|input| with the sign of `other`."""
    only_tensors("copysign", input)
    kind = float_type(result_type(input, other))
    return a.copysign(as_node(input, kind), as_node(other, kind))


@public("nextafter", inplace=True)
def nextafter(input: Node, other: Node) -> Node:
    """The next number of the type from input towards `other`."""
    kind = promote_types(input.dtype, other.dtype)
    if kind.kind != "f":
        raise NotImplementedError(f'"nextafter_cpu" not implemented for \'{type_name(kind)}\'')
    return a.nextafter(cast(input, kind), cast(other, kind))
