"""Rows of tensors, as datasets read them: one at a time, then many side by side.

In: a tensor and an index; or the rows of a batch. Out: a view that records nothing; the batch as
one array. Indexing in general costs thirty times as much, which a dataset of small rows would feel.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.device import CPU
from ..core.layout import Layout
from ..graph.realize import realize
from . import functionalize as f
from .conversion import values
from .tensor import Tensor

Array = np.ndarray[Any, Any]


def row(t: Any, i: Any) -> Any:
    """t[i], without recording where that makes no difference."""
    if type(i) is not int or type(t) is not Tensor or not t._shape or f.requires_grad(t):
        return t[i]
    n = t._shape[0]
    if not -n <= i < n:
        return t[i]                             # raises
    whole = f.layout_of(t)
    at = whole.offset + (i + n if i < 0 else i) * whole.stride[0]
    return f.view_of(t, Layout(whole.shape[1:], whole.stride[1:], at), None)


def side_by_side(tensors: list[Tensor]) -> Array:
    """Computed tensors of one shape and type, stacked."""
    first = tensors[0]
    storage = first._storage
    value = storage.value
    if value.value is None and first._layout is not None and storage.device is CPU:
        realize([value])                        # the whole once, not each row
    if (first._layout is not None and first._layout.is_contiguous and first._layout.numel
            and storage.pin is None and value.value is not None and value.dtype is first.dtype
            and all(t._storage is storage and t._layout is not None
                    and t._layout.stride == first._layout.stride for t in tensors)):
        width = first._layout.numel
        places = np.array([t._layout.offset for t in tensors])
        if not value.size % width and not (places % width).any():
            memory = value.value.numpy(value.dtype.numpy, (value.size // width, width))
            return memory[places // width].reshape(len(tensors), *first._shape)
    return np.stack([values(t) for t in tensors])
