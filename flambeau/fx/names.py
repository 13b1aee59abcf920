"""The names that a traced program's functions have in its printed code."""
from __future__ import annotations

import builtins
import importlib
import operator
import sys
from typing import Any

_PLACES = ("", "nn.functional", "special", "linalg", "fft", "nn.init")
_PACKAGE = __name__.partition(".")[0]


def module_of(func: Any) -> str:
    """The module a function is found in by its name: PyTorch's name of it, for functions of ours.

    RuntimeError where there is none.
    """
    name = func.__name__
    if getattr(builtins, name, None) is func:
        return "builtins"
    if getattr(operator, name, None) is func:
        return "_operator"
    for place in _PLACES:
        full = f"{_PACKAGE}.{place}".rstrip(".")
        if getattr(importlib.import_module(full), name, None) is func:
            return "torch" + full[len(_PACKAGE):]
    module = sys.modules.get(getattr(func, "__module__", ""), None)
    if module is not None:
        return _presented(module.__name__)
    raise RuntimeError(f"cannot find module for {func}")


def _presented(name: str) -> str:
    head, dot, rest = name.partition(".")
    return ("torch" if head == _PACKAGE else head) + dot + rest
