"""Operations and conversions of every type, with tails."""
from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import dtype as types
from flambeau.core.dtype import ALL, bool_, float32, float64, int32, int64
from flambeau.core.symbol import Var, of
from flambeau.kernel.loopnest import OPERATIONS, Buffer, Cast, Const, Kernel, Load, Loop, Store

from .compare import SIZES, call, check, run, sample

REAL = tuple(d for d in ALL if d.kind != "c")
FLOATS = tuple(d for d in REAL if d.kind == "f")
INTEGERS = tuple(d for d in REAL if d.kind in "iu")
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
BITS = ("and", "or", "xor")
FLOAT_BINARY = ("add", "sub", "mul", "div", "min", "max", "fmin", "fmax", "copysign", "nextafter",
                "floordiv", "truncdiv", "mod", "rem")
FLOAT_UNARY = ("neg", "abs", "sqrt", "rsqrt", "reciprocal", "floor", "ceil", "trunc", "round",
               "sign")
FLOAT_TESTS = ("isnan", "isinf", "signbit")
INTEGER_BINARY = ("add", "sub", "mul", "min", "max", "floordiv", "truncdiv", "mod", "rem", "div",
                  "fmin", "fmax", *BITS)
ANALYSIS = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin",
            "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc",
            "erfinv", "lgamma", "digamma", "sigmoid")


def elementwise(op, ins, out, n, build=None):
    """A flat vector loop that applies `op` to one buffer for each type of `ins`."""
    buffers = tuple(Buffer(f"b{k}", k, d, n) for k, d in enumerate(ins))
    target = Buffer("out", len(ins), out, n)
    i = Var("i", n)
    args = [Load(b, of(i), b.dtype) for b in buffers]
    value = build(*args) if build else call(op, *args, dtype=out)
    body = (Loop(i, "vector", (Store(target, of(i), value),)),)
    return Kernel(op, (*buffers, target), (), body), (*buffers, target)


def check_op(op, ins, out, n=67, data=None, rtol=0.0, build=None):
    kernel, buffers = elementwise(op, ins, out, n, build)
    arrays = {b: sample(b.dtype, n, seed=k) for k, b in enumerate(buffers)}
    if data is not None:
        for b, x in zip(buffers, data):
            arrays[b] = np.resize(x, n).astype(b.dtype.numpy)
    check(kernel, arrays, rtol)


@pytest.mark.parametrize("n", SIZES)
def test_every_length(n):
    kernel, (a, b, out) = elementwise("add", (float32, float32), float32, n)
    check(kernel, {a: sample(float32, n), b: sample(float32, n, 1), out: np.zeros(n, "f")})


@pytest.mark.parametrize("d", FLOATS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", FLOAT_BINARY)
def test_float_binary(op, d):
    if op == "nextafter" and d.itemsize == 2:
        d = float32
    check_op(op, (d, d), d)


@pytest.mark.parametrize("op", ("mod", "rem", "floordiv"))
def test_float_division_of_far_apart_numbers(op):
    x = np.array([1e30, -1e30, 7.5, -7.5, 1e10, 16777217, 5.0, -5.0, np.inf, 3.0], "f")
    y = np.array([3e-3, 7.0, 2.5, 2.5, -3.3, 3.0, np.inf, np.inf, 2.0, 0.0], "f")
    check_op(op, (float32, float32), float32, 10, (x, y))
    check_op(op, (float64, float64), float64, 10, (x.astype(float), y.astype(float)))


@pytest.mark.parametrize("d", FLOATS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", FLOAT_UNARY)
def test_float_unary(op, d):
    check_op(op, (d,), d)


@pytest.mark.parametrize("d", FLOATS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", (*COMPARISONS, *FLOAT_TESTS))
def test_float_to_bool(op, d):
    check_op(op, (d, d) if op in COMPARISONS else (d,), bool_)


@pytest.mark.parametrize("d", INTEGERS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", INTEGER_BINARY)
def test_integer_binary(op, d):
    check_op(op, (d, d), d, 131)


@pytest.mark.parametrize("d", INTEGERS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", ("shl", "shr", "pow"))
def test_integer_shift_and_power(op, d):
    distance = np.arange(-2 if d.kind == "i" else 0, 70) % 100
    check_op(op, (d, d), d, 72, (sample(d, 72), distance))


@pytest.mark.parametrize("k", (-3, -1, 1, 2, 7, 10))
@pytest.mark.parametrize("op", ("floordiv", "mod", "truncdiv", "rem", "pow"))
def test_integer_with_a_constant(op, k):
    check_op(op, (int32,), int32, build=lambda x: call(op, x, Const(k, int32)))
    check_op(op, (int64,), int64, build=lambda x: call(op, x, Const(k, int64)))


@pytest.mark.parametrize("d", INTEGERS, ids=lambda d: d.name)
@pytest.mark.parametrize("op", ("neg", "abs", "not", "sign", "popcount", *COMPARISONS))
def test_integer_unary_and_comparison(op, d):
    pair = op in COMPARISONS
    if op == "popcount":
        kernel, (a, out) = elementwise(op, (d,), d, 67)
        x = sample(d, 67)
        got = run(kernel, {a: x, out: np.zeros_like(x)})[out]
        mask = (1 << 8 * d.itemsize) - 1
        assert got.tolist() == [bin(int(v) & mask).count("1") for v in x]
        return
    check_op(op, (d, d) if pair else (d,), bool_ if pair else d)


@pytest.mark.parametrize("op", ("and", "or", "xor", "eq", "ne", "lt", "min", "max", "add", "mul"))
def test_bool(op):
    check_op(op, (bool_, bool_), bool_, 131)


@pytest.mark.parametrize("source", REAL, ids=lambda d: d.name)
@pytest.mark.parametrize("to", REAL, ids=lambda d: d.name)
def test_casts(source, to):
    check_op("cast", (source,), to, 83, build=lambda x: Cast(x, to))
    if source.kind == "f":
        edge = np.array([300.7, -300.7, 3e9, -3e9, 1e19, -1e19, 127.9, -128.9, 255.5, 65504, 65520,
                         1e-8, 2.0 ** 31, 2.0 ** 63, -2.0 ** 63, np.nan, np.inf, 1 + 2.0 ** -11])
        with np.errstate(all="ignore"):
            check_op("cast", (source,), to, 18, (edge,), build=lambda x: Cast(x, to))


@pytest.mark.parametrize("d", (types.float16, types.bfloat16), ids=lambda d: d.name)
def test_every_small_float_survives(d):
    x = np.arange(1 << 16, dtype=np.uint16).view(d.numpy)
    kernel, (a, out) = elementwise("copy", (d,), float32, x.size, lambda v: Cast(v, float32))
    got = run(kernel, {a: x, out: np.zeros(x.size, "f")})[out]
    np.testing.assert_array_equal(got, x.astype(np.float32))
    kernel, (a, out) = elementwise("back", (float32,), d, x.size, lambda v: Cast(v, d))
    back = run(kernel, {a: got, out: np.zeros_like(x)})[out]
    np.testing.assert_array_equal(back.astype(np.float32), x.astype(np.float32))


@pytest.mark.parametrize("d", (types.float16, types.bfloat16), ids=lambda d: d.name)
def test_small_floats_round_to_even(d):
    x = np.random.default_rng(0).integers(0, 1 << 32, 100_000, dtype=np.uint64)
    x = x.astype(np.uint32).view(np.float32)
    kernel, (a, out) = elementwise("round", (float32,), d, x.size, lambda v: Cast(v, d))
    got = run(kernel, {a: x, out: np.zeros(x.size, d.numpy)})[out]
    with np.errstate(all="ignore"):
        want = x.astype(d.numpy)
    np.testing.assert_array_equal(got.astype(np.float32), want.astype(np.float32))


@pytest.mark.parametrize("d", (types.float16, types.bfloat16, float32, float64),
                         ids=lambda d: d.name)
@pytest.mark.parametrize("op", ANALYSIS)
def test_analysis(op, d):
    rtol = {"float64": 3e-15, "float32": 3e-7, "float16": 1e-3, "bfloat16": 8e-3}[d.name]
    x = np.concatenate([sample(d, 60).astype(float), np.linspace(-1, 1, 40), [90, -90, 600, -745],
                        [1e6, 3e5, 1e-3, -1e-3, 20, -20, 1e-30, 12.5]])
    if op in ("lgamma", "digamma"):
        rtol *= 50
    with np.errstate(all="ignore"):
        check_op(op, (d,), d, x.size, (x,), rtol)


@pytest.mark.parametrize("d", (float32, float64), ids=lambda d: d.name)
@pytest.mark.parametrize("op", ("pow", "atan2"))
def test_functions_of_two(op, d):
    some = np.array([0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, np.inf, -np.inf, np.nan, 10.5])
    x, y = (v.reshape(-1) for v in np.meshgrid(some, some))
    rtol = 3e-7 if d is float32 else 3e-15
    check_op(op, (d, d), d, x.size, (x, y), rtol)


@pytest.mark.parametrize("y", (2.0, 3.0, -1.0, 0.5, -0.5, 1.0, -2.0, 0.0, 2.5))
def test_power_with_a_constant(y):
    x = np.linspace(0.1, 9, 50)
    check_op("pow", (float32,), float32, 50, (x,), 3e-7,
             build=lambda v: call("pow", v, Const(y, float32)))


def test_sign_of_zero_survives():
    odd = ("sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "erfinv",
           "expm1", "log1p", "sqrt", "floor", "trunc", "round", "ceil")
    for op in odd:
        for d in (float32, float64):
            kernel, (a, out) = elementwise(op, (d,), d, 2)
            x = np.array([0.0, -0.0], d.numpy)
            got = run(kernel, {a: x, out: np.ones_like(x)})[out]
            assert np.signbit(got).tolist() == [False, True], op
            assert (got == 0).all(), op


def test_bitcast():
    check_op("bitcast", (float32,), int32, build=lambda v: call("bitcast", v, dtype=int32))
    check_op("bitcast", (int64,), float64, build=lambda v: call("bitcast", v, dtype=float64))
    half = types.float16
    check_op("bitcast", (half,), types.int16, build=lambda v: call("bitcast", v, dtype=types.int16))


def test_where_and_fma():
    check_op("where", (bool_, float32, float32), float32)
    check_op("where", (bool_, int64, int64), int64)
    check_op("fma", (float32, float32, float32), float32)
    check_op("fma", (int32, int32, int32), int32)


def test_every_operation_is_tested():
    tested = {*FLOAT_BINARY, *FLOAT_UNARY, *FLOAT_TESTS, *INTEGER_BINARY, *ANALYSIS, *COMPARISONS,
              "shl", "shr", "pow", "neg", "abs", "not", "sign", "popcount", "bitcast", "where",
              "fma", "atan2"}
    assert tested >= OPERATIONS
