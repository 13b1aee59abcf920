"""What the distributions share: broadcasting parameters, probabilities and logits, lazy attributes.

In: tensors and numbers. Out: tensors of one shape and dtype, or descriptors for classes.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import update_wrapper
from numbers import Number
from typing import Any

from ..nn.base import Tensor, torch

euler_constant = 0.57721566490153286060
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

__all__ = [
    "broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits",
    "tril_matrix_to_vec", "vec_to_tril_matrix",
]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or hasattr(type(value), "__torch_function__")


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors of one shape; numbers take the first tensor's dtype, or the default one."""
    if not all(_is_tensor(v) or isinstance(v, Number) for v in values):
        raise ValueError("Input arguments must all be instances of Number, torch.Tensor or "
                         "objects implementing __torch_function__.")
    tensors = [v for v in values if _is_tensor(v)]
    if len(tensors) == len(values):
        shape = values[0].shape
        if all(v.shape == shape for v in values):
            return values                       # no views where there is nothing to broadcast
        return tuple(torch.broadcast_tensors(*values))
    if tensors:
        options = {"dtype": tensors[0].dtype, "device": tensors[0].device}
    else:
        options = {"dtype": torch.get_default_dtype()}
    return tuple(torch.broadcast_tensors(
        *[v if _is_tensor(v) else torch.tensor(v, **options) for v in values]))


def parameters(*values: Any) -> tuple[list[Tensor], Any]:
    """Parameters broadcast, and their batch shape: () when all of them are numbers."""
    tensors = list(broadcast_all(*values))
    scalar = all(isinstance(v, Number) for v in values)
    return tensors, torch.Size() if scalar else tensors[0].size()


def one_of(probs: Any, logits: Any) -> bool:
    """Whether it is `probs` that was given; exactly one of the two must be."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return probs is not None


def standard_normal(shape: Any, dtype: Any, device: Any = None) -> Tensor:
    return torch.empty(shape, dtype=dtype, device=device).normal_()


_standard_normal = standard_normal


def sum_rightmost(value: Any, dim: int) -> Any:
    """The sum over the last `dim` dimensions; a number passes."""
    if dim == 0 or not isinstance(value, Tensor):
        return value
    return value.reshape(value.shape[:-dim] + (-1,)).sum(-1)


_sum_rightmost = sum_rightmost


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """sigmoid(logits) when binary, otherwise softmax over the last dimension."""
    return torch.sigmoid(logits) if is_binary else torch.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept eps away from 0 and 1, eps that of their dtype."""
    eps = torch.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """log(p / (1 - p)) when binary, otherwise log p, of clamped probabilities."""
    safe = clamp_probs(probs)
    return torch.log(safe) - torch.log1p(-safe) if is_binary else torch.log(safe)


class lazy_property:  # noqa: N801
    """An attribute computed by a method when first read, and kept on the instance."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return _lazy_property_and_property(self.wrapped)
        with torch.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _lazy_property_and_property(lazy_property, property):  # type: ignore[misc]  # noqa: N801
    """What the class itself shows: both a `lazy_property` and a `property`, for documentation."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        property.__init__(self, wrapped)


def is_lazy(cls: type, name: str) -> bool:
    """Whether `name` is a lazy attribute of the class."""
    return isinstance(getattr(cls, name, None), lazy_property)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The entries on and under diagonal `diag` of (..., n, n), row by row, as (..., count)."""
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = torch.tril_indices(n, n, offset=diag)
    return mat.reshape(mat.shape[:-2] + (n * n,))[..., rows * n + columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The matrix (..., n, n) whose entries on and under diagonal `diag` are `vec`, row by row."""
    count = vec.shape[-1]
    n = (-(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)
                                     )) / 2
    if not round(n) - n == 0:
        raise ValueError(f"The size of last dimension is {count} which cannot be expressed as the "
                         "lower triangular part of a square D x D matrix.")
    n = int(n)
    rows, columns = torch.tril_indices(n, n, offset=diag)
    flat = torch.zeros(vec.shape[:-1] + (n * n,), dtype=vec.dtype, device=vec.device)
    flat[..., rows * n + columns] = vec
    return flat.reshape(vec.shape[:-1] + (n, n))
