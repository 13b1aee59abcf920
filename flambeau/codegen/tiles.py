"""Permuted copies in squares, so that `transpose` can turn them in registers.

In: a kernel that reads along its outer loop and writes along its inner one. Out: the same kernel
in tiles; any other kernel unchanged. Called by `cpu`.

    parallel p in 1024:                        parallel q in 4096:
      vector j in 1024:                          unroll i in 16:
        out[1024*p + j] = in[p + 1024*j]    ->     vector j in 16:
                                                     out[… 1024*i + j] = in[… i + 1024*j]

A line of the input is then used whole while it is in the cache, not one element at a time.
"""
from __future__ import annotations

from dataclasses import replace

from ..core.symbol import Div, Index, Mod, Var, of
from ..kernel.loopnest import Call, Cast, Const, Kernel, Load, Loop, Stmt, Store
from ..kernel.rewrite import substitute
from .cost import values
from .plan import width
from .target import Target

LEAST = 4096
"""Elements below which a kernel is left as it is."""


def in_squares(kernel: Kernel, target: Target) -> Kernel:
    """The kernel with its two loops cut in squares, if that lets loads run along the outer one."""
    outer = kernel.parallel
    if outer is None or len(outer.body) != 1:
        return kernel
    inner = outer.body[0]
    if not isinstance(inner, Loop) or inner.kind != "vector" or len(inner.body) != 1:
        return kernel
    if not isinstance(inner.body[0], Store) or inner.body[0].mask is not None:
        return kernel
    lanes = width([(inner.body[0], {})], target)
    size = outer.var.extent * inner.var.extent
    if lanes < 4 or outer.var.extent % lanes or inner.var.extent < lanes or size < LEAST:
        return kernel
    body = _cut(outer.var, inner, lanes)
    return kernel if body is None else replace(kernel, body=body)


def _cut(p: Var, inner: Loop, lanes: int) -> tuple[Stmt, ...] | None:
    """The new nest, or None if the squares' loads would not be rows."""
    v = inner.var
    squares, rest = divmod(v.extent, lanes)
    i, j = Var("i", lanes), Var("j", lanes)
    bands = p.extent // lanes
    if rest:
        band, step = Var("p", bands), Var("q", squares)
        row, column = of(band), of(step)
    else:
        band = Var("p", bands * squares)
        row, column = of(band) // squares, of(band) % squares
    body = substitute(inner.body, {p: row * lanes + of(i), v: column * lanes + of(j)})
    if not _turns(body[0], i, j):
        return None
    square: Stmt = Loop(i, "unroll", (Loop(j, "vector", body),))
    if not rest:
        return (Loop(band, "parallel", (square,)),)
    i2, j2 = Var("i", lanes), Var("j", rest)
    edge = substitute(inner.body, {p: row * lanes + of(i2), v: of(j2) + squares * lanes})
    return (Loop(band, "parallel", (Loop(step, "seq", (square,)),
                                    Loop(i2, "seq", (Loop(j2, "vector", edge),)))),)


def _turns(s: Stmt, i: Var, j: Var) -> bool:
    """Whether all is read in rows along i or j, something along i, and written along j."""
    assert isinstance(s, Store)
    if not _plain(s.index, i, j) or s.index.coefficient(j) != 1 or s.index.coefficient(i) == 0:
        return False
    found = False
    for v in values(s):
        if not isinstance(v, (Load, Call, Cast, Const)) or isinstance(v, Load) and v.mask:
            return False
        if isinstance(v, Load):
            along, across = v.index.coefficient(i), v.index.coefficient(j)
            if not _plain(v.index, i, j) or along not in (0, 1):
                return False
            found |= along == 1 and across not in (0, 1)
    return found


def _plain(index: Index, i: Var, j: Var) -> bool:
    """Whether i and j occur as terms only, not inside quotients."""
    return not any(a.num.uses(i) or a.num.uses(j) for a, _ in index.terms
                   if isinstance(a, (Div, Mod)))
