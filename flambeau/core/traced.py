"""Numbers of a recorded call that are another one at the next: learning rates, counts of steps.

In: a number and where it came from. Out: `Traced`, a float that remembers how it was worked out,
so that `replay` works it out again. Comparisons are told to the recorder, which checks that they
still go the same way.

    lr / (1 - beta ** count)   ->   ("/", ("source", 0), ("-", 1.0, ("**", 0.9, ("source", 1))))
"""
from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from .follow import watch

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "**": operator.pow, "//": operator.floordiv, "%": operator.mod, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow", "//": "floordiv",
               "%": "mod"}
_COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_NUMBERS = (int, float)


class Traced(float):
    """A float and its formula: a tuple ("source", n) or (operation, formula, formula)."""

    __slots__ = ("formula",)
    formula: tuple[Any, ...]

    def __new__(cls, value: float, formula: tuple[Any, ...]) -> Traced:
        made = super().__new__(cls, value)
        made.formula = formula
        return made

    __hash__ = float.__hash__

    def __float__(self) -> float:
        value = plain(self)
        if watch.recorder is not None:
            watch.recorder.compared("==", self.formula, value, True)
        return value

    def __bool__(self) -> bool:
        return bool(self != 0.0)

    def __neg__(self) -> Any:
        return self * -1.0

    def __reduce__(self) -> Any:
        return float, (plain(self),)


def plain(value: Any) -> Any:
    """The number itself, without a formula."""
    return float.__mul__(value, 1.0) if type(value) is Traced else value


def formula(value: Any) -> Any:
    """How a number is worked out: its formula, or itself."""
    return value.formula if type(value) is Traced else value


def evaluate(how: Any, sources: Sequence[float]) -> Any:
    """The number that a formula gives now."""
    if type(how) is not tuple:
        return how
    if how[0] == "source":
        return sources[how[1]]
    return OPERATIONS[how[0]](evaluate(how[1], sources), evaluate(how[2], sources))


def _arithmetic(symbol: str, name: str) -> None:
    apply = OPERATIONS[symbol]

    def forward(self: Traced, other: Any) -> Any:
        if not isinstance(other, _NUMBERS):
            return NotImplemented
        return Traced(apply(plain(self), plain(other)), (symbol, self.formula, formula(other)))

    def backward(self: Traced, other: Any) -> Any:
        if not isinstance(other, _NUMBERS):
            return NotImplemented
        return Traced(apply(plain(other), plain(self)), (symbol, formula(other), self.formula))

    setattr(Traced, f"__{name}__", forward)
    setattr(Traced, f"__r{name}__", backward)


def _comparison(symbol: str, name: str) -> None:
    apply = OPERATIONS[symbol]

    def compare(self: Traced, other: Any) -> Any:
        if not isinstance(other, _NUMBERS):
            return NotImplemented
        outcome = apply(plain(self), plain(other))
        if watch.recorder is not None:
            watch.recorder.compared(symbol, self.formula, formula(other), outcome)
        return outcome

    setattr(Traced, f"__{name}__", compare)


def _escape(name: str) -> None:
    """What gives the number away: a recording then holds for this very number."""
    own = getattr(float, name)

    def method(self: Traced, *args: Any) -> Any:
        return own(float(self), *args)

    setattr(Traced, name, method)


for _name in ("__int__", "__trunc__", "__round__", "__floor__", "__ceil__", "__abs__", "__divmod__",
              "__rdivmod__", "__format__", "__repr__", "__str__", "is_integer", "as_integer_ratio",
              "hex"):
    _escape(_name)
for _symbol, _name in _ARITHMETIC.items():
    _arithmetic(_symbol, _name)
for _symbol, _name in _COMPARISONS.items():
    _comparison(_symbol, _name)
