"""What needs several processes: named, so that libraries import, and refused when used."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.absent import refuse


def _error(name: str) -> Exception:
    return RuntimeError(f"flambeau runs in one process: torch.distributed's {name} is not "
                        "supported")


def refused(*names: str) -> dict[str, Callable[..., Any]]:
    """Functions that raise."""
    return {name: refuse(name, _error(name)) for name in names}


def refused_classes(module: str, names: Iterable[str]) -> dict[str, type]:
    """Classes for isinstance, annotations and subclasses; making an object raises."""
    return {name: type(name, (), {"__init__": refuse("__init__", _error(name)),
                                  "__module__": module}) for name in names}


__all__ = ["refused", "refused_classes"]
