"""Parameters as one vector, and back."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..base import Tensor, torch

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Any]) -> Tensor:
    """All elements of all parameters, one after the other."""
    return torch.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Any]) -> None:
    """Give the parameters the elements of a vector as their data."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {torch.typename(vec)}")
    start = 0
    for p in parameters:
        size = p.numel()
        p.data = vec[start:start + size].view_as(p).data
        start += size
