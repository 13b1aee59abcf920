"""`flambeau.explain(fn, *args)`: what a call is compiled to, from the recorded graph to the code.

In: a function and its arguments, or a tensor whose value is pending. Out: an `Explanation`, which
prints as a page of text and is written as one of HTML (`debug/page.py`).

    print(flambeau.explain(step, x))    the programs, their kernels, times and lines
    flambeau.explain(step, x).html("step.html")
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flambeau as torch
from flambeau.core import pytree
from flambeau.core.trace import describe
from flambeau.core.watch import WATCHERS, Launch, Watcher
from flambeau.graph import realize
from flambeau.graph.node import Node, text
from flambeau.kernel.loopnest import Kernel, Repeat
from flambeau.runtime import machine
from flambeau.tensor.functionalize import read


@dataclass(slots=True)
class Program:
    """One compiled program.

    stages    the graph as text, as it was recorded and after each pass
    roots     the graph after the last pass
    groups    which of its nodes each kernel computes
    kernels   what `kernel.loopnest` has; none for steps outside compiled code
    launches  the steps of the last run, in order
    """

    name: str
    line: str
    stages: list[tuple[str, str]] = field(default_factory=list)
    roots: list[Node] = field(default_factory=list)
    groups: list[Any] = field(default_factory=list)
    kernels: list[Kernel | Repeat] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    compile_seconds: float = 0.0

    def launch_of(self, at: int) -> Launch | None:
        """The last launch of kernel number `at`."""
        ran = [x for x in self.launches if x.kind == "kernel"]
        return ran[at] if at < len(ran) else None


@dataclass(slots=True)
class _Recorder(Watcher):
    """Keeps what the engine tells while a call runs."""

    programs: dict[str, Program] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    last: str = ""

    def _program(self, name: str) -> Program:
        return self.programs.setdefault(name, Program(name, ""))

    def stage(self, program: str, name: str, roots: list[Node]) -> None:
        made = self._program(program)
        made.line = made.line or describe(roots[0].origin)
        made.stages.append((name, text(roots)))
        made.roots = roots
        self.last = program

    def lowered(self, program: str, lowered: Any) -> None:
        made = self._program(program)
        made.groups = lowered.groups
        made.kernels = [k for step in lowered.steps if isinstance(step, list) for k in step]

    def span(self, name: str, start: float, seconds: float, origin: Any) -> None:
        if name == "compile" and self.last:
            self._program(self.last).compile_seconds = seconds
        if name == "run":
            self.fresh.clear()

    def launch(self, launch: Launch) -> None:
        made = self._program(launch.program)
        if launch.program not in self.fresh:
            self.fresh.add(launch.program)
            made.launches.clear()
        made.launches.append(launch)


@dataclass(slots=True)
class Explanation:
    """What a call was compiled to; `str` gives text, `html` writes a page."""

    result: Any
    programs: list[Program]

    def __str__(self) -> str:
        limits = machine.limits()
        lines: list[str] = []
        for program in self.programs:
            recorded = program.stages[0][1].count("\n") + 1 if program.stages else 0
            lines.append(f"{program.name}: {recorded} nodes recorded at {program.line}; "
                         f"{len(program.kernels)} kernels, compiled in "
                         f"{program.compile_seconds * 1e3:.0f} ms")
            for launch in program.launches:
                share = limits.seconds(launch.flops, launch.bytes) / max(launch.seconds, 1e-9)
                lines.append(f"  {launch.name:28} {launch.seconds * 1e3:9.3f} ms "
                             f"{launch.gflops:8.1f} GFLOP/s {launch.gbytes:7.1f} GB/s "
                             f"{share:6.0%} of the limit  {describe(launch.origin)}")
        return "\n".join(lines) or "nothing was compiled: no pending work was looked at"

    def html(self, path: str | Path) -> Path:
        """Write one page that needs nothing else; what it holds stands in `debug/page.py`."""
        from flambeau.debug import page

        where = Path(path)
        where.write_text(page.render(self.programs), encoding="utf-8")
        return where

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from flambeau.debug import page

        return page.fragment(self.programs)


@contextmanager
def recording() -> Iterator[_Recorder]:
    """What is compiled and run inside is kept."""
    recorder = _Recorder()
    WATCHERS.append(recorder)
    try:
        with realize.forgetting():
            yield recorder
    finally:
        WATCHERS.remove(recorder)


def _look(result: Any) -> None:
    """Have every tensor in a result computed."""
    found = [x for x in pytree.tree_leaves(result) if isinstance(x, torch.Tensor)]
    realize.realize([read(t) for t in found if t.device.type != "meta"])


def explain(fn: Callable[..., Any] | Any, *args: Any, runs: int = 2, **kwargs: Any) -> Explanation:
    """What `fn(*args, **kwargs)` is compiled to. The function is called `runs` times.

    Times are those of the last call; the first one also wakes threads and touches new memory.
    A tensor in the place of the function is computed, once, and explained.
    """
    if isinstance(fn, torch.Tensor):
        with recording() as kept:
            _look(fn)
        return Explanation(fn, list(kept.programs.values()))
    if not callable(fn):
        raise TypeError(f"explain(): argument 'fn' must be a function or a Tensor, not "
                        f"{type(fn).__name__}")
    result = None
    with recording() as kept:
        for _ in range(max(runs, 1)):
            result = fn(*args, **kwargs)
            _look(result)
    return Explanation(result, list(kept.programs.values()))


def show(x: Any, what: str = "text", path: str | Path = "flambeau.html") -> Path | None:
    """Compute a tensor (or call a function without arguments) and show what that took.

    `what` is "text", printed, or "html", written to `path`, which is returned.
    """
    if what not in ("text", "html"):
        raise ValueError(f"show(): 'what' must be 'text' or 'html', got {what!r}")
    found = explain(x)
    if what == "html":
        return found.html(path)
    print(found)
    return None
