"""x_transformers: an unmodified program computes what PyTorch computed."""
from __future__ import annotations

from tests.programs.running import check


def test_x_transformers() -> None:
    check("x_transformers_", "x_transformers")
