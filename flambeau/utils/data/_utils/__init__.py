"""The parts of `DataLoader`, under the names that PyTorch's programs import them by."""
from __future__ import annotations

from . import collate, fetch, pin_memory, worker

MP_STATUS_CHECK_INTERVAL = 5.0

__all__ = ["MP_STATUS_CHECK_INTERVAL", "collate", "fetch", "pin_memory", "worker"]
