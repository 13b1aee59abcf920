"""Gives nodes their values: the one place that owns when and how pending work is computed.

In: nodes somebody looks at. Out: the same nodes with `value` set and sources dropped. A structure
that was seen before runs its compiled program at once; the numbers of the user's program are
constants of it until one is seen to vary, and from then on an input.
"""
from __future__ import annotations

import ctypes
import struct
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.config import config
from ..core.dtype import dtype
from ..core.follow import watch
from ..core.trace import describe, say_where
from ..core.traced import plain
from ..core.watch import WATCHERS, span
from ..runtime import native
from ..runtime.buffer import Buffer
from . import interpret
from .canonicalize import LISTED, Pending, buffer_of, canonicalize, template
from .node import Node, topological
from .primitive import CONST, EXPAND, SCALAR

if TYPE_CHECKING:
    from .program import Program

_PACK = {"f": struct.Struct("<d"), "i": struct.Struct("<q"), "b": struct.Struct("<?7x"),
         "u": struct.Struct("<Q")}
_FLOAT32 = struct.Struct("<f4x")


@dataclass(slots=True)
class Family:
    """Programs of one structure: which of its numbers vary, what the others were."""

    values: list[Any]
    varies: list[bool]
    programs: dict[tuple[Any, ...], Program] = field(default_factory=dict)


@dataclass(slots=True)
class Statistics:
    """Counts since start: programs run, found in memory, compiled."""

    runs: int = 0
    compiled: int = 0
    causes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Pace:
    """What was recorded since something was last computed.

    count   operations
    place   the line at which the loop that goes over the budget starts a round
    round   the results since it last came there
    samples how many `recording_samples` are open
    """

    count: int = 0
    place: Any = None
    round: list[weakref.ref[Node]] = field(default_factory=list)
    samples: int = 0


BUDGET = 3989                            # operations recorded before a loop that never looks is cut
_pace = Pace()
FAMILIES = 1024                          # structures whose programs are kept in memory
_families: dict[tuple[Any, ...], Family] = {}
_lock = threading.RLock()
native.hold_over_fork(_lock, outermost=True)
statistics = Statistics()


def realize(nodes: list[Node]) -> None:
    """Compute every node of the list that has no value yet."""
    wanted = list({id(n): n for n in nodes if n.value is None and not _filled(n)}.values())
    if not wanted:
        return
    with _lock:
        wanted = [n for n in wanted if n.value is None]
        if not wanted:
            return
        _pace.count = 0
        _pace.round.clear()
        try:
            if WATCHERS:
                where = wanted[0].origin
                span("run", where, _run, span("plan", where, canonicalize, wanted))
            else:
                _run(canonicalize(wanted))
        except Exception as error:
            say_where(error, wanted[0])
            raise


def recorded(node: Node) -> None:
    """Called with every operation's result: bounds what a loop that never looks leaves pending."""
    _pace.count += 1
    if _pace.count > BUDGET and not _pace.samples:
        _over_budget(node)


@contextmanager
def recording_samples() -> Iterator[None]:
    """What is recorded in here stands for samples of a batch and is not computed on the way."""
    _pace.samples += 1
    try:
        yield
    finally:
        _pace.samples -= 1


def _over_budget(node: Node) -> None:
    """Once round the loop, and what that made and somebody holds is computed.

    The cut is always at the same line, so that all the pieces of a loop are one program. Code that
    comes to no line twice is cut where it stands.
    """
    if _pace.round and node.origin == _pace.place:
        held = [n for ref in _pace.round if (n := ref()) is not None and n.value is None]
        realize([*_outer(held), node])
    elif _pace.count > 2 * BUDGET:
        _pace.place = None
        realize([node])
    elif _pace.round or _pace.place is None or node.origin == _pace.place:
        if not _pace.round:
            _pace.place = node.origin
        _pace.round.append(weakref.ref(node))


def _outer(nodes: list[Node]) -> list[Node]:
    """Those of a list that something other than pending work holds."""
    order = topological(nodes)
    uses: dict[int, int] = {}
    for node in order:
        for s in node.src:
            uses[id(s)] = uses.get(id(s), 0) + 1
    made = {id(n) for n in nodes}
    ours = LISTED + 1                    # the list that was given is one more
    kept = []
    for node in order:
        if id(node) in made and sys.getrefcount(node) > ours + uses.get(id(node), 0):
            kept.append(node)
    return kept


def _filled(node: Node) -> bool:
    """Give an array of equal constants its value without a program."""
    if node.op is not EXPAND or not node.src or node.src[0].op not in (CONST, SCALAR):
        return False
    buffer = Buffer(node.size * node.dtype.itemsize)
    number = node.src[0].attrs[0]
    if number == 0 and repr(number) in ("0", "0.0", "False"):
        ctypes.memset(buffer.address, 0, buffer.nbytes)
    else:
        buffer.numpy(node.dtype.numpy, node.shape)[...] = number
    node.value = buffer
    node.src = ()
    if watch.recorder is not None:
        watch.recorder.made(node)
    return True


def _run(pending: Pending) -> None:
    family = _families.get(pending.structure)
    numbers = [plain(n.value) for n in pending.numbers]
    if family is None:
        family = Family(numbers, [n.varies for n in pending.numbers])
        _make_room()
        _families[pending.structure] = family
    else:
        _note_changes(family, numbers, pending)
    fixed = tuple([v if type(v) is int else (repr(v), v)
                   for v, varies in zip(numbers, family.varies) if not varies])
    key = (tuple(family.varies), fixed)
    program = family.programs.get(key)
    if program is None:
        program = family.programs[key] = span("compile", pending.roots[0].origin, _compile,
                                              pending, family)
    statistics.runs += 1
    inputs = [buffer_of(n) for n in pending.leaves]
    recorder = watch.recorder
    note = None
    if recorder is not None:
        offsets = [offset for _, offset in inputs]
        note = recorder.launching(program, pending, offsets, family.varies)
    packed = b"".join([pack(n.dtype, n.value) for n in pending.numbers])
    buffers = program.run(inputs, packed)
    _deliver(pending, buffers)
    if recorder is not None:
        recorder.launched(note, pending)


@contextmanager
def forgetting() -> Iterator[None]:
    """Programs that run inside are compiled anew, and forgotten afterwards."""
    with _lock:
        before = dict(_families)
        _families.clear()
    try:
        yield
    finally:
        with _lock:
            _families.clear()
            _families.update(before)


def _make_room() -> None:
    """Forget the oldest structures when there are too many: programs with code hold memory."""
    if len(_families) >= FAMILIES:
        for key in list(_families)[:FAMILIES // 4]:
            del _families[key]


def _note_changes(family: Family, numbers: list[Any], pending: Pending) -> None:
    for i, (old, new) in enumerate(zip(family.values, numbers)):
        if old is new or family.varies[i]:
            continue
        if old != new if type(old) is int else repr(old) != repr(new):
            family.varies[i] = True
            if "cache" in config.show:
                where = describe(pending.numbers[i].node.origin)
                print(f"flambeau: a number varies ({old!r} -> {new!r}), now an input: {where}")


def pack(kind: dtype, value: Any) -> bytes:
    """A number as the 8 bytes that a program reads in its type."""
    value = plain(value)
    if kind.kind == "f" and kind.itemsize == 4:
        return _FLOAT32.pack(np.float32(value))
    if kind.kind in "fiub" and kind.itemsize == 8 or kind.kind == "b":
        return _PACK[kind.kind].pack(value)
    return np.array(value).astype(kind.numpy).tobytes().ljust(8, b"\0")[:8]


def _compile(pending: Pending, family: Family) -> Program:
    # The compiler and LLVM are loaded by the first program, not by `import flambeau`.
    from .program import Program

    statistics.compiled += 1
    constant = [not v for v in family.varies]
    inputs = len(pending.leaves) + bool(pending.numbers)
    if "cache" in config.show:
        print(f"flambeau: compiling {len(pending.order)} nodes for "
              f"{describe(pending.roots[0].origin)}")
    return Program(template(pending, constant), inputs, f"program{statistics.compiled}",
                   pending.donated)


def _deliver(pending: Pending, buffers: list[Any]) -> None:
    if "interp" in config.check:
        _compare(pending, buffers)
    if "nan" in config.check:
        _hunt_nan(pending, buffers)
    for node, buffer in zip(pending.roots, buffers):
        node.value = buffer
    for node in pending.roots:
        node.src = ()


def _compare(pending: Pending, buffers: list[Any]) -> None:
    """FLAMBEAU_CHECK=interp: the program's results against the interpreter's."""
    expected = interpret.evaluate(pending.roots)
    for node, buffer, want in zip(pending.roots, buffers, expected):
        got = buffer.numpy(node.dtype.numpy, node.shape)
        if node.dtype.kind == "f":
            loose = 2e-2 if node.dtype.itemsize == 2 else 1e-4
            same = np.allclose(got.astype(np.float64), want.astype(np.float64), loose, loose,
                               equal_nan=True)
        else:
            same = np.array_equal(got, want)
        if not same:
            raise AssertionError(f"{node.op.name} {node.dtype.name}{node.shape} differs from the "
                                 f"interpreter: {describe(node.origin)}")


def _hunt_nan(pending: Pending, buffers: list[Any]) -> None:
    """FLAMBEAU_CHECK=nan: stop at the first operation that made a NaN, and name its line."""
    if not any(_has_nan(n, b.numpy(n.dtype.numpy, n.shape))
               for n, b in zip(pending.roots, buffers)):
        return
    bad: set[int] = set()
    for node, value in zip(pending.order, interpret.evaluate_all(pending.order)):
        if not _has_nan(node, value):
            continue
        if not any(id(s) in bad for s in node.src):
            raise RuntimeError(f"{node.op.name}{list(node.shape)} gave NaN: recorded at "
                               f"{describe(node.origin)}")
        bad.add(id(node))


def _has_nan(node: Node, value: np.ndarray[Any, Any]) -> bool:
    return node.dtype.kind in "fc" and bool(np.any(value != value))
