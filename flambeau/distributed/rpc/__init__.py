"""torch.distributed.rpc: not available; asking is answered, calls are refused."""
from __future__ import annotations

from .._absent import refused


def is_available() -> bool:
    return False


_NAMES = ("init_rpc", "remote", "rpc_async", "rpc_sync", "shutdown")
_REFUSED = refused(*_NAMES)
init_rpc, remote, rpc_async, rpc_sync, shutdown = (_REFUSED[name] for name in _NAMES)

__all__ = ["init_rpc", "is_available", "remote", "rpc_async", "rpc_sync", "shutdown"]
