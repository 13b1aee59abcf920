"""How linear_cross_entropy may be cut into pieces of the batch."""
from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LinearCrossEntropyOptions"]


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """Hints of PyTorch's chunked implementation.

    flambeau's compiler decides by itself what to keep; the fields are checked and change no value.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str | None = "auto"
