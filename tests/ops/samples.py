"""What the samples of operations are made of.

A sample is a table name and its arguments; arrays come from a generator seeded by the name, so that
a sample is the same in every run and every test that uses it. Tests: `test_samples` (interpreter,
compiled programs, finite differences) and `vs_torch/test_samples` (PyTorch).
"""
from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flambeau.core import dtype as dt
from flambeau.graph.node import Node
from flambeau.graph.primitive import BUFFER
from flambeau.ops.table import TABLE
from flambeau.runtime.buffer import Buffer

# The name torch.ops is PyTorch's registry of operators, so the package is asked for by its path.
for _module in pkgutil.iter_modules(importlib.import_module("flambeau.ops").__path__):
    importlib.import_module(f"flambeau.ops.{_module.name}")


@dataclass(frozen=True)
class Draw:
    """An array argument: uniform in [low, high), of a NumPy dtype; integers for integer types."""

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    kind: str = "float64"

    def array(self, rng: np.random.Generator) -> np.ndarray:
        if self.kind == "bool":
            return np.asarray(rng.random(self.shape) < 0.5)
        if "int" in self.kind:
            return np.asarray(rng.integers(int(self.low), int(self.high), self.shape), self.kind)
        return np.asarray(rng.uniform(self.low, self.high, self.shape), self.kind)


def F(*shape: int, low: float = -2.0, high: float = 2.0) -> Draw:
    """Floats, double precision (so that finite differences say something)."""
    return Draw(shape, low, high)


def P(*shape: int) -> Draw:
    """Positive floats."""
    return Draw(shape, 0.3, 2.5)


def U(*shape: int) -> Draw:
    """Floats inside (0, 1)."""
    return Draw(shape, 0.05, 0.95)


def Z(*shape: int, low: int = -5, high: int = 6, kind: str = "int64") -> Draw:
    """Integers."""
    return Draw(shape, low, high, kind)


def B(*shape: int) -> Draw:
    """Bools."""
    return Draw(shape, kind="bool")


@dataclass(frozen=True)
class Sample:
    """One call: `TABLE[name].fn(*args, **kwargs)`.

    grad    compare gradients too (False where there are none, or no limit of differences)
    tol     relative and absolute tolerance against PyTorch, in float64
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    grad: bool = True
    tol: float = 1e-6

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        seed = zlib.crc32(repr((self.name, self.args, self.kwargs)).encode())
        rng = np.random.default_rng(seed)
        return ([_filled(a, rng) for a in self.args],
                {k: _filled(v, rng) for k, v in self.kwargs.items()})

    def call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return TABLE[self.name].fn(*args, **kwargs)

    def __str__(self) -> str:
        return f"{self.name}-{zlib.crc32(repr((self.args, self.kwargs)).encode()) & 0xffff:x}"


def S(name: str, *args: Any, grad: bool = True, tol: float = 1e-6, **kwargs: Any) -> Sample:
    return Sample(name, args, kwargs, grad, tol)


def _filled(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, Draw):
        return value.array(rng)
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(v, rng) for v in value)
    return value


def leaf(array: np.ndarray) -> Node:
    """A computed node with these values."""
    made = Node(BUFFER, (), (), array.shape, dt.BY_NUMPY[array.dtype])
    made.value = Buffer.from_numpy(np.array(array, order="C"))
    return made


def nodes(value: Any) -> Any:
    """Arrays in an argument swapped for nodes."""
    if isinstance(value, np.ndarray):
        return leaf(value)
    if isinstance(value, dict):
        return {k: nodes(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(nodes(v) for v in value)
    return value


def results(value: Any) -> Iterator[Node]:
    """The nodes in a result."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from results(v)


def all_samples() -> list[Sample]:
    from . import samples_elementwise, samples_nn, samples_reduction
    return [*samples_elementwise.SAMPLES, *samples_reduction.SAMPLES, *samples_nn.SAMPLES]
