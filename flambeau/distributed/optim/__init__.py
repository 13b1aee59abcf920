"""Optimizers over processes: refused."""
from __future__ import annotations

from typing import Any

from .._absent import refused_classes

_CLASSES = refused_classes("torch.distributed.optim", (
    "DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"))
DistributedOptimizer: Any = _CLASSES["DistributedOptimizer"]
PostLocalSGDOptimizer: Any = _CLASSES["PostLocalSGDOptimizer"]
ZeroRedundancyOptimizer: Any = _CLASSES["ZeroRedundancyOptimizer"]

__all__ = ["DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"]
