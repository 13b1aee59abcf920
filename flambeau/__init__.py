"""flambeau: PyTorch's API from a lazy, compiled framework in Python. The `torch.*` names."""
from __future__ import annotations

import importlib as _importlib
import sys as _sys
from importlib.util import find_spec as _find_spec
from typing import Any as _Any

from .api import *  # noqa: F403
from .api import LATE as _LATE
from .api import LAZY as _LAZY
from .api import SPACES as _SPACES
from .core.version import VERSION as __version__  # noqa: N811


def __getattr__(name: str) -> _Any:
    """Submodules, and functions of some, that a program asks for are imported then."""
    if name in _LATE:
        globals()[name] = found = getattr(__getattr__(_LATE[name]), name)
        return found
    if name in _LAZY:
        path = f"{__name__}.{_LAZY[name]}"
        try:
            module = _importlib.import_module(path)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
            # `hasattr(torch, "distributed")` is a question that programs ask.
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'") from None
        globals()[name] = module
        return module
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    """What is there; submodules that programs ask for and that do not exist are left out."""
    there = {name for name, path in _LAZY.items() if _find_spec(f"{__name__}.{path}")}
    return sorted({*globals(), *there, *_LATE})


for _name, _module in _SPACES.items():
    globals().setdefault(_name, _module)

# `torch.torch`, which programs that import carelessly have come to rely on.
torch = _sys.modules[__name__]
