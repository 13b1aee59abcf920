"""Event files: protocol buffers in TFRecord frames, each with its checksums.

In: the bytes of `Event` messages. Out: files named events.out.tfevents.*, which TensorBoard reads.

    length (8 bytes), checksum of these, the message, checksum of it
"""
from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
import time
from pathlib import Path

from . import _protobuf as pb

# CRC-32C (Castagnoli), reflected: a table of what each byte does.
POLYNOMIAL = 0x82F63B78


def _table() -> list[int]:
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
        found.append(crc)
    return found


TABLE = _table()
_numbers = itertools.count()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    table = TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    """The checksum as TFRecord has it: turned and moved, so that it is no part of other sums."""
    crc = crc32c(data)
    turned = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (turned + 0xA282EAD8) & 0xFFFFFFFF)


def frame(message: bytes) -> bytes:
    """One record of the file."""
    length = struct.pack("<Q", len(message))
    return length + masked(length) + message + masked(message)


class EventFile:
    """One file of events; safe to write to from several threads."""

    def __init__(self, folder: str | os.PathLike[str], suffix: str = "", max_queue: int = 10,
                 flush_secs: float = 120) -> None:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        name = (f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}."
                f"{os.getpid()}.{next(_numbers)}{suffix}")
        self.path = path / name
        self._file = self.path.open("xb")
        self._lock = threading.Lock()
        self._limit, self._pause = max_queue, flush_secs
        self._queued, self._flushed = 0, time.monotonic()
        self.add(pb.text(3, "brain.Event:2"), None, None)
        self.flush()

    def add(self, what: bytes, step: int | None, walltime: float | None) -> None:
        """Append an Event with these fields; written to disk now and then, and by `flush`."""
        head = pb.double(1, time.time() if walltime is None else walltime)
        if step is not None:
            head += pb.integer(2, int(step))
        with self._lock:
            if self._file.closed:
                raise ValueError(f"{self.path} is closed")
            self._file.write(frame(head + what))
            self._queued += 1
            if self._queued >= self._limit or time.monotonic() - self._flushed > self._pause:
                self._to_disk()

    def _to_disk(self) -> None:
        self._file.flush()
        self._queued, self._flushed = 0, time.monotonic()

    def flush(self) -> None:
        with self._lock:
            if not self._file.closed:
                self._to_disk()

    def close(self) -> None:
        with self._lock:
            self._file.close()
