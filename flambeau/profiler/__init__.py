"""torch.profiler: what a part of a program does and how long it takes, by the names it gives.

In: a `with profile()` around the work, `record_function` inside it, `step()` after each step. Out:
a table and a trace file (Chrome's format). Recording is lazy, so single operations have no times of
their own: the events are the ranges that the program names, the steps, what the engine did (plan,
compile, run) and every kernel, with its operations, bytes, share of the limit and the user's line.
"""
from __future__ import annotations

from ..autograd.profiler import kineto_available, record_function
from . import profiler
from .profiler import (
    ExecutionTraceObserver, ProfilerAction, ProfilerActivity, _KinetoProfile, profile, schedule,
    supported_activities, tensorboard_trace_handler,
)


__all__ = ["ExecutionTraceObserver", "ProfilerAction", "ProfilerActivity", "_KinetoProfile",
           "kineto_available", "profile", "profiler", "record_function", "schedule",
           "supported_activities", "tensorboard_trace_handler"]
