"""Loop nests of operations that are made alone: scatters, writes into a region, running results.

In: a node, an emitter that reads its sources, the memory of nodes. Out: one `Kernel`. The base of a
PUT or WRITE is in the node's memory already. Called by `graph/lower`.

    put(base, value, index, mode="add"):   seq s in indices: vector c in columns:
                                             out[index[s], c] += value[s, c]
"""
from __future__ import annotations

import math

from ..core.symbol import ZERO, Var, of
from ..kernel.loopnest import (
    Accumulate,
    Buffer,
    Cast,
    Kernel,
    Load,
    Local,
    Loop,
    Stmt,
    Store,
)
from ..kernel.rewrite import flatten, merge, substitute
from ..kernel.schedule import kernel
from . import nest
from .emit import Emitter
from .node import Node
from .place import flat
from .primitive import WRITE

SCANS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def put(node: Node, name: str, em: Emitter, buffers: dict[int, Buffer]) -> Kernel:
    """Scatter in row-major order of the indices; columns of the rest may go to any thread."""
    base, value, *indices = node.src
    dims, mode = node.attrs
    front = value.shape[:value.ndim - (base.ndim - len(dims))]
    rows = nest.variables(front, "s")
    rest_shape = tuple(n for d, n in enumerate(base.shape) if d not in dims)
    columns = nest.variables(rest_shape, "c")
    row_at, rest_at = nest.at_of(front, rows), nest.at_of(rest_shape, columns)
    rest = iter(rest_at)
    places = {d: em.position(i, tuple(row_at[len(front) - i.ndim + k] if n != 1 else ZERO
                                      for k, n in enumerate(i.shape)), base.shape[d])
              for d, i in zip(dims, indices)}
    at = tuple(places[d] if d in places else next(rest) for d in range(base.ndim))
    element = em.value(value, (*row_at, *rest_at))
    target, where = buffers[id(node)], flat(at, base.shape)
    last: Stmt
    if mode == "set":
        last = Store(target, where, element)
    else:
        op = "or" if node.dtype.kind == "b" and mode == "add" else mode
        last = Accumulate(target, where, op, element)
    body = (*em.body, last)
    size = 2 * value.size * value.dtype.itemsize
    return kernel(name, _scattered(body, list(rows.values()), list(columns.values())),
                  value.size, size, node.origin)


def _scattered(body: tuple[Stmt, ...], rows: list[Var], columns: list[Var]) -> tuple[Stmt, ...]:
    body, columns = merge(body, columns)
    if not columns:
        for v in reversed(rows):
            body = (Loop(v, "seq", body),)
        return body
    *outer, lane = columns
    block = nest.block_of(lane.extent, 64)
    part, inner = Var("p", lane.extent // block), Var("c", block)
    body = substitute(body, {lane: of(part) * block + of(inner)})
    body = (Loop(inner, "vector", body),)
    for v in reversed(outer):
        body = (Loop(v, "seq", body),)
    for v in reversed(rows):
        body = (Loop(v, "seq", body),)
    if part.extent == 1:
        return substitute(body, {part: ZERO})
    return (Loop(part, "parallel", body),)


def write(node: Node, name: str, em: Emitter, buffers: dict[int, Buffer]) -> Kernel:
    """The region of a WRITE or WRITE_AT stored in its base."""
    base, value = node.src[:2]
    shape, stride = node.attrs[:2]
    loops = nest.variables(shape, "i")
    at = nest.at_of(shape, loops)
    if node.op is WRITE:
        where = ZERO + node.attrs[2]
    else:
        span = sum((n - 1) * s for n, s in zip(shape, stride))
        where = em.position(node.src[2], (), base.size - span)
    for i, s in zip(at, stride):
        where = where + i * s
    element = em.value(value, tuple(at[len(shape) - value.ndim + k] if n != 1 else ZERO
                                    for k, n in enumerate(value.shape)))
    body = (*em.body, Store(buffers[id(node)], where, element))
    return kernel(name, nest.outermost(body, list(loops.values())), 0,
                  2 * value.size * value.dtype.itemsize, node.origin)


def scan(node: Node, name: str, em: Emitter, buffers: dict[int, Buffer]) -> Kernel:
    """A running reduction."""
    op, dim = node.attrs
    src = node.src[0]
    kind = nest.accumulator(node.dtype)
    outer = nest.variables(src.shape, "i", tuple(range(dim)))
    step = Var("r", src.shape[dim])
    tail = nest.variables(src.shape, "j", tuple(range(dim + 1, src.ndim)))
    loops = outer | {dim: step} | tail
    at = tuple(of(loops[d]) if d in loops else ZERO for d in range(src.ndim))
    tail_shape = src.shape[dim + 1:]
    width = math.prod(tail_shape)
    acc = Local("acc", kind, width, "scratch" if width > 1 else "register")
    lane = flat(at[dim + 1:], tail_shape)
    value = em.value(src, at)
    now = Load(acc, lane, kind)
    body = (*em.body,
            Accumulate(acc, lane, op, value if value.dtype is kind else Cast(value, kind)),
            Store(buffers[id(node)], flat(at, node.shape),
                  now if kind is node.dtype else Cast(now, node.dtype)))
    start = (Store(acc, lane, nest.identity(SCANS[op], kind)),)
    inner, order = merge(body, list(tail.values()))
    first, first_order = merge(start, list(tail.values()))
    whole = (*_vector(first, first_order), Loop(step, "seq", _vector(inner, order)))
    if outer:
        whole, p = flatten(whole, list(outer.values()), "p")
        whole = (Loop(p, "parallel", whole),)
    return kernel(name, whole, src.size, 2 * src.size * src.dtype.itemsize, node.origin)


def _vector(body: tuple[Stmt, ...], loops: list[Var]) -> tuple[Stmt, ...]:
    for k, v in enumerate(reversed(loops)):
        body = (Loop(v, "seq" if k else "vector", body),)
    return body
