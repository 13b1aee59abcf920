"""Decorators and types that scripted code uses: marks on functions, nothing more."""
from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, Dict, Final, List, Optional, Tuple, Union  # noqa: UP035

from .futures import Future
from .tensor.tensor import Tensor


class FunctionModifiers:
    """The marks, as PyTorch's readers of `_torchscript_modifier` know them."""

    UNUSED = "unused (ignored and replaced with raising of an exception)"
    IGNORE = "ignore (leave as a call to Python, cannot be torch.jit.save'd)"
    EXPORT = "export (compile this function even if nothing calls it)"
    DEFAULT = "default (if called from a exported function / forward)"
    COPY_TO_SCRIPT_WRAPPER = "if this method is not scripted, copy the python method"


class BroadcastingListCls:
    """`BroadcastingList2[int]`: a list or one value for all."""

    def __getitem__(self, types: Any) -> None:
        return None


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = BroadcastingListCls()


def is_scripting() -> bool:
    """Whether the code runs as TorchScript: never."""
    return False


def _mark(fn: Any, mark: str) -> Any:
    fn._torchscript_modifier = mark
    return fn


def export(fn: Callable[..., Any]) -> Callable[..., Any]:
    return _mark(fn, FunctionModifiers.EXPORT)


def unused(fn: Any) -> Any:
    if isinstance(fn, property):
        if fn.fget is not None:
            _mark(fn.fget, FunctionModifiers.UNUSED)
        if fn.fset is not None:
            _mark(fn.fset, FunctionModifiers.UNUSED)
        return fn
    return _mark(fn, FunctionModifiers.UNUSED)


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """A decorator, with or without arguments."""
    if callable(drop):
        return _mark(drop, FunctionModifiers.IGNORE)
    if not isinstance(drop, bool):
        raise RuntimeError(f"Argument to @torch.jit.ignore must be a bool or a function but got "
                           f"{drop}")
    return lambda fn: _mark(fn, FunctionModifiers.UNUSED if drop else FunctionModifiers.IGNORE)


def is_ignored_fn(fn: Any) -> bool:
    mark = getattr(fn, "_torchscript_modifier", FunctionModifiers.DEFAULT)
    return mark in (FunctionModifiers.UNUSED, FunctionModifiers.IGNORE)


def _copy_to_script_wrapper(fn: Any) -> Any:
    return _mark(fn, FunctionModifiers.COPY_TO_SCRIPT_WRAPPER)


def _overload(func: Any) -> Any:
    """The declaration of an overload: Python keeps only the last definition."""
    return func


def _overload_method(func: Any) -> Any:
    return func


def boolean_dispatch(arg_name: str, arg_index: int, default: bool, if_true: Any, if_false: Any,
                     module_name: str, func_name: str) -> Callable[..., Any]:
    """A function that calls one of two, by a flag among its arguments."""
    def call(*args: Any, **kwargs: Any) -> Any:
        flag = default
        if arg_name in kwargs:
            flag = kwargs[arg_name]
        elif arg_index < len(args):
            flag = args[arg_index]
        return (if_true if flag else if_false)(*args, **kwargs)

    call.__name__, call.__module__ = func_name, module_name
    call.__doc__ = if_true.__doc__ or if_false.__doc__
    return call


def is_tuple(ann: Any) -> bool:
    return ann is typing.Tuple or typing.get_origin(ann) is tuple  # noqa: UP006


def is_list(ann: Any) -> bool:
    return ann is typing.List or typing.get_origin(ann) is list  # noqa: UP006


def is_dict(ann: Any) -> bool:
    return ann is typing.Dict or typing.get_origin(ann) is dict  # noqa: UP006


def is_optional(ann: Any) -> bool:
    return typing.get_origin(ann) is Union and type(None) in typing.get_args(ann)


def is_final(ann: Any) -> bool:
    return ann is Final or typing.get_origin(ann) is Final


__all__ = [
    "Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "BroadcastingListCls",
    "Dict", "Final", "FunctionModifiers", "Future", "List", "Optional", "Tensor", "Tuple", "Union",
    "_copy_to_script_wrapper", "_overload", "_overload_method", "boolean_dispatch", "export",
    "ignore", "is_dict", "is_final", "is_ignored_fn", "is_list", "is_optional", "is_scripting",
    "is_tuple", "unused",
]
