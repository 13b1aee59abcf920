"""The tape: one `GradFn` for every recorded operation, linked from results to inputs.

In: what `tensor/dispatch` saw of an operation. Out: the graph that `engine` walks backwards.
An edge `(fn, k)` says "this value is output k of fn". Nothing here knows how a gradient is built:
`engine.Rules`, which `tensor/gradients` supplies, does.

    y = (x * 2).sum()     SumBackward0 -> MulBackward0 -> AccumulateGrad(x)
"""
from __future__ import annotations

import itertools
import weakref
from typing import Any

from ..core.hooks import RemovableHandle

_sequence = itertools.count()
LAST = 1 << 62                                  # leaves come before everything in the walk

SECOND_TIME = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward.")


class Hooks:
    """What the user hung on a node: allocated at the first registration."""

    __slots__ = ("after", "before", "of_output", "retain")

    def __init__(self) -> None:
        self.before: dict[int, Any] = {}
        self.after: dict[int, Any] = {}
        self.of_output: dict[int, dict[int, Any]] = {}
        self.retain: dict[int, weakref.ref[Any]] = {}


class GradFn:
    """A step of the backward pass: turns gradients of its outputs into gradients of its inputs."""

    __slots__ = ("__weakref__", "_extra", "edges", "hooks", "origin", "sequence")

    outputs = 1
    edges: tuple[tuple[GradFn, int] | None, ...]
    sequence: int
    hooks: Hooks | None
    origin: Any

    def __init__(self, edges: tuple[Any, ...]) -> None:
        self.edges = edges
        self.hooks = None
        self.origin = None
        self.sequence = next(_sequence)
        self._extra: dict[Any, Any] | None = None

    def name(self) -> str:
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[GradFn | None, int], ...]:
        return tuple((None, 0) if e is None else e for e in self.edges)

    @property
    def metadata(self) -> dict[Any, Any]:
        if self._extra is None:
            self._extra = {}
        return self._extra

    @property
    def _sequence_nr(self) -> int:
        return self.sequence

    def _input_metadata(self) -> list[Any]:
        return []

    def all_hooks(self) -> Hooks:
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def register_hook(self, fn: Any) -> RemovableHandle:
        """fn(grad_inputs, grad_outputs) after this step; it may return new grad_inputs."""
        return RemovableHandle.register(self.all_hooks().after, fn)

    def register_prehook(self, fn: Any) -> RemovableHandle:
        """fn(grad_outputs) before this step; it may return new grad_outputs."""
        return RemovableHandle.register(self.all_hooks().before, fn)

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        """Gradients of the inputs, None where there is none."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of saved values after the step."""

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class OpGradFn(GradFn):
    """The step of one node of the graph.

    `out` and `src` are the node and its sources where the derivative reads them, else SPEC nodes;
    `stores` holds (position, cell, version) of those that a tensor owns, position -1 being `out`;
    `packed` holds (position, value, unpack) of those that saved_tensors_hooks took away.
    """

    __slots__ = ("attrs", "op", "out", "packed", "src", "stores")

    def __init__(self, op: Any, attrs: tuple[Any, ...], out: Any, src: tuple[Any, ...],
                 edges: tuple[Any, ...], stores: Any, origin: Any) -> None:
        self.op = op
        self.attrs = attrs
        self.out = out
        self.src = src
        self.edges = edges
        self.stores = stores
        self.packed: Any = None
        self.origin = origin
        self.hooks = None
        self.sequence = next(_sequence)
        self._extra: dict[Any, Any] | None = None

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        if self.src is None:
            raise RuntimeError(SECOND_TIME)
        g = grads[0]
        if g is None:
            return [None] * len(self.edges)
        return rules.derive(self, g)

    def check(self, position: int) -> None:
        """A value that backward is about to read must not have been written to since."""
        for at, cell, version in self.stores:
            if at == position and cell.version != version:
                raise RuntimeError(self._modified(at, cell, version))

    def _modified(self, at: int, cell: Any, version: int) -> str:
        node = self.out if at < 0 else self.src[at]
        source = (self, 0) if at < 0 else self.edges[at]
        which = ""
        if source is not None and not isinstance(source[0], AccumulateGrad):
            maker = source[0].name().split("Backward")[0]
            which = f", which is output {source[1]} of {maker},"
        return ("one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: [{cell.describe(node)} {list(node.shape)}]{which} is at "
                f"version {cell.version}; expected version {version} instead. Hint: enable "
                "anomaly detection to find the operation that failed to compute its gradient, "
                "with torch.autograd.set_detect_anomaly(True, check_nan=False).")


class AccumulateGrad(GradFn):
    """The end of a path: adds the gradient to a leaf's `.grad`."""

    __slots__ = ("variable",)

    def __init__(self, variable: Any) -> None:
        super().__init__(())
        self.variable = variable
        self.sequence = LAST

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        g = grads[0]
        if g is not None:
            rules.accumulate(self.variable, g)
        return []


class _Nowhere(GradFn):
    """Where gradients of a view made under no_grad go: such a view has no history of its own."""

    __slots__ = ()

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        return []


NOWHERE = _Nowhere(())


_classes: dict[str, type[OpGradFn]] = {}


def named(label: str) -> type[OpGradFn]:
    """The class of steps with this name: `type(y.grad_fn).__name__` is what PyTorch's would be."""
    found = _classes.get(label)
    if found is None:
        found = _classes[label] = type(label, (OpGradFn,), {"__slots__": ()})
    return found


class Auto:
    """What autograd knows of one tensor; absent (None) for a plain one.

    requires   a leaf that wants gradients, or a result with `fn`
    fn, index  the edge to the step that made it (fn None for a leaf)
    base       of a view: the tensor it is a view of, and `seen`, the version at which fn was made
    made       how a view came to be: "" normal, "no_grad", "multi", "inference", "custom"
    leaf       weak reference to the AccumulateGrad of a leaf
    """

    # No slots: what is rare stays a default of the class, so that making one is cheap.
    base: Any = None
    seen = 0
    made = ""
    place = 0                                   # of a view among the results of its call
    leaf: Any = None
    grad: Any = None
    hooks: dict[int, Any] | None = None
    post: dict[int, Any] | None = None
    retains = False
    name: str | None = None

    def __init__(self, requires: bool = False, fn: GradFn | None = None, index: int = 0) -> None:
        self.requires = requires
        self.fn = fn
        self.index = index
