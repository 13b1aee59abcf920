"""Handles that take a registered hook out of its dict again (torch.utils.hooks.RemovableHandle).

In: the dict a hook was put into. Out: `RemovableHandle`, which tensors and gradient steps return.
"""
from __future__ import annotations

import itertools
import weakref
from typing import Any

_ids = itertools.count()


class Registry(dict[int, Any]):
    """A dict that can be weakly referenced."""

    __slots__ = ("__weakref__",)


class RemovableHandle:
    """Names one entry of a dict of hooks; `remove()` deletes it. Also a context manager."""

    __slots__ = ("__weakref__", "id", "registry")

    def __init__(self, registry: Any) -> None:
        self.id = next(_ids)
        try:
            self.registry: Any = weakref.ref(registry)
        except TypeError:                       # a plain dict: held, small and short-lived
            self.registry = lambda: registry

    @staticmethod
    def register(registry: Any, hook: Any) -> RemovableHandle:
        handle = RemovableHandle(registry)
        registry[handle.id] = hook
        return handle

    def remove(self) -> None:
        registry = self.registry()
        if registry is not None:
            registry.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()
