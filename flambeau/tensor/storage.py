"""The cell behind tensors: an immutable value that writes replace.

In: nodes. Out: `Storage`, shared by a tensor, its views and what `detach()` gives.
`value` is a node of any shape whose row-major elements are the storage. A storage whose memory
foreign code can see (`pin`) keeps its value in that memory: see `tensor/pinning`.
"""
from __future__ import annotations

from typing import Any

from ..core.device import CPU, device
from ..core.errors import type_string
from ..graph.node import Node


class Counter:
    """How often the memory was written to, as autograd counts it."""

    __slots__ = ("version",)

    def __init__(self) -> None:
        self.version = 0

    def describe(self, node: Node) -> str:
        return type_string(node.dtype)


class Storage:
    """`value`, the current node; `version`, how often written; `pin`, shared memory or None."""

    __slots__ = ("__weakref__", "device", "pin", "value", "version")

    def __init__(self, value: Node, device: device = CPU) -> None:
        self.value = value
        self.version = 0
        self.pin: Any = None
        self.device = device

    def describe(self, node: Node) -> str:
        """The legacy type name used in autograd's errors."""
        return type_string(node.dtype)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def numel(self) -> int:
        return self.value.size


# The counter of tensors made in inference mode: they have no version.
INFERENCE = Counter()
