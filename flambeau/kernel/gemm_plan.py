"""Choosing the schedule of a contraction.

In: the sizes and how the operands lie (`Problem`). Out: a `Choice`. Called by `gemm.contraction`.

Every combination of the orientation (C or its transpose), a few register tiles, a few block sizes,
how A is read (in place or copied), how B is packed (not, by each block, once for all), the forms
for few rows (dot products, rows added up) and splitting K is given a time by `cost`; the least
wins, ties by the order here.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

from .cost import (
    FAR,
    FETCH,
    LATENCY,
    SERIAL,
    STREAM,
    Machine,
    copied,
    dot_shape,
    scattered,
    spread,
    tile_fetch,
    tile_shapes,
    tile_step,
    transposed,
)
from .gemm_dot import DotPlan
from .gemm_row import RowPlan
from .gemm_spec import Access
from .gemm_tile import TilePlan
from .schedule import divisors

KC = 384                       # about this many k's make a block
MAX_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """The sizes of a contraction and how its operands lie; `shared_b`: the same for all batches;
    `turns_a`, `turns_b`: runs that share what is packed of an operand."""

    batch: int
    m: int
    n: int
    k: int
    a: Access                  # (batch, m, k)
    b: Access                  # (batch, k, n)
    shared_b: bool
    itemsize: int              # of the sums
    floating: bool = True
    touched: int = 1           # arrays that the epilogue reads and writes
    turns_a: int = 1
    turns_b: int = 1

    def swapped(self) -> Problem:
        return replace(self, m=self.n, n=self.m, a=self.b.turned(), b=self.a.turned(),
                       shared_b=self.a.batch == 0, turns_a=self.turns_b, turns_b=self.turns_a)


@dataclass(frozen=True, slots=True)
class Choice:
    """A schedule and its estimated cycles; `chunks` > 1: split K first."""

    plan: TilePlan | DotPlan | RowPlan
    swap: bool
    chunks: int
    cycles: float


@lru_cache(maxsize=4096)
def choose(p: Problem, machine: Machine) -> Choice:
    """The quickest schedule of a problem."""
    return min(every_choice(p, machine), key=lambda c: c.cycles)


def every_choice(p: Problem, machine: Machine) -> Iterator[Choice]:
    """The schedules that are weighed, with their times."""
    for chunks in _chunkings(p):
        part = p
        if chunks > 1:
            part = replace(p, batch=p.batch * chunks, k=p.k // chunks, shared_b=False,
                           a=replace(p.a, batch=None), b=replace(p.b, batch=None))
        extra, dear = 0.0, 1.0 if chunks == 1 else 1.1
        if chunks > 1:
            lanes = machine.lanes(p.itemsize)
            extra = spread(copied(p.batch * p.m * p.n * chunks, lanes), 8)
            extra += scattered(p.batch * p.m * p.n) / 4
        for swap, q in ((False, part), (True, part.swapped())):
            for plan, cycles in _tile_plans(q, machine, swap and chunks == 1):
                yield Choice(plan, swap, chunks, (cycles + extra) * dear + swap)
        for few in (_dot_plan(part, machine), _row_plan(part, machine)):
            if few is not None:
                yield Choice(few[0], False, chunks, (few[1] + extra) * dear)


def _chunkings(p: Problem) -> list[int]:
    """1, and numbers of chunks worth a look where the sums are few and long."""
    few = p.batch * p.m * p.n <= 1 << 14 or p.batch * p.m <= 4
    if not few or p.k < 1024:
        return [1]
    return [1, *(s for s in (4, 8, 16, 32, MAX_CHUNKS) if p.k // s >= 128)]


# ---------------------------------------------------------------- register tiles


def k_block(k: int) -> int:
    """The size of a K block: a divisor near KC where there is one."""
    if k <= KC * 3 // 2:
        return max(k, 1)
    near = [d for d in divisors(k) if KC // 2 <= d <= KC * 3 // 2]
    if near:
        return min(near, key=lambda d: abs(d - KC))
    return ceil(k / ceil(k / KC) / 16) * 16


def _tile_plans(p: Problem, machine: Machine, across: bool) -> Iterator[tuple[TilePlan, float]]:
    """Plans with their cycles; `across`: C's rows run along the tile's columns."""
    lanes = machine.lanes(p.itemsize)
    kc = k_block(p.k)
    for rows, vectors in _shapes(p, machine, lanes):
        columns = vectors * lanes
        for block_m in _block_heights(p.m, rows):
            for panels in _panel_counts(ceil(p.n / columns)):
                yield _tile_plan(p, machine, across, rows, columns, lanes, block_m, panels, kc)


def _shapes(p: Problem, machine: Machine, lanes: int) -> list[tuple[int, int]]:
    """Register tiles worth a look: wide ones where the rows are few, else nearly square ones."""
    wide = ceil(p.n / lanes)
    shapes = [(r, v) for r, v in tile_shapes(machine) if v <= wide]
    if wide == 1:
        return shapes[:1]
    if p.m > 8:
        return [(r, v) for r, v in shapes if v in (2, 3)]
    return [(r, v) for r, v in shapes if v == 2 or v > 3]


def _block_heights(m: int, rows: int) -> list[int]:
    """Heights that cut m evenly, from one register tile to about 200 rows."""
    heights = set()
    for most in (rows, 4 * rows, 12 * rows):
        count = ceil(m / most)
        near = [d for d in divisors(m) if count <= d <= count * 1.5]
        heights.add(m // near[0] if near else ceil(m / count))
    return sorted(heights)


def _panel_counts(total: int) -> list[int]:
    """Panels in a block: few, about eight, all; dividing evenly where that can be."""
    found = {total, 1}
    for most in (4, 12):
        if most < total:
            near = max(d for d in divisors(total) if d <= most)
            found.add(near if near > most // 2 else ceil(total / ceil(total / most)))
    return sorted(x for x in found if x <= 64)


def _tile_plan(p: Problem, machine: Machine, across: bool, rows: int, columns: int, lanes: int,
               block_m: int, panels: int, kc: int) -> tuple[TilePlan, float]:
    """One plan: the cheaper ways to read A and B, and the time of it all."""
    blocks_m, blocks_n = ceil(p.m / block_m), ceil(p.n / (panels * columns))
    turns = p.batch * blocks_m * blocks_n
    width = panels * columns if blocks_n > 1 else ceil(p.n / lanes) * lanes
    copy_a, a_cost, a_slow = _read_a(p, lanes, block_m, width, columns, rows, kc)
    pack_b, b_block, b_shared, b_slow = _read_b(p, lanes, machine, columns, width, blocks_m)
    block = _tiles(p, machine, block_m, width, rows, columns, lanes, kc, max(a_slow, b_slow))
    ends = block_m * width * p.touched
    block += scattered(ends) if across else copied(ends, lanes)
    block += a_cost + b_block
    if p.k * (p.m + p.n) * p.itemsize > machine.l2:
        block += (block_m + width) * p.k * p.itemsize / FAR
    serial = turns * block < SERIAL or turns == 1
    time = turns * block if serial else spread(turns * block, turns)
    slow_b = _page(p.b.row, p.b.itemsize, columns) if pack_b == "none" else 1.0
    slow_a = _page(p.a.column, p.a.itemsize, block_m if copy_a else rows)
    time = _bound(time, p, 1 if serial else turns, slow_b, slow_a)
    if b_shared:
        packs = ceil(p.n / columns) * max(1, p.k // 512) * (1 if p.shared_b else p.batch)
        time += spread(b_shared, max(packs, 2))
    plan = TilePlan(rows, columns, lanes, block_m, panels, kc, copy_a, pack_b, not serial)
    return plan, time


def _tiles(p: Problem, machine: Machine, block_m: int, width: int, rows: int, columns: int,
           lanes: int, kc: int, slow: float) -> float:
    """The register tiles of a block, over all of K."""
    tiles = ceil(block_m / rows)
    height = block_m / tiles
    full, rest = divmod(width, columns)
    total = 0.0
    for count, vectors in ((full, columns // lanes), (1 if rest else 0, rest // lanes)):
        step = max(tile_step(ceil(height), vectors),
                   tile_fetch(ceil(height), columns, kc, p.itemsize, tiles, machine))
        visits = 1 + (kc < p.k) * p.k // kc
        total += count * tiles * (step * p.k * slow + 10 + 2.5 * height * vectors * visits)
    return total


def _bound(time: float, p: Problem, turns: int, slow_b: float = 1.0,
           slow_a: float = 1.0) -> float:
    """No less than it takes to read the operands once, where they are large."""
    size_b = p.k * p.n * p.b.itemsize * (1 if p.shared_b else p.batch)
    size_a = p.k * p.m * p.a.itemsize * (1 if p.a.batch == 0 else p.batch)
    if size_a + size_b <= 1 << 22:
        return time
    # One thread does not use all of the memory's speed.
    floor = (size_b * slow_b + size_a * slow_a) / STREAM * (2 if turns == 1 else 1)
    return max(time, floor) + 0.2 * min(time, floor)


def _page(step: int | None, itemsize: int, run: int) -> float:
    """How much slower memory is when `run` elements are read, then `step` are jumped."""
    far = step is not None and abs(step) * itemsize >= 2048
    return 1 + 24 / run if far else 1.0


def _read_a(p: Problem, lanes: int, block_m: int, width: int, columns: int, rows: int,
            kc: int) -> tuple[bool, float, float]:
    """Whether to copy A's block, the cycles that takes, and how much slower the tiles run."""
    elements = block_m * p.k
    if p.a.column == 1:
        copy = copied(elements, lanes) + 20 * block_m * (p.k / kc)
        stride = (p.a.row or 0) * p.a.itemsize
        slow = 1.02 if stride % 1024 or width <= columns else 1.3
        slow = 1.1 if p.a.itemsize < 4 else slow
    elif p.a.row == 1:
        copy = elements * 4 / min(rows, lanes)
        slow = 1.05 if (p.a.column or 0) * p.a.itemsize <= 512 else 1.25
    else:
        copy = scattered(elements) * (2 / p.a.column_run if p.a.column_run >= 4 else 1.5)
        slow = 1.8
    if not p.a.plain or p.m % block_m:
        return True, copy + elements * (not p.a.plain), 1.0
    steps = ceil(block_m / rows) * (width / columns) * p.k * tile_step(rows, columns // lanes)
    if copy < steps * (slow - 1):
        return True, copy, 1.0
    return False, 0.0, slow


def _read_b(p: Problem, lanes: int, machine: Machine, columns: int, width: int,
            blocks_m: int) -> tuple[str, float, float, float]:
    """How to pack B: (name, cycles in a block, cycles before, how much slower the tiles run)."""
    elements = p.k * width
    if p.b.column == 1:
        pack = copied(elements, lanes)
    elif p.b.row == 1:
        pack = transposed(elements, lanes)
    elif p.b.row is None and p.b.row_run >= 4 and p.b.row_run > p.b.column_run:
        pack = transposed(elements, min(lanes, p.b.row_run))
    else:
        pack = scattered(elements) * (2 / p.b.column_run if p.b.column_run > 1 else 1.5)
    pack += elements * (not p.b.plain) / p.b.column_run
    everything = p.k * p.n * p.itemsize * (1 if p.shared_b else p.batch)
    traffic = everything / 6 if everything > machine.l2 else everything / 32
    shared = pack * ceil(p.n / width) * (1 if p.shared_b else p.batch) + traffic
    # A block packs for itself what every block of rows needs again.
    fits = width * p.k * p.itemsize <= machine.l2 * 2
    options = [("shared", 0.0, shared / p.turns_b, 1.0)]
    if fits:
        far = elements * p.itemsize / FAR if everything > machine.l2 else 0.0
        options.append(("block", pack + far, 0.0, 1.0))
    if p.b.column == 1 and p.b.plain and (machine.masks or p.n % lanes == 0):
        stride = (p.b.row or 0) * p.b.itemsize
        small = p.k * width * p.b.itemsize <= machine.l1
        slow = 1.01 if small and stride <= 1024 else 1.06 if stride <= 1024 else 1.25
        # Rows that far apart fall on few sets of the first-level cache.
        slow = 2.0 if stride % 2048 == 0 and p.k > 32 else slow
        slow *= 1.15 if p.b.itemsize < 4 else 1
        options.append(("none", 0.0, 0.0, slow))
    return _best_b(options, p, blocks_m, width, columns, lanes)


def _best_b(options: list[tuple[str, float, float, float]], p: Problem, blocks_m: int, width: int,
            columns: int, lanes: int) -> tuple[str, float, float, float]:
    """The option that costs least over the whole of C."""
    turns = p.batch * blocks_m * ceil(p.n / width)
    work = p.batch * p.m * ceil(p.n / width) * (width / lanes) * p.k / 2

    def total(option: tuple[str, float, float, float]) -> float:
        name, block, before, slow = option
        extra = (name == "shared") * SERIAL * 2 / p.turns_b
        return block * turns + before + work * (slow - 1) + extra
    return min(options, key=total)


# ---------------------------------------------------------------- dot products


def _dot_plan(p: Problem, machine: Machine) -> tuple[DotPlan, float] | None:
    """Dot products along k, where both operands are contiguous that way."""
    if p.a.column != 1 or p.b.row != 1 or not (p.a.plain and p.b.plain and p.floating):
        return None
    lanes = machine.lanes(p.itemsize)
    rows, columns = dot_shape(p.m, p.n, machine)
    vectors = ceil(p.k / lanes)
    tiles = ceil(p.m / rows) * ceil(p.n / columns)
    held = p.m * p.k * p.a.itemsize
    speed = FETCH * 4 if held <= machine.l1 else FETCH if held <= machine.l2 else FETCH / 2
    once = max(rows * columns / 2, (rows + columns) / 2, LATENCY)
    # Every load is used by few products, and streams miss now and then: measured, not derived.
    once = 1.4 * max(once, rows * machine.vector_bytes / speed) * vectors
    once += 9.0 * rows * columns + 20
    work = p.batch * (tiles * once + copied(p.m * p.n, lanes))
    turns = _dot_turns(p, columns)
    parallel = work > SERIAL and turns * p.batch > 1
    time = _bound(spread(work, turns * p.batch) if parallel else work, p, turns if parallel else 1)
    return DotPlan(rows, columns, turns if parallel else 1, parallel), time


def _dot_turns(p: Problem, columns: int) -> int:
    """Equal blocks of columns: as many as keep the register tiles full, dividing n if possible."""
    most = max(1, min(64, p.n // columns))
    if p.batch >= 64:
        return 1
    even = [d for d in divisors(p.n) if most // 4 <= d <= most]
    return max(even) if even else most


# ---------------------------------------------------------------- rows


def _row_plan(p: Problem, machine: Machine) -> tuple[RowPlan, float] | None:
    """Rows of B added up, where A has very few rows and B is too large to stay in a cache."""
    if p.m > 4 or p.b.column != 1 or not (p.a.plain and p.b.plain and p.floating):
        return None
    lanes = machine.lanes(p.itemsize)
    if p.n < 16 * lanes or p.batch * p.k * p.n * p.b.itemsize < machine.l2:
        return None
    most = machine.l1 // (2 * p.m * p.itemsize)
    width = max((d for d in divisors(p.n) if d <= most), default=1)
    if width < 4 * lanes:
        return None
    turns = p.batch * p.n // width
    deep = 4 if p.m > 1 else 8
    work = p.batch * p.k * p.n / lanes * ((p.m + 1) / 2 + p.m / deep + 0.5)
    time = _bound(spread(work, turns), p, turns, _page(p.b.row, p.b.itemsize, width))
    return RowPlan(width, deep, turns > 1), time
