"""`torch.backends.opt_einsum`: flambeau's einsum plans its own contractions."""
from __future__ import annotations

from typing import Any

enabled = False
strategy = None


def is_available() -> bool:
    return False


def get_opt_einsum() -> Any:
    return None
