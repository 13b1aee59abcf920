"""Contractions: from C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]) to kernels.

In: a `Contraction`, made by lowering (a product of matrices, a convolution's window, a gradient).
Out: kernels to run one after the other. Called by `graph/lower`.

    contraction(Contraction("mm", m=1024, n=1024, k=1024, load_a, load_b, store, temporary))
    -> [kernel mm_pack, kernel mm]
"""
from __future__ import annotations

from collections.abc import Callable
from math import inf

from .cost import Machine, spread
from .gemm_dot import DotPlan, dot_kernels
from .gemm_plan import Choice, Problem, choose
from .gemm_row import RowPlan, row_kernels
from .gemm_spec import Contraction, Windows, access, fold_batch, swap, touched, uses_batch
from .gemm_split import add_up, chunk_of
from .gemm_tile import TilePlan, tile_kernels
from .loopnest import Kernel
from .winograd import fits, winograd_kernels, winograd_plan
from .winograd_weight import weight_kernels, weight_plan

__all__ = ["Contraction", "Machine", "Windows", "contraction", "problem_of"]


def contraction(c: Contraction, machine: Machine | None = None) -> list[Kernel]:
    """The kernels that compute `c`, by the quickest schedule that the cost model knows."""
    if not (c.batch and c.m and c.n):
        return []
    machine = machine or Machine()
    cycles, quick = _quick(c, machine)
    if cycles < least(c, machine):
        return quick()
    options = []
    for form in (_fold(c), c.apart):
        if form is not None:
            problem = problem_of(form)
            options.append((form, choose(problem, machine), problem))
    best = min(options, key=lambda option: option[1].cycles)
    if cycles < best[1].cycles:
        return quick()
    return build(*best)


def _quick(c: Contraction, machine: Machine) -> tuple[float, Callable[[], list[Kernel]]]:
    """Winograd's schedule and its cycles (infinite where it is not for this)."""
    w = c.windows
    if w is None or not fits(c, w):
        return inf, list
    if w.gradient is None:
        plan, cycles = winograd_plan(c, w, machine)
        return cycles, lambda: winograd_kernels(c, w, plan)
    found = weight_plan(c, w, machine)
    if found is None:
        return inf, list
    return found[1], lambda: weight_kernels(c, w, found[0])


def least(c: Contraction, machine: Machine) -> float:
    """The cycles of the multiplications alone."""
    vectors = c.batch * c.m * c.n / machine.lanes(c.accumulate.itemsize)
    return spread(vectors * c.k / 2, max(2, int(vectors) // 64))


def problem_of(c: Contraction) -> Problem:
    """What the choice of a schedule depends on."""
    return Problem(c.batch, c.m, c.n, c.k,
                   access(c.load_a, c.batch, c.m, c.k), access(c.load_b, c.batch, c.k, c.n),
                   not uses_batch(c.load_b, c.batch, c.k, c.n), c.accumulate.itemsize,
                   c.accumulate.kind == "f", touched(c), c.turns_a, c.turns_b)


def build(c: Contraction, choice: Choice, problem: Problem | None = None) -> list[Kernel]:
    """The kernels of a choice for a contraction (whose problem may be given)."""
    if choice.chunks > 1:
        inner, partial = chunk_of(c, choice.chunks)
        return _build(inner, choice, None) + [add_up(c, choice.chunks, partial)]
    return _build(c, choice, problem)


def _build(c: Contraction, choice: Choice, problem: Problem | None) -> list[Kernel]:
    if choice.swap:
        c = swap(c)
        problem = problem.swapped() if problem is not None else None
    if isinstance(choice.plan, DotPlan):
        return dot_kernels(c, choice.plan)
    if isinstance(choice.plan, RowPlan):
        return row_kernels(c, choice.plan)
    assert isinstance(choice.plan, TilePlan)
    return tile_kernels(c, choice.plan, None if problem is None else (problem.a, problem.b))


def _fold(c: Contraction) -> Contraction:
    """Batch elements that share an operand become rows (or columns) of one product."""
    if c.batch == 1:
        return c
    if not uses_batch(c.load_b, c.batch, c.k, c.n):
        return fold_batch(c)
    if not uses_batch(c.load_a, c.batch, c.m, c.k):
        return swap(fold_batch(swap(c)))
    return c
