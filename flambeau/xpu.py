"""torch.xpu: there is none here."""
from __future__ import annotations

from collections import OrderedDict

from .core.absent import answer_all, inert_class, refuse_all, refusing_class

_ABSENT = AssertionError("Torch not compiled with XPU enabled")

globals().update({
    **answer_all(("is_available", "is_initialized", "is_bf16_supported", "is_tf32_supported",
                  "is_current_stream_capturing", "_is_compiled"), lambda: False),
    **answer_all(("device_count", "memory_allocated", "max_memory_allocated", "memory_reserved",
                  "max_memory_reserved"), lambda: 0),
    **answer_all(("empty_cache", "manual_seed", "manual_seed_all", "seed", "seed_all",
                  "reset_peak_memory_stats", "reset_accumulated_memory_stats",
                  "set_rng_state_all"), lambda: None),
    **answer_all(("get_arch_list", "get_rng_state_all", "memory_snapshot"), list),
    **answer_all(("memory_stats",), OrderedDict),
    **answer_all(("memory_stats_as_nested_dict",), dict),
    **answer_all(("get_gencode_flags",), str),
    **refuse_all((
        "can_device_access_peer", "change_current_allocator", "clock_rate", "current_device",
        "current_stream", "device_memory_used", "get_device_capability", "get_device_name",
        "get_device_properties", "get_per_process_memory_fraction", "get_rng_state",
        "get_stream_from_external", "graph_pool_handle", "init", "initial_seed",
        "make_graphed_callables", "mem_get_info", "memory_usage", "power_draw", "set_device",
        "set_per_process_memory_fraction", "set_rng_state", "set_stream", "synchronize",
        "temperature", "utilization"), _ABSENT),
    **{name: refusing_class(name, __name__, _ABSENT) for name in (
        "Event", "MemPool", "Stream", "XPUGraph", "XPUPluggableAllocator", "graph")},
    **{name: inert_class(name, __name__) for name in (
        "StreamContext", "device", "device_of", "stream", "use_mem_pool")},
})
