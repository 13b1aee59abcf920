"""What libraries ask of PyTorch's compiler."""
from __future__ import annotations

from typing import Any


def is_compile_supported(device_type: Any) -> bool:
    """Whether PyTorch's own compiler could be used: it is not here."""
    return False


__all__ = ["is_compile_supported"]
