"""`torch.autograd.Function`: an operation whose backward the user writes.

In: subclasses with static `forward` and `backward`. Out: `apply`, whose results carry a step that
calls `backward`. The context the user sees is that step.
"""
from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from . import api
from .grad_mode import state
from .tape import SECOND_TIME, GradFn


class FunctionCtx:
    """What `forward` leaves for `backward`."""

    def save_for_backward(self, *tensors: Any) -> None:
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Any) -> None:
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Any) -> None:
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        self.materialize_grads = value

    def mark_shared_storage(self, *pairs: Any) -> None:
        warnings.warn("mark_shared_storage is deprecated. Tensors with shared storages are "
                      "automatically tracked. Note that calls to `set_()` are not tracked",
                      stacklevel=2)


class BackwardCFunction(GradFn, FunctionCtx):
    """The step of one call of a Function; `ctx` of forward and backward."""

    to_save: tuple[Any, ...] = ()
    dirty_tensors: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()
    materialize_grads = True
    needs_input_grad: tuple[bool, ...] = ()
    function: Any = None

    def __init__(self) -> None:
        super().__init__(())
        self._saved: list[Any] | None = []
        self._tensor_places: list[int] = []
        self._shapes: list[Any] = []
        self._input_specs: list[Any] = []
        self.outputs = 1

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self._saved is None:
            raise RuntimeError(SECOND_TIME)
        ask = api.tensors()
        return tuple(ask.unpack(s, self) for s in self._saved)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        return self.saved_tensors

    def apply(self, *grads: Any) -> Any:
        return self.function.backward(self, *grads)

    def name(self) -> str:
        return type(self).__name__

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        ask = api.tensors()
        given: list[Any] = []
        for k, g in enumerate(grads):
            if g is not None:
                given.append(rules.wrap(g))
            elif self.materialize_grads and self._shapes[k] is not None:
                given.append(ask.full(self._shapes[k], 0))
            else:
                given.append(None)
        backward = _overridden(self.function, "backward") or _overridden(self.function, "vjp")
        if backward is None:
            raise NotImplementedError("You must implement either the backward or vjp method for "
                                      "your custom autograd.Function to use it with backward mode "
                                      "AD.")
        found = backward(self, *given)
        return self._taken(found, rules)

    def _taken(self, found: Any, rules: Any) -> list[Any]:
        """The user's gradients, one for each tensor input."""
        ask = api.tensors()
        answers = list(found) if isinstance(found, (tuple, list)) else [found]
        count = len(self.needs_input_grad)
        if len(answers) > count and all(a is None for a in answers[count:]):
            answers = answers[:count]
        if len(answers) != count:
            raise RuntimeError(f"function {self.name()} returned an incorrect number of "
                               f"gradients (expected {count}, got {len(answers)})")
        result: list[Any] = []
        for i, (a, edge) in enumerate(zip(answers, self._all_edges())):
            if a is not None and not ask.is_tensor(a):
                raise TypeError(f"function {self.name()} returned an invalid gradient at index "
                                f"{i}: expected a Tensor or None, got {type(a).__name__}")
            if edge is False:
                continue
            if a is None or edge is None:
                result.append(None)
            else:
                result.append(rules.unwrap(ask.fit(a, self._input_specs[i], self.name(), i)))
        return result

    def _all_edges(self) -> list[Any]:
        """The edge of each argument; False for one that is no tensor."""
        edges: list[Any] = [False] * len(self.needs_input_grad)
        for place, edge in zip(self._tensor_places, self.edges):
            edges[place] = edge
        return edges

    def release(self) -> None:
        if self._saved:
            self._saved = None


def _overridden(cls: Any, name: str) -> Callable[..., Any] | None:
    fn = getattr(cls, name, None)
    return None if fn is getattr(Function, name) else fn


_steps: dict[Any, type] = {}


def _step_class(cls: Any) -> type:
    found = _steps.get(cls)
    if found is None:
        name = f"{cls.__name__}Backward"
        found = _steps[cls] = type(name, (BackwardCFunction,), {"function": cls})
    return found


class Function(FunctionCtx):
    """Base class of operations with a hand-written derivative."""

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(f"{self.__class__} should not be instantiated. Methods on autograd functions "
                      "are all static, so you should invoke them on the class itself. "
                      "Instantiating "
                      "an autograd function will raise an error in a future version of PyTorch.",
                      DeprecationWarning, stacklevel=2)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("Legacy autograd function with non-static forward method is deprecated. "
                           "Please use new-style autograd function with static forward method. "
                           "(Example: https://pytorch.org/docs/stable/autograd.html"
                           "#torch.autograd.Function)")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom "
                                  "autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError("You must implement either the backward or vjp method for your "
                                  "custom autograd.Function to use it with backward mode AD.")

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        raise NotImplementedError("You must implement the jvp function for custom "
                                  "autograd.Function to use it with forward mode AD.")

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        raise NotImplementedError("To use autograd.Function with vmap, you must either override "
                                  "the vmap staticmethod or set generate_vmap_rule=True.")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward on the arguments; the results remember how to go backward."""
        ask = api.tensors()
        ctx = _step_class(cls)()
        places = [i for i, a in enumerate(args) if ask.is_tensor(a)]
        needs = tuple(ask.is_tensor(a) and ask.requires(a) for a in args)
        ctx.needs_input_grad = needs
        tracked = state.grad and any(needs)
        ctx._tensor_places = places
        ctx._input_specs = [ask.describe(a) if ask.is_tensor(a) else None for a in args]
        if tracked:
            ctx.edges = tuple(ask.edge(args[i]) for i in places)
        before = state.grad
        state.grad = False
        try:
            if _overridden(cls, "setup_context") is not None:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        finally:
            state.grad = before
        return _wrapped(ctx, args, output, tracked)


def _wrapped(ctx: Any, args: tuple[Any, ...], output: Any, tracked: bool) -> Any:
    """The results with their edges, and what forward saved."""
    ask = api.tensors()
    single = not isinstance(output, tuple)
    outs = [output] if single else list(output)
    ctx.outputs = max(len(outs), 1)
    dirty = {id(t) for t in ctx.dirty_tensors}
    plain = {id(t) for t in ctx.non_differentiable}
    inputs = {id(a) for a in args if ask.is_tensor(a)}
    ctx._shapes = [ask.describe(o) if ask.is_tensor(o) else None for o in outs]
    for t in ctx.dirty_tensors:
        if id(t) not in {id(o) for o in outs}:
            raise RuntimeError("Some elements marked as dirty during the forward method were not "
                               "returned as output. The inputs that are modified inplace must all "
                               "be outputs of the Function.")
    made = []
    for k, o in enumerate(outs):
        if not ask.is_tensor(o):
            made.append(o)
            continue
        differentiable = tracked and id(o) not in plain and ask.differentiable(o)
        made.append(ask.attach(o, ctx if differentiable else None, k, id(o) in dirty,
                               id(o) in inputs))
    if tracked:
        ctx._saved = [ask.pack(t, ctx, _place(t, outs, made)) for t in ctx.to_save]
    else:
        ctx._saved = [ask.pack(t, ctx, None) for t in ctx.to_save]
    ctx.to_save = ()
    return made[0] if single else tuple(made)


def _place(t: Any, outs: list[Any], made: list[Any]) -> Any:
    """The wrapped result that a saved tensor is, or None."""
    for o, m in zip(outs, made):
        if o is t:
            return m
    return None


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A backward that cannot itself be differentiated."""
    @functools.wraps(fn)
    def wrapper(ctx: Any, *args: Any) -> Any:
        ask = api.tensors()
        before = state.grad
        state.grad = False
        try:
            outputs = fn(ctx, *args)
        finally:
            state.grad = before
        if not before:
            return outputs
        if not any(ask.is_tensor(a) and ask.requires(a) for a in args):
            return outputs
        single = not isinstance(outputs, tuple)
        found = (outputs,) if single else outputs
        step = Error()
        step.outputs = len(found)
        step.edges = tuple(ask.edge(a) for a in args if ask.is_tensor(a))
        made = tuple(None if o is None else ask.attach(ask.detach(o), step, k, False, False)
                     for k, o in enumerate(found))
        return made[0] if single else made

    return wrapper


class Error(GradFn):
    """Backward of a once-differentiable backward: an error."""

    def __init__(self) -> None:
        super().__init__(())
        self.outputs = 1

    def step(self, grads: list[Any], rules: Any) -> list[Any]:
        raise RuntimeError("trying to differentiate twice a function that was marked with "
                           "@once_differentiable")


class NestedIOFunction(Function):
    """Kept for programs that import it; nested inputs are not supported."""


InplaceFunction = Function

__all__ = ["BackwardCFunction", "Function", "FunctionCtx", "InplaceFunction", "NestedIOFunction",
           "once_differentiable"]
