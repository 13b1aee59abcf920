"""What the examples share: their options, a line of progress, and what they say at the end.

In: numbers of steps and facts. Out: text on standard output.
"""
from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from flambeau.examples import drawing


def parser(name: str, description: str, steps: int) -> argparse.ArgumentParser:
    """A parser with the options that every example has: --steps, --seed, --out."""
    made = argparse.ArgumentParser(prog=f"python -m flambeau.examples.{name}",
                                   description=description)
    made.add_argument("--steps", type=int, default=steps, help="how long to train")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--out", type=Path, default=Path(f"{name}-run"), help="folder for results")
    return made


def parse(made: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; a wrong number of steps ends the program with a message."""
    options = made.parse_args(arguments)
    if options.steps < 1:
        made.error(f"argument --steps: expected at least 1, got {options.steps}")
    return options


class Progress:
    """Remembers what the steps gave, and tells it: in a terminal a line that moves, else a line
    now and then."""

    def __init__(self, steps: int, label: str = "loss") -> None:
        self.steps = steps
        self.label = label
        self.values: list[float] = []
        self.style = drawing.style_for(sys.stdout)
        self.start = self.told = time.perf_counter()

    def wants(self, step: int) -> bool:
        """Whether step number `step` (from 1) is one to tell; asking for its value costs time."""
        often = max(self.steps // 100, 1) if sys.stdout.isatty() else max(self.steps // 8, 1)
        return step == 1 or step == self.steps or step % often == 0

    def tell(self, step: int, value: float, more: str = "") -> None:
        """Step `step` is done and gave `value`."""
        self.values.append(value)
        moving, last = sys.stdout.isatty(), step == self.steps
        seconds = time.perf_counter() - self.start
        text = (f"  step {step:>{len(str(self.steps))}}/{self.steps} "
                f"{drawing.bar(step / self.steps, 24, self.style)} "
                f"{self.label} {value:8.4f}  {seconds:5.1f} s  {more}")
        print(f"\r{text}" if moving else text, end="" if moving and not last else "\n", flush=True)


def heading(library: str, version: str, text: str) -> None:
    """The first line: what runs, and what it is about to do."""
    style = drawing.style_for(sys.stdout)
    print(f"\n  {style.paint(f'{library} {version} {text}', '1')}\n", flush=True)


def facts(found: Mapping[str, str]) -> None:
    """Names and what there is to say about each, in two columns."""
    style = drawing.style_for(sys.stdout)
    print()
    for name, text in found.items():
        print(f"  {style.paint(f'{name:10}', '32')} {text}")
    print()


def quoted(text: str, title: str) -> None:
    """A text of a model's own making, indented, with a title above it."""
    style = drawing.style_for(sys.stdout)
    encoding = sys.stdout.encoding or "ascii"
    print(f"\n  {style.paint(title, '1')}\n")
    for row in text.splitlines():
        print("  " + style.upright + " " + row.encode(encoding, "replace").decode(encoding))
