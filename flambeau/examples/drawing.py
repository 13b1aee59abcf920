"""Pictures in a terminal: a progress bar, grey images, and a curve, of plain characters.

In: numbers. Out: strings, without a newline at the end. Where the terminal's encoding has no block
characters (some of Windows' have none), ASCII takes their place.
"""
from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

Image = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Style:
    """The characters to draw with, and whether colours may be used."""

    shades: str = " ░▒▓█"
    eighths: str = "▁▂▃▄▅▆▇█"
    full: str = "━"
    rest: str = "─"
    corner: str = "└"
    upright: str = "│"
    level: str = "─"
    dot: str = "·"
    colour: bool = False

    def paint(self, text: str, code: str) -> str:
        """`text` in an ANSI colour, such as "32" for green or "1" for bold."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


PLAIN = Style(" .:*#", "_.-:=+*#", "=", ".", "+", "|", "-", "-")


def style_for(stream: TextIO) -> Style:
    """What `stream` can show: block characters by its encoding, colours if it is a terminal."""
    try:
        (Style.__doc__ or "").encode(stream.encoding or "ascii")
        "░█━▁└".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    colour = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Style(colour=colour and sys.platform != "win32")


def width() -> int:
    """The columns to draw in: the terminal's, between 40 and 100."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, 40), 100)


def bar(done: float, columns: int, style: Style) -> str:
    """A bar of `columns` characters, of which the part `done` (0 to 1) is full."""
    full = round(min(max(done, 0.0), 1.0) * columns)
    return style.paint(style.full * full, "33") + style.paint(style.rest * (columns - full), "90")


def image(pixels: Image, style: Style) -> list[str]:
    """One line for each row of an image with values from 0 (blank) to 1 (full), two characters a
    pixel, so that it comes out nearly square.
    """
    last = len(style.shades) - 1
    return [
        "".join(style.shades[min(max(round(float(value) * last), 0), last)] * 2 for value in row)
        for row in pixels
    ]


def side_by_side(images: Sequence[Image], captions: Sequence[str], style: Style) -> str:
    """Images in a row, each with a caption under it."""
    drawn = [image(pixels, style) for pixels in images]
    lines = ["  ".join(parts) for parts in zip(*drawn)]
    columns = [len(lines_of[0]) for lines_of in drawn]
    under = "  ".join(text.center(n)[:n] for text, n in zip(captions, columns))
    return "\n".join([*lines, under])


def thinned(values: Sequence[float], columns: int) -> list[float]:
    """`values` as `columns` means of neighbours; fewer values are each drawn several times."""
    count = len(values)
    means = []
    for column in range(columns):
        start = column * count // columns
        end = max((column + 1) * count // columns, start + 1)
        means.append(sum(values[start:end]) / (end - start))
    return means


def curve(values: Sequence[float], columns: int, rows: int, style: Style) -> str:
    """A filled curve on a logarithmic scale, with the values of its top and bottom at the left.

    >>> print(curve([8.0, 4.0, 2.0, 1.0], 4, 2, PLAIN))
         8 |#-
         1 |##+_
           +----
    """
    drawn = thinned(values, columns)
    heights = [math.log(max(value, 1e-12)) for value in drawn]
    low, high = min(heights), max(heights)
    steps = len(style.eighths)
    span = (high - low) or 1.0
    filled = [1 + round((height - low) / span * (rows * steps - 1)) for height in heights]
    lines = []
    for row in reversed(range(rows)):
        cells = [min(max(level - row * steps, 0), steps) for level in filled]
        text = "".join(style.eighths[cell - 1] if cell else " " for cell in cells)
        label = {rows - 1: f"{math.exp(high):.2g}", 0: f"{math.exp(low):.2g}"}.get(row, "")
        lines.append(f"{label:>6} {style.upright}{style.paint(text.rstrip(), '36')}")
    return "\n".join([*lines, f"{'':6} {style.corner}{style.level * columns}"])
