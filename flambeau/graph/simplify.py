"""Local rewrites of primitives, and the splitting of large reductions so that threads share them.

In: a graph of primitives. Out: an equal graph with less in it.

    reshape(reshape(x))            ->  reshape(x)
    mul(x, 1)                      ->  x
    sum(x, all of 4,000,000)       ->  sum(sum(reshape(x, (512, 8192)), dim 1), dim 0)
"""
from __future__ import annotations

import math
from typing import Any

from . import interpret
from .decompose import rebuild
from .loop import trim
from .node import Node, Shape
from .primitive import (
    ALIAS,
    ALL,
    AMAX,
    AMIN,
    ANY,
    CAST,
    CAT,
    CONST,
    DOT,
    EXPAND,
    PAD,
    PERMUTE,
    PRIMITIVES,
    RESHAPE,
    SLICE,
    SUM,
    broadcast,
    const,
)

MUL, ADD, SUB, DIV, POW = (PRIMITIVES[n] for n in ("mul", "add", "sub", "div", "pow"))
SPLITTABLE = {SUM, AMAX, AMIN, ANY, ALL, PRIMITIVES["prod"]}
EMPTY = {"sum": 0, "prod": 1, "any": False, "all": True}
SPLIT_ABOVE = 1 << 16       # elements reduced to one before the reduction is cut
TERMS = 16                  # of a sum that is looked through
PIECES = 256                # into this many parts, whatever the number of threads


def simplify(roots: list[Node]) -> list[Node]:
    """Rewrite from sources to results, once; then cut large reductions."""
    roots = rebuild(roots, _rewrite)
    trimmed = trim(roots)
    if trimmed is not roots:
        roots = rebuild(trimmed, _rewrite)
    return rebuild(roots, _split_reduction)


def _rewrite(node: Node) -> Node:
    while True:
        better = _step(node)
        if better is node:
            return node
        node = better


def _step(node: Node) -> Node:
    op = node.op
    if op is ALIAS:
        return node.src[0]
    empty = _empty(node)
    if empty is not None:
        return empty
    if op is CAST:
        return _cast(node)
    if op.kind == "map":
        return _map(node)
    if op.kind == "move":
        return _move(node)
    if op.kind == "reduce":
        return _reduce(node)
    return node


def _empty(node: Node) -> Node | None:
    """Nothing is computed for no elements, and a reduction of none gives its identity."""
    if not node.src or node.op.kind == "host":
        return None
    if node.size == 0:
        return node if node.op is EXPAND and node.src[0].op is CONST else _spread(0, node)
    if node.op is DOT and node.src[0].size == 0:
        return _spread(0, node)
    if node.op.kind == "reduce" and node.src[0].size == 0:
        return _spread(EMPTY.get(node.op.name, math.nan), node)
    return None


def _spread(value: float, node: Node) -> Node:
    return EXPAND(const(value, node.dtype), shape=node.shape)


def _cast(node: Node) -> Node:
    src = node.src[0]
    if src.dtype is node.dtype:
        return src
    if src.op is CONST:
        return _fold_constant(node)
    return node


def _fold_constant(node: Node) -> Node:
    value = interpret.evaluate([node])[0]
    return const(value.item() if value.dtype.kind != "V" else float(value), node.dtype)


def _is(node: Node, value: float) -> bool:
    """Whether the node is the constant `value` in every element."""
    while node.op in (EXPAND, RESHAPE):
        node = node.src[0]
    return node.op is CONST and bool(node.attrs[0] == value)


def _strip(node: Node, shape: tuple[int, ...]) -> Node:
    """A constant spread over a shape can stay a number where another operand has the shape."""
    inner = node
    while inner.op in (EXPAND, RESHAPE) and inner.src:
        inner = inner.src[0]
    return inner if inner.op is CONST and inner.shape == () else node


def _map(node: Node) -> Node:
    src = node.src
    if src and all(s.op is CONST for s in src) and node.shape == ():
        return _fold_constant(node)
    if len(src) > 1:
        slim = tuple(_strip(s, node.shape) for s in src)
        if any(a is not b for a, b in zip(slim, src)) and broadcast(
                *[s.shape for s in slim]) == node.shape:
            return _like(node, slim)
    if node.op is MUL:
        for a, b in (src, src[::-1]):
            if _is(b, 1) and a.shape == node.shape:
                return a
    if node.op is ADD:
        return _joined(node)
    if node.op in (DIV, POW) and _is(src[1], 1) and src[0].shape == node.shape:
        return src[0]
    if node.op is POW and _is(src[1], 2) and src[0].shape == node.shape:
        return _like(node, (src[0], src[0]), MUL)
    if node.op is SUB and _is(src[1], 0) and src[0].shape == node.shape:
        return src[0]
    return node


def _like(node: Node, src: tuple[Node, ...], op: Any = None, attrs: Any = None) -> Node:
    copy = Node(op or node.op, src, node.attrs if attrs is None else attrs, node.shape, node.dtype)
    copy.origin = node.origin
    return copy


def _move(node: Node) -> Node:
    op, src = node.op, node.src[0]
    if op in (RESHAPE, PERMUTE, SLICE) and src.op is EXPAND and src.src[0].op is CONST:
        return EXPAND(src.src[0], shape=node.shape)
    if op is EXPAND:
        if src.shape == node.shape:
            return src
        if src.op is EXPAND and len(src.src[0].shape) == len(src.shape):
            return _like(node, src.src)
    elif op is RESHAPE:
        if src.shape == node.shape:
            return src
        if src.op is RESHAPE:
            return _like(node, src.src)
    elif op is PERMUTE:
        dims = node.attrs[0]
        if dims == tuple(range(len(dims))):
            return src
        if src.op is PERMUTE:
            return _like(node, src.src, attrs=(tuple(src.attrs[0][d] for d in dims),))
        if _keeps_order(src.shape, dims):
            return _like(node, (src,), RESHAPE, (node.shape,))
    elif op is SLICE:
        return _slice(node)
    return node


def _slice(node: Node) -> Node:
    """A slice of nothing, or of the one term of a sum of padded parts that is not zero there."""
    start, step, shape = node.attrs
    src = node.src[0]
    if any(s != 1 for s in step):
        return node
    if shape == src.shape and not any(start):
        return src
    terms = _terms(src)
    if not any(t.op is PAD and not _cuts(t, start, shape) for t in terms):
        return node
    total: Node | None = None
    for term in terms:
        piece = _slice_of_pad(term, start, shape)
        if piece is not None:
            total = piece if total is None else ADD(total, piece)
    return _spread(0, node) if total is None else total


def _slice_of_pad(pad: Node, start: Shape, shape: Shape) -> Node | None:
    """The part of a padded node; None where all of it is padding."""
    ones = (1,) * len(shape)
    if pad.op is not PAD or _cuts(pad, start, shape):
        return SLICE(pad, start=start, step=ones, shape=shape)
    low, inner = pad.attrs[0], pad.src[0]
    if any(a + n <= b or b + m <= a for a, n, b, m in zip(start, shape, low, inner.shape)):
        return None
    moved = tuple(a - b for a, b in zip(start, low))
    return _rewrite(SLICE(inner, start=moved, step=ones, shape=shape))


def _cuts(pad: Node, start: Shape, shape: Shape) -> bool:
    """Whether a slice has both padding and what was padded in it."""
    if any(pad.attrs[2]):
        return True
    low, inner = pad.attrs[0], pad.src[0].shape
    outside = any(a + n <= b or b + m <= a for a, n, b, m in zip(start, shape, low, inner))
    inside = all(b <= a and a + n <= b + m for a, n, b, m in zip(start, shape, low, inner))
    return not outside and not inside


def _terms(node: Node) -> list[Node]:
    """What a sum of a few nodes of one shape is made of."""
    found, stack = [], [node]
    while stack:
        n = stack.pop()
        if n.op is ADD and all(s.shape == n.shape for s in n.src):
            stack.extend(reversed(n.src))
        else:
            found.append(n)
        if len(found) + len(stack) > TERMS:
            return [node]
    return found


def _joined(node: Node) -> Node:
    """A sum of padded parts that fill one dim side by side is their concatenation."""
    terms = _terms(node)
    if len(terms) < 2 or any(t.op is not PAD or any(t.attrs[2]) for t in terms):
        return node
    wide = [d for d, n in enumerate(node.shape) if terms[0].src[0].shape[d] != n]
    if len(wide) != 1:
        return node
    dim = wide[0]
    terms.sort(key=lambda t: t.attrs[0][dim])
    at = 0
    for t in terms:
        others = (n for d, n in enumerate(t.src[0].shape) if d != dim)
        if t.attrs[0][dim] != at or tuple(others) != node.shape[:dim] + node.shape[dim + 1:]:
            return node
        at += t.src[0].shape[dim]
    return CAT(*(t.src[0] for t in terms), dim=dim) if at == node.shape[dim] else node


def _keeps_order(shape: tuple[int, ...], dims: tuple[int, ...]) -> bool:
    """Whether the permutation only moves dims of extent 1, so that memory order stays."""
    kept = [d for d in dims if shape[d] != 1]
    return kept == sorted(kept)


def _reduce(node: Node) -> Node:
    src = node.src[0]
    dims = node.attrs[0]
    used = tuple(d for d in dims if src.shape[d] != 1)
    if not used:
        return src
    if used != dims:
        return _like(node, node.src, attrs=(used,))
    if node.op is SUM and src.op is EXPAND and node.dtype.kind == "f" and node.size:
        return _sum_of_expand(node)
    return node


def _sum_of_expand(node: Node) -> Node:
    """sum over stretched dims -> a product with their extent (only when all reduced dims are)."""
    src = node.src[0]
    inner = src.src[0]
    lead = src.ndim - inner.ndim
    stretched = [d for d in node.attrs[0] if d < lead or inner.shape[d - lead] == 1]
    if len(stretched) != len(node.attrs[0]) or node.dtype.itemsize == 2:
        return node
    count = math.prod(src.shape[d] for d in stretched)
    full = inner if lead == 0 else RESHAPE(inner, shape=(1,) * lead + inner.shape)
    kept = EXPAND(full, shape=node.shape)
    return _like(node, (kept, const(count, node.dtype)), MUL, ())


def _split_reduction(node: Node) -> Node:
    """Cut a reduction of very many elements to few results into PIECES partial ones."""
    if node.op not in SPLITTABLE or node.size >= PIECES // 4:
        return node
    src, dims = node.src[0], node.attrs[0]
    count = math.prod(src.shape[d] for d in dims)
    if count < SPLIT_ABOVE:
        return node
    wide = node.dtype.itemsize == 2 and node.dtype.kind == "f"
    outside = count // src.shape[dims[-1]]
    if not wide and dims[-1] == src.ndim - 1 and 16 <= outside <= SPLIT_ABOVE >= outside * 4:
        # Rows first: they may share a kernel with what else is done along rows (layer norm).
        rows = node.op(src, dims=dims[-1:])
        return node.op(rows, dims=dims[:-1])
    cut = _cut(src.shape, dims)
    if cut is None or wide:
        return node
    dim, outer = cut
    shape = src.shape[:dim] + (outer, src.shape[dim] // outer) + src.shape[dim + 1:]
    moved = tuple(d if d <= dim else d + 1 for d in dims if d != dim)
    with_cut = RESHAPE(src, shape=shape)
    inner = node.op(with_cut, dims=tuple(sorted((*(d for d in moved if d > dim), dim + 1))))
    rest = node.op(inner, dims=tuple(sorted((*(d for d in moved if d < dim), dim))))
    return RESHAPE(rest, shape=node.shape)


def _cut(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, int] | None:
    """Which dim to cut and into how many parts: the first reduced one with a fitting divisor."""
    before = 1
    for d in dims:
        want = max(1, PIECES // before)
        for outer in range(min(want, shape[d]), 1, -1):
            if shape[d] % outer == 0 and before * outer >= 16:
                return d, outer
        before *= shape[d]
        if before >= PIECES:
            return None
    return None
