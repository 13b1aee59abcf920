"""A plan's quick form, for calls that follow each other with nothing done in between.

In: a plan that has just run, with small results. Out: `Steady`, which runs its programs on tables
of addresses that are ready. Each written value has two buffers: a call reads one and writes the
other. Nodes, gradients and results are used again if reference counts say that nobody else has
them; if anybody has, the call takes the long way (`Plan.run`), whose results are new objects.
"""
from __future__ import annotations

import ctypes
import struct
import weakref
from collections.abc import Callable, Sequence
from operator import attrgetter, is_
from sys import getrefcount
from typing import Any

from ..core.traced import OPERATIONS
from ..core.watch import WATCHERS
from ..graph.node import Node
from ..graph.primitive import BUFFER
from ..graph.realize import realize
from ..runtime.buffer import Buffer
from ..tensor.storage import INFERENCE, Storage
from ..tensor.tensor import Tensor
from .plan import Miss, Plan, look, make_tensor, returned, start, within
from .recorder import Check, Draw, Launch
from .results import rebuild_auto

LARGEST = 1 << 21                                # bytes of results and scratch kept between calls
GLANCE = 1 << 12                                 # bytes of an index that are compared with before
RESULTS = 4                                      # sets of results that are kept for use again

# A tensor's dtype and counter change with its storage alone.
_face = attrgetter("_storage", "_shape", "_layout", "_auto")
_grad = attrgetter("grad")
_history = attrgetter("requires", "fn", "hooks", "post", "retains")
_pin = attrgetter("pin")
_auto = attrgetter("_auto")
_value = attrgetter("value")
_NUMBERS = {("f", 4): "f4x", ("f", 8): "d", ("i", 8): "q"}


def closure(how: Any) -> Callable[[Sequence[float]], Any]:
    """A formula as a function of the sources' values."""
    if type(how) is not tuple:
        return lambda values: how
    if how[0] == "source":
        at = how[1]
        return lambda values: values[at]
    apply, a, b = OPERATIONS[how[0]], how[1], how[2]
    if type(a) is not tuple:
        right = closure(b)
        return lambda values: apply(a, right(values))
    left = closure(a)
    if type(b) is not tuple:
        return lambda values: apply(left(values), b)
    right = closure(b)
    return lambda values: apply(left(values), right(values))


class Numbers:
    """The numbers of a program, worked out and packed at one stroke."""

    def __init__(self, launch: Launch) -> None:
        words = [_NUMBERS[kind.kind, kind.itemsize] for _, kind, _ in launch.numbers]
        self.form = struct.Struct("<" + "".join(words))
        formulas = list(dict.fromkeys(how for how, _, _ in launch.numbers if type(how) is tuple))
        self.formulas = [closure(how) for how in formulas]
        self.places = [(i, formulas.index(how)) for i, (how, _, _) in enumerate(launch.numbers)
                       if type(how) is tuple]
        self.values = [how if type(how) is not tuple else 0.0 for how, _, _ in launch.numbers]
        self.memory = ctypes.create_string_buffer(max(self.form.size, 8))
        self.address = ctypes.addressof(self.memory)
        self.form.pack_into(self.memory, 0, *self.values)

    def fill(self, sources: Sequence[float]) -> None:
        if self.places:
            found = [f(sources) for f in self.formulas]
            values = self.values
            for i, k in self.places:
                values[i] = found[k]
            self.form.pack_into(self.memory, 0, *values)


class Results:
    """One set of what a call returns: tensors with their storages, nodes and buffers."""

    def __init__(self, steady: Steady) -> None:
        plan = steady.plan
        self.forms = [steady.made[i] for i in steady.returned_tensors]
        self.nodes: list[Node] = []
        self.storages: list[Storage] = []
        for k in steady.returned:
            value = plan.effects.values[plan.effects.storages[k][0]]
            node = Node(BUFFER, (), (), value.shape, value.dtype)
            node.value = Buffer(max(steady.nbytes[value.ref[1]], 1))
            self.nodes.append(node)
            self.storages.append(Storage(node))
        self.buffers = [n.value for n in self.nodes]
        self.tensors = [make_tensor(form, s, [], ()) for form, s in zip(self.forms, self.storages)]
        self.addresses = [b.address for b in self.buffers]
        self.objects = [*self.tensors, *self.storages, *self.nodes, *self.buffers]
        self.autos = [t._auto for t in self.tensors]
        for auto in self.autos:
            if auto is not None:
                self.objects += [auto, auto.fn]
        self.versions = [plan.effects.storages[k][1] for k in steady.returned]

    def settle(self) -> None:
        """To be called when nobody else has anything of it."""
        self.alone = self._references()

    def _references(self) -> list[int]:
        return [*map(getrefcount, self.objects), *map(weakref.getweakrefcount, self.tensors)]

    def free(self) -> bool:
        """Whether nobody has any of it."""
        return (self._references() == self.alone
                and all(map(is_, map(_auto, self.tensors), self.autos)))

    def renew(self) -> None:
        """Make the tensors what they were when they were new."""
        for form, t, s, node, buffer, version in zip(self.forms, self.tensors, self.storages,
                                                     self.nodes, self.buffers, self.versions):
            node.value, node.facts = buffer, None
            s.value, s.pin, s.version = node, None, version
            t._storage, t._counter = s, INFERENCE if form.inference else s
            t._shape, t._layout, t.dtype = form.shape, form.layout, form.dtype
            t._cache = None
            auto = t._auto
            if auto is not None and (len(auto.__dict__) != 3 or auto.fn.hooks is not None
                                     or not auto.requires):
                t._auto = rebuild_auto(form.auto, None)  # type: ignore[arg-type]
            if t.__dict__:
                t.__dict__.clear()


class Steady:
    """The quick form of a plan. `run` gives None if the call has to take the long way."""

    def __init__(self, plan: Plan, tensors: Sequence[Tensor], statics: int, given: int,
                 grads: list[Tensor]) -> None:
        """`tensors` as the plan takes them: `statics` fixed ones, `given` arguments, gradients;
        `grads` are the gradients that the run just set."""
        self.plan = plan
        self.statics = list(tensors[:statics])
        self.given = given
        self.grads = grads
        self.launches = [e for e in plan.events if isinstance(e, Launch)]
        self.nbytes: dict[int, int] = {}
        self.made = plan.effects.tensors
        self._sort_out()
        self._keep(tensors)
        self._tables()

    # ------------------------------------------------------------ what there is

    def _sort_out(self) -> None:
        """Which values are returned, which stay in storages or gradients."""
        effects = self.plan.effects
        kept = {at[1] for _, at in effects.grads}
        self.returned_tensors = [i for i in range(len(effects.tensors)) if i not in kept]
        self.returned = [effects.tensors[i].storage[1] for i in self.returned_tensors]
        self.grad_tensors = sorted(kept)
        for launch in self.launches:
            program = launch.program
            for k, r in enumerate(program.results):
                self.nbytes[launch.first + k] = program.sizes[r.slot - program.inputs]

    def _keep(self, tensors: Sequence[Tensor]) -> None:
        """The objects that stay: storages written with their nodes, gradients."""
        plan, effects = self.plan, self.plan.effects
        storages = [tensors[i]._storage if i < len(tensors) else None for i in plan.entry]
        self.written: list[Storage] = []
        self.write_slots: list[int] = []
        self.counted: list[tuple[int, Any]] = []
        self.count_storages: list[Storage] = []
        self.count_nodes: list[Node] = []
        self.count_held: list[Node] = []
        for i, k in effects.writes:
            value = effects.values[k]
            if value.ref[0] == "number":
                self._counts(storages[i], k, value)
            else:
                self.written.append(storages[i])
                self.write_slots.append(value.ref[1])
        for i in self.grad_tensors:
            place = effects.tensors[i].storage[1]
            self.write_slots.append(effects.values[effects.storages[place][0]].ref[1])
        self.grad_storages = [g._storage for g in self.grads]
        self.cells = [*self.written, *self.grad_storages]
        self.nodes = [s.value for s in self.cells]
        self.buffers = ([n.value for n in self.nodes],
                        [Buffer(max(self.nbytes[k], 1)) for k in self.write_slots])
        self.parity = 0
        self.integers = [n for n in self.nodes if n.dtype.kind != "f"]
        self.counters = [(tensors[i]._counter, d) for i, d in effects.counts]
        self._remember(tensors, storages)

    def _counts(self, storage: Storage, k: int, value: Any) -> None:
        """A number that is written: one node for all the storages that have it."""
        if k not in [at for at, _ in self.counted]:
            self.counted.append((k, closure(value.ref[1])))
            self.count_nodes.append(storage.value)
        self.count_storages.append(storage)
        self.count_held.append(storage.value)

    def _remember(self, tensors: Sequence[Tensor], storages: list[Storage]) -> None:
        """What is compared at the next call."""
        self.all = [*self.statics, *self.grads]
        self.faces = list(map(_face, self.all))
        self.autos = [t._auto for t in self.statics if t._auto is not None]
        self.auto_grads = list(map(_grad, self.autos))
        self.histories = list(map(_history, self.autos))
        fixed = {id(t._storage): t._storage for t in self.all}
        self.storages = list(fixed.values())
        self.storage_ids = set(fixed)
        self.pins = list(map(_pin, self.storages))
        written = {id(s) for s in self.cells}
        counted = set(map(id, self.count_storages))
        self.read = [s for s in storages
                     if s is not None and id(s) in fixed and id(s) not in written
                     and id(s) not in counted]
        self.read_nodes = [s.value for s in self.read]
        self.read_buffers = [n.value for n in self.read_nodes]
        looks = self.plan.looks
        self.given_looks = looks[len(self.statics):len(self.statics) + self.given]
        self.places = {id(s): i for i, s in enumerate(storages)}
        self.entry = [s if s is not None and id(s) in fixed else None for s in storages]
        first = len(self.statics)
        self.given_places = {self.plan.entry.index(first + k): k for k in range(self.given)}
        self.checked: dict[Any, bytes] = {}
        self.results: list[Results] = []
        out = self.plan.effects.out
        self.plain = True if out != ("tensor", self.returned_tensors[0] if self.returned_tensors
                                     else -1) else None

    # ------------------------------------------------------------ tables of addresses

    def _tables(self) -> None:
        """For each launch and parity a table; what changes from call to call is patched in."""
        self.numbers = [Numbers(launch) for launch in self.launches]
        self.arenas = [Buffer(max(e.program.arena, 1)) for e in self.launches]
        inner: dict[int, Buffer] = {}
        kept = set(self.write_slots)
        out = {self.plan.effects.values[self.plan.effects.storages[k][0]].ref[1]: at
               for at, k in enumerate(self.returned)}
        for slot, size in self.nbytes.items():
            if slot not in kept and slot not in out:
                inner[slot] = Buffer(max(size, 1))
        self.inner = inner
        self.out_patches: list[list[tuple[int, int]]] = []
        self.entry_patches: list[list[tuple[int, int, int]]] = []
        self.draw_patches: list[list[tuple[int, int]]] = []
        self.tables: list[tuple[Any, Any]] = []
        for n, launch in enumerate(self.launches):
            self.out_patches.append([])
            self.entry_patches.append([])
            self.draw_patches.append([])
            rows = [self._table(n, launch, parity, out) for parity in (0, 1)]
            make = ctypes.c_void_p * len(rows[0])
            self.tables.append((make(*rows[0]), make(*rows[1])))

    def _table(self, n: int, launch: Launch, parity: int, out: dict[int, int]) -> list[int]:
        """Addresses for a call that reads the buffers of a parity and writes the others."""
        current = {id(s): b for s, b in zip(self.cells, self.buffers[parity])}
        fresh = dict(zip(self.write_slots, self.buffers[1 - parity]))
        program = launch.program
        row = []
        for at, (kind, i, offset) in enumerate(launch.inputs):
            row.append(self._input(n, at, kind, i, offset, parity, current, fresh, out))
        if launch.numbers:
            row.append(self.numbers[n].address)
        made = [0] * len(program.sizes)
        for k, r in enumerate(program.results):
            slot = launch.first + k
            index = r.slot - program.inputs
            if slot in out:
                if not parity:
                    self.out_patches[n].append((program.inputs + index, out[slot]))
            else:
                made[index] = (fresh.get(slot) or self.inner[slot]).address
        row += made
        if program.arena:
            row.append(self.arenas[n].address)
        return row

    def _input(self, n: int, at: int, kind: str, i: int, offset: int, parity: int,
               current: dict[int, Buffer], fresh: dict[int, Buffer], out: dict[int, int]) -> int:
        if kind == "constant":
            return self.plan.constants[i].address + offset
        if kind == "slot":
            if i in out:
                if not parity:
                    self.out_patches[n].append((at, out[i]))
                return 0
            made = fresh.get(i) or self.inner.get(i)
            if made is not None:
                return made.address + offset
            if not parity:
                self.draw_patches[n].append((at, i))
            return 0
        for storage in self.cells:
            if self.places.get(id(storage)) == i:
                return current[id(storage)].address + offset
        for storage, buffer in zip(self.read, self.read_buffers):
            if self.places[id(storage)] == i:
                where = buffer if storage.pin is None else storage.pin.buffer
                return where.address + offset
        if not parity:
            self.entry_patches[n].append((at, i, offset))
        return 0

    # ------------------------------------------------------------ a call

    def settle(self) -> None:
        """Note how often things are referred to now that nobody else has them."""
        self.mine = [*self.nodes, *self.count_nodes, *self.grads, *self.grad_storages]
        self.alone = self._references()

    def _references(self) -> list[int]:
        return [*map(getrefcount, self.mine), *map(getrefcount, self.buffers[self.parity]),
                *map(weakref.getweakrefcount, self.grads)]

    def ready(self) -> bool:
        """Whether everything is as the last call left it, and nobody has what is used again."""
        return (list(map(_face, self.all)) == self.faces
                and all(map(is_, map(_grad, self.autos), self.auto_grads))
                and list(map(_history, self.autos)) == self.histories
                and all(map(is_, map(_pin, self.storages), self.pins))
                and all(map(is_, map(_value, self.cells), self.nodes))
                and all(map(is_, map(_value, self.read), self.read_nodes))
                and all(map(is_, map(_value, self.count_storages), self.count_held))
                and self._references() == self.alone and not WATCHERS)

    def run(self, arguments: Sequence[Tensor]) -> tuple[Any] | None:
        """The result of the call, in a tuple; None if the call has to take the long way."""
        if not self.ready():
            return None
        storages = [t._storage for t in arguments]
        if storages and not self._fit(arguments, storages):
            return None
        plan = self.plan
        sources = plan.numbers()
        results = self._results()
        parity = self.parity
        drawn: dict[int, Any] = {}
        n = 0
        for event in plan.events:
            if isinstance(event, Launch):
                table = self.tables[n][parity]
                self.numbers[n].fill(sources)
                for at, k in self.out_patches[n]:
                    table[at] = results.addresses[k]
                for at, i, offset in self.entry_patches[n]:
                    table[at] = self._address(storages[self.given_places[i]], i, arguments) + offset
                for at, i in self.draw_patches[n]:
                    table[at] = drawn[i].address
                event.program.run_steps(table, table)
                n += 1
            elif isinstance(event, Draw):
                drawn[event.slot] = Buffer.from_numpy(event.draw())
            elif not self._holds(event, storages, results, drawn):
                raise Miss("the values of an index")
        return (self._commit(sources, results, arguments),)

    def _fit(self, arguments: Sequence[Tensor], storages: list[Storage]) -> bool:
        """Whether the arguments look like the recording's and share memory with nothing."""
        first = len(self.statics)
        sliding = self.plan.sliding
        for i, (t, before) in enumerate(zip(arguments, self.given_looks), first):
            if look(t, i in sliding) != before or t._auto is not None and t._auto.grad is not None:
                return False
        ids = set(map(id, storages))
        if len(ids) != len(storages) or not ids.isdisjoint(self.storage_ids):
            return False
        pending = [s.value for s in storages if s.value.value is None]
        if pending:
            realize(pending)
        return True

    def _address(self, storage: Storage, i: int, arguments: Sequence[Tensor]) -> int:
        buffer = storage.value.value if storage.pin is None else storage.pin.buffer
        if i in self.plan.slides:
            return buffer.address + start(arguments[self.given_places[i]])
        return buffer.address

    def _holds(self, check: Check, storages: list[Storage], results: Results,
               drawn: dict[int, Any]) -> bool:
        """Whether the values of an index are in their bounds; not looked at twice if unchanged."""
        kind, i, offset = check.ref
        if kind == "entry" and i in self.given_places:
            s = storages[self.given_places[i]]
            buffer = s.value.value if s.pin is None else s.pin.buffer
        elif kind == "entry":
            s = self.entry[i]
            buffer = s.value.value if s.pin is None else s.pin.buffer
        else:
            buffer = self.inner[i]
        size = check.size * check.dtype.itemsize
        if size > GLANCE:
            return within(check, buffer)
        now = ctypes.string_at(buffer.address + offset, size)
        if self.checked.get(check.ref) == now:
            return True
        if not within(check, buffer):
            return False
        self.checked[check.ref] = now
        return True

    def _results(self) -> Results:
        """A set of results that nobody has."""
        for found in self.results:
            if found.free():
                found.renew()
                return found
        made = Results(self)
        made.renew()
        made.settle()
        if len(self.results) < RESULTS:
            self.results.append(made)
        return made

    def _commit(self, sources: Sequence[float], results: Results, arguments: Sequence[Tensor],
                ) -> Any:
        self.parity = 1 - self.parity
        for node, buffer in zip(self.nodes, self.buffers[self.parity]):
            node.value = buffer
        for node in self.integers:
            node.facts = None
        for counter, times in self.counters:
            counter.version += times
        for node, (_, formula) in zip(self.count_nodes, self.counted):
            node.attrs = (formula(sources), True, node.dtype)
        if self.plain is None:
            return results.tensors[0]
        tensors = dict(zip(self.returned_tensors, results.tensors))
        return returned(self.plan.effects.out,
                        {"entry": [*self.statics, *arguments], "tensor": tensors})


def steady(plan: Plan, tensors: Sequence[Tensor], statics: int, given: int) -> Steady | None:
    """The quick form of a plan that has just run on these tensors; None if it has none."""
    effects = plan.effects
    kept = [at[1] for _, at in effects.grads if at[0] == "tensor"]
    values = [v.ref for v in effects.values]
    slots = [ref[1] for ref in values if ref[0] == "slot"]
    programs = [e.program for e in plan.events if isinstance(e, Launch)]
    size = sum(p.arena + sum(p.sizes) for p in programs)
    if (size > LARGEST or not programs or len(set(slots)) != len(slots)
            or any(ref[0] not in ("slot", "number") for ref in values)
            or any(g[1][0] != "tensor" for g in effects.grads) or len(set(kept)) != len(kept)):
        return None
    return _simple(plan, tensors, statics, given, slots)


def _simple(plan: Plan, tensors: Sequence[Tensor], statics: int, given: int,
            slots: list[int]) -> Steady | None:
    """The second half of `steady`'s conditions."""
    effects = plan.effects
    first = plan.pattern[0]
    fixed = set(first[:statics])
    launches = [e for e in plan.events if isinstance(e, Launch)]
    results = [(e.first + k, r) for e in launches for k, r in enumerate(e.program.results)]
    draws = {e.slot for e in plan.events if isinstance(e, Draw)}
    if (any(e.donated for e in launches) or not draws.isdisjoint(slots)
            or any(not r.fresh or r.slot < 0 for _, r in results)
            or any(len({r.slot for r in e.program.results}) != len(e.program.results)
                   for e in launches)
            or any((kind.kind, kind.itemsize) not in _NUMBERS
                   for e in launches for _, kind, _ in e.numbers)):
        return None
    stays = [k for _, k in effects.writes if effects.values[k].ref[0] == "slot"]
    stays += [k for k, _ in effects.storages]
    if len(set(stays)) != len(stays) or any(effects.values[k].ref[0] != "slot"
                                            for k, _ in effects.storages):
        return None
    if any(first[k] != k for k in range(statics, statics + given)):
        return None
    if any(plan.entry[i] not in fixed for i, _ in effects.writes):
        return None
    if any(i >= statics for i, _ in effects.grads) or any(i >= statics for i, _ in effects.counts):
        return None
    stored = [m.storage for m in effects.tensors]
    if (any(kind != "made" for kind, _ in stored) or len(set(stored)) != len(stored)
            or len(stored) != len(effects.storages)
            or any(m.auto is not None and m.auto[0] != "spent" for m in effects.tensors)):
        return None
    if any(isinstance(e, Check) and e.ref[0] == "slot" for e in plan.events):
        return None
    after = [tensors[i]._auto.grad for i, _ in sorted(effects.grads, key=lambda g: g[1][1])]
    return Steady(plan, tensors, statics, given, after)
