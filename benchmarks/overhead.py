"""What it costs to say something: microseconds of Python per recorded operation.

    python benchmarks/overhead.py            prints a table in Markdown

Nothing is computed while a row is timed: each operation is recorded on small tensors and its result
dropped. The figure is the best of many short runs, which a busy machine disturbs least.
`import flambeau` is timed in fresh processes, by wall clock and by processor time.
"""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import flambeau as torch

F = torch.nn.functional
Row = tuple[str, float, str]

_IMPORT = """
import time
wall, busy = time.perf_counter(), time.process_time()
import {}
print(time.perf_counter() - wall, time.process_time() - busy)
"""


def microseconds(run: Callable[[], object], count: int = 50, rounds: int = 200) -> float:
    """The best time of one call."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            run()
        best = min(best, time.perf_counter() - start)
    return best / count * 1e6


def importing(what: str, rounds: int = 7) -> tuple[float, float]:
    """Seconds by the wall and of the processor, the best of some fresh processes.

    The first run leaves bytecode for the others, as an installed package has it.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        found = []
        for _ in range(rounds + 1):
            out = subprocess.run([sys.executable, "-c", _IMPORT.format(what)], text=True,
                                 capture_output=True, check=True, env=environment).stdout
            found.append([float(x) for x in out.split()])
    return min(w for w, _ in found[1:]), min(b for _, b in found[1:])


def operations() -> Iterator[tuple[str, Callable[[], object]]]:
    """What a line of a program records; y and w require gradients, x does not."""
    x, y = torch.randn(32, 64), torch.randn(32, 64, requires_grad=True)
    w, b = torch.randn(64, 64, requires_grad=True), torch.zeros(64, requires_grad=True)
    linear = torch.nn.Linear(64, 64)
    identity = torch.nn.Identity()
    (x.sum() + y.sum() + w.sum() + b.sum()).item()
    yield "`x + x`, no gradient", lambda: x + x
    yield "`y + x`", lambda: y + x
    yield "`y * 2.0`", lambda: y * 2.0
    yield "`x @ w`", lambda: x @ w
    yield "`torch.relu(y)`", lambda: torch.relu(y)
    yield "`y.exp()`", lambda: y.exp()
    yield "`y.sum()`", lambda: y.sum()
    yield "`y.mean(dim=1, keepdim=True)`", lambda: y.mean(dim=1, keepdim=True)
    yield "`torch.softmax(y, -1)`", lambda: torch.softmax(y, -1)
    yield "`y.view(64, 32)`", lambda: y.view(64, 32)
    yield "`y.t()`", lambda: y.t()
    yield "`y[3]`", lambda: y[3]
    yield "`y.detach()`", lambda: y.detach()
    yield "`F.linear(x, w, b)`", lambda: F.linear(x, w, b)
    yield "`nn.Linear` called", lambda: linear(x)
    yield "`nn.Identity` called", lambda: identity(x)


def backward_of_a_step(short: int = 10, long: int = 110) -> float:
    """Microseconds that one more step of the tape adds to `backward()`."""
    x, y = torch.randn(32, 64), torch.randn(32, 64, requires_grad=True)

    def run(length: int) -> float:
        z = y
        for _ in range(length):
            z = z * x
        total = z.sum()
        start = time.perf_counter()
        total.backward()
        spent = time.perf_counter() - start
        y.grad = None
        return spent

    return (min(run(long) for _ in range(100)) - min(run(short) for _ in range(100))) \
        / (long - short) * 1e6


def optimizer_of_a_parameter(few: int = 4, many: int = 44) -> float:
    """Microseconds that one more (tiny) parameter adds to a step of Adam, its program included."""
    def run(count: int) -> float:
        parameters = [torch.nn.Parameter(torch.ones(4)) for _ in range(count)]
        adam = torch.optim.Adam(parameters)
        for p in parameters:
            p.grad = torch.ones(4)
        for _ in range(5):
            adam.step()
        return microseconds(adam.step, 1, 300)

    return (run(many) - run(few)) / (many - few)


def rows() -> Iterator[Row]:
    for name, run in operations():
        yield name, microseconds(run), "µs"
    yield "`backward()`, a step of the tape", backward_of_a_step(), "µs"
    yield "`Adam.step()`, a parameter", optimizer_of_a_parameter(), "µs"
    for what in ("numpy", "flambeau"):
        wall, busy = importing(what)
        yield f"`import {what}`, wall clock", wall * 1e3, "ms"
        yield f"`import {what}`, processor", busy * 1e3, "ms"


def main() -> None:
    print("| recorded | time |\n|---|---:|")
    for name, value, unit in rows():
        print(f"| {name} | {value:.1f} {unit} |", flush=True)


if __name__ == "__main__":
    main()
