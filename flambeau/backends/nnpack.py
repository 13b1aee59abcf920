"""`torch.backends.nnpack`: not used."""
from __future__ import annotations


def is_available() -> bool:
    return False


def set_flags(_enabled: bool) -> tuple[bool, ...]:
    return (False,)
