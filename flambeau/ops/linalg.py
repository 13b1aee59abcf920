"""torch.linalg and the older names in torch: checks, and results out of `decompositions`.

In: matrix nodes (..., m, n). Out: nodes and named tuples of them.

    inv(%0 : (3, 3))  ->  linalg_inv(%0)
"""
from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from ..graph.primitive import broadcast
from . import algebra as alg
from . import decompositions as dec
from . import promotion as pro
from .contraction import matmul
from .decompositions import adjoint
from .rearranging import empty_of
from .table import public

slogdet_result = namedtuple("slogdet", ["sign", "logabsdet"])
eigh_result = namedtuple("eigh", ["eigenvalues", "eigenvectors"])
eig_result = namedtuple("eig", ["eigenvalues", "eigenvectors"])
svd_result = namedtuple("svd", ["U", "S", "Vh"])
old_svd_result = namedtuple("svd", ["U", "S", "V"])
qr_result = namedtuple("qr", ["Q", "R"])
inv_ex_result = namedtuple("inv_ex", ["inverse", "info"])
solve_ex_result = namedtuple("solve_ex", ["result", "info"])
cholesky_ex_result = namedtuple("cholesky_ex", ["L", "info"])
lstsq_result = namedtuple("lstsq", ["solution", "residuals", "rank", "singular_values"])
triangular_result = namedtuple("triangular_solve", ["solution", "cloned_coefficient"])


# ---------------------------------------------------------------- checks


def check_matrix(name: str, a: Node, square: bool = True) -> None:
    """Refuse what is no (square) matrix, or batch of them, of floating or complex numbers."""
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if square and a.shape[-1] != a.shape[-2]:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are "
                           f"{a.shape[-2]} by {a.shape[-1]} matrices")
    if a.dtype.kind not in "fc":
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got "
                           f"{pro.type_name(a.dtype)}")
    if a.dtype.itemsize == 2:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got "
                           f"{pro.type_name(a.dtype)}")


def _same_kind(name: str, a: Node, b: Node) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(f"{name}: Expected A and B to have the same dtype, but found A of type "
                           f"{pro.type_name(a.dtype)} and B of type {pro.type_name(b.dtype)} "
                           "instead")


def singular(a: Node) -> Node:
    """LAPACK's status of an LU factorisation: 0, or which pivot is zero."""
    return dec.call("singular", (a,), 0, a.shape[:-2], dt.int32)


def _failed(info: Node, dims: int = 2) -> Node:
    """Whether a factorisation failed, for all elements of a matrix (or, 1 dim, of a vector)."""
    flag = alg.ne(info, 0)
    return alg.reshape(flag, (*flag.shape, *(1,) * dims))


def _or_identity(a: Node, info: Node) -> Node:
    """The matrices that a factorisation goes well with, the identity in place of the others."""
    eye = alg.expand(dec.identity(a, a.shape[-1]), a.shape)
    return alg.where(_failed(info), eye, a)


def _or_nan(out: Node, info: Node, dims: int = 2) -> Node:
    """The results, NaN where the status says that there is none."""
    return alg.where(_failed(info, dims), float("nan"), out)


def _fit(name: str, b: Node, a: Node) -> None:
    """Refuse right-hand sides that are no matrices with as many rows as `a`."""
    if b.ndim < 2:
        raise RuntimeError(f"torch.{name}: Expected b to have at least 2 dimensions, but it has "
                           f"{b.ndim} dimensions instead")
    if b.shape[-2] != a.shape[-1]:
        raise RuntimeError(f"Incompatible matrix sizes for {name}: each A matrix is {a.shape[-1]} "
                           f"by {a.shape[-1]} but each b matrix is {b.shape[-2]} by "
                           f"{b.shape[-1]}")


# ---------------------------------------------------------------- inverse and determinant


@public("linalg.inv", "inverse", now=True)
def inv(A: Node) -> Node:  # noqa: N803 - PyTorch's name
    """The inverse of a square matrix; LinAlgError if it has none."""
    check_matrix("linalg.inv", A)
    return dec.INV(A)


@public("linalg.inv_ex")
def inv_ex(A: Node, *, check_errors: bool = False) -> inv_ex_result:  # noqa: N803
    """The inverse, and LAPACK's status."""
    check_matrix("linalg.inv", A)
    info = singular(A)
    if check_errors:
        return inv_ex_result(dec.INV(A), info)
    return inv_ex_result(_or_nan(dec.INV(_or_identity(A, info)), info), info)


@public("det", "linalg.det")
def det(A: Node) -> Node:  # noqa: N803
    """The determinant."""
    check_matrix("linalg.det", A)
    return dec.DET(A)


@public("slogdet", "linalg.slogdet")
def slogdet(A: Node) -> slogdet_result:  # noqa: N803
    """The sign of the determinant, and the logarithm of its absolute value."""
    check_matrix("linalg.slogdet", A)
    return slogdet_result(dec.SLOGDET(A, which=0), dec.SLOGDET(A, which=1))


@public("logdet")
def logdet(input: Node) -> Node:
    """The logarithm of the determinant; NaN where it is negative."""
    check_matrix("logdet", input)
    sign, size = slogdet(input)
    if input.dtype.kind == "c":
        return alg.log(sign) + alg.cast(size, input.dtype)
    return alg.where(alg.lt(sign, 0), math.nan, size)


# ---------------------------------------------------------------- systems


@public("linalg.solve", now=True)
def solve(A: Node, B: Node, *, left: bool = True) -> Node:  # noqa: N803
    """X with A X = B (or X A = B)."""
    check_matrix("linalg.solve", A)
    _same_kind("linalg.solve", A, B)
    vector = B.ndim == 1 or A.ndim - 1 == B.ndim and B.shape == A.shape[:-1]
    if vector and not left:
        raise RuntimeError("linalg.solve: Vector broadcasting of the left hand side is not "
                           "supported for left=False. In this case linalg.solve is equivalent to "
                           "B / A.squeeze(-1)")
    b = alg.unsqueeze(B, B.ndim) if vector else B
    if not vector and B.ndim < 2:
        raise RuntimeError("linalg.solve: The input tensor B must have at least 2 dimensions.")
    side = b.shape[-2] if left else b.shape[-1]
    if side != A.shape[-1]:
        raise RuntimeError("linalg.solve: Incompatible shapes of A and B for the equation "
                           f"{'AX = B' if left else 'XA = B'} ({A.shape[-2]}x{A.shape[-1]} and "
                           f"{b.shape[-2]}x{b.shape[-1]})")
    broadcast(A.shape[:-2], b.shape[:-2])
    out = dec.SOLVE(A, b) if left else adjoint(dec.SOLVE(adjoint(A), adjoint(b)))
    return alg.squeeze(out, (out.ndim - 1,)) if vector else out


@public("linalg.solve_ex")
def solve_ex(A: Node, B: Node, *, left: bool = True,  # noqa: N803
             check_errors: bool = False) -> solve_ex_result:
    """X with A X = B, and LAPACK's status."""
    check_matrix("linalg.solve", A)
    info = singular(A)
    if check_errors:
        return solve_ex_result(solve(A, B, left=left), info)
    found = solve(_or_identity(A, info), B, left=left)
    dims = 1 if found.ndim < max(A.ndim, B.ndim, 2) or B.ndim == 1 else 2
    return solve_ex_result(_or_nan(found, info, dims), info)


@public("linalg.solve_triangular")
def solve_triangular(A: Node, B: Node, *, upper: bool, left: bool = True,  # noqa: N803
                     unitriangular: bool = False) -> Node:
    """X with A X = B (X A = B if not left), A triangular."""
    check_matrix("linalg.solve_triangular", A)
    _same_kind("linalg.solve_triangular", A, B)
    if B.ndim < 2:
        raise RuntimeError("linalg.solve_triangular: The input tensor B must have at least 2 "
                           "dimensions.")
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError("linalg.solve_triangular: Incompatible shapes of A and B for the "
                           f"equation {'AX = B' if left else 'XA = B'} ({A.shape[-2]}x"
                           f"{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})")
    if left:
        return dec.TRIANGULAR(A, B, upper=bool(upper), unit=bool(unitriangular))
    out = dec.TRIANGULAR(adjoint(A), adjoint(B), upper=not upper, unit=bool(unitriangular))
    return adjoint(out)


@public("triangular_solve")
def triangular_solve(input: Node, A: Node, upper: bool = True, transpose: bool = False,  # noqa: N803
                     unitriangular: bool = False) -> triangular_result:
    """X with A X = input, A triangular, and A."""
    a = alg.transpose(A, A.ndim - 2, A.ndim - 1) if transpose else A
    check_matrix("triangular_solve", A)
    _fit("triangular_solve", input, A)
    out = dec.TRIANGULAR(a, input, upper=upper != transpose, unit=bool(unitriangular))
    return triangular_result(out, alg.expand(A, out.shape[:-2] + A.shape[-2:]))


@public("linalg.lstsq")
def lstsq(A: Node, B: Node, rcond: float | None = None, *,  # noqa: N803
          driver: str | None = None) -> lstsq_result:
    """Least squares by the pseudo-inverse; residuals where there are more rows than columns."""
    check_matrix("torch.linalg.lstsq", A, square=False)
    if not 0 <= A.ndim - B.ndim <= 1:
        raise RuntimeError("torch.linalg.lstsq: input.dim() must be greater or equal to "
                           "other.dim() and (input.dim() - other.dim()) <= 1")
    vector = A.ndim - 1 == B.ndim and A.shape[:-1] == B.shape
    if not vector:
        broadcast(A.shape[:-2], B.shape[:-2])
        if B.ndim < A.ndim:
            broadcast(A.shape[:-1], B.shape)
    b = alg.unsqueeze(B, B.ndim) if vector else B
    x = matmul(pinv(A), b)
    m, n = A.shape[-2:]
    kind = A.dtype.to_real()
    none = alg.full((0,), 0, kind)
    residuals = none
    if m > n and driver != "gelsy":
        gap = matmul(A, x) - b
        squares = alg.real(gap * alg.conj(gap)) if gap.dtype.kind == "c" else alg.square(gap)
        residuals = alg.squeeze(alg.sum_(squares, (b.ndim - 2,)), (b.ndim - 2,))
    rank = matrix_rank(A) if driver in (None, "gelsy", "gelsd", "gelss") else alg.full(
        (0,), 0, dt.int64)
    if driver == "gels":
        rank = alg.full((0,), 0, dt.int64)
    values = dec.VALUES(A) if driver in ("gelsd", "gelss") else none
    out = alg.squeeze(x, (x.ndim - 1,)) if vector else x
    return lstsq_result(out, residuals, rank, values)


# ---------------------------------------------------------------- Cholesky


@public("linalg.cholesky", now=True)
def linalg_cholesky(A: Node, *, upper: bool = False) -> Node:  # noqa: N803
    """L with A = L L^H; LinAlgError if A is not positive definite."""
    check_matrix("linalg.cholesky", A)
    out = dec.CHOLESKY(adjoint(A) if upper else A)
    return adjoint(out) if upper else out


@public("cholesky", now=True)
def cholesky(input: Node, upper: bool = False) -> Node:
    """L with input = L L^H, or U with input = U^H U."""
    check_matrix("cholesky", input)
    return linalg_cholesky(input, upper=upper)


@public("linalg.cholesky_ex")
def cholesky_ex(A: Node, *, upper: bool = False,  # noqa: N803
                check_errors: bool = False) -> cholesky_ex_result:
    """The Cholesky factor, and LAPACK's status."""
    check_matrix("linalg.cholesky_ex", A)
    info = dec.call("cholesky_ex", (A,), 1, A.shape[:-2], dt.int32)
    if check_errors:
        return cholesky_ex_result(linalg_cholesky(A, upper=upper), info)
    factor = linalg_cholesky(_or_identity(A, info), upper=upper)
    return cholesky_ex_result(_or_nan(factor, info), info)


@public("cholesky_inverse")
def cholesky_inverse(input: Node, upper: bool = False) -> Node:
    """The inverse of the matrix with this Cholesky factor."""
    check_matrix("cholesky_inverse", input)
    return dec.CHOLESKY_INVERSE(input, upper=bool(upper))


@public("cholesky_solve")
def cholesky_solve(input: Node, input2: Node, upper: bool = False) -> Node:
    """X with A X = input, where input2 is the factor of A."""
    check_matrix("cholesky_solve", input2)
    _fit("cholesky_solve", input, input2)
    return dec.CHOLESKY_SOLVE(input, input2, upper=bool(upper))


# ---------------------------------------------------------------- eigenvalues, singular values


@public("linalg.eigh")
def eigh(A: Node, UPLO: str = "L") -> eigh_result:  # noqa: N803
    """The eigenvalues (ascending) and eigenvectors of a symmetric matrix."""
    check_matrix("linalg.eigh", A)
    lower = _lower(UPLO)
    return eigh_result(dec.EIGH(A, lower=lower, which=0), dec.EIGH(A, lower=lower, which=1))


def _lower(uplo: str) -> bool:
    if uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    return uplo.upper() == "L"


@public("linalg.eigvalsh")
def eigvalsh(A: Node, UPLO: str = "L") -> Node:  # noqa: N803
    """The eigenvalues of a symmetric matrix, ascending."""
    check_matrix("linalg.eigvalsh", A)
    return dec.EIGH(A, lower=_lower(UPLO), which=0)


@public("linalg.eig")
def eig(A: Node) -> eig_result:  # noqa: N803
    """The eigenvalues and eigenvectors of a square matrix, complex."""
    check_matrix("linalg.eig", A)
    return eig_result(dec.EIG(A, which=0), dec.EIG(A, which=1))


@public("linalg.eigvals")
def eigvals(A: Node) -> Node:  # noqa: N803
    """The eigenvalues of a square matrix, complex."""
    check_matrix("linalg.eigvals", A)
    return dec.EIG(A, which=0)


@public("linalg.svd")
def linalg_svd(A: Node, full_matrices: bool = True, *,  # noqa: N803
               driver: str | None = None) -> svd_result:
    """U, S, V^H with A = U diag(S) V^H, S descending."""
    check_matrix("linalg.svd", A, square=False)
    return svd_result(*(dec.SVD(A, full=bool(full_matrices), which=i) for i in range(3)))


@public("svd")
def svd(input: Node, some: bool = True, compute_uv: bool = True) -> old_svd_result:
    """As linalg.svd, but V and not its adjoint."""
    check_matrix("svd", input, square=False)
    u, s, vh = linalg_svd(input, full_matrices=not some)
    if not compute_uv:
        m, n = input.shape[-2:]
        batch = input.shape[:-2]
        return old_svd_result(alg.full((*batch, m, m), 0, input.dtype), s,
                              alg.full((*batch, n, n), 0, input.dtype))
    return old_svd_result(u, s, adjoint(vh))


@public("linalg.svdvals")
def svdvals(A: Node, *, driver: str | None = None) -> Node:  # noqa: N803
    """The singular values, descending."""
    check_matrix("linalg.svdvals", A, square=False)
    return dec.SVD(A, full=False, which=1)


def _limit(values: Node, a: Node, atol: Any, rtol: Any) -> Node:
    """max(atol, rtol * the greatest singular value), one a matrix."""
    if rtol is None:
        eps = {"float32": 2.0**-23, "complex64": 2.0**-23}.get(a.dtype.name, 2.0**-52)
        rtol = 0.0 if _positive(atol) else max(a.shape[-2:]) * eps
    top = alg.squeeze(alg.amax(values, (values.ndim - 1,)), (values.ndim - 1,))
    relative = top * _as(rtol, top)
    return relative if atol is None else alg.max_(relative, _as(atol, top))


def _positive(tolerance: Any) -> bool:
    return tolerance is not None and (isinstance(tolerance, Node) or tolerance > 0)


def _as(value: Any, like: Node) -> Node:
    return alg.cast(value, like.dtype) if isinstance(value, Node) else alg.const(value, like.dtype)


@public("linalg.pinv")
def pinv(A: Node, rcond: Any = None, hermitian: bool = False, *, atol: Any = None,  # noqa: N803
         rtol: Any = None) -> Node:
    """The pseudo-inverse of Moore and Penrose."""
    check_matrix("linalg.pinv", A, square=hermitian)
    if 0 in A.shape:
        return empty_of(A, (*A.shape[:-2], A.shape[-1], A.shape[-2]))
    if hermitian:
        return _hermitian_pinv(A, atol, rcond if rtol is None else rtol)
    values = dec.SVD(A, full=False, which=1)
    return dec.PINV(A, _limit(values, A, atol, rcond if rtol is None else rtol))


def _hermitian_pinv(a: Node, atol: Any, rtol: Any) -> Node:
    size = alg.abs_(eigvalsh(a))
    return dec.HERMITIAN_PINV(a, _limit(size, a, atol, rtol))


def as_last(x: Node) -> Node:
    return alg.unsqueeze(x, x.ndim)


@public("pinverse")
def pinverse(input: Node, rcond: float = 1e-15) -> Node:
    """The pseudo-inverse."""
    return pinv(input, rcond)


@public("linalg.matrix_rank")
def matrix_rank(A: Node, tol: Any = None, hermitian: bool = False, *, atol: Any = None,  # noqa: N803
                rtol: Any = None) -> Node:
    """How many singular values are above the tolerance."""
    check_matrix("linalg.matrix_rank", A, square=hermitian)
    if 0 in A.shape[-2:]:
        return alg.full(A.shape[:-2], 0, dt.int64)
    values = alg.abs_(eigvalsh(A)) if hermitian else dec.SVD(A, full=False, which=1)
    limit = _limit(values, A, atol if tol is None else tol, 0.0 if tol is not None else rtol)
    above = alg.gt(values, alg.unsqueeze(limit, limit.ndim))
    last = (values.ndim - 1,)
    return alg.squeeze(alg.sum_(alg.cast(above, dt.int64), last), last)


# ---------------------------------------------------------------- QR and the exponential


@public("linalg.qr")
def linalg_qr(A: Node, mode: str = "reduced") -> qr_result:  # noqa: N803
    """Q R = A, Q with orthonormal columns, R upper triangular."""
    check_matrix("linalg.qr", A, square=False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' "
                           "(default), 'r', or 'complete'")
    r = dec.QR(A, mode=mode, which=1)
    q = alg.full((0,), 0, A.dtype) if mode == "r" else dec.QR(A, mode=mode, which=0)
    return qr_result(q, r)


@public("qr")
def qr(input: Node, some: bool = True) -> qr_result:
    """Q R = input; `some`: only as many columns as needed."""
    return linalg_qr(input, "reduced" if some else "complete")


@public("matrix_exp", "linalg.matrix_exp")
def matrix_exp(input: Node) -> Node:
    """The exponential of a square matrix; of halves in float32."""
    small = input.dtype.kind == "f" and input.dtype.itemsize == 2
    wide = alg.cast(input, dt.float32) if small else input
    check_matrix("linalg.matrix_exp", wide)
    return alg.cast(dec.EXP(wide), input.dtype)


@public("adjoint", out=False)
def adjoint_(input: Node) -> Node:
    """The conjugate transpose of the last two dims."""
    if input.ndim < 2:
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. "
                           f"Got {input.ndim}-D tensor.")
    return adjoint(input)
