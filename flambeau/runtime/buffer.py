"""Memory: 64-byte aligned blocks from a pool that keeps its pages.

In: a number of bytes, or a NumPy array.  Out: a ``Buffer``, whose ``address`` programs read and
write and whose memory goes back to the pool when the last reference is gone.  Called by ``graph``
and ``tensor``::

    buffer = Buffer(4096)                   # contents undefined
    array = buffer.numpy("float32", (32, 32))    # keeps buffer alive
    shared = Buffer.from_numpy(array)       # keeps array alive

Blocks come in classes: multiples of 64 up to 1 KB, then eight to a doubling.  A block of ``LARGE``
bytes or more is a mapping of its own, with huge pages where the system has them.  Smaller ones are
cut from slabs.  What is freed is kept for reuse, up to a quarter of the machine's memory: the first
touch of fresh pages (measured: 2 to 40 ms for 16 MB) costs more than computing on them (0.4 ms).
Pages nobody has touched cost nothing.

``config.check`` with "guard" puts each block between two inaccessible pages and never reuses it, so
that a kernel that runs over its end, or a stale address, stops at the faulty instruction.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flambeau.core.config import config
from flambeau.core.follow import watch
from flambeau.runtime import pages

ALIGNMENT = 64
LARGE = 1 << 18
"""Bytes from which a block is a mapping of its own."""

_SLAB = 1 << 21
_BATCH = 1 << 16
_LINEAR = 1024
_COLOURS = 32
_COLOUR_STEP = 128


@dataclass(frozen=True, slots=True)
class Statistics:
    """Bytes: in use by live buffers now, the most there ever were, and mapped from the system."""

    allocated: int
    peak: int
    reserved: int


def _retained_limit() -> int:
    """The most that freed blocks may hold: a quarter of the memory that we may use."""
    return max(1 << 28, pages.memory_bytes() // 4)


class Pool:
    """The free blocks of this process, by class.

    Taking and giving back a block of a known class are a list's ``pop`` and ``append``, which need
    no lock; the counters beside them may drift by a block in a build without the GIL.  ``give``
    runs from ``Buffer.__del__``, so at any moment, in any thread: it may not take the lock that
    ``grow`` holds, and tries instead.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = _retained_limit() if limit is None else limit
        self.free: dict[int, list[int]] = {}
        self.allocated = 0
        self.peak = 0
        self.reserved = 0
        self._lock = threading.Lock()
        self._colour = 0
        # What is left of the newest slab: its next free byte and its end.
        self._slab = 0
        self._slab_end = 0
        # Where a block's mapping begins and how long it is, for those of LARGE bytes and more.
        self._mappings: dict[int, tuple[int, int]] = {}

    def give(self, address: int, size: int) -> None:
        """Take back a block."""
        self.allocated -= size
        self.free[size].append(address)
        if self.reserved - self.allocated > self.limit:
            self.trim(self.limit, size)

    def trim(self, keep: int = 0, recent: int = 0) -> int:
        """Return free mappings to the system until at most ``keep`` bytes are retained.

        Slabs stay.  Classes go in the order in which they came into use; ``recent`` goes last.
        Returns the bytes that went.
        """
        before = self.reserved
        if not self._lock.acquire(blocking=False):
            return 0
        try:
            sizes = [size for size in list(self.free) if size >= LARGE and size != recent]
            for size in [*sizes, recent]:
                while size >= LARGE and self.reserved - self.allocated > keep and self.free[size]:
                    self._unmap(size)
        finally:
            self._lock.release()
        return before - self.reserved

    def _unmap(self, size: int) -> None:
        """Give one free block of ``size`` back to the system."""
        try:
            address = self.free[size].pop()
        except IndexError:
            return
        start, length = self._mappings.pop(address)
        self.reserved -= size
        pages.unmap(start, length)

    def grow(self, size: int) -> int:
        """A block of ``size`` bytes from the system."""
        with self._lock:
            if size not in self.free:
                self.free[size] = []
            if size < LARGE:
                return self._cut(size)
            self._colour = (self._colour + 5) % _COLOURS
            colour = self._colour * _COLOUR_STEP
        # Arrays whose addresses agree in their low 12 bits collide in the first-level cache and
        # in the store buffer; so blocks begin at different places in their first page.
        length = size + _COLOURS * _COLOUR_STEP
        start = pages.map_memory(length)
        if not start and self.trim():
            start = pages.map_memory(length)
        if not start:
            raise self._exhausted(size)
        with self._lock:
            self._mappings[start + colour] = (start, length)
            self.reserved += size
        return start + colour

    def _cut(self, size: int) -> int:
        """One block of ``size`` bytes cut from the slab, and a batch more for the free list."""
        if self._slab_end - self._slab < size:
            self._slab = pages.map_memory(_SLAB)
            if not self._slab:
                self._slab_end = 0
                raise self._exhausted(size)
            self._slab_end = self._slab + _SLAB
            self.reserved += _SLAB
        start = self._slab
        count = max(1, min(_BATCH, self._slab_end - start) // size)
        self._slab = start + count * size
        self.free[size].extend(range(start + size, self._slab, size))
        return start

    def _exhausted(self, size: int) -> MemoryError:
        return MemoryError(
            f"flambeau: cannot allocate {size} bytes ({size / 2**30:.2f} GiB): the system has no "
            f"more memory for this process; {self.allocated} bytes are in live buffers, "
            f"{self.reserved} bytes are reserved"
        )


_pool = Pool()


class Buffer:
    """A block of memory: ours, or a foreign array's.

    ``address``: of its first byte, a multiple of 64 if the block is ours.  ``nbytes``: its size.
    ``owner``: the foreign object that keeps the memory, or None.  ``pinned``: whether the address
    is known outside, so that the value must stay there.
    """

    __slots__ = ("__weakref__", "_size", "address", "nbytes", "owner", "pinned")

    def __init__(self, nbytes: int, pool: Pool = _pool) -> None:
        self._size = 0
        self.nbytes = nbytes
        self.owner: Any = None
        self.pinned = False
        if config.check and "guard" in config.check:
            self.address, self._size = _take_guarded(nbytes)
            return
        # Written out, with no call on the way of a hit: this runs for each result of a program.
        if nbytes <= _LINEAR:
            if nbytes < 0:
                raise ValueError(f"Buffer: nbytes must not be negative, got {nbytes}")
            size = (nbytes + 63) & -64 or 64
        else:
            shift = (nbytes - 1).bit_length() - 4
            size = (((nbytes - 1) >> shift) + 1) << shift
        try:
            self.address = pool.free[size].pop()
        except (KeyError, IndexError):
            self.address = pool.grow(size)
        self._size = size
        pool.allocated = allocated = pool.allocated + size
        if allocated > pool.peak:  # noqa: PLR1730  max() costs a call
            pool.peak = allocated

    # The pool as a default: module globals may be gone when the interpreter goes down.
    def __del__(self, give: Callable[[int, int], None] = _pool.give) -> None:
        try:
            size = self._size
        except AttributeError:               # Ctrl-C came before the buffer had one
            return
        if size > 0:
            give(self.address, size)
        elif size < 0:
            _give_guarded(self.address, self.nbytes, -size)

    @classmethod
    def from_numpy(cls, array: np.ndarray[Any, Any]) -> Buffer:
        """The memory that ``array`` covers, shared.  ``address`` is its lowest byte.

        The array's first element lies at ``array.ctypes.data - address``, which is 0 unless a
        stride is negative.
        """
        low = high = array.__array_interface__["data"][0]
        if array.size:
            for extent, stride in zip(array.shape, array.strides, strict=True):
                if stride < 0:
                    low += (extent - 1) * stride
                else:
                    high += (extent - 1) * stride
            high += array.itemsize
        return cls.foreign(low, high - low, array)

    @classmethod
    def foreign(cls, address: int, nbytes: int, owner: object) -> Buffer:
        """Memory that ``owner`` keeps alive; pinned, because others know its address."""
        buffer = cls.__new__(cls)
        buffer._size = 0
        buffer.address = address
        buffer.nbytes = nbytes
        buffer.owner = owner
        buffer.pinned = True
        return buffer

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """The bytes of this buffer for NumPy, which keeps the buffer alive with its array."""
        readonly = isinstance(self.owner, np.ndarray) and not self.owner.flags.writeable
        return {
            "version": 3,
            "typestr": "|u1",
            "shape": (self.nbytes,),
            "data": (self.address, readonly),
        }

    def numpy(
        self,
        dtype: Any,
        shape: Sequence[int],
        strides: Sequence[int] | None = None,
        offset: int = 0,
    ) -> np.ndarray[Any, Any]:
        """An array over this memory that keeps the buffer alive.

        ``strides`` and ``offset`` are in bytes.  ValueError if the array would leave the buffer.
        """
        if watch.recorder is not None:
            watch.recorder.looked(self)
        return self.unwatched(dtype, shape, strides, offset)

    def unwatched(
        self,
        dtype: Any,
        shape: Sequence[int],
        strides: Sequence[int] | None = None,
        offset: int = 0,
    ) -> np.ndarray[Any, Any]:
        """The same array, for a look that a recorder need not know of."""
        return np.ndarray(tuple(shape), dtype, np.asarray(self), offset, strides)

    def __repr__(self) -> str:
        pinned = ", pinned" if self.pinned else ""
        return f"Buffer({self.nbytes} bytes at {self.address:#x}{pinned})"


def statistics() -> Statistics:
    """The bytes of this process's pool."""
    return Statistics(_pool.allocated, _pool.peak, _pool.reserved)


def reset_peak() -> None:
    """Let ``statistics().peak`` begin again at what is allocated now."""
    _pool.peak = _pool.allocated


def trim() -> int:
    """Return every free mapping to the system; returns how many bytes went."""
    return _pool.trim()


_CANARY = 0xA5


def _take_guarded(nbytes: int) -> tuple[int, int]:
    """An aligned block whose end is as near as that allows to a page nobody may touch.

    Returns its address and minus the length of its mapping, the two guard pages included.
    """
    room = (nbytes + 63) & -64
    page = pages.PAGE
    inner = (room + page - 1) // page * page or page
    length = inner + 2 * page
    start = pages.map_memory(length)
    if not start:
        raise MemoryError(f"flambeau: cannot allocate {nbytes} bytes between guard pages")
    pages.forbid(start, page)
    pages.forbid(start + page + inner, page)
    address = start + page + inner - room
    pages.fill(start + page, inner, _CANARY)
    return address, -length


def _give_guarded(address: int, nbytes: int, length: int) -> None:
    """Check the bytes round a guarded block and unmap it."""
    page = pages.PAGE
    room = (nbytes + 63) & -64
    inner = length - 2 * page
    start = address - (inner - room) - page
    before = pages.read(start + page, inner - room)
    after = pages.read(address + nbytes, room - nbytes)
    pages.unmap(start, length)
    if before.strip(bytes([_CANARY])) or after.strip(bytes([_CANARY])):
        side = "after its end" if after.strip(bytes([_CANARY])) else "before its beginning"
        print(
            f"flambeau: guard: a buffer of {nbytes} bytes at {address:#x} was written {side}",
            file=sys.stderr,
        )
        os.abort()


def _after_fork() -> None:
    _pool._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
