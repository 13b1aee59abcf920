"""Changes to loops that keep the meaning: replacing variables, cutting and merging loops.

In: statements and their loop variables. Out: the same for other variables.

    split:    i in 12 with x[i // 4], y[i % 4]      ->  i0 in 3, i1 in 4 with x[i0], y[i1]
    merge:    i in 3, j in 4 with x[4*i + j]        ->  j in 12 with x[j]
"""
from __future__ import annotations

from collections.abc import Callable, Iterator

from ..core.symbol import ZERO, Div, Index, Mod, Opaque, Var, of
from .loopnest import (
    Accumulate,
    Call,
    Cast,
    FromIndex,
    Let,
    Load,
    Loop,
    Prefetch,
    Stmt,
    Store,
    Value,
    children,
    statements,
)

SHORT = 8                       # lanes below which a vector loop is not worth having
Body = tuple[Stmt, ...]
Change = Callable[[Index], Index]


def map_value(v: Value, change: Change) -> Value:
    """The value with every index changed."""
    if isinstance(v, Load):
        mask = None if v.mask is None else map_value(v.mask, change)
        return Load(v.source, change(v.index), v.dtype, mask, v.other)
    if isinstance(v, Call):
        return Call(v.op, tuple(map_value(a, change) for a in v.args), v.dtype)
    if isinstance(v, Cast):
        return Cast(map_value(v.value, change), v.dtype)
    if isinstance(v, FromIndex):
        return FromIndex(change(v.index), v.dtype)
    return v


def map_body(body: Body, change: Change) -> Body:
    """The statements with every index changed."""
    return tuple(_map_statement(s, change) for s in body)


def _map_statement(s: Stmt, change: Change) -> Stmt:
    if isinstance(s, Loop):
        stop = None if s.stop is None else change(s.stop)
        return Loop(s.var, s.kind, map_body(s.body, change), stop)
    if isinstance(s, Let):
        return Let(s.name, map_value(s.value, change))
    if isinstance(s, Store):
        mask = None if s.mask is None else map_value(s.mask, change)
        return Store(s.target, change(s.index), map_value(s.value, change), mask)
    if isinstance(s, Prefetch):
        return Prefetch(s.source, change(s.index))
    return Accumulate(s.target, change(s.index), s.op, map_value(s.value, change))


def substitute(body: Body, values: dict[Var, Index]) -> Body:
    """A body with index expressions in place of variables."""
    return map_body(body, lambda index: index.substitute(values))


def indices(body: Body) -> Iterator[Index]:
    """Every index of the statements, those inside values too."""
    for s in statements(body):
        if isinstance(s, (Store, Accumulate, Prefetch)):
            yield s.index
        if isinstance(s, Prefetch):
            continue
        if not isinstance(s, Loop):
            yield from _value_indices(s.value)
        elif s.stop is not None:
            yield s.stop
        if isinstance(s, Store) and s.mask is not None:
            yield from _value_indices(s.mask)


def _value_indices(value: Value) -> Iterator[Index]:
    stack = [value]
    while stack:
        v = stack.pop()
        if isinstance(v, (Load, FromIndex)):
            yield v.index
        stack.extend(children(v))


def split(body: Body, variables: list[Var]) -> tuple[Body, list[Var]]:
    """Cut every loop whose variable is only used in quotients and remainders that divide it."""
    done: list[Var] = []
    pending = list(variables)
    while pending:
        var = pending.pop(0)
        by = _divisor(body, var)
        if by is None or (not pending and by < SHORT):    # gathering beats very short loops
            done.append(var)
            continue
        high, low = Var(var.name + "h", var.extent // by), Var(var.name + "l", by)
        body = substitute(body, {var: of(high) * by + of(low)})
        pending[:0] = [high, low]
    return body, done


def _divisor(body: Body, var: Var) -> int | None:
    found = [d for index in indices(body) for atom in index.atoms()
             if isinstance(atom, (Div, Mod)) and (d := _cut_at(atom, var))]
    return min(found, default=None)


def _cut_at(atom: Div | Mod, var: Var) -> int | None:
    """Where cutting `var` would remove the quotient: its divisor, if it divides the extent."""
    num = atom.num
    if num.coefficient(var) == 1 and len(num.terms) == 1 and not num.const:
        if var.extent % atom.den == 0 and 1 < atom.den < var.extent:
            return atom.den
    return None


def merge(body: Body, variables: list[Var]) -> tuple[Body, list[Var]]:
    """Make one loop of neighbours that every index walks through as if they were one."""
    kept = list(variables)
    at = len(kept) - 2
    while at >= 0:
        outer, inner = kept[at], kept[at + 1]
        if _mergeable(body, outer, inner):
            whole = Var(inner.name, outer.extent * inner.extent)
            body = substitute(body, {outer: ZERO, inner: of(whole)})
            kept[at:at + 2] = [whole]
        at -= 1
    return body, kept


def _mergeable(body: Body, outer: Var, inner: Var) -> bool:
    for index in indices(body):
        if index.coefficient(outer) != index.coefficient(inner) * inner.extent:
            return False
        for atom, _ in index.terms:
            if isinstance(atom, (Div, Mod)) and (atom.num.uses(outer) or atom.num.uses(inner)):
                return False
            if isinstance(atom, Opaque):
                continue
    return True


def flatten(body: Body, variables: list[Var], name: str) -> tuple[Body, Var]:
    """One variable in place of several, the last running fastest."""
    total = 1
    for v in variables:
        total *= v.extent
    whole = Var(name, total)
    step, values = 1, {}
    for v in reversed(variables):
        values[v] = (of(whole) // step) % v.extent
        step *= v.extent
    return substitute(body, values), whole


def nest(body: Body, variables: list[Var], innermost: str) -> Body:
    """Sequential loops over the variables, the last one of the given kind."""
    kind = innermost
    for v in reversed(variables):
        if v.extent != 1:
            body = (Loop(v, kind, body),)
            kind = "seq"
    return body
