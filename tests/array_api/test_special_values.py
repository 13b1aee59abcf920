"""Values that the standard fixes where NumPy's differ or where the table has none: complex numbers
with an infinite or NaN part (C99's rules), signs of zero, NaN.
"""

from __future__ import annotations

import math

import pytest

import flambeau.array_api as xp

INF, NAN, PI = math.inf, math.nan, math.pi

# function, argument, value; a NaN stands for any, zeros have the sign that is written.
COMPLEX = [
    ("abs", (INF, NAN), INF), ("abs", (NAN, -INF), INF),
    ("acos", (0.0, NAN), (PI / 2, NAN)), ("acos", (-INF, 1.0), (PI, -INF)),
    ("acosh", (INF, INF), (INF, PI / 4)), ("acosh", (-INF, 1.0), (INF, PI)),
    ("asin", (0.0, NAN), (0.0, NAN)), ("asinh", (NAN, 0.0), (NAN, 0.0)),
    ("asinh", (INF, INF), (INF, PI / 4)), ("atan", (0.0, INF), (PI / 2, 0.0)),
    ("atanh", (0.0, NAN), (0.0, NAN)), ("atanh", (INF, NAN), (0.0, NAN)),
    ("atanh", (1.0, 0.0), (INF, 0.0)), ("atanh", (1.0, INF), (0.0, PI / 2)),
    ("cosh", (INF, INF), (INF, NAN)), ("cosh", (INF, NAN), (INF, NAN)),
    ("cosh", (0.0, 0.0), (1.0, 0.0)), ("exp", (-INF, NAN), (0.0, 0.0)),
    ("exp", (INF, INF), (INF, NAN)), ("expm1", (-INF, INF), (-1.0, 0.0)),
    ("log", (-0.0, 0.0), (-INF, PI)), ("log", (NAN, INF), (INF, NAN)),
    ("log1p", (-1.0, 0.0), (-INF, 0.0)), ("sinh", (INF, INF), (INF, NAN)),
    ("sinh", (0.0, NAN), (0.0, NAN)), ("sinh", (INF, NAN), (INF, NAN)),
    ("sqrt", (1.0, INF), (INF, INF)), ("sqrt", (-INF, 1.0), (0.0, INF)),
    ("tanh", (0.0, INF), (0.0, NAN)), ("tanh", (0.0, NAN), (0.0, NAN)),
    ("tanh", (INF, INF), (1.0, 0.0)), ("tanh", (-0.0, NAN), (-0.0, NAN)),
]
REAL = [
    ("sign", (NAN,), NAN), ("remainder", (-0.0, 2.0), 0.0), ("remainder", (0.0, -2.0), -0.0),
    ("remainder", (3.0, -INF), -INF), ("remainder", (-3.0, INF), INF), ("pow", (NAN, 0.0), 1.0),
    ("pow", (1.0, NAN), 1.0), ("pow", (-1.0, INF), 1.0), ("hypot", (INF, NAN), INF),
    ("atan2", (-0.0, -0.0), -PI), ("maximum", (NAN, 1.0), NAN), ("round", (-0.4,), -0.0),
    ("round", (2.5,), 2.0), ("nextafter", (0.0, 1.0), 5e-324), ("copysign", (0.0, -3.0), -0.0),
    ("logaddexp", (-INF, -INF), -INF), ("logaddexp", (INF, -INF), INF), ("ceil", (-0.5,), -0.0),
    ("trunc", (-0.9,), -0.0), ("reciprocal", (-0.0,), -INF), ("log1p", (-1.0,), -INF),
    ("floor_divide", (-0.0, 2.0), -0.0), ("floor_divide", (1.0, 0.0), INF),
]


def same(got: float, want: float) -> bool:
    if math.isnan(want):
        return math.isnan(got)
    if want == 0:
        return got == 0 and math.copysign(1, got) == math.copysign(1, want)
    return math.isclose(got, want, rel_tol=1e-6)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(("name", "z", "want"), COMPLEX)
def test_complex(name: str, z: tuple[float, float], want: float | tuple[float, float],
                 dtype: str) -> None:
    x = xp.asarray([complex(*z)], dtype=getattr(xp, dtype))
    (got,) = getattr(xp, name)(x).tolist()
    parts = (got.real, got.imag) if isinstance(got, complex) else (got,)
    wanted = want if isinstance(want, tuple) else (want,)
    assert all(map(same, parts, wanted)), f"{name}({z}) = {got}, not {want}"


@pytest.mark.parametrize(("name", "args", "want"), REAL)
def test_real(name: str, args: tuple[float, ...], want: float) -> None:
    arrays = [xp.asarray([a], dtype=xp.float64) for a in args]
    (got,) = getattr(xp, name)(*arrays).tolist()
    assert same(got, want), f"{name}{args} = {got}, not {want}"


def test_parts_of_a_complex_number_are_rounded_apart() -> None:
    got = xp.round(xp.asarray([2.5 - 1.4j]))
    assert got.tolist() == [2 - 1j]


def test_the_sign_of_a_complex_number_has_size_one() -> None:
    got = xp.sign(xp.asarray([3 - 4j, 0j], dtype=xp.complex128)).tolist()
    assert got[0] == pytest.approx(0.6 - 0.8j)
    assert got[1] == 0
