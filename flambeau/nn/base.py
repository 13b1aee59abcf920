"""The torch.* names that layers and optimizers are written with.

In: the tensor package. Out: `torch` (the namespace of PyTorch's functions, looked up when a layer
runs) and `Tensor`.
"""
from __future__ import annotations

import flambeau as torch
from flambeau.tensor.tensor import Tensor

__all__ = ["Tensor", "torch"]
