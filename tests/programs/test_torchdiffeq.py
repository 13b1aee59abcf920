"""torchdiffeq: an unmodified program computes what PyTorch computed."""
from __future__ import annotations

from tests.programs.running import check


def test_torchdiffeq() -> None:
    check("torchdiffeq_", "torchdiffeq")
