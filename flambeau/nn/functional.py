"""`torch.nn.functional`: the table's operations of that name, and those that draw random numbers.

In: tensors. Out: tensors.
"""
from __future__ import annotations

from ..tensor.dropout import (
    alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout,
)
from ..tensor.names import PUBLIC as _PUBLIC

globals().update(_PUBLIC.get("nn.functional", {}))

__all__ = [*_PUBLIC.get("nn.functional", {}), "alpha_dropout", "dropout", "dropout1d",
           "dropout2d", "dropout3d", "feature_alpha_dropout"]
