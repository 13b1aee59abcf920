"""`torch.Size`: the shape of a tensor as a tuple."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


class Size(tuple[int, ...]):
    """A tuple of ints with `numel()` and PyTorch's repr."""

    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = ()) -> Size:
        items = []
        for i, n in enumerate(sizes):
            if type(n) is not int:
                if not hasattr(n, "__index__") or isinstance(n, float):
                    raise TypeError("torch.Size() takes an iterable of 'int' (item "
                                    f"{i} is '{type(n).__name__}')")
                n = n.__index__()
            items.append(n)
        return tuple.__new__(cls, items)

    def numel(self) -> int:
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(repr, self))}])"

    def __getitem__(self, key: Any) -> Any:
        found = tuple.__getitem__(self, key)
        return tuple.__new__(Size, found) if isinstance(key, slice) else found

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            raise TypeError(f'can only concatenate tuple (not "{type(other).__name__}") to '
                            'torch.Size')
        return tuple.__new__(Size, tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return tuple.__new__(Size, tuple.__add__(other, self))

    def __mul__(self, count: Any) -> Any:
        return tuple.__new__(Size, tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        return (Size, (tuple(self),))


def size_of(shape: tuple[int, ...]) -> Size:
    """A shape the package made, as a Size, unchecked."""
    return tuple.__new__(Size, shape)
