"""torch.distributed.algorithms."""
from __future__ import annotations

from . import join, model_averaging
from .join import Join, Joinable, JoinHook

__all__ = ["Join", "JoinHook", "Joinable", "join", "model_averaging"]
