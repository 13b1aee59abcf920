"""Loop nests of fused groups: maps, and reductions with the maps around them.

In: a `fuse.Group` and the memory of the nodes it reads and stores. Out: one `Kernel`. Called by
`graph/lower`.

    row(8, 100) over (1,): amax, sum, div
      parallel i in 8:
        m[0] = -inf;  vector j: m[0] max= x[100*i + j]
        t0 = m[0]; s[0] = 0;  vector j: s[0] += exp(sub(x[100*i + j], t0))
        t1 = s[0];  vector j: out[100*i + j] = div(exp(sub(x[100*i + j], t0)), t1)
"""
from __future__ import annotations

import itertools
import math
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..core.symbol import ZERO, Index, Var, of
from ..kernel.loopnest import (
    Accumulate,
    Buffer,
    Cast,
    Const,
    Kernel,
    Load,
    Local,
    Loop,
    Stmt,
    Store,
    Value,
)
from ..kernel.rewrite import flatten, merge, nest, split
from ..kernel.schedule import kernel
from .emit import REDUCERS, Emitter
from .emit import accumulator as accumulator
from .fuse import HEAVY, Group, piece_of, weight_of
from .node import Node, Shape, strides
from .place import At, flat

ROW_SCRATCH = 1 << 14           # elements of a row kept in scratch between passes
BLOCK = 512                     # columns reduced together


def build(group: Group, name: str, buffers: dict[int, Buffer], cost: dict[str, int],
          origin: Any) -> Kernel:
    """The kernel of a map or row group."""
    locals_: list[Local] = []
    if group.kind == "map":
        body = _map(group, buffers)
    elif _reduces_last(group):
        body = _Rows(group, buffers, locals_).body()
    else:
        body = _Columns(group, buffers, locals_).body()
    return kernel(name, body, cost["flops"], cost["bytes"], origin)


def _reduces_last(group: Group) -> bool:
    wide = [d for d, n in enumerate(group.shape) if n != 1]
    return not wide or wide[-1] in group.dims


def variables(shape: Shape, prefix: str, dims: tuple[int, ...] | None = None) -> dict[int, Var]:
    """A loop variable for each dim larger than 1 (of `dims`, if given)."""
    return {d: Var(f"{prefix}{d}", n) for d, n in enumerate(shape)
            if n != 1 and (dims is None or d in dims)}


def at_of(shape: Shape, loops: dict[int, Var]) -> At:
    """The index of each dim: its loop variable, or 0."""
    return tuple(of(loops[d]) if d in loops else ZERO for d in range(len(shape)))


def _kept_at(at: At, dims: tuple[int, ...]) -> At:
    return tuple(ZERO if d in dims else i for d, i in enumerate(at))


# ---------------------------------------------------------------- maps


def _map(group: Group, buffers: dict[int, Buffer]) -> tuple[Stmt, ...]:
    loops = variables(group.shape, "i")
    at = at_of(group.shape, loops)
    inside = {id(n) for n in group.nodes}
    em = Emitter({k: b for k, b in buffers.items() if k not in inside}, itertools.count())
    targets = [(n, place) for n in group.stored for place in _pieces(n, at, group.shape)]
    values = em.values(targets)
    body = (*em.body, *(Store(buffers[id(n)], flat(place, n.shape), v)
                        for (n, place), v in zip(targets, values)))
    return outermost(body, list(loops.values()))


def _pieces(node: Node, at: At, shape: Shape) -> list[At]:
    """Where a turn at `at` of `shape` puts elements of a node: one in each part of a CAT."""
    if node.shape == shape or piece_of(node) != shape:
        return [at]
    dim = node.attrs[0]
    return [(*at[:dim], at[dim] + k * shape[dim], *at[dim + 1:]) for k in range(len(node.src))]


def outermost(body: tuple[Stmt, ...], loops: list[Var]) -> tuple[Stmt, ...]:
    """Schedule independent iterations: one vector loop, or a parallel one around vector ones."""
    body, loops = split(body, loops)
    body, loops = merge(body, loops)
    if not loops:
        return body
    *outer, inner = loops
    if not outer:
        return (Loop(inner, "vector", body),)
    body, whole = flatten((Loop(inner, "vector", body),), outer, "p")
    return (Loop(whole, "parallel", body),)


def stored(node: Node, target: Buffer, em: Emitter, name: str, origin: Any) -> Kernel:
    """The kernel that puts a node's elements, in row-major order, into memory."""
    loops = variables(node.shape, "i")
    at = at_of(node.shape, loops)
    value = em.value(node, at)
    body = (*em.body, Store(target, flat(at, node.shape), value))
    return kernel(name, outermost(body, list(loops.values())), 0,
                  2 * node.size * node.dtype.itemsize, origin)


# ---------------------------------------------------------------- reductions: what both forms share


def identity(op: str, kind: dtype) -> Const:
    """The number that a reduction starts from."""
    if op in ("any", "all"):
        return Const(op == "all", dt.bool_)
    if op in ("sum", "prod"):
        one = op == "prod"
        return Const(float(one) if kind.kind == "f" else int(one), kind)
    if kind.kind == "f":
        return Const(-math.inf if op == "amax" else math.inf, kind)
    if kind.kind == "b":
        return Const(op == "amin", kind)
    low, high = _range(kind)
    return Const(low if op == "amax" else high, kind)


def _range(kind: dtype) -> tuple[int, int]:
    bits = kind.itemsize * 8
    return (0, 2**bits - 1) if kind.kind == "u" else (-2**(bits - 1), 2**(bits - 1) - 1)


def _cast(value: Value, kind: dtype) -> Value:
    return value if value.dtype is kind else Cast(value, kind)


class _Reduction:
    """The passes of a row group: which reductions and stores each one makes.

    A pass number is the count of reductions that have to be finished before.
    """

    def __init__(self, group: Group, buffers: dict[int, Buffer], locals_: list[Local]) -> None:
        self.group = group
        self.own = {id(n) for n in group.nodes}
        self.buffers = buffers
        self.outside = {k: b for k, b in buffers.items() if k not in self.own}
        self.locals = locals_
        self.names = itertools.count()
        self.passes: dict[int, int] = {}
        self.kept = group.kept
        for node in group.nodes:
            self._number(node)
        self.reduces = [n for n in group.nodes if n.op.kind == "reduce"]
        self.count = 1 + max(
            [self.passes[id(n)] - (n.op.kind == "reduce") for n in group.nodes], default=0)
        self.full = [n for n in group.stored
                     if n.op.kind != "reduce" and n.shape == group.shape]
        self.small = [n for n in group.nodes if n.op.kind != "reduce" and n.shape == self.kept
                      and n.shape != group.shape]

    def _number(self, root: Node) -> None:
        """Set the pass in which a node's value is there; iterative over the virtual nodes."""
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                latest = max((self.passes[id(s)] for s in node.src), default=0)
                self.passes[id(node)] = latest + (node.op.kind == "reduce")
            elif id(node) not in self.passes:
                if (id(node) in self.outside or not node.src
                        or (node.op.kind in ("reduce", "dot") and id(node) not in self.own)):
                    self.passes[id(node)] = 0
                    continue
                stack.append((node, True))
                stack.extend((s, False) for s in node.src)

    def reduced_in(self, step: int) -> list[Node]:
        return [n for n in self.reduces if self.passes[id(n)] == step + 1]

    def stored_in(self, step: int) -> list[Node]:
        return [n for n in self.full if self.passes[id(n)] == step]

    def small_in(self, step: int) -> list[Node]:
        return [n for n in self.small if self.passes[id(n)] == step]

    def wanted_in(self, step: int) -> list[Node]:
        return [n.src[0] for n in self.reduced_in(step)] + self.stored_in(step)

    def virtual_in(self, step: int, shape: Shape, stops: set[int]) -> dict[int, Node]:
        """Maps of the given shape that pass `step` works out, reached by maps alone."""
        found: dict[int, Node] = {}
        seen: set[int] = set()
        stack = self.wanted_in(step)
        while stack:
            node = stack.pop()
            if id(node) in seen or id(node) in stops or id(node) in self.outside:
                continue
            seen.add(id(node))
            if node.op.kind == "map" or node.op.name == "expand":
                if node.shape == shape and node.op.kind == "map":
                    found[id(node)] = node
                stack.extend(node.src)
        return found

    def weight(self, root: Node) -> int:
        """Operations to work the node out, given what is in memory (bounded walk)."""
        total, seen, stack = 0, set(), [root]
        while stack and total <= HEAVY:
            node = stack.pop()
            if id(node) in seen or id(node) in self.outside or node.op.kind == "reduce":
                continue
            seen.add(id(node))
            total += weight_of(node)
            stack.extend(node.src)
        return total

    def local(self, prefix: str, kind: dtype, size: int, space: str) -> Local:
        made = Local(f"{prefix}{next(self.names)}", kind, size, space)
        self.locals.append(made)
        return made


# ---------------------------------------------------------------- reductions along rows


class _Rows(_Reduction):
    """The last dim is reduced: one row a turn, values of the kept shape are scalars."""

    def body(self) -> tuple[Stmt, ...]:
        group = self.group
        kept = tuple(d for d in range(len(group.shape)) if d not in group.dims)
        outer = variables(group.shape, "i", kept)
        self.row_at = at_of(group.shape, outer)
        self.em = Emitter(self.outside, self.names)
        self.rows = self._row_scratch()
        self.filled: dict[int, Local] = {}
        for step in range(self.count + 1):
            self._small(step)
            if step < self.count:
                self._pass(step)
        body, loops = merge(tuple(self.em.body), list(outer.values()))
        if not loops:
            return body
        body, whole = flatten(body, loops, "p")
        return (Loop(whole, "parallel", body),)

    def _row_scratch(self) -> dict[int, Node]:
        """Costly values that several passes use and that fit in scratch memory."""
        length = math.prod(self.group.shape[d] for d in self.group.dims)
        if length > ROW_SCRATCH:
            return {}
        seen: dict[int, int] = {}
        nodes: dict[int, Node] = {}
        for step in range(self.count):
            stored = {id(n) for n in self.full if self.passes[id(n)] < step}
            for key, node in self.virtual_in(step, self.group.shape, stored).items():
                seen[key] = seen.get(key, 0) + 1
                nodes[key] = node
        return {k: nodes[k] for k, n in seen.items() if n > 1 and self.weight(nodes[k]) > HEAVY}

    def _small(self, step: int) -> None:
        nodes = self.small_in(step)
        values = self.em.values([(n, self.row_at) for n in nodes])
        for node, value in zip(nodes, values):
            named = self.em.let(value)
            self.em.bind(node, self.row_at, named)
            if node in self.group.stored:
                self.em.body.append(
                    Store(self.buffers[id(node)], flat(self.row_at, node.shape), named))

    def _pass(self, step: int) -> None:
        reduced = self.reduced_in(step)
        if not reduced and not self.stored_in(step):
            return
        loops = variables(self.group.shape, f"r{step}_", self.group.dims)
        at = tuple(of(loops[d]) if d in loops else i for d, i in enumerate(self.row_at))
        inner = self.em.inner()
        self._bind_filled(inner, at, step)
        body, accumulators = self._statements(step, inner, at)
        for node, local in zip(reduced, accumulators):
            self.em.body.append(Store(local, ZERO, identity(node.op.name, local.dtype)))
        body, order = split(body, list(loops.values()))
        body, order = merge(body, order)
        self.em.body.extend(nest(body, order, "vector"))
        for node, local in zip(reduced, accumulators):
            total = self.em.let(_cast(Load(local, ZERO, local.dtype), node.dtype))
            self.em.bind(node, self.row_at, total)
            if node in self.group.stored:
                where = flat(self.row_at, node.shape)
                self.em.body.append(Store(self.buffers[id(node)], where, total))

    def _bind_filled(self, inner: Emitter, at: At, step: int) -> None:
        place = self._in_row(at)
        for key, local in self.filled.items():
            inner.bound[(key, at, ())] = Load(local, place, local.dtype)
        for node in self.full:
            if self.passes[id(node)] < step and id(node) not in self.filled:
                inner.bind(node, at, Load(self.buffers[id(node)], flat(at, node.shape),
                                          node.dtype))

    def _in_row(self, at: At) -> Index:
        shape = tuple(n if d in self.group.dims else 1 for d, n in enumerate(self.group.shape))
        return flat(_kept_at(at, tuple(d for d, n in enumerate(shape) if n == 1)), shape)

    def _statements(self, step: int, inner: Emitter, at: At) -> tuple[
            tuple[Stmt, ...], list[Local]]:
        reduced, stored = self.reduced_in(step), self.stored_in(step)
        here = self.virtual_in(step, self.group.shape, set(self.filled))
        fill = [n for k, n in self.rows.items() if k in here and k not in self.filled]
        wanted = [n.src[0] for n in reduced] + stored + fill
        values = inner.values([(n, at) for n in wanted])
        out: list[Stmt] = list(inner.body)
        accumulators = []
        for node, value in zip(reduced, values):
            kind = accumulator(node.dtype)
            accumulators.append(self.local("a", kind, 1, "register"))
            out.append(Accumulate(accumulators[-1], ZERO, REDUCERS[node.op.name],
                                  _cast(value, kind)))
        for node, value in zip(stored, values[len(reduced):]):
            out.append(Store(self.buffers[id(node)], flat(at, node.shape), value))
        length = math.prod(self.group.shape[d] for d in self.group.dims)
        for node, value in zip(fill, values[len(reduced) + len(stored):]):
            local = self.filled[id(node)] = self.local("row", node.dtype, length, "scratch")
            out.append(Store(local, self._in_row(at), value))
        return tuple(out), accumulators


# ---------------------------------------------------------------- reductions along columns


class _Columns(_Reduction):
    """The last dim is kept: a block of columns a turn, values of the kept shape are arrays."""

    def body(self) -> tuple[Stmt, ...]:
        group = self.group
        last = max(group.dims)
        before = tuple(d for d in range(last) if d not in group.dims)
        self.tail = tuple(d for d in range(last + 1, len(group.shape)) if group.shape[d] != 1)
        width = math.prod(group.shape[d] for d in self.tail)
        self.block = block_of(width)
        outer = variables(group.shape, "i", before)
        self.part = Var("c", width // self.block)
        self.outer_at = at_of(group.shape, outer)
        self.stmts: list[Stmt] = []
        self.arrays: dict[int, tuple[Node, Local]] = {}
        for step in range(self.count + 1):
            self._small(step)
            if step < self.count:
                self._pass(step)
        body, loops = merge(tuple(self.stmts), list(outer.values()))
        loops = [v for v in [*loops, self.part] if v.extent != 1]
        if not loops:
            return body
        body, whole = flatten(body, loops, "p")
        return (Loop(whole, "parallel", body),)

    def _lane(self) -> tuple[Var, At]:
        """A fresh lane variable and the index tuple of its column (reduced dims zero)."""
        lane = Var(f"o{next(self.names)}", self.block)
        column = of(self.part) * self.block + of(lane)
        shape = tuple(self.group.shape[d] for d in self.tail)
        at = list(self.outer_at)
        for d, n, s in zip(self.tail, shape, strides(shape)):
            at[d] = (column // s) % n
        return lane, tuple(at)

    def _emitter(self, at: At, lane: Var) -> Emitter:
        em = Emitter(self.outside, self.names)
        for node, local in self.arrays.values():
            em.bind(node, at, _cast(Load(local, of(lane), local.dtype), node.dtype))
        return em

    def _loop(self, lane: Var, body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        """The vector loop over a block, kept whole so that the loops around can share it."""
        return (Loop(lane, "vector", body),)

    def _small(self, step: int) -> None:
        """Values of the kept shape: those stored or needed by later passes become arrays."""
        nodes = self.small_in(step) + self._promoted(step)
        finished = [n for n in self.reduces
                    if n in self.group.stored and self.passes[id(n)] == step]
        if not nodes and not finished:
            return
        lane, at = self._lane()
        em = self._emitter(at, lane)
        values = em.values([(n, at) for n in [*nodes, *finished]])
        body = list(em.body)
        for node, value in zip([*nodes, *finished], values):
            if id(node) not in self.arrays:
                local = self.local("k", node.dtype, self.block, "scratch")
                self.arrays[id(node)] = (node, local)
                body.append(Store(local, of(lane), value))
            if node in self.group.stored:
                body.append(Store(self.buffers[id(node)], flat(at, node.shape), value))
        self.stmts.extend(self._loop(lane, tuple(body)))

    def _promoted(self, step: int) -> list[Node]:
        """Virtual values of the kept shape that a pass would work out again for every row."""
        if step >= self.count or self.kept == self.group.shape:
            return []
        found = self.virtual_in(step, self.kept, set(self.arrays))
        return [n for n in found.values() if self.weight(n) > 0 and id(n) not in self.own]

    def _pass(self, step: int) -> None:
        reduced, stored = self.reduced_in(step), self.stored_in(step)
        if not reduced and not stored:
            return
        accumulators = [self.local("a", accumulator(n.dtype), self.block, "scratch")
                        for n in reduced]
        if reduced:
            lane, _ = self._lane()
            self.stmts.extend(self._loop(lane, tuple(
                Store(a, of(lane), identity(n.op.name, a.dtype))
                for n, a in zip(reduced, accumulators))))
        loops = variables(self.group.shape, f"r{step}_", self.group.dims)
        lane, kept_at = self._lane()
        em = self._emitter(kept_at, lane)
        at = tuple(of(loops[d]) if d in loops else i for d, i in enumerate(kept_at))
        for node in self.full:
            if self.passes[id(node)] < step:
                em.bind(node, at, Load(self.buffers[id(node)], flat(at, node.shape), node.dtype))
        values = em.values([(n, at) for n in [*(r.src[0] for r in reduced), *stored]])
        body = list(em.body)
        for node, a, value in zip(reduced, accumulators, values):
            body.append(Accumulate(a, of(lane), REDUCERS[node.op.name], _cast(value, a.dtype)))
        for node, value in zip(stored, values[len(reduced):]):
            body.append(Store(self.buffers[id(node)], flat(at, node.shape), value))
        inner, order = merge(self._loop(lane, tuple(body)), list(loops.values()))
        self.stmts.extend(nest(inner, order, "seq"))
        for node, a in zip(reduced, accumulators):
            self.arrays[id(node)] = (node, a)


def block_of(width: int, most: int = BLOCK) -> int:
    """How many columns a turn takes: a divisor of the width near `most`, or all of them."""
    if width <= most:
        return width
    fits = [b for b in range(most, 31, -1) if width % b == 0]
    even = [b for b in fits if b % 16 == 0]
    return (even or fits or [width])[0]
