"""Loop nests to LLVM IR text.

In: a `kernel.loopnest.Kernel`. Out: an LLVM function. Called by `cpu`.

    kernel relu(b0: float32[4096] in, b1: float32[4096] out)      define internal void @k0(ptr %ctx,
      parallel i0 in 4:                                               i64 %lo, i64 %hi, i64 %tid)
        vector i1 in 1024:                                        loop i0 from %lo to %hi
          b1[1024*i0 + i1] = max(b0[1024*i0 + i1], 0)               loop i1 by 16: load, max, store

`ctx` points to {slots, scratch, bytes of scratch a thread, places, turn}; `places` says for each
buffer of the kernel its slot, its offset and by how much it moves in a turn of a Repeat, so that
kernels that differ in memory alone share a function. A kernel that is one parallel loop runs its
iterations [lo, hi); one that is one vector loop of stores runs the blocks [lo, hi) of BLOCK
iterations; any other runs once.
"""
from __future__ import annotations

from dataclasses import dataclass

from ..core.dtype import dtype
from ..core.symbol import Index, Opaque
from ..kernel.loopnest import (
    Accumulate,
    Call,
    Cast,
    Const,
    FromIndex,
    Kernel,
    Let,
    Load,
    Local,
    Loop,
    Prefetch,
    Read,
    Stmt,
    Store,
    Value,
    children,
    statements,
)
from . import casts, operations
from .address import Lanes, Linear
from .emit import Scope, Val, constant, vector_type
from .memory import Memory, memory_type, register_type
from .plan import Facts, Fixed, Item, Segment, heavy, plan, study
from .target import Target
from .transpose import transpose

BLOCK = 1024
"""Iterations of a flat vector loop that are never split between threads (a multiple of lanes)."""


@dataclass(frozen=True, slots=True)
class Function:
    """The text of a kernel, and how it is to be run."""

    text: str
    count: int                       # iterations to share out; 1 for a serial kernel
    parallel: bool
    scratch_bytes: int               # of each thread
    declarations: dict[str, str]
    externals: frozenset[str]


class Partial:
    """The running lanes of an Accumulate whose place is the same in every iteration."""

    __slots__ = ("statement", "bindings", "values")

    def __init__(self, statement: Accumulate, bindings: Fixed) -> None:
        self.statement = statement
        self.bindings = bindings
        self.values: dict[tuple[int, int], Val] = {}     # (lanes, copy) -> value


class KernelEmitter(Memory):
    """Writes one kernel."""

    def __init__(self, kernel: Kernel, target: Target) -> None:
        super().__init__(target)
        self.kernel = kernel
        self.names: dict[str, Val] = {}
        self.memo: dict[int, Val] = {}
        self.place_buffers(kernel.buffers)
        self.scratch_bytes = self.place_locals(kernel.locals)
        self._writes: dict[int, frozenset[int]] = {}
        self._facts: dict[int, Facts] = {}

    # ------------------------------------------------------------ values

    def value(self, node: Value) -> Val:  # type: ignore[override]
        """The value of an expression; iterative, for chains may be long."""
        memo = self.memo
        found = memo.get(id(node))
        if found is not None:
            return found
        stack = [node]
        while stack:
            top = stack[-1]
            if id(top) in memo:
                stack.pop()
                continue
            pending = [c for c in children(top) if id(c) not in memo]
            if pending:
                pending.reverse()
                stack += pending
                continue
            memo[id(top)] = self._node(top)
            stack.pop()
        return memo[id(node)]

    def _node(self, v: Value) -> Val:
        if isinstance(v, Call):
            return operations.call(self, v, [self.memo[id(a)] for a in v.args])
        if isinstance(v, Load):
            mask = None if v.mask is None else self.memo[id(v.mask)]
            return self.load(v.source, v.index, v.dtype, mask, v.other)
        if isinstance(v, Const):
            return casts.literal(v.value, v.dtype)
        if isinstance(v, Read):
            return self.names[v.name]
        if isinstance(v, Cast):
            return casts.cast(self, self.memo[id(v.value)], v.value.dtype, v.dtype)
        assert isinstance(v, FromIndex)
        x = self.index_value(v.index)
        type = register_type(v.dtype)
        if type in ("float", "double"):
            return self.cast("sitofp", x, type)
        return x if type == x.type else self.cast("trunc", x, type)

    # ------------------------------------------------------------ statements

    def body(self, stmts: tuple[Stmt, ...]) -> None:
        for s in stmts:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        if isinstance(s, Loop):
            self.loop(s)
            return
        self.memo.clear()
        if isinstance(s, Let):
            self.names[s.name] = self.value(s.value)
        elif isinstance(s, Store):
            v = self.value(s.value)
            mask = None if s.mask is None else self.value(s.mask)
            self.store(s.target, s.index, v, mask)
        elif isinstance(s, Prefetch):
            self.prefetch(s.source, s.index)
        else:
            self.accumulate(s)

    def accumulate(self, s: Accumulate) -> None:
        """Lane by lane where lanes may meet in one place, else all at once."""
        d = s.target.dtype
        x = self.linear(s.index)
        term = self.term(s)
        if x.vectors:
            self._accumulate_serially(s, term)
            return
        old = self.load(s.target, s.index, d)
        self.store(s.target, s.index, self.join(s.op, old, term, d))

    def term(self, s: Accumulate) -> tuple[Val, ...]:
        """What is joined to the target: one value, or the two factors of a fused product."""
        if s.op == "fma" and isinstance(s.value, Call) and s.value.op == "mul":
            return tuple(self.value(a) for a in s.value.args)
        return (self.value(s.value),)

    def join(self, op: str, old: Val, term: tuple[Val, ...], d: dtype) -> Val:
        if len(term) == 2:
            return operations.fused(self, term[0], term[1], old, d)
        return operations.combine(self, "add" if op == "fma" else op, old, term[0], d)

    def _accumulate_serially(self, s: Accumulate, term: tuple[Val, ...]) -> None:
        x = self.linear(s.index)
        lanes = x.lanes
        index = self._vector_index(x)
        place, d = s.target, s.target.dtype
        type = memory_type(place.dtype)
        size = d.itemsize
        mask = None if self.mask is None else self.splat(self.mask, lanes)
        for k in range(lanes):
            at = self.extract(index, k)
            p = self._step(self.bases[place], type, at)
            if mask is not None:
                p = self.select(self.extract(mask, k), p, self._dummy())
            part = tuple(self.extract(self.splat(t, lanes), k) if t.lanes != 1 else t
                         for t in term)
            text = f"load {type}, ptr {p.name}, align {size}"
            old = self.from_memory(self._read(place, text, type, 1, p.level), d)
            new = self.to_memory(self.join(s.op, old, part, d), d)
            self.write(f"store {type} {new.name}, ptr {p.name}, align {size}")
            self.touch(place)

    # ------------------------------------------------------------ loops

    def writes(self, s: Loop) -> frozenset[int]:
        """The aliases' numbers of all that a loop stores in."""
        found = self._writes.get(id(s))
        if found is None:
            found = frozenset(self.alias[t.target] for t in statements(s.body)
                              if isinstance(t, (Store, Accumulate)))
            self._writes[id(s)] = found
        return found

    def loop(self, s: Loop) -> None:
        if s.var.extent <= 0:
            return
        if s.kind == "vector":
            self.vector(s, 0, s.var.extent)
        elif transpose(self, s):
            return
        elif s.stop is not None:
            last = self.call("llvm.smin", (self.index_value(s.stop),
                                           constant(s.var.extent, "i64")))
            self.running(s, constant(0, "i64"), last, guarded=True)
        elif s.kind == "unroll" or s.var.extent == 1:
            for k in range(s.var.extent):
                self.bindings[s.var] = k
                self.body(s.body)
        else:
            self.running(s, constant(0, "i64"), constant(s.var.extent, "i64"))

    def running(self, s: Loop, start: Val, stop: Val, guarded: bool = False) -> None:
        """A counted loop, run at least once unless it is guarded."""
        i = self.open(self.writes(s), tiled(s.body))
        self.bindings[s.var] = i
        self.body(s.body)
        self.close(i, start, stop, 1, {}, guarded)

    def open(self, writes: frozenset[int], tiled: bool = False) -> Val:
        """Begin a loop; returns its counter. `tiled`: a register tile's loop is inside."""
        self.scopes.append(Scope(self.label("loop"), writes, tiled))
        if tiled:
            self.floor = self.level
        for alias in writes:
            self.versions[alias] = self.versions.get(alias, 0) + 1
        return Val(self.fresh(), "i64", 1, self.level)

    def close(self, i: Val, start: Val, stop: Val, step: int,
              carried: dict[str, tuple[Val, Val]], guarded: bool = False) -> None:
        """End a loop. `carried` maps the name of a phi to its first and its next value."""
        inner = self.scopes.pop()
        outer = self.scopes[-1]
        self.floor = max((k for k, scope in enumerate(self.scopes) if scope.tiled), default=0)
        for alias in inner.writes:
            self.versions[alias] = self.versions.get(alias, 0) + 1
        head, last = inner.head, inner.block
        done = self.label("done")
        lines = outer.lines
        if guarded:
            enter = self.fresh()
            lines.append(f"{enter} = icmp slt i64 {start.name}, {stop.name}")
            lines.append(f"br i1 {enter}, label %{head}, label %{done}")
        else:
            lines.append(f"br label %{head}")
        lines.append(f"{head}:")
        following = self.fresh()
        lines.append(f"{i.name} = phi i64 [{start.name}, %{outer.block}], [{following}, %{last}]")
        for name, (first, then) in carried.items():
            vt = vector_type(then.type, then.lanes)
            lines.append(f"{name} = phi {vt} [{self.operand(first, then.lanes)}, %{outer.block}], "
                         f"[{then.name}, %{last}]")
        lines += inner.lines
        more = self.fresh()
        lines.append(f"{following} = add nsw i64 {i.name}, {step}")
        lines.append(f"{more} = icmp slt i64 {following}, {stop.name}")
        lines.append(f"br i1 {more}, label %{head}, label %{done}")
        lines.append(f"{done}:")
        outer.block = done

    # ------------------------------------------------------------ vector loops

    def vector(self, s: Loop, start: int | Val, stop: int | Val) -> None:
        """A vector loop over [start, stop); bounds that run need a loop without reductions."""
        facts = self._facts.get(id(s))
        if facts is None:
            facts = self._facts[id(s)] = study(s, self._flatten(s.body, {}), self.target)
        items = facts.items
        partials = [Partial(t, b) for t, b in items
                    if isinstance(t, Accumulate) and not self._varies(t.index, s)]
        if isinstance(start, Val) or isinstance(stop, Val):
            assert not partials
            self._running_segments(s, facts, start, stop)
        else:
            for segment in plan(stop, facts.lanes, facts.work, bool(partials), facts.maskable,
                                facts.exact, facts.apart):
                self._segment(s, items, partials, segment)
        for p in partials:
            self._finish(p)
        self.mask = None
        self.bindings.pop(s.var, None)

    def _varies(self, index: Index, s: Loop) -> bool:
        """Whether an index may differ between iterations of `s`."""
        return any(a is s.var or isinstance(a, Opaque) for a in index.atoms())

    def _flatten(self, body: tuple[Stmt, ...], fixed: Fixed) -> list[Item]:
        items: list[Item] = []
        for s in body:
            if isinstance(s, Loop) and s.kind == "unroll":
                for k in range(s.var.extent):
                    items += self._flatten(s.body, {**fixed, s.var: k})
            else:
                items.append((s, fixed))
        return items

    def _running_segments(self, s: Loop, facts: Facts, start: int | Val,
                          stop: int | Val) -> None:
        """Whole vectors, then the rest under a mask or one by one; the bounds are multiples of
        BLOCK, but for the last."""
        begin = start if isinstance(start, Val) else constant(start, "i64")
        end = stop if isinstance(stop, Val) else constant(stop, "i64")
        items, lanes, extent = facts.items, facts.lanes, s.var.extent
        whole = extent // lanes * lanes
        if facts.maskable and heavy(facts.work) and whole != extent:
            self._run(s, items, [], Segment(0, extent, lanes, 1, True), begin, end)
            return
        limit = self.call("llvm.smin", (end, constant(whole, "i64")))
        if whole:
            self._run(s, items, [], Segment(0, whole, lanes, 1, False), begin, limit)
        if whole != extent:
            rest = self.call("llvm.smax", (begin, constant(whole, "i64")))
            tail = lanes if facts.maskable else 1
            self._run(s, items, [], Segment(whole, extent, tail, 1, facts.maskable), rest, end)

    def _segment(self, s: Loop, items: list[Item], partials: list[Partial], g: Segment) -> None:
        if g.turns == 1:
            self._turn(s, items, partials, g, None, g.start)
        else:
            self._run(s, items, partials, g, constant(g.start, "i64"), constant(g.stop, "i64"))

    def _run(self, s: Loop, items: list[Item], partials: list[Partial], g: Segment,
             start: Val, stop: Val) -> None:
        """A segment as a loop."""
        i = self.open(self.writes(s))
        firsts: dict[tuple[int, int, int], tuple[Val, Val]] = {}
        for n, p in enumerate(partials):
            for u in range(g.copies):
                d = casts.computed(p.statement.target.dtype)
                first = p.values.get((g.lanes, u))
                if first is None:
                    first = operations.identity(p.statement.op, d)
                phi = Val(self.fresh(), first.type, g.lanes, self.level)
                firsts[n, g.lanes, u] = (phi, first)
                p.values[g.lanes, u] = phi
        self._turn(s, items, partials, g, i, 0)
        carried = {}
        for (n, lanes, u), (phi, first) in firsts.items():
            then = partials[n].values[lanes, u]
            carried[phi.name] = (first, then)
        level = self.level - 1
        guarded = start.lanes != 0 or stop.lanes != 0
        self.close(i, start, stop, g.lanes * g.copies, carried, guarded)
        for (n, lanes, u) in firsts:
            last = partials[n].values[lanes, u]
            partials[n].values[lanes, u] = Val(last.name, last.type, last.lanes, level)

    def _turn(self, s: Loop, items: list[Item], partials: list[Partial], g: Segment,
              base: Val | None, start: int) -> None:
        """One iteration of a segment: its copies of the body."""
        for u in range(g.copies):
            self.bindings[s.var] = Lanes(base, start + u * g.lanes, g.lanes)
            self.mask = None
            if g.masked:
                at = self.linear(_index_of(s))
                limit = constant(g.limit, "i32" if s.var.extent < 1 << 31 else "i64")
                self.mask = self.compare("icmp slt", self._vector_index(at, limit.type), limit)
            waiting = iter(partials)
            pending = next(waiting, None)
            for t, fixed in items:
                self.bindings.update(fixed)
                if pending is not None and t is pending.statement and fixed is pending.bindings:
                    self.memo.clear()
                    self._partial(pending, g, u)
                    pending = next(waiting, None)
                else:
                    self.statement(t)

    def _vector_index(self, x: Linear, type: str = "i64") -> Val:
        return self.splat(self._vector(x, type), x.lanes) if not x.uniform else self._scalar(x)

    def _partial(self, p: Partial, g: Segment, u: int) -> None:
        """Join this iteration's value to the running lanes."""
        s = p.statement
        d = casts.computed(s.target.dtype)
        old = p.values.get((g.lanes, u))
        term = self.term(s)
        if old is None:
            old = self.splat(operations.identity(s.op, d), g.lanes)
        new = self.splat(self.join(s.op, old, term, d), g.lanes)
        if self.mask is not None:
            new = self.select(self.mask, new, old)
        p.values[g.lanes, u] = new

    def _finish(self, p: Partial) -> None:
        """All lanes into one value, and that into the target."""
        s = p.statement
        d = s.target.dtype
        wide = casts.computed(d)
        op = "add" if s.op == "fma" else s.op
        parts = sorted(p.values.items(), key=lambda item: (-item[0][0], item[0][1]))
        values = [v for _, v in parts]
        while len(values) > 1 or values[0].lanes > 1:
            lanes = values[0].lanes
            same = [v for v in values if v.lanes == lanes]
            rest = values[len(same):]
            if len(same) > 1:
                joined = [operations.combine(self, op, a, b, wide)
                          for a, b in zip(same[::2], same[1::2])]
                values = joined + same[len(joined) * 2:] + rest
            else:
                low = self.half(same[0], 0)
                high = self.half(same[0], 1)
                values = [operations.combine(self, op, low, high, wide)] + rest
        self.bindings.update(p.bindings)
        old = self.load(s.target, s.index, d)
        self.store(s.target, s.index, operations.combine(self, op, old, values[0], d))

    def half(self, v: Val, which: int) -> Val:
        """The lower or upper half of the lanes."""
        n = v.lanes // 2
        if n == 1:
            return self.extract(v, which)
        return self.shuffle(v, range(which * n, which * n + n))

    # ------------------------------------------------------------ the function

    def function(self, name: str) -> Function:
        count, parallel = 1, False
        first = self.kernel.body[0] if len(self.kernel.body) == 1 else None
        if isinstance(first, Loop) and first.kind == "parallel" and first.var.extent > 0:
            count, parallel = first.var.extent, True
            self.running(first, Val("%lo", "i64", 1, 0), Val("%hi", "i64", 1, 0))
        elif isinstance(first, Loop) and self._flat(first):
            count, parallel = -(-first.var.extent // BLOCK), True
            lo = self.binary("mul", Val("%lo", "i64", 1, 0), constant(BLOCK, "i64"))
            hi = self.binary("mul", Val("%hi", "i64", 1, 0), constant(BLOCK, "i64"))
            hi = self.call("llvm.smin", (hi, constant(first.var.extent, "i64")))
            self.vector(first, lo, hi)
        else:
            self.body(self.kernel.body)
        text = self._text(name)
        return Function(text, count, parallel, self.scratch_bytes, self.declarations,
                        frozenset(self.externals))

    def _flat(self, s: Loop) -> bool:
        """Whether the kernel is a vector loop whose iterations may go to any thread."""
        if s.kind != "vector" or s.var.extent < 2 * BLOCK:
            return False
        if any(m.space == "register" for m in self.kernel.locals):
            return False
        return all(isinstance(t, (Store, Let)) and not isinstance(getattr(t, "target", 0), Local)
                   and (isinstance(t, Let) or not self._place_fixed(t, s))
                   for t in s.body)

    def _place_fixed(self, t: Store, s: Loop) -> bool:
        return t.index.coefficient(s.var) == 0 and not t.index.uses(s.var)

    def _text(self, name: str) -> str:
        head = [f"define void @{name}(ptr noundef %ctx, i64 %lo, i64 %hi, i64 %tid) #0 {{",
                "entry:",
                *self.prologue,
                "%slots = load ptr, ptr %ctx, align 8",
                "%ctx3 = getelementptr ptr, ptr %ctx, i64 3",
                "%places = load ptr, ptr %ctx3, align 8",
                "%ctx4 = getelementptr ptr, ptr %ctx, i64 4",
                "%turn = load i64, ptr %ctx4, align 8",
                "%ctx1 = getelementptr ptr, ptr %ctx, i64 1",
                "%scratch0 = load ptr, ptr %ctx1, align 8",
                "%ctx2 = getelementptr ptr, ptr %ctx, i64 2",
                "%stride = load i64, ptr %ctx2, align 8",
                "%mine = mul i64 %stride, %tid",
                "%scratch = getelementptr i8, ptr %scratch0, i64 %mine"]
        return "\n".join([*head, *self.scopes[0].lines, "ret void", "}"])


def tiled(body: tuple[Stmt, ...]) -> bool:
    """Whether a loop in the body adds to sums in registers, lane by lane."""
    return any(_adds_to_tile(t) for s in body if isinstance(s, Loop) and s.kind == "seq"
               for t in statements(s.body) if isinstance(t, Loop) and t.kind == "vector") \
        or any(tiled(s.body) for s in body if isinstance(s, Loop))


def _adds_to_tile(s: Loop) -> bool:
    return any(isinstance(t, Accumulate) and isinstance(t.target, Local)
               and t.target.space == "register" and t.index.uses(s.var) for t in s.body)


def _index_of(s: Loop) -> Index:
    return Index(((s.var, 1),), 0)
