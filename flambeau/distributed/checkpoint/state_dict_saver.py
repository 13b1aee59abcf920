"""Names of torch.distributed.checkpoint.state_dict_saver, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes("torch.distributed.checkpoint.state_dict_saver", ()))
globals().update(refused("_save_state_dict", "async_save", "save", "save_state_dict"))

__all__: list[str] = []
