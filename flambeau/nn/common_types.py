"""Types of sizes given as one number or as many, as layers annotate them."""
from __future__ import annotations

from typing import TypeAlias, TypeVar

from .base import Tensor

T = TypeVar("T")
_scalar_or_tuple_any_t: TypeAlias = T | tuple[T, ...]  # noqa: UP040 - Python 3.11 has no `type`
_scalar_or_tuple_1_t: TypeAlias = T | tuple[T]  # noqa: UP040
_scalar_or_tuple_2_t: TypeAlias = T | tuple[T, T]  # noqa: UP040
_scalar_or_tuple_3_t: TypeAlias = T | tuple[T, T, T]  # noqa: UP040

_size_any_t = _scalar_or_tuple_any_t[int]
_size_1_t = _scalar_or_tuple_1_t[int]
_size_2_t = _scalar_or_tuple_2_t[int]
_size_3_t = _scalar_or_tuple_3_t[int]
_ratio_any_t = _scalar_or_tuple_any_t[float]
_ratio_2_t = _scalar_or_tuple_2_t[float]
_ratio_3_t = _scalar_or_tuple_3_t[float]
_tensor_list_t = _scalar_or_tuple_any_t[Tensor]
_maybe_indices_t = _scalar_or_tuple_2_t[Tensor]

_size_any_opt_t = _scalar_or_tuple_any_t[int | None]
_size_2_opt_t = _scalar_or_tuple_2_t[int | None]
_size_3_opt_t = _scalar_or_tuple_3_t[int | None]
