"""torch.accelerator: none is here."""
from __future__ import annotations

from typing import Any

from .core.absent import inert_class, refuse_all, refusing_class

_ABSENT = RuntimeError("Cannot access accelerator device when none is available.")


def is_available() -> bool:
    return False


def device_count() -> int:
    return 0


def current_accelerator(check_available: bool = False) -> Any:
    return None


globals().update({
    **refuse_all((
        "current_device_idx", "current_device_index", "current_stream", "empty_cache",
        "empty_host_cache", "get_device_capability", "get_memory_info", "max_memory_allocated",
        "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats",
        "reset_accumulated_memory_stats", "reset_peak_memory_stats", "set_device_idx",
        "set_device_index", "set_stream", "synchronize"), _ABSENT),
    "Graph": refusing_class("Graph", __name__, _ABSENT),
    "device_index": inert_class("device_index", __name__),
})
