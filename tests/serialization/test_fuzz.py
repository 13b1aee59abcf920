"""Damaged files: an error or the right tensors, never a crash, a hang or a wrong tensor."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.serialization.archive import Writer

ROUNDS = int(os.environ.get("FLAMBEAU_FUZZ", "1500"))


def sample() -> dict[str, Any]:
    x = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return OrderedDict(
        a=x, b=x[1:, ::2], c=x.t(), d=torch.arange(5), e={"lr": 0.1, "l": [1, None, True, "s"]},
        f=torch.nn.Parameter(torch.ones(3)), g=torch.ones(2, dtype=torch.bfloat16), h=(1, 2.5))


def written(**how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(sample(), file, **how)
    return file.getvalue()


def equal(a: Any, b: Any) -> bool:
    """Whether two loaded objects are the same, bit for bit."""
    if isinstance(a, torch.Tensor):
        return (isinstance(b, torch.Tensor) and a.dtype is b.dtype and a.shape == b.shape
                and a.detach().contiguous().view(-1).untyped_storage().tolist()
                == b.detach().contiguous().view(-1).untyped_storage().tolist())
    if isinstance(a, dict):
        return (isinstance(b, dict) and list(a) == list(b)
                and all(equal(a[k], b[k]) for k in a))
    if isinstance(a, (list, tuple)):
        return (type(a) is type(b) and len(a) == len(b)
                and all(equal(x, y) for x, y in zip(a, b, strict=True)))
    return type(a) is type(b) and bool(a == b)


def mutations(data: bytes, seed: int, rounds: int) -> Iterator[bytes]:
    """Bits flipped, bytes set, pieces cut, doubled, moved."""
    rng = random.Random(seed)
    for _ in range(rounds):
        made = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 2, 8))):
            at = rng.randrange(len(made))
            kind = rng.randrange(6)
            if kind == 0:
                made[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                made[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            elif kind == 2:
                del made[at:at + rng.randrange(1, 40)]
            elif kind == 3:
                made[at:at] = made[at:at + rng.randrange(1, 40)]
            elif kind == 4:
                del made[at + 1:]
            else:
                made[at:at + 4] = struct.pack("<I", rng.choice((0, 0xFFFFFFFF, 1 << 31, 7)))
            if not made:
                break
        yield bytes(made)


ERRORS = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, NotImplementedError,
          AssertionError)


def test_damaged_archives() -> None:
    """Checksums cover every record, so what loads is what was written."""
    data = written()
    good = torch.load(io.BytesIO(data))
    refused = 0
    for made in mutations(data, 1, ROUNDS):
        try:
            got = torch.load(io.BytesIO(made))
        except ERRORS:
            refused += 1
            continue
        assert equal(got, good)
    assert refused > ROUNDS // 4


def test_damaged_pickles_in_sound_archives() -> None:
    """The checksum is right, the pickle is not: tensors stay inside their storages."""
    source = zipfile.ZipFile(io.BytesIO(written()))
    records = {i.filename.partition("/")[2]: source.read(i) for i in source.infolist()}
    refused = 0
    for made in mutations(records["data.pkl"], 2, ROUNDS):
        file = io.BytesIO()
        writer = Writer(file, "archive")
        for name, data in records.items():
            writer.record(name, made if name == "data.pkl" else data)
        writer.close()
        file.seek(0)
        try:
            touch(torch.load(file))
        except ERRORS:
            refused += 1
    assert refused > ROUNDS // 4


def test_damaged_legacy_files() -> None:
    data = written(_use_new_zipfile_serialization=False)
    assert equal(torch.load(io.BytesIO(data)), torch.load(io.BytesIO(written())))
    refused = 0
    for made in mutations(data, 3, ROUNDS):
        try:
            touch(torch.load(io.BytesIO(made)))
        except ERRORS:
            refused += 1
    assert refused > ROUNDS // 4


def touch(obj: Any) -> None:
    """Read every element of every tensor."""
    if isinstance(obj, torch.Tensor):
        layout = obj.storage_offset() + sum(
            (n - 1) * s for n, s in zip(obj.shape, obj.stride(), strict=True) if n)
        assert not obj.numel() or layout < obj.untyped_storage().nbytes() // obj.element_size()
        if obj.numel() < 10_000:
            obj.tolist()
    elif isinstance(obj, dict):
        for v in obj.values():
            touch(v)
    elif isinstance(obj, (list, tuple)):
        for v in obj:
            touch(v)


def bomb(data: bytes) -> bytes:
    """An archive with this pickle and one storage of 16 bytes."""
    file = io.BytesIO()
    writer = Writer(file, "archive")
    writer.record("data.pkl", data)
    writer.record("data/0", b"\0" * 16)
    writer.close()
    return file.getvalue()


def pid(cls: bytes = b"ctorch\nFloatStorage\n", count: bytes = b"K\x04") -> bytes:
    device = b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    return b"(X\x07\x00\x00\x00storage" + cls + device + count + b"tQ"


def tensor(offset: bytes, size: bytes, stride: bytes, storage: bytes | None = None) -> bytes:
    return (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + (storage or pid()) + offset + b"("
            + size + b"t(" + stride + b"t\x89ccollections\nOrderedDict\n)RtR.")


HUGE = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x0f"
MINUS = b"J\xff\xff\xff\xff"
BOMBS = {
    "offset past the end": tensor(b"K\x04", b"K\x01", b"K\x01"),
    "size past the end": tensor(b"K\x00", b"K\x05", b"K\x01"),
    "stride past the end": tensor(b"K\x00", b"K\x02", b"K\x04"),
    "huge size": tensor(b"K\x00", HUGE, b"K\x01"),
    "huge sizes that wrap": tensor(b"K\x00", HUGE + HUGE, b"K\x01K\x01"),
    "negative stride": tensor(b"K\x03", b"K\x02", MINUS),
    "negative size": tensor(b"K\x00", MINUS, b"K\x01"),
    "negative offset": tensor(MINUS, b"K\x01", b"K\x01"),
    "more strides": tensor(b"K\x00", b"K\x01", b"K\x01K\x01"),
    "size a float": tensor(b"K\x00", b"G?\xf0\x00\x00\x00\x00\x00\x00", b"K\x01"),
    "storage too large": tensor(b"K\x00", b"K\x01", b"K\x01", pid(count=HUGE)),
    "storage too small": tensor(b"K\x00", b"K\x01", b"K\x01", pid(count=b"K\x01")),
    "storage of another type": tensor(b"K\x00", b"K\x01", b"K\x01",
                                      pid(b"ctorch\nDoubleStorage\n")),
    "bytearray of a number": b"\x80\x02c__builtin__\nbytearray\n" + HUGE + b"\x85R.",
    "UntypedStorage called": b"\x80\x02ctorch.storage\nUntypedStorage\n" + HUGE + b"\x85R.",
    "FloatStorage called": b"\x80\x02ctorch\nFloatStorage\n" + HUGE + b"\x85R.",
    "Tensor called": b"\x80\x02ctorch\nTensor\n" + HUGE + b"\x85R.",
    "string longer than the file": b"\x80\x02X\xff\xff\xff\x7f.",
    "bytes longer than the file": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "deep tuple as a key": b"\x80\x02}" + b")" + b"\x85" * 100_000 + b"Ns.",
    "list as a key": b"\x80\x02}]Ns.",
    "no object": b"\x80\x02.",
    "marks only": b"\x80\x02(((.",
    "memo missing": b"\x80\x02h\x07.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    data = bomb(BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(ERRORS):
            torch.load(io.BytesIO(data))
        assert tracemalloc.get_traced_memory()[1] < 64 * len(data) + (1 << 20)
    finally:
        tracemalloc.stop()


class Calls:
    """Pickles as a call."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], tuple(self.call[1:])


EVIL = {
    "system": Calls(os.system, "touch /tmp/flambeau-was-here"),
    "builtins.eval": Calls(eval, "1"),
    "builtins.exec": Calls(exec, "1"),
    "builtins.getattr": Calls(getattr, "x", "upper"),
    "builtins.__import__": Calls(__import__, "os"),
    "operator.attrgetter": Calls(__import__("operator").attrgetter, "x"),
    "functools.partial": Calls(__import__("functools").partial, print),
    "numpy.load": Calls(np.load, "x"),
    "builtins.open": Calls(open, "/etc/passwd"),
    "torch.load": Calls(torch.load, "x"),
    "torch.hub.load": None,
}


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("zipped", [True, False])
def test_calls_are_refused_by_name(name: str, protocol: int, zipped: bool) -> None:
    if EVIL[name] is None:
        raw = b"\x80\x02ctorch.hub\nload\n)R."
    else:
        raw = pickle.dumps([EVIL[name]], protocol)
    if zipped:
        data = bomb(raw)
    else:
        head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
        data = head + raw + pickle.dumps([], 2)
    short = name.rpartition(".")[2]
    with pytest.raises(pickle.UnpicklingError, match=f"Weights only load failed(.|\n)*{short}"):
        torch.load(io.BytesIO(data))


def test_build_cannot_set_attributes() -> None:
    raw = b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsNsb."
    with pytest.raises(pickle.UnpicklingError, match=r"OrderedDict\.items"):
        torch.load(io.BytesIO(bomb(raw)))
    raw = b"\x80\x02ctorch\nTensor\n}X\x05\x00\x00\x00shapeNsb."
    with pytest.raises(pickle.UnpicklingError, match="Can only build"):
        torch.load(io.BytesIO(bomb(raw)))


def test_wide_tuple_bomb_is_what_it_says() -> None:
    """t = (t, t) sixty times: 2**60 parts to hash."""
    body = b"K\x01" + b"".join(b"q%c" % i + b"h%c" % i + b"\x86" for i in range(60))
    data = bomb(b"\x80\x02}" + body + b"Ns.")
    with pytest.raises(pickle.UnpicklingError, match="nested"):
        torch.load(io.BytesIO(data))
