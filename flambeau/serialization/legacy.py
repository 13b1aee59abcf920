"""The format before PyTorch 1.6: pickles one after the other, then the storages' bytes.

In: a file at its place. Out: the object; the file stands behind it.

    pickle of the magic number, of 1001, of facts on the machine, of the object, of the keys;
    for each key the number of elements (8 bytes) and the elements
"""
from __future__ import annotations

import io
import pickle
import struct
import sys
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.layout import Layout
from ..tensor.storages import UntypedStorage, bytes_of, make_cell, nbytes_of
from .archive import _fill
from .how import How, checked_pid, swap, typed
from .pickler import Storages, TorchPickler, foreign_pickler
from .unpickler import Bounded

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


def legacy_load(file: Any, how: How) -> Any:
    start = file.tell()
    end = file.seek(0, 2)
    end = file.tell() if end is None else end
    file.seek(start)
    source = Bounded(file, end - start)
    if source.left == 0:
        raise EOFError("Ran out of input")
    if how.unpickle(source) != MAGIC:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = how.unpickle(source)
    if type(version) is not int or version != PROTOCOL:
        raise RuntimeError("Invalid protocol version: "
                           f"{version if type(version) is int else type(version).__name__}")
    facts = how.unpickle(source)
    little = facts.get("little_endian", True) if isinstance(facts, dict) else True
    storages = _Storages(how, source.left, little != (sys.byteorder == "little"))
    result = how.unpickle(source, storages.persistent)
    keys = how.unpickle(source)
    storages.read(source, keys)
    return result


class _Storages:
    """The storages of a legacy file: made when named, filled at the end."""

    def __init__(self, how: How, budget: int, swapped: bool) -> None:
        self.how = how
        self.budget = budget
        self.swapped = swapped
        self.cells: dict[str, tuple[Any, Any, int]] = {}
        self.restored: dict[str, Any] = {}

    def persistent(self, pid: Any) -> Any:
        if type(pid) is tuple and pid and pid[0] == "module":
            return pid[1]               # a module's class with its source, which is not looked at
        cls, key, location, count = checked_pid(pid)
        kind = dt.uint8 if cls is UntypedStorage else cls.kind
        if key not in self.cells:
            self.budget -= count * kind.itemsize
            if self.budget < 0:
                raise RuntimeError(f"storage {key} of {count} elements is larger than the file")
            cell = make_cell(count * kind.itemsize, kind)
            self.cells[key] = (cell, kind, count)
            self.restored[key] = self.how.restore(UntypedStorage._of(cell), location)
        elif self.cells[key][1:] != (kind, count):
            raise RuntimeError(f"storage {key} is named with two types or sizes")
        view = pid[5] if len(pid) > 5 else None
        found = typed(self.restored[key], None if cls is UntypedStorage else kind)
        return found if view is None else _view(found, view, kind)

    def read(self, source: Bounded, keys: Any) -> None:
        """Fill the storages in the order that the file gives."""
        if type(keys) is not list or set(map(str, keys)) != set(self.cells):
            raise RuntimeError("the storages of the file are not those its tensors name")
        if len(keys) != len(self.cells):
            raise RuntimeError("a storage stands twice in the file")
        for key in keys:
            cell, kind, count = self.cells[key]
            there = struct.unpack("<q" if not self.swapped else ">q", source.read(8))[0]
            if there != count:
                raise RuntimeError(f"storage has wrong size: expected {count} got {there}")
            nbytes = count * kind.itemsize
            if nbytes > source.left:
                raise EOFError("unexpected end of file in a storage")
            memory = cell.value.value.numpy(np.uint8, (nbytes,))
            _fill(source.file, memoryview(memory))
            source.left -= nbytes
            if self.swapped:
                swap(memory, kind)


def _view(storage: Any, view: Any, kind: Any) -> Any:
    """A part of a storage, as files of the first years name it."""
    if type(view) is not tuple or len(view) != 3:
        raise RuntimeError("a view of a storage in the file is malformed")
    _key, offset, size = view
    if type(offset) is not int or type(size) is not int or offset < 0 or size < 0:
        raise RuntimeError("a view of a storage in the file is malformed")
    if offset == 0 and size == storage._cell.value.size:
        return storage
    if offset + size > storage._cell.value.size:
        raise RuntimeError("a view of a storage lies outside it")
    raise NotImplementedError(f"flambeau does not load views of storages ({kind}, "
                              f"{Layout((size,), (1,), offset)})")


# ---------------------------------------------------------------- writing


class _Keyed(Storages):
    """Legacy tuples have a sixth part: the view, always None here."""

    def persistent_id(self, obj: Any) -> tuple[Any, ...] | None:
        found = super().persistent_id(obj)
        return None if found is None else (*found, None)


def legacy_save(obj: Any, file: Any, module: Any, protocol: int) -> None:
    """Write the format before 1.6."""
    storages = _Keyed()
    out = io.BytesIO()
    for part in (MAGIC, PROTOCOL):
        pickle.dump(part, out, protocol)
    sizes = {"short": 2, "int": 4, "long": 4}
    pickle.dump({"protocol_version": PROTOCOL, "little_endian": sys.byteorder == "little",
                 "type_sizes": sizes}, out, protocol)
    pickler = (TorchPickler(out, protocol, storages) if module is pickle
               else foreign_pickler(module, out, protocol, storages))
    pickler.dump(obj)
    pickle.dump(list(storages.keys.values()), out, protocol)
    file.write(out.getvalue())
    for cell in storages.cells:
        untyped = storages.kinds[id(cell)] is None
        file.write(struct.pack("<q", nbytes_of(cell) if untyped else cell.value.size))
        file.write(bytes_of(cell).data)
