"""scaled_dot_product_attention: one node.

In: query (..., L, E), key (..., S, E), value (..., S, Ev) nodes. Out: a (..., L, Ev) node.

    attention(q, k, v)  ->  softmax(q k^T * scale + mask) v

The derivative recomputes the probabilities instead of keeping them (Dao et al., "FlashAttention",
2022, section 3.1, equations for dQ, dK, dV): with P the probabilities, dS = P (dP - sum(g * out)).
"""
from __future__ import annotations

import math
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from ..graph.primitive import broadcast
from . import algebra as alg
from .contraction import contract
from .fused import wide_type
from .table import composite, public

PARAMS = ("scale", "causal", "masked", "p")


def _infer(q: Node, k: Node, v: Node, *_: Any) -> tuple[Shape, dtype]:
    batch = broadcast(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    return (*batch, q.shape[-2], v.shape[-1]), q.dtype


def _product(a: Node, b: Node, rank: int, a_last: Shape, b_last: Shape, out_last: Shape,
             kind: dtype) -> Node:
    """A batched contraction over the last two labels of each."""
    batch = tuple(range(rank))

    def labels(x: Node, last: Shape) -> Shape:
        return batch[rank - (x.ndim - 2):] + last

    return contract(a, b, labels(a, a_last), labels(b, b_last), batch + out_last, kind)


def _split(rest: tuple[Any, ...]) -> tuple[Node | None, Node | None, float, bool, float]:
    """(mask, kept, scale, causal, p) from the sources and attributes after q, k, v."""
    scale, causal, masked, p = rest[-4:]
    mask = rest[0] if masked else None
    kept = rest[-5] if p > 0 else None
    return mask, kept, scale, causal, p


def _powers(q: Node, k: Node, mask: Node | None, scale: float, causal: bool,
            rank: int) -> tuple[Node, Node]:
    """The probabilities (..., L, S), in at least float32, as powers and what divides their rows
    (..., L, 1); a row with nothing to attend to is 0."""
    kind = wide_type(q.dtype)
    n, s, e = rank, rank + 1, rank + 2
    scores = _product(q, k, rank, (n, e), (s, e), (n, s), kind) * scale
    if mask is not None and mask.dtype is not dt.bool_:
        scores = scores + alg.cast(mask, kind)
    elif mask is not None:
        scores = alg.where(mask, scores, -math.inf)
    if causal:
        later = alg.gt(alg.positions(scores, scores.ndim - 1),
                       alg.positions(scores, scores.ndim - 2))
        scores = alg.where(later, -math.inf, scores)
    last = (scores.ndim - 1,)
    top = alg.amax(scores, last)
    if mask is None:
        powers = alg.exp(scores - top)
        return powers, alg.sum_(powers, last)
    powers = alg.exp(scores - alg.where(alg.eq(top, -math.inf), 0, top))
    total = alg.sum_(powers, last)
    return powers, alg.where(alg.eq(total, 0), 1, total)


@composite("attention", _infer, PARAMS)
def ATTENTION(q: Node, k: Node, v: Node, *rest: Any) -> Node:  # noqa: N802 - an Op
    mask, kept, scale, causal, p = _split(rest)
    rank = max(q.ndim, k.ndim, v.ndim) - 2
    n, s, e = rank, rank + 1, rank + 2
    powers, total = _powers(q, k, mask, scale, causal, rank)
    if kept is not None:
        powers = alg.where(kept, powers * _grown(p), 0)
    powers = alg.cast(powers, v.dtype)
    out = _product(powers, v, rank, (n, s), (s, e), (n, e), wide_type(v.dtype))
    return alg.cast(out / total, v.dtype)


def _grown(p: float) -> float:
    return 1 / (1 - p) if p < 1 else 0.0


def _attention_vjp(g: Node, out: Node, q: Node, k: Node, v: Node, *rest: Any,
                   ) -> tuple[Node | None, ...]:
    mask, kept, scale, causal, p = _split(rest)
    kind = wide_type(q.dtype)
    rank = g.ndim - 2
    n, s, e = rank, rank + 1, rank + 2
    powers, total = _powers(q, k, mask, scale, causal, rank)
    weights = powers * alg.reciprocal(total)
    used = weights if kept is None else alg.where(kept, weights * _grown(p), 0)
    to_v = _product(alg.cast(used, v.dtype), g, rank, (n, s), (n, e), (s, e), v.dtype)
    to_used = _product(g, v, rank, (n, e), (s, e), (n, s), kind)
    if kept is not None:
        to_used = alg.where(kept, to_used * _grown(p), 0)
    row = alg.sum_(alg.cast(g, kind) * alg.cast(out, kind), (g.ndim - 1,))
    to_scores = weights * (to_used - row)
    scaled = alg.cast(to_scores * scale, q.dtype)
    to_q = _product(scaled, k, rank, (n, s), (s, e), (n, e), q.dtype)
    to_k = _product(scaled, q, rank, (n, s), (n, e), (s, e), q.dtype)
    to_mask = to_scores if mask is not None and mask.dtype.kind == "f" else None
    extra = ((to_mask,) if mask is not None else ()) + ((None,) if kept is not None else ())
    return to_q, to_k, to_v, *extra


ATTENTION.vjp = _attention_vjp


# ---------------------------------------------------------------- PyTorch's function


def _check(q: Node, k: Node, v: Node, mask: Node | None, causal: bool, gqa: bool) -> None:
    if not (q.dtype is k.dtype is v.dtype):
        names = [_word(x.dtype) for x in (q, k, v)]
        raise RuntimeError("Expected query, key, and value to have the same dtype, but got "
                           f"query.dtype: {names[0]} key.dtype: {names[1]} and value.dtype: "
                           f"{names[2]} instead.")
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise RuntimeError("Expected query, key, and value to all be  at least 2 dimensional, but "
                           f"got query.dim: {q.ndim} key.dim: {k.ndim} and value.dim: {v.ndim} "
                           "instead.")
    if mask is not None:
        if mask.dtype.kind not in "bf":
            raise RuntimeError("Expected attn_mask dtype to be bool or float or to match query "
                               f"dtype, but got attn_mask.dtype: {_word(mask.dtype)} and  "
                               f"query.dtype: {_word(q.dtype)} instead.")
        if causal:
            raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be "
                               "set when is_causal=True")
    if q.shape[-1] != k.shape[-1]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied "
                           f"({q.shape[-2]}x{q.shape[-1]} and {k.shape[-1]}x{k.shape[-2]})")
    if k.shape[-2] != v.shape[-2]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied "
                           f"({q.shape[-2]}x{k.shape[-2]} and {v.shape[-2]}x{v.shape[-1]})")
    if not gqa:
        batch = broadcast(q.shape[:-2], k.shape[:-2], v.shape[:-2])
        if mask is not None:
            broadcast((*batch, q.shape[-2], k.shape[-2]), mask.shape)


def _word(kind: dtype) -> str:
    return {"float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long int",
            "bfloat16": "c10::BFloat16"}.get(kind.name, kind.name)


def _heads_apart(q: Node, k: Node, v: Node, mask: Node | None,
                 ) -> tuple[Node, Node, Node, Node | None]:
    """Grouped queries: heads as (key heads, queries of each), so that keys broadcast."""
    if min(q.ndim, k.ndim, v.ndim) < 3 or k.shape[-3] != v.shape[-3] \
            or q.shape[-3] % k.shape[-3]:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in "
                           "query")
    groups, each = k.shape[-3], q.shape[-3] // k.shape[-3]
    q = alg.reshape(q, q.shape[:-3] + (groups, each) + q.shape[-2:])
    k, v = (alg.unsqueeze(x, x.ndim - 2) for x in (k, v))
    if mask is not None and mask.ndim > 2:
        heads = (groups, each) if mask.shape[-3] != 1 else (1, 1)
        mask = alg.reshape(mask, mask.shape[:-3] + heads + mask.shape[-2:])
    return q, k, v, mask


# (shape, dtype, probability) -> a bool node of what is kept; `tensor/dropout` draws it
DRAW: list[Any] = []


def _weights_shape(q: Node, k: Node) -> Shape:
    heads = q.shape[:-2] if q.ndim == k.ndim and q.shape[:-3] == k.shape[:-3] else broadcast(
        q.shape[:-2], k.shape[:-2])
    return (*heads, q.shape[-2], k.shape[-2])


@public("nn.functional.scaled_dot_product_attention", "_C._nn.scaled_dot_product_attention")
def scaled_dot_product_attention(query: Node, key: Node, value: Node,
                                 attn_mask: Node | None = None, dropout_p: float = 0.0,
                                 is_causal: bool = False, scale: float | None = None,
                                 enable_gqa: bool = False, *, kept: Node | None = None) -> Node:
    """softmax(query @ key.T * scale + mask) @ value.

    `kept` is the bool tensor (..., L, S) of what dropout keeps; it is drawn if not given.
    """
    _check(query, key, value, attn_mask, is_causal, enable_gqa)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    rank = max(query.ndim, key.ndim, value.ndim)
    q, k, v = (alg.reshape(x, (1,) * (rank - x.ndim) + x.shape) for x in (query, key, value))
    mask = attn_mask
    if enable_gqa:
        q, k, v, mask = _heads_apart(q, k, v, mask)
    if dropout_p > 0 and kept is None:
        kept = DRAW[0](_weights_shape(query, key), query.dtype, 1 - dropout_p)
    extra: tuple[Node, ...] = () if mask is None else (mask,)
    if kept is not None:
        extra += (alg.reshape(kept, kept.shape[:-3] + q.shape[-4:-2] + kept.shape[-2:])
                  if enable_gqa else kept,)
    p = float(dropout_p) if kept is not None else 0.0
    out = ATTENTION(q, k, v, *extra, scale=float(scale), causal=bool(is_causal),
                    masked=mask is not None, p=p)
    if enable_gqa:
        out = alg.reshape(out, out.shape[:-4] + (query.shape[-3],) + out.shape[-2:])
    return out
