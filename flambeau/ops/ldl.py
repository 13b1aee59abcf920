"""torch.linalg.ldl_factor, ldl_factor_ex and ldl_solve: symmetric matrices that are not positive.

In: (..., n, n), its lower triangle. Out: L below and the 1 x 1 and 2 x 2 blocks of D on and next to
the diagonal, and LAPACK's pivots (negative: a 2 x 2 block). Bunch and Kaufman, "Some stable methods
for calculating inertia and solving symmetric linear systems" (1977).
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.errors import LinAlgError
from ..graph.node import Node
from ..graph.primitive import broadcast
from . import algebra as alg
from . import promotion as pro
from .decompositions import call
from .known import array
from .lapack import host, size_of
from .results import named_result
from .table import public

Array = np.ndarray[Any, Any]
_BOUND = (1 + math.sqrt(17)) / 8
factor_result = named_result("linalg_ldl_factor", "LD", "pivots")
factor_ex_result = named_result("linalg_ldl_factor_ex", "LD", "pivots", "info")


# ---------------------------------------------------------------- in NumPy


def _turned(x: Array, hermitian: bool) -> Array:
    return x.conj() if hermitian else x


def _pivot(a: Array, k: int, hermitian: bool) -> tuple[int, int]:
    """(the row to exchange, the size of the block) at column k; (k, 0) where all is zero."""
    n = len(a)
    own = abs(a[k, k].real) if hermitian else size_of(a[k, k])
    if k == n - 1:
        return k, int(own != 0)
    r = k + 1 + int(np.argmax(size_of(a[k + 1:, k])))
    column = size_of(a[r, k])
    if max(own, column) == 0:
        return k, 0
    if own >= _BOUND * column:
        return k, 1
    row = max(size_of(a[r, k:r]).max(initial=0), size_of(a[r + 1:, r]).max(initial=0))
    if own >= _BOUND * column * (column / row):
        return k, 1
    other = abs(a[r, r].real) if hermitian else size_of(a[r, r])
    return (r, 1) if other >= _BOUND * row else (r, 2)


def _exchange(a: Array, k: int, j: int, p: int, hermitian: bool) -> None:
    """Rows and columns j and p of what is left, in the lower triangle; column k goes along."""
    a[p + 1:, [j, p]] = a[p + 1:, [p, j]]
    between = a[j + 1:p, j].copy()
    a[j + 1:p, j] = _turned(a[p, j + 1:p], hermitian)
    a[p, j + 1:p] = _turned(between, hermitian)
    a[p, j] = _turned(a[p, j], hermitian)
    a[j, j], a[p, p] = a[p, p], a[j, j]
    if j != k:
        a[j, k], a[p, k] = a[p, k], a[j, k]


def _block(a: Array, k: int, hermitian: bool) -> Array:
    off = a[k + 1, k]
    return np.array([[a[k, k], _turned(off, hermitian)], [off, a[k + 1, k + 1]]])


def _factor(a: Array, pivots: Array, hermitian: bool) -> int:
    """In place; the number of the first column without a pivot, or 0."""
    n, k, info = len(a), 0, 0
    while k < n:
        p, size = _pivot(a, k, hermitian)
        if not size:
            info = info or k + 1
        if hermitian:
            a[k, k] = a[k, k].real
        end = k + max(size, 1)
        if p > end - 1:
            _exchange(a, k, end - 1, p, hermitian)
        if size:
            d = a[k:end, k:end] if size == 1 else _block(a, k, hermitian)
            columns = a[end:, k:end].copy()
            scaled = columns @ np.linalg.inv(d)
            a[end:, end:] -= scaled @ _turned(columns, hermitian).T
            a[end:, k:end] = scaled
        pivots[k:end] = p + 1 if size < 2 else -(p + 1)
        k = end
    return info


@host("ldl_factor")
def _ldl_factor(a: Array, hermitian: bool) -> tuple[Array, Array, Array]:
    n = a.shape[-1]
    out = np.tril(a).reshape(math.prod(a.shape[:-2]), n, n)
    pivots = np.zeros((len(out), n), np.int32)
    info = np.array([_factor(m, p, hermitian) for m, p in zip(out, pivots)], np.int32)
    return (np.tril(out).reshape(a.shape), pivots.reshape(a.shape[:-1]),
            info.reshape(a.shape[:-2]))


def _solve(ld: Array, pivots: Array, b: Array, hermitian: bool) -> None:
    """L D L' x = b, in place, with the exchanges as they were made."""
    n, k = len(ld), 0
    while k < n:
        size = 1 if pivots[k] > 0 else 2
        end, p = k + size, abs(int(pivots[k])) - 1
        b[[end - 1, p]] = b[[p, end - 1]]
        b[end:] -= ld[end:, k:end] @ b[k:end]
        d = ld[k:end, k:end] if size == 1 else _block(ld, k, hermitian)
        b[k:end] = np.linalg.solve(d, b[k:end])
        k = end
    while k > 0:
        start = k - (1 if pivots[k - 1] > 0 else 2)
        b[start:k] -= _turned(ld[k:, start:k], hermitian).T @ b[k:]
        p = abs(int(pivots[k - 1])) - 1
        b[[k - 1, p]] = b[[p, k - 1]]
        k = start


@host("ldl_solve")
def _ldl_solve(ld: Array, pivots: Array, b: Array, hermitian: bool) -> tuple[Array]:
    n = ld.shape[-1]
    front = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
    count = math.prod(front)
    out = np.broadcast_to(b, front + b.shape[-2:]).reshape(count, *b.shape[-2:]).copy()
    factors = np.broadcast_to(ld, (*front, n, n)).reshape(count, n, n)
    exchanges = np.broadcast_to(pivots, (*front, n)).reshape(count, n)
    for one, rows, x in zip(factors, exchanges, out):
        _solve(one, rows, x, hermitian)
    return (out.reshape(front + b.shape[-2:]),)


# ---------------------------------------------------------------- public


@public("linalg.ldl_factor")
def ldl_factor(A: Node, *, hermitian: bool = False) -> Any:  # noqa: N803 - PyTorch's name
    """The factors of a symmetric matrix, packed, and the pivots."""
    factors, pivots, info = _made("torch.linalg.ldl_factor", A, hermitian)
    zeros = array(info).reshape(-1)
    if zeros.any():
        where = f"(Batch element {int(zeros.nonzero()[0][0])}): " if A.ndim > 2 else ""
        raise LinAlgError(f"torch.linalg.ldl_factor: {where}The diagonal element "
                          f"{int(zeros[zeros.nonzero()[0][0]])} of D is zero, and it cannot be "
                          "used to solve a system.")
    return factor_result(factors, pivots)


@public("linalg.ldl_factor_ex")
def ldl_factor_ex(A: Node, *, hermitian: bool = False,  # noqa: N803
                  check_errors: bool = False) -> Any:
    """ldl_factor, with LAPACK's status as a third result."""
    return factor_ex_result(*_made("torch.linalg.ldl_factor_ex", A, hermitian))


def _made(name: str, a: Node, hermitian: bool) -> tuple[Node, Node, Node]:
    _square(name, a)
    args = (bool(hermitian),)
    return (call("ldl_factor", (a,), 0, a.shape, a.dtype, args),
            call("ldl_factor", (a,), 1, a.shape[:-1], dt.int32, args),
            call("ldl_factor", (a,), 2, a.shape[:-2], dt.int32, args))


def _square(name: str, a: Node) -> None:
    if a.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are "
                           f"{a.shape[-2]} by {a.shape[-1]} matrices")
    if a.dtype.kind not in "fc" or a.dtype.itemsize == 2:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got "
                           f"{pro.type_name(a.dtype)}")


@public("linalg.ldl_solve")
def ldl_solve(LD: Node, pivots: Node, B: Node, *, hermitian: bool = False) -> Node:  # noqa: N803
    """X with A X = B from ldl_factor's results."""
    name = "torch.linalg.ldl_solve"
    _square(name, LD)
    if B.ndim < 2:
        raise RuntimeError(f"{name}: Expected B to have at least 2 dimensions, but it has "
                           f"{B.ndim} dimensions instead")
    if LD.shape[-1] != B.shape[-2]:
        raise RuntimeError(f"{name}: Incompatible shapes of A and B for the equation AX = B "
                           f"({LD.shape[-2]}x{LD.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})")
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but "
                           f"got pivots with shape {list(pivots.shape)} instead")
    if pivots.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got "
                           f"{pro.type_name(pivots.dtype)}")
    if LD.dtype is not B.dtype:
        raise RuntimeError(f"{name}: LD dtype{pro.type_name(LD.dtype)} does not match b dtype "
                           f"{pro.type_name(B.dtype)}")
    shape = broadcast(LD.shape[:-2], B.shape[:-2]) + B.shape[-2:]
    return call("ldl_solve", (LD, pivots, alg.cast(B, LD.dtype)), 0, shape, B.dtype,
                (bool(hermitian),))
