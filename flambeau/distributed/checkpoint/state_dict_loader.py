"""Names of torch.distributed.checkpoint.state_dict_loader, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes("torch.distributed.checkpoint.state_dict_loader", ()))
globals().update(refused("_load_state_dict", "load", "load_state_dict"))

__all__: list[str] = []
