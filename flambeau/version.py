"""`torch.version`: what this is built for."""
from __future__ import annotations

from .core.version import VERSION as __version__  # noqa: N811

debug = False
cuda = None
hip = None
rocm = None
xpu = None
git_version = "unknown"

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "rocm", "xpu"]
