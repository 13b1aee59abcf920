"""torch.serialization: `save`, `load`, and what decides how.

In: objects and files. Out: files that PyTorch reads, and objects out of its files.
"""
from __future__ import annotations

import tempfile
from typing import Any, TypeAlias

from ..tensor.storages import BY_DTYPE
from .devices import (
    default_restore_location, location_tag, register_package, validate_cuda_device,
    validate_hpu_device,
)
from .names import find as _find
from .names import layout_of_name as _get_layout
from .options import (
    LoadEndianness, get_crc32_options, get_default_load_endianness, get_default_mmap_options,
    set_crc32_options, set_default_load_endianness, set_default_mmap_options,
)
from .read import get_unsafe_globals_in_checkpoint, load
from .safe import (
    add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals,
)
from .safe import remove_safe_globals as _remove_safe_globals
from .write import save

DEFAULT_PROTOCOL = 2
MAP_LOCATION: TypeAlias = Any                   # of torch.load, for annotations
FILE_LIKE: TypeAlias = Any
LONG_STORAGE = "LongStorage"


class SourceChangeWarning(Warning):
    """The source of a pickled class has changed (never given: sources are not compared)."""


class StorageType:
    """A storage class by its name."""

    def __init__(self, name: str) -> None:
        self.dtype = next(d for d, c in BY_DTYPE.items() if c.__name__ == name)


def normalize_storage_type(storage_type: Any) -> Any:
    """The class of a storage type's name."""
    return storage_type


def storage_to_tensor_type(storage: Any) -> Any:
    """`torch.FloatTensor` for a storage of floats."""
    return _find("torch", type(storage).__name__.replace("Storage", "Tensor"))


def mkdtemp() -> Any:
    """A temporary folder for a `with` block."""
    return tempfile.TemporaryDirectory()


def check_module_version_greater_or_equal(module: Any, req_version_tuple: tuple[int, ...],
                                          error_if_malformed: bool = True) -> bool:
    """Whether a module's `__version__` is at least this one."""
    try:
        parts = tuple(int(p) for p in module.__version__.split(".")[:len(req_version_tuple)])
    except (AttributeError, ValueError) as error:
        if error_if_malformed:
            raise RuntimeError(f"'{module.__name__}' module version is malformed string "
                               f"{module.__version__}") from error
        return True
    return parts >= req_version_tuple


class skip_data:  # noqa: N801 - PyTorch's name
    """Would write files without their tensors' bytes; flambeau does not."""

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        raise NotImplementedError("flambeau cannot save files without the tensors' data")


__all__ = [
    "LoadEndianness", "SourceChangeWarning", "StorageType", "_get_layout", "_remove_safe_globals",
    "add_safe_globals", "check_module_version_greater_or_equal", "clear_safe_globals",
    "default_restore_location", "get_crc32_options", "get_default_load_endianness",
    "get_default_mmap_options", "get_safe_globals", "get_unsafe_globals_in_checkpoint", "load",
    "location_tag", "mkdtemp", "normalize_storage_type", "register_package", "safe_globals",
    "save", "set_crc32_options", "set_default_load_endianness", "set_default_mmap_options",
    "skip_data", "storage_to_tensor_type", "validate_cuda_device", "validate_hpu_device",
]
