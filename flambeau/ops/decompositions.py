"""Factorisations as nodes with their derivatives.

In: square or rectangular matrix nodes (..., m, n). Out: nodes; each result of a factorisation is a
node of its own (`which`), expanded to a `host` call.

Derivatives: Giles, "An extended collection of matrix derivative results" (2008); for QR and the
singular vectors, Townsend, "Differentiating the singular value decomposition" (2016); Walter and
Lehmann (2018).
"""
from __future__ import annotations

from typing import Any

from ..core.dtype import dtype, int32
from ..graph import primitive as p
from ..graph.node import Node, Shape
from . import algebra as alg
from . import lapack  # noqa: F401 - registers the host functions
from .contraction import matmul
from .table import composite
from .triangular import TRIL, TRIU

Grads = tuple[Node | None, ...]


def call(name: str, src: tuple[Node, ...], which: int, shape: Shape, kind: dtype,
         args: tuple[Any, ...] = ()) -> Node:
    return p.HOST(*src, name=name, args=args, which=which, shape=shape, dtype=kind)


def adjoint(x: Node) -> Node:
    return alg.conj(alg.transpose(x, x.ndim - 2, x.ndim - 1))


def diagonal_of(x: Node) -> Node:
    """(..., n, n) with everything off the diagonal zero."""
    return alg.where(_on_diagonal(x), x, 0)


def _on_diagonal(x: Node) -> Node:
    return alg.eq(alg.positions(x, x.ndim - 1), alg.positions(x, x.ndim - 2))


def as_columns(x: Node) -> Node:
    """(..., n) to (..., 1, n): scales the columns of a matrix."""
    return alg.unsqueeze(x, x.ndim - 1)


def as_rows(x: Node) -> Node:
    return alg.unsqueeze(x, x.ndim)


def embedded(x: Node) -> Node:
    """A vector (..., n) as a diagonal matrix."""
    n = x.shape[-1]
    wide = alg.expand(as_columns(x), (*x.shape, n))
    return diagonal_of(wide)


def identity(x: Node, n: int) -> Node:
    """eye(n) in the dtype of x."""
    wide = alg.full((n, n), 1, x.dtype)
    return diagonal_of(wide)


def _same(a: Node, *_: Any) -> tuple[Shape, dtype]:
    return a.shape, a.dtype


# ---------------------------------------------------------------- inverse, solve, determinant


def _inv_vjp(g: Node, out: Node, _a: Node) -> Grads:
    turned = adjoint(out)
    return (-matmul(matmul(turned, g), turned),)


@composite("linalg_inv", _same, vjp=_inv_vjp)
def INV(a: Node) -> Node:  # noqa: N802 - an Op
    return call("inv", (a,), 0, a.shape, a.dtype)


def _solve_vjp(g: Node, out: Node, a: Node, _b: Node) -> Grads:
    to_b = SOLVE(adjoint(a), g)
    return -matmul(to_b, adjoint(out)), to_b


def _solve_shape(a: Node, b: Node) -> tuple[Shape, dtype]:
    return (*p.broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-1], b.shape[-1]), b.dtype


@composite("linalg_solve", _solve_shape, vjp=_solve_vjp)
def SOLVE(a: Node, b: Node) -> Node:  # noqa: N802 - an Op
    return call("solve", (a, b), 0, *_solve_shape(a, b))


def triangle(a: Node, upper: bool, unit: bool) -> Node:
    part = (TRIU if upper else TRIL)(a, diagonal=0)
    return alg.where(_on_diagonal(part), 1, part) if unit else part


def _triangular_vjp(g: Node, out: Node, a: Node, _b: Node, upper: bool, unit: bool) -> Grads:
    to_b = TRIANGULAR(adjoint(a), g, upper=not upper, unit=unit)
    to_a = -matmul(to_b, adjoint(out))
    if unit:
        return (TRIU if upper else TRIL)(to_a, diagonal=1 if upper else -1), to_b
    return (TRIU if upper else TRIL)(to_a, diagonal=0), to_b


@composite("linalg_solve_triangular", lambda a, b, *_: _solve_shape(a, b), ("upper", "unit"),
           vjp=_triangular_vjp)
def TRIANGULAR(a: Node, b: Node, upper: bool, unit: bool) -> Node:  # noqa: N802 - an Op
    return call("solve", (triangle(a, upper, unit), b), 0, *_solve_shape(a, b))


def _det_vjp(g: Node, _out: Node, a: Node) -> Grads:
    return (as_rows(as_rows(g)) * alg.conj(COFACTOR(a)) if a.dtype.kind != "c"
            else as_rows(as_rows(g)) * COFACTOR(a),)


@composite("linalg_det", lambda a: (a.shape[:-2], a.dtype), vjp=_det_vjp)
def DET(a: Node) -> Node:  # noqa: N802 - an Op
    return call("det", (a,), 0, a.shape[:-2], a.dtype)


def _cofactor_vjp(g: Node, out: Node, a: Node) -> Grads:
    """From cof(a) = det(a) inv(a)^T, where a is regular."""
    turned = adjoint(INV(a))
    total = alg.sum_(alg.conj(g) * out, (g.ndim - 2, g.ndim - 1))
    return (total * turned - matmul(matmul(out, adjoint(g)), turned),)


@composite("linalg_cofactor", _same, vjp=_cofactor_vjp)
def COFACTOR(a: Node) -> Node:  # noqa: N802 - an Op
    return call("cofactor", (a,), 0, a.shape, a.dtype)


def _slogdet_shape(a: Node, which: int) -> tuple[Shape, dtype]:
    return a.shape[:-2], a.dtype if which == 0 else a.dtype.to_real()


def _slogdet_vjp(g: Node, out: Node, a: Node, which: int) -> Grads:
    """log|det| and the angle of det are the real and the imaginary part of tr(A^-1 dA)."""
    if which == 0:
        if a.dtype.kind != "c":
            return (None,)
        g = (g * alg.conj(out) - alg.conj(g) * out) * 0.5
    return (alg.cast(as_rows(as_rows(g)), a.dtype) * adjoint(INV(a)),)


@composite("linalg_slogdet", _slogdet_shape, ("which",), vjp=_slogdet_vjp)
def SLOGDET(a: Node, which: int) -> Node:  # noqa: N802 - an Op
    return call("slogdet", (a,), which, *_slogdet_shape(a, which))


# ---------------------------------------------------------------- Cholesky


def _cholesky_vjp(g: Node, out: Node, _a: Node) -> Grads:
    """L^-H S L^-1 / 2, where S is the lower triangle of L^H g and its mirror image above.

    The diagonal of S has the imaginary part of the image, as in PyTorch.
    """
    product = matmul(adjoint(out), g)
    middle = (TRIL(product, diagonal=-1) + adjoint(TRIL(product, diagonal=0))) * 0.5
    turned = adjoint(out)
    left = TRIANGULAR(turned, middle, upper=True, unit=False)
    return (adjoint(TRIANGULAR(turned, adjoint(left), upper=True, unit=False)),)


def _factor_side(upper: bool, factor: Node, common: Node) -> Node:
    return -matmul(factor, common) if upper else -matmul(common, factor)


def _chol_inverse_vjp(g: Node, out: Node, factor: Node, upper: bool) -> Grads:
    common = matmul(out, matmul(g + adjoint(g), out))
    return (_factor_side(upper, factor, common),)


def _gram(factor: Node, upper: bool) -> Node:
    part = triangle(factor, upper, False)
    return matmul(adjoint(part), part) if upper else matmul(part, adjoint(part))


@composite("cholesky_inverse", _same, ("upper",), vjp=_chol_inverse_vjp)
def CHOLESKY_INVERSE(factor: Node, upper: bool) -> Node:  # noqa: N802 - an Op
    return INV(_gram(factor, upper))


def _chol_solve_vjp(g: Node, out: Node, _b: Node, factor: Node, upper: bool) -> Grads:
    to_b = CHOLESKY_SOLVE(g, factor, upper=upper)
    common = matmul(to_b, adjoint(out))
    return to_b, _factor_side(upper, factor, common + adjoint(common))


@composite("cholesky_solve", lambda b, factor, upper: _solve_shape(factor, b), ("upper",),
           vjp=_chol_solve_vjp)
def CHOLESKY_SOLVE(b: Node, factor: Node, upper: bool) -> Node:  # noqa: N802 - an Op
    low = adjoint(factor) if upper else factor
    half = TRIANGULAR(low, b, upper=False, unit=False)
    return TRIANGULAR(adjoint(low), half, upper=True, unit=False)


@composite("linalg_cholesky", _same, vjp=_cholesky_vjp)
def CHOLESKY(a: Node) -> Node:  # noqa: N802 - an Op
    return call("cholesky", (a,), 0, a.shape, a.dtype)


# ---------------------------------------------------------------- eigenvalues


def _eigh_shape(a: Node, lower: bool, which: int) -> tuple[Shape, dtype]:
    return (a.shape[:-1], a.dtype.to_real()) if which == 0 else (a.shape, a.dtype)


def _gaps(values: Node) -> Node:
    """values_j - values_i, 1 on the diagonal."""
    apart = as_columns(values) - as_rows(values)
    return alg.where(_on_diagonal(apart), 1, apart)


def _eigh_vjp(g: Node, out: Node, a: Node, lower: bool, which: int) -> Grads:
    if which == 0:
        vectors = EIGH(a, lower=lower, which=1)
        return (matmul(vectors * alg.cast(as_columns(g), a.dtype), adjoint(vectors)),)
    gaps = _gaps(EIGH(a, lower=lower, which=0))
    inner = matmul(adjoint(out), g) / alg.cast(gaps, a.dtype)
    inner = alg.where(_on_diagonal(inner), 0, inner)
    inner = (inner + adjoint(inner)) * 0.5     # the matrix is taken for symmetric
    return (matmul(matmul(out, inner), adjoint(out)),)


@composite("linalg_eigh", _eigh_shape, ("lower", "which"), vjp=_eigh_vjp)
def EIGH(a: Node, lower: bool, which: int) -> Node:  # noqa: N802 - an Op
    return call("eigh", (a,), which, *_eigh_shape(a, lower, which), (lower,))


def _eig_shape(a: Node, which: int) -> tuple[Shape, dtype]:
    kind = a.dtype if a.dtype.kind == "c" else a.dtype.to_complex()
    return a.shape[:-1] if which == 0 else a.shape, kind


def _eig_vjp(g: Node, out: Node, a: Node, which: int) -> Grads:
    vectors = EIG(a, which=1)
    turned = adjoint(vectors)
    if which == 0:
        inner = embedded(g)
    else:
        gaps = alg.conj(_gaps(EIG(a, which=0)))
        raw = matmul(turned, g)
        own = diagonal_of(raw)
        # only the real part: eigenvectors have unit length
        own = (own + alg.conj(own)) * 0.5
        inner = (raw - matmul(matmul(turned, vectors), own)) / gaps
        inner = alg.where(_on_diagonal(inner), 0, inner)
    return (SOLVE(turned, matmul(inner, turned)),)


@composite("linalg_eig", _eig_shape, ("which",), vjp=_eig_vjp)
def EIG(a: Node, which: int) -> Node:  # noqa: N802 - an Op
    return call("eig", (a,), which, *_eig_shape(a, which))


# ---------------------------------------------------------------- singular values


def _svd_shape(a: Node, full: bool, which: int) -> tuple[Shape, dtype]:
    *batch, m, n = a.shape
    k = min(m, n)
    shape = ((*batch, m, m if full else k), (*batch, k), (*batch, n if full else k, n))[which]
    return shape, a.dtype.to_real() if which == 1 else a.dtype


def _skew(x: Node) -> Node:
    return x - adjoint(x)


def _turn(skew: Node, gaps: Node, s: Node, sign: int) -> Node:
    """What turns the singular vectors; on the diagonal the phase that U and V share by halves,
    which is nothing for real numbers."""
    apart = skew / gaps
    if s.dtype.kind != "c":
        return apart
    squares = as_columns(s) * as_columns(s)
    return alg.where(_on_diagonal(apart), skew * (0.25 * sign) / squares, apart)


def _svd_vjp(g: Node, _out: Node, a: Node, full: bool, which: int) -> Grads:
    u, s, vh = (SVD(a, full=False, which=i) for i in range(3))
    kind = a.dtype
    s = alg.cast(s, kind)
    if which == 1:
        return (matmul(u * as_columns(alg.cast(g, kind)), vh),)
    squares = s * s
    gaps = as_columns(squares) - as_rows(squares)
    gaps = alg.where(_on_diagonal(gaps), 1, gaps)
    if which == 0:
        g = alg.narrow(g, g.ndim - 1, 0, s.shape[-1])
        inner = matmul(adjoint(u), g)
        middle = _turn(_skew(inner), gaps, s, 1) * as_columns(s)
        grad = matmul(matmul(u, middle), vh)
        outside = (g - matmul(u, inner)) / as_columns(s)
        return (grad + matmul(outside, vh) if a.shape[-2] > a.shape[-1] else grad,)
    g = adjoint(alg.narrow(g, g.ndim - 2, 0, s.shape[-1]))
    v = adjoint(vh)
    inner = matmul(vh, g)
    middle = as_rows(s) * _turn(_skew(inner), gaps, s, -1)
    grad = matmul(matmul(u, middle), vh)
    outside = adjoint((g - matmul(v, inner)) / as_columns(s))
    return (grad + matmul(u, outside) if a.shape[-1] > a.shape[-2] else grad,)


@composite("linalg_svd", _svd_shape, ("full", "which"), vjp=_svd_vjp)
def SVD(a: Node, full: bool, which: int) -> Node:  # noqa: N802 - an Op
    return call("svd", (a,), which, *_svd_shape(a, full, which), (full,))


@composite("linalg_svd.values", lambda a: _svd_shape(a, False, 1),
           vjp=lambda _g, _out, _a: (None,))
def VALUES(a: Node) -> Node:  # noqa: N802 - an Op
    """Singular values that no gradient flows through (what lstsq reports)."""
    return call("svd", (a,), 1, *_svd_shape(a, False, 1), (False,))


# ---------------------------------------------------------------- QR


def _qr_shape(a: Node, mode: str, which: int) -> tuple[Shape, dtype]:
    *batch, m, n = a.shape
    k = m if mode == "complete" else min(m, n)
    return (*batch, m, k) if which == 0 else (*batch, k, n), a.dtype


def _qr_vjp(g: Node, _out: Node, a: Node, mode: str, which: int) -> Grads:
    m, n = a.shape[-2:]
    if mode == "complete" and m > n:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and "
                           "nrows > ncols")
    q, r = (QR(a, mode="reduced", which=i) for i in range(2))
    last = a.ndim - 1
    to_q = g if which == 0 else alg.zeros_like(q)
    to_r = g if which == 1 else alg.zeros_like(r)
    if m >= n:
        return (_qr_tall(to_q, to_r, q, r),)
    right = alg.narrow(a, last, m, n - m)
    square, rest = alg.narrow(to_r, last, 0, m), alg.narrow(to_r, last, m, n - m)
    first = _qr_tall(to_q + matmul(right, adjoint(rest)), square, q, alg.narrow(r, last, 0, m))
    return (alg.cat([first, matmul(q, rest)], last),)


def _qr_tall(to_q: Node, to_r: Node, q: Node, r: Node) -> Node:
    middle = matmul(r, adjoint(to_r)) - matmul(adjoint(to_q), q)
    low = TRIL(middle, diagonal=-1)
    # R has a real diagonal
    middle = low + adjoint(low) + diagonal_of(middle + alg.conj(middle)) * 0.5
    rows = to_q + matmul(q, middle)
    return adjoint(TRIANGULAR(r, adjoint(rows), upper=True, unit=False))


@composite("linalg_qr", _qr_shape, ("mode", "which"), vjp=_qr_vjp)
def QR(a: Node, mode: str, which: int) -> Node:  # noqa: N802 - an Op
    return call("qr", (a,), which, *_qr_shape(a, mode, which), (mode,))


# ---------------------------------------------------------------- LU, exponential, pseudo-inverse


def _lu_shape(a: Node) -> tuple[Shape, dtype]:
    return a.shape, a.dtype


def _no_gradient(_g: Node, _out: Node, *args: Any) -> Grads:
    return (None,)


@composite("linalg_lu.pivots", lambda a: ((*a.shape[:-2], min(a.shape[-2:])), int32),
           vjp=_no_gradient)
def lu_pivots(a: Node) -> Node:
    """1-based row exchanges (int32)."""
    return call("lu_factor", (a,), 1, (*a.shape[:-2], min(a.shape[-2:])), int32)


@composite("linalg_lu.permutation",
           lambda pivots, rows, kind: ((*pivots.shape[:-1], rows, rows), kind), ("rows", "kind"),
           vjp=_no_gradient)
def PERMUTATION(pivots: Node, rows: int, kind: dtype) -> Node:  # noqa: N802 - an Op
    return call("permutation", (pivots,), 0, (*pivots.shape[:-1], rows, rows), kind, (rows,))


def lu_permutation(pivots: Node, rows: int, kind: dtype) -> Node:
    """The matrix P of A = P L U."""
    return PERMUTATION(pivots, rows=rows, kind=kind)


def lower_part(lu: Node) -> Node:
    """L of a packed LU: unit diagonal."""
    k = min(lu.shape[-2:])
    low = TRIL(alg.narrow(lu, lu.ndim - 1, 0, k), diagonal=-1)
    return alg.where(_on_diagonal(low), 1, low)


def upper_part(lu: Node) -> Node:
    return TRIU(alg.narrow(lu, lu.ndim - 2, 0, min(lu.shape[-2:])), diagonal=0)


def _lu_vjp(g: Node, out: Node, a: Node) -> Grads:
    """P L^-H (tril(L^H gL, -1) + triu(gU U^H)) U^-H for the square part; what lies to the right of
    it (R) or below it (B) passes through, and takes its share from the part beside it."""
    m, n = a.shape[-2:]
    k = min(m, n)
    row, column = a.ndim - 2, a.ndim - 1
    square = alg.narrow(alg.narrow(out, row, 0, k), column, 0, k)
    low, up = lower_part(square), upper_part(square)
    to_square = alg.narrow(alg.narrow(g, row, 0, k), column, 0, k)
    to_low = matmul(adjoint(low), TRIL(to_square, diagonal=-1))
    to_up = matmul(TRIU(to_square, diagonal=0), adjoint(up))
    if n > m:
        beside, to_beside = (alg.narrow(x, column, k, n - k) for x in (out, g))
        to_low = to_low - matmul(to_beside, adjoint(beside))
    if m > n:
        below, to_below = (alg.narrow(x, row, k, m - k) for x in (out, g))
        to_up = to_up - matmul(adjoint(below), to_below)
    middle = TRIL(to_low, diagonal=-1) + TRIU(to_up, diagonal=0)
    left = TRIANGULAR(adjoint(low), middle, upper=True, unit=True)
    if m > n:
        left = alg.cat([left, to_below], row)
    both = adjoint(TRIANGULAR(up, adjoint(left), upper=True, unit=False))
    if n > m:
        both = alg.cat([both, TRIANGULAR(adjoint(low), to_beside, upper=True, unit=True)], column)
    return (matmul(lu_permutation(lu_pivots(a), m, a.dtype), both),)


@composite("linalg_lu", _lu_shape, vjp=_lu_vjp)
def LU(a: Node) -> Node:  # noqa: N802 - an Op
    return call("lu_factor", (a,), 0, a.shape, a.dtype)


def _exp_vjp(g: Node, _out: Node, a: Node) -> Grads:
    """The corner of exp([[A^H, g], [0, A^H]]) (Najfeld and Havel, 1995, theorem 4.5)."""
    n = a.shape[-1]
    turned = adjoint(a)
    top = alg.cat([turned, g], a.ndim - 1)
    bottom = alg.cat([alg.zeros_like(a), turned], a.ndim - 1)
    whole = EXP(alg.cat([top, bottom], a.ndim - 2))
    return (alg.narrow(alg.narrow(whole, a.ndim - 2, 0, n), a.ndim - 1, n, n),)


@composite("matrix_exp", _same, vjp=_exp_vjp)
def EXP(a: Node) -> Node:  # noqa: N802 - an Op
    return call("matrix_exp", (a,), 0, a.shape, a.dtype)


def _pinv_shape(a: Node, b: Node) -> tuple[Shape, dtype]:
    return (*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype


def _pinv_vjp(g: Node, out: Node, a: Node, _limit: Node) -> Grads:
    """Golub and Pereyra, 1973, equation 4.12, in the order that keeps products small."""
    gh, oh = adjoint(g), adjoint(out)
    if a.shape[-2] <= a.shape[-1]:
        k = matmul(gh, out)
        ko = matmul(k, oh)
        return (ko - adjoint(matmul(out, k)) - matmul(matmul(a, out), ko)
                + matmul(matmul(oh, out), gh - matmul(k, a)), None)
    k = matmul(out, gh)
    ok = matmul(oh, k)
    return (matmul(matmul(gh - matmul(a, k), out), oh) - adjoint(matmul(k, out)) + ok
            - matmul(matmul(ok, out), a), None)


def reflected(x: Node, a: Node, tau: Node, forward: bool, turned: bool = False) -> Node:
    """x after the reflections I - tau v v^H, v in the columns of a below the diagonal: the product
    Q x if not `forward`, with the last reflection first; `turned` conjugates tau (Q^H x)."""
    count = tau.shape[-1]
    last = a.ndim - 1
    place = alg.positions(alg.narrow(a, last, 0, 1), a.ndim - 2)
    for k in range(count) if forward else reversed(range(count)):
        column = alg.narrow(a, last, k, 1)
        v = alg.where(alg.gt(place, k), column, alg.cast(alg.eq(place, k), a.dtype))
        t = alg.unsqueeze(alg.narrow(tau, tau.ndim - 1, k, 1), tau.ndim)
        x = x - (alg.conj(t) if turned else t) * matmul(v, matmul(adjoint(v), x))
    return x


@composite("linalg_pinv", _pinv_shape, vjp=_pinv_vjp)
def PINV(a: Node, limit: Node) -> Node:  # noqa: N802 - an Op
    """V S^+ U^H, with singular values at or below `limit` (...,) taken for zero."""
    u, s, vh = (SVD(a, full=False, which=i) for i in range(3))
    keep = alg.gt(s, alg.unsqueeze(limit, limit.ndim))
    inverse = alg.where(keep, 1 / alg.where(keep, s, 1), 0)
    return matmul(adjoint(vh) * as_columns(alg.cast(inverse, a.dtype)), adjoint(u))


@composite("linalg_pinv_hermitian", _pinv_shape, vjp=_pinv_vjp)
def HERMITIAN_PINV(a: Node, limit: Node) -> Node:  # noqa: N802 - an Op
    """The same from eigenvalues, of those above `limit` in size."""
    values, vectors = EIGH(a, lower=True, which=0), EIGH(a, lower=True, which=1)
    keep = alg.gt(alg.abs_(values), alg.unsqueeze(limit, limit.ndim))
    inverse = alg.where(keep, 1 / alg.where(keep, values, 1), 0)
    return matmul(vectors * as_columns(alg.cast(inverse, a.dtype)), adjoint(vectors))
