"""What a contraction is: C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]).

In: callbacks from lowering that read A and B and store C. Out: `Contraction`, the form every
schedule of `kernel/gemm*` reads; `Access`, how an operand lies in memory.

    A @ B.T + bias:  load_a(b, m, k) = a[K*m + k]    load_b(b, k, n) = w[K*n + k]
                     store(b, m, n, total) = c[N*m + n] = add(total, bias[n])
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..core.dtype import bfloat16, float16, float32
from ..core.dtype import dtype as DType
from ..core.symbol import ZERO, Index, Var, of
from .loopnest import (
    Buffer,
    Call,
    Cast,
    Const,
    FromIndex,
    Let,
    Load,
    Read,
    Stmt,
    Store,
    Value,
    children,
    statements,
)
from .schedule import as_type

Loader = Callable[[Index, Index, Index], Value]
Storer = Callable[[Index, Index, Index, Value], tuple[Stmt, ...]]
Allocator = Callable[[str, DType, int], Buffer]


@dataclass(frozen=True, slots=True)
class Windows:
    """B as windows of an array: k is (channel, *taps) and n is (image, *places), flattened.

    `load(b, image, channel, at)` gives the array's element at `at`, inside `size`, and tap i of
    place y is at y*stride + i*dilation; `store(b, m, image, places, total)` is the contraction's.
    Or, where the weight's gradient is the sum, k is (image, *places), n is (channel, *taps), and
    `gradient(b, m, image, places)` gives A.
    """

    images: int
    channels: int
    places: tuple[int, ...]
    taps: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    size: tuple[int, ...]
    load: Callable[[Index, Index, Index, tuple[Index, ...]], Value]
    store: Callable[[Index, Index, Index, tuple[Index, ...], Value],
                    tuple[Stmt, ...]] | None = None
    gradient: Callable[[Index, Index, Index, tuple[Index, ...]], Value] | None = None


@dataclass(frozen=True, slots=True)
class Contraction:
    """A product of matrices, or anything that is one over flattened indices.

    `load_a(b, m, k)` and `load_b(b, k, n)` give the operands' elements, `store(b, m, n, total)`
    the statements that consume a sum (of type `accumulate`); `temporary(name, dtype, size)` gives
    memory that all threads share between the kernels. `origin` goes to the kernels. `windows` says
    more about B where it is a convolution's; `apart` is the same with some of the columns (the
    images) as batch elements. An operand that stays the same for `turns_a`, `turns_b` runs need be
    packed once only.
    """

    name: str
    m: int
    n: int
    k: int
    load_a: Loader
    load_b: Loader
    store: Storer
    temporary: Allocator
    batch: int = 1
    dtype: DType = float32
    origin: object = None
    windows: Windows | None = None
    turns_a: int = 1
    turns_b: int = 1
    apart: Contraction | None = None

    @property
    def accumulate(self) -> DType:
        """The type of the sums: float32 for the half precisions, else the operands'."""
        return float32 if self.dtype in (float16, bfloat16) else self.dtype

    @property
    def flops(self) -> int:
        return 2 * self.batch * self.m * self.n * self.k

    def a(self, b: Index, m: Index, k: Index) -> Value:
        """An element of A in the type of the sums."""
        return as_type(self.load_a(b, m, k), self.accumulate)

    def b(self, b: Index, k: Index, n: Index) -> Value:
        """An element of B in the type of the sums."""
        return as_type(self.load_b(b, k, n), self.accumulate)


@dataclass(frozen=True, slots=True)
class Access:
    """How an operand is read: steps in memory along (batch, row, column), None where irregular.

    `plain`: one unmasked load (and casts), so that it may be read in the innermost loop.
    `row_run`, `column_run`: so many neighbours that way lie side by side, from every multiple of
    the number (a row of an image in a flattened index): 1, 2, 4 … RUN.
    """

    batch: int | None
    row: int | None
    column: int | None
    plain: bool
    itemsize: int
    row_run: int = 1
    column_run: int = 1

    def turned(self) -> Access:
        """Rows and columns exchanged."""
        return Access(self.batch, self.column, self.row, self.plain, self.itemsize,
                      self.column_run, self.row_run)


RUN = 16


def access(load: Loader, batch: int, rows: int, columns: int) -> Access:
    """Look at what a loader returns for fresh variables."""
    variables = [Var("b", batch), Var("r", rows), Var("c", columns)]
    value = load(of(variables[0]), of(variables[1]), of(variables[2]))
    found = load_of(value)
    if found is None:
        return Access(None, None, None, False, 4)
    steps = [_step(found.index, v) for v in variables]
    runs = [1, 1]
    if steps[1] is None or steps[2] is None:
        b, r, k = (of(v) for v in variables)
        runs[0] = _run(rows, lambda x: load(b, x, k)) if steps[1] is None else 1
        runs[1] = _run(columns, lambda x: load(b, r, x)) if steps[2] is None else 1
    return Access(steps[0], steps[1], steps[2], found.mask is None, found.dtype.itemsize, *runs)


def load_of(value: Value) -> Load | None:
    """The one load below casts, if that is what a value is."""
    while isinstance(value, Cast):
        value = value.value
    return value if isinstance(value, Load) else None


def _run(extent: int, load: Callable[[Index], Value]) -> int:
    """How many neighbours of a flattened index lie side by side, as far as can be proved."""
    def lies(run: int) -> bool:
        j = Var("j", run)
        found = load_of(load(of(Var("q", max(2, extent // run))) * run + of(j)))
        return found is not None and _step(found.index, j) == 1
    sizes = (RUN, RUN // 2, RUN // 4) if lies(RUN // 4) else (RUN // 8,)
    return next((run for run in sizes if run == RUN // 4 or lies(run)), 1)


def _step(index: Index, var: Var) -> int | None:
    c = index.coefficient(var)
    rest = index - of(var) * c
    return None if rest.uses(var) else c


def uses_batch(load: Loader, batch: int, rows: int, columns: int) -> bool:
    """Whether the operand differs between batch elements."""
    b = Var("b", batch)
    value = load(of(b), of(Var("r", rows)), of(Var("c", columns)))
    pending = [value]
    while pending:
        v = pending.pop()
        if isinstance(v, (Load, FromIndex)) and v.index.uses(b):
            return True
        if isinstance(v, Read):
            return True                      # cannot be looked through
        pending.extend(children(v))
    return False


def swap(c: Contraction) -> Contraction:
    """C.T = B.T @ A.T: the same sums with rows and columns exchanged."""
    return replace(
        c, m=c.n, n=c.m, windows=None, apart=None, turns_a=c.turns_b, turns_b=c.turns_a,
        load_a=lambda b, m, k: c.load_b(b, k, m),
        load_b=lambda b, k, n: c.load_a(b, n, k),
        store=lambda b, m, n, total: c.store(b, n, m, total))


def fold_batch(c: Contraction) -> Contraction:
    """Batch elements that share B are more rows: [b, m, k] @ [k, n] -> [b*m, k] @ [k, n]."""
    m = c.m
    return replace(
        c, m=c.batch * m, batch=1, windows=None, apart=None,
        load_a=lambda b, r, k: c.load_a(r // m, r % m, k),
        load_b=lambda b, k, n: c.load_b(ZERO, k, n),
        store=lambda b, r, n, total: c.store(r // m, r % m, n, total))


def epilogue_weight(c: Contraction) -> int:
    """The number of operations `store` makes of a sum, to judge whether to unroll it."""
    total = Const(0.0, c.accumulate)
    body = c.store(of(Var("b", c.batch)), of(Var("m", c.m)), of(Var("n", c.n)), total)
    count = 0
    for s in statements(body):
        if isinstance(s, Store):
            count += 1
        pending = [getattr(s, "value", total)]
        while pending:
            v = pending.pop()
            count += isinstance(v, Call) * _WEIGHT.get(getattr(v, "op", ""), 8)
            pending.extend(children(v))
    return count


def touched(c: Contraction) -> int:
    """The number of places in memory that `store` reads and writes for every sum."""
    n = Var("n", c.n)
    body = c.store(of(Var("b", c.batch)), of(Var("m", c.m)), of(n), Const(0.0, c.accumulate))
    places: set[tuple[int, Index]] = set()
    for s in statements(body):
        if isinstance(s, Store):
            places.add((id(s.target), s.index))
        pending = [s.value] if isinstance(s, (Store, Let)) else []
        while pending:
            v = pending.pop()
            if isinstance(v, Load) and v.index.uses(n):
                places.add((id(v.source), v.index))
            pending.extend(children(v))
    return max(1, len(places))


_WEIGHT = {"add": 1, "sub": 1, "mul": 1, "max": 1, "min": 1, "where": 1, "gt": 1, "lt": 1,
           "ge": 1, "le": 1, "neg": 1, "abs": 1, "fma": 1}
