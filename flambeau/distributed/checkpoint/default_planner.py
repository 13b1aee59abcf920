"""Names of torch.distributed.checkpoint.default_planner, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes(
    "torch.distributed.checkpoint.default_planner",
    ("DefaultLoadPlanner",
     "DefaultSavePlanner",
     "_EmptyStateDictLoadPlanner")))
globals().update(refused("create_default_local_save_plan"))

__all__: list[str] = []
