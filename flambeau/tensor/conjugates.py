"""Conjugates and what belongs to them: `conj`, `H`, `mH`, and complex numbers viewed as reals.

In: tensors. Out: methods of Tensor and functions of the namespace, put there when `api` imports
this file (after the table's). PyTorch marks the result of `conj()` and conjugates when it is read;
here the value is conjugated (in the program that reads it) and the mark only answers `is_conj()`
and makes `numpy()` refuse. So a write to the result does not reach the original.
"""
from __future__ import annotations

from typing import Any

from ..core.dtype import dtype as DType  # noqa: N812 - `dtype` is a parameter below
from ..core.errors import scalar_name
from . import names
from .storage import Storage
from .tensor import Tensor, method


class Conjugated(Storage):
    """The storage of a result of `conj()`."""

    __slots__ = ()


_torch = names.PUBLIC["torch"]
_conjugate, _copied = _torch["conj"], _torch["resolve_conj"]
_physical = _torch["conj_physical"]
_view = Tensor.view  # type: ignore[attr-defined]


@method
def conj(self: Tensor) -> Tensor:
    """The complex conjugate, as a view."""
    if not self.dtype.is_complex:
        return self
    out: Tensor = _conjugate(self)
    if not is_conj(self):
        out._storage.__class__ = Conjugated
    return out


@method
def is_conj(self: Tensor) -> bool:
    """Whether the tensor is a conjugated view."""
    return type(self._storage) is Conjugated and self.dtype.is_complex


@method
def conj_physical(self: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself."""
    out: Tensor = _physical(self) if self.dtype.is_complex else self
    return out


@method
def resolve_conj(self: Tensor) -> Tensor:
    """Itself, or a copy without the mark."""
    out: Tensor = _copied(self) if is_conj(self) else self
    return out


@method
def resolve_neg(self: Tensor) -> Tensor:
    """The tensor itself: negation is never pending."""
    return self


def _adjoint(t: Tensor) -> Tensor:
    out: Tensor = t.transpose(-2, -1)
    return out.conj() if t.dtype.is_complex else out


def _checked(t: Tensor, name: str) -> Tensor:
    if t.ndim < 2:
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. "
                           f"Got {t.ndim}-D tensor.")
    return _adjoint(t)


@method
def adjoint(self: Tensor) -> Tensor:
    """The conjugate transpose of the last two dims."""
    return _checked(self, "adjoint()") if self.ndim else self.conj()


def _hermitian(t: Tensor) -> Tensor:
    if t.ndim not in (0, 2):
        raise RuntimeError("tensor.H is only supported on matrices (2-D tensors). Got "
                           f"{t.ndim}-D tensor." + (" For batches of matrices, consider using "
                                                    "tensor.mH" if t.ndim > 2 else ""))
    return _adjoint(t) if t.ndim else t.conj()


@method
def view(self: Tensor, *sizes: Any, size: Any = None, dtype: DType | None = None) -> Tensor:
    """The same elements in another shape or, read as bytes, in another type."""
    size = sizes if size is None else (size,)
    kind = size[0] if len(size) == 1 and isinstance(size[0], DType) else dtype
    if kind is None or kind.itemsize == self.dtype.itemsize:
        return _view(self, *size) if dtype is None else _view(self, dtype)
    lead, n = self.shape[:-1], self.shape[-1] if self.ndim else 1
    if self.dtype.is_complex and kind is self.dtype.to_real() and self.ndim:
        return _view(_torch["view_as_real"](self), *lead, 2 * n)
    if kind.is_complex and self.dtype is kind.to_real() and self.ndim:
        if n % 2:
            raise RuntimeError(
                f"self.size(-1) must be divisible by 2 to view {scalar_name(self.dtype)} as "
                f"{scalar_name(kind)} (different element sizes), but got {n}")
        pairs = _view(self, *lead, n // 2, 2)
        return _torch["view_as_complex"](pairs)
    return _view(self, kind)


def _function(fn: Any) -> Any:
    def call(input: Tensor) -> Tensor:
        return fn(input)

    call.__name__ = call.__qualname__ = fn.__name__
    call.__doc__ = fn.__doc__
    return call


Tensor.mH = property(  # type: ignore[attr-defined]
    lambda t: _checked(t, "mH"), doc="The conjugate transpose of the last two dims.")
Tensor.H = property(  # type: ignore[attr-defined]
    _hermitian, doc="The conjugate transpose of a matrix.")
for _fn in (conj, is_conj, resolve_conj, resolve_neg, adjoint):
    _torch[_fn.__name__] = _function(_fn)


_abs = Tensor.abs_  # type: ignore[attr-defined]


@method
def abs_(self: Tensor) -> Tensor:
    """The absolute value in place; a complex tensor is refused."""
    if self.dtype.is_complex:
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    return _abs(self)


Tensor.absolute_ = abs_  # type: ignore[attr-defined]
