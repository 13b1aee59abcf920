"""`torch.random`: seeds and states of the default generator."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .tensor.generator import (
    default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state,
)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, _caller: str = "fork_rng",
             _devices_kw: str = "devices", device_type: str = "cuda") -> Iterator[None]:
    """What is drawn inside does not advance the generator outside."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


__all__ = ["default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
           "set_rng_state"]
