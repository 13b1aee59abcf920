"""`torch.backends.cpu`."""
from __future__ import annotations

from ..runtime.machine import features


def get_cpu_capability() -> str:
    """The widest vectors in use: "AVX512", "AVX2" or "DEFAULT"."""
    found = features()
    if "avx512f" in found:
        return "AVX512"
    return "AVX2" if "avx2" in found else "DEFAULT"
