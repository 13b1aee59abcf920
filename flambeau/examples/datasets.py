"""The examples' data as NumPy arrays: shipped digits, and Fashion-MNIST's files where they are.

In: file names. Out: images (n, rows, columns) of float32 from 0 to 1, and labels (n,) of int64.
Nothing is downloaded.
"""
from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DIGITS = Path(__file__).parent / "data" / "digits.npz"
CLOTHES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
           "boot")
FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images (n, rows, columns), their labels (n,), and the labels' names."""

    images: Array
    labels: Array
    names: tuple[str, ...]


def digits() -> Labelled:
    """The 1,797 images of 8 x 8 pixels that ship with the package."""
    with np.load(DIGITS) as file:
        images = file["images"].astype(np.float32) / 16
        return Labelled(images, file["labels"].astype(np.int64), tuple("0123456789"))


def split_digits(seed: int, test: int = 360) -> tuple[Labelled, Labelled]:
    """The digits in an order of `seed`, as a part to train on and `test` images to test with."""
    whole = digits()
    order = np.random.default_rng(seed).permutation(len(whole.labels))
    parts = (order[test:], order[:test])
    first, second = (Labelled(whole.images[at], whole.labels[at], whole.names) for at in parts)
    return first, second


def read_idx(path: Path) -> Array:
    """The array of unsigned bytes in an idx file (LeCun's format), gzipped or not.

    ValueError if the file is not one, or shorter than its header says.
    """
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is no idx file of unsigned bytes: it begins with {raw[:4]!r}")
    start = 4 + 4 * raw[3]
    shape = tuple(int.from_bytes(raw[at : at + 4], "big") for at in range(4, start, 4))
    size = int(np.prod(shape, dtype=object))
    if len(raw) != start + size:
        raise ValueError(f"{path} says {shape}, {size} bytes, but holds {len(raw) - start}")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def fashion(folder: Path) -> tuple[Labelled, Labelled] | None:
    """Fashion-MNIST's training and test part from `folder`; None where files are missing."""
    parts = []
    for names in FILES.values():
        found = [_existing(folder, name) for name in names]
        if None in found:
            return None
        images, labels = (read_idx(path) for path in found if path is not None)
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(f"{folder}: images {images.shape} and labels {labels.shape} differ")
        parts.append(Labelled(images.astype(np.float32) / 255, labels.astype(np.int64), CLOTHES))
    return parts[0], parts[1]


def _existing(folder: Path, name: str) -> Path | None:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None
