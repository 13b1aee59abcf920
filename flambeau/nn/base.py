"""The torch.* names that layers and optimizers are written with.

In: `flambeau.api`. Out: `torch`, the namespace of PyTorch's functions (names are looked up when a
layer runs), and `Tensor`.
"""
from __future__ import annotations

from .. import api as torch
from ..tensor.tensor import Tensor

__all__ = ["Tensor", "torch"]
