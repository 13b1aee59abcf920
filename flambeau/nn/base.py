"""The torch.* names that layers and optimizers are written with.

In: `flambeau.api`. Out: `torch`, the namespace of PyTorch's functions (names are looked up when a
layer runs), and `Tensor`.
"""
from __future__ import annotations

from typing import Any

from .. import api
from ..tensor.tensor import Tensor

# Most names are attached from the op table, so no type checker knows them.
torch: Any = api

__all__ = ["Tensor", "torch"]
