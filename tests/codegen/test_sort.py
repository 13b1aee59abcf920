"""Compiled sorting against NumPy's stable argsort."""
from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import flambeau
from flambeau.codegen import sort, sort_entries
from flambeau.codegen.sort import Order, Sort
from flambeau.codegen.sort_ir import Keys
from flambeau.core import dtype as dt
from flambeau.core.config import config
from flambeau.runtime import native

KINDS = [d for d in dt.ALL if d.kind != "c"]
# About the sizes where the way of sorting changes, and a vector's width.
SIZES = [1, 2, 7, 8, 9, 63, 64, 65, 127, 300, 513, 1000, 3000]


def keys(kind: dt.dtype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    """Any bits, and among floats many NaN, zeros of both signs and infinities."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    raw = rng.integers(0, 256, size * kind.itemsize, dtype=np.uint8)
    if kind.kind == "b":
        return (raw & 1).view(np.bool_).reshape(shape)
    x = raw.view(kind.numpy).copy()
    if kind.kind == "f":
        special = np.array([np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 1.5], kind.numpy)
        where = rng.random(size) < 0.5
        x[where] = rng.choice(special.astype(np.float64), where.sum()).astype(kind.numpy)
    else:
        where = rng.random(size) < 0.5
        x[where] = rng.integers(0, 5, where.sum()).astype(kind.numpy)
    return x.reshape(shape)


def expected(x: np.ndarray[Any, Any], descending: bool) -> np.ndarray[Any, Any]:
    """Positions along dim 1."""
    if x.dtype == np.dtype(ml_dtypes.bfloat16):
        x = x.astype(np.float32)
    if not descending:
        return np.argsort(x, axis=1, kind="stable")
    back = np.argsort(np.flip(x, 1), axis=1, kind="stable")
    return np.flip(x.shape[1] - 1 - back, 1)


def positions(x: np.ndarray[Any, Any], descending: bool = False, count: int | None = None,
              ) -> np.ndarray[Any, Any]:
    outer, n, inner = x.shape
    x = np.ascontiguousarray(x)
    kept = n if count is None else count
    out = np.full((outer, kept, inner), -1, np.int64)
    kind = dt.BY_NUMPY[x.dtype]
    Sort(Order(outer * inner, n, inner, kind, descending, kept)).run(x.ctypes.data, out.ctypes.data)
    return out


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=lambda d: d.name)
def test_every_dtype_and_size(kind, descending):
    for n in SIZES:
        for outer, inner in ((1, 1), (3, 1), (2, 3)):
            x = keys(kind, (outer, n, inner), n)
            want = expected(x, descending)
            np.testing.assert_array_equal(positions(x, descending), want, f"{n} {outer} {inner}")


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=lambda d: d.name)
def test_the_first_few(kind, descending):
    for n in (1, 9, 600, 3000):
        for inner in (1, 2):
            x = keys(kind, (2, n, inner), n)
            want = expected(x, descending)
            for count in {1, min(n, 5), max(1, n // 9), n}:
                got = positions(x, descending, count)
                np.testing.assert_array_equal(got, want[:, :count], f"{n} {inner} {count}")


def test_selection_whose_store_is_filled_again_and_again():
    x = np.arange(20_000, 0, -1, dtype=np.int32).reshape(1, -1, 1)
    np.testing.assert_array_equal(positions(x, False, 100)[0, :, 0], np.arange(19_999, 19_899, -1))
    np.testing.assert_array_equal(positions(x, True, 100)[0, :, 0], np.arange(100))


def test_selection_takes_the_earliest_of_equals():
    x = np.zeros((1, 5000, 1), np.float32)
    x[0, 4999] = -1
    np.testing.assert_array_equal(positions(x, False, 4)[0, :, 0], [4999, 0, 1, 2])


@pytest.mark.parametrize("kind", [dt.float32, dt.int64, dt.uint8], ids=lambda d: d.name)
@pytest.mark.parametrize("shape", [(1, 140_000, 1), (1, 140_000, 2), (500, 40, 3)])
def test_any_number_of_threads(kind, shape):
    x = keys(kind, shape, 1)
    want = expected(x, True)
    for threads in (1, 2, 3):
        with config(num_threads=threads):
            np.testing.assert_array_equal(positions(x, True), want)


def test_positions_beyond_32_bits(monkeypatch):
    """Narrow keys under wide positions, as in rows too long for this test."""
    code = sort._code
    monkeypatch.setattr(sort, "_code", lambda kind, position: code(kind, 64))
    for kind in (dt.float32, dt.float16, dt.bool_):
        for n in (40, 1000, 140_000):
            x = keys(kind, (1, n, 1), n)
            want = expected(x, False)
            np.testing.assert_array_equal(positions(x), want)
            np.testing.assert_array_equal(positions(x, count=min(n, 9)), want[:, :9])


def test_nothing_is_written_beside_the_result():
    x = keys(dt.float32, (1, 100, 1))
    out = np.full(120, -7, np.int64)
    Sort(Order(1, 100, 1, dt.float32, False, 100)).run(x.ctypes.data, out[10:].ctypes.data)
    assert (out[:10] == -7).all() and (out[110:] == -7).all()


def test_module_refers_to_nothing_outside():
    for bits, position in ((32, 32), (64, 64)):
        text = sort_entries.module(Keys(bits, "i", 0, position))
        declared = [line for line in text.splitlines() if line.startswith("declare")]
        assert all("@llvm." in line for line in declared)
        assert native.load(text, ("rows",))["rows"]


def test_a_program_shows_its_sorts_and_searches(capsys):
    x = np.random.default_rng(5).standard_normal(3000).astype(np.float32)
    with config(show={"launch"}):
        values, order = flambeau.sort(flambeau.tensor(x))
        place = flambeau.searchsorted(values, flambeau.tensor(x))
        np.testing.assert_array_equal(place.numpy()[order.numpy()], np.arange(3000))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("argsort ") and "GB/s" in line for line in lines)
    assert any(line.startswith("search ") and "GB/s" in line for line in lines)
