"""The named tuples that some operations return (torch.return_types).

In: a name and its fields. Out: a class, kept in RESULTS under its name.

    max(x, dim=0)  ->  max(values=..., indices=...)
"""
from __future__ import annotations

from collections import namedtuple
from typing import Any

RESULTS: dict[str, Any] = {}


def named_result(name: str, *fields: str) -> Any:
    """A named tuple class that prints as PyTorch's."""
    base: Any = namedtuple(name, fields)  # type: ignore[misc]

    def show(self: Any) -> str:
        inside = ",\n".join(f"{f}={v!r}" for f, v in zip(fields, self))
        return f"torch.return_types.{name}(\n{inside})"

    RESULTS[name] = type(name, (base,), {"__repr__": show, "__slots__": ()})
    return RESULTS[name]
