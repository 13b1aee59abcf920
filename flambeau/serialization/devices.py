"""Where storages of a file go: `map_location` in all its forms, and registered packages.

In: a loaded storage and the place it was saved from. Out: the storage to use.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..core.device import device as Device  # noqa: N812
from ..tensor.storages import UntypedStorage, meta_cell, nbytes_of

Restore = Callable[[Any, str], Any]


def _cpu_tag(storage: Any) -> str | None:
    return "cpu" if storage.device.type == "cpu" else None


def _cpu(storage: Any, location: str) -> Any:
    return storage if location == "cpu" else None


def _meta_tag(storage: Any) -> str | None:
    return "meta" if storage.device.type == "meta" else None


def _meta(storage: Any, location: str) -> Any:
    if location != "meta":
        return None
    cell = storage._cell
    return UntypedStorage._of(meta_cell(nbytes_of(cell), cell.value.dtype))


def _cuda(storage: Any, location: str) -> Any:
    if location.startswith("cuda"):
        validate_cuda_device(location)
    return None


def _absent(name: str) -> Restore:
    """Refuses another accelerator, as PyTorch does where it is not there."""
    def restore(storage: Any, location: str) -> Any:
        if location == name or location.startswith(name + ":"):
            raise RuntimeError(
                f"Attempting to deserialize object on {name.upper()} device but "
                f"torch.{name}.is_available() is False. If you are running on a CPU-only machine, "
                "please use torch.load with map_location=torch.device('cpu') to map your storages "
                "to the CPU.")
        return None

    return restore


_packages: list[tuple[int, Callable[[Any], str | None], Restore]] = [
    (10, _cpu_tag, _cpu), (20, lambda s: None, _cuda), (21, lambda s: None, _absent("mps")),
    (22, _meta_tag, _meta), (23, lambda s: None, _absent("hpu")),
    (24, lambda s: None, _absent("xpu")),
]


def register_package(priority: int, tagger: Callable[[Any], str | None],
                     deserializer: Restore) -> None:
    """Take part in naming and restoring storages; lower priorities are asked first."""
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda p: p[0])


def location_tag(storage: Any) -> str:
    """The name of the device that a storage is saved with."""
    for _, tagger, _restore in _packages:
        tag = tagger(storage)
        if tag:
            return tag
    raise RuntimeError(f"don't know how to determine data location of {type(storage).__name__}")


def default_restore_location(storage: Any, location: str) -> Any:
    """A storage on the device of its name: the CPU is the only one."""
    for _, _tagger, restore in _packages:
        result = restore(storage, location)
        if result is not None:
            return result
    raise RuntimeError("don't know how to restore data location of "
                       f"{type(storage).__name__} (tagged with {location})")


def validate_cuda_device(location: str) -> int:
    """Refused: there is no such device."""
    raise RuntimeError(
        "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. "
        "If you are running on a CPU-only machine, please use torch.load with "
        "map_location=torch.device('cpu') to map your storages to the CPU.")


def validate_hpu_device(location: str) -> int:
    """Refused: there is no such device."""
    return _absent("hpu")(None, "hpu")


def restorer(map_location: Any) -> Restore:
    """`map_location` as a function of (storage, location)."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        def renamed(storage: Any, location: str) -> Any:
            return default_restore_location(storage, str(map_location.get(location, location)))

        return renamed
    if isinstance(map_location, (str, bytes, os.PathLike, Device)):
        place = map_location.decode() if isinstance(map_location, bytes) else str(map_location)
        Device(place)
        return lambda storage, location: default_restore_location(storage, place)
    if isinstance(map_location, int):
        return lambda storage, location: default_restore_location(storage, f"cuda:{map_location}")

    def chosen(storage: Any, location: str) -> Any:
        result = map_location(storage, location)
        if result is None:
            return default_restore_location(storage, location)
        return result

    return chosen
