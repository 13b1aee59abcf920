"""Storages whose memory foreign code can see: NumPy arrays, addresses, shared memory.

In: storages. Out: their memory, kept up to date. While a storage is pinned its value is a BUFFER
node over the shared memory. A write is computed at once and copied there; programs read the memory
when they run. What is not seen: an operation recorded before foreign code changes a large array,
and computed after it, sees the change. Arrays up to `SNAPSHOT` bytes are copied when they are read,
so for them there is no such window.
"""
from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.follow import watch
from ..graph.node import Node
from ..graph.primitive import BUFFER
from ..graph.realize import realize
from ..runtime.buffer import Buffer

if TYPE_CHECKING:
    from .storage import Storage
    from .tensor import Tensor

Array = np.ndarray[Any, Any]
SNAPSHOT = 1 << 14


class Pin:
    """The shared memory of a storage: a buffer, and the array whose death ends the sharing."""

    __slots__ = ("buffer", "copy", "holder")

    def __init__(self, buffer: Buffer, holder: Any = None) -> None:
        self.buffer = buffer
        self.holder = holder
        self.copy: tuple[Node, Array] | None = None


def buffer_node(buffer: Buffer, shape: tuple[int, ...], dtype: Any) -> Node:
    """A computed value."""
    node = Node(BUFFER, (), (), shape, dtype)
    node.value = buffer
    if watch.recorder is not None:
        watch.recorder.made(node)
    return node


def array_node(array: Array, dtype: Any) -> Node:
    """The node of a private contiguous array of the dtype's NumPy type."""
    return buffer_node(Buffer.from_numpy(array), array.shape, dtype)


def array_of(node: Node) -> Array:
    """The value of a node as an array over its own memory."""
    if node.value is None:
        realize([node])
    return node.value.numpy(node.dtype.numpy, node.shape)


def pinned(storage: Storage) -> bool:
    """Whether a storage's memory is shared: it is no more when the array we gave out is gone."""
    pin = storage.pin
    if pin is not None and pin.holder is not None and pin.holder() is None:
        pin = storage.pin = None
    return pin is not None


def current(storage: Storage) -> Node:
    """The node to read a pinned storage with."""
    if not pinned(storage):
        return storage.value
    pin = storage.pin
    value = storage.value
    if pin.buffer.nbytes > SNAPSHOT:
        if value.facts is not None:             # bounds found once may hold no more
            value = storage.value = buffer_node(pin.buffer, value.shape, value.dtype)
        return value
    now = pin.buffer.unwatched(np.uint8, (pin.buffer.nbytes,))
    copy = pin.copy
    if copy is None or copy[0].shape != value.shape or not np.array_equal(copy[1], now):
        taken = now.copy()
        pin.copy = (buffer_node(Buffer.from_numpy(taken), value.shape, value.dtype), taken)
    return pin.copy[0]


class _Holder:
    """As much of a storage as `_references` looks at."""

    __slots__ = ("value",)

    value: object


def _references(storage: Any) -> int:
    """How often the storage's node is referred to, this function's own references included."""
    value = storage.value
    return sys.getrefcount(value)


def _lone() -> int:
    """What `_references` says of a node that the storage alone holds (Python's versions differ)."""
    holder = _Holder()
    holder.value = object()
    return _references(holder)


_LONE = _lone()


def expose(storage: Storage, track: bool = False) -> Pin:
    """Compute the storage's value and keep it from now on in memory that may be given out."""
    pin = storage.pin
    if pin is not None:
        if not track:
            pin.holder = None
        return pin
    if storage.value.value is None:
        realize([storage.value])
    if watch.recorder is not None:
        watch.recorder.exposed(storage)
    # Others may hold this node (saved for backward, pending); they keep memory of their own.
    held = _references(storage) > _LONE
    value = storage.value
    if held or value.op is not BUFFER or value.value.owner is not None:
        array = value.value.numpy(value.dtype.numpy, value.shape)
        buffer = Buffer(max(array.nbytes, 1))
        buffer.numpy(value.dtype.numpy, value.shape)[...] = array
        storage.value = buffer_node(buffer, value.shape, value.dtype)
    pin = storage.pin = Pin(storage.value.value)
    pin.buffer.pinned = True
    return pin


def give_out(storage: Storage) -> Array:
    """The storage's elements as a flat array that shares them; the sharing ends with the array."""
    fresh = storage.pin is None
    pin = expose(storage, track=True)
    value = storage.value
    array = pin.buffer.numpy(value.dtype.numpy, (value.size,))
    if fresh or pin.holder is not None:
        # A view of this array keeps it alive, so its death means that nobody looks any more.
        owner = array
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        pin.holder = weakref.ref(owner) if fresh else None
    return array


def store(t: Tensor, new: Node) -> None:
    """A write into a pinned storage: computed now, and copied to the shared memory."""
    storage = t._storage
    layout = t._layout
    if watch.recorder is not None:
        watch.recorder.exposed(storage)
    realize([new])
    source = array_of(new)
    t._cache = None
    held = _references(storage) > _LONE
    value = storage.value
    memory = storage.pin.buffer.numpy(value.dtype.numpy, (value.size,))
    if held:                                    # somebody recorded a read of the old elements
        kept = memory.copy()
        value.value = Buffer.from_numpy(kept)
        storage.value = buffer_node(storage.pin.buffer, value.shape, value.dtype)
    memory = memory.view(t.dtype.numpy)         # a view may have another dtype
    if layout is None:
        memory.reshape(t._shape)[...] = source
    else:
        strided(memory, layout)[...] = source


def strided(memory: Array, layout: Any) -> Array:
    """The view of a flat array that a layout describes."""
    size = memory.itemsize
    at = memory[layout.offset:] if layout.numel else memory[:0]
    return np.lib.stride_tricks.as_strided(at, layout.shape, [s * size for s in layout.stride])
