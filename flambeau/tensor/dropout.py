"""Dropout: the mask is drawn here, at the call; `ops/dropout` does the arithmetic.

In: tensors. Out: tensors. The mask spends the random stream as PyTorch's does.
"""
from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.follow import drawn
from ..ops.attention import DRAW
from ..ops.dropout import alpha_dropout_of, dropout_of
from .dispatch import Call, finish
from .generator import default_generator
from .inplace import put
from .labels import of_name
from .pinning import array_node
from .random import blank
from .tensor import Tensor


def _mask(shape: tuple[int, ...], kind: Any, keep: float) -> Any:
    """What is kept, drawn in the type PyTorch draws in."""
    engine = default_generator.engine
    return array_node(drawn(lambda: np.asarray(engine.bernoulli(blank(shape, kind), keep) != 0)),
                      dt.bool_)


DRAW.append(_mask)


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _features(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:2] + (1,) * (len(shape) - 2)


def _apply(input: Tensor, p: float, training: bool, inplace: bool, feature: bool,
           form: Any) -> Tensor:
    _check(p)
    if not isinstance(input, Tensor):
        raise TypeError("dropout(): argument 'input' (position 1) must be Tensor, not "
                        f"{type(input).__name__}")
    if not training or p == 0 or not input.numel():
        return input
    c = Call()
    node = c.take(input)
    kept = _mask(_features(input._shape) if feature else input._shape, input.dtype, 1 - p)
    out = form(node, kept, p)
    if not inplace:
        return finish(out, c, of_name("dropout"))
    from ..autograd.grad_mode import state
    from .functionalize import check_inplace
    tracked = c.track and state.grad
    check_inplace(input, tracked)
    put(input, out, c, of_name("dropout"), tracked)
    return input


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeros with probability p; the rest grows by 1 / (1 - p)."""
    return _apply(input, p, training, inplace, False, dropout_of)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False,
                  ) -> Tensor:
    """Dropout that keeps mean and variance of self-normalised inputs."""
    return _apply(input, p, training, inplace, False, alpha_dropout_of)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False,
                          inplace: bool = False) -> Tensor:
    """alpha_dropout of whole channels."""
    return _apply(input, p, training, inplace, True, alpha_dropout_of)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout of whole channels."""
    return _apply(input, p, train, False, True, dropout_of)


def _rank_warning(name: str, rank: int, good: tuple[int, ...]) -> None:
    if rank not in good:
        warnings.warn(f"{name}: Received a {rank}-D input to {name}, which is deprecated and will "
                      "result in an error in a future release. To retain the behavior and silence "
                      "this warning, please use dropout instead. Note that "
                      f"{name} exists to provide channel-wise dropout on inputs with "
                      f"{good[-1] - 2} spatial dimensions.", stacklevel=3)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False,
              ) -> Tensor:
    """Whole channels of (C, L) or (N, C, L)."""
    _check(p)
    rank = len(input._shape)
    if rank not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {rank}D input. "
                           "Note "
                           "that dropout1d exists to provide channel-wise dropout on inputs with 1 "
                           "spatial dimension, a channel dimension, and an optional batch "
                           "dimension (i.e. 2D or 3D inputs).")
    if rank == 3:
        return _apply(input, p, training, inplace, True, dropout_of)
    return _apply(input.unsqueeze(0), p, training, inplace, True, dropout_of).squeeze(0)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False,
              ) -> Tensor:
    """Whole channels of (N, C, H, W)."""
    _check(p)
    _rank_warning("dropout2d", len(input._shape), (3, 4))
    return _apply(input, p, training, inplace, True, dropout_of)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False,
              ) -> Tensor:
    """Whole channels of (N, C, D, H, W)."""
    _check(p)
    rank = len(input._shape)
    _rank_warning("dropout3d", rank, (4, 5))
    if rank != 4:
        return _apply(input, p, training, inplace, True, dropout_of)
    return _apply(input.unsqueeze(0), p, training, inplace, True, dropout_of).squeeze(0)
