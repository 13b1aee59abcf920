"""Settings of a module that can be changed for a while: `config.patch(verbose=True)`.

In: a module's namespace. Out: its `patch`.
"""
from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any


class _Patch(ContextDecorator):
    """Inside, the settings have other values."""

    def __init__(self, space: dict[str, Any], changes: dict[str, Any]) -> None:
        self.space = space
        self.changes = changes
        self.before: dict[str, Any] = {}

    def __enter__(self) -> None:
        self.before = {name: self.space[name] for name in self.changes}
        self.space.update(self.changes)

    def __exit__(self, *_: Any) -> None:
        self.space.update(self.before)


def patcher(space: dict[str, Any]) -> Callable[..., _Patch]:
    """`patch(name, value)`, `patch({name: value})` or `patch(name=value)` for a namespace."""
    def patch(arg1: Any = None, arg2: Any = None, **kwargs: Any) -> _Patch:
        changes = {arg1: arg2} if isinstance(arg1, str) else dict(arg1 or {})
        changes.update(kwargs)
        for name in changes:
            if name not in space:
                raise AttributeError(f"{space['__name__']}.{name} does not exist")
        return _Patch(space, changes)

    return patch
