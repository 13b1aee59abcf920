"""Names of torch.distributed.checkpoint._consolidate_hf_safetensors, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes("torch.distributed.checkpoint._consolidate_hf_safetensors", ()))
globals().update(refused("consolidate_safetensors_files"))

__all__: list[str] = []
