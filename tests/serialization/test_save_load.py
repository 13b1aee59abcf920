"""Saving and loading: sharing, places, settings, errors, and that a write is all or nothing."""

from __future__ import annotations

import collections
import copy
import io
import os
import pickle
import signal
import stat
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau import serialization


def again(obj: Any, how: dict[str, Any] | None = None, **load: Any) -> Any:
    file = io.BytesIO()
    torch.save(obj, file, **(how or {}))
    file.seek(0)
    return torch.load(file, **load)


BOTH = pytest.mark.parametrize("zipped", [True, False])


@BOTH
def test_views_keep_sharing(zipped: bool) -> None:
    x = torch.arange(12.0).reshape(3, 4)
    a, b, c = again([x, x[1, 1:], x.t()], {"_use_new_zipfile_serialization": zipped})
    assert b.storage_offset() == 5
    assert c.stride() == (1, 4)
    a[1, 1] = 99
    assert b[0].item() == 99
    assert c[1, 1].item() == 99


@pytest.mark.parametrize("kind", [
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16",
    "bfloat16", "float32", "float64", "complex64", "complex128"])
@BOTH
def test_every_dtype(kind: str, zipped: bool) -> None:
    x = torch.tensor([0, 1, 3, 100]).to(getattr(torch, kind))
    y = again(x, {"_use_new_zipfile_serialization": zipped})
    assert y.dtype is x.dtype
    assert y.untyped_storage().tolist() == x.untyped_storage().tolist()


def test_parameters_and_gradients() -> None:
    p = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    q = again([p, torch.ones(2, requires_grad=True)])
    assert isinstance(q[0], torch.nn.Parameter)
    assert not q[0].requires_grad
    assert q[1].requires_grad
    assert q[1].is_leaf


def test_records_lie_at_multiples_of_64() -> None:
    file = io.BytesIO()
    torch.save([torch.ones(n) for n in range(5)], file)
    raw = file.getvalue()
    archive = zipfile.ZipFile(file)
    assert archive.testzip() is None
    names = archive.namelist()
    for name in ("data.pkl", "byteorder", "data/0", "version", ".data/serialization_id"):
        assert f"archive/{name}" in names
    for info in archive.infolist():
        n, extra = struct.unpack("<HH", raw[info.header_offset + 26:info.header_offset + 30])
        assert (info.header_offset + 30 + n + extra) % 64 == 0


def test_save_is_deterministic() -> None:
    one, two = io.BytesIO(), io.BytesIO()
    torch.save({"a": torch.ones(3)}, one)
    torch.save({"a": torch.ones(3)}, two)
    assert one.getvalue() == two.getvalue()


def test_map_location() -> None:
    x = torch.ones(3)
    assert again(x, map_location="cpu").device.type == "cpu"
    assert again(x, map_location=torch.device("meta")).is_meta
    assert again(x, map_location={"cpu": "meta"}).is_meta
    seen = []
    assert again(x, map_location=lambda s, where: seen.append((where, len(s)))).tolist() == [1] * 3
    assert seen == [("cpu", 12)]
    assert again(x, map_location=lambda s, where: s).tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
        again(x, map_location="cuda:0")
    with pytest.raises(RuntimeError, match="device"):
        again(x, map_location="nonsense")


def test_mmap(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"x": torch.arange(1000.0), "e": torch.zeros(0)}, path)
    before = path.read_bytes()
    loaded = torch.load(path, mmap=True)
    loaded["x"] += 1
    assert loaded["x"][:3].tolist() == [1, 2, 3]
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="mmap"):
        torch.load(io.BytesIO(before), mmap=True)
    torch.save([1], path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used"):
        torch.load(path, mmap=True)


def test_a_wrong_checksum_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save(torch.full((64,), 3.0), path)
    raw = bytearray(path.read_bytes())
    raw[raw.find(struct.pack("<f", 3.0) * 4) + 9] ^= 1
    path.write_bytes(raw)
    for mapped in (False, True):
        with pytest.raises(RuntimeError, match="CRC"):
            torch.load(path, mmap=mapped)


class Point:
    """A user's class."""

    def __init__(self, x: int) -> None:
        self.x = x


def test_safe_globals() -> None:
    name = f"{Point.__module__}.Point"
    with pytest.raises(pickle.UnpicklingError, match=name.replace(".", r"\.")):
        again(Point(3))
    with serialization.safe_globals([Point]):
        assert again(Point(3)).x == 3
        assert serialization.get_safe_globals() == [Point]
    assert serialization.get_safe_globals() == []
    serialization.add_safe_globals([(Point, name)])
    try:
        assert again([Point(4)])[0].x == 4
    finally:
        serialization.clear_safe_globals()
    file = io.BytesIO()
    torch.save({"p": Point(1), "t": torch.ones(1)}, file)
    file.seek(0)
    assert serialization.get_unsafe_globals_in_checkpoint(file) == [name]
    assert again(Point(5), weights_only=False).x == 5


def test_numpy_needs_permission() -> None:
    with pytest.raises(pickle.UnpicklingError, match="numpy"):
        again(np.float64(2))
    core = np.float64(2).__reduce__()[0]
    types = [core, np.dtype, np.ndarray, type(np.dtype(np.float64)), np.ones(1).__reduce__()[0]]
    with serialization.safe_globals(types):
        assert again(np.float64(2)) == 2.0
        assert again(np.arange(3.0)).tolist() == [0, 1, 2]


def test_plain_values() -> None:
    value = {"s": {1, 2.5, "a"}, "c": 1 + 2j, "b": b"xy", "ba": bytearray(b"z"), "n": 10 ** 40,
             "neg": -5, "o": collections.OrderedDict(a=1), "k": collections.Counter("aab"),
             (1, "t"): None, "é": True, "size": torch.Size([2, 3]), "d": torch.float16,
             "dev": torch.device("cpu"), "lay": torch.strided}
    loaded = again(value)
    assert loaded == value
    assert type(loaded["size"]) is torch.Size
    for protocol in (3, 4, 5):
        assert again(value, {"pickle_protocol": protocol}) == value


def test_state_dict_metadata_comes_along() -> None:
    state = torch.nn.BatchNorm1d(2).state_dict()
    assert again(state)._metadata == state._metadata


@BOTH
def test_whole_modules(zipped: bool) -> None:
    m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    n = again(m, {"_use_new_zipfile_serialization": zipped}, weights_only=False)
    assert torch.equal(m[0].weight, n[0].weight)
    assert type(n[1]) is torch.nn.ReLU


def test_errors() -> None:
    with pytest.raises(FileNotFoundError):
        torch.load("/nonexistent/x.pt")
    with pytest.raises(EOFError):
        torch.load(io.BytesIO(b""))
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torch.load(io.BytesIO(b"garbage here"))
    with pytest.raises(RuntimeError, match="failed reading zip archive"):
        torch.load(io.BytesIO(b"PK\x03\x04garbage"))
    with pytest.raises(RuntimeError, match="Invalid magic number"):
        torch.load(io.BytesIO(pickle.dumps({"a": 1}, 2)))
    with pytest.raises(AttributeError, match="seek"):
        torch.load(3)
    with pytest.raises(AttributeError, match="write"):
        torch.save(1, 3)
    with pytest.raises(RuntimeError, match="Parent directory"):
        torch.save(1, "/nonexistent/x.pt")
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        torch.load(io.BytesIO(b""), pickle_module=pickle, weights_only=True)
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="different types"):
        again([x.storage(), x.untyped_storage()])


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save([1], path)
    path.chmod(0o640)
    with pytest.raises(Exception, match=r"pickle|local"):
        torch.save(lambda: 0, path)
    assert torch.load(path) == [1]
    torch.save([2], path)
    assert torch.load(path) == [2]
    assert os.listdir(tmp_path) == ["a.pt"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


LOOP = """
import sys, flambeau as torch
i = 0
x = torch.zeros(200_000)
while True:
    torch.save({"i": i, "x": x + i}, sys.argv[1])
    print(i, flush=True)
    i += 1
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_while_saving(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    for round_ in range(int(os.environ.get("FLAMBEAU_KILLS", "4"))):
        child = subprocess.Popen([sys.executable, "-c", LOOP, str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.013 * (round_ % 7))
        child.kill()
        child.wait()
        child.stdout.close()
        loaded = torch.load(path)
        assert loaded["x"].sum().item() == loaded["i"] * 200_000


def test_tensors_pickle_and_copy() -> None:
    x = torch.arange(6.0)
    a, b = pickle.loads(pickle.dumps((x, x[2:])))
    a[2] = 50
    assert b[0].item() == 50
    shallow = copy.copy(x)
    x[0] = 7
    assert shallow[0].item() == 7
    deep = copy.deepcopy({"x": x, "v": x[1:]})
    deep["x"][1] = -1
    assert deep["v"][0].item() == -1
    assert x[1].item() == 1
    for kind in (torch.bool, torch.float32, torch.strided, torch.device("cpu"), torch.Size([1])):
        assert pickle.loads(pickle.dumps(kind)) == kind


class Tagged(torch.Tensor):
    """A user's tensor class."""


def test_subclasses_and_attributes() -> None:
    x = torch.ones(2).as_subclass(Tagged)
    x.note = "n"
    y = pickle.loads(pickle.dumps(x))
    assert type(y) is Tagged
    assert y.note == "n"
    with serialization.safe_globals([Tagged]):
        z = again(x)
    assert type(z) is Tagged
    assert z.note == "n"
    with pytest.raises(pickle.UnpicklingError, match="Tagged"):
        again(x)


def test_several_legacy_objects_in_one_file() -> None:
    file = io.BytesIO()
    for i in range(3):
        torch.save(torch.full((2,), float(i)), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert [torch.load(file)[0].item() for _ in range(3)] == [0, 1, 2]


def test_foreign_byte_order() -> None:
    file = io.BytesIO()
    torch.save([torch.tensor([1.0, 2.0]), torch.tensor([3 + 4j]), torch.tensor([7])], file)
    source = zipfile.ZipFile(file)
    out = io.BytesIO()
    from flambeau.serialization.archive import Writer
    writer = Writer(out, "archive")
    for info in source.infolist():
        name, data = info.filename.partition("/")[2], source.read(info)
        if name == "byteorder":
            data = b"big"
        width = {"data/0": 4, "data/1": 4, "data/2": 8}.get(name)
        if width:
            data = np.frombuffer(data, f"u{width}").byteswap().tobytes()
        writer.record(name, data)
    writer.close()
    out.seek(0)
    a, b, c = torch.load(out)
    assert (a.tolist(), b.tolist(), c.tolist()) == ([1, 2], [3 + 4j], [7])
