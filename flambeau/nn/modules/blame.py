"""Which module of a network an error came from, as a note on the error.

In: an exception that leaves a module's call, module by module outwards. Out: its note.

    flambeau: in layers.2.proj (Linear) of Net
"""
from __future__ import annotations

from typing import Any

_NOTE = "flambeau: in "


class _Path:
    """Where an error has been: the innermost module, and the names from outside to it."""

    __slots__ = ("inner", "last", "names", "note")

    def __init__(self, module: Any) -> None:
        self.inner = self.last = module
        self.names: list[str] = []
        self.note = ""


def say_module(error: Exception, module: Any) -> None:
    """Note that the error left a call of `module`; names grow as it goes outwards."""
    path = error.__dict__.get("_flambeau_path")
    if path is None:
        path = error.__dict__["_flambeau_path"] = _Path(module)
    elif module is not path.last:
        found = next((n for n, m in module.named_modules() if m is path.last and n), None)
        if found is None:
            return
        path.names.insert(0, found)
        path.last = module
    kind = type(path.inner).__name__
    note = f"{_NOTE}{kind}" if not path.names else (
        f"{_NOTE}{'.'.join(path.names)} ({kind}) of {type(module).__name__}")
    notes = getattr(error, "__notes__", [])
    if path.note in notes:
        notes.remove(path.note)
    error.add_note(note)
    path.note = note
