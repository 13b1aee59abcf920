"""Handles that take a registered function out of its registry again.

In: the dict a hook was put into. Out: `RemovableHandle`, which modules and optimizers return from
their `register_*` methods (torch.utils.hooks.RemovableHandle).
"""
from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Any


class RemovableHandle:
    """Names one entry of a hooks dict; `remove()` deletes it. Also a context manager."""

    id: int
    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.extra_dict_ref: tuple[Any, ...] = ()
        if isinstance(extra_dict, dict):
            self.extra_dict_ref = (weakref.ref(extra_dict),)
        elif isinstance(extra_dict, list):
            self.extra_dict_ref = tuple(weakref.ref(d) for d in extra_dict)

    def remove(self) -> None:
        """Take the hook out; nothing happens the second time."""
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            registry = ref()
            if registry is not None:
                registry.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        extra = tuple(ref() for ref in self.extra_dict_ref)
        return (self.hooks_dict_ref(), self.id, extra)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # A dict that did not travel with the handle is stood in for by an empty, dying one.
        registry = OrderedDict() if state[0] is None else state[0]
        self.hooks_dict_ref = weakref.ref(registry)
        self.id = state[1]
        extra = state[2] if len(state) > 2 and state[2] else ()
        self.extra_dict_ref = tuple(
            weakref.ref(OrderedDict() if d is None else d) for d in extra)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


def register(registry: Any, hook: Any, extra: Any = None, prepend: bool = False) -> RemovableHandle:
    """Put `hook` into an ordered dict of hooks under a new handle's id."""
    handle = RemovableHandle(registry, extra_dict=extra)
    registry[handle.id] = hook
    if prepend:
        registry.move_to_end(handle.id, last=False)
    return handle
