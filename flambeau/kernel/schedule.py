"""Pieces that schedules are put together from: loops, edges, even splits, the kernel around a nest.

In: index expressions and statements. Out: statements and `Kernel`s. Used by `kernel/gemm*` and by
anything else that writes a loop nest by hand.

    loop("i", 1, "seq", body)      -> body(0)                      a loop of one turn is no loop
    edge(32*p + j, 40)             -> lt(index(32*p + j), 40)      and None where it cannot fail
    even(128, 12)                  -> ((7, 12), (4, 11))           7 tiles of 12 and 4 of 11
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import ceil

from ..core.dtype import bool_, dtype, int64
from ..core.symbol import Index, Opaque, Var, of
from .loopnest import (
    Accumulate,
    Buffer,
    Call,
    Cast,
    Const,
    FromIndex,
    Kernel,
    Let,
    Load,
    Local,
    Loop,
    Stmt,
    Store,
    Target,
    Value,
    children,
    statements,
)

Body = Callable[[Index], tuple[Stmt, ...]]


def loop(name: str, extent: int, kind: str, body: Body,
         stop: Index | None = None) -> tuple[Stmt, ...]:
    """`for name in range(min(extent, stop))`; none or one turn need no loop (unless it is parallel
    or may stop before)."""
    if extent <= 0:
        return ()
    var = Var(name, extent)
    inner = body(of(var))
    if stop is not None and stop.low >= extent:
        stop = None
    if extent == 1 and kind != "parallel" and stop is None:
        return inner
    return (Loop(var, kind, inner, stop),)


def even(extent: int, most: int) -> tuple[tuple[int, int], ...]:
    """Cut `extent` in the fewest pieces of at most `most`, alike but for 1: ((count, size), …)."""
    pieces = ceil(extent / most)
    small, larger = divmod(extent, pieces) if pieces else (0, 0)
    parts = ((larger, small + 1), (pieces - larger, small))
    return tuple((count, size) for count, size in parts if count and size)


@lru_cache(maxsize=4096)
def divisors(x: int) -> tuple[int, ...]:
    """The divisors of x > 0 in increasing order."""
    low = [d for d in range(1, int(x ** 0.5) + 1) if x % d == 0]
    return (*low, *(x // d for d in reversed(low) if d * d != x))


# ---------------------------------------------------------------- masks


def edge(index: Index, size: int) -> Value | None:
    """The test `index < size`, or None where the ranges prove it."""
    if index.high < size:
        return None
    return Call("lt", (FromIndex(index, int64), Const(size, int64)), bool_)


def both(a: Value | None, b: Value | None) -> Value | None:
    """a and b, where None is true."""
    if a is None or b is None:
        return b if a is None else a
    return Call("and", (a, b), bool_)


def guard(value: Value, mask: Value | None) -> Value:
    """The value with every read of a buffer done only where `mask` holds."""
    if mask is None:
        return value
    if isinstance(value, Load):
        index = guard_index(value.index, mask)
        inside = None if value.mask is None else guard(value.mask, mask)
        shield = both(mask, inside) if isinstance(value.source, Buffer) else inside
        return Load(value.source, index, value.dtype, shield, value.other)
    if isinstance(value, Call):
        return Call(value.op, tuple(guard(a, mask) for a in value.args), value.dtype)
    if isinstance(value, Cast):
        return Cast(guard(value.value, mask), value.dtype)
    if isinstance(value, FromIndex):
        return FromIndex(guard_index(value.index, mask), value.dtype)
    return value


def guard_index(index: Index, mask: Value) -> Index:
    """The index with numbers it reads from memory read only where `mask` holds."""
    if not any(isinstance(a, Opaque) for a in index.atoms()):
        return index

    def read(o: Opaque) -> Index:
        return of(Opaque(guard(o.value, mask), o.low, o.high))   # type: ignore[arg-type]
    return index.substitute({}, read)


def guard_statement(s: Stmt, mask: Value | None) -> Stmt:
    """The statement with its reads and writes of buffers done only where `mask` holds."""
    if mask is None:
        return s
    if isinstance(s, Let):
        return Let(s.name, guard(s.value, mask))
    if isinstance(s, Loop):
        return Loop(s.var, s.kind, tuple(guard_statement(t, mask) for t in s.body), s.stop)
    if isinstance(s, Store):
        inside = None if s.mask is None else guard(s.mask, mask)
        index = guard_index(s.index, mask)
        return Store(s.target, index, guard(s.value, mask), both(mask, inside))
    raise NotImplementedError("a masked Accumulate")


# ---------------------------------------------------------------- kernels


def _values(s: Stmt) -> Iterator[Value]:
    if isinstance(s, Let):
        yield s.value
    elif isinstance(s, Accumulate):
        yield s.value
    elif isinstance(s, Store):
        yield s.value
        if s.mask is not None:
            yield s.mask


def _indices(s: Stmt) -> Iterator[Index]:
    if isinstance(s, (Store, Accumulate)):
        yield s.index


def memory_of(body: tuple[Stmt, ...]) -> list[Target]:
    """Every buffer and local of a nest, in order of appearance."""
    found: dict[int, Target] = {}
    seen: set[int] = set()
    pending: list[Value] = []

    def indices(index: Index) -> None:
        pending.extend(a.value for a in index.atoms()             # type: ignore[misc]
                       if isinstance(a, Opaque))
    for s in statements(body):
        if isinstance(s, (Store, Accumulate)):
            found.setdefault(id(s.target), s.target)
        for index in _indices(s):
            indices(index)
        pending.extend(_values(s))
        while pending:
            v = pending.pop(0)
            if id(v) in seen:
                continue
            seen.add(id(v))
            if isinstance(v, Load):
                found.setdefault(id(v.source), v.source)
                indices(v.index)
            elif isinstance(v, FromIndex):
                indices(v.index)
            pending[:0] = children(v)
    return list(found.values())


def kernel(name: str, body: tuple[Stmt, ...], flops: int = 0, bytes: int = 0,
           origin: object = None) -> Kernel:
    """The kernel round a nest; its buffers and locals are those the nest uses."""
    memory = memory_of(body)
    buffers = tuple(t for t in memory if isinstance(t, Buffer))
    places = tuple(t for t in memory if isinstance(t, Local))
    return Kernel(name, buffers, places, body, flops, bytes, origin)


def as_type(value: Value, wanted: dtype) -> Value:
    """The value in another type."""
    if value.dtype is wanted:
        return value
    return Cast(value, wanted)
