"""Names of torch.distributed.checkpoint.filesystem, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes(
    "torch.distributed.checkpoint.filesystem",
    ("FileSystemReader",
     "FileSystemWriter")))
globals().update(refused())

__all__: list[str] = []
