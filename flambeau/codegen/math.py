"""The functions of analysis on vectors, and float division with remainder.

In: floating values (float or double, any lanes). Out: the same. Called by `operations`.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .emit import Val, constant

if TYPE_CHECKING:
    from .memory import Memory


def neg(em: Memory, a: Val) -> Val:
    return em.emit(f"fneg {a.type} {a.name}", a.type, 1, a.level) if a.lanes <= 1 else \
        em.emit(f"fneg <{a.lanes} x {a.type}> {a.name}", a.type, a.lanes, a.level)


def floordiv(em: Memory, a: Val, b: Val) -> Val:
    raise NotImplementedError


truncdiv = mod = rem = pow = floordiv
FUNCTIONS: dict[str, Callable[..., Val]] = {}
