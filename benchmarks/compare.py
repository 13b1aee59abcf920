"""flambeau against PyTorch, side by side: one command, a table in Markdown and a picture.

    python benchmarks/compare.py                            every workload
    python benchmarks/compare.py gpt_char lstm --seconds 3
    python benchmarks/compare.py --backends torch torch.compile flambeau flambeau.compile
    python benchmarks/compare.py --markdown speed.md --picture speed.svg

Each backend runs a workload in a process of its own, in turns, in every round; the best median
counts, since a disturbed machine is only ever slower. The values of the first steps must agree.
PyTorch is `pip install torch` away; without it flambeau's own times are shown.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(1, str(HERE.parent))

from picture import bars  # noqa: E402
from workloads import WORKLOADS  # noqa: E402

BACKENDS = ("torch", "torch.compile", "flambeau", "flambeau.compile")
Result = dict[str, Any]


# ---------------------------------------------------------------- a worker


def work(backend: str, name: str, seconds: float, threads: int) -> Result:
    """Time one workload here."""
    package, _, compiled = backend.partition(".")
    start = time.perf_counter()
    torch = importlib.import_module(package)
    torch.set_num_threads(threads)
    step: Callable[[], Any] = WORKLOADS[name](torch)
    made = time.perf_counter()
    if compiled:
        step = torch.compile(step)
    values = [float(step().item())]
    cold = time.perf_counter() - made
    values += [float(step().item()) for _ in range(2)]
    times: list[float] = []
    while sum(times) < seconds or len(times) < 5:
        before = time.perf_counter()
        step().item()
        times.append(time.perf_counter() - before)
    return {"median_s": statistics.median(times), "cold_s": cold, "import_s": made - start,
            "values": values, "peak_mb": peak_memory()}


def peak_memory() -> float | None:
    """The most memory that this process held, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


# ---------------------------------------------------------------- the rounds


def ask(backend: str, name: str, options: argparse.Namespace) -> Result:
    """A worker's result, or what went wrong."""
    command = [sys.executable, __file__, name, "--worker", backend,
               "--seconds", str(options.seconds), "--threads", str(options.threads)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads),
                   "MKL_NUM_THREADS": str(options.threads)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment,
                              timeout=options.timeout)
    except subprocess.TimeoutExpired:
        return {"error": f"more than {options.timeout:.0f} s"}
    if done.returncode:
        last = done.stderr.strip().splitlines()
        return {"error": last[-1][:120] if last else f"exit {done.returncode}"}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def best(results: list[Result]) -> Result:
    """The round with the least median; an error if every round had one."""
    good = [r for r in results if "error" not in r]
    if not good:
        return results[0]
    first = min(good, key=lambda r: float(r["median_s"]))
    return {**first, "cold_s": min(float(r["cold_s"]) for r in good)}


def agree(a: Result, b: Result) -> bool:
    """Whether the values of the first steps are the same to float32's rounding."""
    return all(abs(x - y) <= 1e-3 * (1 + abs(x)) for x, y in zip(a["values"], b["values"]))


def measure(options: argparse.Namespace) -> dict[str, dict[str, Result]]:
    """Every workload by every backend, said as it comes."""
    table: dict[str, dict[str, Result]] = {}
    for name in options.names or WORKLOADS:
        found: dict[str, list[Result]] = {backend: [] for backend in options.backends}
        for _ in range(options.rounds):
            for backend in options.backends:
                found[backend].append(ask(backend, name, options))
        table[name] = {backend: best(results) for backend, results in found.items()}
        print(line(name, table[name]), flush=True)
    return table


# ---------------------------------------------------------------- what is shown


def ratio(row: dict[str, Result], backend: str) -> float | None:
    """How many times as fast as the first backend; None where one of them failed."""
    reference, own = next(iter(row.values())), row[backend]
    if "error" in reference or "error" in own:
        return None
    return float(reference["median_s"]) / float(own["median_s"])


def line(name: str, row: dict[str, Result]) -> str:
    reference = next(iter(row.values()))
    words = [f"{name:16}"]
    for backend, result in row.items():
        if "error" in result:
            words.append(f"{backend}: {result['error']}")
            continue
        times = ratio(row, backend)
        words.append(f"{backend} {result['median_s'] * 1e3:.3g} ms"
                     + (f" ({times:.2f}x)" if times is not None else "")
                     + f", cold {result['cold_s']:.2f} s")
        if "error" not in reference and not agree(reference, result):
            words.append("VALUES DIFFER")
    return "  ".join(words)


def markdown(table: dict[str, dict[str, Result]]) -> str:
    """The table for a document."""
    backends = list(next(iter(table.values())))
    header = ["workload", f"{backends[0]}, ms", *(f"{b}, times as fast" for b in backends[1:]),
              *(f"{b}, cold s" for b in backends)]
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    for name, row in table.items():
        first = row[backends[0]]
        cells = [f"`{name}`", f"{first['median_s'] * 1e3:.3g}" if "median_s" in first else "-"]
        for b in backends[1:]:
            times = ratio(row, b)
            cells.append("-" if times is None else f"{times:.2f}")
        cells += [f"{row[b]['cold_s']:.2f}" if "cold_s" in row[b] else "-" for b in backends]
        lines.append(cells)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def picture(table: dict[str, dict[str, Result]]) -> str:
    """Bars of the ratios, as SVG."""
    backends = list(next(iter(table.values())))[1:]
    rows = [(name, [ratio(row, b) for b in backends]) for name, row in table.items()]
    return bars("times as fast as PyTorch", backends, rows)


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", metavar="workload", help=", ".join(WORKLOADS))
    p.add_argument("--backends", nargs="+", default=["torch", "flambeau"], choices=BACKENDS)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--seconds", type=float, default=1.0, help="of timing, a worker")
    p.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    p.add_argument("--timeout", type=float, default=600.0, help="seconds, a worker")
    p.add_argument("--json", type=Path)
    p.add_argument("--markdown", type=Path)
    p.add_argument("--picture", type=Path, help="an SVG file")
    p.add_argument("--worker", choices=BACKENDS, help=argparse.SUPPRESS)
    options = p.parse_args()
    unknown = [name for name in options.names if name not in WORKLOADS]
    if unknown:
        p.error(f"unknown workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    if options.worker:
        print(json.dumps(work(options.worker, options.names[0], options.seconds,
                              options.threads)))
        return 0
    table = measure(options)
    for path, text in ((options.json, json.dumps(table, indent=1)),
                       (options.markdown, markdown(table)), (options.picture, picture(table))):
        if path is not None:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
