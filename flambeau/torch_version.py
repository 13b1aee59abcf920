"""torch.__version__'s type: a string that compares as versions do."""
from __future__ import annotations

import re
from typing import Any


def _key(version: Any) -> tuple[int, ...]:
    parts = version if isinstance(version, (tuple, list)) else re.split(r"[.+]", str(version))
    found = [re.match(r"\d+", str(p)) for p in parts]
    return tuple(int(f.group()) for f in found if f)[:3]


class TorchVersion(str):
    """`TorchVersion("2.13.0") > (1, 8)` and `> "1.9"`."""

    def __lt__(self, other: Any) -> bool:
        return _padded(self, other, lambda a, b: a < b)

    def __le__(self, other: Any) -> bool:
        return _padded(self, other, lambda a, b: a <= b)

    def __gt__(self, other: Any) -> bool:
        return _padded(self, other, lambda a, b: a > b)

    def __ge__(self, other: Any) -> bool:
        return _padded(self, other, lambda a, b: a >= b)

    def __eq__(self, other: object) -> bool:
        return _padded(self, other, lambda a, b: a == b)

    def __hash__(self) -> int:
        return str.__hash__(self)


def _padded(a: Any, b: Any, compare: Any) -> bool:
    left, right = _key(a), _key(b)
    n = max(len(left), len(right))
    return compare(left + (0,) * (n - len(left)), right + (0,) * (n - len(right)))


__all__ = ["TorchVersion"]
