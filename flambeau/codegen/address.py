"""Index expressions as address arithmetic.

In: `core.symbol.Index` and what each loop variable is bound to here. Out: scalar or vector
values, and pointers. Called by `memory` and `llvm`.

A variable is bound to an int (unrolled), to a `Val` (a running scalar) or to `Lanes` (the variable
of the vector loop: `base + offset + 0, 1, 2, …`). An index is taken apart into

    const + sum(coefficient * scalar) + step * lane number + sum(coefficient * vector)

so that step 1 without vectors is a contiguous access. A quotient or remainder by a multiple of the
vector width is still so when the rest is aligned: `(128*i + j) % 64` with 16 lanes is contiguous.
Where the rest is a multiple of the divisor, each lane adds a constant: `(32*i + j) % 8`.
"""
from __future__ import annotations

from typing import Union

from ..core.symbol import Atom, Div, Index, Mod, Opaque, Var
from .emit import Emitter, Val, constant, literal
from .target import Target

INT32 = (1 << 31) - 1


class Lanes:
    """The vector loop's variable: `base + offset + lane`; base + offset is a multiple of lanes."""

    __slots__ = ("base", "offset", "lanes")

    def __init__(self, base: Val | None, offset: int, lanes: int) -> None:
        self.base = base
        self.offset = offset
        self.lanes = lanes


Binding = Union[int, Val, Lanes]


class Linear:
    """An index taken apart; see the module. `multiple` is a known divisor of a scalar."""

    __slots__ = ("const", "scalars", "step", "lanes", "vectors", "fixed")

    def __init__(self) -> None:
        self.const = 0
        self.scalars: list[tuple[int, Val, int]] = []
        self.step = 0
        self.lanes = 1
        self.vectors: list[tuple[int, Val, int]] = []
        self.fixed: list[tuple[int, list[int]]] = []     # those of the vectors that are constants

    def offsets(self) -> list[int] | None:
        """What each lane adds to the scalar part, if that is known."""
        if len(self.fixed) != len(self.vectors):
            return None
        return [self.step * k + sum(c * values[k] for c, values in self.fixed)
                for k in range(self.lanes)]

    @property
    def uniform(self) -> bool:
        return not self.vectors and self.step == 0

    def aligned(self, den: int) -> bool:
        """Whether `// den` is the same in all lanes, starting from a multiple of the span."""
        span = self.step * self.lanes
        if self.vectors or span <= 0 or den % span or self.const % span:
            return False
        return all((c * multiple) % span == 0 for c, _, multiple in self.scalars)


class Addresses(Emitter):
    """An emitter that knows loop variables."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.bindings: dict[Var, Binding] = {}

    def value(self, node: object) -> Val:
        """The value of a loop IR expression (an `Opaque` atom's); see `llvm`."""
        raise NotImplementedError

    def linear(self, index: Index) -> Linear:
        """Take an index apart under the present bindings."""
        out = Linear()
        out.const = index.const
        for atom, c in index.terms:
            self._add(out, atom, c)
        if out.lanes == 1:
            out.step = 0
        return out

    def _add(self, out: Linear, atom: Atom, c: int) -> None:
        if isinstance(atom, Var):
            bound = self.bindings[atom]
            if isinstance(bound, int):
                out.const += c * bound
            elif isinstance(bound, Val):
                out.scalars.append((c, bound, 1))
            else:
                out.lanes = bound.lanes
                out.step += c
                out.const += c * bound.offset
                if bound.base is not None:
                    out.scalars.append((c, bound.base, bound.lanes))
        elif isinstance(atom, Opaque):
            v = self.value(atom.value)
            if v.lanes <= 1:
                out.scalars.append((c, v, 1))
            else:
                bound = max(abs(atom.low), abs(atom.high))
                out.lanes = v.lanes
                out.vectors.append((c, v, bound))
        else:
            self._divide(out, atom, c)

    def _divide(self, out: Linear, atom: Div | Mod, c: int) -> None:
        inner = self.linear(atom.num)
        den = atom.den
        quotient = isinstance(atom, Div)
        if inner.uniform and not inner.scalars:
            out.const += c * (inner.const // den if quotient else inner.const % den)
            return
        low = atom.num.low
        if inner.uniform:
            out.scalars.append((c, self._quotient(self._scalar(inner), low, den, quotient), 1))
            return
        out.lanes = inner.lanes
        if inner.aligned(den):
            step, inner.step = inner.step, 0
            v = self._scalar(inner)
            v = self._quotient(v, low, den, quotient)
            out.scalars.append((c, v, 1 if quotient else step * inner.lanes))
            if not quotient:
                out.step += c * step
            return
        if self._divide_lanes(out, inner, den, quotient, c):
            return
        small = max(abs(low), abs(atom.num.high)) + den <= INT32
        v = self._vector(inner, "i32" if small else "i64")
        v = self._quotient(v, low, den, quotient)
        out.vectors.append((c, v, max(abs(atom.low), abs(atom.high))))

    def _divide_lanes(self, out: Linear, inner: Linear, den: int, quotient: bool, c: int) -> bool:
        """The quotient or remainder lane by lane, where all else is a multiple of `den`."""
        offsets = inner.offsets()
        if offsets is None or any((k * multiple) % den or k < 0
                                  for k, _, multiple in inner.scalars):
            return False
        places = [inner.const + k for k in offsets]
        values = [k // den if quotient else k % den for k in places]
        out.vectors.append((c, literal(values, "i32"), max(abs(v) for v in values)))
        out.fixed.append((c, values))
        if quotient:
            for k, v, _ in inner.scalars:
                whole = self.binary("udiv", self._term(k, v), constant(den, v.type))
                out.scalars.append((c, whole, 1))
        return True

    def _quotient(self, v: Val, low: int, den: int, quotient: bool) -> Val:
        """Floor of v / den, or the remainder; v may be negative down to `low`."""
        bias = -(low // den) * den if low < 0 else 0
        if v.lanes == 0:
            return constant(int(v.name) // den if quotient else int(v.name) % den, v.type)
        if bias:
            v = self.binary("add", v, constant(bias, v.type))
        if not quotient:
            return self.binary("urem", v, constant(den, v.type))
        v = self.binary("udiv", v, constant(den, v.type))
        return self.binary("sub", v, constant(bias // den, v.type)) if bias else v

    def _term(self, c: int, v: Val) -> Val:
        return v if c == 1 else self.binary("mul", v, constant(c, v.type))

    def _scalar(self, x: Linear) -> Val:
        """The scalar part as i64, outer levels summed first."""
        total: Val | None = None
        for c, v, _ in sorted(x.scalars, key=_by_level):
            term = self._term(c, v)
            total = term if total is None else self.binary("add", total, term)
        if total is None:
            return constant(x.const, "i64")
        return self.binary("add", total, constant(x.const, "i64")) if x.const else total

    def _vector(self, x: Linear, type: str) -> Val:
        """The whole as a vector of `type`."""
        whole = self._lane_part(x, type)
        if not x.scalars and not x.const:
            return whole
        base = self._scalar(x)
        if type == "i32":
            base = constant(x.const, type) if base.lanes == 0 else self.cast("trunc", base, type)
        return self.binary("add", base, whole)

    def _lane_part(self, x: Linear, type: str) -> Val:
        """What differs between lanes: step * lane + vectors."""
        total = self.iota(x.lanes, type, x.step) if x.step else None
        for c, v, _ in x.vectors:
            if v.type != type:
                v = self.cast("trunc" if type == "i32" else "sext", v, type)
            term = self._term(c, v)
            total = term if total is None else self.binary("add", total, term)
        assert total is not None
        return total

    def lane_offsets(self, x: Linear) -> Val:
        """The lane part in the narrowest type that holds it, for a gather."""
        reach = abs(x.step) * x.lanes + sum(abs(c) * bound for c, _, bound in x.vectors)
        return self._lane_part(x, "i32" if reach <= INT32 else "i64")

    def index_value(self, index: Index) -> Val:
        """An index as an i64 value (computed in 32 bits where they hold it)."""
        x = self.linear(index)
        if x.uniform:
            return self._scalar(x)
        if max(abs(index.low), abs(index.high)) <= INT32:
            short = self._vector(x, "i32")
            wide = self.cast("sext", short, "i64")
            self.narrow[wide.name] = short
            return wide
        return self._vector(x, "i64")

    def pointer(self, base: Val, type: str, x: Linear) -> Val:
        """Where lane 0 of the scalar part lies; the constant comes last, as a displacement."""
        level = -1
        total: Val | None = None
        for c, v, _ in sorted(x.scalars, key=_by_level):
            term = self._term(c, v)
            if total is not None and v.level == level:
                total = self.binary("add", total, term)
            else:
                base = self._step(base, type, total)
                total = term
            level = v.level
        base = self._step(base, type, total)
        return self._step(base, type, constant(x.const, "i64") if x.const else None)

    def _step(self, base: Val, type: str, by: Val | None) -> Val:
        if by is None:
            return base
        text = f"getelementptr {type}, ptr {base.name}, {by.type} {by.name}"
        return self.emit(text, "ptr", 1, max(base.level, by.level))


def _by_level(term: tuple[int, Val, int]) -> int:
    return term[1].level
