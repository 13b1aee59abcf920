"""Composites over floats: one node when recorded, computed in at least float32.

In: an expansion written in `algebra`. Out: an `Op`. PyTorch computes a whole fused function of
float16 or bfloat16 in float32 and rounds once; so do these, and their derivatives.

    @fused("silu")                      silu(x: bfloat16)
    def silu(x):                  ->    cast(mul(cast(x), sigmoid(cast(x))), bfloat16)
        return x * sigmoid(x)
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Op, Shape
from ..graph.primitive import broadcast
from .algebra import cast, expand

Rule = Callable[..., tuple[Shape, dtype]]


def wide_type(kind: dtype) -> dtype:
    """The type a fused function of `kind` computes in."""
    return dt.float32 if kind.kind == "f" and kind.itemsize == 2 else kind


def wide(x: Node) -> Node:
    return cast(x, wide_type(x.dtype))


def like_first(*args: Any) -> tuple[Shape, dtype]:
    """The shape of all sources broadcast, the dtype of the first."""
    src = [a for a in args if isinstance(a, Node)]
    first = src[0].shape
    for s in src:
        if s.shape != first and s.shape:
            return broadcast(*[s.shape for s in src]), src[0].dtype
    return first, src[0].dtype


def of_first(first: Node, *rest: Any) -> tuple[Shape, dtype]:
    """The shape and dtype of the first source, which nothing stretches."""
    return first.shape, first.dtype


def fused(name: str, params: tuple[str, ...] = (), *, infer: Rule = like_first,
          vjp: Callable[..., Any] | None = None) -> Callable[[Callable[..., Node]], Op]:
    """Make an Op of the decorated expansion `fn(*src, *attrs)`.

    infer   (*src, *attrs) -> (shape, dtype); elementwise in the first source's dtype if not given
    vjp     as in `graph.node.Op`; the derived one if not given
    """
    def declare(fn: Callable[..., Node]) -> Op:
        def expansion(*args: Any) -> Node:
            shape, kind = infer(*args)
            return expand(cast(fn(*_widened(args)), kind), shape)

        kind = "fused" if infer is like_first and "dims" not in params else ""
        return Op(name, infer, params=params, expand=expansion, vjp=_wide_rule(vjp), kind=kind)
    return declare


def _widened(args: tuple[Any, ...]) -> list[Any]:
    return [wide(a) if isinstance(a, Node) else a for a in args]


def _wide_rule(vjp: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """The rule with its halves widened; keeps the names by which `Op.saved` knows what it reads."""
    if vjp is None:
        return None

    @functools.wraps(vjp)
    def rule(*args: Any) -> Any:
        return vjp(*_widened(args))
    return rule
