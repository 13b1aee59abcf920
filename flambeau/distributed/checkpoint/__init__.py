"""torch.distributed.checkpoint: files of many processes are not supported; their names are."""
from __future__ import annotations

from typing import Any

from .._absent import refused, refused_classes

_CLASSES = refused_classes(__name__, (
    "FileSystemReader", "FileSystemWriter", "StorageReader", "StorageWriter", "SavePlanner",
    "LoadPlanner", "DefaultSavePlanner", "DefaultLoadPlanner", "CheckpointException",
    "HuggingFaceStorageReader", "HuggingFaceStorageWriter"))
FileSystemReader: Any = _CLASSES["FileSystemReader"]
FileSystemWriter: Any = _CLASSES["FileSystemWriter"]
StorageReader: Any = _CLASSES["StorageReader"]
StorageWriter: Any = _CLASSES["StorageWriter"]
SavePlanner: Any = _CLASSES["SavePlanner"]
LoadPlanner: Any = _CLASSES["LoadPlanner"]
DefaultSavePlanner: Any = _CLASSES["DefaultSavePlanner"]
DefaultLoadPlanner: Any = _CLASSES["DefaultLoadPlanner"]
_NAMES = ("async_save", "load", "load_state_dict", "save", "save_state_dict")
_REFUSED = refused(*_NAMES)
async_save, load, load_state_dict, save, save_state_dict = (_REFUSED[name] for name in _NAMES)

__all__ = ["DefaultLoadPlanner", "DefaultSavePlanner", "FileSystemReader", "FileSystemWriter",
           "LoadPlanner", "SavePlanner", "StorageReader", "StorageWriter", "async_save", "load",
           "load_state_dict", "save", "save_state_dict"]
