"""Functions called around every module: registries, their registration, and the slow call path.

In: a module that has hooks (or any module while a global hook stands) and the arguments of its
call. Out: the result of `forward`, after every hook saw it. `Module.__call__` comes here only when
there is a hook to run.

Backward hooks need a place in the tape at which all gradients of a module's outputs (or inputs) are
known together: `_OutputEdge` and `_InputEdge` are identities put there.
"""
from __future__ import annotations

import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..base import Tensor, torch
from ..hooks import RemovableHandle, register

Hook = Callable[..., Any]

buffer_registration_hooks: OrderedDict[int, Hook] = OrderedDict()
module_registration_hooks: OrderedDict[int, Hook] = OrderedDict()
parameter_registration_hooks: OrderedDict[int, Hook] = OrderedDict()
global_forward_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
global_forward_hooks: OrderedDict[int, Hook] = OrderedDict()
global_forward_hooks_always_called: OrderedDict[int, bool] = OrderedDict()
global_forward_hooks_with_kwargs: OrderedDict[int, bool] = OrderedDict()
global_backward_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
global_backward_hooks: OrderedDict[int, Hook] = OrderedDict()
_backward_style: dict[str, bool | None] = {"full": None}


def has_any_global_hook() -> bool:
    """Whether a hook for all modules stands."""
    return bool(global_forward_pre_hooks or global_forward_hooks
                or global_backward_pre_hooks or global_backward_hooks)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, buffer)` at every registration; it may return another buffer."""
    return register(buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, submodule)` at every registration; it may return another module."""
    return register(module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, param)` at every registration; it may return another parameter."""
    return register(parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module."""
    return register(global_forward_pre_hooks, hook)


def register_module_forward_hook(hook: Hook, *, with_kwargs: bool = False,
                                 always_call: bool = False) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module."""
    handle = register(global_forward_hooks, hook,
                      extra=[global_forward_hooks_always_called, global_forward_hooks_with_kwargs])
    if with_kwargs:
        global_forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        global_forward_hooks_always_called[handle.id] = True
    return handle


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The deprecated form: `hook(module, grad_input, grad_output)` for every module."""
    _claim_backward_style(False)
    return register(global_backward_hooks, hook)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_output)` before the backward of every module."""
    return register(global_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` after the backward of every module."""
    _claim_backward_style(True)
    return register(global_backward_hooks, hook)


def _claim_backward_style(full: bool) -> None:
    if _backward_style["full"] is (not full):
        raise RuntimeError("Cannot use both regular backward hooks and full backward hooks as a "
                           "global Module hook. Please use only one of them.")
    _backward_style["full"] = full


class WrappedHook:
    """A hook that receives its module first, without keeping the module alive."""

    def __init__(self, hook: Hook, module: Any = None) -> None:
        self.hook = hook
        self.with_module = module is not None
        if module is not None:
            self.module = weakref.ref(module)
        if hasattr(hook, "__name__"):
            self.__name__ = hook.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        state = {"hook": self.hook, "with_module": self.with_module}
        if self.with_module:
            state["module"] = self.module()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.hook = state["hook"]
        self.with_module = state["with_module"]
        if not self.with_module:
            return
        if state["module"] is None:
            raise RuntimeError("You are trying to revive the hook of a dead Module!")
        self.module = weakref.ref(state["module"])


# ---------------------------------------------------------------- the call with hooks


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward` between its pre-hooks and hooks; hooks marked so run after an error too."""
    called: set[int] = set()
    try:
        return _call(module, args, kwargs, called)
    except Exception:
        _run_always_called(module, args, kwargs, called)
        raise


def _call(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int]) -> Any:
    args, kwargs = _forward_pre(module, args, kwargs)
    full, regular = _backward_hooks(module)
    pre = [*global_backward_pre_hooks.values(), *module._backward_pre_hooks.values()]
    state = _BackwardState(module, full, pre) if full or pre else None
    if state is not None:
        args = state.enter(args)
    result = module.forward(*args, **kwargs)
    result = _forward_post(module, args, kwargs, result, called)
    if state is not None:
        result = state.leave(result)
    if regular:
        _attach_regular(module, regular, result)
    return result


def _forward_pre(module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    hooks = [*global_forward_pre_hooks.items(), *module._forward_pre_hooks.items()]
    for key, hook in hooks:
        if key in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError("forward pre-hook must return None or a tuple "
                                   f"of (new_args, new_kwargs), but got {changed}.")
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _forward_post(module: Any, args: Any, kwargs: Any, result: Any, called: set[int]) -> Any:
    for key, hook in [*global_forward_hooks.items(), *module._forward_hooks.items()]:
        if key in module._forward_hooks_always_called or key in global_forward_hooks_always_called:
            called.add(key)
        changed = _one_forward_hook(module, key, hook, args, kwargs, result)
        if changed is not None:
            result = changed
    return result


def _one_forward_hook(module: Any, key: int, hook: Hook, args: Any, kwargs: Any,
                      result: Any) -> Any:
    if key in module._forward_hooks_with_kwargs or key in global_forward_hooks_with_kwargs:
        return hook(module, args, kwargs, result)
    return hook(module, args, result)


def _run_always_called(module: Any, args: Any, kwargs: Any, called: set[int]) -> None:
    """After an error: the hooks marked always_call that did not run, their own errors silenced."""
    groups = (("global module", global_forward_hooks, global_forward_hooks_always_called),
              ("module", module._forward_hooks, module._forward_hooks_always_called))
    for kind, hooks, always in groups:
        for key, hook in hooks.items():
            if key not in always or key in called:
                continue
            try:
                _one_forward_hook(module, key, hook, args, kwargs, None)
            except Exception as error:
                warnings.warn(f"{kind} forward hook with ``always_call=True`` raised an exception "
                              "that was silenced as another error was raised in forward: "
                              f"{error}", stacklevel=4)


def _backward_hooks(module: Any) -> tuple[list[Hook], list[Hook]]:
    """(full, regular) backward hooks, global ones first."""
    full: list[Hook] = []
    regular: list[Hook] = []
    if _backward_style["full"] is True:
        full += global_backward_hooks.values()
    elif _backward_style["full"] is False:
        regular += global_backward_hooks.values()
    if module._is_full_backward_hook is True:
        full += module._backward_hooks.values()
    else:
        regular += module._backward_hooks.values()
    return full, regular


# ---------------------------------------------------------------- backward hooks


class _BackwardState:
    """One call of one module: gathers gradients at its outputs and at its inputs."""

    def __init__(self, module: Any, hooks: list[Hook], pre_hooks: list[Hook]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.outputs = 0
        self.output_places: list[int] = []
        self.inputs = 0
        self.input_places: list[int] = []

    def enter(self, args: Any) -> Any:
        """Arguments with the tensors among them passed through the input edge."""
        self.inputs = len(args)
        if not self.hooks:
            return args
        self.input_places, args = _through(_input_edge(), self, args)
        return args

    def leave(self, result: Any) -> Any:
        """The result with its tensors passed through the output edge."""
        single = not isinstance(result, tuple)
        if single and not isinstance(result, Tensor):
            warnings.warn("For backward hooks to be called, module output should be a Tensor or a "
                          f"tuple of Tensors but received {type(result)}", stacklevel=5)
            return result
        items = (result,) if single else result
        self.outputs = len(items)
        self.output_places, items = _through(_output_edge(), self, items)
        if single:
            return items[0]
        return type(result)(*items) if hasattr(result, "_fields") else tuple(items)

    def at_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Gradients of the outputs are known: pre-hooks may replace them."""
        full = _spread(grads, self.output_places, self.outputs)
        for hook in self.pre_hooks:
            changed = hook(self.module, full)
            if changed is not None:
                full = _checked(changed, full, "Backward pre hook")
        self.grad_outputs = full
        if self.hooks and not self.input_places:
            self._run_hooks((None,) * self.inputs)
        return tuple(full[i] for i in self.output_places)

    def at_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """Gradients of the inputs are known: hooks see both ends and may replace these."""
        full = _spread(grads, self.input_places, self.inputs)
        if self.grad_outputs is not None:
            full = self._run_hooks(full)
            self.grad_outputs = None
        return tuple(full[i] for i in self.input_places)

    def _run_hooks(self, grad_inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is not None:
                grad_inputs = _checked(changed, grad_inputs, "Backward hook")
        return grad_inputs


def _checked(changed: Any, before: tuple[Any, ...], who: str) -> tuple[Any, ...]:
    after = changed if isinstance(changed, tuple) else (changed,)
    if len(after) != len(before):
        raise RuntimeError(f"{who} returned an invalid number of grad_input, "
                           f"got {len(after)}, but expected {len(before)}")
    return after


def _spread(grads: tuple[Any, ...], places: list[int], size: int) -> tuple[Any, ...]:
    full: list[Any] = [None] * size
    for i, g in zip(places, grads):
        full[i] = g
    return tuple(full)


def _through(edge: Any, state: _BackwardState, items: Any) -> tuple[list[int], Any]:
    """Pass the tensors of a tuple through an edge, if a gradient can flow to any of them."""
    places = [i for i, x in enumerate(items) if isinstance(x, Tensor)]
    wanted = any(items[i].requires_grad for i in places)
    if not (wanted and torch.is_grad_enabled()):
        return [], items
    passed = edge.apply(state, *[items[i] for i in places])
    passed = passed if isinstance(passed, tuple) else (passed,)
    out = list(items)
    for i, x in zip(places, passed):
        out[i] = x
    return places, tuple(out)


_edges: dict[str, Any] = {}


def _make_edge(name: str, method: str) -> Any:
    """An autograd.Function: identity forward, `state.<method>(grads)` backward."""
    if name not in _edges:
        def forward(ctx: Any, state: _BackwardState, *tensors: Any) -> Any:
            ctx.state = state
            ctx.set_materialize_grads(False)
            return tuple(x.view_as(x) for x in tensors)

        def backward(ctx: Any, *grads: Any) -> Any:
            return (None, *getattr(ctx.state, method)(grads))

        body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        _edges[name] = type(name, (torch.autograd.Function,), body)
    return _edges[name]


def _input_edge() -> Any:
    return _make_edge("BackwardHookFunction", "at_inputs")


def _output_edge() -> Any:
    return _make_edge("BackwardOutputFunction", "at_outputs")


def _attach_regular(module: Any, hooks: list[Hook], result: Any) -> None:
    """The deprecated hooks: attached to the node that made the first tensor of the result."""
    value = result
    while not isinstance(value, Tensor):
        if isinstance(value, dict):
            value = next((v for v in value.values() if isinstance(v, Tensor)), None)
        elif isinstance(value, (list, tuple)) and value:
            value = value[0]
        else:
            return
        if value is None:
            return
    if value.grad_fn is None:
        return
    for hook in hooks:
        value.grad_fn.register_hook(_bound(hook, module))


def _bound(hook: Hook, module: Any) -> Hook:
    def run(grad_input: Any, grad_output: Any) -> Any:
        return hook(module, grad_input, grad_output)
    return run


# ---------------------------------------------------------------- registration on one module


class HookMethods:
    """`register_*hook` of Module for forward and backward."""

    _forward_hooks: Any
    _forward_hooks_with_kwargs: Any
    _forward_hooks_always_called: Any
    _forward_pre_hooks: Any
    _forward_pre_hooks_with_kwargs: Any
    _backward_hooks: Any
    _backward_pre_hooks: Any
    _is_full_backward_hook: bool | None

    def register_forward_pre_hook(self, hook: Hook, *, prepend: bool = False,
                                  with_kwargs: bool = False) -> RemovableHandle:
        """Call `hook(module, args[, kwargs])` before forward; it may return new arguments."""
        handle = register(self._forward_pre_hooks, hook,
                          self._forward_pre_hooks_with_kwargs, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(self, hook: Hook, *, prepend: bool = False,
                              with_kwargs: bool = False,
                              always_call: bool = False) -> RemovableHandle:
        """Call `hook(module, args[, kwargs], output)` after forward; it may return a new output."""
        extra = [self._forward_hooks_with_kwargs, self._forward_hooks_always_called]
        handle = register(self._forward_hooks, hook, extra, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Hook,
                                        prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of the outputs are known."""
        return register(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the inputs' gradients are known."""
        self._claim(True)
        return register(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """The deprecated form of `register_full_backward_hook`."""
        self._claim(False)
        return register(self._backward_hooks, hook)

    def _claim(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError("Cannot use both regular backward hooks and full backward hooks on "
                               "a single Module. Please use only one of them.")
        self._is_full_backward_hook = full
