"""Triangles and diagonals of matrices.

In: nodes. Out: nodes. A triangle is a mask over positions, so it fuses into what reads it.

    tril(%0 : (3, 3), 0)  ->  where(iota(dim 1) - iota(dim 0) <= 0, %0, 0)
"""
from __future__ import annotations

from ..core import dtype as dt
from ..core.layout import wrap_dim
from ..graph.node import Node
from . import algebra as alg
from .table import composite, public
from .view import diagonal as diagonal_view
from .view import movedim


@composite("tril", lambda x, k: (x.shape, x.dtype), ("diagonal",))
def TRIL(x: Node, diagonal: int) -> Node:  # noqa: N802 - an Op
    return alg.where(alg.le(_column_minus_row(x), diagonal), x, 0)


@composite("triu", lambda x, k: (x.shape, x.dtype), ("diagonal",))
def TRIU(x: Node, diagonal: int) -> Node:  # noqa: N802 - an Op
    return alg.where(alg.ge(_column_minus_row(x), diagonal), x, 0)


def _column_minus_row(x: Node) -> Node:
    return alg.positions(x, x.ndim - 1) - alg.positions(x, x.ndim - 2)


def _matrix(x: Node, name: str) -> None:
    if x.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


@public("tril", inplace=True)
def tril(input: Node, diagonal: int = 0) -> Node:
    """The elements on and below a diagonal; zeros above."""
    _matrix(input, "tril")
    return TRIL(input, diagonal=int(diagonal))


@public("triu", inplace=True)
def triu(input: Node, diagonal: int = 0) -> Node:
    """The elements on and above a diagonal; zeros below."""
    _matrix(input, "triu")
    return TRIU(input, diagonal=int(diagonal))


@public("diag_embed")
def diag_embed(input: Node, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Node:
    """Vectors (last dim) as diagonals of zero matrices in dims dim1 and dim2."""
    rank = input.ndim + 1
    d1, d2 = wrap_dim(dim1, rank), wrap_dim(dim2, rank)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = input.shape[-1]
    wide = alg.expand(alg.unsqueeze(input, input.ndim), (*input.shape, n))
    square = alg.where(alg.eq(_column_minus_row(wide), 0), wide, 0)
    batch = (0,) * (rank - 2)
    low = (max(-offset, 0), max(offset, 0))
    high = (max(offset, 0), max(-offset, 0))
    square = alg.pad(square, (*batch, *low), (*batch, *high))
    return movedim(square, (rank - 2, rank - 1), (d1, d2))


@public("diagflat")
def diagflat(input: Node, offset: int = 0) -> Node:
    """A square matrix with the flattened input on a diagonal."""
    return diag_embed(alg.reshape(input, (input.size,)), offset)


@public("diag")
def diag(input: Node, diagonal: int = 0) -> Node:
    """A vector as a diagonal matrix, or the diagonal of a matrix (a copy)."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return diagonal_view(input, diagonal)


@public("trace")
def trace(input: Node) -> Node:
    """The sum of the main diagonal; integers sum in int64."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    line = diagonal_view(input)
    if line.dtype.kind in "biu":
        line = alg.cast(line, dt.int64)
    return alg.squeeze(alg.sum_(line, (0,)), (0,))
