"""`torch.backends.mkldnn`: not used."""
from __future__ import annotations

import sys

from ._flags import make_flags

enabled = True
deterministic = False
allow_tf32 = False
fp32_precision = "none"
VERBOSE_OFF = 0
VERBOSE_ON = 1
VERBOSE_ON_CREATION = 2


def is_available() -> bool:
    return False


class verbose:  # noqa: N801 - PyTorch's name
    """Accepted; there is no such library to be verbose."""

    def __init__(self, level: int) -> None:
        self.level = level

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *_: object) -> None:
        pass


flags = make_flags(sys.modules[__name__], ("enabled", "deterministic", "allow_tf32"))
