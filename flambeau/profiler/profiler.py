"""`profile` with a schedule: waits, warms up, records, and hands each recording on."""
from __future__ import annotations

import enum
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import profiler as ranges

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
    """Start and stop by hand."""

    def __init__(self, *, activities: Iterable[ProfilerActivity] | None = None, **kwargs: Any,
                 ) -> None:
        self.activities = set(activities) if activities else supported_activities()
        self.profiler: ranges.profile | None = None
        self._metadata: dict[str, str] = {}

    def start(self) -> None:
        self.profiler = ranges.profile().__enter__()

    def stop(self) -> None:
        if self.profiler is not None:
            self.profiler.__exit__(None, None, None)

    def _recorded(self) -> ranges.EventList:
        if self.profiler is None:
            raise AssertionError("Profiler must be started before its results are used")
        return self.profiler.function_events

    def events(self) -> ranges.EventList:
        return self._recorded()

    def key_averages(self, *args: Any, **kwargs: Any) -> ranges.EventList:
        return self._recorded().key_averages()

    def export_chrome_trace(self, path: str) -> None:
        self._recorded().export_chrome_trace(path)

    def add_metadata(self, key: str, value: str) -> None:
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        self._metadata[key] = value

    def preset_metadata_json(self, key: str, value: str) -> None:
        self._metadata[key] = value


class profile(_KinetoProfile):  # noqa: N801
    """A context that follows a schedule; `step()` says that a step has ended."""

    def __init__(self, *, activities: Iterable[ProfilerActivity] | None = None,
                 schedule: Callable[[int], ProfilerAction] | None = None,
                 on_trace_ready: Callable[[Any], Any] | None = None, **kwargs: Any) -> None:
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
