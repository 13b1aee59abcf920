"""From nodes to values of the loop IR: what element `index` of a node is, as an expression.

In: nodes and index tuples. Out: `Value`s, with a `Let` for whatever is used twice or grows deep, so
that trees stay small and everything is computed once. Iterative. Called by `graph/lower`.

    exp(permute(x, (1, 0))) at (i, j)   ->   exp(x[8*j + i])
"""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..core.symbol import ZERO, Index, Opaque, const, of
from ..kernel.loopnest import (
    Buffer,
    Call,
    Cast,
    Const,
    FromIndex,
    Let,
    Load,
    Read,
    Stmt,
    Value,
)
from .node import Node, Shape
from .place import At, fitted, flat, reshaped, unflatten
from .primitive import (
    AS_STRIDED,
    AS_STRIDED_AT,
    CAST,
    CAT,
    CONST,
    EXPAND,
    IOTA,
    PAD,
    PAD_AT,
    PERMUTE,
    RESHAPE,
    SLICE,
    SLICE_AT,
    TAKE,
    UNFOLD,
)

REDUCERS = {"sum": "add", "prod": "mul", "amax": "max", "amin": "min", "any": "or", "all": "and"}
DEEP = 24                               # nested operations before a value gets a name


@dataclass(frozen=True, slots=True)
class Within:
    """The condition low <= index < high."""

    index: Index
    low: int
    high: int

    def known(self) -> bool | None:
        if self.low <= self.index.low and self.index.high < self.high:
            return True
        if self.index.high < self.low or self.index.low >= self.high:
            return False
        return None

    def value(self) -> Value:
        parts: list[Value] = []
        i = FromIndex(self.index, dt.int64)
        if self.index.low < self.low:
            parts.append(Call("ge", (i, Const(self.low, dt.int64)), dt.bool_))
        if self.index.high >= self.high:
            parts.append(Call("lt", (i, Const(self.high, dt.int64)), dt.bool_))
        return parts[0] if len(parts) == 1 else Call("and", tuple(parts), dt.bool_)


Mask = tuple[Within, ...]
Key = tuple[int, At, Mask]


@dataclass(slots=True)
class Step:
    """One wanted element: what it needs, how often it is used."""

    node: Node
    at: At
    mask: Mask
    needs: list[Key]
    tests: list[Mask]                   # conditions the node itself adds, one list a source
    uses: int = 0


class Emitter:
    """Collects statements; `value(node, at)` gives an element of a node, naming shared parts.

    `buffers` holds the nodes that live in memory. `bound` holds the elements with a name already;
    pass a copy of an outer emitter's to an inner loop.
    """

    def __init__(self, buffers: dict[int, Buffer], names: itertools.count[int],
                 bound: dict[Key, Value] | None = None) -> None:
        self.buffers = buffers
        self.names = names
        self.bound: dict[Key, Value] = {} if bound is None else dict(bound)
        self.body: list[Stmt] = []

    def inner(self) -> Emitter:
        """An emitter for a loop inside: sees what is bound here."""
        return Emitter(self.buffers, self.names, self.bound)

    def bind(self, node: Node, at: At, value: Value, mask: Mask = ()) -> None:
        self.bound[(id(node), at, mask)] = value

    def let(self, value: Value) -> Value:
        """A name for the value (constants and names stay as they are)."""
        if isinstance(value, (Const, Read)):
            return value
        name = f"t{next(self.names)}"
        self.body.append(Let(name, value))
        return Read(name, value.dtype)

    def value(self, node: Node, at: At) -> Value:
        return self.values([(node, at)])[0]

    def values(self, wanted: Sequence[tuple[Node, At]]) -> list[Value]:
        keys: list[Key] = [(id(n), at, ()) for n, at in wanted]
        steps: dict[Key, Step] = {}
        order = self._plan([(n, at, ()) for n, at in wanted], steps)
        for key in keys:
            if key in steps:
                steps[key].uses += 1
        done: dict[Key, tuple[Value, int]] = {}
        for key in order:
            step = steps[key]
            sources = [self._known(k, done) for k in step.needs]
            depth = 1 + max((d for _, d in sources), default=0)
            value = self._make(step, [v for v, _ in sources])
            if (step.uses > 1 or depth > DEEP) and not isinstance(value, (Const, Read)):
                value, depth = self.let(value), 0
                self.bound[key] = value
            done[key] = (value, depth)
        return [self._known(k, done)[0] for k in keys]

    def _known(self, key: Key, done: dict[Key, tuple[Value, int]]) -> tuple[Value, int]:
        found = done.get(key)
        return (self.bound[key], 0) if found is None else found

    # ------------------------------------------------------------ planning

    def _plan(self, wanted: list[tuple[Node, At, Mask]], steps: dict[Key, Step]) -> list[Key]:
        """The elements to make, sources first; fills `steps`."""
        order: list[Key] = []
        stack: list[tuple[tuple[Node, At, Mask], bool]] = [(w, False) for w in reversed(wanted)]
        while stack:
            (node, at, mask), ready = stack.pop()
            key = (id(node), at, mask)
            if ready:
                order.append(key)
                continue
            if key in self.bound or key in steps:
                continue
            sources, tests = self._sources(node, at, mask)
            needs = [(id(n), a, m) for n, a, m in sources]
            steps[key] = Step(node, at, mask, needs, tests)
            stack.append(((node, at, mask), True))
            stack.extend((s, False) for s in reversed(sources))
        for step in steps.values():
            for k in step.needs:
                if k in steps:
                    steps[k].uses += 1
        return order

    def _sources(self, node: Node, at: At, mask: Mask) -> tuple[
            list[tuple[Node, At, Mask]], list[Mask]]:
        op = node.op
        if id(node) in self.buffers or op.kind == "leaf":
            return [], []
        if op.kind == "map":
            return [(s, fitted(at, s.shape), mask) for s in node.src], []
        if op is AS_STRIDED or op is AS_STRIDED_AT:
            base = node.src[0]
            if id(base) in self.buffers:
                return [], []
            return [(base, unflatten(self._lies(node, at, mask), base.shape), mask)], []
        if op is TAKE:
            return [(node.src[0], self._taken(node, at, mask), mask)], []
        if op.kind == "move":
            return self._moved(node, at, mask)
        if op.kind == "reduce":
            return [(node.src[0], place, mask) for place in _window(node, at)], []
        raise AssertionError(f"{op.name} has no buffer: fusion left it out")

    def _taken(self, node: Node, at: At, mask: Mask) -> At:
        """Where a TAKE reads: index nodes at the front dims, clamped for memory safety."""
        x, *indices = node.src
        dims = node.attrs[0]
        front = node.ndim - (x.ndim - len(dims))
        rest = iter(at[front:])
        places = {}
        for d, index in zip(dims, indices):
            places[d] = self.position(index, fitted(at[:front], index.shape), x.shape[d], mask)
        return tuple(places[d] if d in places else next(rest) for d in range(x.ndim))

    def position(self, index: Node, at: At, extent: int, mask: Mask = ()) -> Index:
        """An index node's element as an index in [0, extent)."""
        if index.op is IOTA:
            return at[index.attrs[1]]
        if index.op is CONST:
            return const(min(max(index.attrs[0], 0), extent - 1))
        if index.op in (RESHAPE, EXPAND, PERMUTE, SLICE) and id(index) not in self.buffers:
            (source, inner, _), = self._moved(index, at, ())[0]
            return self.position(source, inner, extent, mask)
        value = self.values_under([(index, at)], mask)[0]
        low, high = Const(0, dt.int64), Const(max(extent - 1, 0), dt.int64)
        clamped = Call("min", (Call("max", (value, low), dt.int64), high), dt.int64)
        return of(Opaque(self.let(clamped), 0, max(extent - 1, 0)))

    def _slid(self, node: Node, at: At, mask: Mask) -> At:
        """Where a SLICE_AT reads."""
        x, *starts = node.src
        start, step, shape, dims = node.attrs
        places = [i * s + a for i, a, s in zip(at, start, step)]
        for d, begin in zip(dims, starts):
            room = x.shape[d] - (shape[d] - 1) * step[d]
            places[d] = self.position(begin, (), room, mask) + at[d] * step[d]
        return tuple(places)

    def _before(self, node: Node, mask: Mask) -> list[Index | int]:
        """The zeros before a PAD_AT's elements."""
        low, high, _, dims = node.attrs
        found: list[Index | int] = list(low)
        for d, start in zip(dims, node.src[1:]):
            found[d] = self.position(start, (), low[d] + high[d] + 1, mask)
        return found

    def values_under(self, wanted: list[tuple[Node, At]], mask: Mask) -> list[Value]:
        """Elements read only where the mask holds."""
        if not mask:
            return self.values(wanted)
        inner: dict[Key, Value] = {
            (k[0], k[1], ()): v for k, v in self.bound.items() if k[2] == mask
        }
        keep, self.bound = self.bound, {**self.bound, **inner}
        try:
            steps: dict[Key, Step] = {}
            keys = [(id(n), at, mask) for n, at in wanted]
            order = self._plan([(n, at, mask) for n, at in wanted], steps)
            done: dict[Key, tuple[Value, int]] = {}
            for key in order:
                sources = [self._known(k, done) for k in steps[key].needs]
                done[key] = (self._make(steps[key], [v for v, _ in sources]), 0)
            return [self._known(k, done)[0] for k in keys]
        finally:
            self.bound = keep

    def _moved(self, node: Node, at: At, mask: Mask) -> tuple[
            list[tuple[Node, At, Mask]], list[Mask]]:
        op, src = node.op, node.src[0] if node.src else node
        if op is EXPAND:
            return [(src, fitted(at, src.shape), mask)], []
        if op is RESHAPE:
            return [(src, reshaped(at, node.shape, src.shape), mask)], []
        if op is PERMUTE:
            place = [ZERO] * len(at)
            for i, d in zip(at, node.attrs[0]):
                place[d] = i
            return [(src, tuple(place), mask)], []
        if op is SLICE_AT:
            return [(src, self._slid(node, at, mask), mask)], []
        if op is SLICE:
            start, step, _ = node.attrs
            return [(src, tuple(i * s + a for i, a, s in zip(at, start, step)), mask)], []
        if op is UNFOLD:
            dim, _, step, dilation = node.attrs
            moved = at[dim] * step + at[-1] * dilation
            return [(src, at[:dim] + (moved,) + at[dim + 1:-1], mask)], []
        if op is PAD:
            return _padded(node, at, mask, node.attrs[0])
        if op is PAD_AT:
            return _padded(node, at, mask, self._before(node, mask))
        if op is CAT:
            return _joined(node, at, mask)
        if op.name == "skew":
            return _skewed(node, at, mask)
        raise AssertionError(f"{op.name} must read memory: fusion left it out")

    # ------------------------------------------------------------ making

    def _make(self, step: Step, args: list[Value]) -> Value:
        node, op = step.node, step.node.op
        if id(node) in self.buffers:
            return self._load(self.buffers[id(node)], flat(step.at, node.shape), node, step.mask)
        if op is CONST:
            return Const(node.attrs[0], node.dtype)
        if op is IOTA:
            return _number(step.at[node.attrs[1]], node.dtype)
        if op is CAST:
            return Cast(args[0], node.dtype)
        if op.kind == "map":
            return Call(op.name, tuple(args), node.dtype)
        if op is AS_STRIDED or op is AS_STRIDED_AT:
            if args:                            # of a constant or of positions: not in memory
                return args[0]
            where = self._lies(node, step.at, step.mask)
            return self._load(self.buffers[id(node.src[0])], where, node, step.mask)
        if op.kind == "reduce":
            return _combined(node, args)
        if op is CAT:
            return _choose(step, args)
        if step.tests:
            return _zero_outside(step, args)
        return args[0]

    def _lies(self, node: Node, at: At, mask: Mask) -> Index:
        """The element of its source's memory that an element of a strided view is."""
        if node.op is AS_STRIDED:
            _, stride, offset = node.attrs
            return _strided(at, stride, offset)
        shape, stride = node.attrs
        room = node.src[0].size - sum((n - 1) * s for n, s in zip(shape, stride))
        return _strided(at, stride, self.position(node.src[1], (), room, mask))

    def _load(self, buffer: Buffer, index: Index, node: Node, mask: Mask) -> Value:
        return Load(buffer, index, node.dtype, condition(mask), 0)


def _window(node: Node, at: At) -> list[At]:
    """The elements that a small reduction makes one of."""
    src, dims = node.src[0], node.attrs[0]
    ranges = [range(n) if d in dims else range(1) for d, n in enumerate(src.shape)]
    return [tuple(const(r) if d in dims else i for d, (i, r) in enumerate(zip(at, places)))
            for places in itertools.product(*ranges)]


def _combined(node: Node, args: list[Value]) -> Value:
    """A small reduction written out; halves are added in float32."""
    kind = accumulator(node.dtype)
    total = args[0] if kind is node.dtype else Cast(args[0], kind)
    for arg in args[1:]:
        term = arg if kind is node.dtype else Cast(arg, kind)
        total = Call(REDUCERS[node.op.name], (total, term), kind)
    return total if kind is node.dtype else Cast(total, node.dtype)


def accumulator(kind: dtype) -> dtype:
    """The type that a reduction of elements of `kind` is computed in."""
    return dt.float32 if kind.kind == "f" and kind.itemsize == 2 else kind


def _strided(at: At, stride: Shape, offset: int | Index) -> Index:
    total = ZERO + offset
    for i, s in zip(at, stride):
        total = total + i * s
    return total


def condition(mask: Mask) -> Value | None:
    """The conjunction of a mask; None when there is nothing to test."""
    value: Value | None = None
    for test in mask:
        part = test.value()
        value = part if value is None else Call("and", (value, part), dt.bool_)
    return value


def _number(index: Index, kind: Any) -> Value:
    if kind.kind in "iu":
        return FromIndex(index, kind)
    return Cast(FromIndex(index, dt.int64), kind)


def _added(mask: Mask, tests: list[Within]) -> Mask | None:
    """The mask with new conditions; None if it can never hold."""
    new = list(mask)
    for t in tests:
        known = t.known()
        if known is False:
            return None
        if known is None and t not in new:
            new.append(t)
    return tuple(new)


def _padded(node: Node, at: At, mask: Mask, low: Sequence[Index | int],
            ) -> tuple[list[tuple[Node, At, Mask]], list[Mask]]:
    src, inner = node.src[0], node.attrs[2]
    place, tests = [], []
    for i, n, a, k in zip(at, src.shape, low, inner):
        moved = i - a
        if k:
            tests.append(Within(moved % (k + 1), 0, 1))
            tests.append(Within(moved, 0, (n - 1) * (k + 1) + 1))
            moved = moved // (k + 1)
        else:
            tests.append(Within(moved, 0, n))
        place.append(moved)
    return _guarded(src, tuple(place), mask, tests)


def _guarded(src: Node, place: At, mask: Mask, tests: list[Within]) -> tuple[
        list[tuple[Node, At, Mask]], list[Mask]]:
    under = _added(mask, tests)
    if under is None:
        return [], [(Within(ZERO, 1, 2),)]           # never: zero everywhere
    own = tuple(t for t in under if t not in mask)
    return [(src, place, under)], [own] if own else []


def _skewed(node: Node, at: At, mask: Mask) -> tuple[list[tuple[Node, At, Mask]], list[Mask]]:
    dim, _, step, dilation = node.attrs
    g = node.src[0]
    moved = at[dim] - at[-1] * dilation
    tests = [Within(moved, 0, (g.shape[dim] - 1) * step + 1)]
    if step > 1:
        tests.append(Within(moved % step, 0, 1))
    place = at[:dim] + (moved // step,) + at[dim + 1:]
    return _guarded(g, place, mask, tests)


def _joined(node: Node, at: At, mask: Mask) -> tuple[list[tuple[Node, At, Mask]], list[Mask]]:
    """Sources that can hold the element, each under the condition that it does."""
    dim = node.attrs[0]
    start = 0
    sources: list[tuple[Node, At, Mask]] = []
    tests: list[Mask] = []
    for s in node.src:
        n = s.shape[dim]
        inside = at[dim] - start
        start += n
        under = _added(mask, [Within(inside, 0, n)]) if n else None
        if under is None:
            continue
        sources.append((s, at[:dim] + (inside,) + at[dim + 1:], under))
        tests.append(tuple(t for t in under if t not in mask))
    return sources, tests


def _choose(step: Step, args: list[Value]) -> Value:
    value = args[-1]
    for test, arg in zip(reversed(step.tests[:-1]), reversed(args[:-1])):
        inside = condition(test)
        value = arg if inside is None else Call("where", (inside, arg, value), step.node.dtype)
    return value


def _zero_outside(step: Step, args: list[Value]) -> Value:
    zero = Const(_zero(step.node), step.node.dtype)
    if not args:
        return zero
    value = args[0]
    if isinstance(value, Load) and value.mask is not None and not value.other:
        return value                     # the load gives the zero itself
    inside = condition(step.tests[0])
    if inside is None:
        return value
    return Call("where", (inside, value, zero), step.node.dtype)


def _zero(node: Node) -> float | int | bool:
    return {"b": False, "f": 0.0, "c": 0.0}.get(node.dtype.kind, 0)
