"""The interpreter against results worked out by hand."""
from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.dtype import (
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int8,
    int32,
    int64,
    uint8,
    uint64,
)
from flambeau.core.symbol import Opaque, Var, const, of
from flambeau.kernel.interpret import convert, interpret
from flambeau.kernel.loopnest import (
    Accumulate,
    Buffer,
    Call,
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


def apply(op, dtype, result, *args):
    """One operation on small arrays."""
    arrays = [np.array(a).astype(dtype.numpy) for a in args]
    n = arrays[0].size
    buffers = tuple(Buffer(f"b{k}", k, dtype, n) for k in range(len(args)))
    out = Buffer("out", len(args), result, n)
    i = Var("i", n)
    value = Call(op, tuple(Load(b, of(i), dtype) for b in buffers), result)
    kernel = Kernel(op, (*buffers, out), (), (Loop(i, "vector", (Store(out, of(i), value),)),))
    memory = dict(zip(buffers, arrays))
    memory[out] = np.zeros(n, result.numpy)
    interpret(kernel, memory)
    return memory[out].tolist()


def test_python_and_c_division():
    a, b = [7, -7, 7, -7, 5], [2, 2, -2, -2, 0]
    assert apply("floordiv", int32, int32, a, b) == [3, -4, -4, 3, 0]
    assert apply("mod", int32, int32, a, b) == [1, 1, -1, -1, 0]
    assert apply("truncdiv", int32, int32, a, b) == [3, -3, -3, 3, 0]
    assert apply("rem", int32, int32, a, b) == [1, -1, 1, -1, 0]
    assert apply("floordiv", int8, int8, [-128], [-1]) == [-128]
    assert apply("mod", float32, float32, [7.5, -7.5], [2, 2]) == [1.5, 0.5]


def test_extremes_keep_or_drop_nan():
    nan = float("nan")
    assert np.isnan(apply("max", float32, float32, [nan, 1], [1, nan])).all()
    assert apply("fmax", float32, float32, [nan, 1], [1, nan]) == [1, 1]


def test_shifts_and_powers_of_integers():
    assert apply("shl", int32, int32, [1, 1, 1], [3, 32, -1]) == [8, 0, 0]
    assert apply("shr", int32, int32, [-8, -8, 8], [1, 40, 40]) == [-4, -1, 0]
    assert apply("pow", int32, int32, [3, 2, -1, 2, 3], [4, 31, -3, -1, 21]) == [
        81, -2 ** 31, -1, 0, (3 ** 21 + 2 ** 31) % 2 ** 32 - 2 ** 31]
    assert apply("popcount", uint8, uint8, [255, 5]) == [8, 2]


def test_round_is_half_to_even():
    assert apply("round", float32, float32, [0.5, 1.5, 2.5, -0.5]) == [0, 2, 2, 0]


def test_small_floats_round_after_each_operation():
    assert apply("add", bfloat16, bfloat16, [256], [1]) == [256]
    assert apply("add", float16, float16, [2048], [1]) == [2048]
    assert apply("mul", float16, float16, [60000], [2]) == [np.inf]


def test_fma_rounds_once():
    x = 1 + 2.0 ** -12
    assert apply("fma", float32, float32, [x], [x], [-1 - 2.0 ** -11]) == [2.0 ** -24]


@pytest.mark.parametrize("x, to, want", [
    (3.99, int32, 3), (-3.99, int32, -3), (np.nan, int32, -2 ** 31), (3e9, int32, -2 ** 31),
    (300.0, uint8, 44), (-1.0, uint8, 255), (2.0 ** 63, uint64, 2 ** 63), (np.inf, int64, -2 ** 63),
    (0.3, bool_, True), (np.nan, bool_, True), (0.0, bool_, False), (1e9, float16, np.inf)])
def test_conversions(x, to, want):
    with np.errstate(all="ignore"):
        assert convert(np.float64(x), to) == want


def test_a_nest_with_everything():
    """Row sums through a local, a name, a mask, a gathered column and a scratch row."""
    x, pick, y = Buffer("x", 0, float32, 6), Buffer("pick", 1, int64, 2), Buffer("y", 2, float32, 4)
    m, row = Local("m", float64, 1), Local("row", float32, 3, "scratch")
    i, j, k, u = Var("i", 2), Var("j", 3), Var("k", 3), Var("u", 2)
    chosen = of(Opaque(Load(pick, of(i), int64), 0, 2))
    inside = Call("lt", (FromIndex(of(j), int64), Const(2, int64)), bool_)
    body = (
        Store(m, const(0), Const(0.0, float64)),
        Loop(j, "vector", (
            Store(row, of(j), Load(x, of(i) * 3 + of(j), float32, inside, 100.0)),
            Accumulate(m, const(0), "add", Cast(Load(x, of(i) * 3 + of(j), float32), float64)))),
        Let("total", Cast(Load(m, const(0), float64), float32)),
        Loop(k, "seq", (Accumulate(row, of(k), "max", Const(1.0, float32)),)),
        Loop(u, "unroll", (Store(y, of(i) * 2 + of(u), Call(
            "add", (Read("total", float32), Load(row, chosen - of(u) + 0, float32)), float32)),)),
    )
    kernel = Kernel("all", (x, pick, y), (m, row), (Loop(i, "parallel", body),))
    memory = {x: np.array([1, 2, 3, -4, 5, 6], "f"), pick: np.array([1, 2]), y: np.zeros(4, "f")}
    interpret(kernel, memory)
    assert memory[y].tolist() == [6 + 2, 6 + 1, 7 + 100, 7 + 5]


def test_memory_by_slots_and_offsets():
    a, b = Buffer("a", 0, int32, 2), Buffer("b", 0, int32, 2, offset=8)
    i = Var("i", 2)
    kernel = Kernel("arena", (a, b), (), (Loop(i, "seq", (
        Store(b, of(i), Call("neg", (Load(a, of(i), int32),), int32)),)),))
    arena = np.array([1, 2, 0, 0], np.int32)
    interpret(kernel, {0: arena})
    assert arena.tolist() == [1, 2, -1, -2]


def test_out_of_range_is_told():
    a = Buffer("a", 0, int32, 2)
    i = Var("i", 3)
    kernel = Kernel("far", (a,), (), (Loop(i, "seq", (
        Store(a, const(0), Load(a, of(i), int32)),)),))
    with pytest.raises(IndexError, match="a\\[i\\]"):
        interpret(kernel, {a: np.zeros(2, np.int32)})
