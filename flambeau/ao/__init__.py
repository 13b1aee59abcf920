"""torch.ao: quantisation is not here; libraries import its names."""
from __future__ import annotations

from . import quantization

__all__ = ["quantization"]
