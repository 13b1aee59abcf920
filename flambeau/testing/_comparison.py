"""`assert_close`: whether tensors, numbers or containers of them agree, and where they do not.

In: what came and what was expected. Out: nothing, or AssertionError with the greatest differences.
"""
from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.conversion import values
from ..tensor.creation import as_tensor
from ..tensor.tensor import Tensor

# (rtol, atol) of each type; integers must be equal.
TOLERANCES = {dt.float16: (1e-3, 1e-5), dt.bfloat16: (1.6e-2, 1e-5), dt.float32: (1.3e-6, 1e-5),
              dt.float64: (1e-7, 1e-7), dt.complex64: (1.3e-6, 1e-5), dt.complex128: (1e-7, 1e-7)}


@dataclass(frozen=True)
class _Settings:
    """The arguments of one comparison."""

    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_stride: bool
    allow_subclasses: bool


def default_tolerances(*inputs: Any) -> tuple[float, float]:
    """The larger of the types' tolerances."""
    kinds = [x.dtype if isinstance(x, Tensor) else x for x in inputs]
    pairs = [TOLERANCES.get(k, (0.0, 0.0)) for k in kinds]
    return max(p[0] for p in pairs), max(p[1] for p in pairs)


def assert_close(actual: Any, expected: Any, *, allow_subclasses: bool = True,
                 rtol: float | None = None, atol: float | None = None, equal_nan: bool = False,
                 check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
                 check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
                 ) -> None:
    """AssertionError unless |actual - expected| <= atol + rtol * |expected| everywhere."""
    if (rtol is None) != (atol is None):
        raise ValueError("rtol and atol must both be specified or both be unspecified, but got "
                         f"{'no' if rtol is None else ''} rtol and "
                         f"{'no' if atol is None else ''} atol.")
    how = _Settings(rtol, atol, equal_nan, check_device, check_dtype, check_stride,
                    allow_subclasses)
    try:
        _compare(actual, expected, how, "")
    except AssertionError as error:
        if msg is None:
            raise
        raise AssertionError(msg(str(error)) if callable(msg) else msg) from None


def _compare(actual: Any, expected: Any, how: _Settings, where: str) -> None:
    if isinstance(actual, str) or isinstance(expected, str):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and "
                        f"{type(expected)}.")
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        _keys(actual, expected, where)
        for key in expected:
            _compare(actual[key], expected[key], how, f"{where}[{key!r}]")
        return
    if isinstance(actual, Sequence) and isinstance(expected, Sequence):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch: {len(actual)} != "
                                 f"{len(expected)}{_item(where)}")
        for i, (a, e) in enumerate(zip(actual, expected)):
            _compare(a, e, how, f"{where}[{i}]")
        return
    if actual is None or expected is None:
        if actual is not expected:
            raise AssertionError(f"None mismatch: {actual} is not {expected}{_item(where)}")
        return
    number = (bool, int, float, complex, np.number, np.bool_)
    if isinstance(actual, number) and isinstance(expected, number):
        _numbers(actual, expected, how, where)
        return
    _tensors(_as_tensor(actual, expected), _as_tensor(expected, actual), how, where)


def _item(where: str) -> str:
    return f"\n\nThe failure occurred for item {where}" if where else ""


def _keys(actual: Mapping[Any, Any], expected: Mapping[Any, Any], where: str) -> None:
    if set(actual) == set(expected):
        return
    missing = sorted(map(repr, set(expected) - set(actual)))
    extra = sorted(map(repr, set(actual) - set(expected)))
    raise AssertionError("The keys of the mappings do not match:\nMissing keys in the actual "
                         f"mapping: [{', '.join(missing)}]\nAdditional keys in the actual "
                         f"mapping: [{', '.join(extra)}]{_item(where)}")


def _as_tensor(x: Any, other: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x.detach()
    if isinstance(x, (np.ndarray, np.generic)):
        return as_tensor(x)
    raise TypeError(f"No comparison pair was able to handle inputs of type {type(x)} and "
                    f"{type(other)}.")


def _numbers(actual: Any, expected: Any, how: _Settings, where: str) -> None:
    rtol, atol = how.rtol, how.atol
    if rtol is None or atol is None:
        kinds = [_number_type(x) for x in (actual, expected)]
        rtol, atol = default_tolerances(*kinds)
    if how.check_dtype and type(actual) is not type(expected):
        raise AssertionError(f"The (d)types do not match: {type(actual)} != "
                             f"{type(expected)}.{_item(where)}")
    a, e = complex(actual), complex(expected)
    if a == e or how.equal_nan and cmath.isnan(a) and cmath.isnan(e):
        return
    diff = abs(a - e)
    if cmath.isfinite(diff) and diff <= atol + rtol * abs(e):
        return
    head = "Booleans" if isinstance(expected, bool) else "Scalars"
    text = f"Expected {expected} but got {actual}."
    if rtol == 0 and atol == 0:
        raise AssertionError(f"{head} are not equal!\n\n{text}\nAbsolute difference: {diff}\n"
                             f"Relative difference: {diff / abs(e) if e else float('inf')}"
                             f"{_item(where)}")
    raise AssertionError(
        f"{head} are not close!\n\n{text}\nAbsolute difference: {diff} (up to {atol} allowed)\n"
        f"Relative difference: {diff / abs(e) if e else float('inf')} (up to {rtol} allowed)"
        f"{_item(where)}")


def _number_type(x: Any) -> DType:
    if isinstance(x, (bool, np.bool_)):
        return dt.bool_
    if isinstance(x, (int, np.integer)):
        return dt.int64
    return dt.complex128 if isinstance(x, (complex, np.complexfloating)) else dt.float64


def _tensors(actual: Tensor, expected: Tensor, how: _Settings, where: str) -> None:
    if actual._shape != expected._shape:
        raise AssertionError(f"The values for attribute 'shape' do not match: {actual.shape} != "
                             f"{expected.shape}.{_item(where)}")
    for name, checked in (("device", how.check_device), ("dtype", how.check_dtype)):
        a, e = getattr(actual, name), getattr(expected, name)
        if checked and a != e:
            raise AssertionError(f"The values for attribute '{name}' do not match: {a} != {e}."
                                 f"{_item(where)}")
    if how.check_stride and actual.stride() != expected.stride():
        raise AssertionError(f"The values for attribute 'stride()' do not match: "
                             f"{actual.stride()} != {expected.stride()}."
                             f"{_item(where)}")
    rtol, atol = how.rtol, how.atol
    if rtol is None or atol is None:
        rtol, atol = default_tolerances(actual, expected)
    _arrays(_wide(actual), _wide(expected), rtol, atol, how.equal_nan, where)


def _wide(t: Tensor) -> Any:
    """The elements in a type that differences do not overflow in."""
    array = np.asarray(values(t))
    kind = t.dtype.kind
    if kind == "f":
        return array.astype(np.float64)
    return array.astype(np.complex128) if kind == "c" else array


def _arrays(a: Any, e: Any, rtol: float, atol: float, equal_nan: bool, where: str) -> None:
    with np.errstate(all="ignore"):
        if a.dtype.kind in "fc" or e.dtype.kind in "fc":
            diff = np.abs(a - e)
            close = (a == e) | np.isfinite(e) & (diff <= atol + rtol * np.abs(e))
            if equal_nan:
                close |= np.isnan(a) & np.isnan(e)
            size = np.abs(e)
        else:
            wide = [x.astype(object) if x.dtype == np.uint64 else x.astype(np.int64)
                    for x in (a, e)]
            diff = np.abs(wide[0] - wide[1]).astype(np.float64)
            size = np.abs(wide[1]).astype(np.float64)
            close = (a == e) | (diff <= atol + rtol * size) if rtol or atol else a == e
        if np.all(close):
            return
        relative = np.where(close, 0.0, diff / size)
        diff = np.where(close, 0.0, diff)
    raise AssertionError(_report(a, close, diff, relative, rtol, atol, where))


def _report(a: Any, close: Any, diff: Any, relative: Any, rtol: float, atol: float, where: str,
            ) -> str:
    equal = rtol == 0 and atol == 0
    if a.ndim == 0:
        lines = [f"Scalars are not {'equal' if equal else 'close'}!", "",
                 f"Absolute difference: {diff.item()}" + ("" if equal else f" (up to {atol} "
                                                          "allowed)"),
                 f"Relative difference: {relative.item()}" + ("" if equal else f" (up to {rtol} "
                                                              "allowed)")]
        return "\n".join(lines) + _item(where)
    wrong = int((~close).sum())
    lines = [f"Tensor-likes are not {'equal' if equal else 'close'}!", "",
             f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})"]
    for name, values_, limit in (("absolute", diff, atol), ("relative", relative, rtol)):
        at = np.unravel_index(np.argmax(np.where(np.isnan(values_), np.inf, values_)), a.shape)
        place = tuple(int(i) for i in at)
        tail = "" if equal else f" (up to {limit} allowed)"
        lines.append(f"Greatest {name} difference: {values_[at]} at index {place}{tail}")
    return "\n".join(lines) + _item(where)


def assert_allclose(actual: Any, expected: Any, rtol: float | None = None,
                    atol: float | None = None, equal_nan: bool = True, msg: str = "") -> None:
    """The older form of `assert_close`: types need not be the same."""
    if not isinstance(actual, Tensor):
        actual = as_tensor(actual)
    if not isinstance(expected, Tensor):
        expected = as_tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual, expected)
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_device=True,
                 check_dtype=False, check_stride=False, msg=msg or None)
