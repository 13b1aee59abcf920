"""PNG files from arrays, with nothing but zlib: for pictures of examples and for TensorBoard.

In: uint8 arrays, (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA. Out: the
bytes of a PNG file (RFC 2083).

    encode(pixels) -> b"\\x89PNG..."
"""
from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Channels of the array -> the colour type of the header.
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}


def encode(pixels: np.ndarray[Any, Any]) -> bytes:
    """The PNG file of `pixels`; ValueError for another shape or dtype."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in COLOUR_TYPES or pixels.dtype != np.uint8:
        raise ValueError("expected uint8 pixels of shape (height, width), (height, width, 3) or "
                         f"(height, width, 4), got {pixels.dtype} {pixels.shape}")
    height, width, channels = pixels.shape
    if not height or not width:
        raise ValueError("a picture has at least one pixel")
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPES[channels], 0, 0, 0)
    # Every row starts with the number of its filter: 0, none.
    rows = np.zeros((height, 1 + width * channels), np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)),
             _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
