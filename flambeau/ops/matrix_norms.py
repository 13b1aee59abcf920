"""Norms of matrices, condition numbers, and tensors solved as matrices.

In: nodes. Out: nodes.

    matrix_norm(%0 : (3, 4), "nuc")  ->  sum(linalg_svd(%0, which=1), dims=(0,))
"""
from __future__ import annotations

import math
from typing import Any

from ..core.dtype import dtype as DType  # noqa: N812 - `dtype` is a parameter below
from ..graph.node import Node
from . import algebra as alg
from . import promotion as pro
from .linalg import inv, solve, svdvals
from .norms import norm_of
from .table import public


def _absolute(x: Node) -> Node:
    """|x|, real, as a norm of nothing else."""
    return norm_of(alg.unsqueeze(x, x.ndim), 2.0, -1, False) if x.dtype.kind == "c" \
        else alg.abs_(x)


@public("linalg.matrix_norm")
def matrix_norm(A: Node, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,  # noqa: N803
                dtype: DType | None = None) -> Node:
    """'fro', 'nuc', or an operator norm: 1, -1, 2, -2, inf, -inf."""
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 "
                           "dimensions.")
    if A.dtype.kind not in "fc":
        raise RuntimeError("linalg.matrix_norm: Expected a floating point or complex tensor as "
                           f"input. Got {pro.type_name(A.dtype)}")
    if len(tuple(dim)) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {list(dim)}")
    a = A if dtype is None else alg.cast(A, dtype)
    rows, columns = (pro.wrap_dim(d, a.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return norm_of(a, 2.0, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        return _by_values(a, ord, rows, columns, keepdim)
    if ord not in (1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    add, pick = (rows, columns) if abs(ord) == 1 else (columns, rows)
    total = alg.sum_(_absolute(a), (add,))
    out = _extreme(total, pick, ord > 0)
    return out if keepdim else alg.squeeze(out, (rows, columns))


def _extreme(sizes: Node, dim: int, largest: bool) -> Node:
    """The largest or smallest size along a dim; of none, the largest is 0."""
    if sizes.shape[dim]:
        return (alg.amax if largest else alg.amin)(sizes, (dim,))
    if not largest:
        raise IndexError(f"amin(): Expected reduction dim {dim} to have non-zero size.")
    return alg.sum_(sizes, (dim,))


def _by_values(a: Node, ord: Any, rows: int, columns: int, keepdim: bool) -> Node:
    rest = [d for d in range(a.ndim) if d not in (rows, columns)]
    values = svdvals(alg.permute(a, (*rest, rows, columns)))
    last = values.ndim - 1
    found = alg.sum_(values, (last,)) if ord == "nuc" else _extreme(values, last, ord == 2)
    out = alg.squeeze(found, (last,))
    if not keepdim:
        return out
    return alg.reshape(out, tuple(1 if d in (rows, columns) else n for d, n in enumerate(a.shape)))


@public("linalg.norm")
def norm(A: Node, ord: Any = None, dim: Any = None, keepdim: bool = False, *,  # noqa: N803
         dtype: DType | None = None) -> Node:
    """A vector's norm, or with `ord` and two dims a matrix's."""
    if A.dtype.kind not in "fc":
        raise RuntimeError("linalg.norm: Expected a floating point or complex tensor as input. Got "
                           f"{pro.type_name(A.dtype)}")
    a = A if dtype is None else alg.cast(A, dtype)
    two = dim is not None and hasattr(dim, "__len__") and len(dim) == 2
    if ord is None:
        out = norm_of(a, 2.0, dim, keepdim)
        return out
    if dim is None and a.ndim not in (1, 2):
        raise RuntimeError("linalg.norm: If dim is not specified but ord is, the input must be 1D "
                           f"or 2D. Got {a.ndim}D.")
    if two or dim is None and a.ndim == 2:
        return matrix_norm(a, ord, dim if two else (0, 1), keepdim)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    return norm_of(a, float(ord), dim, keepdim)


@public("linalg.cond")
def cond(A: Node, p: Any = None) -> Node:  # noqa: N803
    """norm(A) * norm(inv(A)); by singular values for p = None, 2, -2."""
    if A.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor A must have at least 2 dimensions.")
    if p in (None, 2, -2):
        values = svdvals(A)
        last = values.ndim - 1
        if not values.shape[last]:
            return alg.squeeze(alg.sum_(values, (last,)), (last,))
        first = alg.squeeze(alg.narrow(values, last, 0, 1), (last,))
        final = alg.squeeze(alg.narrow(values, last, values.shape[last] - 1, 1), (last,))
        return final / first if p == -2 else first / final
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


@public("linalg.tensorinv", now=True)
def tensorinv(A: Node, ind: int = 2) -> Node:  # noqa: N803
    """The inverse of A as a map between its first `ind` dims and the others."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', got {ind}")
    left, right = A.shape[:ind], A.shape[ind:]
    n, m = math.prod(left), math.prod(right)
    if n != m:
        raise RuntimeError("Expected self to satisfy the requirement prod(self.shape[ind:]) == "
                           f"prod(self.shape[:ind]), got {m} != {n}")
    return alg.reshape(inv(alg.reshape(A, (n, m))), right + left)


@public("linalg.tensorsolve", now=True)
def tensorsolve(A: Node, B: Node, dims: Any = None) -> Node:  # noqa: N803
    """X with tensordot(A, X, X.ndim) = B."""
    if dims is not None:
        moved = [pro.wrap_dim(d, A.ndim) for d in dims]
        A = alg.permute(A, [d for d in range(A.ndim) if d not in moved] + moved)  # noqa: N806
    right = A.shape[B.ndim:]
    n = math.prod(right)
    if n != B.size:
        raise RuntimeError("Expected self to satisfy the requirement prod(self.shape[other.ndim:]) "
                           f"== prod(self.shape[:other.ndim]), but got {n} != {B.size}")
    return alg.reshape(solve(alg.reshape(A, (n, n)), alg.reshape(B, (n,))), right)
