"""Averages of models over processes."""
from __future__ import annotations

from . import averagers

__all__ = ["averagers"]
