"""Matrix factorisations in NumPy (LAPACK), which `host` nodes call.

In: arrays, batched over leading dims. Out: tuples of arrays. A matrix that does not allow it raises
`LinAlgError` in PyTorch's words, when the value is computed.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..core.errors import LinAlgError
from ..graph.primitive import HOST_FUNCTIONS

Array = np.ndarray[Any, Any]


def host(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the function that `host` nodes of this name call."""
    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        HOST_FUNCTIONS[name] = fn
        return fn
    return declare


def _each(a: Array) -> Array:
    """The matrices of a batch, one after another."""
    return a.reshape(math.prod(a.shape[:-2]), *a.shape[-2:])


def _first_bad(a: Array, works: Callable[[Array], Any]) -> int:
    for i, m in enumerate(_each(a)):
        try:
            works(m)
        except np.linalg.LinAlgError:
            return i
    return 0


def _where(a: Array, works: Callable[[Array], Any]) -> str:
    return f"(Batch element {_first_bad(a, works)}): " if a.ndim > 2 else ""


def _zero_pivot(a: Array) -> int:
    """Which diagonal element of a singular matrix's factor is zero (of the first such matrix)."""
    found = singular(a)[0].reshape(-1)
    return int(found[found != 0][0]) if found.any() else int(a.shape[-1])


@host("singular")
def singular(a: Array) -> tuple[Array]:
    """0, or which diagonal element of U is the first to be zero, of each matrix."""
    if not a.size:
        return (np.zeros(a.shape[:-2], np.int32),)
    zero = np.diagonal(lu_factor(a)[0], axis1=-2, axis2=-1) == 0
    return (np.where(zero.any(-1), zero.argmax(-1) + 1, 0).astype(np.int32),)


@host("inv")
def inv(a: Array) -> tuple[Array]:
    try:
        return (np.linalg.inv(a),)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            f"linalg.inv: {_where(a, np.linalg.inv)}The diagonal element {_zero_pivot(a)} is zero, "
            "the inversion could not be completed because the input matrix is singular.") from None


@host("solve")
def solve(a: Array, b: Array) -> tuple[Array]:
    try:
        return (np.linalg.solve(a, b),)
    except np.linalg.LinAlgError:
        raise LinAlgError("torch.linalg.solve: The solver failed because the input matrix is "
                          "singular.") from None


@host("det")
def det(a: Array) -> tuple[Array]:
    return (np.asarray(np.linalg.det(a), a.dtype),)


@host("cofactor")
def cofactor(a: Array) -> tuple[Array]:
    """d det(a) / da, also where a is singular: from the singular values (Magnus and Neudecker)."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.stack([np.delete(s, i, -1).prod(-1) for i in range(n)], -1) if n else s
    turn = np.linalg.det(u) * np.linalg.det(vh)
    out = turn.conj()[..., None, None] * ((u * others[..., None, :]) @ vh)
    return (out.astype(a.dtype),)


@host("slogdet")
def slogdet(a: Array) -> tuple[Array, Array]:
    sign, log = np.linalg.slogdet(a)
    return np.asarray(sign), np.asarray(log)


@host("cholesky")
def cholesky(a: Array) -> tuple[Array]:
    try:
        return (np.linalg.cholesky(a),)
    except np.linalg.LinAlgError:
        order = next(k for k in range(1, a.shape[-1] + 1)
                     if not _positive(_each(a)[_first_bad(a, np.linalg.cholesky)][:k, :k]))
        raise LinAlgError(
            f"linalg.cholesky: {_where(a, np.linalg.cholesky)}The factorization could not be "
            f"completed because the input is not positive-definite (the leading minor of order "
            f"{order} is not positive-definite).") from None


def _positive(a: Array) -> bool:
    try:
        np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return False
    return True


@host("cholesky_ex")
def cholesky_ex(a: Array) -> tuple[Array, Array]:
    """(factor, 0 or the order of the first minor that is not positive)."""
    out = np.zeros_like(a)
    info = np.zeros(a.shape[:-2], np.int32)
    flat, bad = _each(out), info.reshape(-1)
    for i, m in enumerate(_each(a)):
        if _positive(m):
            flat[i] = np.linalg.cholesky(m)
        else:
            bad[i] = next(k for k in range(1, m.shape[0] + 1) if not _positive(m[:k, :k]))
    return flat.reshape(a.shape), bad.reshape(info.shape)


@host("eigh")
def eigh(a: Array, lower: bool) -> tuple[Array, Array]:
    side: Literal["L", "U"] = "L" if lower else "U"
    try:
        values, vectors = np.linalg.eigh(a, side)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            f"linalg.eigh: {_where(a, lambda m: np.linalg.eigh(m, side))}The algorithm failed to "
            "converge because the input matrix is ill-conditioned or has too many repeated "
            "eigenvalues (error code: 1).") from None
    return values, vectors


@host("eig")
def eig(a: Array) -> tuple[Array, Array]:
    try:
        values, vectors = np.linalg.eig(a)
    except np.linalg.LinAlgError:
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs."
                           ) from None
    kind = np.result_type(a.dtype, np.complex64)
    return values.astype(kind), vectors.astype(kind)


@host("svd")
def svd(a: Array, full: bool) -> tuple[Array, Array, Array]:
    try:
        u, s, vh = np.linalg.svd(a, full_matrices=full)
    except np.linalg.LinAlgError:
        why = " because the input matrix contained non-finite values"
        why = "" if np.isfinite(a).all() else why
        raise LinAlgError(f"linalg.svd: {_where(a, np.linalg.svd)}The algorithm failed to converge"
                          f"{why}.") from None
    return u, s, vh


@host("qr")
def qr(a: Array, mode: str) -> tuple[Array, Array]:
    found = np.linalg.qr(a, "complete" if mode == "complete" else "reduced")
    return found[0], found[1]


def size_of(x: Any) -> Any:
    """What LAPACK compares to choose a pivot: |re| + |im|."""
    return np.abs(x.real) + np.abs(x.imag) if np.iscomplexobj(x) else np.abs(x)


@host("lu_factor")
def lu_factor(a: Array) -> tuple[Array, Array]:
    """(L below and U on and above the diagonal, 1-based row exchanges), partial pivoting
    (Golub and Van Loan, "Matrix Computations", algorithm 3.4.1)."""
    m, n = a.shape[-2:]
    lu = _each(a).copy()
    k = min(m, n)
    pivots = np.zeros((lu.shape[0], k), np.int32)
    for x, p in zip(lu, pivots):
        for j in range(k):
            best = j + int(np.argmax(size_of(x[j:, j])))
            p[j] = best + 1
            if best != j:
                x[[j, best]] = x[[best, j]]
            if x[j, j] != 0:
                x[j + 1:, j] /= x[j, j]
                x[j + 1:, j + 1:] -= np.outer(x[j + 1:, j], x[j, j + 1:])
    return lu.reshape(a.shape), pivots.reshape(*a.shape[:-2], k)


@host("permutation")
def permutation(pivots: Array, rows: int) -> tuple[Array]:
    """Row exchanges as the matrix P with A = P L U."""
    flat = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1])
    out = np.zeros((flat.shape[0], rows, rows))
    for p, exchanges in zip(out, flat):
        order = np.arange(rows)
        for j, other in enumerate(exchanges - 1):
            order[[j, other]] = order[[other, j]]
        p[order, np.arange(rows)] = 1
    return (out.reshape(*pivots.shape[:-1], rows, rows),)


@host("matrix_exp")
def matrix_exp(a: Array) -> tuple[Array]:
    """Scaling and squaring with a Taylor polynomial of degree 18 (Higham, "Functions of Matrices",
    2008, section 10.3), in double precision."""
    wide = a.astype(np.result_type(a.dtype, np.float64))
    size = np.abs(wide).sum(-2).max(initial=0.0)
    halvings = max(0, int(np.ceil(np.log2(size))) + 1) if size > 0.5 else 0
    x = wide / 2.0**halvings
    eye = np.broadcast_to(np.eye(a.shape[-1], dtype=wide.dtype), wide.shape)
    out = eye.copy()
    for k in range(18, 0, -1):
        out = eye + x @ out / k
    for _ in range(halvings):
        out = out @ out
    return (out.astype(a.dtype),)


@host("geqrf")
def geqrf(a: Array) -> tuple[Array, Array]:
    """(R above, reflections below the diagonal; their factors)."""
    h, tau = np.linalg.qr(a, "raw")
    return np.ascontiguousarray(np.swapaxes(h, -1, -2)), tau
