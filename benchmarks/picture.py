"""Small pictures as SVG text: bars of ratios, and lines of time against size.

In: titles and numbers. Out: a whole SVG document, to be written to a file.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

COLOURS = ("#2f6fde", "#e0663a", "#3f9c5a", "#8a55c4")
FONT = 'font-family="system-ui, sans-serif" font-size="13"'


def _document(width: int, height: int, body: list[str]) -> str:
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" {FONT}>')
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *body,
                      "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#222") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(words)}</text>")


def _legend(names: Sequence[str], x: float, y: float) -> list[str]:
    out = []
    for k, name in enumerate(names):
        out.append(f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12" '
                   f'fill="{COLOURS[k % len(COLOURS)]}"/>')
        out.append(_text(x + 17, y, name))
        x += 40 + 8 * len(name)
    return out


def bars(title: str, names: Sequence[str],
         rows: Sequence[tuple[str, Sequence[float | None]]]) -> str:
    """Horizontal bars on a logarithmic scale with a line at 1; None leaves a place empty."""
    known = [v for _, values in rows for v in values if v] or [1.0]
    low = min(-0.1, floor(10 * log10(min(known))) / 10)
    high = max(0.1, ceil(10 * log10(max(known))) / 10)
    left, width, thick = 140, 760, 14

    def x(value: float) -> float:
        return left + (log10(value) - low) / (high - low) * (width - left - 60)
    body = [_text(left, 24, title), *_legend(names, left, 46)]
    y = 62.0
    for label, values in rows:
        body.append(_text(left - 8, y + thick * len(values) / 2 + 5, label, "end"))
        for k, v in enumerate(values):
            if v:
                a, b = sorted((x(1), x(v)))
                body.append(f'<rect x="{a:.1f}" y="{y:.1f}" width="{max(b - a, 1):.1f}" '
                            f'height="{thick - 2}" fill="{COLOURS[k % len(COLOURS)]}"/>')
                body.append(_text(b + 4, y + 11, f"{v:.2f}"))
            y += thick
        y += 8
    body.append(f'<line x1="{x(1):.1f}" x2="{x(1):.1f}" y1="56" y2="{y:.1f}" stroke="#222"/>')
    return _document(width, ceil(y) + 12, body)


def lines(title: str, across: str, up: str,
          series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Points joined by lines; both scales are logarithmic, so that a power is a straight line."""
    points = [p for line in series.values() for p in line]
    width, height, left, bottom, top = 640, 420, 70, 60, 70

    def scale(values: list[float], start: float, end: float) -> tuple[list[int], object]:
        low, high = floor(log10(min(values))), ceil(log10(max(values)))
        high = max(high, low + 1)

        def place(v: float) -> float:
            return start + (log10(v) - low) / (high - low) * (end - start)
        return list(range(low, high + 1)), place
    columns, x = scale([p[0] for p in points], left, width - 20)
    rows, y = scale([p[1] for p in points], height - bottom, top)
    assert callable(x) and callable(y)
    body = [_text(left, 24, title), *_legend(list(series), left, 48)]
    for power in columns:
        at = x(10.0 ** power)
        body.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{height - bottom}" '
                    'stroke="#ddd"/>')
        body.append(_text(at, height - bottom + 18, f"{10.0 ** power:g}", "middle"))
    for power in rows:
        at = y(10.0 ** power)
        body.append(f'<line x1="{left}" x2="{width - 20}" y1="{at:.1f}" y2="{at:.1f}" '
                    'stroke="#ddd"/>')
        body.append(_text(left - 6, at + 4, f"{10.0 ** power:g}", "end"))
    for k, line in enumerate(series.values()):
        colour = COLOURS[k % len(COLOURS)]
        joined = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        body.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" '
                    'stroke-width="2"/>')
        body += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>'
                 for a, b in line]
    body.append(_text((left + width) / 2, height - 12, across, "middle"))
    body.append(f'<g transform="rotate(-90 16 {height / 2:.0f})">'
                + _text(16, height / 2, up, "middle") + "</g>")
    return _document(width, height, body)
