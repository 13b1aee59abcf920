"""Sizes are plain numbers: `SymInt` and its kin are names for isinstance, `sym_*` are Python's."""
from __future__ import annotations

import math
import operator
from typing import Any

from .core.absent import refuse
from .tensor.tensor import Tensor

_ERROR = RuntimeError("flambeau has no symbolic sizes: sizes are plain numbers")


class SymInt:
    """An int that is not known yet: there are none."""

    __init__ = refuse("__init__", _ERROR)


class SymFloat:
    """A float that is not known yet: there are none."""

    __init__ = refuse("__init__", _ERROR)


class SymBool:
    """A bool that is not known yet: there are none."""

    __init__ = refuse("__init__", _ERROR)


def sym_int(a: Any) -> int:
    """A size as an int."""
    return int(a)


def sym_float(a: Any) -> float:
    """A size as a float."""
    return float(a)


def sym_not(a: Any) -> bool:
    """not a."""
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """max(a, b); a float if one of them is."""
    found = max(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_min(a: Any, b: Any) -> Any:
    """min(a, b); a float if one of them is."""
    found = min(a, b)
    return float(found) if isinstance(a, float) or isinstance(b, float) else found


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """t if b else f."""
    return t if b else f


def sym_sum(args: Any) -> Any:
    """The sum of sizes."""
    return sum(args)


def _sym_sqrt(a: Any) -> float:
    return math.sqrt(a)


def sym_fresh_size(expr: Any) -> int:
    """A size that is known only at run time: here just the number."""
    return operator.index(expr)



def _check_with(error_type: type[Exception], cond: Any, message: Any = None) -> None:
    """Raise `error_type` with the message's words unless `cond` holds."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        words = "Expected cond to be True, but got False. (Could this error message be improved?)"
    else:
        if not callable(message):
            raise TypeError("message must be a callable")
        words = str(message())
    raise error_type(words)


def _check(cond: Any, message: Any = None) -> None:
    _check_with(RuntimeError, cond, message)


def _check_index(cond: Any, message: Any = None) -> None:
    _check_with(IndexError, cond, message)


def _check_value(cond: Any, message: Any = None) -> None:
    _check_with(ValueError, cond, message)


def _check_type(cond: Any, message: Any = None) -> None:
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: Any, message: Any = None) -> None:
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: Any, message: Any = None, *, max: Any = None) -> None:
    _check(i >= 0, message)


def _check_tensor_all_with(error_type: type[Exception], cond: Any, message: Any = None) -> None:
    """Raise unless every element of the bool tensor `cond` holds."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    _check_with(error_type, bool(cond.all().item()), message)


def _check_tensor_all(cond: Any, message: Any = None) -> None:
    _check_tensor_all_with(RuntimeError, cond, message)


def _assert(condition: Any, message: str) -> None:
    """Python's assert, as a function."""
    if not condition:
        raise AssertionError(message)


def _assert_async(self: Any, assert_msg: str = "") -> None:
    """Raise unless the one element of a tensor is not zero."""
    if not bool(self.item()):
        raise RuntimeError(assert_msg or "Expected Tensor with single nonzero value, but got zero")


__all__ = [
    "SymBool", "SymFloat", "SymInt", "_assert", "_assert_async", "_check", "_check_index",
    "_check_is_size", "_check_not_implemented", "_check_tensor_all", "_check_tensor_all_with",
    "_check_type", "_check_value", "_check_with", "_sym_sqrt", "sym_float", "sym_fresh_size",
    "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sum",
]
