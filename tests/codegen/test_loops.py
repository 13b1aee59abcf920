"""Nests: reductions, tails, masks, gathers, tiles, hoisting, threads."""
from __future__ import annotations

import ctypes

import numpy as np
import pytest

from flambeau.codegen import cpu
from flambeau.core.dtype import (
    ALL,
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int8,
    int32,
    int64,
    uint8,
)
from flambeau.core.symbol import Opaque, Var, const, of
from flambeau.kernel.interpret import interpret
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
    Repeat,
    Store,
)

from .compare import SIZES, call, check, run, sample

REDUCED = (float32, float64, float16, bfloat16, int8, int32, int64, uint8)


def row_reduction(op, d, rows, n, value=None, wide=None):
    """out[i] = op over j of x[i, j], by a register local."""
    wide = wide or d
    x, out = Buffer("x", 0, d, rows * n), Buffer("out", 1, wide, rows)
    m = Local("m", wide, 1)
    i, j = Var("i", rows), Var("j", n)
    load = Load(x, of(i) * n + of(j), d)
    v = value(load) if value else load
    start = {"add": 0, "fma": 0, "mul": 1, "min": np.inf, "max": -np.inf, "and": True,
             "or": False}[op]
    if wide.kind in "iu" and op in ("min", "max"):
        info = np.iinfo(wide.numpy)
        start = info.max if op == "min" else info.min
    body = (Store(m, const(0), Const(start, wide)),
            Loop(j, "vector", (Accumulate(m, const(0), op, v),)),
            Store(out, of(i), Load(m, const(0), wide)))
    return Kernel(f"rows_{op}", (x, out), (m,), (Loop(i, "parallel", body),)), x, out


@pytest.mark.parametrize("n", (*SIZES, 1000))
@pytest.mark.parametrize("op", ("add", "mul", "min", "max"))
def test_row_reductions(op, n):
    kernel, x, out = row_reduction(op, float32, 3, n)
    data = np.random.default_rng(0).uniform(0.9, 1.1, 3 * n).astype("f")
    check(kernel, {x: data, out: np.zeros(3, "f")}, 3e-5)


@pytest.mark.parametrize("d", REDUCED, ids=lambda d: d.name)
@pytest.mark.parametrize("op", ("add", "min", "max"))
def test_reductions_of_every_type(op, d):
    kernel, x, out = row_reduction(op, d, 2, 203)
    data = np.abs(sample(d, 406, special=False))
    rtol = {"float16": 0.002, "bfloat16": 0.01}.get(d.name, 1e-5 if d.kind == "f" else 0)
    check(kernel, {x: data, out: np.zeros(2, d.numpy)}, rtol)


@pytest.mark.parametrize("op", ("min", "max"))
@pytest.mark.parametrize("at", (0, 17, 62, 66))
def test_nan_wins_wherever_it_is(op, at):
    kernel, x, out = row_reduction(op, float32, 1, 67)
    data = np.ones(67, "f")
    data[at] = np.nan
    assert np.isnan(run(kernel, {x: data, out: np.zeros(1, "f")})[out]).all()


@pytest.mark.parametrize("op", ("and", "or"))
@pytest.mark.parametrize("n", (5, 64, 200))
def test_reductions_of_bools(op, n):
    for rate in (0.0, 0.5, 1.0):
        kernel, x, out = row_reduction(op, bool_, 2, n)
        data = np.random.default_rng(1).random(2 * n) < rate
        check(kernel, {x: data, out: np.zeros(2, bool)})


def test_sum_of_int8_in_int64():
    kernel, x, out = row_reduction("add", int8, 2, 300, lambda v: Cast(v, int64), int64)
    check(kernel, {x: sample(int8, 600), out: np.zeros(2, np.int64)})


def test_dot_product():
    n = 1003
    a, b, out = Buffer("a", 0, float32, n), Buffer("b", 1, float32, n), Buffer("o", 2, float32, 1)
    j = Var("j", n)
    product = call("mul", Load(a, of(j), float32), Load(b, of(j), float32))
    kernel = Kernel("dot", (a, b, out), (),
                    (Loop(j, "vector", (Accumulate(out, const(0), "fma", product),)),))
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(n).astype("f") for _ in "ab")
    check(kernel, {a: x, b: y, out: np.ones(1, "f")}, 1e-5, 1e-4)


@pytest.mark.parametrize("n", (5, 32, 40, 100))
def test_softmax(n):
    rows = 4
    x, y = Buffer("x", 0, float32, rows * n), Buffer("y", 1, float32, rows * n)
    m, s = Local("m", float32, 1), Local("s", float32, 1)
    i = Var("i", rows)
    j, k, h = Var("j", n), Var("k", n), Var("h", n)
    zero = const(0)
    top = Load(m, zero, float32)

    def shifted(v):
        return call("exp", call("sub", Load(x, of(i) * n + of(v), float32), top))

    body = (Store(m, zero, Const(-np.inf, float32)), Store(s, zero, Const(0.0, float32)),
            Loop(j, "vector", (Accumulate(m, zero, "max", Load(x, of(i) * n + of(j), float32)),)),
            Loop(k, "vector", (Accumulate(s, zero, "add", shifted(k)),)),
            Let("r", call("reciprocal", Load(s, zero, float32))),
            Loop(h, "vector", (Store(y, of(i) * n + of(h),
                                     call("mul", shifted(h), Read("r", float32))),)))
    kernel = Kernel("softmax", (x, y), (m, s), (Loop(i, "parallel", body),))
    data = np.random.default_rng(0).standard_normal(rows * n).astype("f")
    check(kernel, {x: data, y: np.zeros_like(data)}, 1e-6)


@pytest.mark.parametrize("space", ("register", "scratch"))
@pytest.mark.parametrize("n", (24, 64, 50))
def test_column_sums(space, n):
    rows, blocks = 9, 2
    x, y = Buffer("x", 0, float32, rows * n * blocks), Buffer("y", 1, float32, n * blocks)
    acc = Local("acc", float32, n, space)
    b, r = Var("b", blocks), Var("r", rows)
    j, k, h = Var("j", n), Var("k", n), Var("h", n)
    load = Load(x, of(r) * (n * blocks) + of(b) * n + of(k), float32)
    body = (Loop(j, "vector", (Store(acc, of(j), Const(0.0, float32)),)),
            Loop(r, "seq", (Loop(k, "vector", (Accumulate(acc, of(k), "add", load),)),)),
            Loop(h, "vector", (Store(y, of(b) * n + of(h), Load(acc, of(h), float32)),)))
    kernel = Kernel("columns", (x, y), (acc,), (Loop(b, "parallel", body),))
    data = np.random.default_rng(0).standard_normal(rows * n * blocks).astype("f")
    check(kernel, {x: data, y: np.zeros(n * blocks, "f")}, 1e-6, 1e-6)


@pytest.mark.parametrize("columns", (8, 16, 24, 32))
def test_register_tile(columns):
    m, depth = 6, 37
    a, b = Buffer("a", 0, float32, m * depth), Buffer("b", 1, float32, columns * depth)
    c = Buffer("c", 2, float32, m * columns)
    acc = Local("acc", float32, m * columns)
    k = Var("k", depth)

    def tile(statement):
        i, j = Var("i", m), Var("j", columns)
        return Loop(i, "unroll", (Loop(j, "vector", (statement(of(i), of(j)),)),))

    def product(i, j):
        return call("mul", Load(a, of(k) * m + i, float32), Load(b, of(k) * columns + j, float32))

    body = (tile(lambda i, j: Store(acc, i * columns + j, Const(0.0, float32))),
            Loop(k, "seq", (tile(
                lambda i, j: Accumulate(acc, i * columns + j, "fma", product(i, j))),)),
            tile(lambda i, j: Accumulate(c, i * columns + j, "add",
                                         Load(acc, i * columns + j, float32))))
    kernel = Kernel("tile", (a, b, c), (acc,), body)
    rng = np.random.default_rng(0)
    arrays = {x: rng.standard_normal(x.size).astype("f") for x in (a, b, c)}
    check(kernel, arrays, 1e-6, 1e-6)
    registers = 32 if cpu.host().avx512 else 16
    if "fma" in cpu.host().enabled and m * columns * 4 / cpu.host().vector_bytes <= registers - 4:
        blocks = cpu.assembly([kernel]).split(".LBB")
        inner = max(blocks, key=lambda part: part.count("vfmadd"))
        assert inner.count("vfmadd") >= m
        assert "rsp" not in inner.split("\tj", 1)[0]


def test_masks_on_loads_and_stores():
    n, valid = 70, 53
    x, y = Buffer("x", 0, float32, valid), Buffer("y", 1, float32, valid)
    i = Var("i", n)
    inside = call("lt", FromIndex(of(i), int64), Const(valid, int64), dtype=bool_)
    load = Load(x, of(i), float32, inside, 7.0)
    kernel = Kernel("masked", (x, y), (),
                    (Loop(i, "vector", (Store(y, of(i), call("neg", load), inside),)),))
    check(kernel, {x: sample(float32, valid), y: np.zeros(valid, "f")})


@pytest.mark.parametrize("d", (float32, int8, float16, float64, bool_), ids=lambda d: d.name)
def test_padding(d):
    n, pad = 37, 5
    x, y = Buffer("x", 0, d, n), Buffer("y", 1, d, n + 2 * pad)
    i = Var("i", n + 2 * pad)
    at = FromIndex(of(i) - pad, int64)
    inside = call("and", call("ge", at, Const(0, int64), dtype=bool_),
                  call("lt", at, Const(n, int64), dtype=bool_))
    load = Load(x, of(i) - pad, d, inside, 1)
    kernel = Kernel("pad", (x, y), (), (Loop(i, "vector", (Store(y, of(i), load),)),))
    check(kernel, {x: sample(d, n), y: np.zeros(n + 2 * pad, d.numpy)})


def test_masked_scalars():
    n = 9
    x, y = Buffer("x", 0, float32, 5), Buffer("y", 1, float32, 5)
    i = Var("i", n)
    inside = call("lt", FromIndex(of(i), int64), Const(5, int64), dtype=bool_)
    kernel = Kernel("scalars", (x, y), (), (Loop(i, "seq", (
        Store(y, of(i), call("neg", Load(x, of(i), float32, inside, 3.0)), inside),)),))
    check(kernel, {x: sample(float32, 5), y: np.zeros(5, "f")})


@pytest.mark.parametrize("d", (float32, int8, float16, float64, bool_), ids=lambda d: d.name)
@pytest.mark.parametrize("step", (-1, 2, 3, -2, 0))
def test_strided(d, step):
    n = 45
    x, y = Buffer("x", 0, d, 3 * n), Buffer("y", 1, d, n)
    i = Var("i", n)
    start = 0 if step >= 0 else -step * (n - 1)
    load = Load(x, of(i) * step + start, d)
    kernel = Kernel("strided", (x, y), (), (Loop(i, "vector", (Store(y, of(i), load),)),))
    check(kernel, {x: sample(d, 3 * n), y: np.zeros(n, d.numpy)})
    if step:
        out = Buffer("out", 1, d, 3 * n)
        scatter = Store(out, of(i) * step + start, Load(x, of(i), d))
        kernel = Kernel("scatter", (x, out), (), (Loop(i, "vector", (scatter,)),))
        check(kernel, {x: sample(d, 3 * n), out: np.zeros(3 * n, d.numpy)})


@pytest.mark.parametrize("inner", (3, 4, 16, 32, 48, 64))
def test_quotients_and_remainders(inner):
    n, rows = 192, 3
    x, y = Buffer("x", 0, float32, n * 8), Buffer("y", 1, float32, rows * n)
    i, j = Var("i", rows), Var("j", n)
    flat = of(i) * n + of(j)
    at = (flat % inner) * 8 + (flat // inner) % 7
    kernel = Kernel("split", (x, y), (), (Loop(i, "parallel", (Loop(j, "vector", (
        Store(y, flat, call("add", Load(x, at, float32), Load(x, flat % inner, float32))),)),)),))
    check(kernel, {x: sample(float32, n * 8), y: np.zeros(rows * n, "f")})
    back = (of(j) - 90) // inner + 95
    kernel = Kernel("negative", (x, y), (), (Loop(j, "vector", (
        Store(y, of(j), call("add", Load(x, back, float32), Load(x, (of(j) - 90) % inner, float32)
                             )),)),))
    check(kernel, {x: sample(float32, n * 8), y: np.zeros(rows * n, "f")})


@pytest.mark.parametrize("d", (float32, int64, uint8), ids=lambda d: d.name)
def test_gather_and_scatter_by_values(d):
    n, size = 77, 50
    table, where = Buffer("table", 0, d, size), Buffer("where", 1, int64, n)
    y, total = Buffer("y", 2, d, n), Buffer("total", 3, d, size)
    i = Var("i", n)
    row = of(Opaque(Load(where, of(i), int64), 0, size - 1))
    kernel = Kernel("gather", (table, where, y, total), (), (Loop(i, "vector", (
        Store(y, of(i), Load(table, row, d)),
        Accumulate(total, row, "add", Load(table, row, d)))),))
    index = np.random.default_rng(0).integers(0, size, n)
    data = np.abs(sample(d, size, special=False))
    check(kernel, {table: data, where: index, y: np.zeros(n, d.numpy),
                   total: np.zeros(size, d.numpy)}, 1e-6)


def test_embedding_rows():
    n, width, size = 6, 40, 11
    table, where = Buffer("table", 0, float32, size * width), Buffer("where", 1, int64, n)
    y = Buffer("y", 2, float32, n * width)
    i, j = Var("i", n), Var("j", width)
    row = of(Opaque(Load(where, of(i), int64), 0, size - 1))
    kernel = Kernel("embedding", (table, where, y), (), (Loop(i, "parallel", (Loop(j, "vector", (
        Store(y, of(i) * width + of(j), Load(table, row * width + of(j), float32)),)),)),))
    check(kernel, {table: sample(float32, size * width), where: np.arange(n)[::-1] + 3,
                   y: np.zeros(n * width, "f")})


def test_index_as_value_and_constant_masks():
    n = 50
    y, z = Buffer("y", 0, int32, n), Buffer("z", 1, float32, n)
    i = Var("i", n)
    kernel = Kernel("iota", (y, z), (), (Loop(i, "vector", (
        Store(y, of(i), FromIndex(of(i) * 3 - 7, int32), Const(True, bool_)),
        Store(z, of(i), Cast(FromIndex(of(i) // 4, int64), float32)))),))
    check(kernel, {y: np.zeros(n, np.int32), z: np.zeros(n, "f")})


def test_unrolled_loop_inside_a_vector_loop():
    n, taps = 60, 3
    x, w, y = (Buffer(*b) for b in (("x", 0, float32, n + taps), ("w", 1, float32, taps),
                                    ("y", 2, float32, n)))
    total = Buffer("total", 3, float32, 1)
    i, t = Var("i", n), Var("t", taps)
    product = call("mul", Load(x, of(i) + of(t), float32), Load(w, of(t), float32))
    kernel = Kernel("taps", (x, w, y, total), (), (Loop(i, "vector", (
        Store(y, of(i), Const(0.0, float32)),
        Loop(t, "unroll", (Accumulate(y, of(i), "fma", product),
                           Accumulate(total, const(0), "add", product))))),))
    rng = np.random.default_rng(0)
    arrays = {b: rng.standard_normal(b.size).astype("f") for b in kernel.buffers}
    check(kernel, arrays, 1e-5, 1e-4)


def test_sequential_loop_inside_a_vector_loop():
    n, depth = 40, 5
    x, y = Buffer("x", 0, float32, n * depth), Buffer("y", 1, float32, n)
    i, t = Var("i", n), Var("t", depth)
    kernel = Kernel("inside", (x, y), (), (Loop(i, "vector", (
        Store(y, of(i), Const(0.0, float32)),
        Loop(t, "seq", (Accumulate(y, of(i), "add", Load(x, of(t) * n + of(i), float32)),)))),))
    check(kernel, {x: sample(float32, n * depth, special=False), y: np.zeros(n, "f")}, 1e-6, 1e-6)


def test_stores_are_seen_by_later_loads():
    """A load is not merged with one from before a store, in place or through an overlap."""
    n = 40
    x = Buffer("x", 0, float32, n)
    low = Buffer("low", 0, float32, n // 2)
    i, j, k = Var("i", 3), Var("j", n), Var("k", n)

    def add_one(v):
        return Store(x, of(v), call("add", Load(x, of(v), float32), Const(1.0, float32)))

    kernel = Kernel("again", (x,), (), (Loop(i, "seq", (
        Loop(j, "vector", (add_one(j), add_one(j))), Loop(k, "vector", (add_one(k),)))),))
    check(kernel, {x: np.zeros(n, "f")})
    half = Var("h", n // 2)
    kernel = Kernel("overlap", (x, low), (), (Loop(i, "seq", (
        Store(low, const(0), call("add", Load(x, const(0), float32), Const(1.0, float32))),
        Store(x, const(1), call("add", Load(low, const(0), float32), Load(x, const(1), float32))),
        Loop(half, "vector", (Store(low, of(half), call("mul", Load(x, of(half), float32),
                                                        Const(2.0, float32))),)))),))
    data = np.arange(n, dtype="f")
    got = data.copy()
    for _ in range(3):
        got[0] += 1
        got[1] += got[0]
        got[:n // 2] *= 2
    machine = cpu.compile_program("overlap", [kernel])
    machine.run((ctypes.c_void_p * 1)(data.ctypes.data))
    np.testing.assert_array_equal(data, got)


def test_loop_invariant_work_is_done_outside():
    rows, n = 4, 256
    x, y = Buffer("x", 0, float32, rows), Buffer("y", 1, float32, rows * n)
    i, j = Var("i", rows), Var("j", n)
    value = call("exp", call("exp", Load(x, of(i), float32)))
    kernel = Kernel("hoist", (x, y), (), (Loop(i, "seq", (Loop(j, "vector", (
        Store(y, of(i) * n + of(j), value),)),)),))
    check(kernel, {x: np.linspace(0, 1, rows).astype("f"), y: np.zeros(rows * n, "f")}, 1e-6)
    text = cpu.program_ir([kernel]).text
    inner = text.split("loop")[-1]
    assert "fma" not in inner.split("done")[0]


def flat_copy(n):
    x, y = Buffer("x", 0, float32, n), Buffer("y", 1, float32, n)
    i = Var("i", n)
    value = call("tanh", Load(x, of(i), float32))
    return Kernel("flat", (x, y), (), (Loop(i, "vector", (Store(y, of(i), value),)),)), x, y


@pytest.mark.parametrize("n", (2048, 100_003, 300_000))
def test_flat_vector_loops_on_threads(n):
    kernel, x, y = flat_copy(n)
    data = np.random.default_rng(0).standard_normal(n).astype("f")
    got = run(kernel, {x: data, y: np.zeros(n, "f")})[y]
    np.testing.assert_allclose(got, np.tanh(data.astype(float)), rtol=3e-7)


def test_parallel_rows_with_scratch_on_threads():
    rows, n = 500, 300
    x, y = Buffer("x", 0, float32, rows * n), Buffer("y", 1, float32, rows * n)
    row = Local("row", float32, n, "scratch")
    i, j, k = Var("i", rows), Var("j", n), Var("k", n)
    kernel = Kernel("scratch", (x, y), (row,), (Loop(i, "parallel", (
        Loop(j, "vector", (Store(row, of(j), call("exp", Load(x, of(i) * n + of(j), float32))),)),
        Loop(k, "vector", (Store(y, of(i) * n + of(k),
                                 Load(row, of(k) * -1 + (n - 1), float32)),)))),))
    data = np.random.default_rng(0).standard_normal(rows * n).astype("f")
    got = run(kernel, {x: data, y: np.zeros_like(data)})[y].reshape(rows, n)
    want = np.exp(data.astype(float)).reshape(rows, n)[:, ::-1]
    np.testing.assert_allclose(got, want, rtol=3e-7)


def test_several_kernels_in_order_and_timed():
    kernel, _, _ = flat_copy(3000)
    again, _, _ = flat_copy(3000)
    program = cpu.compile_program("two", [kernel, again])
    data, out = np.linspace(-2, 2, 3000).astype("f"), np.zeros(3000, "f")
    slots = (ctypes.c_void_p * 2)(data.ctypes.data, out.ctypes.data)
    seconds = program.run_timed(slots)
    assert len(seconds) == 2 and all(s > 0 for s in seconds)
    np.testing.assert_allclose(out, np.tanh(data.astype(float)), rtol=3e-7)


def test_empty_loops():
    x = Buffer("x", 0, float32, 1)
    for kind in ("vector", "parallel", "seq"):
        i = Var("i", 0)
        kernel = Kernel("none", (x,), (), (Loop(i, kind, (Store(x, const(0), Const(1, float32)),
                                                          )),))
        assert run(kernel, {x: np.zeros(1, "f")})[x][0] == 0
    assert ALL


@pytest.mark.parametrize("d", (float32, float64, int8, float16, int64), ids=lambda d: d.name)
@pytest.mark.parametrize("rows, columns, batch", ((64, 64, 1), (64, 72, 1), (128, 50, 1),
                                                  (64, 32, 3), (32, 40, 4), (60, 80, 1)))
def test_permuted_copies(d, rows, columns, batch):
    """out[b, p, j] = in[b, j, p] (+ a row), in squares where the extents allow it."""
    n = rows * columns * batch
    x, y = Buffer("x", 0, d, n), Buffer("y", 1, d, n)
    p, j = Var("p", batch * rows), Var("j", columns)
    at = (of(p) // rows) * (rows * columns) + of(p) % rows + of(j) * rows
    value = call("add", Load(x, at, d), Load(x, of(j), d))
    kernel = Kernel("permuted", (x, y), (), (Loop(p, "parallel", (Loop(j, "vector", (
        Store(y, of(p) * columns + of(j), value),)),)),))
    check(kernel, {x: sample(d, n, special=False), y: np.zeros(n, d.numpy)})


def test_a_transposition_is_cut_in_squares():
    x, y = Buffer("x", 0, float32, 1 << 14), Buffer("y", 1, float32, 1 << 14)
    p, j = Var("p", 128), Var("j", 128)
    kernel = Kernel("transpose", (x, y), (), (Loop(p, "parallel", (Loop(j, "vector", (
        Store(y, of(p) * 128 + of(j), Load(x, of(j) * 128 + of(p), float32)),)),)),))
    text = cpu.program_ir([kernel]).text
    assert "gather" not in text
    assert "shufflevector" in text


def test_a_function_that_another_program_has_is_not_compiled_again():
    """Rows of 40 elements: the number of rows is not in the function's text."""
    held = []
    for rows in (3, 50):
        kernel, _, _ = row_reduction("add", float32, rows, 40)
        module = cpu.program_ir([kernel], known=cpu._homes)
        assert bool(module.found) == bool(held) and bool(module.defined) != bool(held)
        held.append(cpu.compile_program("rows", [kernel]))
        data, got = np.ones((rows, 40), "f"), np.zeros(rows, "f")
        held[-1].run((ctypes.c_void_p * 2)(data.ctypes.data, got.ctypes.data))
        np.testing.assert_array_equal(got, np.full(rows, 40, "f"))


def test_repeated_kernels_move_their_buffers():
    """x[t + 1] = 2 x[t], and the other way round."""
    i = Var("i", 8)
    for step, first, last in ((32, 0, 3), (-32, 3, 0)):
        x = Buffer("x", 0, float32, 8, 32 * first, step, 3)
        y = Buffer("y", 0, float32, 8, 32 * first + step, step, 3)
        body = (Loop(i, "vector", (Store(y, of(i), call(
            "mul", Load(x, of(i), float32), Const(2.0, float32))),)),)
        repeat = Repeat((Kernel("twice", (x, y), (), body),), 3)
        data, meant = np.zeros((4, 8), "f"), np.zeros((4, 8), "f")
        data[first] = meant[first] = 1
        interpret(repeat, {0: meant.reshape(-1)})
        cpu.compile_program("repeat", [repeat]).run((ctypes.c_void_p * 1)(data.ctypes.data))
        np.testing.assert_array_equal(data[last], np.full(8, 8, "f"))
        np.testing.assert_array_equal(data, meant)
