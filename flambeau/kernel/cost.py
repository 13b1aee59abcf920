"""A small model of how long loops take, in cycles of one core; schedules are chosen by it.

In: a `Machine` and sizes. Out: cycles. The figures are those of current desktop and server cores
(two vector units, four cycles of latency, two loads a cycle); they only have to rank schedules.
Nothing here knows how many threads will run: `NOMINAL_THREADS` stands for "a few", so that the same
sizes give the same schedule, and the same sums, everywhere with the same vectors.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

NOMINAL_THREADS = 8
LAUNCH = 6000                 # to start the threads on a kernel and gather them again
SERIAL = 24000                # below this much work one thread is quicker
LATENCY = 4                   # of a fused multiply-add
FETCH = 24                    # bytes a cycle from the second-level cache
FAR = 24                      # bytes a cycle from beyond it, in streams
STREAM = 10                   # bytes a cycle from memory, for all threads together


@dataclass(frozen=True, slots=True)
class Machine:
    """Vector width in bytes, vector registers, and the caches of a core in bytes."""

    vector_bytes: int = 64
    registers: int = 32
    l1: int = 32 << 10
    l2: int = 1 << 20

    def lanes(self, itemsize: int) -> int:
        return self.vector_bytes // itemsize


@lru_cache(maxsize=16)
def tile_shapes(machine: Machine) -> tuple[tuple[int, int], ...]:
    """(rows, vectors) of register tiles that leave room for B's vectors and one of A."""
    spare = 2 if machine.registers >= 32 else 0
    shapes = []
    for vectors in (1, 2, 3, 4, 6, 8):
        rows = (machine.registers - spare - vectors - 1) // vectors
        if rows >= 1:
            shapes.append((min(rows, 16), vectors))
    return tuple(shapes)


def spread(cycles: float, turns: int) -> float:
    """The time of equal parallel turns on a few threads, the launch included."""
    if turns <= 1:
        return cycles
    return cycles / turns * ceil(turns / NOMINAL_THREADS) + LAUNCH


def tile_step(rows: int, vectors: int) -> float:
    """One k of a register tile: the arithmetic, the loads, or the latency, whichever is longest."""
    return max(rows * vectors / 2, (rows + vectors) / 2 + 0.5, LATENCY)


def tile_fetch(rows: int, columns: int, kc: int, itemsize: int, tiles: int,
               machine: Machine) -> float:
    """One k of a register tile: what the first-level cache has to fetch, in cycles.

    A panel of B stays there, if it fits, while the `tiles` of a block pass by.
    """
    stays = columns * kc * itemsize <= machine.l1 * 3 // 2
    return (rows + columns / (tiles if stays else 1)) * itemsize / FETCH


def copied(elements: float, lanes: int) -> float:
    """Contiguous copies from the second-level cache or beyond."""
    return elements * 2 / lanes


def transposed(elements: float, lanes: int) -> float:
    """Squares of lanes x lanes turned round in registers."""
    return elements * 6 / lanes


def scattered(elements: float) -> float:
    """One element at a time."""
    return elements * 1.5
