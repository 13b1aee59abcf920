"""`torch.backends.cudnn`: not there; its settings can be set and change nothing."""
from __future__ import annotations

import sys
from typing import Any

from ._flags import make_flags

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True
fp32_precision = "none"


def is_available() -> bool:
    return False


def version() -> None:
    return None


def is_acceptable(tensor: Any) -> bool:
    return False


flags = make_flags(sys.modules[__name__], ("enabled", "benchmark", "benchmark_limit",
                                           "deterministic", "allow_tf32"))
