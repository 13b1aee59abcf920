"""Rough handling, in any number: a corrupted disk cache, many processes on it, Ctrl-C, workers.

    python -m tests.runtime.robustness cache 10000       corrupted entries
    python -m tests.runtime.robustness race 16 20        processes, programs each
    python -m tests.runtime.robustness interrupts 1000   SIGINT at random moments
    python -m tests.runtime.robustness loaders fork 1000 DataLoader starts (two workers each)

Each raises AssertionError at the first thing that is not as it should be.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import flambeau as torch
from flambeau.runtime.cache import DiskCache

# ---------------------------------------------------------------- the disk cache


def _flip(content: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    content[at] ^= 1 << rng.randrange(8)
    return bytes(content)


def _cut(content: bytearray, rng: random.Random) -> bytes:
    return bytes(content[: rng.randrange(len(content))])


def _grow(content: bytearray, rng: random.Random) -> bytes:
    return bytes(content) + rng.randbytes(rng.randrange(1, 100))


def _noise(content: bytearray, rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(200))


def _block(content: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    content[at : at + 16] = bytes(min(16, len(content) - at))
    return bytes(content)


DAMAGES = (_flip, _flip, _flip, _cut, _grow, _noise, _block)


def corrupted_entries(count: int, seed: int = 0) -> int:
    """Damage entries in every way; a load gives what was stored, or nothing. How many were seen."""
    rng = random.Random(seed)
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for k in range(count):
            cache = DiskCache(folder)
            key, payload = f"key {k % 50}", rng.randbytes(rng.randrange(1, 3000))
            cache.store(key, payload)
            (path,) = [p for p in Path(folder).iterdir() if p.is_file()]
            before = path.read_bytes()
            after = rng.choice(DAMAGES)(bytearray(before), rng)
            path.write_bytes(after)
            found = cache.load(key)
            assert found is None or (after == before and found == payload), (k, len(payload))
            refused += found is None
            cache.store(key, payload)
            assert cache.load(key) == payload, k
            cache.clear()
    return refused


RACER = """
import random, sys
import flambeau as torch

rng = random.Random(int(sys.argv[1]) % 4)        # some processes ask for the same programs
for _ in range(int(sys.argv[2])):
    n, k = rng.randrange(2, 40), rng.randrange(1, 9)
    x = torch.arange(float(n * k)).reshape(n, k)
    assert ((x * 2 + 1).sum(0)).tolist() == [
        sum(2.0 * (i * k + j) + 1 for i in range(n)) for j in range(k)], (n, k)
"""


def race(processes: int, programs: int, seed: int = 0) -> None:
    """Processes compile the same programs into one folder while its entries are damaged."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FLAMBEAU_CACHE": folder}
        running = [subprocess.Popen([sys.executable, "-c", RACER, str(k), str(programs)],
                                    env=environment, stderr=subprocess.PIPE, text=True)
                   for k in range(processes)]
        while any(p.poll() is None for p in running):
            for path in list(Path(folder).iterdir()):
                with contextlib.suppress(OSError, ValueError):
                    content = bytearray(path.read_bytes())
                    path.write_bytes(rng.choice(DAMAGES)(content, rng))
            time.sleep(0.02)
        for p in running:
            _, said = p.communicate()
            assert p.returncode == 0, said


# ---------------------------------------------------------------- Ctrl-C


def _works(rng: random.Random) -> list[Callable[[], object]]:
    net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.GELU(), torch.nn.Linear(32, 4))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    x = torch.randn(64, 16)

    def compiles() -> object:
        a = torch.arange(float(rng.randrange(2, 400) * 7)).reshape(-1, 7)
        return (a * rng.random()).softmax(-1).sum(0).tolist()

    def trains() -> None:
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()

    def runs_long() -> object:
        b = torch.ones(300, 300)
        return (b @ b).sum().item()

    return [compiles, trains, runs_long]


def interrupts(count: int, seed: int = 0) -> None:
    """SIGINT at random moments of compiling, training and running; what follows is right."""
    rng = random.Random(seed)
    works = _works(rng)
    x = torch.arange(60.0).reshape(6, 10)
    want = (x @ x.T).sum(1).sort()[0].tolist()
    for k in range(count):
        work, over = rng.choice(works), threading.Event()
        first = rng.random() * 0.03

        def send(over: threading.Event = over, first: float = first) -> None:
            # Python drops what is raised inside a destructor, so a second Ctrl-C may be needed.
            over.wait(first)
            while not over.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                over.wait(0.25)

        sender = threading.Thread(target=send)
        try:
            sender.start()
            while True:
                work()
        except KeyboardInterrupt:
            over.set()
        sender.join()
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(0)                        # one that was sent meanwhile
        assert (x @ x.T).sum(1).sort()[0].tolist() == want, k
        assert ((x + k) * 2).sum().item() == sum(2.0 * (i + k) for i in range(60)), k


# ---------------------------------------------------------------- workers


def loaders(method: str, count: int, workers: int = 2) -> None:
    """Start (and end) the workers of `count` DataLoaders, each with its batches in order."""
    data = torch.utils.data.TensorDataset(torch.arange(8.0))
    (torch.ones(3) + 1).tolist()                 # threads exist before the first fork
    for _ in range(count):
        loader = torch.utils.data.DataLoader(
            data, batch_size=2, num_workers=workers, timeout=100,
            multiprocessing_context=multiprocessing.get_context(method))
        found = [v for (batch,) in loader for v in batch.tolist()]
        assert found == [float(i) for i in range(8)]


def main(arguments: list[str]) -> None:
    name, *rest = arguments
    start = time.perf_counter()
    if name == "cache":
        print(f"{corrupted_entries(int(rest[0])):,} damaged entries refused")
    elif name == "race":
        race(int(rest[0]), int(rest[1]))
    elif name == "interrupts":
        interrupts(int(rest[0]))
    elif name == "loaders":
        loaders(rest[0], int(rest[1]))
    else:
        sys.exit(__doc__)
    print(f"{name}: all as it should be, in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
