"""A call's arguments taken apart: tensors, and the form of the rest.

In: args and kwargs. Out: a hashable form and the tensors in order; objects that are neither plain
nor containers stand in it by identity, and are walked as part of the world.

    (x, {"scale": 2.0})   ->   form (tuple, tensor, (dict, "scale", (float, "2.0"))),  tensors [x]
"""
from __future__ import annotations

from typing import Any

from ..tensor.tensor import Tensor
from .objects import PLAIN

TENSOR = ("tensor",)


class Itself:
    """An object that is the same only if it is the very one."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


class Arguments:
    """The parts of one call's arguments."""

    __slots__ = ("form", "given", "objects", "tensors")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.tensors: list[Tensor] = []
        self.objects: list[Any] = []
        self.given: set[int] = set()
        form = tuple([self._take(a) for a in args])
        self.form: Any = form
        if kwargs:
            self.form = (form, *[(k, self._take(v)) for k, v in kwargs.items()])

    def _take(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, Tensor):
            self.tensors.append(value)
            return TENSOR
        if kind is int or kind is bool or kind is str or value is None:
            return kind, value
        if kind is list or kind is tuple or isinstance(value, tuple) and hasattr(value, "_fields"):
            if kind is list:
                self.given.add(id(value))
            return (kind, *[self._take(v) for v in value])
        if kind is dict:
            self.given.add(id(value))
            return (kind, *[(self._take(k), self._take(v)) for k, v in value.items()])
        if isinstance(value, PLAIN):
            return kind, repr(value)
        self.objects.append(value)
        return Itself(value)
