"""Squares transposed in registers, where a gather would read one element at a time.

In: a loop nest of this form. Out: contiguous loads, shuffles, contiguous stores. Called by `llvm`.

    unroll i in 16:                                  16 loads of 16 (along i)
      vector j in 16:                           ->   4 rounds of 16 shuffles
        t[32*i + j] = a[1024*j + i]                  16 stores of 16 (along j)

The loads run along the unrolled variable, the store along the vector variable. What is computed
from the loads (a cast, say) is computed before the shuffles. A plain copy is a call of a function
that a program has once: a square is some 150 instructions, and a program packs many operands.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..core.symbol import of
from ..kernel.loopnest import FromIndex, Load, Loop, Read, Store, Value, children
from .address import Lanes
from .emit import SIZES, Val, vector_type
from .memory import Memory, memory_type
from .plan import width

if TYPE_CHECKING:
    from .llvm import KernelEmitter


def transpose(e: KernelEmitter, outer: Loop) -> bool:
    """Write `outer` as transposed squares of lanes x lanes; False where it is not of the form."""
    match = _match(e, outer)
    if match is None:
        return False
    inner, s = match
    lanes = width([(s, {})], e.target)
    while lanes >= 4 and (outer.var.extent % lanes or inner.var.extent % lanes):
        lanes //= 2
    if lanes < 4:
        return False
    steps = _steps(outer, inner, s)
    for i0 in range(0, outer.var.extent, lanes):
        for j0 in range(0, inner.var.extent, lanes):
            if steps is None:
                _square(e, outer, inner, s, i0, j0, lanes)
            else:
                _copied(e, outer, inner, s, (i0, j0), steps, lanes)
    return True


def _steps(outer: Loop, inner: Loop, s: Store) -> tuple[int, int] | None:
    """The steps between the rows that are read and those that are written, of a plain copy."""
    v = s.value
    if not isinstance(v, Load) or v.mask is not None or v.source.dtype is not s.target.dtype:
        return None
    steps = v.index.coefficient(inner.var), s.index.coefficient(outer.var)
    read = v.index - of(outer.var) - of(inner.var) * steps[0]
    written = s.index - of(inner.var) - of(outer.var) * steps[1]
    if any(x.uses(k) for x in (read, written) for k in (outer.var, inner.var)):
        return None
    return steps


def _copied(e: KernelEmitter, outer: Loop, inner: Loop, s: Store, start: tuple[int, int],
            steps: tuple[int, int], lanes: int) -> None:
    """One square, by a call."""
    assert isinstance(s.value, Load)
    e.bindings[outer.var], e.bindings[inner.var] = start
    e.mask = None
    e.memo.clear()
    type = memory_type(s.target.dtype)
    source = e.pointer(e.bases[s.value.source], type, e.linear(s.value.index))
    target = e.pointer(e.bases[s.target], type, e.linear(s.index))
    name = f"turned.v{lanes}{type}"
    if name not in e.declarations:
        e.declarations[name] = _function(e, name, type, lanes)
    e.write(f"call void @{name}(ptr {source.name}, i64 {steps[0]}, ptr {target.name}, "
            f"i64 {steps[1]})")
    e.touch(s.target)


def _function(e: KernelEmitter, name: str, type: str, lanes: int) -> str:
    """Rows of `lanes` elements at %src, `from` elements apart, as columns to %dst."""
    inner = Memory(e.target)
    vt, size = vector_type(type, lanes), SIZES[type]
    rows = []
    for j in range(lanes):
        inner.write(f"%s{j} = mul i64 %from, {j}")
        inner.write(f"%p{j} = getelementptr {type}, ptr %src, i64 %s{j}")
        rows.append(inner.emit(f"load {vt}, ptr %p{j}, align {size}", type, lanes, 0))
    for i, row in enumerate(turn(inner, rows)):
        inner.write(f"%t{i} = mul i64 %to, {i}")
        inner.write(f"%q{i} = getelementptr {type}, ptr %dst, i64 %t{i}")
        inner.write(f"store {vt} {row.name}, ptr %q{i}, align {size}")
    return "\n".join([
        f"define internal void @{name}(ptr %src, i64 %from, ptr %dst, i64 %to) noinline #0 {{",
        "entry:", *inner.scopes[0].lines, "ret void", "}"])


def _match(e: KernelEmitter, outer: Loop) -> tuple[Loop, Store] | None:
    """The vector loop and the store, if loads run along the one and the store along the other."""
    if outer.kind != "unroll" or len(outer.body) != 1:
        return None
    inner = outer.body[0]
    if not isinstance(inner, Loop) or inner.kind != "vector" or len(inner.body) != 1:
        return None
    s = inner.body[0]
    if not isinstance(s, Store) or s.mask is not None or s.index.coefficient(inner.var) != 1:
        return None
    turned = False
    for v in _values(s.value):
        if isinstance(v, (FromIndex, Read)):
            if isinstance(v, Read):
                return None
            continue
        if isinstance(v, Load):
            across = v.index.coefficient(inner.var)
            if v.index.coefficient(outer.var) not in (0, 1) or e.alias[v.source] == e.alias[
                    s.target]:
                return None
            turned |= v.index.coefficient(outer.var) == 1 and across not in (0, 1)
    return (inner, s) if turned else None


def _values(v: Value) -> Iterator[Value]:
    yield v
    for c in children(v):
        yield from _values(c)


def _square(e: KernelEmitter, outer: Loop, inner: Loop, s: Store, i0: int, j0: int,
            lanes: int) -> None:
    """One square: its rows along the unrolled variable, turned, stored along the other."""
    rows = []
    e.mask = None
    for j in range(lanes):
        e.bindings[inner.var] = j0 + j
        e.bindings[outer.var] = Lanes(None, i0, lanes)
        e.memo.clear()
        rows.append(e.splat(e.value(s.value), lanes))
    for i, row in enumerate(turn(e, rows)):
        e.bindings[outer.var] = i0 + i
        e.bindings[inner.var] = Lanes(None, j0, lanes)
        e.memo.clear()
        e.store(s.target, s.index, row)


def turn(e: Memory, rows: list[Val]) -> list[Val]:
    """The columns of a square of vectors."""
    lanes, h = len(rows), 1
    if rows[0].type in ("float", "i32"):
        rows = _quarters(e, rows)
        h = 4
    while h < lanes:
        rows = _exchange(e, rows, h)
        h *= 2
    return rows


def _quarters(e: Memory, rows: list[Val]) -> list[Val]:
    """4 x 4 squares turned by interleaving (unpack on x86, zip on ARM)."""
    lanes = len(rows)
    chunks = range(0, lanes, 4)

    def pick(a: Val, b: Val, order: tuple[int, int, int, int]) -> Val:
        places = [c + o if o < 4 else lanes + c + o - 4 for c in chunks for o in order]
        return e.shuffle(a, places, b)
    out: list[Val] = []
    for r in range(0, lanes, 4):
        a, b, c, d = rows[r:r + 4]
        low, high = (0, 4, 1, 5), (2, 6, 3, 7)
        t0, t1, t2, t3 = pick(a, b, low), pick(a, b, high), pick(c, d, low), pick(c, d, high)
        first, last = (0, 1, 4, 5), (2, 3, 6, 7)
        out += [pick(t0, t2, first), pick(t0, t2, last), pick(t1, t3, first), pick(t1, t3, last)]
    return out


def _exchange(e: Memory, rows: list[Val], h: int) -> list[Val]:
    """Swap the off-diagonal blocks of every 2h x 2h square."""
    lanes = len(rows)
    out = list(rows)
    for r in range(lanes):
        if r & h:
            continue
        a, b = rows[r], rows[r + h]
        out[r] = e.shuffle(a, [k if not k & h else lanes + k - h for k in range(lanes)], b)
        out[r + h] = e.shuffle(a, [k + h if not k & h else lanes + k for k in range(lanes)], b)
    return out
