"""Names of torch.distributed.checkpoint.hf_storage, refused when used."""
from __future__ import annotations

from .._absent import refused, refused_classes

globals().update(refused_classes(
    "torch.distributed.checkpoint.hf_storage",
    ("HuggingFaceStorageReader",
     "HuggingFaceStorageWriter")))
globals().update(refused())

__all__: list[str] = []
