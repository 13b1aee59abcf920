"""The settings of `torch.serialization` that hold for the whole process."""
from __future__ import annotations

import mmap as memory_map
import os
from enum import Enum
from typing import Any

mmap = False
endianness: str | None = None
mmap_flags = getattr(memory_map, "MAP_PRIVATE", 2)
crc32 = True
TRUE = ("1", "y", "yes", "true")


class LoadEndianness(Enum):
    """The byte order to assume for files that do not say theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_endian: LoadEndianness | None = None


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order of files that do not say theirs."""
    return _endian


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Choose the byte order of files that do not say theirs."""
    global _endian
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _endian = endianness
    words = {LoadEndianness.LITTLE: "little", LoadEndianness.BIG: "big"}
    globals()["endianness"] = words.get(endianness) if endianness is not None else None


def get_default_mmap_options() -> int | None:
    """The flags with which files are mapped."""
    return mmap_flags


class set_default_mmap_options:  # noqa: N801 - PyTorch's name
    """MAP_PRIVATE or MAP_SHARED for `load(mmap=True)`; flambeau maps privately in both cases."""

    def __init__(self, flags: int) -> None:
        if flags not in (getattr(memory_map, "MAP_PRIVATE", 2), getattr(memory_map, "MAP_SHARED",
                                                                        1)):
            raise ValueError("Invalid argument in function set_default_mmap_options, expected "
                             f"mmap.MAP_PRIVATE or mmap.MAP_SHARED, but got {flags}")
        self.before = mmap_flags
        globals()["mmap_flags"] = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        globals()["mmap_flags"] = self.before


def get_crc32_options() -> bool:
    """Whether checksums are written into archives."""
    return crc32


def set_crc32_options(compute_crc32: bool) -> None:
    """Accepted; flambeau always writes and checks checksums (zlib's cost less than a copy)."""
    globals()["crc32"] = bool(compute_crc32)


def weights_only(pickle_module: Any) -> bool:
    """The default of `load(weights_only=None)`: PyTorch's two environment variables decide."""
    force = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "").lower() in TRUE
    off = os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "").lower() in TRUE
    if force and off:
        raise RuntimeError("Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or "
                           "`TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both were set.")
    return force or not off and pickle_module is None
