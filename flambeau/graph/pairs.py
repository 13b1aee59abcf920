"""Complex numbers as pairs of reals, so that what comes after knows real numbers alone.

In: a graph of primitives. Out: an equal graph without complex nodes: a complex input or result of
shape (...) is a real one of shape (..., 2), which is the same memory. Arithmetic and movement work
on the two parts; what has no rule here runs in NumPy, as the interpreter means it (a HOST step).

    %1 = mul(%0, %0) : complex64(4)   ->   re*re - im*im, re*im + im*re,  joined to float32(4, 2)
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import dtype as dt
from . import complex_math, interpret
from .node import Node, topological
from .primitive import (
    CAST,
    CAT,
    EXPAND,
    HOST,
    HOST_FUNCTIONS,
    INPUT,
    PERMUTE,
    PRIMITIVES,
    RESHAPE,
    SLICE,
    const,
    spec,
)

Pair = complex_math.Pair
Array = np.ndarray[Any, Any]


def split_complex(roots: list[Node]) -> list[Node]:
    """The graph in real numbers; a complex root becomes its interleaved parts."""
    order = topological(roots)
    if not any(n.dtype.kind == "c" for n in order):
        return roots
    return _Pairs().run(order, roots)


def _is_complex(node: Node) -> bool:
    return node.dtype.kind == "c"


class _Pairs:
    def __init__(self) -> None:
        self.real: dict[int, Node] = {}
        self.pairs: dict[int, Pair] = {}

    def run(self, order: list[Node], roots: list[Node]) -> list[Node]:
        for node in order:
            self._visit(node)
        return [self._whole(r) for r in roots]

    def _visit(self, node: Node) -> None:
        touched = _is_complex(node) or any(_is_complex(s) for s in node.src)
        if not touched:
            src = tuple(self.real[id(s)] for s in node.src)
            same = all(a is b for a, b in zip(src, node.src))
            made = node if same else Node(node.op, src, node.attrs, node.shape, node.dtype)
            made.origin = node.origin
            self.real[id(node)] = made
            return
        rule = RULES.get(node.op.name)
        found = None if rule is None else rule(node, *[self._parts(s) for s in node.src])
        if found is None:
            self._in_numpy(node)
        elif isinstance(found, tuple):
            self.pairs[id(node)] = found
        else:
            self.real[id(node)] = found

    def _parts(self, node: Node) -> Any:
        return self.pairs[id(node)] if _is_complex(node) else self.real[id(node)]

    def _whole(self, node: Node) -> Node:
        """A node as one real node: itself, or the parts of a complex one side by side."""
        if not _is_complex(node):
            return self.real[id(node)]
        if node.op is INPUT:
            return _interleaved(node)
        return join(self.pairs[id(node)])

    def _in_numpy(self, node: Node) -> None:
        """A step that computes what the interpreter says, on complex views of the memory."""
        stub = Node(node.op, tuple(spec(s.shape, s.dtype) for s in node.src), node.attrs,
                    node.shape, node.dtype)
        src = tuple(self._whole(s) for s in node.src)
        real = node.dtype.to_real()
        shape = (*node.shape, 2) if _is_complex(node) else node.shape
        made = HOST(*src, name="complex", args=(stub,), which=0, shape=shape, dtype=real)
        made.origin = node.origin
        if _is_complex(node):
            self.pairs[id(node)] = parted(made, node.shape)
        else:
            self.real[id(node)] = made


def _on_complex(*args: Any) -> tuple[Array]:
    """HOST: the meaning of a complex node on arrays whose last dim is (re, im)."""
    *arrays, stub = args
    src = []
    for array, like in zip(arrays, stub.src):
        if _is_complex(like):
            array = np.ascontiguousarray(array).view(like.dtype.numpy).reshape(like.shape)
        src.append(array)
    with np.errstate(all="ignore"):
        out = np.asarray(interpret._meaning(stub, src)).astype(stub.dtype.numpy)
    out = np.ascontiguousarray(out.reshape(stub.shape))
    if not _is_complex(stub):
        return (out,)
    return (out.reshape(-1).view(stub.dtype.to_real().numpy).reshape((*stub.shape, 2)),)


HOST_FUNCTIONS["complex"] = _on_complex


# ---------------------------------------------------------------- parts


def join(pair: Pair) -> Node:
    """(..., 2) from the parts."""
    shape = (*pair[0].shape, 1)
    return CAT(*[RESHAPE(x, shape=shape) for x in pair], dim=len(shape) - 1)


def parted(whole: Node, shape: tuple[int, ...]) -> Pair:
    """The parts of (..., 2)."""
    rank = len(shape)
    return tuple(RESHAPE(SLICE(whole, start=(0,) * rank + (i,), step=(1,) * (rank + 1),
                               shape=(*shape, 1)), shape=shape)
                 for i in range(2))  # type: ignore[return-value]


def _interleaved(node: Node) -> Node:
    slot, offset, shape, kind = node.attrs
    real, whole = kind.to_real(), (*shape, 2)
    return Node(INPUT, (), (slot, offset, whole, real), whole, real)


# ---------------------------------------------------------------- rules

Rule = Callable[..., Any]
RULES: dict[str, Rule] = {}


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def declare(rule: Rule) -> Rule:
        for name in names:
            RULES[name] = rule
        return rule
    return declare


def _number(value: complex, kind: dt.dtype, shape: tuple[int, ...] = ()) -> Pair:
    real = kind.to_real()
    parts = (const(complex(value).real, real), const(complex(value).imag, real))
    return parts if not shape else _each(lambda p: EXPAND(p, shape=shape), parts)


def _each(change: Callable[[Node], Node], x: Pair) -> Pair:
    """The same change of both parts."""
    return change(x[0]), change(x[1])


@_rule("input")
def _input(node: Node) -> Pair:
    return parted(_interleaved(node), node.shape)


@_rule("const", "scalar")
def _const(node: Node) -> Pair:
    return _number(node.attrs[0], node.dtype)


def _both(node: Node, *src: Any) -> Pair:
    """The same operation on the real and on the imaginary parts (real sources serve both)."""
    made = []
    for i in range(2):
        parts = tuple(s[i] if isinstance(s, tuple) else s for s in src)
        attrs = dict(zip(node.op.params, node.attrs))
        made.append(node.op(*parts, **attrs))
    return made[0], made[1]


for _name in """add sub neg where alias expand reshape permute slice pad unfold fold skew
    as_strided cat sum take write skew""".split():
    RULES[_name] = _both


@_rule("put")
def _put(node: Node, *src: Any) -> Pair | None:
    return _both(node, *src) if node.attrs[1] in ("set", "add") else None


@_rule("scan")
def _scan(node: Node, x: Pair) -> Pair | None:
    return _both(node, x) if node.attrs[0] == "add" else None     # one pass of NumPy for products


def _function(fn: Callable[..., Pair]) -> Rule:
    return lambda node, *src: fn(*src)


for _name, _fn in complex_math.FUNCTIONS.items():
    RULES[_name] = _function(_fn)


@_rule("prod")
def _prod(node: Node, x: Pair) -> Pair:
    """The factors in halves, multiplied in pairs until one is left."""
    dims = node.attrs[0]
    shape = x[0].shape
    kept = tuple(d for d in range(len(shape)) if d not in dims)
    count = math.prod(shape[d] for d in dims)
    if not count:
        return _number(1, node.dtype, node.shape)
    front = tuple(shape[d] for d in kept)
    last = len(front)
    rows = _each(lambda p: RESHAPE(PERMUTE(p, dims=kept + dims), shape=(*front, count)), x)
    while count > 1:
        half = count // 2
        low = _along(rows[0], last, 0, half), _along(rows[1], last, 0, half)
        high = _along(rows[0], last, half, half), _along(rows[1], last, half, half)
        both = complex_math.product(low, high)
        if count % 2:
            odd = _along(rows[0], last, count - 1, 1), _along(rows[1], last, count - 1, 1)
            both = CAT(both[0], odd[0], dim=last), CAT(both[1], odd[1], dim=last)
        rows, count = both, half + count % 2
    return RESHAPE(rows[0], shape=node.shape), RESHAPE(rows[1], shape=node.shape)


def _along(x: Node, dim: int, start: int, length: int) -> Node:
    """`length` elements of a dim."""
    begin = tuple(start if d == dim else 0 for d in range(x.ndim))
    shape = tuple(length if d == dim else n for d, n in enumerate(x.shape))
    return SLICE(x, start=begin, step=(1,) * x.ndim, shape=shape)


@_rule("eq")
def _eq(node: Node, x: Pair, y: Pair) -> Node:
    eq = PRIMITIVES["eq"]
    return PRIMITIVES["and"](eq(x[0], y[0]), eq(x[1], y[1]))


@_rule("ne")
def _ne(node: Node, x: Pair, y: Pair) -> Node:
    ne = PRIMITIVES["ne"]
    return PRIMITIVES["or"](ne(x[0], y[0]), ne(x[1], y[1]))


@_rule("isnan", "isinf")
def _either(node: Node, x: Pair) -> Node:
    return PRIMITIVES["or"](node.op(x[0]), node.op(x[1]))


@_rule("cast")
def _cast(node: Node, x: Any) -> Any:
    kind = node.dtype
    if not isinstance(x, tuple):
        re = x if x.dtype is kind.to_real() else CAST(x, dtype=kind.to_real())
        return re, EXPAND(const(0, kind.to_real()), shape=re.shape)
    if kind.kind == "c":
        return CAST(x[0], dtype=kind.to_real()), CAST(x[1], dtype=kind.to_real())
    if kind.kind == "b":
        return PRIMITIVES["or"](CAST(x[0], dtype=kind), CAST(x[1], dtype=kind))
    return x[0] if x[0].dtype is kind else CAST(x[0], dtype=kind)


@_rule("real")
def _real(node: Node, x: Pair) -> Node:
    return x[0]


@_rule("imag")
def _imag(node: Node, x: Pair) -> Node:
    return x[1]


@_rule("complex")
def _complex(node: Node, a: Node, b: Node) -> Pair:
    return _each(lambda x: x if x.shape == node.shape else EXPAND(x, shape=node.shape), (a, b))


@_rule("dot")
def _dot(node: Node, x: Any, y: Any) -> Pair:
    a_dims, b_dims, out_dims, kind = node.attrs

    def product(p: Node, q: Node) -> Node:
        return node.op(p, q, a_dims=a_dims, b_dims=b_dims, out_dims=out_dims, dtype=kind.to_real())
    (a, b), (c, d) = x, y
    sub, add = PRIMITIVES["sub"], PRIMITIVES["add"]
    return sub(product(a, c), product(b, d)), add(product(a, d), product(b, c))
