"""`torch.cuda.amp`: the older names of `torch.amp` for one device."""
from __future__ import annotations

import functools
from typing import Any

from ..amp import autocast_mode
from ..amp import grad_scaler as _scaler
from ..core import dtype as dt


class autocast(autocast_mode.autocast):  # noqa: N801 - PyTorch's name
    """`torch.amp.autocast("cuda", ...)`."""

    def __init__(self, enabled: bool = True, dtype: Any = dt.float16, cache_enabled: bool = True,
                 ) -> None:
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(_scaler.GradScaler):
    """`torch.amp.GradScaler("cuda", ...)`."""

    def __init__(self, init_scale: float = 2.0 ** 16, growth_factor: float = 2.0,
                 backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
                 ) -> None:
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval,
                         enabled)


custom_fwd = functools.partial(autocast_mode.custom_fwd, device_type="cuda")
custom_bwd = functools.partial(autocast_mode.custom_bwd, device_type="cuda")


def amp_definitely_not_available() -> bool:
    return True


__all__ = ["GradScaler", "amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]
