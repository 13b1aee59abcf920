"""skorch: an unmodified program computes what PyTorch computed."""
from __future__ import annotations

from tests.programs.running import check


def test_skorch() -> None:
    check("skorch_", "skorch")
