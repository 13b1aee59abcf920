"""What several layer files share: sizes given as one number or many, and new parameters."""
from __future__ import annotations

from collections import abc
from collections.abc import Callable
from itertools import repeat
from typing import Any

from ..base import torch
from ..parameter import Parameter

__all__ = ["consume_prefix_in_state_dict_if_present"]


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that makes a tuple of n from one value, and of the items from an iterable."""
    def parse(x: Any) -> tuple[Any, ...]:
        if isinstance(x, abc.Iterable):
            return tuple(x)
        return tuple(repeat(x, n))

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: tuple[int, ...], n: int) -> tuple[int, ...]:
    """Every item n times, last item first: the order in which `pad` wants its sizes."""
    return tuple(x for x in reversed(t) for _ in range(n))


def new_parameter(shape: Any, device: Any, dtype: Any, requires_grad: bool = True) -> Parameter:
    """A parameter with values still to be set."""
    return Parameter(torch.empty(shape, device=device, dtype=dtype), requires_grad=requires_grad)


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take `prefix` off all keys of a state dict and of its metadata, in place."""
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key[len(prefix):]] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", None)
    if metadata is None:
        return
    for key in list(metadata):
        if len(key) == 0:
            continue
        # The module itself is named without the dot that ends the prefix of its members.
        if key == prefix.replace(".", "") or key.startswith(prefix):
            metadata[key[len(prefix):]] = metadata.pop(key)
