"""Questions about sizes that may be unknown in PyTorch; here every size is a number."""
from __future__ import annotations

from typing import Any


class GuardOnDataDependentSymNode(RuntimeError):
    """Never raised: sizes are numbers."""


def guard_or_false(a: Any) -> bool:
    return bool(a)


def guard_or_true(a: Any) -> bool:
    return bool(a)


def guard_size_oblivious(expr: Any) -> bool:
    return bool(expr)


def statically_known_true(x: Any) -> bool:
    return bool(x)


def free_symbols(val: Any) -> set[Any]:
    return set()


def free_unbacked_symbols(x: Any) -> set[Any]:
    return set()


def is_symbolic(val: Any) -> bool:
    return False


def hint_int(a: Any, fallback: int | None = None) -> int:
    return int(a)
