"""The default floating point type, which Python floats and integer inputs of float functions take.

In: `torch.set_default_dtype`. Out: `default_dtype()`, read by `ops/promotion` and creation.
"""
from __future__ import annotations

from . import dtype as dt

_current = [dt.float32]


def default_dtype() -> dt.dtype:
    """The floating type of tensors made from Python numbers."""
    return _current[0]


def set_default_dtype(d: dt.dtype) -> None:
    """Make `d` the floating type of tensors made from Python numbers."""
    if not isinstance(d, dt.dtype):
        raise TypeError(f"invalid dtype object: got {type(d).__name__}")
    if d.kind != "f":
        raise TypeError("only floating-point types are supported as the default type")
    _current[0] = d
