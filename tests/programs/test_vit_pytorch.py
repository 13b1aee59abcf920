"""vit_pytorch: an unmodified program computes what PyTorch computed."""
from __future__ import annotations

from tests.programs.running import check


def test_vit_pytorch() -> None:
    check("vit_pytorch_", "vit_pytorch", "torchvision")
