"""What a call leaves behind: what it returned, what it wrote, which gradients it set.

In: a recorder after the call, and what the call returned. Out: `Effects`, instructions that make
the same again out of other values. Everything that is pending is computed first.

    return {"loss": loss, "n": 3}   ->   ("dict", ("loss", "n"), (("tensor", 0), ("plain", 3)))
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..autograd.tape import AccumulateGrad, Auto, OpGradFn
from ..core.device import CPU
from ..core.traced import Traced, formula
from ..graph.node import Node
from ..graph.primitive import SCALAR, SPEC
from ..graph.realize import realize
from ..tensor.storage import INFERENCE
from ..tensor.tensor import Tensor
from .recorder import Recorder
from .objects import PLAIN


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the end: where its buffer is, or the number that it is."""

    ref: Any                                     # Ref, or ("number", value or formula, 0)
    shape: tuple[int, ...]
    dtype: Any


@dataclass(frozen=True, slots=True)
class Made:
    """A tensor that the call made: its storage (("entry", i) or ("made", k)), and how it looks."""

    storage: tuple[str, int]
    shape: tuple[int, ...]
    dtype: Any
    layout: Any
    inference: bool
    auto: tuple[Any, ...] | None                 # (made, place, seen, number of the base)


@dataclass(slots=True)
class Effects:
    """values    the last nodes, each once
    storages   those that were made: (number of the value, version)
    writes     (storage, number of the value)
    counts     (tensor, how often its memory was written to)
    tensors    tensors that were made
    grads      (tensor, ("none",) or ("tensor", i) or ("entry", i))
    out        what was returned
    """

    values: list[Value] = field(default_factory=list)
    storages: list[tuple[int, int]] = field(default_factory=list)
    writes: list[tuple[int, int]] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)
    tensors: list[Made] = field(default_factory=list)
    grads: list[tuple[int, tuple[Any, ...]]] = field(default_factory=list)
    out: Any = None

    def key(self) -> tuple[Any, ...]:
        tensors = tuple((m.storage, m.shape, m.dtype, m.layout, m.inference, _auto_key(m.auto))
                        for m in self.tensors)
        return (tuple(self.values), tuple(self.storages), tuple(self.writes), tensors,
                tuple(self.grads), tuple(self.counts), repr(self.out))


def autograd_state(t: Tensor) -> tuple[Any, ...]:
    """What autograd knows of a tensor, but for its gradient."""
    auto = t._auto
    if auto is None:
        return (False, None, 0, None, False, "", None, None)
    return (auto.requires, auto.fn, auto.index, auto.base, auto.retains, auto.made, auto.hooks,
            auto.post)


def _auto_key(entry: tuple[Any, ...] | None) -> Any:
    """What two recordings have in common: steps are other ones each time."""
    return ("spent", type(entry[1]), entry[2]) if entry and entry[0] == "spent" else entry


class Finder:
    """Works out the effects of a call."""

    def __init__(self, recorder: Recorder, ids: set[int], given: set[int]) -> None:
        self.recorder = recorder
        self.ids = ids                           # objects of the world outside
        self.given = given                       # containers among the arguments
        self.effects = Effects()
        self.entry = {id(t): i for i, t in enumerate(recorder.tensors)}
        self._made: dict[int, int] = {}
        self._storages: dict[int, int] = {}
        self._values: dict[int, int] = {}
        self._hold: list[Any] = []
        self._pending: list[Any] = []

    def find(self, out: Any, grads: list[Any]) -> Effects | None:
        """The effects; None (and the recorder says why) if they cannot be repeated. `grads` are
        those that the tensors had at the beginning, by number of the entry tensor or None."""
        effects = self.effects
        effects.out = self._out(out)
        for i, before in enumerate(grads):
            self._grad(i, before)
        written = [(i, s) for i, s in enumerate(self.recorder.storages) if self._written(i, s)]
        if self.recorder.reasons:
            return None
        nodes = [s.value for _, s in written] + [s.value for s in self._pending]
        realize([n for n in nodes if n.value is None and n.op is not SCALAR])
        for s in self._pending:
            effects.storages.append((self._value(s.value), s.version))
        for i, s in written:
            effects.writes.append((i, self._value(s.value)))
        effects.counts = [(i, counter.version - before)
                          for i, counter, before in self.recorder.versions
                          if counter.version != before]
        return None if self.recorder.reasons else effects

    def _written(self, i: int, s: Any) -> bool:
        return (s.value is not self.recorder.before[i]()
                and (s.value.value is None or self.recorder.find(s.value) != ("entry", i, 0)))

    # ------------------------------------------------------------ values

    def _value(self, node: Node) -> int:
        at = self._values.get(id(node))
        if at is not None:
            return at
        self._hold.append(node)
        if node.value is None:                   # a SCALAR
            ref: Any = ("number", formula(node.attrs[0]), 0)
        else:
            ref = self.recorder.find(node)
            if ref is None:
                self.recorder.refuse("a value that is left behind comes from outside")
            elif ref[0] == "entry" and self.recorder.storages[ref[1]].pin is not None:
                self.recorder.refuse("an array's memory is left behind")
        at = self._values[id(node)] = len(self.effects.values)
        self.effects.values.append(Value(ref, node.shape, node.dtype))
        return at

    def _storage(self, s: Any) -> tuple[str, int]:
        place = self.recorder.places.get(id(s))
        if place is not None:
            return ("entry", place)
        at = self._storages.get(id(s))
        if at is None:
            at = self._storages[id(s)] = len(self._pending)
            self._pending.append(s)
            if s.pin is not None or s.device is not CPU:
                self.recorder.refuse("a tensor that shares its memory is left behind")
        return ("made", at)

    def _tensor(self, t: Tensor) -> tuple[Any, ...]:
        place = self.entry.get(id(t))
        if place is not None:
            return ("entry", place)
        if id(t) in self._made:
            return ("tensor", self._made[id(t)])
        self._hold.append(t)
        auto = self._auto(t)
        if type(t) is not Tensor or getattr(t, "__dict__", None) or (
                t._counter is not t._storage and t._counter is not INFERENCE):
            self.recorder.refuse(f"a {type(t).__name__} with a state of its own is left behind")
        made = Made(self._storage(t._storage), t._shape, t.dtype, t._layout,
                    t._counter is INFERENCE, auto)
        self._made[id(t)] = len(self.effects.tensors)
        self.effects.tensors.append(made)
        return ("tensor", self._made[id(t)])

    def _auto(self, t: Tensor) -> tuple[Any, ...] | None:
        auto = t._auto
        if auto is None:
            return None
        if auto.fn is not None and auto.base is None and self._spent(auto.fn):
            return ("spent", auto.fn, auto.index)
        if auto.requires or auto.fn is not None:
            self.recorder.refuse("a result needs gradients")
            return None
        if auto.hooks or auto.post or auto.retains or auto.grad is not None:
            self.recorder.refuse("a result has hooks or a gradient")
            return None
        if auto.base is None:
            return None
        return (auto.made, auto.place, auto.seen, self._tensor(auto.base))

    def _spent(self, fn: Any) -> bool:
        """Whether backward went over these steps: they hold no values any more."""
        seen: set[int] = set()
        stack = [fn]
        while stack:
            step = stack.pop()
            if id(step) in seen:
                continue
            seen.add(id(step))
            if isinstance(step, AccumulateGrad):
                if id(step.variable) not in self.ids:
                    return False
            elif not isinstance(step, OpGradFn) or step.packed is not None or step.hooks:
                return False
            elif step.src is not None and any(n.op is not SPEC for n in (step.out, *step.src)):
                return False
            stack.extend(e[0] for e in step.edges if e is not None)
        return True

    def _grad(self, i: int, before: int | None) -> None:
        t = self.recorder.tensors[i]
        grad = None if t._auto is None else t._auto.grad
        if grad is None:
            if before is not None:
                self.effects.grads.append((i, ("none",)))
            return
        found = self._tensor(grad)
        if found != ("entry", before):
            self.effects.grads.append((i, found))

    # ------------------------------------------------------------ what is returned

    def _out(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, Traced):
            self.recorder.refuse("a number that changes from call to call is returned")
        if isinstance(value, PLAIN):
            return ("plain", value)
        kind = type(value)
        if id(value) in self.given:
            self.recorder.refuse("an argument that is no tensor is returned")
        if id(value) in self.ids and kind is not tuple:
            return ("plain", value)
        if kind in (list, tuple) or isinstance(value, tuple) and hasattr(value, "_fields"):
            return ("items", kind, tuple(map(self._out, value)))
        if kind is dict:
            if all(isinstance(k, PLAIN) for k in value):
                return ("dict", tuple(value), tuple(map(self._out, value.values())))
        self.recorder.refuse(f"a {kind.__name__} is returned")
        return ("plain", None)


def rebuild_auto(entry: tuple[Any, ...], base: Tensor | None) -> Auto:
    """The autograd part of a view that needs no gradient, or of what backward went over."""
    if entry[0] == "spent":
        fn = entry[1]
        again = type(fn)(fn.op, fn.attrs, fn.out, fn.src, fn.edges, (), fn.origin)
        return Auto(True, again, entry[2])
    auto = Auto()
    auto.made, auto.place, auto.seen = entry[:3]
    auto.base = base
    return auto
