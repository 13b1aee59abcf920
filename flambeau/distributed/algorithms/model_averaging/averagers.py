"""Averages of models over processes: refused."""
from __future__ import annotations

from typing import Any

from ..._absent import refused_classes

_CLASSES = refused_classes(__name__, ("ModelAverager", "PeriodicModelAverager"))
ModelAverager: Any = _CLASSES["ModelAverager"]
PeriodicModelAverager: Any = _CLASSES["PeriodicModelAverager"]

__all__ = ["ModelAverager", "PeriodicModelAverager"]
