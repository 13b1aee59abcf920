"""How time grows with size: steps against batch, width and length; recording and compiling
against the number of operations.

    python benchmarks/scaling.py                       a table in Markdown for each
    python benchmarks/scaling.py --pictures DIR        and an SVG file for each
"""
from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(1, str(HERE.parent))

from picture import lines  # noqa: E402
from workloads import Step, language_model, perceptron  # noqa: E402

import flambeau  # noqa: E402
from flambeau.core.config import config  # noqa: E402

Points = list[tuple[float, float]]


def step_time(step: Step, seconds: float = 0.4) -> float:
    """Seconds of one step, the median after two to warm up."""
    for _ in range(2):
        step().item()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        start = time.perf_counter()
        step().item()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def steps(make: Callable[[Any, int], Step], sizes: list[int]) -> Points:
    return [(size, step_time(make(flambeau, size))) for size in sizes]


def chain(count: int) -> float:
    """Seconds to record so many operations, to compile them and to run them for the first time.

    Long chains are computed in pieces as they are recorded, so that memory stays bounded.
    """
    x = flambeau.randn(64)
    w = flambeau.randn(64)
    (x + w).sum().item()
    start = time.perf_counter()
    for k in range(count // 2):
        x = (x * w if k % 3 else x - w).tanh()
    x.sum().item()
    return time.perf_counter() - start


def figures() -> Iterator[tuple[str, str, str, dict[str, Points]]]:
    """(file name, title, what runs across, series)."""
    yield "batch", "A training step of 784-512-512-10", "rows in a batch", {
        "step": steps(lambda t, n: perceptron(t, [784, 512, 512, 10], n),
                      [16, 64, 256, 1024, 4096])}
    yield "width", "A training step of three layers, 128 rows", "width", {
        "step": steps(lambda t, n: perceptron(t, [n, n, n, 10], 128), [64, 256, 1024, 2048])}
    yield "length", "A training step of a small GPT, 4 texts", "tokens in a text", {
        "step": steps(lambda t, n: language_model(t, 4, 65, n, 2, 4, 128),
                      [16, 64, 256, 1024])}
    counts = [200, 1000, 5000, 20000]
    with config(cache_dir=None):                  # compiled anew, not read from disk
        found: Points = [(n, chain(n)) for n in counts]
    yield "graph", "A chain of elementwise operations, recorded and compiled", "operations", {
        "first run": found}


def table(across: str, series: dict[str, Points]) -> str:
    """Times in milliseconds, and the slope of each step: 1 is linear."""
    head = [across, *(f"{name}, ms" for name in series), *(f"{name}, slope" for name in series)]
    rows = [head, ["---:"] * len(head)]
    columns = list(series.values())
    for k, (size, _) in enumerate(columns[0]):
        cells = [f"{size:,}", *(f"{c[k][1] * 1e3:.3g}" for c in columns)]
        cells += ["" if not k else f"{slope(c[k - 1], c[k]):.2f}" for c in columns]
        rows.append(cells)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def slope(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The power of the size with which time grows from one point to the next."""
    from math import log
    return log(b[1] / a[1]) / log(b[0] / a[0])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pictures", type=Path, metavar="DIR")
    options = p.parse_args()
    for name, title, across, series in figures():
        print(f"\n{title}\n\n{table(across, series)}", flush=True)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            path = options.pictures / f"{name}.svg"
            path.write_text(lines(title, across, "seconds", series), encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
