"""Vector norms and what rests on them: norm, dist, renorm, normalize, cosine_similarity.

In: nodes, an order, dims. Out: nodes.

    vector_norm(x, ord=2, dim=1)  ->  sqrt(sum(x * x, dims=(1,)))
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dtype import dtype
from ..graph.node import Node, Shape
from . import algebra as a
from .algebra import cast, const, where
from .arithmetic import add, sub
from .comparison import clamp_min
from .complex_ import MODULUS
from .decompositions import SVD
from .fused import fused
from .known import constant
from .promotion import check_float, promote, type_name, wrap_dim, wrap_dims
from .reduction import reduced, restored
from .table import public

Dim = Any


def _infer(x: Node, ord: float, dims: tuple[int, ...], keepdim: bool) -> tuple[Shape, dtype]:
    return reduced(x, dims, keepdim), x.dtype


def _slope(g: Node, out: Node, x: Node, ord: float, dims: tuple[int, ...],
           keepdim: bool) -> tuple[Node | None]:
    g, out = restored(g, x, dims), restored(out, x, dims)
    if ord == 0:
        return (a.zeros_like(x),)
    if ord == 1:
        return (g * a.sign(x),)
    if ord == 2:
        return (x * where(a.eq(out, 0), 0, g / out),)
    if math.isinf(ord):
        hit = cast(a.eq(a.abs_(x), out), x.dtype)
        return (g * a.sign(x) * hit / a.sum_(hit, dims),)
    size = a.power(a.abs_(x), const(ord - 1, x.dtype))
    if ord < 1:
        size = where(a.eq(x, 0), 0, size)
    scale = where(a.eq(out, 0), 0, g * a.power(out, const(1 - ord, x.dtype)))
    return (a.sign(x) * size * scale,)


@fused("vector_norm", ("ord", "dims", "keepdim"), infer=_infer, vjp=_slope)
def norm_op(x: Node, ord: float, dims: tuple[int, ...], keepdim: bool) -> Node:
    shape = reduced(x, dims, keepdim)
    size = a.abs_(x)
    if ord == 2:
        return a.reshape(a.sqrt(a.sum_(x * x, dims)), shape)
    if ord == 1:
        return a.reshape(a.sum_(size, dims), shape)
    if ord == 0:
        return a.reshape(a.sum_(cast(a.ne(x, 0), x.dtype), dims), shape)
    if math.isinf(ord):
        empty = not all(x.shape[d] for d in dims)
        if empty:
            return a.full(shape, 0, x.dtype)
        return a.reshape((a.amax if ord > 0 else a.amin)(size, dims), shape)
    powers = a.sum_(_raised(size, ord), dims)
    return a.reshape(a.power(powers, const(1 / ord, x.dtype)), shape)


def _raised(size: Node, ord: float) -> Node:
    return size * size * size if ord == 3 else a.power(size, const(ord, size.dtype))


def norm_of(x: Node, ord: float = 2.0, dim: Dim = None, keepdim: bool = False) -> Node:
    if x.dtype.kind == "c":
        x = MODULUS(x)
    return norm_op(x, ord=float(ord), dims=wrap_dims(dim, x.ndim), keepdim=bool(keepdim))


@public("linalg.vector_norm")
def vector_norm(x: Node, ord: Any = 2, dim: Dim = None, keepdim: bool = False, *,
                dtype: dtype | None = None) -> Node:
    """(sum of |x|**ord)**(1 / ord) over dims, as of one long vector."""
    if x.dtype.kind not in "fc":
        raise RuntimeError("linalg.vector_norm: Expected a floating point or complex tensor as "
                           f"input. Got {type_name(x.dtype)}")
    if dtype is not None:
        x = cast(x, dtype)
    dims = wrap_dims(dim, x.ndim)
    if (ord < 0 or ord == math.inf) and not all(x.shape[d] for d in dims):
        raise RuntimeError(f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor "
                           "because the operation does not have an identity")
    return norm_of(x, ord, dim, keepdim)


@public("norm")
def norm(input: Node, p: Any = "fro", dim: Dim = None, keepdim: bool = False,
         dtype: dtype | None = None) -> Node:
    """Entry-wise norms; 'nuc' needs singular values (linalg)."""
    if dtype is not None:
        input = cast(input, dtype)
    if input.dtype.kind not in "fc":
        raise RuntimeError("linalg.vector_norm: Expected a floating point or complex tensor as "
                           f"input. Got {type_name(input.dtype)}")
    if p == "nuc":
        return _nuclear(input, dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"only valid string values are 'fro' and 'nuc', found: {p}")
    return norm_of(input, 2.0 if p in ("fro", None) else p, dim, keepdim)


def _nuclear(x: Node, dim: Dim, keepdim: bool) -> Node:
    """The sum of the singular values over two dims."""
    two = wrap_dims(dim, x.ndim)
    if len(two) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {list(two)}")
    rest = [d for d in range(x.ndim) if d not in two]
    values = SVD(a.permute(x, (*rest, *two)), full=False, which=1)
    out = a.squeeze(a.sum_(values, (values.ndim - 1,)), (values.ndim - 1,))
    if not keepdim:
        return out
    return a.reshape(out, tuple(1 if d in two else n for d, n in enumerate(x.shape)))


@public("torch.frobenius_norm")
def frobenius_norm(input: Node, dim: Dim = None, keepdim: bool = False) -> Node:
    """The square root of the sum of squares."""
    return norm(input, "fro", dim or None, keepdim)


@public("torch.nuclear_norm")
def nuclear_norm(input: Node, dim: Any = None, keepdim: bool = False) -> Node:
    """Over two dims; a bool in their place is `keepdim`."""
    if isinstance(dim, bool):
        dim, keepdim = None, dim
    return norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim)


@public("dist")
def dist(input: Node, other: Node, p: float = 2) -> Node:
    """The p-norm of input - other."""
    x, y = promote(input, other)
    return norm_of(x - y, p)


@public("renorm", inplace=True)
def renorm(input: Node, p: float, dim: int, maxnorm: float) -> Node:
    """Sub-tensors along dim with a norm above maxnorm are scaled down to it."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError("renorm: input needs at least 2 dimensions, got "
                           f"{input.ndim} dimensions")
    d = wrap_dim(dim, input.ndim)
    norms = norm_of(input, p, [i for i in range(input.ndim) if i != d], True)
    factor = where(a.gt(norms, maxnorm), maxnorm / (norms + 1e-7), const(1, norms.dtype))
    return input * cast(factor, input.dtype)


@public("nn.functional.normalize")
def normalize(input: Node, p: float = 2.0, dim: Dim = 1, eps: float = 1e-12) -> Node:
    """input / max(its p-norm along dim, eps)."""
    size = norm_of(input, p, dim, True)
    return input / cast(a.expand(clamp_min(size, eps), input.shape), input.dtype)


@public("torch.cosine_similarity", "nn.functional.cosine_similarity")
def cosine_similarity(x1: Node, x2: Node, dim: int = 1, eps: float = 1e-8) -> Node:
    """x1 . x2 / (|x1| |x2|) along dim."""
    x, y = promote(x1, x2)
    if x.dtype.kind not in "fc":
        raise RuntimeError("expected common dtype to be floating point, yet common dtype is "
                           f"{type_name(x.dtype)}")
    shape = a.add(x, y).shape
    x, y = a.expand(x, shape), a.expand(y, shape)
    d = wrap_dim(dim, x.ndim)
    return _cosine(x, y, dim=d, eps=float(eps))


def _without(x: Node, y: Node, dim: int, eps: float) -> tuple[Shape, dtype]:
    return reduced(x, (dim,), False), x.dtype


@fused("cosine_similarity", ("dim", "eps"), infer=_without)
def _cosine(x: Node, y: Node, dim: int, eps: float) -> Node:
    """Each side is divided by its own norm, and each norm is at least eps."""
    dims = (dim,) if x.ndim else ()
    n1 = a.max_(norm_of(x, 2, dims or None, True), eps)
    n2 = a.max_(norm_of(y, 2, dims or None, True), eps)
    return a.squeeze(a.sum_((x / n1) * (y / n2), dims), dims)


@public("torch.pdist", "nn.functional.pdist")
def pdist(input: Node, p: float = 2) -> Node:
    """The distances of all pairs of rows i < j, in the order of i and then j."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    check_float("pdist", input)
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = (constant(i.astype(np.int64)) for i in np.triu_indices(input.shape[0], 1))
    gap = a.take(input, (first,), (0,)) - a.take(input, (second,), (0,))
    return norm_of(gap, p, 1)


@public("torch.pairwise_distance", "nn.functional.pairwise_distance")
def pairwise_distance(x1: Node, x2: Node, p: float = 2, eps: float = 1e-6,
                      keepdim: bool = False) -> Node:
    """The p-norm of x1 - x2 + eps along the last dim."""
    x, y = promote(x1, x2)
    gap = add(sub(x, y), float(eps))
    return norm_of(gap, p, max(gap.ndim - 1, 0), keepdim)
