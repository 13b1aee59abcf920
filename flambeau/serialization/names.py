"""PyTorch's names of our classes and functions, both ways.

In: objects, or the module and name that a pickle has. Out: the other one. A file says
`torch._utils _rebuild_tensor_v2`, `torch.nn.modules.linear Linear`, `torch float32`.
"""
from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from ..core.device import device
from ..core.dtype import BY_NAME
from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor import rebuild, storages
from ..tensor.constants import layout, memory_format
from ..tensor.generator import Generator
from ..tensor.size import Size
from ..tensor.tensor import Tensor

ROOT = __name__.split(".", 1)[0]
# Where a name that has moved is looked for.
SPACES = ("nn", "nn.functional", "optim", "optim.lr_scheduler", "", "linalg", "special", "fft",
          "utils.data", "distributions")


def _fixed() -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {
        id(Tensor): ("torch", "Tensor"), id(Size): ("torch", "Size"),
        id(device): ("torch", "device"), id(DType): ("torch", "dtype"),
        id(Generator): ("torch", "Generator"),
        id(storages.UntypedStorage): ("torch.storage", "UntypedStorage"),
        id(storages.TypedStorage): ("torch.storage", "TypedStorage"),
        id(rebuild._rebuild_from_type_v2): ("torch._tensor", "_rebuild_from_type_v2"),
    }
    found[id(layout_of_name)] = ("torch.serialization", "_get_layout")
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3",
                 "_rebuild_meta_tensor_no_storage", "_rebuild_device_tensor_from_numpy",
                 "_rebuild_device_tensor_from_cpu_tensor"):
        found[id(getattr(rebuild, name))] = ("torch._utils", name)
    for name, cls in storages.CLASSES.items():
        found[id(cls)] = ("torch", name)
    return found


def torch_name(obj: Any) -> tuple[str, str] | None:
    """(module, name) of one of our objects in PyTorch; None for what is not ours."""
    found = _FIXED.get(id(obj))
    if found is not None:
        return found
    if isinstance(obj, DType):
        return "torch", obj.name
    if isinstance(obj, memory_format):
        return "torch", obj.name
    module = getattr(obj, "__module__", None)
    if not isinstance(module, str) or module != ROOT and not module.startswith(ROOT + "."):
        return None
    name = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    if name is None:
        return None
    if name.startswith("_rebuild_"):
        return "torch._utils", name
    if isinstance(obj, type):
        return "torch" + module[len(ROOT):], name
    return _function_name(obj, module, name)


def _function_name(obj: Any, module: str, name: str) -> tuple[str, str]:
    """Functions made from the table all have one home; their names are PyTorch's."""
    for space in ("nn.functional", "", "special", "linalg", "fft"):
        holder = _module(space)
        if holder is not None and getattr(holder, name, None) is obj:
            return f"torch.{space}" if space else "torch", name
    return "torch" + module[len(ROOT):], name


def _module(path: str) -> Any:
    try:
        return importlib.import_module(f"{ROOT}.{path}" if path else ROOT)
    except ImportError:
        return None


def is_torch(module: str) -> bool:
    return module == "torch" or module.startswith("torch.")


def find(module: str, name: str) -> Any:
    """Our object of a PyTorch name; AttributeError if there is none."""
    if module == "torch" and name in BY_NAME:
        return BY_NAME[name]
    if module == "torch" and name in storages.CLASSES:
        return storages.CLASSES[name]
    for holder in _holders(module):
        found = holder
        for part in name.split("."):
            found = getattr(found, part, None)
            if found is None:
                break
        if found is not None:
            return found
    raise AttributeError(f"Can't get attribute '{name}' on module '{module}'")


def _holders(module: str) -> Iterator[Any]:
    path = module[len("torch."):]
    own = None if path.startswith("_C") else _module(path)
    if own is not None:
        yield own
    for space in SPACES:
        holder = _module(space)
        if holder is not None:
            yield holder


def layout_of_name(name: str) -> Any:
    """`torch.serialization._get_layout`: the layout of this name."""
    from ..tensor import constants
    found = getattr(constants, str(name).removeprefix("torch."), None)
    if not isinstance(found, layout):
        raise RuntimeError(f"unknown layout {name!r}")
    return found


_FIXED = _fixed()
