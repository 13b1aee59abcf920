"""`autocast`: a block (or function) in which listed functions compute in a narrow type."""
from __future__ import annotations

import functools
import warnings
from typing import Any

from ..core import dtype as dt
from ..core.device import KNOWN
from ..tensor.autocast import state
from ..tensor.tensor import Tensor


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` knows a device type at all."""
    return device_type in ("cpu", "cuda", "xpu", "mps", "hpu", "xla", "mtia", "maia", "ipu",
                           "privateuseone")


class autocast:  # noqa: N801 - PyTorch's name
    """Inside, matrix products and convolutions of float32 tensors are in `dtype` (bfloat16).

    For another device than the CPU it does nothing, with a warning, as PyTorch without one.
    """

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True,
                 cache_enabled: bool | None = None) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if device_type not in KNOWN or not is_autocast_available(device_type):
            raise RuntimeError("User specified an unsupported autocast device_type "
                               f"'{device_type}'")
        self.device = device_type
        self.fast_dtype = dtype if dtype is not None else (
            state.dtype if device_type == "cpu" else state.other_dtype)
        self._cache_enabled = state.cache if cache_enabled is None else cache_enabled
        if device_type != "cpu":
            if enabled:
                warnings.warn(f"User provided device_type of '{device_type}', but "
                              f"{device_type.upper()} is not available. Disabling", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in (dt.bfloat16, dt.float16):
            warnings.warn("In CPU autocast, but the target dtype is not supported. Disabling "
                          "autocast.\nCPU Autocast only supports dtype of torch.bfloat16, "
                          "torch.float16 currently.", stacklevel=2)
            enabled = False
        self._enabled = enabled
        self._before: list[tuple[bool, Any, bool]] = []

    def __enter__(self) -> autocast:
        self._before.append((state.enabled, state.dtype, state.cache))
        if self.device == "cpu":
            state.enabled = self._enabled
            state.dtype = self.fast_dtype
        state.cache = self._cache_enabled
        return self

    def __exit__(self, *_: Any) -> None:
        state.enabled, state.dtype, state.cache = self._before.pop()

    def __call__(self, func: Any) -> Any:
        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated


def _cast(value: Any, device_type: str, dtype: Any) -> Any:
    """Floating-point tensors inside arguments in another type."""
    if isinstance(value, Tensor):
        fits = (value.dtype.kind == "f" and value.dtype is not dt.float64
                and value._storage.device.type == device_type)
        return value.to(dtype) if fits else value
    if isinstance(value, dict):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype)
                for k, v in value.items()}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(_cast(v, device_type, dtype) for v in value)
    return value


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Any = None) -> Any:
    """For `forward` of an autograd.Function: run it with autocast off and inputs cast, if asked."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        on = state.enabled if device_type == "cpu" else state.other_enabled
        args[0]._dtype = state.dtype if device_type == "cpu" else state.other_dtype
        if cast_inputs is None:
            args[0]._fwd_used_autocast = on
            return fwd(*args, **kwargs)
        args[0]._fwd_used_autocast = False
        if not on:
            return fwd(*args, **kwargs)
        with autocast(device_type=device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs),
                       **_cast(kwargs, device_type, cast_inputs))

    return decorated


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """For `backward` of an autograd.Function: run it as `forward` was run."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        if device_type != "cpu":
            return bwd(*args, **kwargs)
        with autocast(device_type=device_type, enabled=args[0]._fwd_used_autocast,
                      dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorated


def autocast_decorator(autocast_instance: autocast, func: Any) -> Any:
    return autocast_instance(func)


__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]
