"""The few names of PyTorch's native module that programs and its own Python layers reach for."""
from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

from ._dispatch import (  # noqa: F401
    DispatchKey, DispatchKeySet, _AutoDispatchBelowAutograd, _ExcludeDispatchKeyGuard,
    _IncludeDispatchKeyGuard,
)
from .core.absent import refusing_class
from .core.device import device as Device  # noqa: N812
from .core.dtype import dtype as DType  # noqa: N812
from .tensor.constants import memory_format as MemoryFormat  # noqa: N812
from .tensor.generator import Generator, default_generator
from .tensor.override import DisableTorchFunctionSubclass, _disabled_torch_function_impl
from .tensor.size import Size
from .tensor.tensor import Tensor

DisableTorchFunction = DisableTorchFunctionSubclass
TensorBase = Tensor
_TensorBase = Tensor


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """(device, dtype, non_blocking, memory_format) of the arguments of `Module.to`."""
    where, kind = kwargs.pop("device", None), kwargs.pop("dtype", None)
    later, order = kwargs.pop("non_blocking", False), kwargs.pop("memory_format", None)
    kwargs.pop("copy", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    for a in args:
        if isinstance(a, DType):
            kind = a
        elif isinstance(a, Tensor):
            kind, where = a.dtype, a.device  # type: ignore[attr-defined]
        elif isinstance(a, MemoryFormat):
            order = a
        elif isinstance(a, bool):
            later = a
        elif isinstance(a, (str, int, Device)):
            where = a
        elif a is not None:
            raise TypeError("to() received an invalid combination of arguments - got "
                            f"({', '.join(type(x).__name__ for x in args)})")
    place = None if where is None else Device(where)
    return place, kind, later, order


_nn = SimpleNamespace(_parse_to=_parse_to)
_TensorMeta = type(Tensor)
_NATIVE = RuntimeError("flambeau has no native part: this class of torch._C cannot be made")
PyTorchFileReader = refusing_class("PyTorchFileReader", "torch._C", _NATIVE)
PyTorchFileWriter = refusing_class("PyTorchFileWriter", "torch._C", _NATIVE)
Graph = refusing_class("Graph", "torch._C", _NATIVE)
Value = refusing_class("Value", "torch._C", _NATIVE)
ScriptModule = refusing_class("ScriptModule", "torch._C", _NATIVE)
_distributed_c10d = ModuleType("torch._C._distributed_c10d")
_distributed_c10d.Reducer = refusing_class(  # type: ignore[attr-defined]
    "Reducer", "torch._C._distributed_c10d", _NATIVE)


def _dispatch_has_kernel_for_dispatch_key(name: str, key: Any) -> bool:
    """Whether a native kernel is there: none is."""
    return False


def _get_tracing_state() -> None:
    """TorchScript's tracer is never at work."""


def _log_api_usage_once(event: str) -> None:
    """Nothing is logged."""


def _get_privateuse1_backend_name() -> str:
    return "privateuseone"


def _get_default_device() -> str:
    from .tensor.functions import get_default_device

    return str(get_default_device())


def _get_accelerator(check: bool | None = None) -> Device:
    return Device("cpu")

__all__ = ["DisableTorchFunction", "DisableTorchFunctionSubclass", "Generator", "Size",
           "TensorBase", "_disabled_torch_function_impl", "default_generator"]
