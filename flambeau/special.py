"""`torch.special`: the operations that the table lists under that name."""
from __future__ import annotations

from .tensor.names import PUBLIC as _PUBLIC

globals().update(_PUBLIC.get("special", {}))
