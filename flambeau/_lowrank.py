"""torch.svd_lowrank, pca_lowrank and lobpcg: a few singular or eigenvectors of a large matrix.

In: matrices (..., m, n), read through products alone. Out: tensors. Halko, Martinsson and Tropp,
"Finding structure with randomness" (2009); Knyazev, "Toward the optimal preconditioned
eigensolver" (2001).
"""
from __future__ import annotations

from typing import Any

from . import api
from .tensor.names import PUBLIC
from .tensor.tensor import Tensor

torch: Any = api                                # its names come from the table
_linalg = PUBLIC["linalg"]


def _orthonormal(x: Any) -> Any:
    return _linalg["qr"](x)[0]


def get_approximate_basis(A: Any, q: int, niter: int | None = 2,  # noqa: N803
                          M: Tensor | None = None) -> Tensor:  # noqa: N803
    """Orthonormal columns (..., m, q) that A - M almost stays within (algorithm 4.4)."""
    if M is not None:
        A = A - M  # noqa: N806
    start = torch.randn(A.shape[-1], q, dtype=A.dtype)
    basis = _orthonormal(A @ start)
    for _ in range(2 if niter is None else niter):
        basis = _orthonormal(A @ _orthonormal(A.mH @ basis))
    return basis


def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2,  # noqa: N803
                M: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:  # noqa: N803
    """(U, S, V) with A - M about U diag(S) V^H, of rank q (algorithm 5.1)."""
    q = 6 if q is None else q
    x = A if M is None else A - M
    wide = x.shape[-2] < x.shape[-1]
    tall = x.mH if wide else x
    basis = get_approximate_basis(tall, q, niter)
    u, s, vh = _linalg["svd"](basis.mH @ tall, full_matrices=False)
    u, v = basis @ u, vh.mH
    return (v, s, u) if wide else (u, s, v)


def pca_lowrank(A: Any, q: int | None = None, center: bool = True,  # noqa: N803
                niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """The principal directions V of the rows of A, and their svd_lowrank."""
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)="
                         f"{min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not A.dtype.is_floating_point and not A.dtype.is_complex:
        A = A.to(torch.get_default_dtype())  # noqa: N806
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


# ---------------------------------------------------------------- lobpcg


def _ritz(A: Any, B: Any, s: Any, largest: bool,  # noqa: N803
          ) -> tuple[Tensor, Tensor]:
    """Eigenvalues of A x = l B x within the span of s, best first, and the combinations of s."""
    first = s.mT @ (A @ s)
    second = s.mT @ (s if B is None else B @ s)
    values, vectors = _linalg["eigh"](second)
    kept = values > values.max() * 1e-10 if values.dtype is torch.float64 else \
        values > values.max() * 1e-5
    root = vectors[:, kept] * values[kept].rsqrt()
    found, turn = _linalg["eigh"](root.mT @ first @ root)
    if largest:
        found, turn = found.flip(0), turn.flip(1)
    return found, root @ turn


def _one_lobpcg(A: Any, B: Any, x: Any, inverse: Any,  # noqa: N803
                niter: int, tol: float, largest: bool) -> tuple[Tensor, Tensor]:
    k = x.shape[-1]
    values, turn = _ritz(A, B, x, largest)
    x = x @ turn[:, :k]
    values = values[:k]
    moved: Tensor | None = None
    size = _linalg["norm"](A)
    for _ in range(niter):
        residual = A @ x - (x if B is None else B @ x) * values
        error = _linalg["norm"](residual, dim=0) / (_linalg["norm"](x, dim=0) * (
            size + values.abs()))
        if bool((error < tol).all()):
            break
        parts = [x, residual if inverse is None else inverse @ residual]
        if moved is not None:
            parts.append(moved)
        span = torch.cat([p / _linalg["norm"](p, dim=0).clamp(min=1e-30) for p in parts], -1)
        values, turn = _ritz(A, B, span, largest)
        values, turn = values[:k], turn[:, :k]
        moved = span[:, k:] @ turn[k:]
        x = span @ turn
    return values, x


def lobpcg(A: Any, k: int | None = None, B: Tensor | None = None,  # noqa: N803
           X: Tensor | None = None, n: int | None = None, iK: Tensor | None = None,  # noqa: N803
           niter: int | None = None, tol: float | None = None, largest: bool | None = None,
           method: str | None = None, tracker: Any = None, ortho_iparams: Any = None,
           ortho_fparams: Any = None, ortho_bparams: Any = None) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) eigenvalues of A x = l B x, and their vectors, B-orthonormal."""
    m = A.shape[-1]
    if A.shape[-2] != m:
        raise ValueError(f"A must be a batch of square matrices, got {tuple(A.shape)}")
    count = n if n is not None else k if k is not None else 1 if X is None else X.shape[-1]
    k = count if k is None else k
    if m < 3 * count:
        raise ValueError(f"LPBPCG algorithm is not applicable when the number of A rows (={m}) is "
                         f"smaller than 3 x the number of requested eigenpairs (={count})")
    tol = tol if tol is not None else 1e-10 if A.dtype is torch.float64 else 1e-5
    front = A.shape[:-2]
    start = torch.randn(*front, m, count, dtype=A.dtype) if X is None else X

    def each(x: Any, i: int) -> Any:
        return None if x is None else x.reshape(-1, *x.shape[-2:])[i] if x.dim() > 2 else x

    found = []
    with torch.no_grad():
        for i in range(start.reshape(-1, m, count).shape[0]):
            found.append(_one_lobpcg(each(A, i), each(B, i), each(start, i), each(iK, i),
                                     1000 if niter is None else niter, tol,
                                     largest is None or largest))
    values = torch.stack([e for e, _ in found]).reshape(*front, count)[..., :k]
    vectors = torch.stack([v for _, v in found]).reshape(*front, m, count)[..., :k]
    return values, vectors
