"""Two recordings that agree, as something to run: programs on the tensors of the day.

In: a recorder, the effects of its call, and the tensors that the next call has. Out: what the call
would return, with everything written that it would write. Nothing is written before all programs
have run, so what goes wrong leaves the tensors as they were.
"""
from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ..core.dtype import float32
from ..core.traced import OPERATIONS, evaluate, plain
from ..graph.node import Node
from ..graph.primitive import BUFFER, SCALAR, scalar
from ..graph.realize import pack, realize
from ..runtime.buffer import Buffer
from ..tensor.functionalize import requires_grad, wrap
from ..tensor.pinning import pinned
from ..tensor.storage import INFERENCE, Storage
from ..tensor.tensor import Tensor
from .recorder import Check, Draw, Launch, Recorder
from .results import Effects, Made, rebuild_auto


class Miss(Exception):
    """This plan does not fit the call; why."""


def look(t: Tensor, slides: bool = False) -> tuple[Any, ...]:
    """All of a tensor but its elements that a call can depend on; but for where it begins in its
    memory, if it `slides`."""
    s = t._storage
    auto = t._auto
    grad = requires_grad(t)
    layout = t._layout
    if slides and layout is not None and layout.numel < s.value.size:
        layout = (layout.shape, layout.stride, s.value.size)
    return (t.__class__, t._shape, t.dtype, layout, s.device, pinned(s),
            t._counter is INFERENCE, grad, auto is not None and auto.fn is not None,
            None if auto is None else auto.hooks, None if auto is None else auto.post)


def start(t: Tensor) -> int:
    """Where a tensor begins in its storage, in bytes."""
    return 0 if t._layout is None else t._layout.offset * t.dtype.itemsize


def sliding(recorder: Recorder, effects: Effects, first: int, last: int) -> dict[int, int]:
    """Arguments (tensors first .. last - 1) that may begin elsewhere in their memory at the next
    call, by storage: windows that nothing else refers to and nobody writes."""
    memory = pattern(recorder.tensors)[0]
    used = {i for i, _ in effects.writes}
    used |= {m.storage[1] for m in effects.tensors if m.storage[0] == "entry"}
    used |= {v.ref[1] for v in effects.values if v.ref[0] == "entry"}
    used |= {e.ref[1] for e in recorder.events if isinstance(e, Check) and e.ref[0] == "entry"
             and e.ref[2]}
    found = {}
    for k in range(first, last):
        t = recorder.tensors[k]
        place = recorder.places[id(t._storage)]
        if (memory.count(memory[k]) == 1 and place not in used and t._layout is not None
                and t._layout.numel < t._storage.value.size and t.dtype is t._storage.value.dtype):
            found[place] = k
    return found


def pattern(tensors: Sequence[Tensor]) -> tuple[list[int], ...]:
    """Which tensors share their memory, and which are the same: the number of the first."""
    memory: dict[int, int] = {}
    objects: dict[int, int] = {}
    counters: dict[int, int] = {}
    return ([memory.setdefault(id(t._storage), i) for i, t in enumerate(tensors)],
            [objects.setdefault(id(t), i) for i, t in enumerate(tensors)],
            [counters.setdefault(id(t._counter), i) for i, t in enumerate(tensors)])


def signature(recorder: Recorder, effects: Effects) -> tuple[Any, ...]:
    """What two recordings must have in common to be the same computation."""
    events = tuple(e.key() for e in recorder.events)
    sources = tuple((kind, (id(of.group), of.key) if kind == "rate" else tuple(map(id, of)))
                    for kind, of in recorder.sources)
    constants = tuple(b.unwatched("u1", (b.nbytes,)).tobytes() for b in recorder.constants)
    return events, effects.key(), tuple(recorder.compares), sources, constants


class Plan:
    """Runs what was recorded. `tensors` of a call are in the order of the recording's."""

    def __init__(self, recorder: Recorder, effects: Effects, looks: list[tuple[Any, ...]],
                 slides: dict[int, int]) -> None:
        self.slides = slides
        self.sliding = set(slides.values())
        self.events = recorder.events
        self.constants = recorder.constants
        self.slots = recorder.slots
        self.compares = recorder.compares
        self.sources = recorder.sources
        self.effects = effects
        self.looks = looks
        self.pattern = pattern(recorder.tensors)
        self.entry = list(dict.fromkeys(self.pattern[0]))
        self.guards = self._baked(recorder)
        self.used = self._used()

    def _baked(self, recorder: Recorder) -> list[tuple[Any, float]]:
        """Numbers that follow a formula but are constants of a program."""
        return [(how, evaluate(how, recorder.source_values))
                for e in self.events if isinstance(e, Launch)
                for how, _, varies in e.numbers if type(how) is tuple and not varies]

    def describe(self) -> str:
        """How much there is to run."""
        launches = [e for e in self.events if isinstance(e, Launch)]
        return (f"{len(launches)} programs, {sum(len(e.program.steps) for e in launches)} steps, "
                f"{len(self.effects.writes)} writes")

    def _used(self) -> set[int]:
        """The storages that anything is read from, or written to, or left in."""
        effects = self.effects
        used = {i for e in self.events if isinstance(e, Launch)
                for kind, i, _ in e.inputs if kind == "entry"}
        used |= {e.ref[1] for e in self.events if isinstance(e, Check) and e.ref[0] == "entry"}
        used |= {v.ref[1] for v in effects.values if v.ref[0] == "entry"}
        used |= {i for i, _ in effects.writes}
        return used | {m.storage[1] for m in effects.tensors if m.storage[0] == "entry"}

    def spent(self, first: int) -> list[int]:
        """The tensors whose old gradients are only replaced: those can go before the run.
        Gradients are the tensors from `first` on."""
        for i, storage in enumerate(self.entry):
            if i in self.used and storage >= first:
                return []
        replaced = {i for i, at in self.effects.grads if at[0] in ("tensor", "none")}
        kept = {at[1] for _, at in self.effects.grads if at[0] == "entry"}
        kept |= {i for i, _ in self.effects.counts}
        if any(i >= first for i in kept) or "'entry'" in repr(self.effects.out):
            return []
        count = len(self.looks) - first
        return sorted(replaced) if len(replaced) == count else []

    # ------------------------------------------------------------ does it fit?

    def fits(self, tensors: Sequence[Tensor]) -> str | None:
        """Why these tensors are not like the recording's, or None."""
        if len(tensors) != len(self.looks):
            return "the number of tensors"
        for i, (t, before) in enumerate(zip(tensors, self.looks)):
            now = look(t, i in self.sliding)
            if now != before:
                return f"a tensor was {_words(before)} and is {_words(now)}"
        if pattern(tensors) != self.pattern:
            return "which tensors share their memory"
        return None

    def numbers(self) -> list[float]:
        """The sources' values now; Miss if a formula's comparisons go another way."""
        values = [_source(kind, of) for kind, of in self.sources]
        for name, a, b, outcome in self.compares:
            if bool(OPERATIONS[name](evaluate(a, values), evaluate(b, values))) is not outcome:
                raise Miss("a number that is compared")
        for how, value in self.guards:
            if evaluate(how, values) != value:
                raise Miss("a number that was constant")
        return values

    # ------------------------------------------------------------ run

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """Compute and write everything; the result of the call."""
        sources = self.numbers()
        count = len(tensors)
        storages = [tensors[i]._storage if i < count else None for i in self.entry]
        read = [storages[i] for i in self.used]
        realize([s.value for s in read
                 if s.value.value is None and s.value.op is not SCALAR and s.value.src])
        entry = [None if s is None else s.value.value if s.pin is None else s.pin.buffer
                 for s in storages]
        table: list[Any] = [None] * self.slots
        where = {"entry": entry, "slot": table, "constant": self.constants}
        starts = {i: start(tensors[k]) for i, k in self.slides.items()}
        for event in self.events:
            if isinstance(event, Launch):
                self._launch(event, where, storages, sources, starts)
            elif isinstance(event, Draw):
                table[event.slot] = Buffer.from_numpy(event.draw())
            elif not within(event, where[event.ref[0]][event.ref[1]]):
                raise Miss("the values of an index")
        return self._commit(tensors, storages, where, sources)

    def _launch(self, event: Launch, where: dict[str, Any], storages: list[Any],
                sources: list[float], starts: dict[int, int]) -> None:
        inputs = []
        for k, (kind, i, offset) in enumerate(event.inputs):
            buffer = where[kind][i]
            if kind == "entry" and i in starts:
                offset += starts[i]
            if k in event.donated and (kind == "constant" or kind == "entry" and not _sole(
                    storages[i])):
                buffer = _copied(buffer)
            inputs.append((buffer, offset))
        packed = b"".join([pack(kind, evaluate(how, sources)) for how, kind, _ in event.numbers])
        where["slot"][event.first:event.first + event.count] = event.program.run(inputs, packed)

    def _commit(self, tensors: Sequence[Tensor], storages: list[Any], where: dict[str, Any],
                sources: list[float]) -> Any:
        effects = self.effects
        nodes = [_node(v, where, sources) for v in effects.values]
        made = [Storage(nodes[k]) for k, _ in effects.storages]
        for s, (_, version) in zip(made, effects.storages):
            s.version = version
        for i, k in effects.writes:
            storages[i].value = nodes[k]
        for i, count in effects.counts:
            tensors[i]._counter.version += count
        both = {"entry": storages, "made": made}
        fresh: list[Tensor] = []
        for form in effects.tensors:
            fresh.append(make_tensor(form, both[form.storage[0]][form.storage[1]], fresh, tensors))
        found = {"entry": tensors, "tensor": fresh}
        for i, (kind, *at) in effects.grads:
            auto = tensors[i]._auto
            auto.grad = None if kind == "none" else found[kind][at[0]]
        return returned(effects.out, found)


def _words(looked: tuple[Any, ...]) -> str:
    return f"{looked[0].__name__} {looked[2].name}{list(looked[1])}" + (
        " with gradients" if looked[7] else "")


def _source(kind: str, of: Any) -> float:
    """The value of a source of numbers."""
    if kind == "rate":
        value = of.group[of.key]
        if type(value) is not float:
            raise Miss("a learning rate's type")
        return value
    first = of[0].value
    for s in of:
        node = s.value
        if node is not first and (node.op is not SCALAR or node.attrs != first.attrs):
            raise Miss("a count of steps")
    if first.op is not SCALAR or first.value is not None:
        raise Miss("a count of steps")
    return plain(first.attrs[0])  # type: ignore[no-any-return]


def _references(storage: Any) -> tuple[int, int]:
    """How often a storage's node and its buffer are referred to, this function included."""
    node = storage.value
    return sys.getrefcount(node), sys.getrefcount(node.value)


def _lone() -> tuple[int, int]:
    """What `_references` says in a run, of what only a storage has (Python's versions differ)."""
    node = Node(BUFFER, (), (), (), float32)
    buffer = node.value = Buffer(4)
    entry = [buffer]                             # as in `run`, with `buffer` as in `_launch`
    storage = Storage(node)
    del node
    return _references(storage) if entry else (0, 0)


_LONE = _lone()


def _sole(storage: Any) -> bool:
    """Whether nobody but the storage has its value: then it may be written over."""
    node, buffer = _references(storage)
    return node <= _LONE[0] and buffer <= _LONE[1] and not storage.value.value.pinned


def _copied(buffer: Buffer) -> Buffer:
    made = Buffer(buffer.nbytes)
    made.unwatched("u1", (buffer.nbytes,))[...] = buffer.unwatched("u1", (buffer.nbytes,))
    return made


def within(event: Check, buffer: Buffer) -> bool:
    """Whether the values of an index are in the bounds that were relied on."""
    values = buffer.unwatched(event.dtype.numpy, (event.size,), None, event.ref[2])
    return not event.size or bool(values.min() >= event.low and values.max() <= event.high)


def _node(value: Any, where: dict[str, Any], sources: list[float]) -> Node:
    kind, at, _ = value.ref
    if kind == "number":
        return scalar(evaluate(at, sources), value.dtype, True)
    node = Node(BUFFER, (), (), value.shape, value.dtype)
    node.value = where[kind][at]
    return node


def make_tensor(form: Made, storage: Any, fresh: list[Tensor], tensors: Sequence[Tensor]) -> Tensor:
    t = wrap(storage.value)
    t._storage = storage
    t._counter = INFERENCE if form.inference else storage
    t._shape, t.dtype, t._layout = form.shape, form.dtype, form.layout
    if form.auto is not None:
        base = None
        if form.auto[0] != "spent":
            kind, at = form.auto[3]
            base = (fresh if kind == "tensor" else tensors)[at]
        t._auto = rebuild_auto(form.auto, base)
    return t


def returned(form: Any, found: dict[str, Any]) -> Any:
    kind = form[0]
    if kind == "plain":
        return form[1]
    if kind == "items":
        items = [returned(f, found) for f in form[2]]
        return form[1](*items) if hasattr(form[1], "_fields") else form[1](items)
    if kind == "dict":
        return {k: returned(f, found) for k, f in zip(form[1], form[2])}
    return found[kind][form[1]]
