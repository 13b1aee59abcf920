"""GGUF files, as llama.cpp has them: reading, quantised tensors worked out to float32, and writing.

In: paths. Out: a file's key-values and its tensors by name. Every size is checked against the file
before anything is made.

    values, tensors = gguf.load("model.gguf")
"""
from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..tensor.creation import from_numpy
from ..tensor.tensor import Tensor

Array = np.ndarray[Any, Any]

MAGIC = b"GGUF"
ALIGNMENT = 32
# Numbers of a value's type -> struct's letter; 8 is a string, 9 an array.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
           12: "d"}
STRING, ARRAY = 8, 9
# Numbers of a tensor's type -> how its elements lie in the file.
PLAIN = {0: dt.float32, 1: dt.float16, 24: dt.int8, 25: dt.int16, 26: dt.int32, 27: dt.int64,
         28: dt.float64, 30: dt.bfloat16}
OTHERS = {10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K"}
BLOCK = 32


def _halves(blocks: Array, at: int) -> Array:
    """The float16 at byte `at` of each block, as float32 (n, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _nibbles(blocks: Array, at: int) -> Array:
    """32 numbers of four bits: the low halves of 16 bytes, then the high ones."""
    packed = blocks[:, at : at + 16]
    return np.concatenate([packed & 15, packed >> 4], 1)


def _fifths(blocks: Array, at: int) -> Array:
    """Numbers of five bits: 32 highest bits in four bytes, then nibbles."""
    high = np.unpackbits(blocks[:, at : at + 4], axis=1, bitorder="little")
    return _nibbles(blocks, at + 4) | high << 4


def _q8_0(b: Array) -> Array:
    return _halves(b, 0) * b[:, 2:].view(np.int8).astype(np.float32)


def _q4_0(b: Array) -> Array:
    return _halves(b, 0) * (_nibbles(b, 2).astype(np.float32) - 8)


def _q4_1(b: Array) -> Array:
    return _halves(b, 0) * _nibbles(b, 4).astype(np.float32) + _halves(b, 2)


def _q5_0(b: Array) -> Array:
    return _halves(b, 0) * (_fifths(b, 2).astype(np.float32) - 16)


def _q5_1(b: Array) -> Array:
    return _halves(b, 0) * _fifths(b, 4).astype(np.float32) + _halves(b, 2)


# Type -> (bytes of a block of 32, the block's values).
QUANTISED: dict[int, tuple[int, Callable[[Array], Array]]] = {
    2: (18, _q4_0), 3: (20, _q4_1), 6: (22, _q5_0), 7: (24, _q5_1), 8: (34, _q8_0)}


class _Reader:
    """A place in the bytes of a file, which never goes past the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise RuntimeError(f"GGUF file ends at byte {len(self.data)}: {size} bytes are missing "
                               f"at {self.at}")
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def number(self, letter: str) -> Any:
        return struct.unpack("<" + letter, self.take(struct.calcsize(letter)))[0]

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def value(self, kind: int, deep: int = 0) -> Any:
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == STRING:
            return self.text()
        if kind != ARRAY or deep > 8:
            raise RuntimeError(f"GGUF file has a value of the unknown type {kind}")
        inner, count = self.number("I"), self.number("Q")
        if inner in SCALARS:
            size = struct.calcsize(SCALARS[inner])
            return list(struct.unpack(f"<{count}{SCALARS[inner]}", self.take(count * size)))
        if count > len(self.data) - self.at:            # an item has a byte at least
            raise RuntimeError(f"GGUF file says it has an array of {count} items")
        return [self.value(inner, deep + 1) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class _Info:
    """Where a tensor lies: its shape, type number and offset in the data."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


def load(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The key-values and the tensors of a GGUF file (versions 2 and 3, little-endian).

    RuntimeError for a damaged file, NotImplementedError for a quantisation that is not known.
    """
    reader = _Reader(Path(path).read_bytes())
    if reader.take(4) != MAGIC:
        raise RuntimeError(f"{os.fspath(path)} is no GGUF file")
    version = reader.number("I")
    if version not in (2, 3):
        raise RuntimeError(f"GGUF version {version} is not known; 2 and 3 are")
    tensors, count = reader.number("Q"), reader.number("Q")
    values = {}
    for _ in range(count):
        key = reader.text()
        values[key] = reader.value(reader.number("I"))
    infos = [_info(reader) for _ in range(tensors)]
    align = values.get("general.alignment", ALIGNMENT)
    if not isinstance(align, int) or align < 1:
        raise RuntimeError(f"GGUF file says its alignment is {align!r}")
    start = -(-reader.at // align) * align
    return values, {i.name: _tensor(reader.data, start, i) for i in infos}


def _info(reader: _Reader) -> _Info:
    name, dims = reader.text(), reader.number("I")
    if dims > 8:
        raise RuntimeError(f"GGUF tensor {name!r} says it has {dims} dims")
    shape = tuple(reader.number("Q") for _ in range(dims))
    return _Info(name, shape[::-1], reader.number("I"), reader.number("Q"))


def _tensor(data: bytes, start: int, info: _Info) -> Tensor:
    count, kind = prod(info.shape), info.kind
    if kind not in PLAIN and kind not in QUANTISED:
        raise NotImplementedError(f"GGUF tensor {info.name!r} is quantised as "
                                  f"{OTHERS.get(kind, kind)}, which is not read; F32, F16, BF16, "
                                  "F64, integers, Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 are")
    size = (count * PLAIN[kind].itemsize if kind in PLAIN
            else count // BLOCK * QUANTISED[kind][0])
    at = start + info.offset
    if at + size > len(data) or kind in QUANTISED and info.shape[-1:] and info.shape[-1] % BLOCK:
        raise RuntimeError(f"GGUF tensor {info.name!r} of {info.shape} does not fit into the file")
    raw = np.frombuffer(data, np.uint8, size, at)
    if kind in QUANTISED:
        width, unpack = QUANTISED[kind]
        return from_numpy(unpack(raw.reshape(-1, width)).reshape(info.shape))
    array = raw.view(PLAIN[kind].numpy).reshape(info.shape)
    return from_numpy(array.copy())


def save(values: Mapping[str, Any], tensors: Mapping[str, Tensor],
         path: str | os.PathLike[str]) -> None:
    """Write a GGUF file, version 3: ints, floats, bools, strings and lists of these; tensors as
    they are, unquantised. TypeError for what GGUF has no type for."""
    kinds = {d: number for number, d in PLAIN.items()}
    head = [MAGIC, struct.pack("<IQQ", 3, len(tensors), len(values))]
    for key, value in values.items():
        kind, data = _packed(key, value)
        head += [_text(key), struct.pack("<I", kind), data]
    body, offset = [], 0
    for name, t in tensors.items():
        if t.dtype not in kinds:
            raise TypeError(f"GGUF has no type for {name!r} of {t.dtype}")
        raw = np.ascontiguousarray(_numpy(t)).tobytes()
        dims = tuple(t.shape)[::-1]
        head += [_text(name), struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kinds[t.dtype],
                                          offset)]
        body.append(raw + bytes(-len(raw) % ALIGNMENT))
        offset += len(body[-1])
    before = b"".join(head)
    Path(path).write_bytes(before + bytes(-len(before) % ALIGNMENT) + b"".join(body))


def _numpy(t: Tensor) -> Array:
    t = t.detach().contiguous()
    return t.view(dt.int16).numpy() if t.dtype is dt.bfloat16 else t.numpy()


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _packed(key: str, value: Any) -> tuple[int, bytes]:
    """A value's type number and its bytes."""
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        kind = 4 if 0 <= value < 2**32 else 10 if value >= 0 else 11
        return kind, struct.pack("<" + SCALARS[kind], value)
    if isinstance(value, float):
        return 12, struct.pack("<d", value)
    if isinstance(value, str):
        return STRING, _text(value)
    if isinstance(value, (list, tuple)) and value:
        parts = [_packed(key, v) for v in value]
        if len({kind for kind, _ in parts}) == 1:
            data = b"".join(data for _, data in parts)
            return ARRAY, struct.pack("<IQ", parts[0][0], len(parts)) + data
    raise TypeError(f"GGUF has no type for {key!r}: {value!r}")
