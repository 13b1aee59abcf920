"""torch.autograd.profiler: times of the ranges that a program names, and of what they compiled to.

In: `record_function("name")` around a part, inside `with profile()`; what the engine tells
`core/watch`. Out: events with name, start and duration, their averages and a trace in Chrome's
format. An operation by itself has no time: recording is lazy, and what runs are fused kernels.
"""
from __future__ import annotations

import bisect
import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from ..core.trace import Origin, describe
from ..core.watch import WATCHERS, Launch, Watcher
from .profiler_util import KERNEL, EventList, FunctionEvent, set_inside, write_trace


class _Collector(Watcher):
    """Makes events of what the engine tells."""

    def __init__(self) -> None:
        self.events = EventList()
        self.free_since = time.perf_counter()

    def add(self, name: str, start: float, seconds: float, kind: str, line: str = "") -> None:
        """One event; times in seconds."""
        self.events.append(FunctionEvent(name, start * 1e6, seconds * 1e6, threading.get_ident(),
                                         kind, line=line))

    def span(self, name: str, start: float, seconds: float, origin: Origin | None) -> None:
        if name == "plan":
            self.add("flambeau::record", self.free_since, start - self.free_since, "python")
        self.add(f"flambeau::{name}", start, seconds, "engine", describe(origin))
        self.free_since = start + seconds

    def launch(self, launch: Launch) -> None:
        event = FunctionEvent(launch.name, launch.start * 1e6, launch.seconds * 1e6,
                              threading.get_ident(), KERNEL, flops=launch.flops,
                              bytes=launch.bytes, line=describe(launch.origin))
        self.events.append(event)

    def memory(self, when: float, allocated: int) -> None:
        self.events.memory.append((when * 1e6, allocated))


_running: list[profile] = []


class record_function:  # noqa: N801
    """A named range; also a decorator."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._start = 0.0

    def __enter__(self) -> record_function:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: Any) -> None:
        if _running:
            seconds = time.perf_counter() - self._start
            kind = "step" if self.name.startswith("ProfilerStep#") else "user"
            for running in _running:
                running._collector.add(self.name, self._start, seconds, kind)

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return fn(*args, **kwargs)

        return call


class profile:  # noqa: N801
    """Collects the ranges that end inside it, and the kernels that run."""

    def __init__(self, enabled: bool = True, *, use_cuda: bool = False,
                 record_shapes: bool = False, with_flops: bool = False,
                 profile_memory: bool = False, with_stack: bool = False,
                 with_modules: bool = False, **options: Any) -> None:
        self.enabled = enabled
        self._collector = _Collector()

    def __enter__(self) -> profile:
        if self.enabled:
            self._collector.free_since = time.perf_counter()
            _running.append(self)
            WATCHERS.append(self._collector)
        return self

    def __exit__(self, *_: Any) -> None:
        if self not in _running:
            return
        _running.remove(self)
        WATCHERS.remove(self._collector)
        events = self._collector.events
        set_inside(events)
        _set_memory(events)

    @property
    def function_events(self) -> EventList:
        """What was collected."""
        return self._collector.events

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """One event a name: the sum of its times, how often it came."""
        return self.function_events.key_averages(*args, **kwargs)

    def total_average(self) -> FunctionEvent:
        """All events as one."""
        return self.function_events.total_average()

    def table(self, *args: Any, **kwargs: Any) -> str:
        """The events as text."""
        return self.function_events.table(*args, **kwargs)

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds that are inside some event."""
        return self.function_events.self_cpu_time_total

    def export_chrome_trace(self, path: str, metadata: dict[str, str] | None = None) -> None:
        """Write Chrome's trace format."""
        write_trace(self.function_events, path, metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write lines for flame graphs."""
        self.function_events.export_stacks(path, metric)

    def __str__(self) -> str:
        return self.table()


def _set_memory(events: EventList) -> None:
    """How many bytes more there are after each range than before it."""
    times = [when for when, _ in events.memory]
    for e in events:
        if e.kind in ("user", "step") and times:
            last = bisect.bisect_right(times, e.time_range.end) - 1
            first = bisect.bisect_right(times, e.start_us) - 1
            if last > first >= 0:
                e.memory = events.memory[last][1] - events.memory[first][1]


class emit_nvtx:  # noqa: N801
    """Ranges for NVIDIA's tools: there is no such device, so nothing is told."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled = enabled

    def __enter__(self) -> emit_nvtx:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


class emit_itt(emit_nvtx):  # noqa: N801
    """Ranges for Intel's tools: nothing is told."""


def kineto_available() -> bool:
    """Whether PyTorch's native profiler is there: it is not."""
    return False


def _profiler_enabled() -> bool:
    return bool(_running)


__all__ = ["EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]
