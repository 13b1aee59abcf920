"""The HTML view of programs: one page, no server, no network, no script.

In: `debug.explain.Program`s. Out: text. A program is shown as its graph (drawn by groups), the
graph's text before and after each pass, a table of its kernels against the roofline, and for each
kernel the loop nest, the LLVM IR and the assembly.
"""
from __future__ import annotations

import difflib
import platform
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from flambeau.codegen.cpu import assembly, program_ir
from flambeau.core.trace import describe
from flambeau.core.version import VERSION
from flambeau.core.watch import Launch
from flambeau.graph.node import Node, topological
from flambeau.kernel.loopnest import Kernel, Repeat
from flambeau.kernel.loopnest import text as kernel_text
from flambeau.runtime import machine
from flambeau.runtime.machine import Limits

from . import diagram

if TYPE_CHECKING:
    from .explain import Program

STYLE = """
.fb{font:14px/1.45 system-ui,sans-serif;color:#1d2330;max-width:1180px}
.fb h1{font-size:22px}.fb h2{font-size:17px;margin:28px 0 6px;border-top:1px solid #d8dce3;
padding-top:16px}.fb h3{font-size:14px;margin:16px 0 4px}
.fb table{border-collapse:collapse;font-size:13px}.fb td,.fb th{padding:3px 10px;text-align:right;
border-bottom:1px solid #e6e9ee}.fb td:first-child,.fb th:first-child,.fb .l{text-align:left}
.fb pre{background:#f6f7f9;padding:10px;overflow:auto;max-height:460px;font-size:12px;
line-height:1.4}.fb summary{cursor:pointer;padding:3px 0}.fb .add{background:#dcf4df}
.fb .del{background:#fbe3e3}.fb .scroll{overflow:auto;max-height:620px;border:1px solid #e6e9ee}
.fb .graph path{fill:none;stroke:#9aa3b2}.fb .graph rect{stroke:#8b94a5}
.fb .graph text{font-size:10px;text-anchor:middle;fill:#414a5c}.fb .graph .op{font-size:12px;
font-weight:600;fill:#1d2330}.fb .roof .axis{fill:none;stroke:#6b7485}
.fb .roof .limit{fill:none;stroke:#d2691e;stroke-width:2}.fb .roof circle{fill:#2466c2}
.fb .roof text{font-size:11px;fill:#414a5c}.fb .bar{display:inline-block;height:9px;
background:#2466c2;vertical-align:middle}.fb .muted{color:#6b7485}
"""


def render(programs: Sequence[Program]) -> str:
    """A whole page."""
    return ("<!doctype html><html lang='en'><head><meta charset='utf-8'>"
            "<meta name='viewport' content='width=device-width'><title>flambeau: programs</title>"
            f"</head><body>{fragment(programs)}</body></html>\n")


def fragment(programs: Sequence[Program]) -> str:
    """The page without its frame, for a notebook."""
    limits = machine.limits()
    head = (f"<h1>{len(programs)} program{'s' * (len(programs) != 1)}</h1><p class='muted'>"
            f"flambeau {VERSION}, Python {platform.python_version()}, {machine.cpu_name()}: "
            f"{limits.gflops:.0f} GFLOP/s (float32), {limits.gbytes:.0f} GB/s, measured</p>")
    if not programs:
        head += "<p>No pending work was looked at, so nothing was compiled.</p>"
    body = "".join(_program(p, limits) for p in programs)
    return f"<style>{STYLE}</style><div class='fb'>{head}{body}</div>"


def _program(program: Program, limits: Limits) -> str:
    parts = [f"<h2>{escape(program.name)}</h2><p>recorded at <code>{escape(program.line)}</code>; "
             f"{len(program.kernels)} kernels, compiled in {program.compile_seconds * 1e3:.0f} ms"
             "</p>", _times(program.launches, limits)]
    parts.append("<h3>Graph, by the kernel that computes each node</h3><div class='scroll'>"
                 f"{diagram.graph(program.roots, program.groups)}</div>")
    parts.append(_groups(program.groups, program.roots))
    parts.append("<h3>The graph, pass by pass</h3>")
    before = ""
    for name, text in program.stages:
        parts.append(_fold(_pass_title(name, before, text), _changes(before, text), raw=True))
        before = text
    parts.append("<h3>Kernels</h3>")
    parts += [_kernel(k, program.launch_of(i)) for i, k in enumerate(program.kernels)]
    return "".join(parts)


def _times(launches: Sequence[Launch], limits: Limits) -> str:
    if not launches:
        return ""
    rows = []
    for x in launches:
        share = limits.seconds(x.flops, x.bytes) / max(x.seconds, 1e-9)
        rows.append(f"<tr><td>{escape(x.name)}</td><td>{x.seconds * 1e6:.1f}</td>"
                    f"<td>{x.gflops:.1f}</td><td>{x.gbytes:.1f}</td><td class='l'><span "
                    f"class='bar' style='width:{min(share, 1) * 80:.0f}px'></span> {share:.0%}"
                    f"</td><td class='l'>{escape(describe(x.origin))}</td></tr>")
    return ("<h3>Steps of the last run</h3><table><tr><th>step</th><th>µs</th><th>GFLOP/s</th>"
            "<th>GB/s</th><th class='l'>of the limit</th><th class='l'>line</th></tr>"
            f"{''.join(rows)}</table><p class='muted'>The limit is the larger of arithmetic at its "
            "peak and memory at its bandwidth; data in a cache can pass it.</p>"
            f"{diagram.roofline(launches, limits)}")


def _groups(groups: Sequence[Any], roots: list[Node]) -> str:
    names = {id(n): f"%{k}" for k, n in enumerate(topological(roots))}
    rows = []
    for at, group in enumerate(groups):
        nodes = " ".join(f"{names.get(id(n), '')} {n.op.name}" for n in group.nodes)
        stored = " ".join(names.get(id(n), "?") for n in group.stored)
        shape = ", ".join(map(str, group.shape))
        rows.append(f"<tr><td style='background:{diagram.colour(at)}'>{at}</td><td class='l'>"
                    f"{group.kind}</td><td class='l'>({shape}) over {list(group.dims)}</td>"
                    f"<td class='l'>{escape(nodes)}</td><td class='l'>{escape(stored)}</td></tr>")
    return ("<h3>Groups</h3><table><tr><th>group</th><th class='l'>kind</th><th class='l'>shape"
            "</th><th class='l'>nodes</th><th class='l'>stored</th></tr>" + "".join(rows)
            + "</table>")


def _pass_title(name: str, before: str, after: str) -> str:
    count = after.count("\n") + 1
    if before == after:
        return f"{name}: nothing changed ({count} nodes)"
    return f"{name}: {count} nodes"


def _changes(before: str, after: str) -> str:
    """A pass's graph; lines that it removed and added are marked."""
    if not before or before == after:
        return f"<pre>{escape(after)}</pre>"
    out = []
    for line in difflib.ndiff(before.split("\n"), after.split("\n")):
        if line.startswith("?"):
            continue
        kind = {"+": "add", "-": "del"}.get(line[0])
        words = escape(line)
        out.append(f"<span class='{kind}'>{words}</span>" if kind else words)
    return "<pre>" + "\n".join(out) + "</pre>"


def _kernel(kernel: Kernel | Repeat, launch: Launch | None) -> str:
    time = "" if launch is None else f" - {launch.seconds * 1e6:.1f} µs"
    forms = [_fold("loop nest", kernel_text(kernel)),
             _fold("LLVM IR", program_ir([kernel]).text), _fold("assembly", assembly([kernel]))]
    where = describe(kernel.origin)
    return (f"<details><summary><b>{escape(kernel.name)}</b>{time} <span class='muted'>"
            f"{escape(where)}</span></summary>{''.join(forms)}</details>")


def _fold(title: str, text: str, raw: bool = False) -> str:
    inner = text if raw else f"<pre>{escape(text)}</pre>"
    return f"<details><summary>{escape(title)}</summary>{inner}</details>"
