"""Random kernels: a stack of elementwise operations of mixed types over a random nest."""
from __future__ import annotations

import random

import numpy as np
import pytest

from flambeau.core.dtype import bfloat16, bool_, float16, float32, float64, int8, int32, int64
from flambeau.core.symbol import Index, Var, const, of
from flambeau.kernel.loopnest import (
    Accumulate,
    Buffer,
    Cast,
    Const,
    FromIndex,
    Kernel,
    Let,
    Load,
    Local,
    Loop,
    Read,
    Store,
)

from .compare import call, check, sample

TYPES = (float32, float32, float64, int32, int64, int8, float16, bfloat16, bool_)
OF_FLOAT = ("add", "sub", "mul", "min", "max", "neg", "abs", "floor", "sqrt")
OF_INT = ("add", "sub", "mul", "min", "max", "and", "or", "xor", "neg", "not", "floordiv", "mod")
UNARY = ("neg", "abs", "floor", "sqrt", "not")


class Maker:
    """Draws one kernel."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.rows, self.n = self.pick.choice((1, 2, 5)), self.pick.choice((1, 9, 33, 64, 130))
        self.i, self.j = Var("i", self.rows), Var("j", self.n)
        self.size = 4 * self.rows * self.n + 8
        self.inputs = tuple(Buffer(f"in{k}", k, self.pick.choice(TYPES), self.size)
                            for k in range(3))
        self.names: list[Read] = []

    def index(self) -> Index:
        i, j, n, pick = of(self.i), of(self.j), self.n, self.pick
        flat = i * n + j
        return pick.choice((flat, flat, flat, j, i, const(3), flat * 2 + 1, flat // 3, flat % 7,
                            j * -1 + (n - 1), (flat // 4) * 4 + flat % 4, i + j * self.rows))

    def load(self):
        b = self.pick.choice(self.inputs)
        if self.pick.random() < 0.2:
            mask = call("lt", FromIndex(of(self.j) + of(self.i), int64),
                        Const(self.pick.randrange(self.n + 1), int64), dtype=bool_)
            return Load(b, self.index(), b.dtype, mask, self.pick.choice((0, 1)))
        return Load(b, self.index(), b.dtype)

    def value(self, depth: int):
        if depth == 0:
            if self.names and self.pick.random() < 0.3:
                return self.pick.choice(self.names)
            return self.load()
        a = self.value(depth - 1)
        kind = self.pick.random()
        if kind < 0.2:
            return Cast(a, self.pick.choice(TYPES))
        if a.dtype.kind == "b":
            a = Cast(a, self.pick.choice(TYPES[:6]))
        b = Cast(self.value(self.pick.randrange(depth)), a.dtype)
        if kind < 0.3:
            return call("where", call("lt", a, b, dtype=bool_), a, b)
        op = self.pick.choice(OF_FLOAT if a.dtype.kind == "f" else OF_INT)
        return call(op, a) if op in UNARY else call(op, a, b)

    def kernel(self) -> Kernel:
        flat = of(self.i) * self.n + of(self.j)
        outs, stmts = [], []
        for k in range(self.pick.randrange(1, 4)):
            v = self.value(self.pick.randrange(1, 5))
            if self.pick.random() < 0.4:
                stmts.append(Let(f"t{k}", v))
                v = Read(f"t{k}", v.dtype)
                self.names.append(v)
            out = Buffer(f"out{k}", 3 + k, v.dtype, self.rows * self.n)
            outs.append(out)
            stmts.append(Store(out, flat, v))
        total = Buffer("total", 9, int64, self.rows)
        m = Local("m", int64, 1)
        stmts.append(Accumulate(m, const(0), "add", Cast(self.load(), int64)))
        body = (Store(m, const(0), Const(0, int64)), Loop(self.j, "vector", tuple(stmts)),
                Store(total, of(self.i), Load(m, const(0), int64)))
        outer = Loop(self.i, self.pick.choice(("parallel", "seq", "unroll")), body)
        return Kernel("random", (*self.inputs, *outs, total), (m,), (outer,))


@pytest.mark.parametrize("seed", range(150))
def test_random_kernel(seed):
    maker = Maker(seed)
    kernel = maker.kernel()
    arrays = {b: sample(b.dtype, b.size, seed=k, special=False) if b.name.startswith("in")
              else np.zeros(b.size, b.dtype.numpy) for k, b in enumerate(kernel.buffers)}
    with np.errstate(all="ignore"):
        check(kernel, arrays)
