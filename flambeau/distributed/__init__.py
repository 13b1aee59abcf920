"""torch.distributed in one process: groups of one, exact collectives, the rest refused by name."""
from __future__ import annotations

import enum
import importlib
from typing import Any

from . import constants, device_mesh, distributed_c10d
from ._absent import refused_classes
from .device_mesh import DeviceMesh, init_device_mesh
from .distributed_c10d import *  # noqa: F403
from .stores import (
    DistBackendError, DistError, DistNetworkError, DistQueueEmptyError, DistStoreError, FileStore,
    HashStore, PrefixStore, Store, TCPStore,
)

_LAZY = frozenset({
    "_composable", "_functional_collectives", "_tensor", "algorithms", "c10d_logger", "checkpoint",
    "elastic", "fsdp", "launch", "nn", "optim", "pipelining", "rpc", "run", "tensor", "utils",
})


class DebugLevel(enum.Enum):
    """How much torch.distributed says."""

    OFF = 0
    INFO = 1
    DETAIL = 2


def get_debug_level() -> DebugLevel:
    return DebugLevel.OFF


def set_debug_level(level: DebugLevel) -> None:
    """Accepted: there is nothing to say."""


def set_debug_level_from_env() -> None:
    """Accepted."""


globals().update(refused_classes(__name__, ("P2POp", "GradBucket", "Reducer", "Logger",
                                            "ProcessGroupGloo", "BuiltinCommHookType")))


def __getattr__(name: str) -> Any:
    """Submodules that a program asks for are imported then."""
    if name in _LAZY:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


__all__ = [
    "DebugLevel", "DeviceMesh", "DistBackendError", "DistError", "DistNetworkError",
    "DistQueueEmptyError", "DistStoreError", "FileStore", "HashStore", "PrefixStore", "Store",
    "TCPStore", "constants", "device_mesh", "distributed_c10d", "get_debug_level",
    "init_device_mesh", "set_debug_level", "set_debug_level_from_env",
    *distributed_c10d.__all__,
]
