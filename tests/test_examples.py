"""The examples run, in a short form, leave what they promise, and read their data rightly."""
from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from flambeau.examples import cartpole, chargpt, datasets, fashion, lstm, pictures
from flambeau.utils import _png

ROOT = Path(__file__).resolve().parent.parent
SHORT = {
    "fashion": ("--steps", "3"),
    "vae": ("--steps", "3"),
    "cartpole": ("--steps", "2", "--runs", "4"),
    "finetune": ("--steps", "6"),
    "lstm": ("--steps", "2", "--window", "8"),
    "chargpt": ("--steps", "2", "--layers", "1", "--width", "16", "--context", "16",
                "--letters", "8", "--heads", "2"),
}
LEAVES = {
    "fashion": ("fashion.png", "fashion.pt"), "vae": ("vae.png", "vae.pt"),
    "cartpole": ("cartpole.png",), "finetune": ("finetune.png", "base.pt"),
    "lstm": ("lstm.png",), "chargpt": ("written.py", "chargpt.pt"),
}


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a PNG file as `encode` writes it, each chunk's checksum looked at."""
    assert data[:8] == _png.SIGNATURE
    at, parts = 8, {}
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        (check,) = struct.unpack_from(">I", data, at + 8 + size)
        assert check == zlib.crc32(kind + body)
        parts[kind] = body
        at += 12 + size
    width, height, depth, colour = struct.unpack_from(">IIBB", parts[b"IHDR"])
    channels = {0: 1, 2: 3, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -1)
    assert depth == 8
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, channels)


@pytest.mark.parametrize("name", sorted(SHORT))
def test_an_example_in_short(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"flambeau.examples.{name}", *SHORT[name], "--out", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "step " in done.stdout
    for left in LEAVES[name]:
        assert left in done.stdout
        data = (tmp_path / left).read_bytes()
        if left.endswith(".png"):
            assert decoded(data).std() > 5              # there is something to see


def test_steps_must_be_positive(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fashion.main(["--steps", "0"])
    assert "--steps" in capsys.readouterr().err


def idx(array: np.ndarray) -> bytes:
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def test_fashion_mnists_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    assert datasets.fashion(tmp_path) is None
    for part, count in (("train", 12), ("test", 5)):
        images, labels = datasets.FILES[part]
        pixels = rng.integers(0, 256, (count, 28, 28), np.uint8)
        (tmp_path / images).write_bytes(idx(pixels))
        digits = np.arange(count, dtype="u1") % 10
        (tmp_path / f"{labels}.gz").write_bytes(gzip.compress(idx(digits)))
    found = datasets.fashion(tmp_path)
    assert found is not None
    assert found[0].images.shape == (12, 28, 28)
    assert found[1].labels.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(found[1].images * 255, pixels, atol=1e-4)
    assert fashion.main(["--data", str(tmp_path), "--steps", "1", "--batch-size", "4",
                         "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize("data", [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\0", b"GIF89a.."])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ValueError, match="a "):
        datasets.read_idx(tmp_path / "a")


def test_pictures() -> None:
    image = pictures.ink(np.array([[0.0, 1.0]]), 3, pictures.RED)
    assert image.shape == (5, 8, 3)
    assert image[0, 0].tolist() == list(pictures.RED)
    assert image[2, 2].tolist() == [255, 255, 255]
    assert image[2, 5].tolist() == [0, 0, 0]
    assert pictures.grid([image] * 3, 2, gap=1).shape == (13, 19, 3)
    np.testing.assert_array_equal(decoded(_png.encode(image)), image)
    with pytest.raises(ValueError, match="uint8"):
        _png.encode(np.zeros((2, 2)))


def test_the_cart_falls_over_by_itself() -> None:
    state = np.array([[0.0, 0.0, 0.1, 0.0]])
    for _ in range(30):
        state = cartpole.moved(state, np.array([0]))
    assert state[0, 2] > 0.2
    earned = cartpole.returns(np.array([[True], [True], [False]]), fade=0.5)
    assert earned[:, 0].tolist() == [1.5, 1.0, 0.0]


def test_the_series_is_the_known_one() -> None:
    series = lstm.mackey_glass(600)
    assert series.shape == (600,)
    assert 0.3 < series.min() < 0.6
    assert 1.1 < series.max() < 1.4


def test_letters_go_there_and_back() -> None:
    text = "def f(x):\n    return x"
    assert "".join(chargpt.LETTERS[i] for i in chargpt.encode(text)) == text
