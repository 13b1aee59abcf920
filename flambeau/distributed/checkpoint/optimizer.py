"""Names of torch.distributed.checkpoint.optimizer, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes("torch.distributed.checkpoint.optimizer", ()))
globals().update(refused("load_sharded_optimizer_state_dict"))

__all__: list[str] = []
