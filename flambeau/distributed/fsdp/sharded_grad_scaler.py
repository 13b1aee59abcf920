"""The gradient scaler of sharded modules: in one process the plain one."""
from __future__ import annotations

from ...amp.grad_scaler import GradScaler


class ShardedGradScaler(GradScaler):
    """GradScaler; there are no other processes to agree with."""


__all__ = ["ShardedGradScaler"]
