"""`torch._tensor_str`: how tensors print, for classes that print as they do."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .tensor.printing import _contents, _join, _options, get_printoptions, printoptions
from .tensor.printing import set_printoptions, tensor_str

PRINT_OPTS = _options


def _tensor_str(self: Any, indent: int) -> str:
    """The numbers of a tensor."""
    return _contents(self, indent) if self.numel() else "[]"


def _add_suffixes(tensor_str: str, suffixes: Sequence[str], indent: int,
                  force_newline: bool = False) -> str:
    """A tensor's text with what follows the numbers."""
    if force_newline and suffixes:
        first, *rest = suffixes
        return _join(f"{tensor_str},\n{' ' * indent}{first}", rest, indent)
    return _join(tensor_str, suffixes, indent)


def _str_intern(inp: Any, *, tensor_contents: str | None = None) -> str:
    return tensor_str(inp, tensor_contents=tensor_contents)


def _str(self: Any, *, tensor_contents: str | None = None) -> str:
    return tensor_str(self, tensor_contents=tensor_contents)


__all__ = ["PRINT_OPTS", "get_printoptions", "printoptions", "set_printoptions"]
