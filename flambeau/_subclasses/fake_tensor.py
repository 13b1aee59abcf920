"""FakeTensor's names: for isinstance, and refused when one is to be made."""
from __future__ import annotations

from typing import Any

from ..core.absent import refusing_class

_ERROR = NotImplementedError("flambeau has no fake tensors; tensors on device 'meta' have shapes "
                             "and no data")
FakeTensor: Any = refusing_class("FakeTensor", __name__, _ERROR)
FakeTensorMode: Any = refusing_class("FakeTensorMode", __name__, _ERROR)


def is_fake(x: Any) -> bool:
    """Whether a tensor is a fake one: none is."""
    return False


__all__ = ["FakeTensor", "FakeTensorMode", "is_fake"]
