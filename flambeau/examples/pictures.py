"""Pictures that examples leave: images side by side, and lines, as PNG files.

In: NumPy arrays with values from 0 to 1. Out: uint8 RGB arrays (height, width, 3), and files.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flambeau.utils._png import encode

Array = np.ndarray[Any, Any]
Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
GREY: Colour = (205, 205, 205)
BLACK: Colour = (32, 32, 32)
ORANGE: Colour = (228, 87, 46)
BLUE: Colour = (46, 109, 164)
GREEN: Colour = (60, 150, 80)
RED: Colour = (200, 40, 40)


def save(path: Path, picture: Array) -> None:
    """Write an RGB picture as a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(np.ascontiguousarray(picture)))


def ink(image: Array, scale: int = 1, frame: Colour | None = None) -> Array:
    """A grey image (rows, columns), 1 being black, each pixel `scale` wide, in a frame."""
    grey = 255 - np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    large = grey.repeat(scale, 0).repeat(scale, 1)
    picture = np.stack([large] * 3, -1)
    if frame is not None:
        width = max(1, scale // 3)
        whole = blank(picture.shape[0] + 2 * width, picture.shape[1] + 2 * width, frame)
        whole[width:-width, width:-width] = picture
        return whole
    return picture


def blank(height: int, width: int, colour: Colour = WHITE) -> Array:
    """A picture of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def grid(pictures: Sequence[Array], columns: int, gap: int = 4) -> Array:
    """Pictures of one size, `columns` to a row, on white."""
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    whole = blank(rows * (height + gap) + gap, columns * (width + gap) + gap)
    for i, picture in enumerate(pictures):
        top = gap + i // columns * (height + gap)
        left = gap + i % columns * (width + gap)
        whole[top : top + height, left : left + width] = picture
    return whole


def stack(pictures: Sequence[Array], gap: int = 8) -> Array:
    """Pictures below each other, each at the left."""
    width = max(p.shape[1] for p in pictures)
    height = sum(p.shape[0] for p in pictures) + gap * (len(pictures) - 1)
    whole = blank(height, width)
    top = 0
    for picture in pictures:
        whole[top : top + picture.shape[0], : picture.shape[1]] = picture
        top += picture.shape[0] + gap
    return whole


def line(picture: Array, start: Sequence[float], end: Sequence[float], colour: Colour,
         thick: int = 2) -> None:
    """Draw from start to end, (x, y) in pixels, into the picture."""
    steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1]))) + 1
    for x, y in zip(np.linspace(start[0], end[0], steps), np.linspace(start[1], end[1], steps)):
        left, top = round(float(x) - thick / 2), round(float(y) - thick / 2)
        picture[max(top, 0) : max(top + thick, 0), max(left, 0) : max(left + thick, 0)] = colour


def curves(series: Sequence[tuple[Sequence[float], int, Colour]], width: int = 720,
           height: int = 240, marks: Sequence[float] = ()) -> Array:
    """Several curves in one frame; each is (values, place of its first one, colour).

    `marks` are places with an upright grey line.
    """
    picture = blank(height, width)
    values = np.concatenate([np.asarray(v, float) for v, _, _ in series])
    low, high = float(values.min()), float(values.max())
    last = max(start + len(v) for v, start, _ in series) - 1
    edge = 8

    def place(x: float, y: float) -> tuple[float, float]:
        across = edge + x / max(last, 1) * (width - 2 * edge)
        return across, edge + (high - y) / ((high - low) or 1.0) * (height - 2 * edge)

    for mark in marks:
        line(picture, place(mark, low), place(mark, high), GREY, 1)
    line(picture, (edge, height - edge / 2), (width - edge, height - edge / 2), GREY, 1)
    for drawn, start, colour in series:
        points = [place(start + i, float(v)) for i, v in enumerate(drawn)]
        for a, b in zip(points, points[1:]):
            line(picture, a, b, colour)
    return picture
