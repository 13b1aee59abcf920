"""Every function of `flambeau.array_api` against array-api-strict: dtype, shape and values.

One table (`cases.py`) drives it. Integers, bools and NaN must be equal, zeros and infinities have
the same sign; floats may differ in the last digits.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import flambeau
import flambeau.array_api as xp

from .cases import CASES, ELSEWHERE, Kind

strict = pytest.importorskip("array_api_strict")


@pytest.fixture(autouse=True)
def doubles() -> Iterator[None]:
    """NumPy's default float, so that both make the same arrays of Python numbers."""
    flambeau.set_default_dtype(flambeau.float64)
    yield
    flambeau.set_default_dtype(flambeau.float32)


def test_the_table_is_complete() -> None:
    names = {n for n in xp.__all__ if callable(getattr(xp, n)) and n != "newaxis"
             and not isinstance(getattr(xp, n), flambeau.dtype)} - {"__array_namespace_info__"}
    names |= {f"{space}.{n}" for space in ("linalg", "fft") for n in getattr(xp, space).__all__}
    assert names - ELSEWHERE == CASES.keys()


def given_to(space: Any, x: Any) -> Any:
    """An argument of the table as `space` takes it."""
    if isinstance(x, (np.ndarray, np.generic)):
        array = np.ascontiguousarray(x) if x.ndim else np.array(x)
        return space.asarray(array if x.flags.c_contiguous else x)
    if isinstance(x, Kind):
        return getattr(space, x.name)
    if isinstance(x, (list, tuple)):
        return type(x)(given_to(space, y) for y in x)
    return x


def answer(space: Any, name: str, args: Any, words: Any) -> Any:
    fn: Any = space
    for part in name.split("."):
        fn = getattr(fn, part)
    words = {key: given_to(space, value) for key, value in words.items()}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return fn(*given_to(space, args), **words)


def compare(got: Any, want: Any, what: str) -> None:
    """One result: an array, a sequence of them, a dtype, limits, a bool."""
    if isinstance(got, flambeau.Tensor):
        kind = np.asarray(want).dtype.name
        assert got.dtype.name == kind, f"{what}: {got.dtype.name}, not {kind}"
        assert tuple(got.shape) == want.shape, f"{what}: {tuple(got.shape)}, not {want.shape}"
        same_values(got.numpy(), np.asarray(want), what)
    elif isinstance(got, (tuple, list)):
        # 2024.12 says list where array-api-strict gives a tuple already.
        assert len(got) == len(want), what
        for i, (a, b) in enumerate(zip(got, want, strict=True)):
            compare(a, b, f"{what}[{i}]")
        if hasattr(want, "_fields"):
            assert got._fields == want._fields
    elif isinstance(got, flambeau.dtype):
        assert got.name == want._np_dtype.name, f"{what}: {got}, not {want}"
    elif isinstance(got, bool):
        assert got is want, f"{what}: {got}, not {want}"
    else:
        for field in ("bits", "max", "min", "eps", "smallest_normal"):
            if hasattr(want, field):
                assert getattr(got, field) == getattr(want, field), (what, field)
        assert got.dtype.name == want.dtype._np_dtype.name


def same_values(got: Any, want: Any, what: str) -> None:
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, want, what)
        return
    if got.dtype.kind == "c":
        same_values(got.real, want.real, f"real of {what}")
        same_values(got.imag, want.imag, f"imag of {what}")
        return
    eps = 2e-5 if got.dtype.itemsize == 4 else 1e-11
    size = np.abs(np.where(np.isfinite(want), want, 0)).max(initial=0.0)
    near = eps * min(float(size), 100.0)
    np.testing.assert_allclose(got, want, rtol=eps, atol=near, err_msg=what)
    if what.partition("(")[0] in EXACT_SIGN:
        zero = (got == 0) & (want == 0)
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]), what)


# Functions whose zeros have a sign that the standard fixes.
EXACT_SIGN = frozenset(
    "abs add subtract multiply divide ceil floor trunc round copysign negative positive square "
    "sqrt sin tan asin atan sinh tanh asinh atanh expm1 log1p atan2 remainder floor_divide "
    "reciprocal nextafter".split())


@pytest.mark.parametrize("name", list(CASES))
def test_function(name: str) -> None:
    for args, words in CASES[name]():
        kinds = [getattr(a, "dtype", type(a).__name__) for a in args]
        what = f"{name}({', '.join(map(str, kinds))}, {words})"
        try:
            want = answer(strict, name, args, words)
        except Exception as error:
            raise AssertionError(f"array-api-strict refuses {what}: {error!r}") from error
        try:
            got = answer(xp, name, args, words)
        except Exception as error:
            raise AssertionError(f"{what}: {error!r}") from error
        compare(got, want, what)
