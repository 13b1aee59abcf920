"""torch.utils: data, checkpoint, pytrees and the rest, imported when first asked for."""
from __future__ import annotations

import importlib
from typing import Any

_LAZY = frozenset({"_foreach_utils", "_python_dispatch", "_pytree", "backcompat", "checkpoint",
                   "collect_env", "cpp_extension", "data", "dlpack", "flop_counter", "hooks",
                   "mobile_optimizer", "model_zoo", "tensorboard"})


def __getattr__(name: str) -> Any:
    """Submodules that a program asks for are imported then."""
    if name in _LAZY:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def set_module(obj: Any, mod: str) -> None:
    """Say that a class or function belongs to another module."""
    if not isinstance(mod, str):
        raise TypeError("The mod argument should be a string")
    obj.__module__ = mod


__all__ = ["set_module"]
