"""`torch.backends.mps`: Apple's device is not used."""
from __future__ import annotations


def is_available() -> bool:
    return False


def is_built() -> bool:
    return False


def is_macos_or_newer(major: int, minor: int) -> bool:
    return False


def is_macos13_or_newer(minor: int = 0) -> bool:
    return False


def get_name() -> str:
    raise RuntimeError("MPS is not available")


def get_core_count() -> int:
    raise RuntimeError("MPS is not available")
