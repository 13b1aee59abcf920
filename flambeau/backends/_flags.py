"""Settings of libraries that flambeau does not use: they can be set and read, no more."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def make_flags(module: ModuleType, names: tuple[str, ...]) -> Any:
    """`flags(...)`: settings for a `with` block."""
    @contextlib.contextmanager
    def flags(**values: Any) -> Iterator[None]:
        before = {name: getattr(module, name) for name in values if name in names}
        for name in before:
            setattr(module, name, values[name])
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(module, name, value)

    return flags
