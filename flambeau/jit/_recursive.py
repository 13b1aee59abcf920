"""What scripting knows of classes: nothing has been scripted."""
from __future__ import annotations

from typing import Any


class ConcreteTypeStore:
    """Types of scripted modules by their Python class."""

    def __init__(self) -> None:
        self.type_store: dict[type, list[Any]] = {}
        self.methods_compiled: set[Any] = set()


concrete_type_store = ConcreteTypeStore()

__all__ = ["ConcreteTypeStore", "concrete_type_store"]
