"""einops: an unmodified program computes what PyTorch computed."""
from __future__ import annotations

from tests.programs.running import check


def test_einops() -> None:
    check("einops_", "einops")
