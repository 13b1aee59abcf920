"""The register-tile schedule of a contraction: blocks, packed operands, tiles of sums in registers.

In: a `Contraction` and a `TilePlan` (from `gemm_plan`). Out: one or more kernels.

    parallel t in blocks:                        a block of block_m rows and `panels` panels
      copy A's rows of the block to scratch
      seq p in panels:  seq r in tiles:          a panel is `columns` columns wide
        acc[rows x columns] = 0
        seq k in K:
          unroll i in rows:  vector j in columns:
            acc[i, j] fma= a[r*rows + i, k] * b[p, k, j]
        store(acc)

B comes from panels [panel][k][columns] that other kernels packed before ("shared"), that the block
packs for itself ("block"), or from where it lies ("none"). Nothing depends on the number of
threads. A sum runs over k in order, whatever the blocks.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from ..core.dtype import dtype
from ..core.symbol import ZERO, Index, const
from .gemm_spec import Access, Contraction, access, epilogue_weight, uses_batch
from .loopnest import (
    Accumulate,
    Buffer,
    Call,
    Const,
    Kernel,
    Let,
    Load,
    Local,
    Read,
    Stmt,
    Store,
    Value,
)
from .schedule import both, divisors, edge, even, guard, guard_statement, kernel, loop

Panels = Callable[[Index, Index, Index], Value]      # (panel of the block, k, j) -> B's element
HEAVY = 6                                            # operations of an epilogue worth a pass
PACK_ROWS = 512                                      # k's of a parallel turn of packing


@dataclass(frozen=True, slots=True)
class TilePlan:
    """The sizes of the schedule; `kc` is a K block (== k: one block)."""

    rows: int                 # of the tallest register tile
    columns: int              # of a panel, a multiple of `lanes`
    lanes: int
    block_m: int
    panels: int               # of a block
    kc: int
    copy_a: bool
    pack_b: str               # "none", "block" or "shared"
    parallel: bool


@dataclass(frozen=True, slots=True)
class Group:
    """`count` register tiles of `height` rows that start at row `start` of a block."""

    start: int
    count: int
    height: int

    def row(self, tile: Index) -> Index:
        return tile * self.height + self.start


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a block's rows and its sums end, if before the block's own end."""

    rows: Index | None = None
    inner: Index | None = None

    def tiles(self, g: Group) -> Index | None:
        """How many tiles of a group hold rows before the end."""
        return None if self.rows is None else (self.rows - g.start + g.height - 1) // g.height


Rows = Callable[[Group, Index, Index, Index], Value]     # (group, tile, i, k) -> A's element


def tile_kernels(c: Contraction, plan: TilePlan,
                 reads: tuple[Access, Access] | None = None) -> list[Kernel]:
    """The kernels of the schedule, packing first; `reads`: how A and B lie, where it is known."""
    nest = TileNest(c, plan, reads)
    return [*nest.packing, nest.main()]


def block_nest(c: Contraction, shape: tuple[int, int], lanes: int, pack: bool,
               ends: Ends) -> tuple[Stmt, ...]:
    """A whole contraction as statements of a larger nest: one block, of register tiles of `shape`
    (rows, vectors); `pack`: B is copied to scratch before."""
    rows, vectors = shape
    columns = min(vectors, ceil(c.n / lanes)) * lanes
    plan = TilePlan(rows, columns, lanes, c.m, ceil(c.n / columns), c.k, False,
                    "block" if pack else "none", False)
    return TileNest(c, plan, ends=ends).block(ZERO, ZERO, ZERO)


class TileNest:
    """Builds the nest; the methods follow it from the outside in."""

    def __init__(self, c: Contraction, plan: TilePlan,
                 reads: tuple[Access, Access] | None = None, ends: Ends | None = None) -> None:
        self.c, self.plan = c, plan
        self.ends = ends or Ends()
        self.type: dtype = c.accumulate
        self.blocks_m = ceil(c.m / plan.block_m)
        self.blocks_n = ceil(c.n / (plan.panels * plan.columns))
        if reads is None:
            reads = access(c.load_a, c.batch, c.m, c.k), access(c.load_b, c.batch, c.k, c.n)
        self.access_a, self.access_b = reads
        self.groups = groups_of(plan.block_m, plan.rows)
        self.heavy = epilogue_weight(c) > HEAVY
        self.multiply = "fma" if self.type.kind == "f" else "add"
        self.packing: list[Kernel] = []
        self.shared: Buffer | None = None
        self.b_batch = 1
        if plan.pack_b == "shared":
            self._pack_shared()

    # -------------------------------------------------------------- the kernel and its blocks

    def main(self) -> Kernel:
        """The kernel that multiplies and stores."""
        c = self.c
        turns = c.batch * self.blocks_m * self.blocks_n
        kind = "parallel" if self.plan.parallel else "seq"

        def turn(t: Index) -> tuple[Stmt, ...]:
            first, j = t // self.blocks_n, t % self.blocks_n
            b, i = first // self.blocks_m, first % self.blocks_m
            return self.block(b, i * self.plan.block_m, j * self.plan.panels)
        body = loop("t", turns, kind, turn)
        moved = c.batch * (c.m * c.k * self.access_a.itemsize + c.m * c.n * self.type.itemsize
                           + c.k * c.n * self.access_b.itemsize)
        return kernel(c.name, body, c.flops, moved, c.origin)

    def block(self, b: Index, m0: Index, p0: Index) -> tuple[Stmt, ...]:
        """The sums of rows m0… and panels p0…, one K block after the other."""
        kc, k = self.plan.kc, self.c.k
        if kc >= k and not self.heavy:
            return self.k_block(b, m0, p0, ZERO, k, None, True)
        size = self.plan.block_m * self._width()
        sums = Local("sums", self.type, size, "scratch")
        if kc >= k:
            return self.k_block(b, m0, p0, ZERO, k, sums, True) + self.finish(b, m0, p0, sums)
        zero = Const(0.0 if self.type.kind == "f" else 0, self.type)
        clear = loop("z", size, "vector", lambda z: (Store(sums, z, zero),))
        whole = loop("kb", k // kc, "seq",
                     lambda kb: self.k_block(b, m0, p0, kb * kc, kc, sums, False))
        rest = self.k_block(b, m0, p0, const(k - k % kc), k % kc, sums,
                            False) if k % kc else ()
        return clear + whole + rest + self.finish(b, m0, p0, sums)

    def _width(self) -> int:
        """Columns of a block's sums."""
        return sum(count * width for _, count, width in self._strips())

    def _strips(self) -> list[tuple[int, int, int]]:
        """(first panel, count, width) of the panels of a block; a last one may be narrower."""
        plan, n = self.plan, self.c.n
        if self.blocks_n > 1 or n % plan.columns == 0:
            return [(0, plan.panels, plan.columns)]
        full, rest = divmod(n, plan.columns)
        width = ceil(rest / plan.lanes) * plan.lanes
        strips = [(0, full, plan.columns), (full, 1, width)]
        return [s for s in strips if s[1]]

    def k_block(self, b: Index, m0: Index, p0: Index, k0: Index, kc: int,
                sums: Local | None, fresh: bool) -> tuple[Stmt, ...]:
        """Add the products of k0 … k0 + kc to every tile of the block."""
        body: tuple[Stmt, ...] = ()
        rows, panels = self.rows_direct(b, m0, k0), self.panels_direct(b, p0, k0)
        if self.plan.copy_a:
            copied, rows = self.copy_a(b, m0, k0, kc)
            body += copied
        if self.plan.pack_b == "block":
            packed, panels = self.pack_block(b, p0, k0, kc)
            body += packed
        elif self.shared is not None:
            panels = self.panels_shared(b, p0, k0)
        for first, count, width in self._strips():
            def panel(p: Index, first: int = first, width: int = width) -> tuple[Stmt, ...]:
                out: tuple[Stmt, ...] = ()
                for g in self.groups:
                    out += loop("r", g.count, "seq", lambda r, g=g: self.tile(  # type: ignore[misc]
                        g, r, p + first, width, kc, rows, panels, b, m0, p0, sums, fresh),
                        self.ends.tiles(g))
                return out
            body += loop("p", count, "seq", panel)
        return body

    # -------------------------------------------------------------- the register tile

    def tile(self, g: Group, r: Index, p: Index, width: int, kc: int, rows: Rows, panels: Panels,
             b: Index, m0: Index, p0: Index, sums: Local | None,
             fresh: bool) -> tuple[Stmt, ...]:
        """One tile: start from nothing or `sums`, run over k, store or put back."""
        acc = Local(f"acc{g.height}x{width}", self.type, g.height * width, "register")
        zero = Const(0.0 if self.type.kind == "f" else 0, self.type)

        def each(body: Callable[[Index, Index], tuple[Stmt, ...]]) -> tuple[Stmt, ...]:
            return loop("i", g.height, "unroll",
                        lambda i: loop("j", width, "vector", lambda j: body(i, j)))

        def start(i: Index, j: Index) -> tuple[Stmt, ...]:
            value: Value = zero
            if sums is not None and not fresh:
                value = Load(sums, self.place(g.row(r) + i, p, j), self.type)
            return (Store(acc, i * width + j, value),)

        def step(k: Index) -> tuple[Stmt, ...]:
            def product(i: Index, j: Index) -> tuple[Stmt, ...]:
                value = Call("mul", (rows(g, r, i, k), panels(p, k, j)), self.type)
                return (Accumulate(acc, i * width + j, self.multiply, value),)
            return each(product)

        def put(i: Index, j: Index) -> tuple[Stmt, ...]:
            total = Load(acc, i * width + j, self.type)
            if sums is not None:
                return (Store(sums, self.place(g.row(r) + i, p, j), total),)
            return self.output(b, m0 + g.row(r) + i, p0 + p, j, total)
        return each(start) + loop("k", kc, "seq", step, self.ends.inner) + each(put)

    def place(self, row: Index, p: Index, j: Index) -> Index:
        """Where a block keeps the sum of a row and a column."""
        return row * self._width() + p * self.plan.columns + j

    def output(self, b: Index, m: Index, p: Index, j: Index, total: Value) -> tuple[Stmt, ...]:
        """The epilogue of one sum, where it is inside the matrix."""
        n = p * self.plan.columns + j
        mask = both(edge(m, self.c.m), edge(n, self.c.n))
        body = self.c.store(b, m, n, Read("total", self.type))
        return (Let("total", total), *(guard_statement(s, mask) for s in body))

    def finish(self, b: Index, m0: Index, p0: Index, sums: Local) -> tuple[Stmt, ...]:
        """The epilogue of a block whose sums took several K blocks."""
        def row(i: Index) -> tuple[Stmt, ...]:
            return loop("j", self._width(), "vector", lambda j: self.output(
                b, m0 + i, p0, j, Load(sums, i * self._width() + j, self.type)))
        return loop("e", self.plan.block_m, "seq", row)

    # -------------------------------------------------------------- A

    def rows_direct(self, b: Index, m0: Index, k0: Index) -> Rows:
        """A from where it lies."""
        def rows(g: Group, r: Index, i: Index, k: Index) -> Value:
            m = m0 + g.row(r) + i
            return guard(self.c.a(b, m, k0 + k), edge(m, self.c.m))
        return rows

    def copy_a(self, b: Index, m0: Index, k0: Index, kc: int) -> tuple[tuple[Stmt, ...], Rows]:
        """A's block in scratch: as tiles [k][height] where m runs along memory, else as rows."""
        line = 64 // self.type.itemsize
        stride = ceil(kc / line) * line + line            # rows do not fall on the same cache set
        size = self.plan.block_m * (kc if self.access_a.row == 1 else stride)
        block = Local("block_a", self.type, size, "scratch")

        def element(row: Index, k: Index) -> Value:
            return guard(self.c.a(b, m0 + row, k0 + k), edge(m0 + row, self.c.m))
        if self.access_a.row != 1:
            body = loop("i", self.plan.block_m, "seq", lambda i: self._copy_row(
                kc, lambda k: (Store(block, i * stride + k, element(i, k)),)))
            return body, lambda g, r, i, k: Load(block, (g.row(r) + i) * stride + k, self.type)

        def at(g: Group, r: Index, i: Index, k: Index) -> Index:
            return r * (kc * g.height) + k * g.height + i + g.start * kc

        def copy(k: Index) -> tuple[Stmt, ...]:
            out: tuple[Stmt, ...] = ()
            for g in self.groups:
                out += loop("r", g.count, "seq", lambda r, g=g: loop(  # type: ignore[misc]
                    "i", g.height, "vector", lambda i: (
                        Store(block, at(g, r, i, k), element(g.row(r) + i, k)),)))
            return out
        return loop("k", kc, "seq", copy), lambda g, r, i, k: Load(block, at(g, r, i, k), self.type)

    def _copy_row(self, kc: int, store: Callable[[Index], tuple[Stmt, ...]]) -> tuple[Stmt, ...]:
        """A row of A; an irregular one by its runs."""
        run = self.access_a.column_run
        if self.access_a.column is not None or run < 4 or kc % run:
            return loop("k", kc, "vector", store)
        return loop("h", kc // run, "seq", lambda h: loop(
            "k", run, "vector", lambda k: store(h * run + k)))

    # -------------------------------------------------------------- B

    def panels_direct(self, b: Index, p0: Index, k0: Index) -> Panels:
        """B from where it lies."""
        def panels(p: Index, k: Index, j: Index) -> Value:
            return self.b_element(b, k0 + k, p0 + p, j)
        return panels

    def b_element(self, b: Index, k: Index, p: Index, j: Index) -> Value:
        n = p * self.plan.columns + j
        return guard(self.c.b(b, k, n), edge(n, self.c.n))

    def panels_shared(self, b: Index, p0: Index, k0: Index) -> Panels:
        """B from the panels packed by the kernels before."""
        shared, total = self.shared, self._total_panels()
        assert shared is not None
        which = b if self.b_batch > 1 else ZERO

        def panels(p: Index, k: Index, j: Index) -> Value:
            row = (which * total + p0 + p) * self.c.k + k0 + k
            return Load(shared, row * self.plan.columns + j, self.type)
        return panels

    def _total_panels(self) -> int:
        return self.blocks_n * self.plan.panels

    def pack_block(self, b: Index, p0: Index, k0: Index,
                   kc: int) -> tuple[tuple[Stmt, ...], Panels]:
        """B's panels of a block in scratch."""
        columns = self.plan.columns
        block = Local("block_b", self.type, self.plan.panels * kc * columns, "scratch")

        def at(p: Index, k: Index, j: Index) -> Index:
            return (p * kc + k) * columns + j

        def element(p: Index, k: Index, j: Index) -> Value:
            return self.b_element(b, k0 + k, p0 + p, j)
        body: tuple[Stmt, ...] = ()
        for first, count, width in self._strips():
            body += loop("q", count, "seq", lambda q, first=first, width=width: self.pack_panel(  # type: ignore[misc]
                kc, width, lambda k, j: at(q + first, k, j),
                lambda k, j: element(q + first, k, j), block))
        return body, lambda p, k, j: Load(block, at(p, k, j), self.type)

    def pack_panel(self, kc: int, width: int, at: Callable[[Index, Index], Index],
                   element: Callable[[Index, Index], Value],
                   target: Buffer | Local) -> tuple[Stmt, ...]:
        """One panel: rows copied, or squares of `lanes` transposed where k runs along memory."""
        run = self.access_b.column_run
        run = width if run < 2 or width % run else run

        def row(k: Index) -> tuple[Stmt, ...]:
            return loop("h", width // run, "unroll", lambda h: loop("j", run, "vector", lambda j: (
                Store(target, at(k, h * run + j), element(k, h * run + j)),)))
        lanes = self._square()
        if lanes < 4:
            return loop("k", kc, "seq", row)

        def square(s: Index, h: Index) -> tuple[Stmt, ...]:
            return loop("i", lanes, "unroll", lambda i: loop("j", lanes, "vector", lambda j: (
                Store(target, at(s * lanes + i, h * lanes + j),
                      element(s * lanes + i, h * lanes + j)),)))
        whole = loop("s", kc // lanes, "seq", lambda s: loop(
            "h", width // lanes, "seq", lambda h: square(s, h)))
        done = kc - kc % lanes
        return whole + loop("k", kc - done, "seq", lambda k: row(k + done))

    def _square(self) -> int:
        """The side of squares to transpose: k runs along memory, and n does not."""
        x = self.access_b
        if x.row is not None:
            return self.plan.lanes if x.row == 1 and x.column != 1 else 1
        across = self.plan.lanes if x.column == 1 else x.column_run
        return min(self.plan.lanes, x.row_run) if across < x.row_run else 1

    def _pack_shared(self) -> None:
        """The kernels that lay B out as panels [batch][panel][k][columns] for every thread."""
        c, columns, total = self.c, self.plan.columns, self._total_panels()
        self.b_batch = c.batch if uses_batch(c.load_b, c.batch, c.k, c.n) else 1
        size = self.b_batch * total * c.k * columns
        self.shared = c.temporary(f"{c.name}_panels", self.type, size)
        full = c.n // columns if self.access_b.row == 1 else total
        for suffix, first, count in (("", 0, full), ("_tail", full, total - full)):
            if count:
                self.packing.append(self._pack_kernel(f"{c.name}_pack{suffix}", first, count))

    def _pack_kernel(self, name: str, first: int, count: int) -> Kernel:
        """Pack `count` panels from `first` on, of every batch element."""
        c, columns, total, shared = self.c, self.plan.columns, self._total_panels(), self.shared
        assert shared is not None
        kc = max(d for d in divisors(c.k) if d <= PACK_ROWS)
        kc = kc if kc >= 64 else c.k
        turns = self.b_batch * count * (c.k // kc)

        def turn(t: Index) -> tuple[Stmt, ...]:
            which, k0 = t // (c.k // kc), (t % (c.k // kc)) * kc
            b, p = which // count, which % count + first
            row = (b * total + p) * c.k + k0
            return self.pack_panel(kc, columns, lambda k, j: (row + k) * columns + j,
                                   lambda k, j: self.b_element(b, k0 + k, p, j), shared)
        moved = self.b_batch * count * c.k * columns * (self.type.itemsize
                                                        + self.access_b.itemsize)
        return kernel(name, loop("t", turns, "parallel", turn), 0, moved, c.origin)


def groups_of(extent: int, most: int) -> list[Group]:
    """The rows of a block cut in tiles of nearly equal height."""
    groups, start = [], 0
    for count, size in even(extent, most):
        groups.append(Group(start, count, size))
        start += count * size
    return groups
