"""`torch.functional`: functions PyTorch also offers under this older name."""
from __future__ import annotations

from .tensor.names import PUBLIC as _PUBLIC

_NAMES = ("atleast_1d", "atleast_2d", "atleast_3d", "align_tensors", "block_diag",
          "broadcast_shapes", "broadcast_tensors", "cartesian_prod", "cdist", "chain_matmul",
          "einsum", "lu", "meshgrid", "norm", "split", "stft", "tensordot", "unique",
          "unique_consecutive", "unravel_index")
globals().update({n: _PUBLIC["torch"][n] for n in _NAMES if n in _PUBLIC["torch"]})
globals().update(_PUBLIC.get("functional", {}))
