"""A mode that PyTorch's tracer needs for vmapped masks; indexing here needs none."""
from __future__ import annotations

from ..core.absent import Inert


class TransformGetItemToIndex(Inert):
    """Inside, `x[i]` with a vmapped i is an index: it always is."""


__all__ = ["TransformGetItemToIndex"]
