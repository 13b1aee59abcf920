"""torch.autograd.profiler_util: the events of a profile, their sums, the table, the trace file.

In: `FunctionEvent`s that `profiler.profile` collected. Out: averages, a table of text, Chrome's
trace format, lines for flame graphs. Times are microseconds.
"""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.watch import LIMITS

KERNEL = "kernel"                # the kind of an event that is a step of a compiled program
ROUNDING = 0.01                  # microseconds: times are floats since the machine started
_TRACKS = {KERNEL: "kernels", "python": "python and recording", "engine": "flambeau"}


@dataclass(frozen=True, slots=True)
class Interval:
    """From when to when."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """How long, in microseconds."""
        return self.end - self.start


@dataclass(slots=True)
class FunctionEvent:
    """One range, or one step of a compiled program.

    kind      "user" (record_function), "step", "engine" (plan, compile, run), "python" (between
              two runs: the program's own work and recording) or "kernel"
    line      where in the user's program the work was recorded
    """

    name: str
    start_us: float
    duration_us: float
    thread: int
    kind: str = "user"
    count: int = 1
    flops: int = 0
    bytes: int = 0
    line: str = ""
    memory: int = 0
    inside_us: float = 0.0       # the part that events inside this one took
    is_async: bool = field(default=False, init=False)

    @property
    def key(self) -> str:
        """What the averages are made by."""
        return self.name

    @property
    def time_range(self) -> Interval:
        """From when to when."""
        return Interval(self.start_us, self.start_us + self.duration_us)

    @property
    def cpu_time_total(self) -> float:
        """Microseconds, with what is inside."""
        return self.duration_us

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds, without what is inside."""
        return self.duration_us - self.inside_us

    @property
    def cpu_time(self) -> float:
        """Microseconds a call."""
        return self.duration_us / self.count

    @property
    def cpu_memory_usage(self) -> int:
        """Bytes in live buffers at the end more than at the start."""
        return self.memory

    @property
    def device_time_total(self) -> float:
        """There is no other device."""
        return 0.0

    @property
    def share(self) -> float:
        """The least time that the machine's limits allow, as a part of the time it took."""
        if not LIMITS or not self.duration_us or not (self.flops or self.bytes):
            return 0.0
        return LIMITS[-1](self.flops, self.bytes) * 1e6 / self.duration_us

    device_time = self_device_time_total = cuda_time_total = device_time_total
    self_cpu_memory_usage = cpu_memory_usage


FunctionEventAvg = FunctionEvent


def set_inside(events: Iterable[FunctionEvent]) -> None:
    """Give each event the time of those directly inside it, by thread."""
    open_: dict[int, list[FunctionEvent]] = {}
    for e in sorted(events, key=lambda e: (e.start_us, -e.duration_us)):
        if e.kind == "python":
            continue
        stack = open_.setdefault(e.thread, [])
        while stack and stack[-1].time_range.end <= e.start_us + ROUNDING:
            stack.pop()
        if stack:
            stack[-1].inside_us += e.duration_us
        stack.append(e)


class EventList(list[FunctionEvent]):
    """Events, with sums and tables. `memory` has (microseconds, bytes in live buffers)."""

    def __init__(self, events: Iterable[FunctionEvent] = (),
                 memory: list[tuple[float, int]] | None = None) -> None:
        super().__init__(events)
        self.memory = memory if memory is not None else []

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """One event a name (and line, with `group_by_stack_n`): the sums, and how often it came."""
        found: dict[Any, FunctionEvent] = {}
        for e in self:
            key = (e.name, e.kind, e.line if group_by_stack_n else None)
            have = found.get(key)
            if have is None:
                found[key] = FunctionEvent(e.name, e.start_us, e.duration_us, e.thread, e.kind,
                                           e.count, e.flops, e.bytes, e.line, e.memory, e.inside_us)
                continue
            have.duration_us += e.duration_us
            have.inside_us += e.inside_us
            have.count += e.count
            have.flops += e.flops
            have.bytes += e.bytes
            have.memory += e.memory
            have.line = have.line if have.line == e.line else "several lines"
        return EventList(found.values(), self.memory)

    def total_average(self) -> FunctionEvent:
        """All events as one, of their own times."""
        own = sum(e.self_cpu_time_total for e in self)
        return FunctionEvent("Total", 0.0, own, 0, count=sum(e.count for e in self) or 1,
                             flops=sum(e.flops for e in self), bytes=sum(e.bytes for e in self))

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds that are inside some event."""
        return sum(e.self_cpu_time_total for e in self if e.kind != "python")

    def table(self, sort_by: str | None = None, row_limit: int = 100,
              max_src_column_width: int = 75, max_name_column_width: int = 55,
              max_shapes_column_width: int = 80, header: str | None = None,
              top_level_events_only: bool = False, time_unit: str | None = None) -> str:
        """The events as text, largest `sort_by` first."""
        rows = list(self)
        if sort_by is not None:
            rows.sort(key=lambda e: getattr(e, sort_by), reverse=True)
        if row_limit >= 0:
            rows = rows[:row_limit]
        total = self.self_cpu_time_total or 1.0
        lines = [("Name", "Self CPU %", "Self CPU", "CPU total", "CPU time avg", "# of Calls",
                  "GFLOP/s", "GB/s", "of limit", "Line")]
        for e in rows:
            own = e.self_cpu_time_total
            lines.append((
                _short(e.name, max_name_column_width),
                "--" if e.kind == "python" else f"{own / total:.2%}",
                _time(own, time_unit), _time(e.cpu_time_total, time_unit),
                _time(e.cpu_time, time_unit), str(e.count), _rate(e.flops, e),
                _rate(e.bytes, e), f"{e.share:.0%}" if e.share else "--",
                _short(e.line, max_src_column_width, last=True)))
        text = _columns(lines)
        footer = f"Self CPU time total: {_time(self.self_cpu_time_total, time_unit)}"
        return "\n".join([*([header] if header else []), text, footer, ""])

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str) -> None:
        """Write Chrome's trace format (chrome://tracing, Perfetto); gzipped for a name in .gz."""
        write_trace(self, path)

    def export_stacks(self, path: str, metric: str) -> None:
        """Write `line;name microseconds` for tools that draw flame graphs."""
        with open(path, "w", encoding="utf-8") as file:
            for e in self:
                value = int(getattr(e, metric, e.self_cpu_time_total))
                if value > 0 and e.line:
                    file.write(f"{e.line};{e.name} {value}\n".replace(" in ", ":", 1))


def _short(text: str, width: int, last: bool = False) -> str:
    if len(text) <= width:
        return text
    return "..." + text[3 - width:] if last else text[:width - 3] + "..."


def _time(us: float, unit: str | None) -> str:
    if unit == "s" or (unit is None and us >= 1e6):
        return f"{us / 1e6:.3f}s"
    if unit == "ms" or (unit is None and us >= 1e3):
        return f"{us / 1e3:.3f}ms"
    return f"{us:.3f}us"


def _rate(amount: int, e: FunctionEvent) -> str:
    return f"{amount / e.duration_us / 1e3:.1f}" if amount and e.duration_us else "--"


def _columns(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines)]
    rule = "  ".join("-" * w for w in widths)
    out = []
    for row in lines:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:-1], widths[1:])),
                 row[-1]]
        out.append("  ".join(cells).rstrip())
    return "\n".join([rule, out[0], rule, *out[1:], rule])


# ---------------------------------------------------------------- the trace file


def write_trace(events: EventList, path: str, metadata: dict[str, str] | None = None) -> None:
    """Chrome's trace of events: kernels, the engine and what is between on tracks of their own."""
    pid = os.getpid()
    tracks: dict[Any, int] = {}

    def track(e: FunctionEvent) -> int:
        name = _TRACKS.get(e.kind, f"thread {e.thread}")
        return tracks.setdefault(name, len(tracks))

    out: list[dict[str, Any]] = [
        {"ph": "X", "cat": _category(e), "name": e.name, "pid": pid, "tid": track(e),
         "ts": e.start_us, "dur": e.duration_us, "args": _details(e)} for e in events]
    out += [{"ph": "C", "cat": "cpu_memory", "name": "[memory]", "pid": pid, "ts": when,
             "args": {"Total Allocated": allocated}} for when, allocated in events.memory]
    names = [{"ph": "M", "name": "process_name", "pid": pid, "args": {"name": "python"}}]
    for name, tid in tracks.items():
        names.append({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid,
                      "args": {"name": name}})
    body = {"schemaVersion": 1, "displayTimeUnit": "ms", **(metadata or {}),
            "traceEvents": [*names, *out]}
    import gzip                                 # only who writes a trace waits for them
    import json

    opened: Callable[..., Any] = gzip.open if str(path).endswith(".gz") else open
    with opened(path, "wt", encoding="utf-8") as file:
        json.dump(body, file)


def _category(e: FunctionEvent) -> str:
    return {"user": "user_annotation", "step": "user_annotation"}.get(e.kind, e.kind)


def _details(e: FunctionEvent) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if e.line:
        found["line"] = e.line
    if e.kind == KERNEL and e.duration_us:
        found |= {"flops": e.flops, "bytes": e.bytes,
                  "GFLOP/s": round(e.flops / e.duration_us / 1e3, 3),
                  "GB/s": round(e.bytes / e.duration_us / 1e3, 3),
                  "of limit": round(e.share, 4)}
    return found


__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]
