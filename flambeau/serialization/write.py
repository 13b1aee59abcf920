"""`torch.save`: an object as a zip archive, put in its place in one step.

In: an object, a path or a file. Out: the file. A path gets either the whole new file or keeps the
old one: the archive is written beside it and renamed.
"""
from __future__ import annotations

import io
import os
import pickle
import shutil
import stat
import sys
import uuid
import zlib
from collections.abc import Callable
from typing import Any

from ..graph.realize import realize
from ..tensor.storages import bytes_of
from .archive import Writer
from .pickler import Storages, TorchPickler, foreign_pickler


def save(obj: object, f: Any, pickle_module: Any = pickle, pickle_protocol: int = 2,
         _use_new_zipfile_serialization: bool = True, _disable_byteorder_record: bool = False,
         ) -> None:
    """Write an object with all its tensors to a path or a file; PyTorch can read it."""
    if isinstance(f, (str, os.PathLike)):
        name = os.path.splitext(os.path.basename(os.fspath(f)))[0] or "archive"
    elif hasattr(f, "write"):
        name = "archive"
    else:
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a "
                             "'write' attribute")
    if _use_new_zipfile_serialization:
        data, storages = _pickled(obj, pickle_module, pickle_protocol)

        def write(file: Any) -> None:
            _archive(file, name, data, storages, not _disable_byteorder_record)
    else:
        from .legacy import legacy_save

        def write(file: Any) -> None:
            legacy_save(obj, file, pickle_module, pickle_protocol)

    if name == "archive" and hasattr(f, "write"):
        write(f)
        if hasattr(f, "flush"):
            f.flush()
    else:
        replace(os.fspath(f), write)


def _pickled(obj: Any, module: Any, protocol: int) -> tuple[bytes, Storages]:
    """data.pkl, and the storages it names."""
    storages = Storages()
    out = io.BytesIO()
    if module is pickle:
        pickler = TorchPickler(out, protocol, storages)
    else:
        pickler = foreign_pickler(module, out, protocol, storages)
    pickler.dump(obj)
    return out.getvalue(), storages


def _archive(file: Any, name: str, data: bytes, storages: Storages, byteorder: bool) -> None:
    pending = [c.value for c in storages.cells if c.value.value is None and c.device.type != "meta"]
    if pending:
        realize(pending)
    writer = Writer(file, name)
    writer.record("data.pkl", data)
    writer.record(".format_version", b"1")
    writer.record(".storage_alignment", b"64")
    if byteorder:
        writer.record("byteorder", sys.byteorder.encode())
    for i, cell in enumerate(storages.cells):
        writer.record(f"data/{i}", bytes_of(cell).data)
    writer.record("version", b"3\n")
    writer.record(".data/serialization_id", _identity(writer))
    writer.close()


def _identity(writer: Writer) -> bytes:
    """40 digits that say which records these are: the same for the same contents."""
    names = zlib.crc32(repr([e[0] for e in writer.entries]).encode())
    sums = 0
    for _, _, size, crc in writer.entries:
        sums = (sums * 1000003 + crc * 31 + size) % 10 ** 20
    return f"{names:020d}{sums:020d}".encode()


def replace(path: str, write: Callable[[Any], None]) -> None:
    """Write a file beside `path` and rename it, so that a reader sees the old or the new one.

    What is no regular file (a pipe, a device) is written directly.
    """
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if os.path.isdir(path):
        raise RuntimeError(f"File {path} cannot be opened.")
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        with open(path, "wb") as file:
            write(file)
        return
    beside = os.path.join(folder, f".{os.path.basename(path)[:100]}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        with open(beside, "xb", buffering=1 << 20) as file:
            write(file)
        if os.path.exists(path):
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise
