"""`__torch_function__`: classes that take a hand in what PyTorch's functions do with them.

In: the arguments of a call. Out: what the first class that answers makes of it.
"""
from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from .tensor import Tensor


class _State(threading.local):
    off = False


_state = _State()
_known: dict[type, bool] = {}


def _disabled_torch_function_impl(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """As a class's `__torch_function__`: it takes no hand, results are plain tensors."""
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


def custom(cls: type) -> bool:
    """Whether arguments of this class want to be asked."""
    found = _known.get(cls)
    if found is None:
        own = getattr(cls, "__torch_function__", None)
        if issubclass(cls, Tensor):
            ours = cls.__module__.partition(".")[0] == __package__.partition(".")[0]
            default = getattr(own, "__func__", None) is _default
            found = own is not _disabled_torch_function_impl and not (ours and default)
        else:
            found = own is not None
        _known[cls] = found
    return found


def asks(a: Any) -> bool:
    """Whether an object's class overrides torch functions."""
    return not _state.off and custom(a.__class__)


class DisableTorchFunctionSubclass:
    """Inside, nobody is asked."""

    def __enter__(self) -> None:
        self.before = _state.off
        _state.off = True

    def __exit__(self, *_: Any) -> None:
        _state.off = self.before


class TorchFunctionMode:
    """A context in which `__torch_function__` of this object answers for every function."""

    def __enter__(self) -> TorchFunctionMode:
        MODES.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        MODES.remove(self)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise NotImplementedError


MODES: list[TorchFunctionMode] = []


def _get_current_function_mode() -> TorchFunctionMode | None:
    return MODES[-1] if MODES else None


def _get_current_function_mode_stack() -> list[TorchFunctionMode]:
    return list(MODES)


def ask_mode(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let the innermost mode answer; what it calls itself goes to the modes around it."""
    mode = MODES.pop()
    try:
        result = mode.__torch_function__(fn, (), args, kwargs)
    finally:
        MODES.append(mode)
    if result is NotImplemented:
        raise TypeError(f"no implementation found for 'torch.{getattr(fn, '__name__', fn)}' by the "
                        f"mode {type(mode).__name__}")
    return result


def ask(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let the classes among the arguments answer, subclasses first."""
    while hasattr(fn, "__public__"):
        fn = fn.__public__                      # what wraps it is what programs know
    flat = [*args, *kwargs.values()]
    for a in list(flat):
        if isinstance(a, (list, tuple)):
            flat.extend(a)
    classes: list[type] = []
    holders: list[Any] = []
    for a in flat:
        cls = a.__class__
        if cls in classes or not custom(cls):
            continue
        at = next((i for i, c in enumerate(classes) if issubclass(cls, c)), len(classes))
        classes.insert(at, cls)
        holders.insert(at, a)
    for holder in holders:
        result = holder.__torch_function__(fn, tuple(classes), args, kwargs)
        if result is not NotImplemented:
            return result
    names = [c.__name__ for c in classes]
    raise TypeError(f"no implementation found for 'torch.{getattr(fn, '__name__', fn)}' on types "
                    f"that implement __torch_function__: {names}")


def overridable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A hand-written method that asks first."""
    @functools.wraps(fn)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.__class__ is not Tensor and not _state.off and custom(self.__class__):
            return ask(call, (self, *args), kwargs)
        return fn(self, *args, **kwargs)

    return call


def _convert(result: Any, cls: type) -> Any:
    """Plain tensors in a result become instances of the subclass."""
    if cls is Tensor:
        return result
    if isinstance(result, Tensor) and not isinstance(result, cls):
        return result.as_subclass(cls)
    if isinstance(result, (tuple, list)):
        items = [_convert(r, cls) for r in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result


def _default(cls: type, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Run the function; tensors in its result get the subclass."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        return _convert(func(*args, **(kwargs or {})), cls)


Tensor.__torch_function__ = classmethod(_default)  # type: ignore[attr-defined]
_METHODS = ("clone", "detach", "to", "float", "double", "half", "bfloat16", "int", "long", "short",
            "char", "byte", "bool", "cpu", "contiguous", "type_as", "copy_", "fill_", "zero_",
            "__getitem__", "__setitem__", "new_zeros", "new_ones", "new_full", "new_empty",
            "new_tensor", "__repr__", "item", "tolist")


def attach() -> None:
    """Let the hand-written methods ask."""
    for name in _METHODS:
        setattr(Tensor, name, overridable(getattr(Tensor, name)))
