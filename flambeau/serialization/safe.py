"""The list of what `weights_only=True` may call, and the user's additions to it.

In: functions and classes (or pairs with the name they have in files). Out: the list's answers.
"""
from __future__ import annotations

from typing import Any

Entry = Any
_added: dict[str, Any] = {}
_entries: list[Entry] = []


def full_name(obj: Any) -> str:
    """The name that a pickle has for a class or function: PyTorch's, where it is one of ours."""
    from .names import torch_name
    found = torch_name(obj)
    if found is not None:
        return ".".join(found)
    return f"{obj.__module__}.{obj.__qualname__}"


def _key(entry: Entry) -> tuple[str, Any]:
    if isinstance(entry, tuple):
        if len(entry) != 2:
            raise ValueError(f"Expected tuple of length 2 (global, str of callable full path), but "
                             f"got tuple of length: {len(entry)}")
        obj, name = entry
        if not isinstance(name, str):
            raise TypeError("Expected second item in tuple to be str of callable full path, but "
                            f"got: {type(name)}")
        return name, obj
    if not hasattr(entry, "__qualname__") and not hasattr(entry, "__name__"):
        raise TypeError(f"Expected a function or class, but got: {type(entry)}")
    return full_name(entry), entry


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow functions and classes in files that are read with `weights_only=True`."""
    for entry in safe_globals:
        name, obj = _key(entry)
        _added[name] = obj
        if entry not in _entries:
            _entries.append(entry)


def get_safe_globals() -> list[Any]:
    """What add_safe_globals allowed."""
    return list(_entries)


def clear_safe_globals() -> None:
    """Forget what add_safe_globals allowed."""
    _added.clear()
    _entries.clear()


def remove_safe_globals(safe_globals: list[Any]) -> None:
    for entry in safe_globals:
        if entry in _entries:
            _entries.remove(entry)
            _added.pop(_key(entry)[0], None)


class safe_globals:  # noqa: N801 - PyTorch's name
    """Allows functions and classes within a `with` block."""

    def __init__(self, safe_globals: list[Any]) -> None:
        self.entries = list(safe_globals)
        self.before: tuple[dict[str, Any], list[Any]] = ({}, [])

    def __enter__(self) -> None:
        self.before = (dict(_added), list(_entries))
        add_safe_globals(self.entries)

    def __exit__(self, *_: Any) -> None:
        clear_safe_globals()
        _added.update(self.before[0])
        _entries.extend(self.before[1])


def added(name: str) -> Any:
    """The object that a user allowed under this name, or None."""
    return _added.get(name)


def is_added(obj: Any) -> bool:
    return any(obj is a for a in _added.values())
