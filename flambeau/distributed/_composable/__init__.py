"""An old place of `fully_shard`."""
from __future__ import annotations

from ..fsdp._fully_shard import fully_shard

__all__ = ["fully_shard"]
