"""`torch.cuda.random`: there are no generators of devices."""
from __future__ import annotations

from typing import Any

from ..core.absent import refuse_all


def get_rng_state_all() -> list[Any]:
    return []


def set_rng_state_all(new_states: Any) -> None:
    for _ in new_states:
        raise AssertionError("Torch not compiled with CUDA enabled")


def manual_seed(seed: int) -> None:
    """Nothing to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing to seed."""


globals().update(refuse_all(("get_rng_state", "set_rng_state", "initial_seed", "seed", "seed_all"),
                            AssertionError("Torch not compiled with CUDA enabled")))

__all__ = ["get_rng_state_all", "manual_seed", "manual_seed_all", "set_rng_state_all"]
