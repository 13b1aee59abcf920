"""Long sums of few elements: K is cut in chunks that run in parallel, then a kernel adds them up.

In: a `Contraction`, and how many chunks (from its sizes alone, so that the result does not depend
on the number of threads). Out: the contraction of a chunk, and the kernel that adds.

    partial[b, s, m, n] = sum over the k of chunk s          (a contraction with batch * chunks)
    parallel rows:  total = sum over s of partial + the k's left over;  store(total)
"""
from __future__ import annotations

from dataclasses import replace

from ..core.symbol import Index
from .gemm_spec import Contraction
from .loopnest import (
    Accumulate,
    Buffer,
    Call,
    Const,
    Kernel,
    Let,
    Load,
    Local,
    Read,
    Stmt,
    Store,
    Value,
)
from .schedule import divisors, kernel, loop

TURN = 4096                                          # sums that one parallel turn adds up


def chunk_of(c: Contraction, chunks: int) -> tuple[Contraction, Buffer]:
    """The contraction that gives the partial sums, [batch * chunks, m, n], and their buffer."""
    size, m, n = c.k // chunks, c.m, c.n
    name = f"{c.name}_partial"
    partial = c.temporary(name, c.accumulate, c.batch * chunks * m * n)

    def store(s: Index, i: Index, j: Index, total: Value) -> tuple[Stmt, ...]:
        return (Store(partial, (s * m + i) * n + j, total),)
    inner = replace(
        c, name=name, batch=c.batch * chunks, k=size, windows=None, apart=None,
        load_a=lambda s, i, k: c.load_a(s // chunks, i, (s % chunks) * size + k),
        load_b=lambda s, k, j: c.load_b(s // chunks, (s % chunks) * size + k, j),
        store=store)
    return inner, partial


def add_up(c: Contraction, chunks: int, partial: Buffer) -> Kernel:
    """The kernel that adds the chunks in order, then the k's left over, then stores."""
    rest = c.k - c.k % chunks
    limit = max(1, TURN // c.n)
    rows = max(d for d in divisors(c.m) if d <= limit)
    width = rows * c.n
    sums = Local("sums", c.accumulate, width, "scratch")
    zero = Const(0.0 if c.accumulate.kind == "f" else 0, c.accumulate)

    def turn(t: Index) -> tuple[Stmt, ...]:
        b, i0 = t // (c.m // rows), (t % (c.m // rows)) * rows
        body = loop("j", width, "vector", lambda j: (Store(sums, j, zero),))

        def add(s: Index) -> tuple[Stmt, ...]:
            start = ((b * chunks + s) * c.m + i0) * c.n
            return loop("j", width, "vector", lambda j: (
                Accumulate(sums, j, "add", Load(partial, start + j, c.accumulate)),))
        body += loop("s", chunks, "seq", add)
        return body + loop("i", rows, "seq", lambda i: row(b, i0, i))

    def row(b: Index, i0: Index, i: Index) -> tuple[Stmt, ...]:
        def left(r: Index) -> tuple[Stmt, ...]:
            return loop("j", c.n, "vector", lambda j: (Accumulate(
                sums, i * c.n + j, "fma" if c.accumulate.kind == "f" else "add",
                Call("mul", (c.a(b, i0 + i, r + rest), c.b(b, r + rest, j)), c.accumulate)),))

        def store(j: Index) -> tuple[Stmt, ...]:
            return (Let("total", Load(sums, i * c.n + j, c.accumulate)),
                    *c.store(b, i0 + i, j, Read("total", c.accumulate)))
        return loop("r", c.k - rest, "seq", left) + loop("j", c.n, "vector", store)
    turns = c.batch * (c.m // rows)
    moved = c.accumulate.itemsize * c.batch * c.m * c.n * (chunks + 1)
    flops = c.batch * c.m * c.n * (chunks + 2 * (c.k - rest))
    return kernel(c.name, loop("t", turns, "parallel", turn), flops, moved, c.origin)
