"""Compiled binary search against NumPy's."""
from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from flambeau.codegen.search import Search
from flambeau.core import dtype as dt
from flambeau.core.config import config

KINDS = [d for d in dt.ALL if d.kind != "c"]


def found(edges: np.ndarray[Any, Any], values: np.ndarray[Any, Any], right: bool,
          ) -> np.ndarray[Any, Any]:
    """Positions of (rows, each) values in (rows, n) edges, with guards beside them."""
    out = np.full(values.size + 40, -7, np.int64)
    rows, n = edges.shape
    kind = dt.BY_NUMPY[edges.dtype]
    search = Search(rows, n, values.shape[1], kind, right)
    search.run(edges.ctypes.data, values.ctypes.data, out[20:].ctypes.data)
    assert (out[:20] == -7).all() and (out[-20:] == -7).all()
    return out[20:-20].reshape(values.shape)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=lambda d: d.name)
def test_every_dtype(kind, right):
    rng = np.random.default_rng(3)
    low = 0 if kind.kind in "ub" else -40
    shapes = (1, 1, 1), (1, 7, 15), (1, 100, 16), (1, 64, 1000), (3, 9, 17), (5, 8, 1)
    for rows, n, each in shapes:
        edges = np.sort(rng.integers(low, 40, (rows, n)).astype(np.float64), 1)
        edges = np.sort(edges.astype(kind.numpy).astype(np.float64), 1).astype(kind.numpy)
        values = rng.integers(low, 45, (rows, each)).astype(kind.numpy)
        wide = np.float32 if kind.numpy == np.dtype(ml_dtypes.bfloat16) else kind.numpy
        want = [np.searchsorted(e.astype(wide), v.astype(wide), "right" if right else "left")
                for e, v in zip(edges, values)]
        np.testing.assert_array_equal(found(edges, values, right), want)


@pytest.mark.parametrize("right", [False, True])
def test_extremes(right):
    for kind in (np.int8, np.uint8, np.int64, np.uint64):
        least, most = np.iinfo(kind).min, np.iinfo(kind).max
        edges = np.array([[least, least, 1, most, most]], kind)
        values = np.array([[least, 1, most]], kind)
        want = np.searchsorted(edges[0], values[0], "right" if right else "left")
        np.testing.assert_array_equal(found(edges, values, right)[0], want)


def test_comparisons_with_nan_fail():
    edges = np.array([[1, 2, np.nan, np.nan]], np.float32)
    values = np.array([[np.nan, -np.nan, 0.5, 3, np.inf]], np.float32)
    for right in (False, True):
        np.testing.assert_array_equal(found(edges, values, right), [[4, 4, 4, 4, 4]])
    edges = np.array([[1, 2, np.inf]], np.float32)
    np.testing.assert_array_equal(found(edges, values, False), [[3, 3, 0, 2, 2]])


def test_zeros_are_equal():
    edges = np.array([[-1, -0.0, 0.0, 1]], np.float64)
    values = np.array([[0.0, -0.0]])
    np.testing.assert_array_equal(found(edges, values, False), [[1, 1]])
    np.testing.assert_array_equal(found(edges, values, True), [[3, 3]])


def test_any_number_of_threads():
    rng = np.random.default_rng(4)
    edges = np.sort(rng.standard_normal((1, 5000)), 1)
    values = rng.standard_normal((1, 30_001))
    want = np.searchsorted(edges[0], values[0])[None]
    for threads in (1, 2, 3):
        with config(num_threads=threads):
            np.testing.assert_array_equal(found(edges, values, False), want)
