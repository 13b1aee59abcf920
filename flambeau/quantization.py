"""torch.quantization: the old name of torch.ao.quantization."""
from __future__ import annotations

from .ao import quantization as _new

globals().update({n: v for n, v in vars(_new).items() if not n.startswith("_")})
