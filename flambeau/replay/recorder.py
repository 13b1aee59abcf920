"""What one call computes: its programs, where their inputs come from, its random draws and checks.

In: the tensors that the call can reach, and what `core.follow` tells while it runs. Out:
`Recorder`, whose `events` are in order and name values by where they come from:

    ("entry", i, offset)     the value of storage i when the call began, from this byte on
    ("slot", k, offset)      the k-th value made inside: a program's result or a drawn array
    ("constant", k, offset)  data that was made inside from Python values
"""
from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..core.device import META
from ..core.traced import Traced, formula, plain
from ..graph.node import Node
from ..graph.primitive import SCALAR, scalar
from ..graph.realize import realize
from ..runtime.buffer import Buffer
from ..tensor import pinning
from ..tensor.tensor import Tensor

Ref = tuple[str, int, int]


@dataclass(slots=True)
class Launch:
    """A program that ran: its inputs, its numbers (value or formula, type, is an input), where its
    results begin among the slots, and what they look like."""

    program: Any
    inputs: tuple[Ref, ...]
    donated: frozenset[int]
    numbers: tuple[tuple[Any, Any, bool], ...]
    first: int
    count: int

    def key(self) -> tuple[Any, ...]:
        numbers = tuple((repr(v) if type(v) is not tuple else v, kind, varies)
                        for v, kind, varies in self.numbers)
        return ("launch", id(self.program), self.inputs, self.donated, numbers, self.first)


@dataclass(slots=True)
class Draw:
    """Random numbers that were drawn: the function that draws the next ones into a slot."""

    draw: Callable[[], Any]
    slot: int
    look: tuple[Any, ...]

    def key(self) -> tuple[Any, ...]:
        return ("draw", self.draw.__code__, self.slot, self.look)


@dataclass(slots=True)
class Check:
    """The values of an integer node lie in [low, high]."""

    ref: Ref
    size: int
    dtype: Any
    low: int
    high: int

    def key(self) -> tuple[Any, ...]:
        return ("check", self.ref, self.size, self.dtype)


Event = Launch | Draw | Check


@dataclass(slots=True)
class Known:
    """Where the values that a recording knows come from: weakly, so that nothing is kept alive."""

    refs: dict[int, tuple[Any, Ref]] = field(default_factory=dict)

    def add(self, node: Node, ref: Ref) -> None:
        self.refs[id(node)] = (weakref.ref(node), ref)

    def find(self, node: Node) -> Ref | None:
        found = self.refs.get(id(node))
        return found[1] if found is not None and found[0]() is node else None


class Recorder:
    """Notes what happens between `begin` and `end`. `reasons`: why it cannot be repeated."""

    def __init__(self, tensors: list[Tensor], rates: list[Any],
                 counts: list[tuple[Any, Tensor]]) -> None:
        self.tensors = tensors
        self.storages: list[Any] = list({id(t._storage): t._storage for t in tensors}.values())
        self.places = {id(s): i for i, s in enumerate(self.storages)}
        self.rates = rates
        self.counts = counts
        self.numbers: dict[Any, Any] = {}
        self.events: list[Event] = []
        self.constants: list[Buffer] = []
        self.compares: list[tuple[str, Any, Any, bool]] = []
        self.sources: list[tuple[str, Any]] = []
        self.source_values: list[float] = []
        self.reasons: list[str] = []
        self.slots = 0
        self.before: list[Any] = []              # weak references to the values at the beginning
        self.versions = [(i, c, c.version) for i, c in _counters(tensors)]
        self._known = Known()
        self._fresh: dict[int, Any] = {}
        self._drawn: dict[int, tuple[int, Any]] = {}
        self._buffers: dict[int, Any] = {}
        self._shared: dict[int, int] = {}        # storages of arrays, by buffer

    # ------------------------------------------------------------ the beginning

    def begin(self) -> None:
        """Note the values that exist now; what is pending is computed."""
        live = [s for s in self.storages if s.device is not META]
        realize([n for s in live for n in [s.value] if n.value is None and n.op is not SCALAR])
        self._trace_rates()
        self._trace_counts()
        for t in self.tensors:
            cache = t._cache
            if cache is not None and t._layout is not None:
                t._cache = None                  # a view's own copy is not its storage
        for i, s in enumerate(self.storages):
            node = s.value if s.pin is None else pinning.current(s)
            self.before.append(weakref.ref(s.value))
            if node.value is not None:
                self._known.add(node, ("entry", i, 0))
                self._buffers[id(node.value)] = weakref.ref(node.value)
            if s.pin is not None:
                self._shared[id(s.pin.buffer)] = i

    def _source(self, kind: str, of: Any, value: float) -> Traced:
        self.sources.append((kind, of))
        self.source_values.append(value)
        return Traced(value, ("source", len(self.sources) - 1))

    def _trace_rates(self) -> None:
        for rate in self.rates:
            value = plain(rate.group[rate.key])
            rate.group[rate.key] = self._source("rate", rate, value)

    def _trace_counts(self) -> None:
        """Counts that are numbers: equal ones are one source, as their nodes are."""
        classes: dict[tuple[Any, float, Any], list[Any]] = {}
        for name, t in self.counts:
            node = t._storage.value
            if node.op is SCALAR and node.value is None and node.dtype.kind == "f":
                key = (name, plain(node.attrs[0]), node.dtype)
                classes.setdefault(key, []).append(t._storage)
        for (_, value, kind), storages in classes.items():
            traced = self._source("count", tuple(storages), value)
            node = scalar(traced, kind, True)
            for s in storages:
                s.value = node

    def end(self) -> None:
        """Put plain numbers back."""
        for rate in self.rates:
            rate.group[rate.key] = plain(rate.group[rate.key])

    # ------------------------------------------------------------ what core.follow tells

    def refuse(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)

    def made(self, node: Node) -> None:
        place = self._shared.get(id(node.value))
        if place is not None:                    # another node over an array's memory
            self._known.add(node, ("entry", place, 0))
            return
        self._fresh[id(node)] = weakref.ref(node)

    def exposed(self, storage: Any) -> None:
        if id(storage) in self.places:
            self.refuse("a tensor from outside becomes an array, or its array is written to")

    def looked(self, buffer: Buffer) -> None:
        known = self._buffers.get(id(buffer))
        if known is not None and known() is buffer:
            self.refuse("a value is looked at (item(), numpy(), print, if tensor: ...)")

    def compared(self, name: str, a: Any, b: Any, outcome: Any) -> None:
        self.compares.append((name, a, b, bool(outcome)))

    def drew(self, array: Any, draw: Callable[[], Any]) -> None:
        if not array.flags.c_contiguous:
            self.refuse("random numbers in an order of memory of their own")
            return
        self._drawn[array.__array_interface__["data"][0]] = (self.slots, weakref.ref(array))
        self.events.append(Draw(draw, self.slots, (array.shape, array.dtype)))
        self.slots += 1

    def bounded(self, node: Node, low: int, high: int) -> None:
        ref = self.find(node)
        if ref is None or ref[0] == "constant":
            return
        last = self.events[-1] if self.events else None
        if isinstance(last, Check) and last.ref == ref and last.size == node.size:
            last.low, last.high = low, high      # what was relied on, not what was found
            return
        self.events.append(Check(ref, node.size, node.dtype, low, high))

    def launching(self, program: Any, pending: Any, offsets: list[int], varies: list[bool],
                  ) -> Launch:
        inputs = tuple(map(self._input, pending.leaves, offsets))
        numbers = tuple((formula(n.value), n.dtype, v) for n, v in zip(pending.numbers, varies))
        return Launch(program, inputs, pending.donated, numbers, self.slots, len(pending.roots))

    def launched(self, note: Launch, pending: Any) -> None:
        self.events.append(note)
        for k, node in enumerate(pending.roots):
            self._known.add(node, ("slot", note.first + k, 0))
            self._buffers[id(node.value)] = weakref.ref(node.value)
        self.slots = note.first + note.count

    def rebase(self, starts: dict[int, int]) -> None:
        """Count places in some storages from a byte where a tensor begins."""
        def moved(ref: Ref) -> Ref:
            kind, i, offset = ref
            return (kind, i, offset - starts[i]) if kind == "entry" and i in starts else ref

        for event in self.events:
            if isinstance(event, Launch):
                event.inputs = tuple(map(moved, event.inputs))

    def _input(self, leaf: Node, offset: int) -> Ref:
        source = leaf if leaf.value is not None else leaf.src[0]
        found = self.find(source)
        if found is None:
            self.refuse(f"a value {list(source.shape)} comes from where flambeau does not look")
            return ("unknown", 0, 0)
        return (found[0], found[1], offset)

    # ------------------------------------------------------------ where values come from

    def find(self, node: Node) -> Ref | None:
        """Where a computed node comes from; data made inside becomes a constant."""
        found = self._known.find(node)
        if found is not None:
            return found
        fresh = self._fresh.get(id(node))
        if fresh is None or fresh() is not node:
            return None
        drawn = self._drawn.get(node.value.address)
        if drawn is not None and drawn[1]() is not None:
            found = ("slot", drawn[0], 0)
        else:
            found = ("constant", len(self.constants), 0)
            self.constants.append(_copy(node.value))
        self._known.add(node, found)
        return found


def _counters(tensors: list[Tensor]) -> list[tuple[int, Any]]:
    """What counts the writes to tensors, each with the first tensor that has it."""
    found: dict[int, tuple[int, Any]] = {}
    for i, t in enumerate(tensors):
        found.setdefault(id(t._counter), (i, t._counter))
    return list(found.values())


def _copy(buffer: Buffer) -> Buffer:
    """The bytes of a buffer in one of our own."""
    made = Buffer(buffer.nbytes)
    made.unwatched("u1", (buffer.nbytes,))[...] = buffer.unwatched("u1", (buffer.nbytes,))
    return made
