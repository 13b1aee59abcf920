"""Products of Householder reflections, as geqrf leaves them: orgqr, ormqr.

In: the packed reflections and their factors tau. Out: Q, or Q times a matrix.
"""
from __future__ import annotations

from collections import namedtuple

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as alg
from . import decompositions as dec
from . import promotion as pro
from .decompositions import adjoint
from .linalg import check_matrix
from .table import public

geqrf_result = namedtuple("geqrf", ["a", "tau"])


@public("linalg.householder_product", "orgqr")
def householder_product(input: Node, tau: Node) -> Node:
    """The first columns of the product of reflections stored as geqrf leaves them."""
    check_matrix("torch.linalg.householder_product", input, square=False)
    m, n = input.shape[-2:]
    if n < tau.shape[-1]:
        raise RuntimeError("torch.linalg.householder_product: input.shape[-1] must be greater than "
                           "or equal to tau.shape[-1]")
    _check_rank("torch.linalg.householder_product", input, tau)
    eye = alg.expand(alg.narrow(dec.identity(input, m), 1, 0, n), input.shape)
    if not tau.shape[-1]:                       # of the input only in its tape entry
        return alg.where(alg.full(input.shape, True, dt.bool_), eye, input)
    return dec.reflected(eye, input, tau, forward=False)


@public("ormqr")
def ormqr(input: Node, tau: Node, other: Node, left: bool = True, transpose: bool = False) -> Node:
    """Q other, or other Q (or with Q^H), Q the product of the stored reflections."""
    _check_reflections(input, tau, other, left)
    if not left:
        return adjoint(ormqr(input, tau, adjoint(other), True, not transpose))
    return dec.reflected(other, input, tau, forward=transpose, turned=transpose)


def _check_rank(name: str, a: Node, tau: Node) -> None:
    if tau.ndim != a.ndim - 1:
        raise RuntimeError(f"{name}: Expected tau to have one dimension less than input, but got "
                           f"tau.ndim equal to {tau.ndim} and input.ndim is equal to {a.ndim}")


def _check_reflections(a: Node, tau: Node, other: Node, left: bool) -> None:
    side = -2 if left else -1
    for name, x in (("input", a), ("other", other)):
        if x.ndim < 2:
            raise RuntimeError(f"torch.ormqr: {name} must have at least 2 dimensions.")
    if other.shape[side] < tau.shape[-1]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be greater than or equal to "
                           "tau.shape[-1]")
    if other.shape[side] != a.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.shape[-1] > a.shape[-1]:
        raise RuntimeError("torch.ormqr: tau.shape[-1] must be equal to "
                           f"min(other.shape[{side}], input.shape[-1])")
    _check_rank("torch.ormqr", a, tau)
    if other.ndim != a.ndim:
        raise RuntimeError("torch.ormqr: Expected other to have the same number of dimensions as "
                           f"input, but got other.ndim equal to {other.ndim} and input.ndim is "
                           f"equal to {a.ndim}")
    for name, x in (("tau", tau), ("other", other)):
        if x.dtype is not a.dtype:
            raise RuntimeError(f"torch.ormqr: Expected input and {name} to have the same dtype, "
                               f"but input has dtype{pro.type_name(a.dtype)} and {name} has dtype "
                               f"{pro.type_name(x.dtype)}")


@public("geqrf")
def geqrf(input: Node) -> geqrf_result:
    """QR as LAPACK packs it: R above the diagonal, reflections below, and their factors."""
    check_matrix("torch.geqrf", input, square=False)
    k = min(input.shape[-2:])
    tau = (*input.shape[:-2], k)
    return geqrf_result(dec.call("geqrf", (input,), 0, input.shape, input.dtype),
                        dec.call("geqrf", (input,), 1, tau, input.dtype))
