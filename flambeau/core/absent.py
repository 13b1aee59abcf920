"""Namespaces of devices that are not here: what they answer, and what they refuse.

In: lists of names. Out: functions and classes for `torch.cuda`, `torch.xpu`, `torch.mps`: counts
are 0, caches are empty, and what needs the device raises what PyTorch built without it raises.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Function = Callable[..., Any]


def refuse(name: str, error: Exception) -> Function:
    """A function that always raises."""
    def call(*args: Any, **kwargs: Any) -> Any:
        raise type(error)(*error.args)

    call.__name__ = call.__qualname__ = name
    return call


def answer(name: str, make: Callable[[], Any]) -> Function:
    """A function that gives the same answer whatever it is asked."""
    def call(*args: Any, **kwargs: Any) -> Any:
        return make()

    call.__name__ = call.__qualname__ = name
    return call


def refuse_all(names: Iterable[str], error: Exception) -> dict[str, Function]:
    """Functions of these names that raise the error."""
    return {name: refuse(name, error) for name in names}


def answer_all(names: Iterable[str], make: Callable[[], Any]) -> dict[str, Function]:
    """Functions of these names that return what `make` makes."""
    return {name: answer(name, make) for name in names}


def refusing_class(name: str, module: str, error: Exception) -> type:
    """A class, for isinstance and annotations, that cannot be instantiated."""
    return type(name, (), {"__new__": refuse("__new__", error), "__module__": module,
                           "__doc__": f"There to be named; making one is refused: {error}"})


class Inert:
    """A context manager that takes anything and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __call__(self, fn: Any) -> Any:
        return fn


def inert_class(name: str, module: str) -> type:
    """A class that can be named and made, and does nothing."""
    return type(name, (Inert,), {"__module__": module})
