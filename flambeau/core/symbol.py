"""Integer index expressions: sums of multiples of atoms, simplified as they are built.

In: loop variables and integers. Out: `Index` values, used by lowering to say where an element
lives and by code generation to emit address arithmetic. Text form: `4*i0 + (i1 // 8) + 3`.

An atom is a loop variable (`Var`), a quotient or remainder of an index by a positive constant
(`Div`, `Mod`), or a number read from memory (`Opaque`). Every atom knows its range, which is what
makes `(4*i + j) // 4 -> i` provable when 0 <= j < 4.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import gcd
from typing import Union


@dataclass(frozen=True, slots=True, eq=False)
class Var:
    """A loop variable in range(extent); identity is equality."""

    name: str
    extent: int

    @property
    def low(self) -> int:
        return 0

    @property
    def high(self) -> int:
        return max(self.extent - 1, 0)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Div:
    """Floor of `num / den`, den > 0."""

    num: Index
    den: int

    @property
    def low(self) -> int:
        return self.num.low // self.den

    @property
    def high(self) -> int:
        return self.num.high // self.den

    def __str__(self) -> str:
        return f"({self.num} // {self.den})"


@dataclass(frozen=True, slots=True)
class Mod:
    """`num - den * floor(num / den)`, den > 0: never negative."""

    num: Index
    den: int

    @property
    def low(self) -> int:
        return 0

    @property
    def high(self) -> int:
        return self.den - 1

    def __str__(self) -> str:
        return f"({self.num} % {self.den})"


@dataclass(frozen=True, slots=True)
class Opaque:
    """An integer computed by a value expression (a gathered position), known to lie in [low, high].

    `value` is a `kernel.loopnest` expression of type int64; this module never looks inside.
    """

    value: object
    low: int
    high: int

    def __str__(self) -> str:
        return f"[{self.value}]"


Atom = Union[Var, Div, Mod, Opaque]


@dataclass(frozen=True, slots=True)
class Index:
    """`const + sum(coefficient * atom)`; `terms` maps atoms to non-zero integers, order kept."""

    terms: tuple[tuple[Atom, int], ...]
    const: int

    @property
    def low(self) -> int:
        return self.const + sum(c * (a.low if c > 0 else a.high) for a, c in self.terms)

    @property
    def high(self) -> int:
        return self.const + sum(c * (a.high if c > 0 else a.low) for a, c in self.terms)

    def __add__(self, other: Index | int) -> Index:
        if isinstance(other, int):
            return Index(self.terms, self.const + other) if other else self
        if not other.terms:
            return Index(self.terms, self.const + other.const)
        merged: dict[Atom, int] = dict(self.terms)
        for atom, c in other.terms:
            merged[atom] = merged.get(atom, 0) + c
        return _recombine(merged, self.const + other.const)

    __radd__ = __add__

    def __mul__(self, k: int) -> Index:
        if k == 1:
            return self
        if k == 0:
            return ZERO
        return Index(tuple((a, c * k) for a, c in self.terms), self.const * k)

    __rmul__ = __mul__

    def __sub__(self, other: Index | int) -> Index:
        return self + (other * -1 if isinstance(other, Index) else -other)

    def __floordiv__(self, k: int) -> Index:
        return _divide(self, k)

    def __mod__(self, k: int) -> Index:
        return _remainder(self, k)

    def coefficient(self, var: Var) -> int:
        """The coefficient of `var` as a plain term (not inside a quotient)."""
        return next((c for a, c in self.terms if a is var), 0)

    def is_const(self) -> bool:
        return not self.terms

    def atoms(self) -> Iterable[Atom]:
        """Every atom, those inside quotients and remainders too."""
        for atom, _ in self.terms:
            yield atom
            if isinstance(atom, (Div, Mod)):
                yield from atom.num.atoms()

    def uses(self, var: Var) -> bool:
        return any(a is var for a in self.atoms())

    def substitute(self, values: Mapping[Var, Index],
                   opaque: Callable[[Opaque], Index] | None = None) -> Index:
        """The same expression with variables (and, through `opaque`, read numbers) replaced."""
        total = const(self.const)
        for atom, c in self.terms:
            total = total + _substitute(atom, values, opaque) * c
        return total

    def __str__(self) -> str:
        parts = [f"{a}" if c == 1 else f"{c}*{a}" for a, c in self.terms]
        if self.const or not parts:
            parts.append(str(self.const))
        return " + ".join(parts)


ZERO = Index((), 0)


def const(k: int) -> Index:
    """The index expression that is always k."""
    return Index((), k) if k else ZERO


def of(atom: Atom) -> Index:
    """The atom as an index; a variable of extent 1 is zero, a one-valued atom its value."""
    if atom.low == atom.high:
        return const(atom.low)
    return Index(((atom, 1),), 0)


def _substitute(atom: Atom, values: Mapping[Var, Index],
                opaque: Callable[[Opaque], Index] | None) -> Index:
    if isinstance(atom, Var):
        found = values.get(atom)
        return of(atom) if found is None else found
    if isinstance(atom, Opaque):
        return of(atom) if opaque is None else opaque(atom)
    inner = atom.num.substitute(values, opaque)
    return inner // atom.den if isinstance(atom, Div) else inner % atom.den


def _recombine(terms: dict[Atom, int], k: int) -> Index:
    """Drop zeros; merge `c*den*(x // den) + c*(x % den)` into `c*x`, and
    `c*den*((x // den) % n) + c*(x % den)` into `c*(x % (den*n))`."""
    for atom, c in list(terms.items()):
        if not isinstance(atom, Mod) or not terms.get(atom):
            continue
        quotient = _divide(atom.num, atom.den)
        if len(quotient.terms) != 1 or quotient.const:
            continue
        whole, scale = quotient.terms[0]
        if scale != 1:
            continue
        if terms.get(whole) == c * atom.den:
            del terms[atom], terms[whole]
            rest = Index(tuple(t for t in terms.items() if t[1]), k)
            return rest + atom.num * c
        outer = _remainder_of(terms, quotient, c * atom.den)
        if outer is not None:
            del terms[atom], terms[outer]
            rest = Index(tuple(t for t in terms.items() if t[1]), k)
            return rest + _remainder(atom.num, atom.den * outer.den) * c
    return Index(tuple(t for t in terms.items() if t[1]), k)


def _remainder_of(terms: dict[Atom, int], x: Index, c: int) -> Mod | None:
    """The term `c*(x % n)`, whatever n."""
    return next((a for a, n in terms.items() if n == c and isinstance(a, Mod) and a.num == x),
                None)


def _split(x: Index, k: int) -> tuple[Index, Index]:
    """x = k * multiple + rest, moving whole multiples of k out of each term."""
    multiple: list[tuple[Atom, int]] = []
    rest: list[tuple[Atom, int]] = []
    for atom, c in x.terms:
        if c % k == 0:
            multiple.append((atom, c // k))
        else:
            rest.append((atom, c))
    return Index(tuple(multiple), x.const // k), Index(tuple(rest), x.const % k)


def _divide(x: Index, k: int) -> Index:
    if k == 1:
        return x
    if not x.terms:
        return const(x.const // k)
    whole, rest = _split(x, k)
    low, high = rest.low // k, rest.high // k
    if low == high:
        return whole + low
    for g in _factors(rest, k):
        large, small = _split(rest, g)
        if small.low >= 0 and small.high < g:
            return whole + _divide(large, k // g)
    if len(rest.terms) == 1 and not rest.const:
        atom, c = rest.terms[0]
        if c == 1 and isinstance(atom, Div):
            return whole + _divide(atom.num, atom.den * k)
        if c == 1 and isinstance(atom, Mod) and atom.den % k == 0:
            return whole + _remainder(_divide(atom.num, k), atom.den // k)
    return whole + of(Div(rest, k))


def _remainder(x: Index, k: int) -> Index:
    if k == 1:
        return ZERO
    if not x.terms:
        return const(x.const % k)
    _, rest = _split(x, k)
    if rest.low >= 0 and rest.high < k:
        return rest
    if rest.low // k == rest.high // k:
        return rest - k * (rest.low // k)
    for g in _factors(rest, k):
        large, small = _split(rest, g)
        if small.low >= 0 and small.high < g:
            return _remainder(large, k // g) * g + small
    if len(rest.terms) == 1 and not rest.const:
        atom, c = rest.terms[0]
        if c == 1 and isinstance(atom, Mod) and atom.den % k == 0:
            return _remainder(atom.num, k)
    return of(Mod(rest, k))


def _factors(x: Index, k: int) -> list[int]:
    """Divisors of k shared with a coefficient of x, largest first."""
    return sorted({g for _, c in x.terms if (g := gcd(c, k)) > 1}, reverse=True)
