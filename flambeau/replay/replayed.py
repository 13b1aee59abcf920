"""When to record and when to replay: `Replayed` stands for a function that torch.compile was given.

In: calls. Out: the results of the function, every time; later calls come from a plan if nothing
that the function can see has changed since two recordings in a row agreed. A call that no plan
fits is recorded (or, after several recordings that could not be used, run as it is for a while);
`explain` says why. With FLAMBEAU_SHOW=cache each such reason is printed.
"""
from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..autograd import profiler
from ..autograd.forward_ad import _levels
from ..autograd.grad_mode import state
from ..core.config import config
from ..core.defaults import default_dtype
from ..core.device import default_place
from ..core.trace import describe
from ..core.follow import watch
from ..graph.realize import realize
from ..nn.modules import module_hooks
from ..tensor.autocast import state as autocast
from ..tensor.override import MODES
from ..tensor.tensor import Tensor
from . import code
from .arguments import Arguments
from .code import Seen
from .plan import Miss, Plan, look, pattern, signature, sliding, start
from .recorder import Check, Draw, Recorder
from .results import Finder, autograd_state
from .steady import Steady, steady
from .world import World

PLANS = 8                                        # kept for one function
ATTEMPTS = 6                                     # recordings in a row that may fail
REST = 64                                        # calls to run as they are then; doubles
_HOOKS = (module_hooks.global_forward_hooks, module_hooks.global_forward_pre_hooks,
          module_hooks.global_backward_hooks, module_hooks.global_backward_pre_hooks)
_PLACES = frozenset({"storage_offset", "data_ptr", "untyped_storage", "storage"})
_all: weakref.WeakSet[Replayed] = weakref.WeakSet()


STANCES = frozenset({"default", "force_eager", "eager_on_recompile", "fail_on_recompile"})
_stance = ["default"]


def set_stance(stance: str) -> str:
    """What to do from now on (torch.compiler.set_stance); what was done before."""
    before, _stance[0] = _stance[0], stance
    return before


def ambient() -> tuple[Any, ...]:
    """The settings that every operation depends on."""
    return (state.grad, state.inference, default_dtype(), default_place(), autocast.enabled,
            autocast.dtype, autocast.cache, config.eager, config.check, config.show)


def _strange() -> str | None:
    """A mode of the moment in which nothing is recorded or replayed."""
    if MODES or _levels or state.pack or state.anomaly:
        return "a mode is on (functions overridden, forward gradients, saved tensors, anomalies)"
    if any(_HOOKS):
        return "a hook for all modules is registered"
    if config.check or config.eager:
        return "FLAMBEAU_CHECK or FLAMBEAU_EAGER is set"
    if profiler._running or sys.getprofile() is not None:
        return "a profiler is running"
    return None


@dataclass(slots=True)
class Entry:
    """A plan and when it fits: settings, form of the arguments, Python state."""

    ambient: tuple[Any, ...]
    form: Any
    world: World
    grads: list[int | None]
    plan: Plan
    runs: int = 0
    steady: Steady | None = None
    hurry: int = 0                               # long ways since the last short one
    out: Any = None

    def run(self, arguments: list[Tensor]) -> str | None:
        """Run the plan, the short way if it can be; or why it does not fit. `out` is the result."""
        if self.steady is not None:
            found = self.steady.run(arguments)
            if found is not None:
                self.out = found[0]
                self.hurry = 0
                return None
            self.steady = None
        tensors = self.gather(arguments)
        why = self.plan.fits(tensors)
        if why is None:
            self._release(tensors, len(arguments))
            self.out = self.plan.run(tensors)
            self.hurry += 1
            # Built again and again for nothing, it is tried at fewer and fewer calls.
            if not self.hurry & (self.hurry - 1):
                self.steady = steady(self.plan, tensors, len(self.world.tensors), len(arguments))
                tensors = []
                if self.steady is not None:
                    self.steady.settle()
        return why

    def _release(self, tensors: list[Tensor], given: int) -> None:
        """Let go of gradients that the run only replaces, before it needs memory for the new."""
        first = len(self.world.tensors) + given
        spent = self.plan.spent(first)
        if spent:
            del tensors[first:]
            for i in spent:
                tensors[i]._auto.grad = None

    def taken(self) -> Any:
        """The result, which the entry lets go of."""
        out, self.out = self.out, None
        return out

    def gather(self, arguments: list[Tensor]) -> list[Tensor]:
        """The tensors of a call in the order of the recording; Miss if gradients came or went."""
        tensors = [*self.world.tensors, *arguments]
        found = list(tensors)
        for t, place in zip(tensors, self.grads):
            auto = t._auto
            grad = None if auto is None else auto.grad
            if (grad is None) != (place is None):
                raise Miss("a gradient that was there is not, or the reverse")
            if grad is not None and place == len(found):
                found.append(grad)
        return found


@dataclass(slots=True)
class Candidate:
    """A usable recording that waits for another like it."""

    ambient: tuple[Any, ...]
    form: Any
    looks: list[tuple[Any, ...]]
    pattern: Any
    signature: tuple[Any, ...]

    def like(self, other: Candidate) -> bool:
        return (self.ambient == other.ambient and self.form == other.form
                and self.looks == other.looks and self.pattern == other.pattern)


class Replayed:
    """A function and its plans. `why`: the last reasons for which a call was not replayed."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._replays = fn
        self.lock = threading.Lock()
        self.forget()
        _all.add(self)

    def forget(self) -> None:
        """Begin again."""
        self.entries: list[Entry] = []
        self.candidates: list[Candidate] = []
        self.followed = False                    # its code is known from a call
        self.codes: dict[int, Any] = {}
        self.names: set[str] = set()
        self.dynamic = False
        self.failures = 0
        self.reasons: set[str] = set()           # of the last failure
        self.rests = 0
        self.skip = 0
        self.why: dict[str, int] = {}
        self.calls = 0
        self.replays = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if watch.recorder is not None or _stance[0] == "force_eager":
            return self._replays(*args, **kwargs)
        if not self.lock.acquire(blocking=False):
            return self._replays(*args, **kwargs)
        try:
            self.calls += 1
            if self.skip and _stance[0] != "fail_on_recompile":
                self.skip -= 1
                return self._replays(*args, **kwargs)
            return self._call(args, kwargs)
        finally:
            self.lock.release()

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        strange = _strange()
        if strange is not None:
            self._because(strange)
            return self._replays(*args, **kwargs)
        given = Arguments(args, kwargs)
        now = ambient()
        for entry in self.entries:
            if entry.form == given.form and entry.ambient == now:
                try:
                    why = _changed(entry.world) or entry.run(given.tensors)
                    if why is None:
                        self._used(entry)
                        return entry.taken()
                except Miss as miss:
                    why = str(miss)
                self._because(f"changed: {why}")
        if _stance[0] == "fail_on_recompile":
            raise RuntimeError(f"{_name(self._replays)} would have to be recorded again, and the "
                               "stance is 'fail_on_recompile'")
        if _stance[0] != "default":
            return self._replays(*args, **kwargs)
        return self._record(args, kwargs, given, now)

    def _used(self, entry: Entry) -> None:
        self.replays += 1
        entry.runs += 1
        if self.entries[0] is not entry:
            self.entries.remove(entry)
            self.entries.insert(0, entry)

    def _because(self, reason: str) -> None:
        if "cache" in config.show and reason not in self.why:
            print(f"flambeau: {_name(self._replays)} is not replayed: {reason}")
        self.why[reason] = self.why.pop(reason, 0) + 1
        while len(self.why) > 16:
            del self.why[next(iter(self.why))]

    def _failed(self, reasons: list[str]) -> None:
        """A recording that cannot be used; after several, calls run as they are for a while."""
        for reason in reasons:
            self._because(reason)
        self.failures += 1
        kinds = {reason.partition(":")[0] for reason in reasons}
        again = kinds == self.reasons
        self.reasons = kinds
        if self.failures >= ATTEMPTS or again and self.failures > 2:
            self.skip = REST << min(self.rests, 10)
            self.rests += 1
            self.failures = 0

    # ------------------------------------------------------------ recording

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any], given: Arguments,
                now: tuple[Any, ...]) -> Any:
        seen = Seen()
        world = None
        if self.followed:
            world = World(self.names, self.codes, self.dynamic)
            _look_round(world, [self._replays, *given.objects])
        if world is None or world.opaque:
            out = self._follow(seen, args, kwargs)
            self._learn(seen)
            self.followed = True
            if world is not None or seen.effects:
                self._failed([*seen.effects, *(world.opaque[:4] if world else ())])
            return out
        return self._record_in(world, seen, args, kwargs, given, now)

    def _follow(self, seen: Seen, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call itself, with a look at the code that runs."""
        sys.setprofile(seen.follow)
        try:
            return self._replays(*args, **kwargs)
        finally:
            sys.setprofile(None)

    def _learn(self, seen: Seen) -> bool:
        """Whether the call ran code that was not known."""
        more = (bool(seen.codes.keys() - self.codes.keys())
                or seen.dynamic and not self.dynamic)
        self.codes.update(seen.codes)
        self.names |= seen.names
        self.dynamic = self.dynamic or seen.dynamic
        return more

    def _record_in(self, world: World, seen: Seen, args: tuple[Any, ...], kwargs: dict[str, Any],
                   given: Arguments, now: tuple[Any, ...]) -> Any:
        tensors, grads = _with_gradients([*world.tensors, *given.tensors])
        recorder = Recorder(tensors, world.rates, world.counts)
        recorder.begin()
        looks = [look(t) for t in tensors]
        before = [autograd_state(t) for t in tensors]
        shared = pattern(tensors)
        watch.recorder = recorder
        try:
            out = self._follow(seen, args, kwargs)
            effects = Finder(recorder, world.ids, given.given).find(out, grads)
        finally:
            watch.recorder = None
            recorder.end()
        reasons = self._reasons(recorder, world, seen, looks, before)
        if self._learn(seen):
            return out
        if reasons or effects is None:
            self._failed(reasons)
            return out
        self.failures = 0
        first = len(world.tensors)
        slides = {} if self.names & _PLACES else sliding(recorder, effects, first,
                                                         first + len(given.tensors))
        recorder.rebase({i: start(tensors[k]) for i, k in slides.items()})
        for k in slides.values():
            looks[k] = look(tensors[k], True)
        self._keep(Candidate(now, given.form, looks, shared, signature(recorder, effects)),
                   Entry(now, given.form, world, grads, Plan(recorder, effects, looks, slides)))
        return out

    def _reasons(self, recorder: Recorder, world: World, seen: Seen,
                 looks: list[tuple[Any, ...]], before: list[tuple[Any, ...]]) -> list[str]:
        """Why a recording cannot be used."""
        reasons = [*recorder.reasons, *seen.effects]
        change = _changed(world)
        if change is not None:
            reasons.append(f"the call changes Python state: {change}")
        reasons += [f"{describe((ran, 0))} is reached in a way that flambeau does not see"
                    for at, ran in seen.codes.items() if at not in world.codes]
        if state.grad and any(seen_[8] for seen_ in looks):
            reasons.append("an argument has a history of its own")
        for t, was in zip(recorder.tensors, before):
            if any(a is not b and a != b for a, b in zip(autograd_state(t), was)):
                reasons.append("the call changes what autograd knows of a tensor")
                break
        if [look(t) for t in recorder.tensors] != looks:
            reasons.append("the call changes a tensor's shape or place")
        drawn = False
        for event in recorder.events:
            drawn = drawn or isinstance(event, Draw)
            if drawn and isinstance(event, Check) and event.ref[0] == "slot":
                reasons.append("an index made inside is checked after random numbers were drawn")
        return reasons

    def _keep(self, new: Candidate, entry: Entry) -> None:
        """A usable recording: a plan if the last one like it agrees, else it waits for one."""
        for old in self.candidates:
            if old.like(new):
                self.candidates.remove(old)
                if old.signature == new.signature:
                    self.entries.insert(0, entry)
                    del self.entries[PLANS:]
                    return
                self._because("two recordings differ")
                break
        self.candidates.append(new)
        del self.candidates[:-PLANS]


code._FOLLOWED[0] = Replayed._follow.__code__


def _changed(world: World) -> str | None:
    """What is not as it was; an object that cannot be compared any more has changed."""
    try:
        return world.changed()
    except Exception as error:
        return f"an object raised {type(error).__name__} when it was looked at"


def _look_round(world: World, things: list[Any]) -> None:
    """Walk from the function and its arguments. An object whose attributes run code of its own may
    raise anything: then it cannot be looked into."""
    try:
        for thing in things:
            world.walk(thing, "the function" if thing is things[0] else "an argument")
        world.freeze()
    except Exception as error:
        world.opaque.append(f"an object raised {type(error).__name__} when it was looked at")


def _with_gradients(tensors: list[Tensor]) -> tuple[list[Tensor], list[int | None]]:
    """The tensors and after them their gradients; for each of the first, which is its gradient."""
    found = list(tensors)
    places: list[int | None] = []
    for t in tensors:
        grad = None if t._auto is None else t._auto.grad
        places.append(None if grad is None else len(found))
        if grad is not None:
            found.append(grad)
    return found, places


def _name(fn: Any) -> str:
    return getattr(fn, "__qualname__", None) or type(fn).__name__


def reset() -> None:
    """Forget all plans and recordings (torch.compiler.reset)."""
    for one in list(_all):
        one.forget()


def explain(fn: Any) -> str:
    """What became of a compiled function's calls, and why some were not replayed."""
    one = getattr(fn, "_replayed", fn)
    if not isinstance(one, Replayed):
        raise TypeError(f"explain expects a compiled function or module, got {type(fn).__name__}")
    lines = [f"{_name(one._replays)}: {one.calls} calls, {one.replays} replayed, "
             f"{len(one.entries)} plans"]
    for entry in one.entries:
        lines.append(f"  {entry.plan.describe()}, replayed {entry.runs} times")
    lines += [f"  not replayed ({count}): {reason}" for reason, count in one.why.items()]
    return "\n".join(lines)


__all__ = ["Replayed", "explain", "realize", "reset"]
