"""Formulas on vectors, written as formulas.

In: an emitter and a floating value. Out: `Real`s, whose operators write instructions; Python
numbers among the operands become constants of the same type.

    r = real(em, x)
    (r * r + 1.0).sqrt().value
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Union

from .emit import Val, constant

if TYPE_CHECKING:
    from .memory import Memory

Number = Union["Real", float, int]
INF = float("inf")
NAN = float("nan")


class Real:
    """A float or double under construction."""

    __slots__ = ("em", "value")

    def __init__(self, em: Memory, value: Val) -> None:
        self.em = em
        self.value = value

    def lift(self, x: Number) -> Real:
        """A number as a constant of this type."""
        return x if isinstance(x, Real) else Real(self.em, constant(x, self.value.type))

    def _two(self, opcode: str, a: Real, b: Real) -> Real:
        return Real(self.em, self.em.binary(opcode, a.value, b.value))

    def __add__(self, other: Number) -> Real:
        return self._two("fadd", self, self.lift(other))

    __radd__ = __add__

    def __sub__(self, other: Number) -> Real:
        return self._two("fsub", self, self.lift(other))

    def __rsub__(self, other: Number) -> Real:
        return self._two("fsub", self.lift(other), self)

    def __mul__(self, other: Number) -> Real:
        return self._two("fmul", self, self.lift(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Number) -> Real:
        return self._two("fdiv", self, self.lift(other))

    def __rtruediv__(self, other: Number) -> Real:
        return self._two("fdiv", self.lift(other), self)

    def __neg__(self) -> Real:
        lanes = self.value.lanes
        kind = self.value.type if lanes <= 1 else f"<{lanes} x {self.value.type}>"
        text = f"fneg {kind} {self.value.name}"
        return Real(self.em, self.em.emit(text, self.value.type, max(lanes, 1), self.value.level))

    def fma(self, b: Number, c: Number) -> Real:
        """self * b + c, rounded once."""
        return Real(self.em, self.em.fma(self.value, self.lift(b).value, self.lift(c).value))

    def poly(self, coefficients: Sequence[float]) -> Real:
        """The polynomial with these coefficients, the constant first, by Horner's rule."""
        out: Number = coefficients[-1]
        for c in reversed(coefficients[:-1]):
            out = self.fma(out, c)
        return self.lift(out)

    def is_(self, predicate: str, other: Number) -> Val:
        """`olt`, `oge`, `uno`, … as LLVM names them."""
        return self.em.compare(f"fcmp {predicate}", self.value, self.lift(other).value)

    def where(self, mask: Val, other: Number) -> Real:
        """self where the mask is on, other elsewhere."""
        return Real(self.em, self.em.select(mask, self.value, self.lift(other).value))

    def clamp(self, low: float, high: float) -> Real:
        """Into [low, high]; NaN stays NaN. Each side is one instruction."""
        a = self.lift(low).where(self.lift(low).is_("ogt", self), self)
        return a.lift(high).where(a.lift(high).is_("olt", a), a)

    def at_most(self, high: float) -> Real:
        return self.lift(high).where(self.lift(high).is_("olt", self), self)

    def _call(self, name: str, *args: Number) -> Real:
        return Real(self.em, self.em.call(name, (self.value, *(self.lift(a).value for a in args))))

    def abs(self) -> Real:
        return self._call("llvm.fabs")

    def sqrt(self) -> Real:
        return self._call("llvm.sqrt")

    def floor(self) -> Real:
        return self._call("llvm.floor")

    def trunc(self) -> Real:
        return self._call("llvm.trunc")

    def copysign(self, other: Number) -> Real:
        return self._call("llvm.copysign", other)

    @property
    def single(self) -> bool:
        return self.value.type == "float"

    @property
    def integer(self) -> str:
        """The integer type of the same width."""
        return "i32" if self.single else "i64"

    def bits(self) -> Val:
        return self.em.cast("bitcast", self.value, self.integer)

    def of_bits(self, v: Val) -> Real:
        return Real(self.em, self.em.cast("bitcast", v, self.value.type))

    def to(self, type: str) -> Real:
        """As "float" or "double"."""
        if type == self.value.type:
            return self
        opcode = "fpext" if type == "double" else "fptrunc"
        return Real(self.em, self.em.cast(opcode, self.value, type))
