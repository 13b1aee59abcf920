"""Loop nests of chains (attention): large values in scratch, a block of rows at a time.

In: a `fuse.Group` with a `Chain`, and the memory of the nodes it reads and stores. Out: one
`Kernel`. Called by `graph/lower`.

    parallel t in batch * blocks:                 `width` rows a block; lanes run over rows
      s[column, row] = k[column, :] . q[row, :]                  the source, a contraction
      seq column:  vector row:  top[row] max= s[column, row]     a pass for each reduction
      seq column:  vector row:  s[column, row] = exp(s[column, row] - top[row]) …
      o[row, :] = sum over column of s[column, row] * v[column, :]

Large values lie with columns outside, so that reductions are vertical and the operands of every
contraction are read as they lie. Where what lies above the diagonal counts for nothing, loops over
columns end at the block's last row. Sums over rows (gradients of keys and values) are added up in
scratch over the blocks of a batch element, which then is one turn, or a few whose sums another
kernel adds: so many as the sizes say.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from ..core.dtype import dtype
from ..core.symbol import ZERO, Index, Var, of
from ..kernel.cost import Machine, tile_shapes
from ..kernel.gemm_spec import Allocator, Contraction
from ..kernel.gemm_tile import Ends, block_nest, groups_of
from ..kernel.loopnest import (
    Accumulate,
    Buffer,
    Call,
    Cast,
    Const,
    Kernel,
    Load,
    Local,
    Stmt,
    Store,
    Value,
)
from ..kernel.schedule import as_type, divisors, edge, guard, guard_statement, kernel, loop
from . import nest
from .chain_passes import Large, Passes
from .emit import REDUCERS, Emitter, accumulator
from .fuse import Group
from .node import Node
from .place import At, flat, unflatten

ROOM = 1 << 20                  # bytes of a large value's block
TURNS = 16                      # the fewest turns of a chain with sums over rows, if there are rows
ALIASED = 1024                  # rows of an operand so many bytes apart share cache sets


def build(group: Group, name: str, buffers: dict[int, Buffer], temporary: Allocator,
          machine: Machine | None) -> list[Kernel]:
    """The kernel of a chain, and those that add up the parts of sums over rows."""
    return _Chained(group, name, buffers, temporary, machine or Machine()).kernels()


class _Chained(Passes):
    def __init__(self, group: Group, name: str, buffers: dict[int, Buffer],
                 temporary: Allocator, machine: Machine) -> None:
        super().__init__(group, buffers)
        self.name, self.machine = name, machine
        self.names = itertools.count()
        *self.batch_shape, self.rows, self.columns = self.chain.shape
        self.batch = math.prod(self.batch_shape)
        self.type = accumulator(self.chain.sources[0].dtype)
        self.lanes = machine.lanes(self.type.itemsize)
        self.shape = max((s for s in tile_shapes(machine) if s[1] == 2),
                         key=lambda s: s[0] * s[1])
        self.width = self._width()
        self.blocks = -(-self.rows // self.width)
        self.by_rows = [s for s in self.chain.sinks if self.form(s)[1]]
        self.by_columns = [s for s in self.chain.sinks if not self.form(s)[1]]
        self.parts = self._parts()
        self.partial = {id(s): temporary(f"{name}_parts", self.type, self.batch * self.parts
                                         * self.columns * self._padded(s))
                        for s in self.by_columns if self.parts > 1}

    def _parts(self) -> int:
        """Turns that share the rows of a batch element where sums run over rows."""
        if not self.by_columns:
            return 1
        return next((d for d in divisors(self.blocks) if self.batch * d >= TURNS), self.blocks)

    def _width(self) -> int:
        """Rows of a block: whole vectors, few lanes unused, not too much scratch."""
        most = ROOM // (self.columns * self.type.itemsize * self.lanes)
        # A narrow block has work for the multipliers only if its tiles are tall.
        counts = [v for v in (1, 2, 4) if v <= most and (v > 1 or self.shape[0] >= 10)] or [1]
        return self.lanes * min(counts, key=lambda v: (
            self._elements(v * self.lanes) * (1 + 0.3 / v), -v))

    def _tile(self, extent: int) -> tuple[int, int]:
        """(rows, vectors) of the register tiles for so many rows: a divisor of them, if one keeps
        the multipliers busy, for that is half the code."""
        rows, vectors = self.shape
        even = [d for d in divisors(extent) if rows * 3 <= d * 5 and d <= rows]
        return max(even, default=rows), vectors

    def _elements(self, width: int) -> int:
        """Elements of a large value that are worked out with blocks of so many rows."""
        blocks = -(-self.rows // width)
        if not self.chain.below:
            return blocks * width * self.columns
        return sum(min(self.columns, (i + 1) * width) * width for i in range(blocks))

    # ------------------------------------------------------------ the kernel

    def kernels(self) -> list[Kernel]:
        if self.by_columns:
            body = loop("t", self.batch * self.parts, "parallel",
                        lambda t: self._part(t // self.parts, t % self.parts))
        else:
            body = loop("t", self.batch * self.blocks, "parallel",
                        lambda t: self._block(t // self.blocks, t % self.blocks))
        small = sum(self._inner(d) for d in self.chain.sources)
        small += sum(s.size // (self.batch * (self.rows if self.form(s)[1] else self.columns))
                     for s in self.chain.sinks)
        flops = 2 * math.prod(self.chain.shape) * small // (2 if self.chain.below else 1)
        moved = sum(n.size * n.dtype.itemsize for n in self.group.stored)
        moved += sum(s.size * s.dtype.itemsize for d in (*self.chain.sources, *self.chain.sinks)
                     for s in d.src if id(s) not in self.chain.wide)
        first = kernel(self.name, body, flops, moved, self.group.nodes[-1].origin)
        return [first, *(self._add_up(s) for s in self.by_columns if self.parts > 1)]

    def _inner(self, source: Node) -> int:
        a_dims, _, out_dims, _ = source.attrs
        return math.prod(n for d, n in zip(a_dims, source.src[0].shape) if d not in out_dims)

    def _part(self, b: Index, part: Index) -> tuple[Stmt, ...]:
        """Blocks of rows of one batch element (every so many), adding up over them."""
        self.sums: dict[int, Local] = {}
        body: tuple[Stmt, ...] = ()
        zero = Const(0.0, self.type)
        for sink in self.by_columns:
            size = self.columns * self._padded(sink)
            self.sums[id(sink)] = made = Local(f"sum{next(self.names)}", self.type, size, "scratch")
            body += loop("z", size, "vector", lambda z, made=made: (Store(made, z, zero),))  # type: ignore[misc]
        body += loop("i", self.blocks // self.parts, "seq",
                     lambda i: self._block(b, i * self.parts + part))
        for sink in self.by_columns:
            sums = self.sums[id(sink)]
            partial = self.partial.get(id(sink))
            if partial is None:
                body += loop("s", self.columns, "seq", lambda s, sink=sink: self._put_sums(  # type: ignore[misc]
                    sink, b, s, lambda at: Load(self.sums[id(sink)], at, self.type)))
                continue
            start = (b * self.parts + part) * sums.size
            body += loop("z", sums.size, "vector", lambda z: (
                Store(partial, start + z, Load(sums, z, self.type)),))  # noqa: B023 - called at once
        return body

    def _add_up(self, sink: Node) -> Kernel:
        """The kernel that adds the parts, in order."""
        partial, size = self.partial[id(sink)], self.columns * self._padded(sink)

        def total(b: Index, at: Index) -> Value:
            start = b * self.parts * size + at
            value: Value = Load(partial, start, self.type)
            for part in range(1, self.parts):
                other = Load(partial, start + part * size, self.type)
                value = Call("add", (value, other), self.type)
            return value

        def row(t: Index) -> tuple[Stmt, ...]:
            b, s = t // self.columns, t % self.columns
            return self._put_sums(sink, b, s, lambda at: total(b, at))
        body = loop("t", self.batch * self.columns, "parallel", row)
        moved = (self.parts + 1) * self.batch * size * self.type.itemsize
        return kernel(f"{self.name}_add", body, self.parts * sink.size, moved, sink.origin)

    def _block(self, b: Index, i: Index) -> tuple[Stmt, ...]:
        """A block of rows: sources, passes, sinks."""
        self.b, self.n0 = b, i * self.width
        self.stop = self.n0 + self.width if self.chain.below else None
        self.large: dict[int, Large] = {}
        self.stats: dict[int, Local] = {}
        body: tuple[Stmt, ...] = ()
        kept = self.kept()
        for source in self.chain.sources:
            body += self._source(source, self.until(source, kept))
        last = max([step for _, step in kept.values()]
                   + [self.passes[id(r)] - 1 for r in self.chain.reductions], default=-1)
        for step in range(last + 1):
            body += self._pass(step, kept)
        for sink in self.by_rows:
            body += self._row_sums(sink)
        for sink in self.by_columns:
            body += self._column_sums(sink)
        return body

    # ------------------------------------------------------------ contractions

    def _labels(self, dot: Node, large: tuple[int, ...]) -> dict[int, Index]:
        """The places of the batch labels: those of a large value's dims."""
        batch = unflatten(self.b, tuple(self.batch_shape))
        return dict(zip(large[:-2], batch))

    def _operand(self, node: Node, dims: tuple[int, ...], at: dict[int, Index]) -> Value:
        em = Emitter(self.outside, self.names)
        value = em.value(node, tuple(at[d] for d in dims))
        if em.body:
            raise AssertionError("an operand of a contraction must be a plain read")
        return as_type(value, self.type)

    def _inside(self, row: Index) -> Value | None:
        return edge(self.n0 + row, self.rows)

    def _source(self, dot: Node, until: int) -> tuple[Stmt, ...]:
        """large[column, row] = sum over k of right[column, k] * left[row, k]."""
        a_dims, b_dims, out_dims, _ = dot.attrs
        n, s = out_dims[-2:]
        (left, left_dims), (right, right_dims) = (dot.src[0], a_dims), (dot.src[1], b_dims)
        if n not in left_dims:
            left, left_dims, right, right_dims = right, right_dims, left, left_dims
        inner = tuple(d for d in left_dims if d not in out_dims)
        extents = dict(zip(left_dims, left.shape))
        sizes = tuple(extents[d] for d in inner)
        fixed = self._labels(dot, out_dims)
        place = Local(f"large{next(self.names)}", self.type, self.columns * self.width, "scratch")
        self.large[id(dot)] = Large(place, until)

        def load_a(_: Index, m: Index, k: Index) -> Value:
            at = fixed | {s: m} | dict(zip(inner, unflatten(k, sizes)))
            return self._operand(right, right_dims, at)

        def load_b(_: Index, k: Index, j: Index) -> Value:
            at = fixed | {n: self.n0 + j} | dict(zip(inner, unflatten(k, sizes)))
            return guard(self._operand(left, left_dims, at), self._inside(j))

        def store(_: Index, m: Index, j: Index, total: Value) -> tuple[Stmt, ...]:
            value = as_type(as_type(total, dot.dtype), self.type)
            return (Store(place, m * self.width + j, value),)
        c = self._contraction(self.columns, self.width, math.prod(sizes), load_a, load_b, store)
        return block_nest(c, self._tile(c.m), self.lanes, True, Ends(rows=self.stop))

    def _contraction(self, m: int, n: int, k: int, load_a: Callable[..., Value],
                     load_b: Callable[..., Value],
                     store: Callable[..., tuple[Stmt, ...]]) -> Contraction:
        return Contraction(self.name, m, n, k, load_a, load_b, store, _no_memory, 1, self.type)

    def _sides(self, sink: Node) -> tuple[Node, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """(the small operand, its labels, the large one's labels, the small labels of the sum)."""
        which, _ = self.form(sink)
        large, dims = sink.attrs[which], sink.attrs[1 - which]
        rest = tuple(d for d in sink.attrs[2] if d not in large)
        return sink.src[1 - which], dims, large, rest

    def _rest(self, sink: Node) -> tuple[int, ...]:
        extent = dict(zip(sink.attrs[2], sink.shape))
        return tuple(extent[d] for d in self._sides(sink)[3])

    def _padded(self, sink: Node) -> int:
        return -(-math.prod(self._rest(sink)) // self.lanes) * self.lanes

    def _row_sums(self, sink: Node) -> tuple[Stmt, ...]:
        """out[row, :] = sum over columns of large[column, row] * small[column, :]."""
        small, dims, large, rest = self._sides(sink)
        sizes = self._rest(sink)
        fixed = self._labels(sink, large)
        place = self.large[id(sink.src[self.form(sink)[0]])].place
        n, s = large[-2:]

        def load_a(_: Index, m: Index, k: Index) -> Value:
            return Load(place, k * self.width + m, self.type)

        def load_b(_: Index, k: Index, j: Index) -> Value:
            return self._operand(small, dims, fixed | {s: k} | dict(zip(rest, unflatten(j, sizes))))

        def store(_: Index, m: Index, j: Index, total: Value) -> tuple[Stmt, ...]:
            at = fixed | {n: self.n0 + m} | dict(zip(rest, unflatten(j, sizes)))
            body = self._finish(sink, tuple(at[d] for d in sink.attrs[2]), total, m)
            return tuple(guard_statement(t, self._inside(m)) for t in body)
        c = self._contraction(self.width, math.prod(sizes), self.columns, load_a, load_b, store)
        return block_nest(c, self._tile(c.m), self.lanes, self._aliased(small, dims, s),
                          Ends(inner=self.stop))

    def _aliased(self, small: Node, dims: tuple[int, ...], s: int) -> bool:
        """Whether the rows of an operand share sets of the caches, or are not runs in memory."""
        at: dict[int, Index] = dict.fromkeys(dims, ZERO)
        var = Var("s", self.columns)
        value = self._operand(small, dims, at | {s: of(var)})
        while isinstance(value, Cast):
            value = value.value
        if not isinstance(value, Load):
            return True
        step = value.index.coefficient(var)
        return step == 1 or (step * value.dtype.itemsize) % ALIASED == 0

    def _finish(self, sink: Node, at: At, total: Value, m: Index) -> tuple[Stmt, ...]:
        """Store a sink's sum and what follows it."""
        stored = [n for n in self.group.stored if n is sink or (
            n not in self.chain.members and self._follows(n, sink))]
        em = Emitter(self.outside, self.names)
        value = as_type(total, sink.dtype)
        em.bind(sink, at, em.let(value))
        for node, place in self.stats.items():
            reduction = next(r for r in self.chain.reductions if id(r) == node)
            em.bind(reduction, (*at[:-1], ZERO), Load(place, m, reduction.dtype))
        values = em.values([(n, at) for n in stored])
        return (*em.body, *(Store(self.buffers[id(n)], flat(at, n.shape), v)
                            for n, v in zip(stored, values)))

    def _follows(self, node: Node, sink: Node) -> bool:
        seen: set[int] = set()
        stack = [node]
        while stack:
            found = stack.pop()
            if found is sink:
                return True
            if id(found) not in seen and id(found) not in self.outside:
                seen.add(id(found))
                stack.extend(s for s in found.src if s not in self.chain.members or s is sink)
        return False

    def _column_sums(self, sink: Node) -> tuple[Stmt, ...]:
        """sums[column, :] += sum over the block's rows of large[column, row] * small[row, :]."""
        small, dims, large, rest = self._sides(sink)
        sizes = self._rest(sink)
        fixed = self._labels(sink, large)
        place = self.large[id(sink.src[self.form(sink)[0]])].place
        sums, step = self.sums[id(sink)], self._padded(sink)
        n = large[-2]

        def load_a(_: Index, m: Index, k: Index) -> Value:
            return Load(place, m * self.width + k, self.type)

        def load_b(_: Index, k: Index, j: Index) -> Value:
            at = fixed | {n: self.n0 + k} | dict(zip(rest, unflatten(j, sizes)))
            return guard(self._operand(small, dims, at), self._inside(k))

        def store(_: Index, m: Index, j: Index, total: Value) -> tuple[Stmt, ...]:
            at = m * step + j
            value = Call("add", (Load(sums, at, self.type), total), self.type)
            return (Store(sums, at, value),)
        c = self._contraction(self.columns, math.prod(sizes), self.width, load_a, load_b, store)
        return block_nest(c, self._tile(c.m), self.lanes, True, Ends(rows=self.stop))

    def _put_sums(self, sink: Node, b: Index, s: Index,
                  total: Callable[[Index], Value]) -> tuple[Stmt, ...]:
        """Store a row of what was added up."""
        _, _, large, rest = self._sides(sink)
        sizes = self._rest(sink)
        batch = dict(zip(large[:-2], unflatten(b, tuple(self.batch_shape))))

        def element(j: Index) -> tuple[Stmt, ...]:
            places = batch | {large[-1]: s} | dict(zip(rest, unflatten(j, sizes)))
            at = tuple(places[d] for d in sink.attrs[2])
            value = as_type(total(s * self._padded(sink) + j), sink.dtype)
            return (Store(self.buffers[id(sink)], flat(at, sink.shape), value),)
        return loop("j", math.prod(sizes), "vector", element)

    # ------------------------------------------------------------ passes

    def _pass(self, step: int, kept: dict[int, tuple[Node, int]]) -> tuple[Stmt, ...]:
        """Walk over the columns: reductions of this pass, and large values that it writes."""
        reduced = [r for r in self.chain.reductions if self.passes[id(r)] == step + 1]
        fills = [n for n, at in kept.values() if at == step]
        sums = [Local(f"a{next(self.names)}", accumulator(r.dtype), self.width, "register")
                for r in reduced]
        targets = self._targets(fills, step, kept)
        before: tuple[Stmt, ...] = ()
        if not reduced and not fills:
            return ()
        for node, place in zip(reduced, sums):
            start = nest.identity(node.op.name, place.dtype)
            before += loop("j", self.width, "vector",
                           lambda j, place=place, start=start: (Store(place, j, start),))  # type: ignore[misc]
        body = self._over_columns(lambda s, j: self._element(s, j, reduced, sums, fills, targets))
        taken = {id(x.place) for x in targets}
        self.large = {k: x for k, x in self.large.items() if id(x.place) not in taken}
        for node, large in zip(fills, targets):
            self.large[id(node)] = large
        after: tuple[Stmt, ...] = ()
        for node, place in zip(reduced, sums):
            after += self._put_reduction(node, place)
        return before + body + after

    def _targets(self, fills: list[Node], step: int,
                 kept: dict[int, tuple[Node, int]]) -> list[Large]:
        """Scratch for the values that a pass writes: that of a value nobody reads later."""
        free = [k for k, x in self.large.items() if x.until <= step]
        targets = []
        for node in fills:
            until = self.until(node, kept)
            if free:
                place = self.large[free.pop()].place
            else:
                place = Local(f"large{next(self.names)}", self.type,
                              self.columns * self.width, "scratch")
            targets.append(Large(place, until))
        return targets

    def _over_columns(self, element: Callable[[Index, Index], tuple[Stmt, ...]],
                      ) -> tuple[Stmt, ...]:
        """A loop over the columns that the sources worked out (whole register tiles)."""
        def row(s: Index) -> tuple[Stmt, ...]:
            return loop("j", self.width, "vector", lambda j: element(s, j))
        if self.stop is None:
            return loop("s", self.columns, "seq", row)
        body: tuple[Stmt, ...] = ()
        for g in groups_of(self.columns, self._tile(self.columns)[0]):
            tiles = (self.stop - g.start + g.height - 1) // g.height
            body += loop("s", g.count * g.height, "seq", lambda s, g=g: row(s + g.start),  # type: ignore[misc]
                         tiles * g.height)
        return body

    def _element(self, s: Index, j: Index, reduced: list[Node], sums: list[Local],
                 fills: list[Node], targets: list[Large]) -> tuple[Stmt, ...]:
        """What a pass does at one column and row."""
        at = (*unflatten(self.b, tuple(self.batch_shape)), self.n0 + j, s)
        em = self._emitter(at, s, j)
        values = [em.let(v) for v in em.values(
            [(n, at) for n in [*(r.src[0] for r in reduced), *fills]])]
        mask = self._inside(j)
        body = [guard_statement(t, mask) for t in em.body]
        for node, place, value in zip(reduced, sums, values):
            body.append(Accumulate(place, j, REDUCERS[node.op.name],
                                   as_type(value, place.dtype)))
        for target, value in zip(targets, values[len(reduced):]):
            value = as_type(value, self.type)
            if mask is not None:
                value = Call("where", (mask, value, Const(0.0, self.type)), self.type)
            body.append(Store(target.place, s * self.width + j, value))
        return tuple(body)

    def _emitter(self, at: At, s: Index, j: Index) -> Emitter:
        em = Emitter(self.outside, self.names)
        for node in self.order:
            if id(node) in self.large:
                value: Value = Load(self.large[id(node)].place, s * self.width + j, self.type)
                em.bind(node, at, as_type(value, node.dtype))
            elif id(node) in self.stats:
                em.bind(node, (*at[:-1], ZERO), Load(self.stats[id(node)], j, node.dtype))
        return em

    def _put_reduction(self, node: Node, place: Local) -> tuple[Stmt, ...]:
        """A finished reduction: kept for later passes, and stored if others read it."""
        kind: dtype = node.dtype
        self.stats[id(node)] = made = Local(f"row{next(self.names)}", kind, self.width, "scratch")

        def put(j: Index) -> tuple[Stmt, ...]:
            value = as_type(Load(place, j, place.dtype), kind)
            body: tuple[Stmt, ...] = (Store(made, j, value),)
            if node in self.group.stored:
                at = (*unflatten(self.b, tuple(self.batch_shape)), self.n0 + j, ZERO)
                target = Store(self.buffers[id(node)], flat(at, node.shape), value)
                body += (guard_statement(target, self._inside(j)),)
            return body
        return loop("j", self.width, "vector", put)


def _no_memory(name: str, kind: dtype, size: int) -> Buffer:
    raise AssertionError("a contraction inside a nest needs no memory of its own")
