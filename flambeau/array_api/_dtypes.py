"""Data type functions of the standard.

In: arrays, dtypes, Python numbers. Out: dtypes, their limits, and arrays of another dtype.
"""
from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any

from ..core.dtype import dtype as DType  # noqa: N812
from ..core.dtype import promote_types
from ..tensor.tensor import Tensor
from ._promotion import BY_KIND, cast, common, need, torch


@dataclass(frozen=True, slots=True)
class FloatLimits:
    """The limits of a floating-point dtype, or of the parts of a complex one."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True, slots=True)
class IntegerLimits:
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: DType


def _kind(type: Any) -> DType:
    return type.dtype if isinstance(type, Tensor) else type


def astype(x: Tensor, dtype: DType, /, *, copy: builtins.bool = True,
           device: Any = None) -> Tensor:
    """The array in another dtype; with `copy=False`, itself if it has that dtype already.

    TypeError for a complex array and a real dtype: take `real` or `imag` first.
    """
    need(x, "astype")
    if x.dtype.kind == "c" and dtype.kind in "fui":
        raise TypeError(f"astype(): {x.dtype} cannot become {dtype}; take real() or imag() first")
    made = cast(x, dtype)
    if device is not None:
        made = made.to(device)
    return made.clone() if copy and made is x else made


def can_cast(from_: DType | Tensor, to: DType, /) -> builtins.bool:
    """Whether the standard's promotion leads from one dtype (or an array's) to the other.

    It does so among integers, and from floats to wider and to complex ones; not from bool, nor from
    integers to floats.
    """
    kind = _kind(from_)
    if (kind.kind in "fc") != (to.kind in "fc") or (kind.kind == "b") != (to.kind == "b"):
        return False
    try:
        return promote_types(kind, to) is to
    except RuntimeError:
        return False


def finfo(type: DType | Tensor, /) -> FloatLimits:
    """The limits of a floating-point dtype (or an array's)."""
    kind = _kind(type)
    limits = torch.finfo(kind)
    return FloatLimits(limits.bits, limits.eps, limits.max, limits.min, limits.smallest_normal,
                       kind.to_real())


def iinfo(type: DType | Tensor, /) -> IntegerLimits:
    """The limits of an integer dtype (or an array's)."""
    kind = _kind(type)
    limits = torch.iinfo(kind)
    return IntegerLimits(limits.bits, limits.max, limits.min, kind)


def isdtype(dtype: DType, kind: DType | str | tuple[DType | str, ...]) -> builtins.bool:
    """Whether a dtype is that dtype, of that kind (a word), or one of several."""
    if isinstance(kind, tuple):
        return builtins.any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, DType):
        return dtype is kind
    if not isinstance(kind, str):
        raise TypeError(f"isdtype(): 'kind' must be a dtype, a str or a tuple of them, not "
                        f"{type(kind).__name__}")
    if kind not in BY_KIND:
        raise ValueError(f"isdtype(): unknown kind {kind!r}; the kinds are {', '.join(BY_KIND)}")
    if dtype in BY_KIND[kind]:
        return True
    # The half-width floats are floats too, which the standard leaves to us.
    return kind in ("real floating", "numeric") and dtype.kind == "f"


def result_type(*arrays_and_dtypes: Tensor | DType | complex) -> DType:
    """The dtype that arrays, dtypes and Python numbers promote to."""
    return common(*arrays_and_dtypes)


__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]
