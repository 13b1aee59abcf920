"""torch.return_types: the classes of results with named fields."""
from __future__ import annotations

from .ops.results import RESULTS

globals().update(RESULTS)
__all__ = sorted(RESULTS)
