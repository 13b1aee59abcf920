"""torch.multiprocessing: Python's, whose processes get tensors by value.

In: functions and arguments. Out: processes. `spawn` starts several and raises what one raised.
"""
from __future__ import annotations

import multiprocessing
from multiprocessing import *  # noqa: F403 - everything of Python's module has its place here

from .spawn import (
    ProcessContext, ProcessException, ProcessExitedException, ProcessRaisedException,
    SpawnContext, spawn, start_processes,
)

_strategy = "file_system"


def get_all_sharing_strategies() -> set[str]:
    """Names of ways to share memory; flambeau sends tensors by value whichever is set."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    global _strategy
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}")
    _strategy = new_strategy


__all__ = [*multiprocessing.__all__, "ProcessContext", "ProcessException",
           "ProcessExitedException", "ProcessRaisedException", "SpawnContext",
           "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn",
           "start_processes"]
