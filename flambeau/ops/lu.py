"""Triangular factors: torch.linalg.lu and its relatives, and the older names in torch.

In: matrix nodes (..., m, n). Out: nodes and named tuples of them.

    lu(%0 : (3, 3))  ->  P, L, U with %0 = P L U
"""
from __future__ import annotations

from collections import namedtuple

from ..graph.node import Node
from . import algebra as alg
from . import decompositions as dec
from .contraction import matmul
from .linalg import check_matrix, singular, solve
from .table import public

lu_result = namedtuple("lu", ["P", "L", "U"])
lu_factor_result = namedtuple("lu_factor", ["LU", "pivots"])
lu_factor_ex_result = namedtuple("lu_factor_ex", ["LU", "pivots", "info"])
lu_info_result = namedtuple("_lu_with_info", ["LU", "pivots", "info"])


@public("linalg.lu_factor")
def lu_factor(A: Node, *, pivot: bool = True) -> lu_factor_result:  # noqa: N803
    """The factors of A = P L U, packed, and the pivots (from 1)."""
    check_matrix("torch.lu_factor", A, square=False)
    _pivots(pivot, "lu_factor")
    return lu_factor_result(dec.LU(A), dec.lu_pivots(A))


def _pivots(pivot: bool, name: str) -> None:
    if not pivot:
        raise RuntimeError(f"linalg.{name}: LU without pivoting is not implemented on the CPU")


@public("linalg.lu_factor_ex")
def lu_factor_ex(A: Node, *, pivot: bool = True,  # noqa: N803
                 check_errors: bool = False) -> lu_factor_ex_result:
    """lu_factor, with LAPACK's status as a third result."""
    return lu_factor_ex_result(*lu_factor(A, pivot=pivot), singular(A))


@public("linalg.lu")
def lu(A: Node, *, pivot: bool = True) -> lu_result:  # noqa: N803
    """A = P L U."""
    packed, pivots = lu_factor(A, pivot=pivot)
    return lu_result(dec.lu_permutation(pivots, A.shape[-2], A.dtype), dec.lower_part(packed),
                     dec.upper_part(packed))


@public("torch.lu_unpack")
def lu_unpack(LU_data: Node, LU_pivots: Node, unpack_data: bool = True,  # noqa: N803
              unpack_pivots: bool = True) -> lu_result:
    """P, L and U from lu_factor's results."""
    none = alg.full((0,), 0, LU_data.dtype)
    if LU_data.ndim < 2:
        raise RuntimeError("torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: "
                           f"{list(LU_data.shape)} instead")
    batch = LU_data.shape[:-2]
    LU_pivots = alg.expand(LU_pivots, batch + LU_pivots.shape[-1:])  # noqa: N806
    p = dec.lu_permutation(LU_pivots, LU_data.shape[-2], LU_data.dtype) if unpack_pivots else none
    if not unpack_data:
        return lu_result(p, none, none)
    return lu_result(p, dec.lower_part(LU_data), dec.upper_part(LU_data))


@public("linalg.lu_solve")
def linalg_lu_solve(LU: Node, pivots: Node, B: Node, *, left: bool = True,  # noqa: N803
                    adjoint: bool = False) -> Node:
    """X with A X = B from the packed factors of A."""
    if LU.shape[:-1] != pivots.shape:
        raise RuntimeError("linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the "
                           f"same, but got pivots with shape {list(pivots.shape)} instead")
    p = dec.lu_permutation(pivots, LU.shape[-1], LU.dtype)
    a = matmul(p, matmul(dec.lower_part(LU), dec.upper_part(LU)))
    return solve(dec.adjoint(a) if adjoint else a, B, left=left)


@public("lu_solve")
def lu_solve(input: Node, LU_data: Node, LU_pivots: Node) -> Node:  # noqa: N803
    """X with A X = input from lu_factor's results."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


@public("lu")
def old_lu(input: Node, pivot: bool = True, get_infos: bool = False) -> tuple[Node, ...]:
    """(packed factors, row exchanges) and, if asked, zeros for success."""
    found = lu_factor(input, pivot=pivot)
    return lu_info_result(*found, singular(input)) if get_infos else found
