"""torch.cuda: there is none here; asking is answered, using is refused in PyTorch's words."""
from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..core.absent import answer_all, inert_class, refuse_all, refusing_class
from ..core.errors import AcceleratorError, OutOfMemoryError
from ..core.errors import AcceleratorError as CudaError
from . import amp, random

_ABSENT = AssertionError("Torch not compiled with CUDA enabled")
has_half = True
has_magma = False
default_generators: tuple[Any, ...] = ()
_initialized = False


class DeferredCudaCallError(Exception):
    """Never raised: there are no deferred calls."""


globals().update({
    **answer_all(("is_available", "is_initialized", "is_bf16_supported", "is_tf32_supported",
                  "is_current_stream_capturing", "_is_compiled"), lambda: False),
    **answer_all(("device_count", "memory_allocated", "max_memory_allocated", "memory_reserved",
                  "max_memory_reserved", "memory_cached", "max_memory_cached"), lambda: 0),
    **answer_all(("empty_cache", "manual_seed", "manual_seed_all", "seed", "seed_all",
                  "caching_allocator_enable", "reset_peak_memory_stats",
                  "reset_accumulated_memory_stats", "reset_max_memory_allocated",
                  "reset_max_memory_cached", "reset_peak_host_memory_stats",
                  "reset_accumulated_host_memory_stats", "set_rng_state_all"), lambda: None),
    **answer_all(("get_arch_list", "get_rng_state_all"), list),
    **answer_all(("memory_stats", "host_memory_stats"), OrderedDict),
    **answer_all(("memory_stats_as_nested_dict", "host_memory_stats_as_nested_dict"), dict),
    **answer_all(("get_gencode_flags", "memory_summary"), str),
    **refuse_all((
        "caching_allocator_alloc", "caching_allocator_delete", "can_device_access_peer",
        "change_current_allocator", "check_error", "clock_rate", "cudart", "current_blas_handle",
        "current_device", "current_solver_handle", "current_stream", "default_stream",
        "device_memory_used", "get_allocator_backend", "get_device_capability", "get_device_name",
        "get_device_properties", "get_per_process_memory_fraction", "get_rng_state",
        "get_stream_from_external", "get_sync_debug_mode", "graph_pool_handle", "init",
        "initial_seed", "ipc_collect", "list_gpu_processes", "make_graphed_callables",
        "mem_get_info", "memory_snapshot", "memory_usage", "power_draw", "set_device",
        "set_per_process_memory_fraction", "set_rng_state", "set_stream", "set_sync_debug_mode",
        "synchronize", "temperature", "utilization", "_lazy_init"), _ABSENT),
    **{name: refusing_class(name, __name__, _ABSENT) for name in (
        "CUDAGraph", "CUDAPluggableAllocator", "Event", "ExternalStream", "GreenContext",
        "MemPool", "Stream", "graph", "cudaStatus")},
    **{name: inert_class(name, __name__) for name in (
        "StreamContext", "device", "device_of", "stream", "use_mem_pool",
        "caching_allocator_disabled")},
})


def _absent_type(name: str) -> type:
    """A type that no tensor here has."""
    def make(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"type torch.cuda.{name} not available. Torch not compiled with CUDA "
                        "enabled.")

    return type(name, (), {"__new__": make, "__module__": "torch.cuda",
                                "type_name": f"torch.cuda.{name}"})


for _word in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long",
              "Short"):
    globals()[f"{_word}Tensor"] = _absent_type(f"{_word}Tensor")
    globals()[f"{_word}Storage"] = _absent_type(f"{_word}Storage")
for _word in ("ComplexDouble", "ComplexFloat"):
    globals()[f"{_word}Storage"] = _absent_type(f"{_word}Storage")

__all__ = ["AcceleratorError", "CudaError", "DeferredCudaCallError", "OutOfMemoryError",
           "amp", "default_generators", "has_half", "has_magma", "random"]
