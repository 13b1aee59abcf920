"""torch.mps: Apple's device is not used."""
from __future__ import annotations

from .core.absent import answer_all, refuse_all, refusing_class

_ABSENT = RuntimeError("MPS is not available")

globals().update({
    **answer_all(("is_available",), lambda: False),
    **answer_all(("device_count",), lambda: 0),
    **answer_all(("manual_seed",), lambda: None),
    **refuse_all((
        "compile_shader", "current_allocated_memory", "driver_allocated_memory", "empty_cache",
        "get_rng_state", "load_metallib", "recommended_max_memory", "seed",
        "set_per_process_memory_fraction", "set_rng_state", "synchronize"), _ABSENT),
    "Event": refusing_class("Event", __name__, _ABSENT),
})
