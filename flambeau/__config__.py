"""How this PyTorch was built: it was not; flambeau compiles while it runs."""
from __future__ import annotations

from .core.version import VERSION
from .runtime.threads import get_num_threads


def show() -> str:
    return f"flambeau {VERSION}: kernels compiled by LLVM for this machine\n"


def parallel_info() -> str:
    return f"at::get_num_threads() : {get_num_threads()}\n"


__all__ = ["parallel_info", "show"]
