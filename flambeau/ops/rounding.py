"""Rounding: floor, ceil, trunc, round, frac, frexp.

In: a node. Out: a node of the same dtype; integers are already whole.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as a
from .algebra import bitcast, cast, where
from .fused import wide
from .promotion import check_float
from .results import named_result
from .table import public

frexp_result = named_result("frexp", "mantissa", "exponent")


def _rounding(op: Callable[[Node], Node], *names: str, doc: str) -> Callable[[Node], Node]:
    @public(*names, inplace=True)
    def apply(input: Node) -> Node:
        if input.dtype.kind == "c":
            raise NotImplementedError(f"{names[0]} is not supported for complex inputs")
        return op(input) if input.dtype.kind == "f" else input
    apply.__name__ = names[0]
    apply.__doc__ = doc
    return apply


floor = _rounding(a.floor, "floor", doc="Rounded down.")
ceil = _rounding(a.ceil, "ceil", doc="Rounded up.")
trunc = _rounding(a.trunc, "trunc", "fix", doc="Rounded towards 0.")


@public("round", "special.round", inplace=True)
def round_(input: Node, *, decimals: int = 0) -> Node:
    """Half to even, after scaling by 10 ** decimals."""
    if input.dtype.kind != "f":
        if decimals or input.dtype.kind == "c":
            check_float("round_vml_cpu", input)
        return input
    if not decimals:
        return a.round_(input)
    scale = 10.0 ** abs(decimals)
    x = wide(input)
    x = a.round_(x * scale) / scale if decimals > 0 else a.round_(x / scale) * scale
    return cast(x, input.dtype)


@public("frac", inplace=True)
def frac(input: Node) -> Node:
    """input - trunc(input)."""
    check_float("frac_cpu" if input.dtype.kind == "c" else "frac", input)
    return input - a.trunc(input)


@public("frexp")
def frexp(input: Node) -> Any:
    """input = mantissa * 2 ** exponent with 0.5 <= |mantissa| < 1, read from the bits."""
    if input.dtype.kind != "f":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    x = cast(input, dt.float64)
    tiny = a.lt(a.abs_(x), 2.0 ** -1022)
    scaled = where(tiny, x * 2.0 ** 54, x)
    bits = bitcast(scaled, dt.int64)
    stored = a.and_(a.shr(bits, 52), 0x7FF)
    plain = a.or_(a.eq(x, 0), a.not_(a.lt(a.abs_(x), float("inf"))))
    exponent = stored - 1022 - where(tiny, a.const(54, dt.int64), a.const(0, dt.int64))
    exponent = where(plain, 0, exponent)
    # The power of two as bits: exact, and the division by it is too (in two steps, for range).
    half = a.shr(exponent, 1)
    mantissa = where(plain, x, x / _power_of_two(half) / _power_of_two(exponent - half))
    return frexp_result(cast(mantissa, input.dtype), cast(exponent, dt.int32))


def _power_of_two(n: Node) -> Node:
    """2.0 ** n of int64 n in the normal range, by its bits."""
    return bitcast(a.shl(n + 1023, 52), dt.float64)
