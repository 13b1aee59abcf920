"""torch.overrides: what classes with `__torch_function__` need to know, and modes.

In: functions and arguments. Out: who wants to be asked. The asking is in `tensor/override`.
"""
from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .tensor import override
from .tensor.names import PUBLIC
from .tensor.override import (
    DisableTorchFunctionSubclass, TorchFunctionMode, _disabled_torch_function_impl,
    _get_current_function_mode, _get_current_function_mode_stack,
)
from .tensor.tensor import Tensor

_DisableTorchFunction = DisableTorchFunctionSubclass
BaseTorchFunctionMode = TorchFunctionMode


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments, or a mode, wants to be asked."""
    return bool(_get_current_function_mode_stack()) or any(map(override.asks, relevant_args))


def has_torch_function_unary(arg: Any) -> bool:
    return has_torch_function((arg,))


def has_torch_function_variadic(*args: Any) -> bool:
    return has_torch_function(args)


def is_tensor_like(inp: Any) -> bool:
    """A tensor, or something that can stand in for one."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    return func in _methods() or getattr(func, "__name__", None) == "__get__"


@functools.cache
def _methods() -> frozenset[Any]:
    found = []
    for name in dir(Tensor):
        value = getattr(Tensor, name, None)
        if callable(value) and getattr(value, "__hash__", None):
            found.append(value)
    return frozenset(found)


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any],
                          *args: Any, **kwargs: Any) -> Any:
    """What the first class that answers makes of the call; TypeError if none does."""
    return override.ask(public_api, (*relevant_args, *args), kwargs)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """A decorator: the function asks the arguments that `dispatcher` names first."""
    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            if has_torch_function(dispatcher(*args, **kwargs)):
                return override.ask(call, args, kwargs)
            return fn(*args, **kwargs)

        return call

    return decorate


def get_ignored_functions() -> set[Callable[..., Any]]:
    """Functions that are never asked about: those that make tensors of numbers."""
    from . import api

    names = ("tensor", "as_tensor", "zeros", "ones", "empty", "full", "arange", "eye", "linspace",
             "logspace", "rand", "randn", "randint", "randperm", "from_numpy", "get_default_dtype",
             "set_default_dtype", "manual_seed", "seed", "initial_seed", "is_tensor", "no_grad")
    return {getattr(api, name) for name in names if hasattr(api, name)}


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """The functions that classes can answer, by namespace."""
    found: dict[Any, list[Callable[..., Any]]] = {}
    for space, functions in PUBLIC.items():
        found[f"torch.{space}" if space != "torch" else "torch"] = list(functions.values())
    found[Tensor] = [m for m in _methods() if isinstance(m, types.FunctionType)]
    return found


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For each function that classes can answer, a stand-in that answers -1."""
    return {fn: (lambda *args, **kwargs: -1)
            for functions in get_overridable_functions().values() for fn in functions}


def resolve_name(f: Any) -> str | None:
    """The full name of a function, as a user writes it."""
    for space, functions in PUBLIC.items():
        for name, fn in functions.items():
            if fn is f:
                return f"torch.{name}" if space == "torch" else f"torch.{space}.{name}"
    return f"torch.Tensor.{f.__name__}" if f in _methods() else None


@contextlib.contextmanager
def enable_reentrant_dispatch() -> Iterator[None]:
    yield


__all__ = [
    "BaseTorchFunctionMode", "TorchFunctionMode", "_disabled_torch_function_impl",
    "_get_current_function_mode", "enable_reentrant_dispatch", "get_ignored_functions",
    "get_overridable_functions", "get_testing_overrides", "handle_torch_function",
    "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
    "is_tensor_like", "is_tensor_method_or_property", "resolve_name", "wrap_torch_function",
]
