"""The standard's `linalg` extension: matrices are the last two axes, all others are stacks.

In: arrays. Out: arrays, or named tuples of them. LinAlgError for a matrix that has no answer.
"""
from __future__ import annotations

from typing import Any, NamedTuple

from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.tensor import Tensor
from ._promotion import axes as _axes
from ._promotion import need, pair, torch
from ._reductions import sum as _sum

Axes = int | tuple[int, ...] | None


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """Orthonormal columns, and an upper triangle."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """Left vectors as columns, singular values in descending order, right vectors as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The triangle L with L @ L.mH == x (upper: U.mH @ U == x)."""
    return torch.linalg.cholesky(need(x, "cholesky"), upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The cross product of vectors of three elements along an axis."""
    a, b = pair(x1, x2)
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ValueError(f"cross(): axis {axis} must have 3 elements, not {a.shape[axis]} and "
                         f"{b.shape[axis]}")
    a, b = torch.broadcast_tensors(a, b)
    return torch.linalg.cross(a, b, dim=axis)


def det(x: Tensor, /) -> Tensor:
    """The determinant."""
    return torch.linalg.det(need(x, "det"))


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """A diagonal of each matrix, above the main one for offset > 0."""
    return torch.diagonal(need(x, "diagonal"), offset, -2, -1)


def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues and eigenvectors of a symmetric or Hermitian matrix."""
    return EighResult(*torch.linalg.eigh(need(x, "eigh")))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of a symmetric or Hermitian matrix."""
    return torch.linalg.eigvalsh(need(x, "eigvalsh"))


def inv(x: Tensor, /) -> Tensor:
    """The inverse."""
    return torch.linalg.inv(need(x, "inv"))


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The matrix product; a 1-d operand is a row on the left, a column on the right."""
    a, b = pair(need(x1, "matmul"), need(x2, "matmul"))
    if not a.ndim or not b.ndim:
        raise ValueError("matmul(): a 0-d array is no matrix")
    return torch.matmul(a, b)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """The norm of each matrix: "fro", "nuc", 1, 2, inf and their negatives."""
    return torch.linalg.matrix_norm(need(x, "matrix_norm"), "fro" if ord is None else ord,
                                    (-2, -1), keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """The n-th power of square matrices; that of the inverse for n < 0."""
    return torch.linalg.matrix_power(need(x, "matrix_power"), n)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values are larger than rtol times the largest (max(M, N) * eps)."""
    return torch.linalg.matrix_rank(need(x, "matrix_rank"), rtol=rtol)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """Rows and columns exchanged."""
    if need(x, "matrix_transpose").ndim < 2:
        raise ValueError(f"matrix_transpose(): an array of {x.ndim} axes is no matrix")
    return x.mT


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of elements of two vectors."""
    a, b = pair(need(x1, "outer"), need(x2, "outer"))
    return torch.outer(a, b)


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse; singular values up to rtol times the largest count as zero."""
    return torch.linalg.pinv(need(x, "pinv"), rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> QRResult:
    """x == Q @ R; "complete" makes Q square."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr(): mode must be 'reduced' or 'complete', not {mode!r}")
    return QRResult(*torch.linalg.qr(need(x, "qr"), mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """The determinant as sign * exp(logabsdet)."""
    return SlogdetResult(*torch.linalg.slogdet(need(x, "slogdet")))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """y with x1 @ y == x2: a 1-d x2 is a vector, any other a stack of matrices."""
    a, b = pair(need(x1, "solve"), need(x2, "solve"))
    if b.ndim == 1:
        return torch.linalg.solve(a, b[:, None])[..., 0]
    # `torch.linalg.solve` takes a stack one axis short of the matrices for vectors.
    b = b.reshape((1,) * (a.ndim - b.ndim) + tuple(b.shape))
    return torch.linalg.solve(a, b)


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """x == U @ diag(S) @ Vh."""
    return SVDResult(*torch.linalg.svd(need(x, "svd"), full_matrices=full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values in descending order."""
    return torch.linalg.svdvals(need(x, "svdvals"))


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """Products summed over the last `axes` axes of x1 and the first of x2, or over listed ones."""
    a, b = pair(need(x1, "tensordot"), need(x2, "tensordot"))
    return torch.tensordot(a, b, axes if isinstance(axes, int) else tuple(map(list, axes)))


def trace(x: Tensor, /, *, offset: int = 0, dtype: DType | None = None) -> Tensor:
    """The sum of a diagonal of each matrix; of integers, in 64 bits unless told."""
    return _sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The sum of conj(x1) * x2 along an axis."""
    a, b = pair(need(x1, "vecdot"), need(x2, "vecdot"))
    if a.shape[axis] != b.shape[axis]:
        raise ValueError(f"vecdot(): axis {axis} has {a.shape[axis]} elements in one array and "
                         f"{b.shape[axis]} in the other")
    a, b = torch.broadcast_tensors(a, b)
    return torch.linalg.vecdot(a, b, dim=axis)


def vector_norm(x: Tensor, /, *, axis: Axes = None, keepdims: bool = False,
                ord: float = 2) -> Tensor:
    """The norm of vectors along axes: any order, inf, -inf, and 0 for the count of nonzeros."""
    at = _axes(axis, need(x, "vector_norm").ndim)
    if not at:
        return torch.linalg.vector_norm(x[..., None], ord, -1)
    return torch.linalg.vector_norm(x, ord, at, keepdims)


__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]
