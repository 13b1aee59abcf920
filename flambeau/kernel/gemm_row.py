"""The row schedule: very few rows of A against a large B whose rows lie along n.

In: a `Contraction` and a `RowPlan`. Out: one kernel. B is read once, in the order of memory, so
that a turn (a chunk of K, see `gemm_split`) is one stream instead of a walk over pages.

    parallel t in batch * blocks:
      sums[m x width] = 0
      seq k in K / 4:
        vector j in width:
          sums[i, j] = a[i, 4k+3] * b[4k+3, j] + … + a[i, 4k] * b[4k, j] + sums[i, j]
      vector j in width:  store(sums[i, j])
"""
from __future__ import annotations

from dataclasses import dataclass

from ..core.symbol import Index, const
from .gemm_spec import Contraction
from .loopnest import Call, Const, Kernel, Let, Load, Local, Read, Stmt, Store, Value
from .schedule import kernel, loop


@dataclass(frozen=True, slots=True)
class RowPlan:
    """`width` columns a turn (it divides n); `deep` rows of B are added at a time."""

    width: int
    deep: int
    parallel: bool


def row_kernels(c: Contraction, plan: RowPlan) -> list[Kernel]:
    """The kernel of the schedule."""
    blocks = c.n // plan.width
    sums = Local("sums", c.accumulate, c.m * plan.width, "scratch")

    def turn(t: Index) -> tuple[Stmt, ...]:
        return _turn(c, plan, sums, t // blocks, (t % blocks) * plan.width)
    body = loop("t", c.batch * blocks, "parallel" if plan.parallel else "seq", turn)
    moved = c.accumulate.itemsize * c.batch * (c.k * (c.n + c.m) + c.m * c.n)
    return [kernel(c.name, body, c.flops, moved, c.origin)]


def _turn(c: Contraction, plan: RowPlan, sums: Local, b: Index, n0: Index) -> tuple[Stmt, ...]:
    """A block of columns, over all of K."""
    zero = Const(0.0, c.accumulate)
    body = loop("z", sums.size, "vector", lambda z: (Store(sums, z, zero),))
    whole = c.k // plan.deep
    body += loop("k", whole, "seq", lambda k: _rows(
        c, plan, sums, b, n0, k * plan.deep, plan.deep))
    if c.k % plan.deep:
        body += _rows(c, plan, sums, b, n0, const(whole * plan.deep), c.k % plan.deep)

    def store(i: Index) -> tuple[Stmt, ...]:
        return loop("j", plan.width, "vector", lambda j: (
            Let("total", Load(sums, i * plan.width + j, c.accumulate)),
            *c.store(b, i, n0 + j, Read("total", c.accumulate))))
    return body + loop("i", c.m, "seq", store)


def _rows(c: Contraction, plan: RowPlan, sums: Local, b: Index, n0: Index, k0: Index,
          deep: int) -> tuple[Stmt, ...]:
    """Add `deep` rows of B, times their numbers of A, to every row of sums."""
    def add(j: Index) -> tuple[Stmt, ...]:
        out: tuple[Stmt, ...] = tuple(
            Let(f"y{u}", c.b(b, k0 + u, n0 + j)) for u in range(deep))
        for i in range(c.m):
            place = j + i * plan.width
            total: Value = Load(sums, place, c.accumulate)
            for u in range(deep):
                factors = c.a(b, const(i), k0 + u), Read(f"y{u}", c.accumulate)
                total = Call("fma", (*factors, total), c.accumulate)
            out += (Store(sums, place, total),)
        return out
    return loop("j", plan.width, "vector", add)
