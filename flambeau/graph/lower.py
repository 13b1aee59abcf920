"""From fused groups to loop nests: memory for every result, then a kernel (or a few) a group.

In: primitives as results of a program. Out: `Lowered`: steps in order, each a list of kernels or a
foreign call, and how much memory they need. Called by `graph/realize`.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..core.dtype import dtype
from ..core.symbol import Index
from ..kernel.gemm import Contraction, Machine, Windows, contraction
from ..kernel.loopnest import (
    Buffer,
    Cast,
    Kernel,
    Repeat,
    Stmt,
    Store,
    Value,
    each,
)
from ..kernel.repeat import hoist
from . import attend, nest, single
from .decompose import decompose
from .emit import Emitter
from .fuse import Group, fuse, source_of, weight_of
from .loop import replaced
from .memory import Arena, homes
from .node import Node, topological
from .place import At, flat, unflatten
from .primitive import ARGSORT, HOST, INPUT, LOOP, PUT, RESHAPE, SCAN, SEARCH, WRITE, WRITE_AT
from .simplify import simplify
from .stacks import Stacks
from .windows import Seen, seen

@dataclass(slots=True)
class Foreign:
    """A step outside compiled code: `node` (HOST) from and to buffers."""

    node: Node
    sources: list[Buffer]
    target: Buffer


@dataclass(slots=True)
class Sorting:
    """A step of ready-made code (`codegen.sort`, `.search`): `node` (ARGSORT, SEARCH)."""

    node: Node
    sources: list[Buffer]
    target: Buffer


@dataclass(slots=True)
class Lowered:
    """A program before code generation. Slots: inputs, then results, then the arena."""

    inputs: int
    results: int
    arena: int = 0
    steps: list[list[Kernel | Repeat] | Sorting | Foreign] = field(default_factory=list)
    in_place: dict[int, int] = field(default_factory=dict)     # result -> the input it overwrote
    groups: list[Group] = field(default_factory=list)          # what fusion decided, to be shown


def lower(roots: list[Node], inputs: int, donated: frozenset[int] = frozenset(),
          machine: Machine | None = None) -> Lowered:
    """Kernels for distinct, non-empty root nodes (primitives).

    `donated` inputs belong to the program: it may write to them in place.
    """
    return _Lowering(roots, inputs, donated, machine).run()


class _Lowering:
    def __init__(self, roots: list[Node], inputs: int, donated: frozenset[int],
                 machine: Machine | None) -> None:
        self.roots = roots
        self.donated = donated
        self.machine = machine
        self.out = Lowered(inputs, len(roots))
        self.arena = Arena()
        self.buffers: dict[int, Buffer] = {}
        self.names = itertools.count()

    def run(self) -> Lowered:
        groups = self.out.groups = fuse(self.roots)
        result = {id(r): k for k, r in enumerate(self.roots)}
        for node in topological(self.roots):
            if node.op is INPUT:
                self.buffers[id(node)] = self._input(node)
        self.last = _last_readers(groups)
        self.homes = homes(groups, self.roots, self.donated)
        self.held: list[tuple[int, tuple[int, int]]] = []
        for at, group in enumerate(groups):
            for node in group.stored:
                self.buffers[id(node)] = self._place(node, at, result)
            self.scratch: list[tuple[int, int]] = []
            self._group(group)
            for block in self.scratch:
                self.arena.give(block)
            for until, block in self.held:
                if until == at:
                    self.arena.give(block)
            self.held = [h for h in self.held if h[0] != at]
        self.out.arena = self.arena.size
        return self.out

    def _place(self, node: Node, at: int, result: dict[int, int]) -> Buffer:
        """Memory for a computed node: its home's, a result's, or a part of the arena."""
        home = self.homes.get(id(node), node)
        known = self.buffers.get(id(home))
        if known is not None:
            if id(node) in result and known.slot < self.out.inputs:
                self.out.in_place[result[id(node)]] = known.slot
            return known
        if id(home) in result:
            made = self._result(result[id(home)], node)
        else:
            block = self._block(node.size * node.dtype.itemsize)
            self.held.append((self.last.get(id(home), at), block))
            made = self._temporary(node.dtype, node.size, block[0])
        self.buffers[id(home)] = made
        return made

    def _input(self, node: Node) -> Buffer:
        slot, offset, _, _ = node.attrs
        return Buffer(f"in{slot}", slot, node.dtype, node.size, offset)

    def _result(self, k: int, node: Node) -> Buffer:
        return Buffer(f"out{k}", self.out.inputs + k, node.dtype, node.size)

    def _temporary(self, kind: dtype, size: int, offset: int) -> Buffer:
        slot = self.out.inputs + self.out.results
        return Buffer(f"tmp{next(self.names)}", slot, kind, size, offset)

    def _scratch(self, name: str, kind: dtype, size: int) -> Buffer:
        """Memory shared by the kernels of one group."""
        block = self._block(size * kind.itemsize)
        self.scratch.append(block)
        return self._temporary(kind, size, block[0])

    def _block(self, nbytes: int) -> tuple[int, int]:
        return self.arena.take(nbytes)

    def _emit(self, kernels: Sequence[Kernel | Repeat]) -> None:
        if not self.out.steps or isinstance(self.out.steps[-1], (Foreign, Sorting)):
            self.out.steps.append([])
        step = self.out.steps[-1]
        assert isinstance(step, list)
        step.extend(kernels)

    def _group(self, group: Group) -> None:
        name = _name(group)
        if group.kind in ("map", "row"):
            origin = group.nodes[-1].origin
            self._emit([nest.build(group, name, self.buffers, self._cost(group), origin)])
        elif group.kind == "dot":
            self._emit(self._dot(group, name))
        elif group.kind == "chain":
            self._emit(attend.build(group, name, self.buffers, self._scratch, self.machine))
        else:
            self._alone(group.nodes[0], name)

    def _cost(self, group: Group) -> dict[str, int]:
        """Useful work: operations of the group's nodes, bytes in and out."""
        moved = sum(n.size * n.dtype.itemsize for n in group.stored)
        flops, seen = 0, set()
        stack = [*group.nodes]
        own = {id(n) for n in group.nodes}
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if id(node) in self.buffers and id(node) not in own:
                moved += node.size * node.dtype.itemsize
                continue
            flops += weight_of(node) * node.size
            if node.op.kind == "reduce":
                flops += node.src[0].size
            stack.extend(node.src)
        return {"flops": flops, "bytes": moved}

    # ------------------------------------------------------------ contractions

    def _dot(self, group: Group, name: str) -> list[Kernel]:
        # Costly values that others need too may stand before it.
        node = next(n for n in group.nodes if n.op.kind == "dot")
        a_dims, b_dims, out_dims, _ = node.attrs
        a, b = node.src
        extent = dict(zip(a_dims, a.shape)) | dict(zip(b_dims, b.shape))
        if out_dims and out_dims[-1] in a_dims and out_dims[-1] not in b_dims:
            a, b, a_dims, b_dims = b, a, b_dims, a_dims
        batch = [d for d in out_dims if d in a_dims and d in b_dims]
        rows = [d for d in out_dims if d in a_dims and d not in b_dims]
        columns = [d for d in out_dims if d in b_dims and d not in a_dims]
        inner = [d for d in a_dims if d not in out_dims]
        inner += [d for d in b_dims if d not in out_dims and d not in inner]

        def place(parts: list[tuple[Sequence[int], Index]], dims: tuple[int, ...]) -> At:
            found: dict[int, Index] = {}
            for labels, position in parts:
                found |= zip(labels, unflatten(position, tuple(extent[d] for d in labels)))
            return tuple(found[d] for d in dims)

        def count(labels: list[int]) -> int:
            return math.prod(extent[d] for d in labels)

        def product(batch: list[int], columns: list[int]) -> Contraction:
            def load_a(i: Index, m: Index, k: Index) -> Value:
                return self._operand(a, place([(batch, i), (rows, m), (inner, k)], a_dims))

            def load_b(i: Index, k: Index, n: Index) -> Value:
                return self._operand(b, place([(batch, i), (inner, k), (columns, n)], b_dims))

            def store(i: Index, m: Index, n: Index, total: Value) -> tuple[Stmt, ...]:
                at = place([(batch, i), (rows, m), (columns, n)], out_dims)
                return self._epilogue(group, node, at, total)
            return Contraction(name, count(rows), count(columns), count(inner), load_a, load_b,
                               store, self._scratch, count(batch), a.dtype, node.origin, None,
                               self._turns(a), self._turns(b))
        spec = product(batch, columns)
        lead = columns[:_before(out_dims, columns, rows)]
        if lead:
            spec = replace(spec, apart=product(batch + lead, columns[len(lead):]))
        under = seen(b, b_dims, columns, inner)
        if under is not None:
            def store_at(i: Index, m: Index, image: Index, places: At,
                         total: Value) -> tuple[Stmt, ...]:
                at = place([(batch, i), (rows, m), (under.images, image),
                            *(((d,), y) for d, y in zip(under.places, places))], out_dims)
                return self._epilogue(group, node, at, total)

            def gradient(i: Index, m: Index, image: Index, places: At) -> Value:
                at = place([(batch, i), (rows, m), (under.images, image),
                            *(((d,), y) for d, y in zip(under.places, places))], a_dims)
                return self._operand(a, at)
            found = self._windows(under, batch, extent)
            spec = replace(spec, windows=replace(found, gradient=gradient) if under.gradient
                           else replace(found, store=store_at))
        return contraction(spec, self.machine)

    def _windows(self, s: Seen, batch: list[int], extent: dict[int, int]) -> Windows:
        """What a contraction may know of the windows that are its columns, or its sums."""
        def load(i: Index, image: Index, channel: Index, at: At) -> Value:
            found = dict(zip(s.places, at))
            for labels, index in ((batch, i), (s.images, image), (s.channels, channel)):
                found |= zip(labels, unflatten(index, tuple(extent[d] for d in labels)))
            return self._operand(s.base, tuple(found[d] for d in s.labels))

        def sizes(labels: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(extent[d] for d in labels)
        inside = tuple(n for d, n in zip(s.labels, s.base.shape) if d in s.places)
        return Windows(math.prod(sizes(s.images)), math.prod(sizes(s.channels)), sizes(s.places),
                       sizes(s.taps), s.stride, s.dilation, inside, load)

    def _turns(self, operand: Node) -> int:
        """How often a contraction finds the same operand again."""
        return 1

    def _operand(self, node: Node, at: At) -> Value:
        em = Emitter(self.buffers, self.names)
        value = em.value(node, at)
        if em.body:
            raise AssertionError("an operand of a contraction must be a plain read")
        return value

    def _epilogue(self, group: Group, dot: Node, at: At, total: Value) -> tuple[Stmt, ...]:
        own = {id(n) for n in group.nodes}
        em = Emitter({k: b for k, b in self.buffers.items() if k not in own}, self.names)
        value = total if total.dtype is dot.dtype else Cast(total, dot.dtype)
        em.bind(dot, at, em.let(value) if len(group.stored) > 1 or group.stored[0] is not dot
                else value)
        values = em.values([(n, at) for n in group.stored])
        stores = [Store(self.buffers[id(n)], flat(at, n.shape), v)
                  for n, v in zip(group.stored, values)]
        return (*em.body, *stores)

    # ------------------------------------------------------------ one node

    def _alone(self, node: Node, name: str) -> None:
        if node.op in (ARGSORT, SEARCH):
            sources = [self.buffers[id(s)] for s in node.src]
            self.out.steps.append(Sorting(node, sources, self.buffers[id(node)]))
        elif node.op is HOST:
            sources = [self.buffers[id(s)] for s in node.src]
            self.out.steps.append(Foreign(node, sources, self.buffers[id(node)]))
        elif node.op is SCAN:
            self._emit([single.scan(node, name, self._emitter(node), self.buffers)])
        elif node.op is PUT:
            self._emit([*self._copy(node, name),
                        single.put(node, name, self._emitter(node), self.buffers)])
        elif node.op in (WRITE, WRITE_AT):
            self._emit([*self._copy(node, name),
                        single.write(node, name, self._emitter(node), self.buffers)])
        elif node.op is LOOP:
            self._loop(node)
        else:
            raise AssertionError(f"no lowering for {node.op.name}")

    def _loop(self, node: Node) -> None:
        """The first states, what is the same in every turn, then the turns."""
        body, count, back = node.attrs
        stacks = Stacks(self.buffers[id(node)], body, count, back)
        for k, state in enumerate(node.src[:body.states]):
            em = self._emitter(node)
            self._emit([nest.stored(state, stacks.first(k), em, "loop_start", node.origin)])
        given: dict[int, Buffer] = {}
        known: dict[int, Node] = {}
        for k, (s, inner) in enumerate(zip(node.src, body.inputs)):
            if k < body.states:
                seen, below, place = inner, inner, stacks.before(k)
            else:
                seen, below, place = stacks.source(s, self.buffers, k,
                                                   k < body.states + body.moving)
            known[id(inner)], given[id(below)] = seen, place
        results = simplify(decompose(replaced(body.results, known)))
        targets = [stacks.after(k) for k in range(len(results))]
        once, turn = hoist(_Turn(self, results, given, targets, count).kernels())
        self._emit([*once, Repeat(tuple(turn), count)])

    def _emitter(self, node: Node) -> Emitter:
        """What reads the sources of a node that is made alone."""
        return Emitter({k: b for k, b in self.buffers.items() if k != id(node)}, self.names)

    def _copy(self, node: Node, name: str) -> list[Kernel]:
        """The base of a PUT or WRITE, copied to where the result goes (if it is not there)."""
        base = node.src[0]
        if self.buffers.get(id(base)) is self.buffers[id(node)]:
            return []
        em = self._emitter(node)
        return [nest.stored(base, self.buffers[id(node)], em, f"{name}_copy", node.origin)]


class _Turn(_Lowering):
    """The body of a loop, in memory of the program around it.

    given     where the body's INPUTs lie; targets: where its results go
    """

    def __init__(self, outer: _Lowering, results: list[Node], given: dict[int, Buffer],
                 targets: list[Buffer], count: int) -> None:
        made: dict[int, int] = {}
        for k, node in enumerate(results):
            if node.op not in (INPUT, RESHAPE):
                made.setdefault(id(node), k)
        super().__init__([results[k] for k in made.values()], 0, frozenset(), outer.machine)
        self.out = Lowered(outer.out.inputs, outer.out.results)
        self.names = outer.names
        self.around = outer
        self.results, self.given, self.count = results, given, count
        self.targets = targets
        self.own = list(made.values())

    def kernels(self) -> list[Kernel]:
        """Those of a turn; results that are no kernel's own are copied."""
        self.run()
        copies = []
        for k, (node, target) in enumerate(zip(self.results, self.targets)):
            if k not in self.own:
                em = Emitter(self.buffers, self.names)
                copies.append(nest.stored(node, target, em, "loop_copy", node.origin))
        self._emit(copies)
        return list(each(self.out.steps[0]))  # type: ignore[arg-type]

    def _input(self, node: Node) -> Buffer:
        return self.given[id(node)]

    def _result(self, k: int, node: Node) -> Buffer:
        return self.targets[self.own[k]]

    def _block(self, nbytes: int) -> tuple[int, int]:
        """A block of the arena, kept until the loop is done: what is hoisted stays."""
        block = self.around.arena.take(nbytes)
        self.around.scratch.append(block)
        return block

    def _turns(self, operand: Node) -> int:
        found = self.given.get(id(source_of(operand)))
        return self.count if found is not None and not found.step else 1


def _before(dims: tuple[int, ...], columns: list[int], rows: list[int]) -> int:
    """How many of the columns' labels stand before all rows' in the result (images do)."""
    if not rows:
        return 0
    first = min(dims.index(d) for d in rows)
    count = sum(dims.index(d) < first for d in columns)
    return count if count < len(columns) else 0


def _name(group: Group) -> str:
    """What the kernel does, for launch lines: the operations of its nodes, the last ones first."""
    words: list[str] = []
    for node in reversed(group.nodes):
        if node.op.name not in words:
            words.append(node.op.name)
    return "_".join(words[:4])


def _last_readers(groups: list[Group]) -> dict[int, int]:
    """For every computed node, the last group that reads its memory."""
    own = {id(n): at for at, g in enumerate(groups) for n in g.nodes}
    last: dict[int, int] = {}
    for at, group in enumerate(groups):
        seen: set[int] = set()
        stack = [s for n in group.nodes for s in n.src]
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if id(node) in own and own[id(node)] != at:
                last[id(node)] = at
            elif id(node) not in own:
                stack.extend(node.src)
    return last
