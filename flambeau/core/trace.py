"""Where in the user's program something happened: the nearest frame outside the package.

`caller()` is called for every recorded node, so it stores a code object and an instruction
offset and leaves the line number to `describe`.
"""
from __future__ import annotations

import os
import sys
from types import CodeType
from typing import Any

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_EXAMPLES = PACKAGE + "examples" + os.sep
_inside: dict[str, bool] = {}                   # by file: the hash of a code object is slow

_NOTE = "flambeau: while computing"

Origin = tuple[CodeType, int]
_fixed: list[Origin | None] = [None]


def caller() -> Origin | None:
    """The nearest (code, instruction) outside flambeau; the origin set by `at` wins."""
    if _fixed[0] is not None:
        return _fixed[0]
    frame = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        inside = _inside.get(name)
        if inside is None:
            inside = name.startswith(PACKAGE) and not name.startswith(_EXAMPLES)
            _inside[name] = inside
        if not inside:
            return code, frame.f_lasti
        frame = frame.f_back  # type: ignore[assignment]
    return None


class at:  # noqa: N801 - reads as a statement: `with at(node.origin):`
    """Nodes made inside belong to the given place (expansions keep the line of their composite)."""

    __slots__ = ("origin", "before")

    def __init__(self, origin: Origin | None) -> None:
        self.origin = origin

    def __enter__(self) -> None:
        self.before = _fixed[0]
        _fixed[0] = self.origin

    def __exit__(self, *_: object) -> None:
        _fixed[0] = self.before


def describe(origin: Origin | None) -> str:
    """`file.py:12 in forward`, or an empty string when unknown."""
    if origin is None:
        return ""
    code, at_ = origin
    line = code.co_firstlineno
    for start, stop, number in _lines(code):
        if start <= at_ < stop and number is not None:
            line = number
    return f"{code.co_filename}:{line} in {code.co_name}"


def say_where(error: Exception, node: Any) -> None:
    """Add to a late error the line that recorded the node being computed; the first word stays."""
    where = describe(node.origin)
    if where and not any(n.startswith(_NOTE) for n in getattr(error, "__notes__", ())):
        name = node.attrs[0] if node.op.name == "host" else node.op.name
        error.add_note(f"{_NOTE} {name}{list(node.shape)}, recorded at {where}")


def _lines(code: CodeType) -> list[tuple[int, int, int | None]]:
    return list(code.co_lines())
