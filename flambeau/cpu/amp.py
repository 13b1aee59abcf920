"""`torch.cpu.amp`: the older names of `torch.amp` for the CPU."""
from __future__ import annotations

from typing import Any

from ..amp import autocast_mode
from ..amp import grad_scaler as _scaler
from ..core import dtype as dt


class autocast(autocast_mode.autocast):  # noqa: N801 - PyTorch's name
    """`torch.amp.autocast("cpu", ...)`."""

    def __init__(self, enabled: bool = True, dtype: Any = dt.bfloat16, cache_enabled: bool = True,
                 ) -> None:
        super().__init__("cpu", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(_scaler.GradScaler):
    """`torch.amp.GradScaler("cpu", ...)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu", *args, **kwargs)


__all__ = ["GradScaler", "autocast"]
