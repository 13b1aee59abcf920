"""`checkpoint`: forget what a function computed on its way, and compute it again for backward.

In: a function and its arguments. Out: its results. The function is recorded once, only to learn
where its gradients go; that record is dropped, and one step stands in its place. The step runs the
function again, walks back over the new record as far as what was there before, and hands the
gradients on. So parameters that the function only mentions get theirs, and gradients of gradients
work.
"""
from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import engine
from ..autograd.grad_mode import enable_grad, state
from ..autograd.tape import SECOND_TIME, AccumulateGrad, Auto, GradFn
from ..tensor import functionalize as f
from ..tensor.autocast import state as autocast
from ..tensor.generator import get_rng_state, set_rng_state
from ..tensor.tensor import Tensor
from ..core.pytree import tree_flatten

Edge = tuple[GradFn, int]
FAR = 1 << 60


class CheckpointError(RuntimeError):
    """Running the function again gave something else."""


class DefaultDeviceType:
    """The device type that is assumed where arguments do not tell."""

    _default = "cuda"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        DefaultDeviceType._default = device

    @staticmethod
    def get_device_type() -> str:
        return DefaultDeviceType._default


def noop_context_fn() -> tuple[Any, Any]:
    return contextlib.nullcontext(), contextlib.nullcontext()


def set_checkpoint_early_stop(enable: bool) -> Any:
    """Accepted: what backward does not need of the second run is not computed in any case."""
    return contextlib.nullcontext()


def set_checkpoint_debug_enabled(enabled: bool | None) -> Any:
    return contextlib.nullcontext()


def detach_variable(inputs: Any) -> tuple[Any, ...]:
    """The arguments with every tensor cut off from its history."""
    if not isinstance(inputs, tuple):
        raise RuntimeError("Only tuple of tensors is supported. Got Unsupported input type: "
                           f"{type(inputs).__name__}")
    return tuple(x.detach().requires_grad_(x.requires_grad)
                 if isinstance(x, Tensor) else x for x in inputs)


def check_backward_validity(inputs: Iterable[Any]) -> None:
    if not any(isinstance(x, Tensor) and f.requires_grad(x) for x in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None",
                      stacklevel=3)


def get_device_states(*args: Any) -> tuple[list[int], list[Tensor]]:
    """Random states of accelerators among the arguments: there are none."""
    return [], []


def set_device_states(devices: Any, states: Any, *, device_type: str | None = None) -> None:
    """Nothing to set."""


# ---------------------------------------------------------------- the walk


class _Within(engine._Walk):
    """A walk over the steps of one record, which ends at the edges that lead out of it."""

    def __init__(self, create_graph: bool, inner: dict[GradFn, None], border: set[Edge]) -> None:
        super().__init__(create_graph, create_graph, None)
        self.inner = inner
        self.border = border

    def prepare(self, starts: list[GradFn]) -> None:
        for fn in self.inner:
            for edge in fn.edges:
                if edge is not None and edge[0] in self.inner:
                    self.waiting[edge[0]] = self.waiting.get(edge[0], 0) + 1
        for fn, _ in self.border:
            self.waiting[fn] = FAR

    def deliver(self, edge: Edge, g: Any) -> None:
        if edge[0] in self.inner:
            super().deliver(edge, g)
        elif g is not None:
            have = self.captured.get(edge)
            self.captured[edge] = g if have is None else self.rules.add(have, g)


def _record_of(outputs: list[Tensor], since: int) -> tuple[dict[GradFn, None], list[Edge]]:
    """The steps made since a moment that lead to `outputs`, and the edges that leave them."""
    inner: dict[GradFn, None] = {}
    border: dict[Edge, None] = {}
    stack = [e for o in outputs if (e := f.edge_of(o)) is not None]
    while stack:
        edge = stack.pop()
        fn = edge[0]
        if isinstance(fn, AccumulateGrad) or fn.sequence < since:
            border[edge] = None
        elif fn not in inner:
            inner[fn] = None
            stack.extend(e for e in fn.edges if e is not None)
    return inner, list(border)


class _Moment:
    """What a run of the function depends on besides its arguments."""

    def __init__(self, keep_random: bool) -> None:
        self.random = get_rng_state() if keep_random else None
        self.autocast = (autocast.enabled, autocast.dtype)

    @contextlib.contextmanager
    def again(self) -> Any:
        now = (autocast.enabled, autocast.dtype)
        random = None if self.random is None else get_rng_state()
        autocast.enabled, autocast.dtype = self.autocast
        if self.random is not None:
            set_rng_state(self.random)
        try:
            with enable_grad():
                yield
        finally:
            autocast.enabled, autocast.dtype = now
            if random is not None:
                set_rng_state(random)


class CheckpointFunction(GradFn):
    """The step that stands for the whole function.

    `run` gives the function's tensors again; `edges` are where their gradients go.
    """

    __slots__ = ("outputs", "run", "shapes")

    def __init__(self, edges: list[Edge], run: Callable[[], list[Tensor]], shapes: list[Any],
                 ) -> None:
        super().__init__(tuple(edges))
        self.run: Callable[[], list[Tensor]] | None = run
        self.shapes = shapes
        self.outputs = len(shapes)

    def name(self) -> str:
        return "CheckpointFunctionBackward"

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        if self.run is None:
            raise RuntimeError(SECOND_TIME)
        since = _now()
        outputs = self.run()
        if [(tuple(o._shape), o.dtype) for o in outputs] != self.shapes:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass.\nsaved: "
                f"{self.shapes}\nrecomputed: {[(tuple(o._shape), o.dtype) for o in outputs]}")
        inner, border = _record_of(outputs, since)
        walk = _Within(rules is engine.rules(True), inner, set(border))
        starts = []
        for o, g in zip(outputs, grads):
            edge = f.edge_of(o)
            if g is not None and edge is not None:
                walk.deliver(edge, g)
                starts.append(edge[0])
        self._run(walk, starts)
        return [walk.captured.get(e) for e in self.edges]  # type: ignore[arg-type]

    def _run(self, walk: _Within, starts: list[GradFn]) -> None:
        """Walk in the order of recording; a step that got no gradient passes none on."""
        walk.prepare(starts)
        for fn in sorted(walk.inner, key=lambda fn: -fn.sequence):
            if fn not in walk.arrived:
                walk.arrived[fn] = [None] * fn.outputs
        for fn in walk.inner:
            if not walk.waiting.get(fn):
                walk.push(fn)
        before = state.grad
        state.grad = walk.rules is engine.rules(True)
        try:
            walk.run()
        finally:
            state.grad = before

    def release(self) -> None:
        self.run = None


def _now() -> int:
    """A number between the sequence numbers of the steps made before and after."""
    return GradFn(()).sequence


# ---------------------------------------------------------------- torch.utils.checkpoint


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
               context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
               determinism_check: str = "default", debug: bool = False, early_stop: bool = True,
               **kwargs: Any) -> Any:
    """function(*args, **kwargs), computed again in backward instead of kept."""
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended, but if you need to preserve the current default "
            "behavior, you can pass use_reentrant=True. Refer to docs for more details on the "
            "differences between the two variants.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when "
                             "use_reentrant=False.")
        check_backward_validity(args)
        if not any(isinstance(a, Tensor) and f.requires_grad(a) for a in args):
            before, state.grad = state.grad, False
            try:
                return function(*args)
            finally:
                state.grad = before
    return _checkpointed(function, args, kwargs, preserve, context_fn)


def _checkpointed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any],
                  preserve: bool, context_fn: Callable[[], tuple[Any, Any]]) -> Any:
    first, second = context_fn()
    if not state.grad:
        with first:
            return function(*args, **kwargs)
    moment = _Moment(preserve)
    since = _now()
    with first:
        result = function(*args, **kwargs)
    leaves, spec = tree_flatten(result)
    places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor) and f.requires_grad(x)]
    outputs = [leaves[i] for i in places]
    inner, border = _record_of(outputs, since)
    if not inner:
        return result
    versions = [(x, x._counter, x._counter.version) for x in tree_flatten((args, kwargs))[0]
                if isinstance(x, Tensor)]

    def again() -> list[Tensor]:
        for x, counter, version in versions:
            if counter.version != version:
                raise RuntimeError(
                    "torch.utils.checkpoint: an argument of the function, of shape "
                    f"{list(x._shape)}, has been modified by an inplace operation since")
        with moment.again(), second:
            found = tree_flatten(function(*args, **kwargs))[0]
        if len(found) != len(leaves):
            raise CheckpointError("torch.utils.checkpoint: A different number of tensors was saved "
                                  "during the original forward and recomputation.")
        return [found[i] for i in places]

    step = CheckpointFunction(border, again, [(tuple(o._shape), o.dtype) for o in outputs])
    for k, (i, o) in enumerate(zip(places, outputs)):
        leaves[i] = _behind(o, step, k, inner)
    return spec.unflatten(leaves)


def _behind(output: Tensor, step: GradFn, k: int, inner: dict[GradFn, None]) -> Tensor:
    """An output as the result of the step; what the function only passed through stays itself."""
    edge = f.edge_of(output)
    if edge is None or edge[0] not in inner:
        return output
    made = f.share(output, output._layout, output._shape, cls=type(output))
    made._auto = Auto(True, step, k)
    return made


def checkpoint_sequential(functions: Any, segments: int, input: Any,
                          use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """Functions one after the other, in segments that are checkpointed (but for the last)."""
    if use_reentrant is None:
        warnings.warn("torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter "
                      "should be passed explicitly.", stacklevel=2)
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    if hasattr(functions, "children"):
        functions = list(functions.children())
    functions = list(functions)
    size = len(functions) // segments

    def chain(part: list[Any]) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for fn in part:
                x = fn(x)
            return x

        return run

    for i in range(segments - 1):
        part = functions[i * size:(i + 1) * size]
        input = checkpoint(chain(part), input, use_reentrant=use_reentrant,
                           preserve_rng_state=preserve)
    return chain(functions[size * (segments - 1):])(input)


__all__ = [
    "CheckpointError", "CheckpointFunction", "DefaultDeviceType", "check_backward_validity",
    "checkpoint", "checkpoint_sequential", "detach_variable", "get_device_states",
    "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
    "set_device_states",
]
