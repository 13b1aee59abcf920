"""Derivatives of the primitives that move, index, scan and contract.

In: (g, out, *src, *attrs) as `derive` calls them. Out: one gradient node or None per source.

    y = slice(x, start=(1,), step=(2,), shape=(3,))  ->  dx = pad(g, low=(1,), inner=(1,), ...)
"""
from __future__ import annotations

from typing import Any

from ..core.dtype import dtype, int64
from ..core.layout import Layout
from ..graph import primitive as p
from ..graph.node import Node, Shape
from . import algebra as alg
from .table import derivative

Grads = tuple[Node | None, ...]


@derivative(p.EXPAND)
def _expand(g: Node, _out: Node, _x: Node, shape: Shape) -> Grads:
    return (g,)                                # `derive.fit` sums what was stretched


@derivative(p.RESHAPE)
def _reshape(g: Node, _out: Node, _x: Node, shape: Shape) -> Grads:
    return (alg.reshape(g, _x.shape),)


@derivative(p.PERMUTE)
def _permute(g: Node, _out: Node, _x: Node, dims: Shape) -> Grads:
    back = [0] * len(dims)
    for to, source in enumerate(dims):
        back[source] = to
    return (alg.permute(g, back),)


@derivative(p.SLICE)
def _slice(g: Node, _out: Node, _x: Node, start: Shape, step: Shape, shape: Shape) -> Grads:
    if 0 in shape:
        return (None,)
    repeated = tuple(d for d, s in enumerate(step) if s == 0 and shape[d] > 1)
    g = alg.sum_(g, repeated)
    g = alg.flip(g, [d for d, s in enumerate(step) if s < 0])
    low, high, inner = [], [], []
    for a, s, m, n in zip(start, step, g.shape, _x.shape):
        first = min(a, a + (m - 1) * s)
        low.append(first)
        inner.append(max(abs(s) - 1, 0) if m > 1 else 0)
        high.append(n - 1 - max(a, a + (m - 1) * s))
    return (alg.pad(g, tuple(low), tuple(high), tuple(inner)),)


@derivative(p.PAD)
def _pad(g: Node, _out: Node, _x: Node, low: Shape, high: Shape, inner: Shape) -> Grads:
    return (alg.slice_(g, low, tuple(k + 1 for k in inner), _x.shape),)


@derivative(p.UNFOLD)
def _unfold(g: Node, _out: Node, _x: Node, dim: int, size: int, step: int, dilation: int) -> Grads:
    return (alg.fold(g, dim, _x.shape[dim], step, dilation),)


@derivative(p.FOLD)
def _fold(g: Node, _out: Node, _x: Node, dim: int, n: int, step: int, dilation: int) -> Grads:
    windows = alg.unfold(g, dim, _x.shape[-1], step, dilation)
    return (alg.narrow(windows, dim, 0, _x.shape[dim]),)


@derivative(p.AS_STRIDED)
def _as_strided(g: Node, _out: Node, _x: Node, shape: Shape, stride: Shape, offset: int) -> Grads:
    base = alg.zeros_like(_x)
    if not Layout(shape, stride, offset).may_overlap_itself:
        return (alg.write(base, g, shape, stride, offset),)
    at = alg.full(shape, offset, int64)
    for d, s in enumerate(stride):
        at = at + alg.iota(shape, d) * s
    flat = alg.put(alg.reshape(base, (base.size,)), g, [at], (0,), "add")
    return (alg.reshape(flat, _x.shape),)


@derivative(p.WRITE)
def _write(g: Node, _out: Node, _base: Node, _value: Node, shape: Shape, stride: Shape,
           offset: int) -> Grads:
    nothing = alg.full(shape, 0, g.dtype)
    return alg.write(g, nothing, shape, stride, offset), alg.as_strided(g, shape, stride, offset)


@derivative(p.CAT)
def _cat(g: Node, _out: Node, *_rest: Any) -> Grads:
    *parts, dim = _rest
    grads = []
    at = 0
    for part in parts:
        n = part.shape[dim]
        grads.append(alg.narrow(g, dim, at, n))
        at += n
    return tuple(grads)


@derivative(p.TAKE)
def _take(g: Node, _out: Node, _x: Node, *rest: Any) -> Grads:
    *indices, dims = rest
    grad = alg.put(alg.zeros_like(_x), g, indices, dims, "add")
    return grad, *[None] * len(indices)


@derivative(p.PUT)
def _put(g: Node, out: Node, base: Node, value: Node, *rest: Any) -> Grads:
    *indices, dims, mode = rest
    none = [None] * len(indices)
    if mode == "add":
        return g, alg.take(g, indices, dims), *none
    if mode == "set":
        nothing = alg.full(value.shape, 0, g.dtype)
        return alg.put(g, nothing, indices, dims), alg.take(g, indices, dims), *none
    if mode == "mul":
        return *_put_mul(g, base, value, indices, dims), *none
    return *_put_extreme(g, out, base, value, indices, dims), *none


def _put_mul(g: Node, base: Node, value: Node, indices: list[Node], dims: Shape) -> Grads:
    """d(base * product of the values put there): each factor's is the product of the others."""
    ones = alg.full(base.shape, 1, base.dtype)
    factors = alg.put(ones, value, indices, dims, "mul")
    zero = alg.eq(value, 0)
    whole = alg.where(zero, 1, value)
    others = alg.put(base, whole, indices, dims, "mul")        # without any zero value
    count = alg.put(alg.zeros_like(base), alg.cast(zero, base.dtype), indices, dims, "add")
    zeros = alg.take(count, indices, dims) - alg.cast(zero, base.dtype)
    through = alg.take(g * others, indices, dims) / whole
    return g * factors, alg.where(alg.eq(zeros, 0), through, 0)


def _put_extreme(g: Node, out: Node, base: Node, value: Node, indices: list[Node],
                 dims: Shape) -> Grads:
    """The least or greatest: shared equally by all that attain it."""
    kept = alg.cast(alg.eq(base, out), g.dtype)
    won = alg.cast(alg.eq(value, alg.take(out, indices, dims)), g.dtype)
    share = g / alg.put(kept, won, indices, dims, "add")
    return share * kept, alg.take(share, indices, dims) * won


@derivative(p.ARGSORT)
def _argsort(_g: Node, _out: Node, _x: Node, dim: int, descending: bool, count: int) -> Grads:
    return (None,)


@derivative(p.SEARCH)
def _search(_g: Node, _out: Node, _edges: Node, _values: Node, right: bool) -> Grads:
    return None, None


@derivative(p.DOT)
def _dot(g: Node, _out: Node, a: Node, b: Node, a_dims: Shape, b_dims: Shape, out_dims: Shape,
         dtype: dtype) -> Grads:
    return (_dot_side(g, b, out_dims, b_dims, a.shape, a_dims),
            _dot_side(g, a, out_dims, a_dims, b.shape, b_dims))


def _dot_side(g: Node, other: Node, out_dims: Shape, other_dims: Shape, shape: Shape,
              dims: Shape) -> Node:
    """The gradient of one operand: g contracted with the other one, stretched over lone labels."""
    other = alg.conj(alg.cast(other, g.dtype))
    known = set(out_dims) | set(other_dims)
    found = tuple(d for d in dims if d in known)
    grad = alg.dot(g, other, out_dims, other_dims, found)
    if len(found) != len(dims):
        kept = tuple(n if d in known else 1 for d, n in zip(dims, shape))
        grad = alg.expand(alg.reshape(grad, kept), shape)
    return grad
