"""How much work a nest is, roughly, to decide on threads and on copies of a loop's body.

In: loop IR. Out: counts of operations and nanoseconds. Called by `llvm`, `plan` and `cpu`.
"""
from __future__ import annotations

from collections.abc import Iterator

from ..core.symbol import Index, Opaque
from ..kernel.loopnest import (
    Accumulate,
    Call,
    FromIndex,
    Kernel,
    Let,
    Load,
    Loop,
    Prefetch,
    Read,
    Stmt,
    Store,
    Value,
    children,
)

OPS_OF_CALL = {
    "div": 4, "floordiv": 16, "truncdiv": 10, "mod": 16, "rem": 16, "pow": 60, "sqrt": 4,
    "rsqrt": 6, "reciprocal": 4, "exp": 10, "exp2": 10, "expm1": 14, "log": 14, "log2": 14,
    "log10": 14, "log1p": 18, "sigmoid": 17, "tanh": 22, "sin": 20, "cos": 20, "tan": 30,
    "erf": 30, "erfc": 100, "erfinv": 40, "lgamma": 100, "digamma": 80, "asin": 40, "acos": 40,
    "atan": 40, "atan2": 50, "sinh": 40, "cosh": 40, "asinh": 40, "acosh": 40, "atanh": 40,
}


def _in_index(index: Index) -> Iterator[Value]:
    for atom in index.atoms():
        if isinstance(atom, Opaque):
            yield atom.value  # type: ignore[misc]


def values(s: Stmt, opaque: bool = True) -> Iterator[Value]:
    """Every distinct value of a statement; those inside indices too unless told not to."""
    stack: list[Value] = []
    if isinstance(s, (Let, Store, Accumulate)):
        stack.append(s.value)
    if isinstance(s, Store) and s.mask is not None:
        stack.append(s.mask)
    if opaque and isinstance(s, (Store, Accumulate)):
        stack += _in_index(s.index)
    seen: set[int] = set()
    while stack:
        v = stack.pop()
        if id(v) in seen:
            continue
        seen.add(id(v))
        yield v
        stack += children(v)
        if opaque and isinstance(v, (Load, FromIndex)):
            stack += _in_index(v.index)


def body_ops(body: tuple[Stmt, ...]) -> int:
    """Vector operations of one iteration of a body."""
    total = 0
    for s in body:
        if isinstance(s, Loop):
            total += s.var.extent * body_ops(s.body)
            continue
        total += 1
        for v in values(s):
            if isinstance(v, Call):
                total += OPS_OF_CALL.get(v.op, 1)
            elif isinstance(v, Load):
                total += 1
    return total


def depth(body: tuple[Stmt, ...]) -> int:
    """Operations of the longest chain in a body, names that it binds included."""
    longest = 0
    names: dict[str, int] = {}
    known: dict[int, int] = {}
    for s in body:
        if isinstance(s, Loop):
            longest = max(longest, depth(s.body))
            continue
        if isinstance(s, Prefetch):
            continue
        stack: list[Value] = [s.value]
        while stack:
            v = stack[-1]
            pending = [c for c in children(v) if id(c) not in known]
            if pending:
                stack += pending
                continue
            stack.pop()
            below = max((known[id(c)] for c in children(v)), default=0)
            if isinstance(v, Read):
                below = names.get(v.name, 0)
            known[id(v)] = below + (OPS_OF_CALL.get(v.op, 1) if isinstance(v, Call) else 0)
        if isinstance(s, Let):
            names[s.name] = known[id(s.value)]
        longest = max(longest, known[id(s.value)])
    return longest


def _nest(body: tuple[Stmt, ...], lanes: int) -> float:
    total = 0.0
    for s in body:
        if isinstance(s, Loop):
            turns = -(-s.var.extent // lanes) if s.kind == "vector" else s.var.extent
            total += 1 + turns * (1 + _nest(s.body, lanes))
        else:
            total += body_ops((s,))
    return total


def nanoseconds(kernel: Kernel, vector_bytes: int) -> float:
    """A rough time on one thread: two operations a cycle at 3 GHz, 10 bytes a nanosecond."""
    size = max((b.dtype.itemsize for b in kernel.buffers), default=4)
    steps = _nest(kernel.body, max(1, vector_bytes // size))
    return max(steps / 6.0, kernel.bytes / 10.0, kernel.flops / (vector_bytes * 2.0))
