"""What the samples of operations are made of.

A sample is the name of an operation and its arguments; arrays come from a generator seeded by the
name, so that a sample is the same in every run and every test that uses it. One row in the list of
a family (`samples_*.py`) drives everything: `test_samples` (interpreter, compiled programs, first
and second gradients), `test_forms` (views, in-place, `out=`, sizes) and `vs_torch/test_samples`
(values, gradients, dtypes, errors of PyTorch). `test_layers` wants a row for every operation.
"""
from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from flambeau.core import dtype as dt
from flambeau.core.pytree import tree_flatten, tree_unflatten
from flambeau.graph.node import Node
from flambeau.graph.primitive import BUFFER
from flambeau.runtime.buffer import Buffer
from flambeau.tensor.names import PUBLIC


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
        values = rng.uniform(self.low, self.high, self.shape)
        if self.kind == "complex128":
            values = values + 1j * rng.uniform(self.low, self.high, self.shape)
        return np.asarray(values, self.kind)


def F(*shape: int, low: float = -2.0, high: float = 2.0) -> Draw:
    """Floats, double precision (so that finite differences say something)."""
    return Draw(shape, low, high)


def C(*shape: int, low: float = -2.0, high: float = 2.0) -> Draw:
    """Complex numbers, double precision."""
    return Draw(shape, low, high, "complex128")


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
class Kind:
    """A dtype argument, by its name."""

    name: str


@dataclass(frozen=True)
class Sample:
    """One call of the operation `name`, as the table of operations has it ("linalg.inv").

    grad    compare gradients too (False where there are none, or no limit of differences)
    limit   the gradients are the limits of differences (PyTorch's are not, either)
    alone   why PyTorch's gradients are others, if they are
    once    why there is no second gradient to check, if there is none
    tol     relative and absolute tolerance against PyTorch, in float64
    spoil   a call with a spoilt argument is refused as PyTorch refuses it
    by      the places, among the arrays, to differentiate by; None: every float
    via     the public function to call, where the operation itself is internal
    before  (lib, args) -> args: makes matrices symmetric, and the like
    after   (lib, result) -> result: what of it is unique (eigenvectors have no sign)
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    grad: bool = True
    limit: bool = True
    alone: str = ""
    once: str = ""
    spoil: bool = True
    tol: float = 1e-6
    by: tuple[int, ...] | None = None
    via: str = ""
    before: Callable[..., Any] | None = None
    after: Callable[..., Any] | None = None

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments with every draw made an array."""
        rng = np.random.default_rng(zlib.crc32(self.text().encode()))
        return ([_filled(a, rng) for a in self.args],
                {k: _filled(v, rng) for k, v in self.kwargs.items()})

    def text(self) -> str:
        return repr((self.name, self.args, self.kwargs))

    def call(self, lib: Any, args: Any, kwargs: dict[str, Any], suffix: str = "") -> Any:
        """The operation of a library (flambeau, PyTorch) on its tensors."""
        lib.manual_seed(7)
        if self.before is not None:
            args = self.before(lib, args)
        result = function(lib, (self.via or self.name) + suffix)(*args, **kwargs)
        return result if self.after is None else self.after(lib, result)

    def grown(self) -> Sample:
        """The same call with every size above one a size larger."""
        return replace(self, args=tuple(_grown(a) for a in self.args),
                       kwargs={k: _grown(v) for k, v in self.kwargs.items()})

    def __str__(self) -> str:
        return f"{self.name}-{zlib.crc32(self.text().encode()) & 0xfffff:x}"


FIELDS = ("grad", "limit", "alone", "once", "spoil", "tol", "by", "via", "before", "after")


def S(name: str, *args: Any, **kwargs: Any) -> Sample:
    """A row: the arguments of the call, and among the keywords the fields of `Sample`."""
    given = {f: kwargs.pop(f) for f in FIELDS if f in kwargs}
    return Sample(name, args, kwargs, **given)


def function(lib: Any, name: str) -> Any:
    """The function of a table name: "exp", "linalg.inv", "Tensor.view"."""
    found = lib
    *spaces, short = name.removeprefix("torch.").split(".")
    if name.startswith("_"):                    # not of PyTorch's names
        return PUBLIC[".".join(spaces)][short]
    for space in spaces:
        found = getattr(found, space)
    return getattr(found, short) if spaces or hasattr(lib, short) else getattr(lib.Tensor, short)


def _filled(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, Draw):
        return value.array(rng)
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(v, rng) for v in value)
    return value


def _grown(value: Any) -> Any:
    if isinstance(value, Draw):
        return replace(value, shape=tuple(n + (n > 1) for n in value.shape))
    if isinstance(value, (list, tuple)):
        return type(value)(_grown(v) for v in value)
    return value


def tensors(lib: Any, value: Any, make: Callable[[np.ndarray], Any] | None = None) -> Any:
    """Arguments with arrays swapped for a library's tensors (by `make`), and dtypes for its own."""
    leaves, spec = tree_flatten(value)
    make = make or (lambda a: lib.from_numpy(a.copy()))
    return tree_unflatten([make(x) if isinstance(x, np.ndarray) else
                           getattr(lib, x.name) if isinstance(x, Kind) else x for x in leaves],
                          spec)


def flat(lib: Any, result: Any) -> list[Any]:
    """The tensors in a result."""
    if isinstance(result, lib.Tensor):
        return [result]
    if isinstance(result, (list, tuple)):
        return [t for part in result for t in flat(lib, part)]
    return []


def leaf(array: np.ndarray) -> Node:
    """A computed node with these values."""
    made = Node(BUFFER, (), (), array.shape, dt.BY_NUMPY[array.dtype])
    made.value = Buffer.from_numpy(np.array(array, order="C"))
    return made


def all_samples() -> list[Sample]:
    """Every row of every family."""
    found: list[Sample] = []
    folder = Path(__file__).parent
    for file in sorted(folder.glob("samples_*.py")):
        found += importlib.import_module(f"{__package__}.{file.stem}").SAMPLES
    return found
