"""Protocol buffers' wire format, written by hand: fields of a message, joined by `+`.

In: field numbers and Python values. Out: bytes. (protobuf.dev, "Encoding".)

    text(1, "loss") + single(2, 0.5)  ->  b"\\n\\x04loss\\x15\\x00\\x00\\x00?"
"""
from __future__ import annotations

import struct
from collections.abc import Iterable

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as 64 bits."""
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def key(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def integer(number: int, value: int) -> bytes:
    return key(number, VARINT) + varint(value)


def double(number: int, value: float) -> bytes:
    return key(number, FIXED64) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    return key(number, FIXED32) + struct.pack("<f", value)


def data(number: int, value: bytes) -> bytes:
    """Bytes, or a message inside this one."""
    return key(number, BYTES) + varint(len(value)) + value


def text(number: int, value: str) -> bytes:
    return data(number, value.encode("utf-8"))


def doubles(number: int, values: Iterable[float]) -> bytes:
    """A packed list."""
    return data(number, b"".join(struct.pack("<d", v) for v in values))
