"""Sorted orders in compiled code: positions that sort rows, all of them or the first few.

In: an `Order`. Out: a `Sort`, whose `run` reads keys at one address and writes int64 positions at
another. Called by `graph/program`.

    order = Order(rows=1000, n=1000, inner=1, dtype=float32, descending=False, count=1000)
    Sort(order).run(x.address, out.address)

Keys are (outer, n, inner) in row-major order, sorted along the middle; positions are (outer, count,
inner). The order is the stable one, so it is the same for any number of threads: rows are shared
out over them, and a long row alone is sorted by all of them together.
"""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..core.dtype import bfloat16, dtype, float16, float32, float64
from ..runtime import native, threads
from ..runtime.buffer import Buffer
from .sort_entries import FIELDS, module
from .sort_ir import BLOCK, BUCKETS, Keys

INFINITY = {float16: 0x7c00, bfloat16: 0x7f80, float32: 0x7f800000, float64: 0x7ff << 52}
_CHUNK = 4096
"""Elements of a chunk of rows: about 20 microseconds of work."""
_LONG = 1 << 17
"""Elements from which all threads sort one row together."""
_TABLES = 8 * BUCKETS * 8
"""Bytes before a thread's elements: a table for each byte of the widest key."""
_ROOM = 256
"""The least room of a selection."""

_NAMES = ("rows", "part_fetch", "part_count", "part_places", "part_scatter", "part_release")
WORK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_PLACES = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)
PARALLEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                             ctypes.c_int64, ctypes.c_int64)


class Context(ctypes.Structure):
    """What the compiled functions are given: `sort_entries.FIELDS`, a word each.

    x, out: keys and positions. n, inner, count: see `Order`. mask: -1 for a descending order.
    store, stride, half: the threads' scratch memory, bytes of one thread's, bytes of its a and b.
    a, b, tables, grain: the elements of a long row, the parts' tables, elements of a part.
    byte: where a digit is in an element; for rows, the room of a selection (0: sort all).
    """

    _fields_ = [(name, ctypes.c_int64) for name in FIELDS]


@dataclass(frozen=True, slots=True)
class Order:
    """`rows` rows of `n` keys that are `inner` apart; `count` positions of each are wanted."""

    rows: int
    n: int
    inner: int
    dtype: dtype
    descending: bool
    count: int


@dataclass(frozen=True, slots=True)
class _Code:
    """The functions of one module: addresses for the pool, and callables."""

    keys: Keys
    address: dict[str, int]
    rows: Any
    places: Any


@cache
def _code(kind: dtype, position: int) -> _Code:
    """The compiled functions for a dtype's keys, with positions of 32 or 64 bits."""
    keys = Keys(8 * kind.itemsize, kind.kind, INFINITY.get(kind, 0), position)
    address = native.load(module(keys), _NAMES)
    return _Code(keys, address, WORK(address["rows"]), _PLACES(address["part_places"]))


@cache
def _parallel() -> Any:
    return PARALLEL(threads.parallel_address())


def _aligned(nbytes: int) -> int:
    return -(-nbytes // 64) * 64


class Sort:
    """A compiled order."""

    def __init__(self, order: Order) -> None:
        self.order = order
        narrow = order.dtype.itemsize <= 4 and order.n < 1 << 32
        self._code = _code(order.dtype, 32 if narrow else 64)
        room = max(4 * order.count, _ROOM)
        self.room = room if 2 * room <= order.n else 0
        """Elements that a selection holds; 0 where sorting everything is as good."""
        self._chunk = max(1, _CHUNK // order.n)
        held = self.room + BLOCK if self.room else order.n
        half = _aligned((held + 8) * self._code.keys.element)
        self._stride = _TABLES + 2 * half
        self._start = bytes(Context(n=order.n, inner=order.inner, count=order.count,
                                    mask=-1 if order.descending else 0, stride=self._stride,
                                    half=half, byte=self.room))

    def run(self, x: int, out: int) -> None:
        """Write the positions at address `out` for the keys at address `x`."""
        order = self.order
        context = Context.from_buffer_copy(self._start)
        context.x, context.out = x, out
        shared = threads.get_num_threads()
        alone = order.n >= _LONG and 2 * order.rows < 3 * shared
        if shared == 1 or order.rows <= self._chunk and not alone:
            self._rows(context, 1)
        elif alone and not self.room:
            self._long(context, shared)
        else:
            self._rows(context, shared)

    def _rows(self, context: Context, shared: int) -> None:
        """Each row by one thread."""
        store = Buffer(self._stride * shared)
        context.store = store.address
        at = ctypes.addressof(context)
        if shared == 1:
            self._code.rows(at, 0, self.order.rows, 0)
        else:
            _parallel()(threads.pool_address(), self._code.address["rows"], at, self.order.rows,
                        self._chunk)

    def _long(self, context: Context, shared: int) -> None:
        """Row by row, all threads in each: parts are counted, then distributed, byte by byte."""
        order, code = self.order, self._code
        size = order.n * code.keys.element
        first, second = Buffer(size), Buffer(size)
        parts = 4 * shared
        context.grain = -(-order.n // parts)
        parts = -(-order.n // context.grain)
        tables = Buffer(8 * BUCKETS * parts)
        context.tables = tables.address
        x, out = context.x, context.out
        at = ctypes.addressof(context)

        pool = threads.pool_address()

        def share(name: str, n: int) -> None:
            _parallel()(pool, code.address[name], at, n, context.grain)

        for row in range(order.rows):
            outer, column = divmod(row, order.inner)
            plane = outer * order.inner
            context.x = x + (plane * order.n + column) * order.dtype.itemsize
            context.out = out + (plane * order.count + column) * 8
            context.a, context.b = first.address, second.address
            share("part_fetch", order.n)
            for digit in range(code.keys.digits):
                context.byte = code.keys.position // 8 + digit
                share("part_count", order.n)
                if not code.places(at, parts):
                    share("part_scatter", order.n)
                    context.a, context.b = context.b, context.a
            share("part_release", order.count)
