"""`out=`, `resize_`, and which types may be stored in which.

In: tensors and nodes. Out: tensors of another shape over the same storage.
"""
from __future__ import annotations

import warnings

from ..core.dtype import KIND_ORDER, dtype
from ..core.errors import scalar_name
from ..core.layout import contiguous
from ..graph.node import Node
from ..graph.primitive import CAST, PAD, RESHAPE
from .functionalize import check_inplace, store
from .storage import Storage
from .tensor import Tensor


def can_cast(source: dtype, target: dtype) -> bool:
    """Whether an in-place result of one type may be put into the other (torch.can_cast)."""
    a, b = KIND_ORDER[source.kind], KIND_ORDER[target.kind]
    return a <= b


def copy_into(out: Tensor, node: Node) -> None:
    """`out=`: resize where the shape differs, cast where that is allowed."""
    if not can_cast(node.dtype, out.dtype):
        raise RuntimeError(f"result type {scalar_name(node.dtype)} can't be cast to the desired "
                           f"output type {scalar_name(out.dtype)}")
    check_inplace(out, False)
    if out._shape != node.shape:
        if contiguous(out._shape).numel:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out._shape)}, which does not match the required output shape "
                f"{list(node.shape)}. This behavior is deprecated, and in a future PyTorch release "
                "outputs will not be resized unless they have zero elements. You can explicitly "
                "reuse an out tensor t by resizing it, inplace, to zero elements with "
                "t.resize_(0).", stacklevel=4)
        resize(out, node.shape)
    if node.dtype is not out.dtype:
        node = CAST(node, dtype=out.dtype)
    store(out, node)


def resize(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """t.resize_: another shape over the same storage, which grows if it has to."""
    layout = contiguous(shape)
    storage = t._storage
    offset = 0 if t._layout is None else t._layout.offset
    have = storage.value
    if offset == 0 and (have.size == layout.numel and t._layout is None):
        storage.value = have if have.shape == shape else RESHAPE(have, shape=shape)
    elif offset + layout.numel > have.size:
        grow(storage, offset + layout.numel)
    t._shape = shape
    if offset == 0 and storage.value.shape == shape:
        t._layout = None
    else:
        t._layout = layout.narrow(0, 0, shape[0]) if shape else contiguous(())
        t._layout = type(layout)(shape, layout.stride, offset)
    t._cache = None
    return t


def grow(storage: Storage, size: int) -> None:
    """More elements for a storage; the new ones are zero."""
    have = storage.value
    flat = RESHAPE(have, shape=(have.size,))
    storage.value = PAD(flat, low=(0,), high=(size - have.size,), inner=(0,))
    storage.pin = None
