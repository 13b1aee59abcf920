"""`fully_shard`: named, and refused when called."""
from __future__ import annotations

from typing import Any

from .._absent import refused, refused_classes
from .api import CPUOffloadPolicy, MixedPrecisionPolicy, OffloadPolicy

_CLASSES = refused_classes("torch.distributed.fsdp", ("FSDPModule", "UnshardHandle"))
FSDPModule: Any = _CLASSES["FSDPModule"]
UnshardHandle: Any = _CLASSES["UnshardHandle"]
_FUNCTIONS = refused("fully_shard", "register_fsdp_forward_method")
fully_shard = _FUNCTIONS["fully_shard"]
register_fsdp_forward_method = _FUNCTIONS["register_fsdp_forward_method"]

__all__ = ["CPUOffloadPolicy", "FSDPModule", "MixedPrecisionPolicy", "OffloadPolicy",
           "UnshardHandle", "fully_shard", "register_fsdp_forward_method"]
