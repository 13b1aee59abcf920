"""`torch.load`: objects out of zip archives and of the older files.

In: a path or a file, `map_location`. Out: the object. Every storage is checked (place, size,
checksum) before it is used, every tensor to lie within its storage.
"""
from __future__ import annotations

import io
import mmap as memory_map
import os
import pickle
import sys
import zlib
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.dtype import dtype as DType  # noqa: N812
from ..runtime.buffer import Buffer
from ..tensor import pinning
from ..tensor.storage import Storage
from ..tensor.storages import (
    UntypedStorage, cell_of_array, make_cell, meta_cell, nbytes_of,
)
from . import options
from .archive import Reader, broken
from .devices import restorer
from .how import How, checked_pid, swap, typed
from .legacy import legacy_load
from .unpickler import Bounded, UnpicklingError, resolve


def load(f: Any, map_location: Any = None, pickle_module: Any = None, *,
         weights_only: bool | None = None, mmap: bool | None = None, **pickle_load_args: Any,
         ) -> Any:
    """Read what `save` (ours or PyTorch's) wrote.

    map_location  None, a device, a dict of locations, or a function (storage, location) -> storage
    weights_only  build only tensors, numbers, strings and containers, and what `add_safe_globals`
                  allows; the default unless a pickle_module is given
    mmap          map the file instead of reading it; writes to tensors stay private
    """
    if weights_only is None:
        weights_only = options.weights_only(pickle_module)
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    pickle_load_args.setdefault("encoding", "utf-8")
    how = How(restorer(map_location), weights_only, pickle_module or pickle, pickle_load_args)
    mapped = bool(options.mmap if mmap is None else mmap)
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _load(file, how, mapped)
    if mapped:
        raise ValueError("f must be a string or os.PathLike in order to use mmap argument")
    for name in ("seek", "tell", "read"):
        if not hasattr(f, name):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute '{name}'. You can only torch.load "
                "from a file that is seekable. Please pre-load the data into a buffer like "
                "io.BytesIO and try to load from it instead.")
    return _load(f, how, False)


def _load(file: Any, how: How, mapped: bool) -> Any:
    start = file.tell()
    head = file.read(4)
    file.seek(start)
    if head == b"PK\x03\x04":
        return _Archive(Reader(file), how, mapped).load()
    if mapped:
        raise RuntimeError(
            "mmap can only be used with files saved with `torch.save(_use_new_zipfile_"
            "serialization=True), please torch.save your checkpoint with this option in order to "
            "use mmap.")
    return legacy_load(file, how)


# ---------------------------------------------------------------- archives


class _Archive:
    """Loads one archive: its pickle, and each storage when the pickle names it."""

    def __init__(self, reader: Reader, how: How, mapped: bool) -> None:
        self.reader = reader
        self.how = how
        self.mapped = mapped
        self.whole: np.ndarray[Any, Any] | None = None
        self.loaded: dict[str, tuple[Any, DType | None]] = {}
        order = b"little"
        if reader.has("byteorder"):
            order = reader.read("byteorder")
            if order not in (b"little", b"big"):
                raise ValueError(f"Unknown endianness type: {order.decode('latin-1')}")
        elif options.endianness is not None:
            order = options.endianness.encode()
        self.swap = order != sys.byteorder.encode()

    def load(self) -> Any:
        if self.reader.has("constants.pkl"):
            raise RuntimeError("this is a TorchScript archive (torch.jit.save); flambeau does not "
                               "load those")
        data = self.reader.read("data.pkl")
        source = Bounded(io.BytesIO(data), len(data))
        return self.how.unpickle(source, self.persistent)

    def persistent(self, pid: Any) -> Any:
        """The storage that a tuple ("storage", class, key, location, count) stands for."""
        cls, key, location, count = checked_pid(pid)
        kind = None if cls is UntypedStorage else cls.kind
        if key not in self.loaded:
            nbytes = count if kind is None else count * kind.itemsize
            storage = UntypedStorage._of(self.cell(key, location, nbytes, kind))
            self.loaded[key] = (self.how.restore(storage, location), kind)
        storage, before = self.loaded[key]
        if before is not kind:
            raise RuntimeError(f"storage {key} is named with two element types")
        if nbytes_of(storage._cell) != count * (kind or dt.uint8).itemsize:
            raise RuntimeError(f"storage {key} is named with two sizes")
        return typed(storage, kind)

    def cell(self, key: str, location: str, nbytes: int, kind: DType | None) -> Storage:
        name = f"data/{key}"
        if location == "meta":
            return meta_cell(nbytes, kind or dt.uint8)
        start, size = self.reader.place(name)
        if size != nbytes:
            raise RuntimeError(f"storage {key} has wrong byte size: expected {nbytes} got {size}")
        kind = kind or dt.uint8
        if self.mapped and size and not self.swap:
            return self.map(name, start, size, kind)
        cell = make_cell(size, kind)
        memory = cell.value.value.numpy(np.uint8, (size,))
        self.reader.read_into(name, memoryview(memory))
        if self.swap:
            swap(memory, kind)
        return cell

    def map(self, name: str, start: int, size: int, kind: DType) -> Storage:
        """A storage over the file's own pages, which are copied when written to."""
        if self.whole is None:
            self.whole = _mapped(self.reader)
        part = self.whole[start:start + size]
        self.reader.check(name, zlib.crc32(part.data))
        if part.ctypes.data % kind.itemsize:
            return cell_of_array(part.copy(), kind)
        return Storage(pinning.buffer_node(Buffer.from_numpy(part), (size // kind.itemsize,), kind))


def _mapped(reader: Reader) -> np.ndarray[Any, Any]:
    """All bytes of a file, as private pages."""
    try:
        pages = memory_map.mmap(reader.file.fileno(), 0, access=memory_map.ACCESS_COPY)
    except (OSError, ValueError) as error:
        raise broken(f"the file cannot be mapped: {error}") from None
    return np.frombuffer(pages, np.uint8)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a file that `weights_only=True` would refuse, each once."""
    from .globals import named_in
    refused = []
    for module, name in named_in(f):
        try:
            resolve(module, name)
        except UnpicklingError:
            refused.append(f"{module}.{name}")
    return refused
