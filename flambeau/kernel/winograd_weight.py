"""The gradient of a 3x3 convolution's weight by Winograd's filtering: the transpose of `winograd`.

In: a `Contraction` whose `Windows` have a gradient, and a `WeightPlan`. Out: two kernels.

    parallel chunk of blocks, rows of channels of the result:
      P[t] = 0
      seq block:
        seq c:  V[t, q, c] = (B' d B)[t]  of the input's tiles, turned so that lanes run over c
        seq m:  W[t, m, q] = (A g A')[t]  of the gradient's 2x2 tiles
        seq t in 16:  P[t, m, c] += sum over q of W[t, m, q] * V[t, q, c]       register tiles
    parallel m:  sum of the chunks;  vector c:  dw = G' P G;  store

The chunks depend on the sizes alone, so the sums are the same bits for any number of threads.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from ..core.symbol import ZERO, Index
from .cost import Machine, copied, spread, tile_shapes, tile_step
from .gemm_spec import Contraction, Windows
from .gemm_tile import TileNest, TilePlan
from .loopnest import Accumulate, Const, Kernel, Load, Local, Stmt, Store, Value
from .schedule import divisors, kernel, loop
from .winograd import IN, TAPS, Expressions, Tiles, WinogradPlan, bands, heights

TURNED = 130.0                      # cycles to turn a vector of tiles of one channel, 16 products
GRADIENT = 50.0                     # ... to transform one of the gradient
CHUNKS = 16                         # turns that are enough for any number of threads


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """Blocks as for the convolution; `chunks` equal numbers of them are added up apart."""

    blocks: WinogradPlan
    chunks: int


def weight_plan(c: Contraction, w: Windows, machine: Machine) -> tuple[WeightPlan, float] | None:
    """The best plan and its cycles; None where the lanes do not fit the channels."""
    lanes = machine.lanes(c.accumulate.itemsize)
    if w.channels % lanes:
        return None
    plans = [_weigh(c, w, machine, lanes, images, rows, block_m)
             for images, rows in bands(w, lanes) for block_m in heights(c.m)]
    return min(plans, key=lambda p: p[1])


def _weigh(c: Contraction, w: Windows, machine: Machine, lanes: int, images: int, rows: int,
           block_m: int) -> tuple[WeightPlan, float]:
    """A plan and its time."""
    high, wide = (ceil(n / 2) for n in w.places)
    blocks_m = ceil(c.m / block_m)
    blocks = ceil(w.images / images) * ceil(high / rows)
    chunks = min((d for d in divisors(blocks) if d * blocks_m * c.batch >= CHUNKS), default=blocks)
    tiles = images * rows * wide
    vectors = ceil(tiles / lanes)
    most, across = next((r, v) for r, v in tile_shapes(machine)[::-1]
                        if v <= min(2, w.channels // lanes))
    groups = ceil(block_m / most)
    height = ceil(block_m / groups)
    visit = tile_step(height, across) * tiles + 10 + 6.0 * height * across
    work = TAPS * groups * ceil(w.channels / (across * lanes)) * visit
    narrow = 1 + 0.5 * (wide < lanes // 2)
    held = TAPS * 4 * (tiles * (w.channels + block_m) + block_m * w.channels)
    work *= 1.0 if held <= machine.l2 else 1.05 if held <= 4 * machine.l2 else 1.1
    block = work + vectors * narrow * (w.channels * (IN + TURNED) + block_m * GRADIENT)
    turns = c.batch * chunks * blocks_m
    time = spread(c.batch * blocks * blocks_m * block, turns)
    time += spread(3 * copied(turns * TAPS * block_m * w.channels, lanes), c.m)
    plan = WinogradPlan(images, rows, block_m, False, (most, across * lanes), lanes)
    return WeightPlan(plan, chunks), time


def weight_kernels(c: Contraction, w: Windows, plan: WeightPlan) -> list[Kernel]:
    """The kernels of the schedule, in order."""
    nest = WeightNest(c, w, plan)
    return [nest.products(), nest.results()]


class WeightNest(Tiles):
    """Builds the kernels."""

    def __init__(self, c: Contraction, w: Windows, plan: WeightPlan) -> None:
        super().__init__(c, w, plan.blocks)
        self.chunks = plan.chunks
        self.held = self.plan.lanes
        self.v = Local("v", self.type, TAPS * self.held * self.stride, "scratch")
        self.rows = self.blocks_m * self.plan.block_m
        self.partial = c.temporary(f"{c.name}_partial", self.type,
                                   c.batch * self.chunks * TAPS * self.rows * w.channels)

    def row(self, b: Index, chunk: Index, u: Index, m: Index) -> Index:
        """Where a row of a chunk's sums begins."""
        at = (b * self.chunks + chunk) * TAPS + u
        return (at * self.rows + m) * self.w.channels

    def products(self) -> Kernel:
        """The kernel that multiplies."""
        c, w, plan = self.c, self.w, self.plan
        count = self.blocks // self.chunks
        turned = Local("turned", self.type, TAPS * self.stride * w.channels, "scratch")
        seen = Local("gradient", self.type, TAPS * plan.block_m * self.stride, "scratch")

        def turn(t: Index) -> tuple[Stmt, ...]:
            first, i = t // self.blocks_m, t % self.blocks_m
            b, chunk = first // self.chunks, first % self.chunks
            m0 = i * plan.block_m
            clear = loop("u", TAPS, "seq", lambda u: loop(
                "z", plan.block_m * w.channels, "vector", lambda z: (
                    Store(self.partial, self.row(b, chunk, u, m0) + z, Const(0.0, self.type)),)))

            def block(r: Index) -> tuple[Stmt, ...]:
                group, band = (chunk * count + r) // self.bands, (chunk * count + r) % self.bands
                return (*self.inputs(b, group, band, turned),
                        *self.gradients(b, m0, group, band, seen),
                        *loop("u", TAPS, "seq",
                              lambda u: self.multiply(b, chunk, m0, u, seen, turned)))
            return clear + loop("r", count, "seq", block)
        turns = c.batch * self.chunks * self.blocks_m
        moved = c.batch * self.type.itemsize * w.images * w.places[0] * w.places[1] * (
            w.channels + c.m)
        return kernel(f"{c.name}_partial", loop("t", turns, "parallel", turn), c.flops, moved,
                      c.origin)

    def inputs(self, b: Index, group: Index, band: Index, turned: Local) -> tuple[Stmt, ...]:
        """V of a block with lanes over the channels, by squares."""
        lanes, channels = self.plan.lanes, self.w.channels

        def square(u: Index, h: Index, first: Index) -> tuple[Stmt, ...]:
            return loop("i", lanes, "unroll", lambda i: loop("j", lanes, "vector", lambda j: (
                Store(turned, (u * self.stride + h * lanes + i) * channels + first + j,
                      Load(self.v, (u * lanes + j) * self.stride + h * lanes + i, self.type)),)))

        def part(k: Index) -> tuple[Stmt, ...]:
            first = k * lanes
            return (*self.transform(b, group, band, first, lanes, ZERO),
                    *loop("u", TAPS, "seq", lambda u: loop(
                        "h", self.stride // lanes, "seq", lambda h: square(u, h, first))))
        return loop("p", channels // lanes, "seq", part)

    def gradients(self, b: Index, m0: Index, group: Index, band: Index,
                  seen: Local) -> tuple[Stmt, ...]:
        """W = A g A' of a block."""
        plan, rows, row = self.plan, 2 * self.plan.rows, 2 * self.wide
        pad = Local("rows", self.type, rows * row + 2 * plan.lanes, "scratch")
        part = Local("quarters", self.type, 4 * self.tiles + plan.lanes, "scratch")

        def image(m: Index, g: Index) -> tuple[Stmt, ...]:
            def element(image: Index, at: tuple[Index, ...]) -> Value:
                assert self.w.gradient is not None
                return self.w.gradient(b, m0 + m, image, at)
            return (*self.copy(element, self.w.places, group * plan.images + g, band, pad, rows,
                               row),
                    *self.columns(pad, row, part, plan.rows, 2),
                    *self.spread(part, seen, m, g * self.tiles))
        return loop("m", plan.block_m, "seq", lambda m: loop(
            "g", plan.images, "seq", lambda g: image(m, g)))

    def spread(self, part: Local, seen: Local, m: Index, first: Index) -> tuple[Stmt, ...]:
        """The 16 values of every 2x2 tile of an image."""
        def tile(x: Index) -> tuple[Stmt, ...]:
            e = Expressions(self.type)
            half = [e.ends([e.let(Load(part, x + (2 * j + i) * self.tiles, self.type))
                            for i in range(2)]) for j in range(2)]
            for i in range(4):
                for j, value in enumerate(e.ends([half[0][i], half[1][i]])):
                    row = (m + (4 * i + j) * self.plan.block_m) * self.stride
                    e.store(seen, row + first + x, value)
            return e.body
        return loop("x", self.span, "vector", tile)

    def multiply(self, b: Index, chunk: Index, m0: Index, u: Index, seen: Local,
                 turned: Local) -> tuple[Stmt, ...]:
        """P[u] += W[u] @ V[u] of a block."""
        plan, channels, count = self.plan, self.w.channels, self.plan.images * self.tiles
        rows, columns = plan.tile
        inner = replace(
            self.c, batch=1, m=plan.block_m, n=channels, k=count, dtype=self.type, windows=None,
            apart=None, turns_a=1, turns_b=1,
            load_a=lambda _, m, k: Load(
                seen, (u * plan.block_m + m) * self.stride + k, self.type),
            load_b=lambda _, k, n: Load(turned, (u * self.stride + k) * channels + n, self.type),
            store=lambda _, m, n, total: (
                Accumulate(self.partial, self.row(b, chunk, u, m0 + m) + n, "add", total),))
        tiles = TilePlan(rows, columns, plan.lanes, plan.block_m, ceil(channels / columns), count,
                         False, "none", False)
        return TileNest(inner, tiles).block(ZERO, ZERO, ZERO)

    def results(self) -> Kernel:
        """The kernel that adds up the chunks and stores G' P G."""
        c, channels = self.c, self.w.channels
        sums = Local("sums", self.type, TAPS * channels, "scratch")
        taps = Local("taps", self.type, 9 * channels, "scratch")

        def turn(t: Index) -> tuple[Stmt, ...]:
            b, m = t // c.m, t % c.m

            def add(u: Index) -> tuple[Stmt, ...]:
                start = loop("k", channels, "vector", lambda k: (Store(
                    sums, u * channels + k,
                    Load(self.partial, self.row(b, ZERO, u, m) + k, self.type)),))
                return start + loop("s", self.chunks - 1, "seq", lambda s: loop(
                    "k", channels, "vector", lambda k: (Accumulate(
                        sums, u * channels + k, "add",
                        Load(self.partial, self.row(b, s + 1, u, m) + k, self.type)),)))
            return (*loop("u", TAPS, "seq", add),
                    *loop("k", channels, "vector", lambda k: self.taps(sums, taps, k)),
                    *loop("n", 9 * channels, "vector", lambda n: c.store(
                        b, m, n, Load(taps, n, self.type))))
        moved = c.batch * (self.chunks * TAPS + 9) * c.m * channels * self.type.itemsize
        return kernel(c.name, loop("t", c.batch * c.m, "parallel", turn), 0, moved, c.origin)

    def taps(self, sums: Local, taps: Local, k: Index) -> tuple[Stmt, ...]:
        """The nine taps of a channel."""
        e = Expressions(self.type)
        p = [[e.let(Load(sums, k + (4 * i + j) * self.w.channels, self.type)) for j in range(4)]
             for i in range(4)]
        half = [e.transposed(row) for row in p]
        for j in range(3):
            for i, value in enumerate(e.transposed([half[n][j] for n in range(4)])):
                e.store(taps, k * 9 + (3 * i + j), value)
        return e.body
