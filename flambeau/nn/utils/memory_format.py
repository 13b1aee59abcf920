"""Convolution weights in another memory order."""
from __future__ import annotations

from typing import Any, TypeVar

from ..modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

M = TypeVar("M")


def _convert(module: Any, memory_format: Any, kinds: tuple[type, ...]) -> None:
    if isinstance(module, kinds):
        module.weight.data = module.weight.detach().clone(memory_format=memory_format)
    for child in module.children():
        _convert(child, memory_format, kinds)


def convert_conv2d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Put the weights of all Conv2d in a module into a memory order, in place."""
    _convert(module, memory_format, (Conv2d, ConvTranspose2d))
    return module


def convert_conv3d_weight_memory_format(module: M, memory_format: Any) -> M:
    """Put the weights of all Conv3d in a module into a memory order, in place."""
    _convert(module, memory_format, (Conv3d, ConvTranspose3d))
    return module
