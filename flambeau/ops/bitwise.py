"""Operations on the bits of integers, and on integers as such (gcd, lcm).

In: integer or bool nodes and numbers. Out: nodes of the promoted dtype.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as a
from .algebra import where
from .promotion import only_tensors, promote, type_name
from .table import public

Number = Any


def _bits(name: str, *args: Any, bools: bool = True) -> list[Node]:
    out = promote(*args)
    kind = out[0].dtype
    if kind.kind not in "biu" or (kind is dt.bool_ and not bools):
        raise NotImplementedError(f'"{name}_cpu" not implemented for \'{type_name(kind)}\'')
    return out


def _bitwise(name: str, op: Callable[[Node, Node], Node], doc: str) -> Callable[..., Node]:
    @public(name, inplace=True)
    def apply(input: Node | Number, other: Node | Number) -> Node:
        x, y = _bits(name, input, other)
        return op(x, y)
    apply.__name__ = name
    apply.__doc__ = doc
    return apply


bitwise_and = _bitwise("bitwise_and", a.and_,
                       doc="The bits that are set in both; `and` of booleans.")
bitwise_or = _bitwise("bitwise_or", a.or_, doc="The bits that are set in either; `or` of booleans.")
bitwise_xor = _bitwise("bitwise_xor", a.xor, doc="The bits that differ.")


@public("bitwise_not", inplace=True)
def bitwise_not(input: Node) -> Node:
    """Every bit turned over; `not` of booleans."""
    return a.not_(_bits("bitwise_not", input)[0])


@public("bitwise_left_shift", inplace=True)
def bitwise_left_shift(input: Node | Number, other: Node | Number) -> Node:
    """input * 2**other, in the bits of its type."""
    x, y = _bits("lshift", input, other, bools=False)
    return a.shl(x, y)


@public("bitwise_right_shift", inplace=True)
def bitwise_right_shift(input: Node | Number, other: Node | Number) -> Node:
    """The bits moved right by `other`; the sign stays."""
    x, y = _bits("rshift", input, other, bools=False)
    return a.shr(x, y)


def _gcd(x: Node, y: Node) -> Node:
    """Euclid's algorithm, as many steps as the widest pair of this dtype can need (Lame)."""
    steps = {1: 12, 2: 24, 4: 47, 8: 92}[x.dtype.itemsize]
    if x.dtype.kind == "i":
        x, y = a.abs_(x), a.abs_(y)
    for _ in range(steps):
        x, y = y, where(a.eq(y, 0), x, a.rem(x, y))
        x, y = where(a.eq(x, 0), y, x), where(a.eq(x, 0), 0, y)
    return x


@public("gcd", inplace=True)
def gcd(input: Node, other: Node) -> Node:
    """The greatest common divisor, never negative."""
    only_tensors("gcd", input, other)
    x, y = _bits("gcd", input, other, bools=False)
    return _gcd(x, y)


@public("lcm", inplace=True)
def lcm(input: Node, other: Node) -> Node:
    """The least common multiple, never negative."""
    only_tensors("lcm", input, other)
    x, y = _bits("lcm", input, other, bools=False)
    divisor = _gcd(x, y)
    product = a.truncdiv(x, where(a.eq(divisor, 0), 1, divisor)) * y
    return a.abs_(product) if x.dtype.kind == "i" else product
