"""Looking at flambeau from outside: imports anything, is imported by nothing of the engine."""
from __future__ import annotations

from .explain import Explanation, explain, show
from .summary import compiled

__all__ = ["Explanation", "compiled", "explain", "show"]
