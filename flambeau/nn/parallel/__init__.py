"""Modules spread over devices; flambeau has one device, so the module itself is called."""
from __future__ import annotations

from .data_parallel import DataParallel, data_parallel
from .distributed import DistributedDataParallel
from .scatter_gather import gather, scatter

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel",
           "gather", "scatter"]
