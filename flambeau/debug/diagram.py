"""Drawings for the HTML view, as SVG: the graph by groups, and the roofline.

In: nodes and groups, or launches and the machine's limits. Out: text of an `<svg>` element.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from flambeau.core.watch import Launch
from flambeau.graph.node import Node, topological
from flambeau.runtime.machine import Limits

MOST = 300                       # nodes that a drawing can show and still be read
WIDE, HIGH, GAP_X, GAP_Y = 148, 34, 16, 26
HUES = (210, 30, 140, 330, 265, 60, 185, 0, 100, 290)


def colour(group: int | None) -> str:
    """The fill of a group's nodes; grey for what no kernel stores."""
    return "#eceef1" if group is None else f"hsl({HUES[group % len(HUES)]} 70% 86%)"


def _levels(order: list[Node]) -> dict[int, int]:
    """How many steps each node is from the inputs."""
    level: dict[int, int] = {}
    for node in order:
        level[id(node)] = 1 + max((level[id(s)] for s in node.src), default=-1)
    return level


def _label(node: Node) -> tuple[str, str]:
    shape = ", ".join(map(str, node.shape))
    kind = node.dtype.name.removeprefix("torch.")
    if node.op.name in ("const", "scalar"):
        return f"{node.attrs[0]!r:.12}", kind
    return node.op.name, f"{kind} ({shape})"


def graph(roots: list[Node], groups: Sequence[Any]) -> str:
    """The graph from inputs (above) to results, coloured by the kernel that computes each node."""
    order = topological(roots)
    if len(order) > MOST:
        return f"<p>{len(order)} nodes: too many to draw; the text below has them.</p>"
    owner = {id(n): k for k, g in enumerate(groups) for n in (*g.nodes, *g.stored)}
    level = _levels(order)
    rows: dict[int, list[Node]] = {}
    for node in order:
        rows.setdefault(level[id(node)], []).append(node)
    widest = max(map(len, rows.values()))
    place: dict[int, tuple[float, float]] = {}
    for at, row in rows.items():
        left = (widest - len(row)) * (WIDE + GAP_X) / 2
        for k, node in enumerate(row):
            place[id(node)] = (left + k * (WIDE + GAP_X) + 4, at * (HIGH + GAP_Y) + 4)
    width, height = widest * (WIDE + GAP_X) + 8, len(rows) * (HIGH + GAP_Y) + 8
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
             'class="graph" role="img" aria-label="graph">']
    for node in order:
        x, y = place[id(node)]
        for s in node.src:
            a, b = place[id(s)]
            middle = (b + HIGH + y) / 2
            parts.append(f'<path d="M{a + WIDE / 2} {b + HIGH} C{a + WIDE / 2} {middle} '
                         f'{x + WIDE / 2} {middle} {x + WIDE / 2} {y}"/>')
    parts += [_box(n, place[id(n)], owner.get(id(n))) for n in order]
    return "".join([*parts, "</svg>"])


def _box(node: Node, at: tuple[float, float], group: int | None) -> str:
    x, y = at
    name, kind = map(escape, _label(node))
    kernel = "" if group is None else f" - computed by group {group}"
    return (f'<g><title>{name} {kind}{kernel}</title><rect x="{x}" y="{y}" width="{WIDE}" '
            f'height="{HIGH}" rx="5" fill="{colour(group)}"/><text x="{x + WIDE / 2}" '
            f'y="{y + 14}" class="op">{name[:22]}</text><text x="{x + WIDE / 2}" y="{y + 27}">'
            f"{kind[:26]}</text></g>")


def roofline(launches: Sequence[Launch], limits: Limits) -> str:
    """GFLOP/s over operations a byte, both as logarithms, and the roof that the machine is."""
    work = [x for x in launches if x.flops and x.bytes and x.seconds > 0]
    if not work:
        return "<p>No kernel here counts its operations.</p>"
    width, height, left, foot = 520, 260, 56, 34
    xs = [-3.0, 3.0]
    top = math.log10(limits.gflops) + 0.4
    low = min(-1.0, min(math.log10(max(x.gflops, 1e-3)) for x in work) - 0.3)

    def px(x: float) -> float:
        return left + (min(max(x, xs[0]), xs[1]) - xs[0]) / (xs[1] - xs[0]) * (width - left - 12)

    def py(y: float) -> float:
        return 8 + (top - y) / (top - low) * (height - foot - 8)

    ridge = math.log10(limits.gflops / limits.gbytes)
    start = math.log10(limits.gbytes) + xs[0]
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
             'class="roof" role="img" aria-label="roofline">',
             f'<path class="axis" d="M{left} 8V{py(low)}H{width - 12}"/>',
             f'<path class="limit" d="M{px(xs[0])} {py(max(start, low))} '
             f'L{px(ridge)} {py(math.log10(limits.gflops))} H{width - 12}"/>',
             f'<text x="{width - 14}" y="{height - 4}" text-anchor="end">operations a byte</text>',
             f'<text x="{left}" y="{height - 4}">0.001</text>',
             f'<text x="4" y="20">{limits.gflops:.0f}</text>',
             '<text x="4" y="34">GFLOP/s</text>']
    for launch in work:
        x, y = math.log10(launch.flops / launch.bytes), math.log10(max(launch.gflops, 1e-3))
        parts.append(f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="4.5"><title>'
                     f"{escape(launch.name)}: {launch.gflops:.1f} GFLOP/s</title></circle>")
    return "".join([*parts, "</svg>"])
