"""torchinfo: an unmodified program computes what PyTorch computed."""
from __future__ import annotations

from tests.programs.running import check


def test_torchinfo() -> None:
    check("torchinfo_", "torchinfo")
