"""One graph for a whole batch, from the graph of one sample: what `vmap` is made of.

In: nodes of one sample, made from `sample` leaves, and the batch that each leaf stands for. Out:
nodes with the batch as their first dim. Composites are opened; what does not depend on a sample
stays as it is.

    sum(mul(sample[3], %w : (3,)))  ->  sum(mul(%batch : (64, 3), %w), dims=(1,))  : (64, 1)
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.errors import NotBatched
from ..graph import primitive as p
from ..graph.node import Node, Op
from ..graph.primitive import SAMPLE, broadcast
from . import algebra as a

Batches = dict[int, Node]                       # by the id of a sample's node
# LAPACK functions, which take any dims in front of the matrices.
_STACKED = frozenset("""cholesky cholesky_ex cofactor det eig eigh geqrf inv ldl_factor ldl_solve
    lu_factor matrix_exp permutation qr singular slogdet solve svd""".split())


def sample(batch: Node) -> Node:
    """A leaf that stands for each of the samples of a batch (its first dim)."""
    shape = batch.shape[1:]
    return Node(SAMPLE, (), (shape, batch.dtype), shape, batch.dtype)


def batched(outs: list[Node], batches: Batches, size: int) -> list[Node]:
    """The nodes `outs` of one sample for all samples; NotBatched where a rule is missing."""
    found: dict[int, Node | None] = dict(batches)    # None: the same for all samples
    opened: dict[int, Node] = {}
    kept: list[Node] = []                            # keeps the keys valid
    stack = [*outs]
    while stack:
        node = stack[-1]
        if id(node) in found:
            stack.pop()
            continue
        missing = [s for s in node.src if id(s) not in found]
        if missing:
            stack += missing
            continue
        if all(found[id(s)] is None for s in node.src):
            if node.op is SAMPLE:
                raise NotBatched("a sample of another vmap")
            found[id(node)] = None
        elif node.op.expand is not None:
            inner = opened.get(id(node))
            if inner is None:
                inner = opened[id(node)] = node.op.expand(*node.src, *node.attrs)
            if id(inner) not in found:
                stack.append(inner)
                continue
            # `node` still leads to a sample, also where what it opens to does not
            found[id(node)] = _whole(inner, found[id(inner)], size)
        else:
            found[id(node)] = _rule(node, [found[id(s)] for s in node.src], size)
        kept.append(node)
        stack.pop()
    return [_whole(n, found[id(n)], size) for n in outs]


def _rule(node: Node, src: list[Node | None], size: int) -> Node:
    if node.op.kind == "map":
        return _map(node, src)
    rule = _RULES.get(node.op)
    if rule is None:
        raise NotBatched(f"'{node.op.name}' has no form for batches")
    return rule(node, src, size)


def _again(node: Node, *src: Node, **attrs: Any) -> Node:
    """The node's operation on other sources, some of its attributes changed."""
    given = dict(zip(node.op.params, node.attrs, strict=True))
    return node.op(*src, **{**given, **attrs})


def _whole(one: Node, batch: Node | None, size: int) -> Node:
    """A batch, also of what is the same for all samples."""
    return a.expand(one, (size, *one.shape)) if batch is None else batch


def _ranked(batch: Node, rank: int) -> Node:
    """A batch of samples with ones in front of their dims, `rank` in all."""
    lead = rank - (batch.ndim - 1)
    return a.reshape(batch, (batch.shape[0], *(1,) * lead, *batch.shape[1:]))


def _ahead(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(d + 1 for d in dims)


def _map(node: Node, src: list[Node | None]) -> Node:
    return node.op(*[s if b is None else _ranked(b, node.ndim) for s, b in zip(node.src, src)],
                   **dict(zip(node.op.params, node.attrs, strict=True)))


# ---------------------------------------------------------------- movement


def _expand(node: Node, src: list[Any], size: int) -> Node:
    return a.expand(_ranked(src[0], node.ndim), (size, *node.shape))


def _reshape(node: Node, src: list[Any], size: int) -> Node:
    return a.reshape(src[0], (size, *node.shape))


def _permute(node: Node, src: list[Any], size: int) -> Node:
    return a.permute(src[0], (0, *_ahead(node.attrs[0])))


def _slice(node: Node, src: list[Any], size: int) -> Node:
    start, step, shape = node.attrs
    return a.slice_(src[0], (0, *start), (1, *step), (size, *shape))


def _slice_at(node: Node, src: list[Any], size: int) -> Node:
    start, step, shape, dims = node.attrs
    if any(b is not None for b in src[1:]):
        raise NotBatched("slices that begin elsewhere in each sample")
    return _again(node, src[0], *node.src[1:], start=(0, *start), step=(1, *step),
                  shape=(size, *shape), dims=_ahead(dims))


def _pad(node: Node, src: list[Any], size: int) -> Node:
    low, high, inner = node.attrs
    return a.pad(src[0], (0, *low), (0, *high), (0, *inner))


def _dim_later(node: Node, src: list[Any], size: int) -> Node:
    """Operations along one dim."""
    return _again(node, src[0], dim=node.attrs[node.op.params.index("dim")] + 1)


def _cat(node: Node, src: list[Any], size: int) -> Node:
    return a.cat([_whole(s, b, size) for s, b in zip(node.src, src)], node.attrs[0] + 1)


def _as_strided(node: Node, src: list[Any], size: int) -> Node:
    shape, stride, offset = node.attrs
    return a.as_strided(src[0], (size, *shape), (node.src[0].size, *stride), offset)


# ---------------------------------------------------------------- reductions, contractions


def _reduce(node: Node, src: list[Any], size: int) -> Node:
    return _again(node, src[0], dims=_ahead(node.attrs[0]))


def _dot(node: Node, src: list[Any], size: int) -> Node:
    x_dims, y_dims, out_dims, kind = node.attrs
    new = max((*x_dims, *y_dims), default=-1) + 1
    x_dims, y_dims = (dims if b is None else (new, *dims)
                      for dims, b in zip((x_dims, y_dims), src))
    x, y = (s if b is None else b for s, b in zip(node.src, src))
    return a.dot(x, y, x_dims, y_dims, (new, *out_dims), kind)


# ---------------------------------------------------------------- indexing, order


def _positions(node_indices: tuple[Node, ...], batches: list[Any], size: int, own: bool,
               ) -> list[Node]:
    """Indices aligned behind the batch; with `own`, the number of the sample before them."""
    rank = max(i.ndim for i in node_indices)
    found = [i if b is None else _ranked(b, rank) for i, b in zip(node_indices, batches)]
    return [a.iota((size, *(1,) * rank), 0), *found] if own else found


def _take(node: Node, src: list[Any], size: int) -> Node:
    dims = node.attrs[0]
    x, indices = src[0], node.src[1:]
    if x is not None and all(b is None for b in src[1:]):
        front = len(broadcast(*[i.shape for i in indices]))
        out = a.take(x, indices, _ahead(dims))
        order = (front, *range(front), *range(front + 1, out.ndim))
        return a.permute(out, order)
    own = x is not None
    places = _positions(indices, src[1:], size, own)
    return a.take(x if own else node.src[0], places, (0, *_ahead(dims)) if own else dims)


def _put(node: Node, src: list[Any], size: int) -> Node:
    dims, mode = node.attrs
    base, value = (_whole(s, b, size) for s, b in zip(node.src[:2], src))
    places = _positions(node.src[2:], src[2:], size, True)
    return a.put(base, value, places, (0, *_ahead(dims)), mode)


def _write(node: Node, src: list[Any], size: int) -> Node:
    shape, stride, offset = node.attrs
    base, value = (_whole(s, b, size) for s, b in zip(node.src, src))
    return a.write(base, value, (size, *shape), (node.size, *stride), offset)


def _search(node: Node, src: list[Any], size: int) -> Node:
    edges, values = node.src
    if src[0] is None and edges.ndim == 1:
        return _again(node, edges, src[1])
    edges, values = (_whole(s, b, size) for s, b in zip(node.src, src))
    flat = values if edges.ndim > 2 else a.reshape(values, (size, math.prod(values.shape[1:])))
    return a.reshape(_again(node, edges, flat), values.shape)


def _host(node: Node, src: list[Any], size: int) -> Node:
    name, args, _, shape, _ = node.attrs
    if name.startswith("fft_"):
        args = (_ahead(args[0]), *args[1:])
    elif name not in _STACKED:
        raise NotBatched(f"'{name}' has no form for batches")
    return _again(node, *[_whole(s, b, size) for s, b in zip(node.src, src)], args=args,
                  shape=(size, *shape))


_RULES: dict[Op, Callable[..., Node]] = {
    p.EXPAND: _expand, p.RESHAPE: _reshape, p.PERMUTE: _permute, p.SLICE: _slice,
    p.SLICE_AT: _slice_at, p.PAD: _pad, p.UNFOLD: _dim_later, p.FOLD: _dim_later, p.CAT: _cat,
    p.AS_STRIDED: _as_strided, p.DOT: _dot, p.TAKE: _take, p.PUT: _put, p.WRITE: _write,
    p.SCAN: _dim_later, p.ARGSORT: _dim_later, p.SEARCH: _search, p.HOST: _host,
    **dict.fromkeys((p.SUM, p.PROD, p.AMAX, p.AMIN, p.ANY, p.ALL), _reduce),
}
