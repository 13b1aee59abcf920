"""`profile` with a schedule: waits, warms up, records, and hands each recording on."""
from __future__ import annotations

import enum
import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import profiler as ranges
from ..autograd.profiler_util import write_trace
from ..runtime import machine  # noqa: F401  (tells `core.watch` the limits of this machine)

PROFILER_STEP_NAME = "ProfilerStep"


class ProfilerActivity(enum.Enum):
    """What is watched; the CPU is all there is."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What to do in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be watched here: the CPU."""
    return {ProfilerActivity.CPU}


def schedule(*, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
             skip_first_wait: int = 0) -> Callable[[int], ProfilerAction]:
    """step -> action: `wait` steps nothing, `warmup` steps, `active` steps recorded, again."""
    def action(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle = wait + warmup + active
        if repeat and step // cycle >= repeat:
            return ProfilerAction.NONE
        at = step % cycle
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < cycle - 1 else ProfilerAction.RECORD_AND_SAVE

    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError("Invalid profiler schedule arguments")
    return action


def _default_schedule_fn(_: int) -> ProfilerAction:
    return ProfilerAction.RECORD


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None,
                              use_gzip: bool = False) -> Callable[[Any], None]:
    """Write each recording as a trace file into a folder."""
    def handle(prof: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handle


class _KinetoProfile:
    """Start and stop by hand.

    Shapes, stacks and modules are not recorded: what runs are kernels that many operations were
    fused into, and each has the line that recorded it. Operations and bytes always are.
    """

    def __init__(self, *, activities: Iterable[ProfilerActivity] | None = None,
                 record_shapes: bool = False, profile_memory: bool = False,
                 with_stack: bool = False, with_flops: bool = False, with_modules: bool = False,
                 experimental_config: Any = None, execution_trace_observer: Any = None,
                 acc_events: bool = False, custom_trace_id_callback: Any = None,
                 post_processing_timeout_s: float | None = None) -> None:
        self.activities = set(activities) if activities else supported_activities()
        self.profile_memory = profile_memory
        self.acc_events = acc_events
        self.profiler: ranges.profile | None = None
        self._metadata: dict[str, str] = {}

    def start(self) -> None:
        """Begin to record."""
        before = self.profiler
        self.profiler = ranges.profile().__enter__()
        if self.acc_events and before is not None:
            self.profiler.function_events.extend(before.function_events)

    def stop(self) -> None:
        """Record no more."""
        if self.profiler is not None:
            self.profiler.__exit__(None, None, None)

    def _recorded(self) -> ranges.EventList:
        if self.profiler is None:
            raise AssertionError("Profiler must be started before its results are used")
        return self.profiler.function_events

    def events(self) -> ranges.EventList:
        """Every range and every kernel, in the order in which they ended."""
        return self._recorded()

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> ranges.EventList:
        """One event a name (and line, with `group_by_stack_n`)."""
        return self._recorded().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str) -> None:
        """Write the recording for chrome://tracing or Perfetto; gzipped for a name in .gz."""
        write_trace(self._recorded(), path, self._metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write lines for flame graphs."""
        self._recorded().export_stacks(path, metric)

    def export_memory_timeline(self, path: str, device: str | None = None) -> None:
        """Write [[microseconds], [bytes in live buffers]] as JSON."""
        memory = self._recorded().memory
        with open(path, "w", encoding="utf-8") as file:
            json.dump([[when for when, _ in memory], [n for _, n in memory]], file)

    def toggle_collection_dynamic(self, enable: bool,
                                  activities: Iterable[ProfilerActivity] | None = None) -> None:
        """Go on recording, or pause."""
        running = self.profiler is not None and self.profiler in ranges._running
        if enable and not running:
            self.start()
        elif not enable and running:
            self.stop()

    def add_metadata(self, key: str, value: str) -> None:
        """A word about the recording, for the trace file."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """A word about the recording, as JSON, for the trace file."""
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json


class profile(_KinetoProfile):  # noqa: N801
    """A context that follows a schedule; `step()` says that a step has ended."""

    def __init__(self, *, activities: Iterable[ProfilerActivity] | None = None,
                 schedule: Callable[[int], ProfilerAction] | None = None,
                 on_trace_ready: Callable[[Any], Any] | None = None,
                 use_cuda: bool | None = None, **kwargs: Any) -> None:
        super().__init__(activities=activities, **kwargs)
        self.schedule = schedule or _default_schedule_fn
        self.on_trace_ready = on_trace_ready
        self._steps = schedule is not None
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._range: ranges.record_function | None = None

    def _is_recording(self) -> bool:
        return self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> None:
        if self._is_recording():
            super().start()
        self._begin()

    def _begin(self) -> None:
        name = f"{PROFILER_STEP_NAME}#{self.step_num}"
        self._range = ranges.record_function(name).__enter__() if self._steps else None

    def _end(self) -> None:
        if self._range is not None:
            self._range.__exit__(None, None, None)
            self._range = None

    def stop(self) -> None:
        self._end()
        if self._is_recording():
            super().stop()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)

    def step(self) -> None:
        """A step has ended: go on as the schedule says."""
        self._end()
        before = self.current_action
        recording = self._is_recording()
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        ends = before is ProfilerAction.RECORD_AND_SAVE or not self._is_recording()
        if recording and ends:
            super().stop()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        if self._is_recording() and (not recording or ends):
            super().start()
        self._begin()

    def set_custom_trace_id_callback(self, callback: Callable[[], str]) -> None:
        self._trace_id = callback

    def get_trace_id(self) -> str | None:
        return None


class ExecutionTraceObserver:
    """Records of single operations: there are none."""

    def register_callback(self, output_file_path: str) -> Any:
        raise RuntimeError("flambeau does not record execution traces")

    def unregister_callback(self) -> None:
        """Nothing is registered."""


__all__ = ["ExecutionTraceObserver", "ProfilerAction", "ProfilerActivity", "profile", "schedule",
           "supported_activities", "tensorboard_trace_handler"]
