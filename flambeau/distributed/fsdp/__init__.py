"""torch.distributed.fsdp: settings are values, sharding is refused."""
from __future__ import annotations

from . import api, wrap
from ._fully_shard import FSDPModule, UnshardHandle, fully_shard, register_fsdp_forward_method
from .api import *  # noqa: F403
from .fully_sharded_data_parallel import FullyShardedDataParallel
from .sharded_grad_scaler import ShardedGradScaler

__all__ = ["FSDPModule", "FullyShardedDataParallel", "ShardedGradScaler", "UnshardHandle", "api",
           "fully_shard", "register_fsdp_forward_method", "wrap", *api.__all__]
