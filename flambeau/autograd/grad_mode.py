"""Whether operations are recorded for backward: `no_grad`, `enable_grad`, `inference_mode`.

In: context managers and decorators of the user. Out: `state`, read by `tensor/dispatch` at every
operation. Each thread has a state of its own; a new thread starts with recording on.
"""
from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class State(threading.local):
    """`grad`: record; `inference`: make inference tensors; the others: see anomaly_mode."""

    grad: bool = True
    inference: bool = False
    anomaly: bool = False
    check_nan: bool = True
    pack: tuple[Any, ...] = ()                  # (pack, unpack) pairs of saved_tensors_hooks
    pack_refused: str | None = None             # why saved_tensors_hooks may not be used now


state = State()


def is_grad_enabled() -> bool:
    """Whether operations are recorded for backward."""
    return state.grad


def is_inference_mode_enabled() -> bool:
    """Whether inference mode is on."""
    return state.inference


class Decorator:
    """A context manager that also decorates functions, generators and classes."""

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *_: Any) -> Any:
        raise NotImplementedError

    def clone(self) -> Decorator:
        """A fresh manager for one call of the decorated function."""
        return self.__class__()

    def __call__(self, fn: F) -> F:
        if inspect.isgeneratorfunction(fn):
            return _wrap_generator(self, fn)
        if inspect.iscoroutinefunction(fn):
            return _wrap_coroutine(self, fn)

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return fn(*args, **kwargs)

        return call  # type: ignore[return-value]


def _wrap_coroutine(manager: Decorator, fn: Any) -> Any:
    @functools.wraps(fn)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with manager.clone():
            return await fn(*args, **kwargs)

    return call


def _wrap_generator(manager: Decorator, fn: Any) -> Any:
    """The generator's body runs inside the mode, its consumer outside."""
    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        inner = fn(*args, **kwargs)
        step: Callable[..., Any] = inner.send
        argument: Any = None
        while True:
            try:
                with manager.clone():
                    value = step(argument)
            except StopIteration as stop:
                return stop.value
            try:
                argument = yield value
                step = inner.send
            except GeneratorExit:
                with manager.clone():
                    inner.close()
                raise
            except BaseException:
                step, argument = inner.throw, sys.exc_info()[1]

    return call


class _Bare(Decorator):
    """`@no_grad` without parentheses decorates too."""

    def __new__(cls, orig_func: Any = None) -> Any:
        self = super().__new__(cls)
        if orig_func is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(orig_func)

    def __init__(self, orig_func: Any = None) -> None:
        self.before: list[Any] = []


class no_grad(_Bare):  # noqa: N801 - PyTorch's name
    """Nothing inside is recorded."""

    def __enter__(self) -> None:
        self.before.append(state.grad)
        state.grad = False

    def __exit__(self, *_: Any) -> None:
        state.grad = self.before.pop()


class enable_grad(_Bare):  # noqa: N801
    """Everything inside is recorded, also within no_grad."""

    def __enter__(self) -> None:
        self.before.append(state.grad)
        state.grad = True

    def __exit__(self, *_: Any) -> None:
        state.grad = self.before.pop()


class set_grad_enabled(Decorator):  # noqa: N801
    """Recording on or off: takes effect at once, and is undone when used as a context manager."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before = [state.grad]
        state.grad = mode

    def __call__(self, fn: F) -> F:
        state.grad = self.before[0]
        return super().__call__(fn)

    def __enter__(self) -> None:
        state.grad = self.mode

    def __exit__(self, *_: Any) -> None:
        state.grad = self.before[-1]

    def clone(self) -> set_grad_enabled:
        return self.__class__(self.mode)


class inference_mode(Decorator):  # noqa: N801
    """As no_grad; tensors made inside can never be recorded."""

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        self.__init__()  # type: ignore[misc]
        return self(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self.before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self.before.append((state.grad, state.inference))
        state.grad = not self.mode
        state.inference = self.mode

    def __exit__(self, *_: Any) -> None:
        state.grad, state.inference = self.before.pop()

    def clone(self) -> inference_mode:
        return self.__class__(self.mode)


class set_multithreading_enabled(Decorator):  # noqa: N801
    """Accepted for programs that set it; the backward walk is single-threaded."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: Any) -> None:
        return None

    def clone(self) -> set_multithreading_enabled:
        return self.__class__(self.mode)
