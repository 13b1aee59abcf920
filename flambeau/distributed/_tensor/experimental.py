"""torch.distributed._tensor.experimental: named, and refused when used."""
from __future__ import annotations

from .. import _absent

_REFUSED = _absent.refused("implicit_replication", "context_parallel", "local_map")
implicit_replication, context_parallel, local_map = (
    _REFUSED[name] for name in ("implicit_replication", "context_parallel", "local_map"))

__all__ = ["context_parallel", "implicit_replication", "local_map"]
