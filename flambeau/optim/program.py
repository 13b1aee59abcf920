"""One program a step: counts that cost no computation, and one realisation of all new values.

In: the parameters and state an optimizer has written lazily. Out: their values, computed together.
"""
from __future__ import annotations

from typing import Any


def number(t: Any) -> float:
    """The value of a tensor of one element that `assign` wrote, or any other."""
    return float(t)


def assign(t: Any, value: float) -> None:
    """Write a number into a tensor without dims."""
    t.fill_(value)


def advance(step: Any) -> float:
    """Add one to a step tensor, in place; returns the count."""
    count = number(step) + 1
    assign(step, count)
    return count


def run(param_groups: list[dict[str, Any]], state: Any) -> None:
    """Compute the new values of all parameters and their state."""
