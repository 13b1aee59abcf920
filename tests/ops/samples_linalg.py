"""Samples of products, contractions, decompositions and what is made of them."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from .samples import B, C, F, P, S, U, Z


def fn(name: str) -> str:
    return "nn.functional." + name


def la(name: str) -> str:
    return "linalg." + name


def positive(lib: Any, args: Any) -> Any:
    """The first argument made positive definite."""
    a = args[0]
    return [a @ a.mH + 2 * lib.eye(a.shape[-1], dtype=a.dtype), *args[1:]]


def hermitian(lib: Any, args: Any) -> Any:
    a = args[0]
    return [a + a.mH, *args[1:]]


def regular(lib: Any, args: Any) -> Any:
    """The first argument moved away from singular matrices."""
    a = args[0]
    return [a + 5 * lib.eye(a.shape[-2], a.shape[-1], dtype=a.dtype), *args[1:]]


def triangular(lib: Any, args: Any) -> Any:
    return [lib.tril(regular(lib, args)[0]), *args[1:]]


def upper(lib: Any, args: Any) -> Any:
    return [lib.linalg.cholesky(positive(lib, args)[0]).mH, *args[1:]]


def vectors(lib: Any, result: Any) -> Any:
    """Values, and of the vectors what has neither sign nor phase."""
    return result[0], result[1].abs()


def factors(lib: Any, result: Any) -> Any:
    u, s, v = result
    return u.abs(), s, v.abs()


def first(lib: Any, result: Any) -> Any:
    return result[0]


def firsts(lib: Any, result: Any) -> Any:
    return result[:2]


NORMS = ("fro", "nuc", math.inf, -math.inf, 1, -1, 2, -2)
HALF = {"before": positive, "by": (0,)}

PRODUCTS = [
    S("dot", F(3), F(3)), S("dot", C(3), C(3)), S("vdot", C(3), C(3)), S("vdot", F(3), F(3)),
    S(la("vecdot"), F(2, 3), F(2, 3)), S(la("vecdot"), C(2, 3), C(3), dim=-1),
    S("mv", F(2, 3), F(3)), S("mv", C(2, 3), C(3)), S("mm", F(2, 3), F(3, 4)),
    S("mm", Z(2, 3), Z(3, 2)),
    S("mm", C(2, 3), C(3, 2)), S("bmm", F(2, 2, 3), F(2, 3, 2)), S("bmm", C(2, 2, 3), C(2, 3, 2)),
    *[S("matmul", F(*a), F(*b)) for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)),
                                            ((2, 3), (3, 4)), ((2, 1, 2, 3), (4, 3, 2)),
                                            ((2, 3, 4), (4,)), ((2, 3), (4, 3, 2)),
                                            ((2, 0), (0, 3))]],
    S("matmul", C(2, 3), C(3)), S("outer", F(2), F(3)), S("outer", C(2), C(3)),
    S("inner", F(2, 3), F(4, 3)), S("inner", F(3), F(3)),
    S("addmm", F(2, 4), F(2, 3), F(3, 4)), S("addmm", F(4), F(2, 3), F(3, 4), beta=0.5, alpha=2),
    S("addmm", C(2, 2), C(2, 3), C(3, 2)), S("addmv", F(2), F(2, 3), F(3), beta=0.5, alpha=2),
    S("addr", F(2, 3), F(2), F(3), beta=0.5, alpha=2), S("addr", C(2, 3), C(2), C(3)),
    S("addbmm", F(2, 4), F(3, 2, 3), F(3, 3, 4), beta=0.5, alpha=2),
    S("baddbmm", F(2, 2, 4), F(2, 2, 3), F(2, 3, 4), beta=0.5, alpha=2),
    S("baddbmm", C(2, 2, 2), C(2, 2, 3), C(2, 3, 2)),
    S(fn("linear"), F(2, 3), F(4, 3), F(4)), S(fn("linear"), F(3), F(4, 3)),
    S(fn("linear"), C(2, 3), C(4, 3), C(4)),
    S("torch.bilinear", F(2, 3), F(2, 4), F(5, 3, 4), F(5)),
    S(fn("scaled_dot_product_attention"), F(2, 2, 3, 4), F(2, 2, 5, 4), F(2, 2, 5, 3)),
    S(fn("scaled_dot_product_attention"), F(1, 3, 4), F(1, 3, 4), F(1, 3, 4), is_causal=True),
    S(fn("scaled_dot_product_attention"), F(3, 4), F(5, 4), F(5, 4), B(3, 5), by=(0, 1, 2)),
    S(fn("scaled_dot_product_attention"), F(3, 4), F(5, 4), F(5, 4), F(3, 5), scale=0.3),
    S("torch.einsum", "ij,jk->ik", F(2, 3), F(3, 4)), S("torch.einsum", "ii->i", F(3, 3)),
    S("torch.einsum", "...ij,...jk->...ik", F(2, 2, 3), F(3, 2)),
    S("torch.einsum", "i,j", F(2), F(3)),
    S("torch.einsum", "bij,bjk,k->b", C(2, 2, 3), C(2, 3, 2), C(2)),
    S("torch.tensordot", F(2, 3, 4), F(3, 4, 2)),
    S("torch.tensordot", F(2, 3), F(4, 3), ([1], [1])),
    S(la("multi_dot"), [F(2, 3), F(3, 4), F(4, 2)]), S(la("multi_dot"), [F(3), F(3, 2), F(2)]),
    S("torch.chain_matmul", F(2, 3), F(3, 4), F(4, 2)), S("matrix_power", F(3, 3), 3),
    S("matrix_power", C(2, 2), 2), S("matrix_power", F(3, 3), 0), S("matrix_power", F(2, 3, 3), -2,
                                                                 before=regular),
    S("kron", F(2, 3), F(2)), S("kron", C(2, 2), C(1, 3)), S(la("cross"), F(2, 3), F(2, 3)),
    S(la("cross"), C(3), C(3)), S("cross", F(3, 2), F(3, 2), 0), S("cross", F(2, 3), F(2, 3), -1),
    *[S("torch.cdist", F(3, 2), F(4, 2), p) for p in (1.0, 2.0, 3.0, math.inf)],
    *[S("torch.pdist", F(4, 3), p, once="" if p == 2 else "PyTorch has none either")
      for p in (2.0, 1.0, 3.0)],
    S("torch.vander", F(3)), S("torch.vander", F(3), 4, True), S(la("vander"), F(3)),
    S(la("vander"), C(2), N=4), S("torch.gradient", F(5)), S("torch.gradient", F(4, 5), spacing=0.5,
                                                           dim=1, edge_order=2),
    S("torch.gradient", C(3, 4)), S("matrix_exp", F(3, 3)), S("matrix_exp", F(2, 2, 2)),
    S("matrix_exp", C(2, 2)),
]

DECOMPOSITIONS = [
    *[S(la("inv"), x, before=regular) for x in (F(3, 3), F(2, 2, 2), C(2, 2))],
    S(la("inv_ex"), F(3, 3), before=regular, after=first),
    *[S("det", x) for x in (F(3, 3), F(2, 3, 3), C(2, 2), F(1, 1))],
    S("det", np.zeros((2, 2)), once="singular: PyTorch's is an approximation", grad=False),
    S("slogdet", F(3, 3)), S("slogdet", F(2, 3, 3)), S("slogdet", C(2, 2)),
    S("logdet", F(3, 3), before=positive), S("logdet", F(2, 2, 2), before=positive),
    *[S(la("solve"), a, b, before=regular) for a, b in [
        (F(3, 3), F(3)), (F(3, 3), F(3, 2)), (F(2, 3, 3), F(2, 3, 1)), (C(2, 2), C(2, 3))]],
    S(la("solve"), F(3, 3), F(2, 3), left=False, before=regular),
    S(la("solve_ex"), F(3, 3), F(3), before=regular, after=first),
    S(la("solve_triangular"), F(3, 3), F(3, 2), upper=False, before=triangular),
    S(la("solve_triangular"), F(3, 3), F(2, 3), upper=True, left=False, before=regular),
    S(la("solve_triangular"), C(2, 2), C(2, 2), upper=False, unitriangular=True),
    S("triangular_solve", F(3, 2), F(3, 3), before=lambda lib, args: [
        args[0], regular(lib, [args[1]])[0]]),
    S(la("lstsq"), F(4, 2), F(4, 3), after=first), S(la("lstsq"), F(2, 4), F(2, 3), after=first),
    S(la("lstsq"), C(3, 2), C(3, 1), after=first),
    *[S(la("cholesky"), x, before=positive) for x in (F(3, 3), F(2, 2, 2), C(2, 2))],
    S(la("cholesky"), F(3, 3), upper=True, before=positive),
    S("cholesky", F(3, 3), before=positive),
    S(la("cholesky_ex"), F(3, 3), before=positive, after=first),
    S("cholesky_inverse", F(3, 3), before=triangular), S("cholesky_inverse", C(2, 2), True,
                                                          before=upper),
    S("cholesky_solve", F(3, 2), F(3, 3), before=lambda lib, args: [
        args[0], triangular(lib, [args[1]])[0]]),
    *[S(la("eigh"), x, before=hermitian, after=vectors) for x in (F(3, 3), F(2, 2, 2), C(2, 2))],
    S(la("eigvalsh"), F(3, 3), before=hermitian), S(la("eigvalsh"), C(2, 2), "U", before=hermitian),
    S(la("eig"), F(3, 3), before=hermitian, after=vectors),
    S(la("eigvals"), C(3, 3), after=lambda lib, w: w.pow(2).sum()),
    *[S(la("svd"), x, full_matrices=False, after=factors) for x in (F(3, 2), F(2, 3, 3), C(2, 3))],
    S("svd", F(3, 2), after=factors), S(la("svdvals"), F(3, 2)), S(la("svdvals"), C(2, 2)),
    S(la("pinv"), F(3, 2)), S(la("pinv"), F(2, 3)), S(la("pinv"), C(3, 2)),
    S(la("pinv"), F(3, 3), hermitian=True, before=hermitian), S("pinverse", F(3, 2)),
    S(la("matrix_rank"), F(3, 2), grad=False), S(la("matrix_rank"), np.ones((3, 3)), grad=False),
    *[S(la("qr"), x) for x in (F(3, 2), F(3, 3), F(2, 2, 3), C(3, 2))], S("qr", F(3, 2)),
    S(la("lu_factor"), F(3, 3), before=regular, after=first),
    S(la("lu_factor"), C(2, 2), after=first),
    S(la("lu_factor_ex"), F(2, 3), before=regular, after=first), S(la("lu"), F(3, 3)),
    S(la("lu"), F(3, 2), before=regular), S("lu", F(3, 3), before=regular, after=first),
    S("torch.lu_unpack", F(3, 3), np.array([2, 3, 3], np.int32), spoil=False),
    S(la("lu_solve"), F(3, 3), np.array([2, 3, 3], np.int32), F(3, 2), before=regular),
    S(la("lu_solve"), C(2, 2), np.array([2, 2], np.int32), C(2, 2), adjoint=True, before=regular),
    S("lu_solve", F(3, 2), F(3, 3), np.array([2, 3, 3], np.int32), before=lambda lib, args: [
        args[0], regular(lib, [args[1]])[0], args[2]]),
    S(la("householder_product"), F(4, 2), U(2)), S(la("householder_product"), C(3, 2), C(2)),
    S("ormqr", F(4, 2), U(2), F(4, 3)), S("geqrf", F(3, 2), grad=False),
    S(la("ldl_factor"), F(3, 3), before=hermitian, grad=False),
    S(la("ldl_factor_ex"), F(3, 3), before=hermitian, grad=False),
    S(la("ldl_solve"), F(3, 3), np.array([1, 2, 3], np.int32), F(3, 2), before=triangular,
      grad=False),
    *[S(la("matrix_norm"), F(3, 4), o) for o in NORMS], S(la("matrix_norm"), C(2, 2), "nuc"),
    S(la("matrix_norm"), F(2, 3, 2), 2, (0, 1), True), S(la("norm"), F(3, 4)),
    S(la("norm"), C(3), 3),
    S(la("norm"), F(3, 4), "nuc"), S(la("norm"), F(2, 3, 4), 1, (0, 2), True),
    *[S(la("cond"), F(3, 3), p) for p in (None, 1, -2, "fro", math.inf)],
    S(la("tensorinv"), F(6, 2, 3), ind=1, before=lambda lib, args: [
        args[0] + 5 * lib.eye(6, dtype=args[0].dtype).reshape(6, 2, 3)]),
    S(la("tensorsolve"), F(2, 3, 6), F(2, 3), before=lambda lib, args: [
        args[0] + 5 * lib.eye(6, dtype=args[0].dtype).reshape(2, 3, 6), args[1]]),
    S("torch.frobenius_norm", F(2, 3), 1), S("torch.nuclear_norm", F(3, 2)),
    S("torch.nuclear_norm", P(2, 3, 2), (0, 1)),
]

SAMPLES = [*PRODUCTS, *DECOMPOSITIONS]
