"""GGUF files: there and back, llama.cpp's own package as a witness, damage refused."""
from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

import flambeau as torch
from flambeau.serialization import gguf

VALUES = {"general.name": "tiny", "n": 7, "big": 2**40, "less": -3, "rate": 0.5, "on": True,
          "words": ["a", "bc"], "sizes": [1, 2, 3]}


def sample() -> dict[str, torch.Tensor]:
    return {"a": torch.arange(12.0).reshape(3, 4), "h": torch.ones(5, dtype=torch.float16),
            "b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16), "n": torch.arange(4)}


def test_there_and_back(tmp_path: Path) -> None:
    gguf.save(VALUES, sample(), tmp_path / "a.gguf")
    values, tensors = gguf.load(tmp_path / "a.gguf")
    assert values == VALUES
    for name, t in sample().items():
        assert tensors[name].dtype is t.dtype
        assert tensors[name].tolist() == t.tolist()


def test_blocks_by_hand() -> None:
    half = np.array([0.5], "<f2").view("u1")
    q8 = np.concatenate([half, np.arange(-16, 16, dtype=np.int8).view("u1")])[None]
    assert gguf._q8_0(q8)[0].tolist() == [i / 2 for i in range(-16, 16)]
    q4 = np.concatenate([half, np.full(16, 0x9F, "u1")])[None]
    assert gguf._q4_0(q4)[0].tolist() == [3.5] * 16 + [0.5] * 16


def test_llama_cpps_package_agrees(tmp_path: Path) -> None:
    theirs = pytest.importorskip("gguf")
    data = np.random.default_rng(0).standard_normal((3, 64)).astype(np.float32)
    path = tmp_path / "a.gguf"
    writer = theirs.GGUFWriter(path, "test")
    for name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "F16"):
        kind = theirs.GGMLQuantizationType[name]
        writer.add_tensor(name, theirs.quants.quantize(data, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    _, tensors = gguf.load(path)
    for name, t in tensors.items():
        kind = theirs.GGMLQuantizationType[name]
        want = theirs.quants.dequantize(theirs.quants.quantize(data, kind), kind)
        np.testing.assert_allclose(t.float().numpy(), want, rtol=1e-6, atol=1e-6)


def test_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    gguf.save(VALUES, sample(), path)
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(300):
        made = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randrange(1, 4)):
            if made:
                made[rng.randrange(len(made))] = rng.randrange(256)
        path.write_bytes(made)
        try:
            gguf.load(path)
        except (RuntimeError, NotImplementedError):
            pass
    with pytest.raises(TypeError, match="complex"):
        gguf.save({}, {"c": torch.zeros(1, dtype=torch.complex64)}, path)
