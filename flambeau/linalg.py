"""`torch.linalg`: the operations that the table lists under that name."""
from __future__ import annotations

from .core.errors import LinAlgError as LinAlgError
from .tensor.names import PUBLIC as _PUBLIC

globals().update(_PUBLIC.get("linalg", {}))
