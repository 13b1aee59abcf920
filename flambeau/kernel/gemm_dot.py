"""The dot-product schedule: few rows, and both operands contiguous along k (weights of a decoder).

In: a `Contraction` and a `DotPlan`. Out: one kernel, or two when the columns do not divide evenly.

    parallel t in turns:                       `block` columns, read from memory once
      seq q, seq r:  acc[rows x columns] = 0
        vector k in K:
          prefetch b beyond the tile
          acc[i, j] fma= a[i, k] * b[k, j]     for every i and j: lanes run along k
        sums = acc
      seq i:  vector j in block:  store(sums[i, j])
"""
from __future__ import annotations

from dataclasses import dataclass

from ..core.symbol import Index, const
from .gemm_spec import Contraction, load_of
from .loopnest import (
    Accumulate,
    Buffer,
    Call,
    Const,
    Kernel,
    Let,
    Load,
    Local,
    Prefetch,
    Read,
    Stmt,
    Store,
    Value,
)
from .schedule import even, kernel, loop

AHEAD = 8192                   # bytes that are asked for before they are read


@dataclass(frozen=True, slots=True)
class DotPlan:
    """Tile of `rows` x `columns` sums, each a vector; `turns` equal blocks of columns."""

    rows: int
    columns: int
    turns: int
    parallel: bool


def dot_kernels(c: Contraction, plan: DotPlan) -> list[Kernel]:
    """The kernels of the schedule: equal blocks, then the columns left over."""
    block, rest = divmod(c.n, plan.turns)
    kind = "parallel" if plan.parallel else "seq"
    itemsize = c.accumulate.itemsize

    def part(name: str, first: int, turns: int, width: int, kind: str) -> Kernel:
        def turn(t: Index) -> tuple[Stmt, ...]:
            return _block(c, plan, t // turns, (t % turns) * width + first, width)
        body = loop("t", c.batch * turns, kind, turn)
        count = turns * width
        moved = itemsize * c.batch * (c.k * (count + c.m) + c.m * count)
        return kernel(name, body, 2 * c.batch * c.m * count * c.k, moved, c.origin)
    kernels = [part(c.name, 0, plan.turns, block, kind)] if block else []
    if rest:
        kernels.append(part(f"{c.name}_rest", c.n - rest, 1, rest,
                            "parallel" if c.batch > 1 and plan.parallel else "seq"))
    return kernels


def _block(c: Contraction, plan: DotPlan, b: Index, n0: Index, width: int) -> tuple[Stmt, ...]:
    """All rows of `width` columns."""
    sums = Local("sums", c.accumulate, c.m * width, "scratch")
    body: tuple[Stmt, ...] = ()
    done = 0
    for count, columns in even(width, plan.columns):
        body += loop("q", count, "seq", lambda q, columns=columns, done=done: _columns(  # type: ignore[misc]
            c, plan, b, n0, q * columns + done, columns, width, sums))
        done += count * columns

    def store(i: Index) -> tuple[Stmt, ...]:
        return loop("j", width, "vector", lambda j: (
            Let("total", Load(sums, i * width + j, c.accumulate)),
            *c.store(b, i, n0 + j, Read("total", c.accumulate))))
    return body + loop("e", c.m, "seq", store)


def _columns(c: Contraction, plan: DotPlan, b: Index, n0: Index, q: Index, columns: int,
             width: int, sums: Local) -> tuple[Stmt, ...]:
    """All rows of a few columns, which stay in the cache meanwhile."""
    body: tuple[Stmt, ...] = ()
    done = 0
    for count, rows in even(c.m, plan.rows):
        body += loop("r", count, "seq", lambda r, rows=rows, done=done: _tile(  # type: ignore[misc]
            c, b, r * rows + done, rows, n0, q, columns, width, sums))
        done += count * rows
    return body


def _tile(c: Contraction, b: Index, m0: Index, rows: int, n0: Index, q: Index, columns: int,
          width: int, sums: Local) -> tuple[Stmt, ...]:
    """rows x columns sums, each over a vector of k's."""
    acc = Local(f"dot{rows}x{columns}", c.accumulate, rows * columns, "register")
    places = [(i, j) for i in range(rows) for j in range(columns)]

    def multiply(k: Index) -> tuple[Stmt, ...]:
        left = [Let(f"x{i}", c.a(b, m0 + i, k)) for i in range(rows)]
        right = [Let(f"y{j}", c.b(b, k, n0 + q + j)) for j in range(columns)]
        return (*left, *right, *_ahead(right), *(
            Accumulate(acc, const(i * columns + j), "fma", _product(c, i, j)) for i, j in places))
    zero = Const(0.0, c.accumulate)
    start = tuple(Store(acc, const(i * columns + j), zero) for i, j in places)
    end = tuple(Store(sums, (m0 + i) * width + q + j,
                      Load(acc, const(i * columns + j), c.accumulate)) for i, j in places)
    return start + loop("k", c.k, "vector", multiply) + end


def _ahead(columns: list[Let]) -> tuple[Prefetch, ...]:
    """Columns lie one behind another, but are read a few at a time: too short for the processor
    to see where they lead. (Weights from beyond the second-level cache: twice as fast.)"""
    loads = [load_of(s.value) for s in columns]
    return tuple(Prefetch(x.source, x.index + AHEAD // x.dtype.itemsize) for x in loads
                 if x is not None and isinstance(x.source, Buffer))


def _product(c: Contraction, i: int, j: int) -> Value:
    return Call("mul", (Read(f"x{i}", c.accumulate), Read(f"y{j}", c.accumulate)), c.accumulate)
