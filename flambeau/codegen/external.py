"""The C library's functions, for what is not worth a polynomial.

In: a name of `math.h`. Out: its address, given to the linker by `cpu`; code refers to it by name.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import sys
from functools import cache, lru_cache
from typing import Any

PREFIX = "fb_libm_"
"""Our name of a function is its C name behind this, so that no definition is found by chance."""


@lru_cache(maxsize=1)
def _library() -> Any:
    if sys.platform == "win32":
        return ctypes.CDLL("ucrtbase")
    process = ctypes.CDLL(None)
    if hasattr(process, "lgamma"):
        return process
    return ctypes.CDLL(ctypes.util.find_library("m"))


@cache
def address(symbol: str) -> int:
    """The address of `PREFIX + name`."""
    function = getattr(_library(), symbol.removeprefix(PREFIX))
    return ctypes.cast(function, ctypes.c_void_p).value or 0
