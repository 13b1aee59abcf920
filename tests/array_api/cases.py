"""The table of calls: for each function of the standard, the arguments it is tried with.

In: nothing. Out: `CASES`, functions by name ("linalg.qr" for those of an extension) that give calls
(arguments, keywords). Arrays are NumPy arrays and dtypes `Kind("float32")` here: the test turns
them into those of the namespace that it asks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = tuple[tuple[Any, ...], dict[str, Any]]
Calls = Callable[[], Iterator[Call]]

SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
FLOATS = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
REAL = INTEGERS + FLOATS
NUMERIC = REAL + COMPLEX
ALL = ("bool", *NUMERIC)
FLOATING = FLOATS + COMPLEX

# Every pair of dtypes that promotes to one of the same kind, one order of each.
MIXED = (
    ("int8", "int64"), ("int16", "int32"), ("uint8", "uint16"), ("uint32", "uint64"),
    ("int8", "uint8"), ("int8", "uint16"), ("int8", "uint32"), ("int64", "uint32"),
    ("float32", "float64"), ("complex64", "complex128"), ("float64", "complex64"),
    ("float32", "complex64"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A dtype by its name."""

    name: str


def sample(kind: str, shift: int = 0, special: bool = True) -> np.ndarray[Any, Any]:
    """Twelve elements of a dtype with its extremes: signed zeros, infinities, NaN, bounds."""
    if kind == "bool":
        values: list[Any] = [True, False, True, True, False, False] * 2
    elif kind in INTEGERS:
        info = np.iinfo(kind)
        low, high = int(info.min), int(info.max)
        values = [0, 1, 2, 3, 100, 7, 42, 5, 3, 1, high, low] if special else [
            1, 2, 3, 5, 4, 7, 6, 2, 1, 3, 8, 9]
        if low < 0:
            values[1], values[3], values[5] = -1, -3, -7
    elif kind in FLOATS:
        info_f = np.finfo(kind)
        values = [0.0, -0.0, 1.0, -1.5, 2.5, -3.0, 0.125, 42.7]
        values += [np.inf, -np.inf, np.nan, float(info_f.max)] if special else [
            0.75, -0.3, 3.5, -0.5]
    else:
        real = sample("float64", shift, special=False)
        return (real + 1j * np.roll(real, 5)).astype(kind)
    return np.roll(np.array(values, dtype=kind), shift)


def each(kinds: tuple[str, ...], special: bool = True) -> Calls:
    """f(x) for arrays of every dtype: of one axis, of none, empty, and of three axes."""
    def calls() -> Iterator[Call]:
        for kind in kinds:
            x = sample(kind, special=special)
            yield (x,), {}
            yield (x[2],), {}
        yield (x[:0].reshape(2, 0, 3),), {}
        yield (x.reshape(2, 3, 2).transpose(2, 0, 1),), {}
    return calls


def two(kinds: tuple[str, ...], special: bool = True, shift: int = 5) -> Calls:
    """f(x1, x2) for dtypes alike and mixed, shapes that broadcast, 0-d arrays and numbers."""
    def calls() -> Iterator[Call]:
        for kind in kinds:
            x, y = sample(kind, 0, special), sample(kind, shift, special)
            yield (x, y), {}
        yield (x.reshape(3, 4), y[:4]), {}
        yield (x[:0].reshape(0, 1), y[:3]), {}
        for one, other in MIXED:
            if one in kinds and other in kinds:
                x, y = sample(one, 0, special), sample(other, shift, special)
                yield (x, y[4]), {}
                yield (y[4], x), {}
        if kinds[-1] in FLOATING:
            x = sample(kinds[-1], 0, special)
            yield (x, 2.0), {}
            yield (2.0, x), {}
    return calls


def wholes(kinds: tuple[str, ...], shift: int = 5) -> Calls:
    """f(x1, x2) where integers must not be zero or large on the right."""
    return two(kinds, special=False, shift=shift)


def shifted() -> Iterator[Call]:
    for kind in INTEGERS:
        yield (sample(kind, 0, False), np.array([0, 1, 2, 3, 4, 5, 6] + [1] * 5, kind)), {}


def along(kinds: tuple[str, ...], *words: dict[str, Any], special: bool = True,
          empty: bool = True) -> Calls:
    """f(x, axis=, keepdims=) for every dtype; one axis, all axes, several, none."""
    def calls() -> Iterator[Call]:
        for kind in kinds:
            yield (sample(kind, special=special),), {}
        x = sample(kinds[-1], special=False).reshape(2, 3, 2)
        for axis, keepdims in itertools.product((0, -1, (0, 2), (-1, 1), (), None), (True, False)):
            yield (x,), {"axis": axis, "keepdims": keepdims}
        yield (x[0, 0, 0],), {}
        if empty:
            yield (x[:0],), {"axis": 0}
            yield (x[:0],), {}
        for word in words:
            yield (x,), word
    return calls


def one_axis(kinds: tuple[str, ...], *words: dict[str, Any], special: bool = True) -> Calls:
    """f(x, axis=) for every dtype along an axis."""
    def calls() -> Iterator[Call]:
        for kind in kinds:
            yield (sample(kind, special=special),), {}
        x = sample(kinds[-1], special=False).reshape(2, 3, 2)
        for axis in (0, 1, -1):
            for word in ({}, *words):
                yield (x,), {"axis": axis, **word}
    return calls


def along_one(kinds: tuple[str, ...]) -> Calls:
    """f(x, axis=, keepdims=) for every dtype; one axis or all."""
    def calls() -> Iterator[Call]:
        for kind in kinds:
            yield (sample(kind, special=False),), {}
        x = sample(kinds[-1], special=False).reshape(2, 3, 2)
        for axis, keepdims in itertools.product((0, 1, -1, None), (True, False)):
            yield (x,), {"axis": axis, "keepdims": keepdims}
        yield (x[0, 0, 0],), {}
    return calls


def given(*calls: tuple[Any, ...]) -> Calls:
    """Calls written out: positional arguments, then a dict of keywords if there are any."""
    def found() -> Iterator[Call]:
        for call in calls:
            worded = isinstance(call[-1], dict)
            yield (call[:-1], call[-1]) if worded else (call, {})
    return found


def both(*tables: Calls) -> Calls:
    return lambda: itertools.chain(*(table() for table in tables))


CUBE = np.arange(24, dtype="float64").reshape(2, 3, 4)
SMALL = np.array([3, 1, 2, 3, 1], dtype="int32")
F32, F64, I16, U64 = Kind("float32"), Kind("float64"), Kind("int16"), Kind("uint64")
C64 = Kind("complex64")

MATRIX = np.array([[4.0, 1.0, -2.0], [1.0, 3.0, 0.5], [-2.0, 0.5, 5.0]])
STACK = np.stack([MATRIX, MATRIX * 2 + np.eye(3), np.eye(3)])
TALL = np.arange(12.0).reshape(4, 3) ** 1.5 - 7
HERMITIAN = MATRIX + 1j * np.array([[0, 1, -1], [-1, 0, 0.5], [1, -0.5, 0]])
MATRICES = (MATRIX, STACK, MATRIX.astype("float32"), HERMITIAN, STACK[:0])


def matrices(*words: dict[str, Any], of: tuple[Any, ...] = MATRICES) -> Calls:
    return given(*[(x, word) for x in of for word in (words or ({},))])


CASES: dict[str, Calls] = {
    # ---------------------------------------------------------------- elementwise
    "abs": each(SIGNED[1:] + UNSIGNED + FLOATING),
    **{name: each(FLOATING, special=name not in COMPLEX) for name in (
        "acos asin atan cos cosh exp expm1 log log10 log1p log2 reciprocal sin sinh sqrt tan tanh "
        "acosh asinh atanh").split()},
    **{name: each(REAL) for name in ("ceil", "floor", "trunc")},
    **{name: each(NUMERIC) for name in ("isfinite", "isinf", "isnan", "negative", "positive",
                                        "round", "square", "sign")},
    "bitwise_invert": each(("bool", *INTEGERS)),
    "conj": each(COMPLEX), "imag": each(COMPLEX), "real": each(COMPLEX),
    "logical_not": each(("bool",)),
    "signbit": each(FLOATS),
    **{name: two(NUMERIC) for name in ("add", "subtract", "multiply", "equal", "not_equal")},
    **{name: two(FLOATS) for name in ("atan2", "copysign", "hypot", "logaddexp", "nextafter")},
    **{name: two(("bool", *INTEGERS)) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    "bitwise_left_shift": shifted, "bitwise_right_shift": shifted,
    "divide": both(two(FLOATS), wholes(COMPLEX)),
    **{name: both(two(FLOATS), wholes(INTEGERS)) for name in ("floor_divide", "remainder")},
    **{name: two(REAL) for name in ("greater", "greater_equal", "less", "less_equal", "maximum",
                                    "minimum")},
    **{name: two(("bool",)) for name in ("logical_and", "logical_or", "logical_xor")},
    "pow": both(two(FLOATS), wholes(UNSIGNED), wholes(COMPLEX),
                given((SMALL, SMALL), (SMALL, 2), (2, SMALL))),
    "clip": given(
        (sample("float32"), -1.0, 2), (sample("float64"), None, 2.5), (sample("int8"), -3, None),
        (sample("uint64"), None, None), (sample("float64"), sample("float64", 3, False), 50.0),
        (sample("int16").reshape(3, 4), sample("int16", 0, False)[:4], None),
        (sample("int64"), np.array(2), np.array(50)),
        (sample("float32"), None, sample("float32", 2))),
    # ---------------------------------------------------------------- creation
    "arange": given(
        (5,), (2, 9), (9, 2), (9, 2, -2), (0, 1, 0.25), (5.0,), (0,), (1, 10, 3, {"dtype": I16}),
        (3, {"dtype": F32}), (-2.5, 3, 1.5)),
    "asarray": given(
        (3,), (2.5,), (True,), (1 + 2j,), ([1, 2, 3],), ([[1.0, 2], [3, 4]],), ([],), ([[], []],),
        ([True, False],), ([1, 2j],), ([2**63], {"dtype": U64}), (1, {"dtype": F32}),
        (CUBE,), (CUBE, {"copy": True}), (SMALL, {"dtype": Kind("int64")}),
        ((1, (2)), {"dtype": I16})),
    "empty_like": given((CUBE[:0],), (CUBE[:0], {"dtype": F32})),
    "eye": given((3,), (2, 4), (4, 2, {"k": 1}), (3, {"k": -1, "dtype": I16}), (0,),
                 (2, {"k": 5}), (2, 3, {"dtype": Kind("bool")}), (2, {"dtype": C64})),
    "full": given((3, 2.5), ((2, 2), 7), ((), True), ((0, 2), 1j), (2, 2**64 - 1, {"dtype": U64}),
                  (2, 3, {"dtype": F32}), (2, np.inf)),
    "full_like": given((CUBE, 2.0), (SMALL, 3), (CUBE, 1, {"dtype": I16})),
    "linspace": given((0, 1, 5), (0, 1, 5, {"endpoint": False}), (3, -2, 4, {"dtype": F32}),
                      (1, 2, 0), (1, 2, 1), (0, 1j, 3), (2.0, 2.0, 3, {"endpoint": False})),
    "meshgrid": given((SMALL, SMALL[:2]), (SMALL[:2], SMALL[:3], {"indexing": "ij"}), (SMALL,),
                      (SMALL[:2], SMALL[:3], SMALL[:2])),
    "ones": given((3,), ((2, 0),), ((), {"dtype": I16}), ((2,), {"dtype": C64})),
    "zeros": given((3,), ((2, 0),), ((), {"dtype": I16}), ((2,), {"dtype": C64})),
    "ones_like": given((CUBE,), (SMALL, {"dtype": F32})),
    "zeros_like": given((CUBE,), (SMALL, {"dtype": F32})),
    "tril": given((CUBE,), (CUBE, {"k": 1}), (CUBE[:, :0], {"k": -1}), (MATRIX > 1, {})),
    "triu": given((CUBE,), (CUBE, {"k": 1}), (CUBE[:, :0], {"k": -1}), (MATRIX > 1, {})),
    # ---------------------------------------------------------------- dtypes
    "astype": given(*[(sample(a, special=False) * (a != "bool") + 0, Kind(b))
                      for a in ("int8", "uint64", "float32", "complex64")
                      for b in (("complex64", "complex128") if a == "complex64" else
                                ("int64", "float64", "complex128", "bool", "uint16"))
                      if not (a == "float32" and b == "uint16")]),
    "can_cast": given(*[(Kind(a), Kind(b)) for a in ALL for b in ALL
                        if (a in FLOATING) == (b in FLOATING)]),
    "finfo": given(*[(Kind(a),) for a in FLOATING], (CUBE,)),
    "iinfo": given(*[(Kind(a),) for a in INTEGERS], (SMALL,)),
    "isdtype": given(*[(Kind(a), b) for a in ALL for b in (
        "bool", "signed integer", "unsigned integer", "integral", "real floating",
        "complex floating", "numeric", Kind("int8"), ("integral", Kind("float32")))]),
    "result_type": given(*[(Kind(a), Kind(b)) for a, b in MIXED], (SMALL, Kind("uint8")),
                         (CUBE, 1.0), (SMALL, 1), (CUBE, 1j), (CUBE, np.array(1.0, "float32"))),
    # ---------------------------------------------------------------- manipulation
    "broadcast_arrays": given((CUBE, SMALL[:4]), (CUBE,), (SMALL[:0], CUBE[0, 0, 0])),
    "broadcast_to": given((SMALL, (2, 5)), (CUBE[:1], (3, 3, 4)), (SMALL[0], (0,))),
    "concat": given(([CUBE, CUBE],), ((CUBE, CUBE), {"axis": -1}), ([CUBE, SMALL * 1.0],
                                                                    {"axis": None}),
                    ([SMALL, SMALL.astype("uint8")],), ([SMALL[:0], SMALL],)),
    "expand_dims": given((CUBE, {"axis": 0}), (CUBE, {"axis": -1}), (CUBE, {"axis": 2}),
                         (SMALL[0], {"axis": 0})),
    "flip": given((CUBE,), (CUBE, {"axis": 1}), (CUBE, {"axis": (0, -1)}), (SMALL[:0],),
                  (SMALL[0],)),
    "moveaxis": given((CUBE, 0, -1), (CUBE, (0, 1), (2, 0)), (CUBE, -1, 0)),
    "permute_dims": given((CUBE, (2, 0, 1)), (SMALL, (0,)), (SMALL[0], ())),
    "repeat": given((CUBE, 2), (CUBE, 3, {"axis": 1}), (SMALL, SMALL), (SMALL, 0),
                    (CUBE, np.array([0, 2]), {"axis": 0}), (CUBE, np.array(2), {"axis": -1})),
    "reshape": given((CUBE, (4, 6)), (CUBE, (-1,)), (CUBE.transpose(2, 0, 1), (2, -1)),
                     (CUBE, (2, 12), {"copy": True}), (CUBE, (2, 12), {"copy": False}),
                     (SMALL[:0], (0, 3)), (SMALL[:1], ())),
    "roll": given((CUBE, 3), (CUBE, 1, {"axis": 1}), (CUBE, (1, -2), {"axis": (0, 2)}),
                  (CUBE, -5, {"axis": -1}), (SMALL[:0], 2), (CUBE, 1, {"axis": (0, 1)})),
    "squeeze": given((CUBE[:1], 0), (CUBE[:1, :, :1], (0, 2)), (CUBE[:, :1], -2)),
    "stack": given(([CUBE, CUBE],), ([SMALL, SMALL], {"axis": 1}), ([CUBE, CUBE], {"axis": -1}),
                   ([SMALL[0], SMALL[1]],)),
    "tile": given((CUBE, (2, 1)), (SMALL, (2, 2)), (SMALL, (0,)), (SMALL, ()),
                  (CUBE, (1, 2, 1, 1))),
    "unstack": given((CUBE,), (CUBE, {"axis": -1}), (SMALL,)),
    # ---------------------------------------------------------------- reductions
    "max": along(REAL, empty=False), "min": along(REAL, empty=False),
    "mean": along(FLOATING, special=False, empty=False),
    "sum": along(NUMERIC, {"dtype": C64}, special=False),
    "prod": along(NUMERIC, {"dtype": C64}, special=False),
    "std": along(FLOATS, {"correction": 1.0}, {"axis": 1, "correction": 0.5}, special=False,
                 empty=False),
    "var": along(FLOATS, {"correction": 1.0}, {"axis": 1, "correction": 0.5}, special=False,
                 empty=False),
    "cumulative_sum": one_axis(NUMERIC, {"include_initial": True}, {"dtype": C64}, special=False),
    "cumulative_prod": one_axis(NUMERIC, {"include_initial": True}, {"dtype": C64}, special=False),
    "all": along(ALL), "any": along(ALL),
    "count_nonzero": along(ALL),
    "diff": both(one_axis(NUMERIC, {"n": 2}, {"n": 0}, special=False), given(
        (SMALL, {"prepend": SMALL[:2], "append": SMALL[:1]}), (CUBE, {"axis": 0, "n": 3}))),
    # ---------------------------------------------------------------- searching, sorting, sets
    "argmax": along_one(REAL), "argmin": along_one(REAL),
    "nonzero": both(given(*[(sample(kind),) for kind in ALL]), given((CUBE,), (SMALL[:0],))),
    "searchsorted": given(
        (np.sort(SMALL), SMALL), (np.sort(SMALL), SMALL, {"side": "right"}),
        (SMALL, SMALL.astype("int64").reshape(5, 1), {"sorter": np.argsort(SMALL, kind="stable")}),
        (np.array([1.0, 2.0]), np.array([0.0, 1.0, 3.0], "float32")),
        (np.array([1, 2], "uint64"), np.array([2**63], "uint64"))),
    "where": both(given(*[(sample("bool"), sample(k), sample(k, 4)) for k in ALL]), given(
        (CUBE > 5, CUBE, 0.0), (CUBE > 5, 1.0, CUBE), (np.array(True), SMALL, SMALL[0]),
        (np.array([[True], [False]]), SMALL, SMALL.astype("int64")))),
    "sort": one_axis(REAL, {"descending": True}, {"stable": False}),
    "argsort": one_axis(REAL, {"descending": True}),
    **{f"unique_{name}": both(
        given(*[(sample(kind),) for kind in ALL if kind not in FLOATS]),
        given((SMALL,), (sample("float64"),), (CUBE,), (SMALL[:0],), (SMALL[0],)))
       for name in ("all", "counts", "inverse", "values")},
    "take": given((SMALL, np.array([0, 2, -1])), (CUBE, np.array([1, 0, 1], "uint8"), {"axis": 0}),
                  (CUBE, np.array([3]), {"axis": -1}), (CUBE, np.array([], "int64"), {"axis": 1})),
    "take_along_axis": given(
        (CUBE, np.argsort(-CUBE, axis=-1)), (CUBE, np.array([[[1], [0], [1]]]), {"axis": 0}),
        (SMALL, np.array([4, 0]))),
    # ---------------------------------------------------------------- linear algebra
    "matmul": both(given(*[(sample(k, 0, False).reshape(3, 4), sample(k, 3, False).reshape(4, 3))
                           for k in NUMERIC]),
                   given((CUBE, CUBE[0, 0]), (CUBE, CUBE.transpose(0, 2, 1)), (SMALL, SMALL),
                         (CUBE[0].astype("float32"), CUBE[0].T), (CUBE[:, :0], CUBE[0].T))),
    "matrix_transpose": given((CUBE,), (MATRIX,), (CUBE[:0],)),
    "tensordot": given((CUBE, CUBE.transpose(1, 2, 0)), (CUBE, CUBE, {"axes": ((1, 2), (1, 2))}),
                       (SMALL, SMALL, {"axes": 0}), (SMALL, SMALL, {"axes": 1}),
                       (CUBE, CUBE, {"axes": ([0], [0])}), (SMALL.astype("uint8"), SMALL,
                                                            {"axes": 1})),
    "vecdot": both(given(*[(sample(k, 0, False), sample(k, 3, False)) for k in NUMERIC]),
                   given((CUBE, CUBE[:1]), (CUBE, CUBE, {"axis": -2}), (CUBE, CUBE[0, 0]))),
    "linalg.cholesky": matrices({}, {"upper": True}),
    "linalg.cross": given((CUBE, CUBE[:1] * 0.5, {"axis": -2}), (SMALL[:3], SMALL[2:]),
                          (MATRIX, MATRIX[0]), (MATRIX[0], STACK)),
    "linalg.det": matrices(), "linalg.inv": matrices(), "linalg.slogdet": matrices(),
    "linalg.eigvalsh": matrices(), "linalg.svdvals": matrices(of=(*MATRICES, TALL)),
    "linalg.diagonal": given((CUBE,), (CUBE, {"offset": 1}), (CUBE, {"offset": -2}),
                             (CUBE, {"offset": 9})),
    "linalg.matrix_norm": matrices({}, *[{"ord": o, "keepdims": o == 1} for o in (
        1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")], of=(TALL, HERMITIAN, STACK)),
    "linalg.matrix_power": given((MATRIX, 0), (MATRIX, 3), (STACK, -2), (MATRIX, 1)),
    "linalg.matrix_rank": given((MATRIX,), (np.ones((3, 4)),), (STACK,), (TALL,),
                                (np.zeros((2, 2)),), (STACK, {"rtol": 0.5}),
                                (STACK, {"rtol": np.array([0.1, 0.9, 1.0])})),
    "linalg.outer": given((SMALL, SMALL[:2]), (SMALL * 1.0, SMALL[:0] * 1.0),
                          (HERMITIAN[0], HERMITIAN[1])),
    "linalg.pinv": given((MATRIX,), (TALL,), (HERMITIAN,), (STACK, {"rtol": 0.01}),
                         (np.ones((3, 2)),)),
    "linalg.solve": given((MATRIX, MATRIX[0]), (STACK, MATRIX), (MATRIX, STACK), (STACK, MATRIX[0]),
                          (STACK, TALL[:3]), (MATRIX.astype("float32"), MATRIX)),
    "linalg.trace": both(given((CUBE,), (CUBE, {"offset": 1}), (CUBE, {"offset": -9})), given(
        *[(sample(k, 0, False).reshape(3, 4),) for k in NUMERIC],
        (CUBE, {"dtype": C64}))),
    "linalg.vector_norm": both(along(FLOATING, special=False, empty=False), given(*[
        (x, {"ord": o, "axis": 0}) for x in (TALL, HERMITIAN)
        for o in (0, 1, 2, 3, -1, 0.5, np.inf, -np.inf)])),
    # ---------------------------------------------------------------- transforms
    **{f"fft.{name}": given(*[(x.astype(k), word) for k in COMPLEX for x, word in (
        (CUBE, {}), (CUBE, {"n": 5, "axis": 1}), (CUBE, {"norm": "ortho"}),
        (CUBE[0], {"n": 2, "axis": 0, "norm": "forward"}))]) for name in ("fft", "ifft", "irfft",
                                                                          "hfft")},
    **{f"fft.{name}": given(*[(x.astype(k), word) for k in FLOATS for x, word in (
        (CUBE, {}), (CUBE, {"n": 5, "axis": 1}), (CUBE, {"norm": "ortho"}),
        (CUBE[0], {"n": 2, "axis": 0, "norm": "forward"}))]) for name in ("rfft", "ihfft")},
    **{f"fft.{name}": given(*[(x.astype(k), word) for k in (
        FLOATS if name == "rfftn" else COMPLEX) for x, word in (
        (CUBE, {}), (CUBE, {"axes": (0, 1)}), (CUBE, {"s": (2, 5), "axes": (0, -1)}),
        (CUBE, {"norm": "ortho", "axes": (1,)}))]) for name in ("fftn", "ifftn", "rfftn",
                                                                "irfftn")},
    "fft.fftfreq": given((6,), (7, {"d": 0.5}), (1,), (4, {"dtype": F32})),
    "fft.rfftfreq": given((6,), (7, {"d": 0.5}), (1,), (4, {"dtype": F32})),
    "fft.fftshift": given((CUBE,), (CUBE, {"axes": 1}), (CUBE, {"axes": (0, 2)})),
    "fft.ifftshift": given((CUBE,), (CUBE, {"axes": 1}), (CUBE, {"axes": (0, 2)})),
}
# What has no values to compare, or several right answers: test_rest.py looks at them.
ELSEWHERE = frozenset({
    "empty", "from_dlpack", "linalg.eigh", "linalg.qr", "linalg.svd", "linalg.matmul",
    "linalg.matrix_transpose", "linalg.tensordot", "linalg.vecdot"})
