"""Names of torch.distributed.checkpoint.format_utils, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes(
    "torch.distributed.checkpoint.format_utils",
    ("_EmptyStateDictLoadPlanner",
     "BroadcastingTorchSaveReader")))
globals().update(refused("dcp_to_torch_save", "torch_save_to_dcp"))

__all__: list[str] = []
