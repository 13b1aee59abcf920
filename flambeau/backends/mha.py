"""`torch.backends.mha`: whether layers may take PyTorch's inference path; flambeau has one path."""
from __future__ import annotations

_fast = True


def get_fastpath_enabled() -> bool:
    return _fast


def set_fastpath_enabled(value: bool) -> None:
    global _fast
    _fast = bool(value)
