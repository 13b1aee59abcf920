"""Page-locked memory: there is no accelerator that would read it, so batches stay as they are."""
from __future__ import annotations

from typing import Any


def pin_memory(data: Any, device: Any = None) -> Any:
    return data
