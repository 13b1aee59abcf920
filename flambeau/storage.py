"""`torch.storage`: the storage classes."""
from __future__ import annotations

import io
from typing import Any

from .tensor.storages import (
    CLASSES, TypedStorage, UntypedStorage, is_storage, rebuild_storage, rebuild_typed,
)


def _load_from_bytes(data: bytes) -> Any:
    """What PyTorch's plain pickle of a storage calls."""
    from .serialization import load
    return load(io.BytesIO(data), weights_only=False)


__all__ = ["CLASSES", "TypedStorage", "UntypedStorage", "_load_from_bytes", "is_storage",
           "rebuild_storage", "rebuild_typed"]
