"""An old place of `torch.library`."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .library import custom_op as _custom_op
from .library import register_fake, register_kernel


def custom_op(qualname: str, func_or_schema: Any = None) -> Any:
    """A decorator that makes an operator of a function."""
    if callable(func_or_schema):
        return _custom_op(qualname, func_or_schema, mutates_args=())
    return _custom_op(qualname, mutates_args=(), schema=func_or_schema)


def impl(qualname: str, *, device_types: Any = ("cpu",), func: Any = None) -> Any:
    return register_kernel(qualname, device_types, func)


def impl_abstract(qualname: str, *, func: Any = None) -> Callable[..., Any]:
    return register_fake(qualname, func)


__all__ = ["custom_op", "impl", "impl_abstract"]
