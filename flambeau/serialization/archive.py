"""PyTorch's zip files: stored records, each beginning at a multiple of 64 bytes.

In: names and bytes. Out: `Writer`, which needs nothing but `write`; `Reader`, which checks all that
a record claims (place, size, checksum) against the file before anything is made of it.

    archive/data.pkl  archive/byteorder  archive/data/0 ...  archive/version
"""
from __future__ import annotations

import struct
import zipfile
import zlib
from typing import Any

ALIGNMENT = 64
LIMIT = 0xFFFFFFFF
LOCAL = struct.Struct("<IHHHHHIIIHH")
CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
CHUNK = 1 << 24
UTF8 = 0x800


# ---------------------------------------------------------------- writing


class Writer:
    """Writes records one after the other, then the directory."""

    def __init__(self, file: Any, name: str, checksums: bool = True) -> None:
        self.file = file
        self.name = name
        self.at = 0
        self.entries: list[tuple[bytes, int, int, int]] = []
        self.checksums = checksums

    def _write(self, data: Any) -> None:
        self.file.write(data)
        self.at += len(data)

    def record(self, name: str, data: Any) -> None:
        """One record; `data` is bytes or a flat memoryview of bytes."""
        path = f"{self.name}/{name}".encode()
        size = len(data)
        crc = zlib.crc32(data)
        start = self.at
        large = struct.pack("<HHQQ", 1, 16, size, size) if size >= LIMIT else b""
        head = start + LOCAL.size + len(path) + len(large) + 4
        pad = -head % ALIGNMENT
        extra = large + b"FB" + struct.pack("<H", pad) + b"Z" * pad
        short = min(size, LIMIT)
        self._write(LOCAL.pack(0x04034B50, 45 if large else 0, UTF8, 0, 0, 0, crc, short, short,
                               len(path), len(extra)) + path + extra)
        for i in range(0, size, CHUNK):
            self._write(data[i:i + CHUNK])
        self.entries.append((path, start, size, crc))

    def close(self) -> None:
        """The directory and its end."""
        start = self.at
        for path, offset, size, crc in self.entries:
            self._write(_central(path, offset, size, crc))
        length = self.at - start
        count = len(self.entries)
        if start >= LIMIT or count >= 0xFFFF:
            end = self.at
            self._write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count,
                                    length, start))
            self._write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        self._write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, min(count, 0xFFFF),
                                min(count, 0xFFFF), length, min(start, LIMIT), 0))


def _central(path: bytes, offset: int, size: int, crc: int) -> bytes:
    wide = [n for n in (size, size, offset) if n >= LIMIT]
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = 45 if wide else 0
    return CENTRAL.pack(0x02014B50, version, version, UTF8, 0, 0, 0, crc, min(size, LIMIT),
                        min(size, LIMIT), len(path), len(extra), 0, 0, 0, 0,
                        min(offset, LIMIT)) + path + extra


# ---------------------------------------------------------------- reading


def broken(why: str) -> RuntimeError:
    return RuntimeError(f"PytorchStreamReader failed reading zip archive: {why}. There is a high "
                        "likelihood that your checkpoint file is corrupted. This can happen if the "
                        "checkpoint was not saved properly, was transferred incorrectly, or the "
                        "file was modified after saving.")


class Reader:
    """The records of an archive in a seekable file."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.size = file.seek(0, 2)
        if self.size is None:
            self.size = file.tell()
        try:
            directory = zipfile.ZipFile(file)
            infos = directory.infolist()
        except Exception as error:      # zipfile raises much besides BadZipFile on damaged files
            raise broken(f"failed finding central directory ({error})") from None
        self.records: dict[str, tuple[int, int, int]] = {}
        self.name = ""
        self._places(infos)

    def _places(self, infos: list[zipfile.ZipInfo]) -> None:
        """Where each record's bytes lie, after checks that no two share a byte."""
        last = 0
        for info in sorted(infos, key=lambda i: i.header_offset):
            start = self._start(info)
            if info.header_offset < last:
                raise broken("records overlap")
            last = start + info.file_size
            root, _, name = info.filename.partition("/")
            if self.name and root != self.name:
                raise broken("records of more than one archive")
            self.name = root
            if name in self.records:
                raise broken(f"two records of the name {name!r}")
            self.records[name] = (start, info.file_size, info.CRC)

    def _start(self, info: zipfile.ZipInfo) -> int:
        if info.compress_type or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise broken(f"record {info.filename!r} is compressed or encrypted")
        if not 0 <= info.header_offset <= self.size - LOCAL.size:
            raise broken(f"record {info.filename!r} lies outside the file")
        self.file.seek(info.header_offset)
        head = LOCAL.unpack(_exactly(self.file, LOCAL.size))
        if head[0] != 0x04034B50 or head[3]:
            raise broken(f"record {info.filename!r} has a bad local header")
        name = _exactly(self.file, head[9])
        if name.decode("utf-8", "replace") != info.orig_filename:
            raise broken(f"record {info.filename!r} has another name in its local header")
        start = info.header_offset + LOCAL.size + head[9] + head[10]
        if info.file_size < 0 or start + info.file_size > self.size:
            raise broken(f"record {info.filename!r} lies outside the file")
        return start

    def has(self, name: str) -> bool:
        return name in self.records

    def place(self, name: str) -> tuple[int, int]:
        """(offset in the file, size) of a record."""
        if name not in self.records:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found")
        start, size, _ = self.records[name]
        return start, size

    def read_into(self, name: str, target: Any) -> None:
        """Fill a flat memoryview of the record's size; RuntimeError if the checksum is wrong."""
        start, size = self.place(name)
        if len(target) != size:
            raise broken(f"record {name!r} has {size} bytes, expected {len(target)}")
        self.file.seek(start)
        crc = 0
        for i in range(0, size, CHUNK):
            part = target[i:i + CHUNK]
            _fill(self.file, part)
            crc = zlib.crc32(part, crc)
        self.check(name, crc)

    def read(self, name: str) -> bytes:
        data = bytearray(self.place(name)[1])
        self.read_into(name, memoryview(data))
        return bytes(data)

    def check(self, name: str, crc: int) -> None:
        if crc != self.records[name][2]:
            raise broken(f"bad CRC-32 of record {name!r}")


def _exactly(file: Any, n: int) -> bytes:
    data = file.read(n)
    if len(data) != n:
        raise broken("unexpected end of file")
    return data


def _fill(file: Any, part: memoryview) -> None:
    """Read as many bytes as `part` holds."""
    done = 0
    into = getattr(file, "readinto", None)
    while done < len(part):
        if into is not None:
            n = into(part[done:])
        else:
            data = file.read(len(part) - done)
            n = len(data)
            part[done:done + n] = data
        if not n:
            raise broken("unexpected end of file")
        done += n
