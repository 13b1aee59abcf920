"""torch.autograd.profiler: times of the ranges that a program names.

In: `record_function("name")` around a part, inside `with profile()`. Out: events with name, start
and duration, their averages and a trace in Chrome's format. An operation's own time is unknown:
recording is lazy, the work is done when somebody looks.
"""
from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class FunctionEvent:
    """One range; times in microseconds."""

    name: str
    start_us: float
    duration_us: float
    thread: int
    count: int = 1

    @property
    def key(self) -> str:
        return self.name

    @property
    def cpu_time_total(self) -> float:
        return self.duration_us

    @property
    def self_cpu_time_total(self) -> float:
        return self.duration_us

    @property
    def cpu_time(self) -> float:
        return self.duration_us / self.count

    @property
    def device_time_total(self) -> float:
        return 0.0


class EventList(list[FunctionEvent]):
    """Events, with tables."""

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """One event a name: the sum of its times, how often it came."""
        found: dict[str, FunctionEvent] = {}
        for e in self:
            have = found.get(e.name)
            if have is None:
                found[e.name] = FunctionEvent(e.name, e.start_us, e.duration_us, e.thread, e.count)
            else:
                have.duration_us += e.duration_us
                have.count += e.count
        return EventList(found.values())

    def total_average(self) -> FunctionEvent:
        return FunctionEvent("Total", 0.0, sum(e.duration_us for e in self), 0,
                             sum(e.count for e in self) or 1)

    @property
    def self_cpu_time_total(self) -> float:
        return sum(e.duration_us for e in self)

    def table(self, sort_by: str | None = None, row_limit: int = 100, *args: Any,
              **kwargs: Any) -> str:
        rows = list(self)
        if sort_by is not None:
            rows.sort(key=lambda e: float(getattr(e, sort_by, 0.0)), reverse=True)
        width = max([len("Name"), *(len(e.name) for e in rows)])
        lines = [f"{'Name':<{width}}  {'CPU total':>12}  {'# of Calls':>10}"]
        lines.insert(0, "-" * len(lines[0]))
        lines.append(lines[0])
        lines += [f"{e.name:<{width}}  {e.duration_us / 1e3:>10.3f}ms  {e.count:>10}"
                  for e in rows[:row_limit]]
        return "\n".join([*lines, lines[0], ""])

    def export_chrome_trace(self, path: str) -> None:
        events = [{"ph": "X", "cat": "user_annotation", "name": e.name, "pid": 0, "tid": e.thread,
                   "ts": e.start_us, "dur": e.duration_us} for e in self]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)


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
            end = time.perf_counter()
            event = FunctionEvent(self.name, self._start * 1e6, (end - self._start) * 1e6,
                                  threading.get_ident())
            for running in _running:
                running._events.append(event)

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return fn(*args, **kwargs)

        return call


class profile:  # noqa: N801
    """Collects the ranges that end inside it."""

    def __init__(self, enabled: bool = True, *args: Any, **kwargs: Any) -> None:
        self.enabled = enabled
        self._events = EventList()

    def __enter__(self) -> profile:
        if self.enabled:
            _running.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        if self in _running:
            _running.remove(self)

    @property
    def function_events(self) -> EventList:
        return self._events

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        return self._events.key_averages()

    def total_average(self) -> FunctionEvent:
        return self._events.total_average()

    def table(self, *args: Any, **kwargs: Any) -> str:
        return self._events.table(*args, **kwargs)

    @property
    def self_cpu_time_total(self) -> float:
        return self._events.self_cpu_time_total

    def export_chrome_trace(self, path: str) -> None:
        self._events.export_chrome_trace(path)

    def __str__(self) -> str:
        return self.table()


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


def _profiler_enabled() -> bool:
    return bool(_running)


__all__ = ["EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]
