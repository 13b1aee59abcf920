"""What the engine tells those who watch it: profilers, `explain`, the HTML view.

In: calls from `graph/realize` and `graph/program` while `WATCHERS` is not empty. Out: calls of the
watchers' methods. Nothing is measured or kept while nobody watches.

    watch.WATCHERS.append(watcher)      # a Watcher with some methods of its own
"""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .trace import Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Launch:
    """One step of a program that ran. Seconds are those of `time.perf_counter`.

    kind      "kernel", "sort" (ready-made code for sorting and searching) or "host" (NumPy)
    flops     useful operations; 0 where they are not counted
    bytes     useful bytes read and written
    """

    program: str
    name: str
    kind: str
    start: float
    seconds: float
    flops: int
    bytes: int
    origin: Origin | None

    @property
    def gflops(self) -> float:
        """10^9 operations a second."""
        return self.flops / max(self.seconds, 1e-9) / 1e9

    @property
    def gbytes(self) -> float:
        """10^9 bytes a second."""
        return self.bytes / max(self.seconds, 1e-9) / 1e9


class Watcher:
    """Told what happens; does nothing. Override what is of interest."""

    def stage(self, program: str, name: str, roots: Any) -> None:
        """The graph of a program that is being compiled, as pass `name` left it."""

    def lowered(self, program: str, lowered: Any) -> None:
        """What a program became before code generation (a `graph.lower.Lowered`)."""

    def span(self, name: str, start: float, seconds: float, origin: Origin | None) -> None:
        """A part of the engine's own work: "plan", "compile", "run"."""

    def launch(self, launch: Launch) -> None:
        """A step of a program has run."""

    def memory(self, when: float, allocated: int) -> None:
        """Bytes in live buffers after a program."""


WATCHERS: list[Watcher] = []
# Least seconds for (flops, bytes) on this machine: `runtime/machine` puts its measure in.
LIMITS: list[Callable[[int, int], float]] = []


def span(name: str, origin: Origin | None, fn: Callable[..., T], *args: Any) -> T:
    """fn(*args); those who watch are told how long it took."""
    if not WATCHERS:
        return fn(*args)
    start = time.perf_counter()
    try:
        return fn(*args)
    finally:
        seconds = time.perf_counter() - start
        for watcher in tuple(WATCHERS):
            watcher.span(name, start, seconds, origin)
