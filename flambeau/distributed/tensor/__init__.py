"""torch.distributed.tensor: tensors spread over processes are not supported; their names are."""
from __future__ import annotations

import importlib
from typing import Any

from .. import _absent
from ..device_mesh import DeviceMesh, init_device_mesh
from .placement_types import Partial, Placement, Replicate, Shard

DTensor: Any = _absent.refused_classes(__name__, ["DTensor"])["DTensor"]
_NAMES = ("distribute_tensor", "distribute_module", "empty", "full", "ones", "rand", "randn",
          "zeros")
_REFUSED = _absent.refused(*_NAMES)
distribute_tensor, distribute_module, empty, full, ones, rand, randn, zeros = (
    _REFUSED[name] for name in _NAMES)
_LAZY = frozenset({"_utils", "device_mesh", "experimental", "parallel", "placement_types"})


def __getattr__(name: str) -> Any:
    """Submodules that a program asks for are imported then."""
    if name in _LAZY:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


__all__ = ["DTensor", "DeviceMesh", "Partial", "Placement", "Replicate", "Shard",
           "distribute_module", "distribute_tensor", "empty", "full", "init_device_mesh", "ones",
           "rand", "randn", "zeros"]
