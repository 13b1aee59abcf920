"""Convolutions of 3x3 taps by Winograd's minimal filtering F(2x2, 3x3): 16 products where 36 stand.

In: a `Contraction` with `Windows` and a `WinogradPlan`. Out: kernels (weights; perhaps the input;
the products). Called by `gemm`, where `choose` gives it less time than the other schedules.

    parallel m, vector c:  U[t, m, c] = (G w G')[t]                          t in 16
    parallel block:                                 tiles of 2x2 results: images, a band of rows
      seq c, seq image:                             V[t, c, q] = (B' d B)[t]
        rows of the padded input -> P;  columns 2x + 0, 1, 2, 3 of P -> D
        vector q in tiles:  16 of D, 32 additions -> 16 of V
      seq t in 16:  S[t, m, q] = sum over c of U[t, m, c] * V[t, c, q]       register tiles
      seq m:  vector q:  16 of S, 24 additions -> 2x2 results;  interleave;  store

(Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016.) A result depends on
the nine inputs below its taps and on no other, and the constants are 1 and 1/2, so rounding errors
stay those of a direct sum; larger tiles would lose digits. Rows of D, V and the results are written
a whole number of vectors wide and in order: what goes past a row's end is overwritten by the next.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from ..core.symbol import ZERO, Index
from .cost import Machine, spread, tile_shapes, tile_step
from .gemm_spec import Contraction, Windows
from .gemm_tile import TileNest, TilePlan
from .loopnest import Buffer, Call, Const, Kernel, Let, Load, Local, Read, Stmt, Store, Value
from .schedule import as_type, both, divisors, edge, guard, guard_statement, kernel, loop

TAPS = 16                           # products of a tile
IN = 80.0                           # cycles to transform a vector of tiles of the input
OUT = 60.0                          # ... of the results
WEIGHT = 20.0                       # cycles to transform the weights of a channel


@dataclass(frozen=True, slots=True)
class WinogradPlan:
    """A block is `images` images by `rows` rows of tiles by `block_m` channels of the result.

    `shared`: the input is transformed once, by a kernel of its own. `tile` is the register tile.
    """

    images: int
    rows: int
    block_m: int
    shared: bool
    tile: tuple[int, int]           # rows, columns
    lanes: int


def fits(c: Contraction, w: Windows) -> bool:
    """Whether this is the filtering for it: 3x3 taps side by side, summed in float32."""
    return (w.taps == (3, 3) and w.stride == (1, 1) and w.dilation == (1, 1)
            and c.accumulate.name == "float32" and w.channels >= 8 and c.m >= 8)


def winograd_plan(c: Contraction, w: Windows,
                  machine: Machine) -> tuple[WinogradPlan, float]:
    """The best plan of a convolution that fits, and its cycles."""
    lanes = machine.lanes(c.accumulate.itemsize)
    plans = [_weigh(c, w, machine, lanes, images, rows, block_m)
             for images, rows in bands(w, lanes) for block_m in heights(c.m)]
    return min(plans, key=lambda p: p[1])


def bands(w: Windows, lanes: int) -> list[tuple[int, int]]:
    """(images, rows of tiles) of blocks of about one to eight registers' tiles."""
    high, wide = (ceil(n / 2) for n in w.places)
    found = []
    for vectors in (2, 4, 8):
        tiles = vectors * lanes
        if high * wide >= tiles:
            most = max(1, tiles // wide)
            found += [(1, max(1, most)), (1, ceil(high / ceil(high / most)))]
        near = [d for d in divisors(w.images) if d * high * wide <= 2 * tiles]
        found += [(d, high) for d in near[-1:]]
    return sorted(set(found))


def heights(m: int) -> list[int]:
    """Channels of the result that a block may have."""
    return sorted({min((d for d in divisors(m) if d >= most), default=m) if m > most else m
                   for most in (32, 64, 128)})


def _weigh(c: Contraction, w: Windows, machine: Machine, lanes: int, images: int, rows: int,
           block_m: int) -> tuple[WinogradPlan, float]:
    """A plan and its time."""
    high, wide = (ceil(n / 2) for n in w.places)
    blocks_m = ceil(c.m / block_m)
    tiles = images * rows * wide
    vectors = ceil(tiles / lanes)
    tile_rows, across = next((r, v) for r, v in tile_shapes(machine)[::-1]
                             if v <= min(2, vectors))
    blocks = c.batch * ceil(w.images / images) * ceil(high / rows)
    turns = blocks * blocks_m
    groups = ceil(block_m / tile_rows)
    step = max(tile_step(ceil(block_m / groups), across), 0.0)
    height = ceil(block_m / groups)
    visits = groups * ceil(vectors / across)
    work = TAPS * visits * (step * w.channels + 10 + 2.5 * height * across)
    narrow = 1 + 0.5 * (wide < lanes // 2)
    into, out = vectors * w.channels * IN * narrow, vectors * block_m * OUT * narrow
    held = TAPS * 4 * tiles * (w.channels + block_m)
    work *= 1.0 if held <= machine.l2 // 2 else 1.04 if held <= machine.l2 else 1.1
    shared = blocks_m > 1
    block = work + out + (0.0 if shared else into)
    time = spread(turns * block, turns) + spread(WEIGHT * c.m * w.channels * c.batch / 2, c.m)
    if shared:
        time += spread(blocks * into * 1.2, blocks * w.channels)
    plan = WinogradPlan(images, rows, block_m, shared, (tile_rows, across * lanes), lanes)
    return plan, time


def winograd_kernels(c: Contraction, w: Windows, plan: WinogradPlan) -> list[Kernel]:
    """The kernels of the schedule, in order."""
    nest = WinogradNest(c, w, plan)
    kernels = [nest.weights()]
    if plan.shared:
        kernels.append(nest.inputs())
    return [*kernels, nest.products()]


class Tiles:
    """The tiles of a block and the transform of the input: V, for whoever multiplies with it."""

    def __init__(self, c: Contraction, w: Windows, plan: WinogradPlan) -> None:
        self.c, self.w, self.plan = c, w, plan
        self.type = c.accumulate
        self.high, self.wide = (ceil(n / 2) for n in w.places)
        self.bands = ceil(self.high / plan.rows)
        self.groups = ceil(w.images / plan.images)
        self.blocks = self.groups * self.bands                  # of one batch element
        self.blocks_m = ceil(c.m / plan.block_m)
        self.tiles = plan.rows * self.wide                      # of an image in a block
        self.span = self.up(self.tiles)
        needed = (plan.images - 1) * self.tiles + self.span
        self.stride = ceil(needed / plan.lanes) * plan.lanes
        self.v: Buffer | Local = Local("v", self.type, 0, "scratch")
        self.held = w.channels                                  # rows of V for each product

    def up(self, n: int) -> int:
        """The extent that vectors cover: a multiple of the lanes, or a power of two below them."""
        lanes = self.plan.lanes
        return 1 << (n - 1).bit_length() if n < lanes else ceil(n / lanes) * lanes

    def transform(self, b: Index, group: Index, band: Index, first: Index, channels: int,
                  start: Index) -> tuple[Stmt, ...]:
        """V of some channels of a block, from `start` on."""
        rows, lanes = 2 * self.plan.rows + 2, self.plan.lanes
        row = 2 * self.wide + 2
        pad = Local("padded", self.type, rows * row + 2 * lanes, "scratch")
        plane = (self.plan.rows + 1) * self.wide
        part = Local("columns", self.type, 8 * plane + lanes, "scratch")

        def channel(k: Index) -> tuple[Stmt, ...]:
            def element(image: Index, at: tuple[Index, ...]) -> Value:
                return self.w.load(b, image, first + k, at)
            return loop("g", self.plan.images, "seq", lambda g: (
                *self.copy(element, self.w.size, group * self.plan.images + g, band, pad, rows,
                           row),
                *self.columns(pad, row, part, self.plan.rows + 1, 4),
                *self.combine(part, plane, start + k * self.stride, g * self.tiles)))
        return loop("k", channels, "seq", channel)

    def copy(self, load: Callable[[Index, tuple[Index, ...]], Value], size: tuple[int, ...],
             image: Index, band: Index, pad: Local, rows: int, row: int) -> tuple[Stmt, ...]:
        """The rows that a band needs of an image; zeros outside `size`."""
        def element(y: Index, x: Index) -> tuple[Stmt, ...]:
            at = (band * (2 * self.plan.rows) + y, x)
            mask = both(edge(image, self.w.images), both(edge(at[0], size[0]), edge(x, size[1])))
            value = as_type(load(image, at), self.type)
            return (Store(pad, y * row + x, guard(value, mask)),)
        return loop("y", rows, "seq", lambda y: loop("x", row, "vector", lambda x: element(y, x)))

    def columns(self, pad: Local, row: int, part: Local, rows: int,
                count: int) -> tuple[Stmt, ...]:
        """D[q, parity of the row, row, x] = P[row, 2x + q], q in range(count)."""
        wide = self.wide

        def each(q: Index, h: Index) -> tuple[Stmt, ...]:
            start = (q * 2 + h) * (rows * wide)
            if wide < self.plan.lanes and self.plan.lanes % wide == 0:
                return loop("e", rows * wide, "vector", lambda e: (Store(
                    part, start + e,
                    Load(pad, (e // wide * 2 + h) * row + e % wide * 2 + q, self.type)),))
            return loop("y", rows, "seq", lambda y: loop("x", self.up(wide), "vector", lambda x: (
                Store(part, start + y * wide + x,
                      Load(pad, (y * 2 + h) * row + x * 2 + q, self.type)),)))
        return loop("q", count, "seq", lambda q: loop("h", 2, "seq", lambda h: each(q, h)))

    def combine(self, part: Local, plane: int, start: Index,
                first: Index) -> tuple[Stmt, ...]:
        """V = B' d B of an image's tiles."""
        def tile(x: Index) -> tuple[Stmt, ...]:
            e = Expressions(self.type)
            d = [[Load(part, x + ((2 * j + i % 2) * plane + i // 2 * self.wide), self.type)
                  for i in range(4)] for j in range(4)]
            half = [e.data(column) for column in d]
            for i in range(4):
                for j, value in enumerate(e.data([half[n][i] for n in range(4)])):
                    row = start + (4 * i + j) * (self.held * self.stride)
                    e.store(self.v, row + first + x, value)
            return e.body
        return loop("x", self.span, "vector", tile)

class WinogradNest(Tiles):
    """Builds the kernels of a convolution."""

    def __init__(self, c: Contraction, w: Windows, plan: WinogradPlan) -> None:
        super().__init__(c, w, plan)
        self.line = w.channels + plan.lanes                     # rows of U start on other sets
        self.u = c.temporary(f"{c.name}_weights", self.type,
                             c.batch * TAPS * self.blocks_m * plan.block_m * self.line)
        size = TAPS * w.channels * self.stride
        self.v = Local("v", self.type, size, "scratch")
        if plan.shared:
            self.v = c.temporary(f"{c.name}_tiles", self.type, c.batch * self.blocks * size)

    # -------------------------------------------------------------- weights

    def weights(self) -> Kernel:
        """U = G w G', with rows [t][m][channel]."""
        c, w = self.c, self.w
        rows = self.blocks_m * self.plan.block_m

        def turn(t: Index) -> tuple[Stmt, ...]:
            b, m = t // c.m, t % c.m

            def channel(k: Index) -> tuple[Stmt, ...]:
                e = Expressions(self.type)
                taps = [[e.let(c.a(b, m, k * 9 + (3 * i + j))) for j in range(3)]
                        for i in range(3)]
                half = [e.filter([taps[i][j] for i in range(3)]) for j in range(3)]
                for i in range(4):
                    for j, value in enumerate(e.filter([half[k][i] for k in range(3)])):
                        row = ((b * TAPS + (4 * i + j)) * rows + m) * self.line
                        e.store(self.u, row + k, value)
                return e.body
            return loop("k", w.channels, "vector", channel)
        moved = c.batch * c.m * w.channels * (9 + TAPS) * self.type.itemsize
        return kernel(f"{c.name}_weights", loop("t", c.batch * c.m, "parallel", turn), 0, moved,
                      c.origin)

    # -------------------------------------------------------------- the input

    def inputs(self) -> Kernel:
        """V of every block, where several blocks of channels read it."""
        c, w = self.c, self.w
        blocks = c.batch * self.blocks
        part = max(d for d in divisors(w.channels) if d <= 16)
        parts = w.channels // part

        def turn(t: Index) -> tuple[Stmt, ...]:
            block = t // parts
            b, first = block // self.blocks, block % self.blocks
            return self.transform(b, first // self.bands, first % self.bands, (t % parts) * part,
                                  part, self.v_block(block) + (t % parts) * (part * self.stride))
        moved = blocks * w.channels * self.stride * TAPS * self.type.itemsize
        return kernel(f"{c.name}_tiles", loop("t", blocks * parts, "parallel", turn), 0, moved,
                      c.origin)

    def v_block(self, block: Index) -> Index:
        """Where a block's tiles begin."""
        return block * (TAPS * self.w.channels * self.stride) if self.plan.shared else ZERO

    # -------------------------------------------------------------- products and results

    def products(self) -> Kernel:
        """The kernel that multiplies and stores."""
        c, w, plan = self.c, self.w, self.plan
        sums = Local("sums", self.type, TAPS * plan.block_m * self.stride, "scratch")
        blocks = c.batch * self.blocks

        def turn(t: Index) -> tuple[Stmt, ...]:
            # Blocks of one part of the weights go side by side: they stay in the cache.
            i, block = t // blocks, t % blocks
            b, first = block // self.blocks, block % self.blocks
            group, band = first // self.bands, first % self.bands
            start = self.v_block(block)
            body = () if plan.shared else self.transform(b, group, band, ZERO, w.channels, start)
            body += loop("u", TAPS, "seq", lambda u: self.multiply(b, i, u, start, sums))
            return body + self.results(b, i * plan.block_m, group, band, sums)
        moved = c.batch * self.type.itemsize * (
            w.images * (w.channels + c.m) * w.places[0] * w.places[1] + c.m * w.channels * TAPS)
        return kernel(c.name, loop("t", blocks * self.blocks_m, "parallel", turn), c.flops, moved,
                      c.origin)

    def multiply(self, b: Index, i: Index, u: Index, start: Index,
                 sums: Local) -> tuple[Stmt, ...]:
        """S[u] = U[u] @ V[u] of a block."""
        plan, channels = self.plan, self.w.channels
        rows, columns = plan.tile
        width = ceil(plan.images * self.tiles / plan.lanes) * plan.lanes
        place = ((b * TAPS + u) * self.blocks_m + i) * plan.block_m
        inner = replace(
            self.c, batch=1, m=plan.block_m, n=width, k=channels, dtype=self.type, windows=None,
            apart=None, turns_a=1, turns_b=1,
            load_a=lambda _, m, k: Load(self.u, (place + m) * self.line + k, self.type),
            load_b=lambda _, k, n: Load(
                self.v, start + (u * channels + k) * self.stride + n, self.type),
            store=lambda _, m, n, total: (
                Store(sums, (u * plan.block_m + m) * self.stride + n, total),))
        tiles = TilePlan(rows, columns, plan.lanes, plan.block_m, ceil(width / columns), channels,
                         False, "none", False)
        return TileNest(inner, tiles).block(ZERO, ZERO, ZERO)

    def results(self, b: Index, m0: Index, group: Index, band: Index,
                sums: Local) -> tuple[Stmt, ...]:
        """The results of a block, row by row."""
        plan, w, lanes = self.plan, self.w, self.plan.lanes
        small = Local("quarters", self.type, 4 * self.span + lanes, "scratch")
        count = 2 * plan.rows * w.places[1]
        whole = Local("results", self.type, count + 2 * lanes, "scratch")

        def image(m: Index, g: Index) -> tuple[Stmt, ...]:
            n = group * plan.images + g
            return (*self.gather(sums, m, g * self.tiles, small), *self.interleave(small, whole),
                    *loop("x", count, "vector", lambda x: self.output(
                        b, m0 + m, n, band * (2 * plan.rows), x, Load(whole, x, self.type))))
        return loop("m", plan.block_m, "seq", lambda m: loop(
            "g", plan.images, "seq", lambda g: image(m, g)))

    def gather(self, sums: Local, m: Index, first: Index, small: Local) -> tuple[Stmt, ...]:
        """The 2x2 results of every tile of an image, A' S A: four planes."""
        def tile(x: Index) -> tuple[Stmt, ...]:
            e = Expressions(self.type)
            s = [[Load(sums, (m + (4 * i + j) * self.plan.block_m) * self.stride + first + x,
                       self.type) for j in range(4)] for i in range(4)]
            half = [e.sums(row) for row in s]
            for j in range(2):
                for i, value in enumerate(e.sums([half[k][j] for k in range(4)])):
                    e.store(small, x + (2 * i + j) * self.span, value)
            return e.body
        return loop("x", self.span, "vector", tile)

    def interleave(self, small: Local, whole: Local) -> tuple[Stmt, ...]:
        """Rows of results from the planes of even and odd columns."""
        wide = self.w.places[1]
        return loop("y", self.plan.rows, "seq", lambda y: loop("i", 2, "seq", lambda i: loop(
            "x", self.up(wide), "vector", lambda x: (Store(
                whole, (y * 2 + i) * wide + x, Load(
                    small, (i * 2 + x % 2) * self.span + y * self.wide + x // 2,
                    self.type)),))))

    def output(self, b: Index, m: Index, n: Index, y: Index, x: Index,
               total: Value) -> tuple[Stmt, ...]:
        """The epilogue of a result, where it is one."""
        high, wide = self.w.places
        mask = both(edge(m, self.c.m), both(edge(n, self.w.images), edge(y * wide + x,
                                                                          high * wide)))
        assert self.w.store is not None
        body = self.w.store(b, m, n, (y + x // wide, x % wide), Read("total", self.type))
        return (Let("total", total), *(guard_statement(s, mask) for s in body))


class Expressions:
    """Statements of a transform; `let` names what is used twice."""

    def __init__(self, type: object) -> None:
        self.type = type
        self.body: tuple[Stmt, ...] = ()
        self.count = 0

    def let(self, value: Value) -> Value:
        name = f"w{self.count}"
        self.count += 1
        self.body += (Let(name, value),)
        return Read(name, value.dtype)

    def store(self, target: Buffer | Local, index: Index, value: Value) -> None:
        self.body += (Store(target, index, value),)

    def call(self, op: str, *args: Value) -> Value:
        return self.let(Call(op, args, args[0].dtype))

    def filter(self, g: Sequence[Value]) -> list[Value]:
        """G g: (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)."""
        half = Const(0.5, g[0].dtype)
        ends = self.call("add", g[0], g[2])
        return [g[0], self.call("mul", self.call("add", ends, g[1]), half),
                self.call("mul", self.call("sub", ends, g[1]), half), g[2]]

    def data(self, d: Sequence[Value]) -> list[Value]:
        """B' d: (d0 - d2, d1 + d2, d2 - d1, d1 - d3)."""
        return [self.call("sub", d[0], d[2]), self.call("add", d[1], d[2]),
                self.call("sub", d[2], d[1]), self.call("sub", d[1], d[3])]

    def sums(self, s: Sequence[Value]) -> list[Value]:
        """A' s: (s0 + s1 + s2, s1 - s2 - s3)."""
        return [self.call("add", self.call("add", s[0], s[1]), s[2]),
                self.call("sub", self.call("sub", s[1], s[2]), s[3])]

    def ends(self, g: Sequence[Value]) -> list[Value]:
        """A g: (g0, g0 + g1, g0 - g1, -g1)."""
        return [g[0], self.call("add", g[0], g[1]), self.call("sub", g[0], g[1]),
                self.call("neg", g[1])]

    def transposed(self, u: Sequence[Value]) -> list[Value]:
        """G' u: (u0 + (u1 + u2) / 2, (u1 - u2) / 2, (u1 + u2) / 2 + u3)."""
        half = Const(0.5, u[0].dtype)
        middle = self.call("mul", self.call("add", u[1], u[2]), half)
        return [self.call("add", u[0], middle),
                self.call("mul", self.call("sub", u[1], u[2]), half),
                self.call("add", middle, u[3])]
