"""Layers that put values around the last dimensions."""
from __future__ import annotations

from typing import Any

from .. import functional as F
from ..base import Tensor
from .module import Module
from .utils import _ntuple

__all__ = ["CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
           "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
           "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d",
           "ZeroPad3d"]


class _PadNd(Module):
    """padding  one size for all sides, or (before, after) pairs, the last dim first."""

    __constants__ = ["padding"]
    _dims = 0
    _mode = "constant"
    padding: tuple[int, ...]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_PadNd):
    _mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        low = self._dims + 1
        if input.dim() not in (low, low + 1):
            raise ValueError(f"expected {low}D or {low + 1}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return super().forward(input)


class _ConstantPadNd(_PadNd):
    __constants__ = ["padding", "value"]

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Values of the other end around (N, C, L) or (C, L)."""

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Values of the other end around (N, C, H, W) or (C, H, W)."""

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """Values of the other end around (N, C, D, H, W) or (C, D, H, W)."""

    _dims = 3


class ConstantPad1d(_ConstantPadNd):
    """One value around (N, C, L) or (C, L)."""

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """One value around (N, C, H, W) or (C, H, W)."""

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """One value around (N, C, D, H, W) or (C, D, H, W)."""

    _dims = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Values mirrored at the edges of (N, C, L) or (C, L)."""

    _dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Values mirrored at the edges of (N, C, H, W) or (C, H, W)."""

    _dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Values mirrored at the edges of (N, C, D, H, W) or (C, D, H, W)."""

    _dims = 3


class ReplicationPad1d(_ReplicationPadNd):
    """The edge values repeated around (N, C, L) or (C, L)."""

    _dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """The edge values repeated around (N, C, H, W) or (C, H, W)."""

    _dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """The edge values repeated around (N, C, D, H, W) or (C, D, H, W)."""

    _dims = 3


class ZeroPad1d(ConstantPad1d):
    """Zeros around (N, C, L) or (C, L)."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Zeros around (N, C, H, W) or (C, H, W)."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Zeros around (N, C, D, H, W) or (C, D, H, W)."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
