"""A small model of how long loops take, in cycles of one core; schedules are chosen by it.

In: a `Machine` and sizes. Out: cycles. The figures are those of current desktop and server cores
(two vector units, four cycles of latency, two loads a cycle); they only have to rank schedules.
Nothing here knows how many threads will run: `THREADS` weighs a few numbers of them, so that the
same sizes give the same schedule, and the same sums, everywhere with the same vectors.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

THREADS = ((2, 0.5), (8, 0.3), (32, 0.2))
LAUNCH = 6000                 # to start the threads on a kernel and gather them again
TURN = 60                     # to begin a turn of a parallel loop
SERIAL = 24000                # below this much work one thread is quicker
LATENCY = 4                   # of a fused multiply-add
FETCH = 32                    # bytes a cycle from the second-level cache
FAR = 24                      # bytes a cycle from beyond it, in streams
STREAM = 10                   # bytes a cycle from memory, for all threads together


@dataclass(frozen=True, slots=True)
class Machine:
    """Vector width in bytes, vector registers, the caches of a core in bytes, masked loads."""

    vector_bytes: int = 64
    registers: int = 32
    l1: int = 32 << 10
    l2: int = 1 << 20
    masks: bool = True

    def lanes(self, itemsize: int) -> int:
        return self.vector_bytes // itemsize


@lru_cache(maxsize=16)
def tile_shapes(machine: Machine) -> tuple[tuple[int, int], ...]:
    """(rows, vectors) of register tiles that leave room for B's vectors and one of A."""
    spare = 2 if machine.registers >= 32 else 0
    shapes = []
    for vectors in (1, 2, 3, 4, 8):
        rows = (machine.registers - spare - vectors - 1) // vectors
        if rows >= 1:
            shapes.append((min(rows, 16), vectors))
    return tuple(shapes)


def dot_shape(m: int, n: int, machine: Machine) -> tuple[int, int]:
    """(rows, columns) of a tile of dot products: its sums, a column's vectors, one of A."""
    room = machine.registers - (3 if machine.registers >= 32 else 1) - 1
    most = 8 if machine.registers >= 32 else 4
    rows = -(-m // -(-m // most))
    return rows, max(1, min(8, room // (rows + 1), n))


# ---------------------------------------------------------------- time


@lru_cache(maxsize=4096)
def _share(turns: int) -> float:
    """The part of the work that the busiest thread does, weighed over numbers of threads."""
    return sum(w * ceil(turns / t) / turns for t, w in THREADS)


def spread(cycles: float, turns: int) -> float:
    """The time of equal parallel turns, the launch included."""
    if turns <= 1:
        return cycles
    return (cycles + TURN * turns) * _share(turns) + LAUNCH


def tile_step(rows: int, vectors: int) -> float:
    """One k of a register tile: the arithmetic, the loads, or the latency, whichever is longest.

    A value of A that is spread over a register costs a little even so: wide tiles are quicker.
    """
    return max(rows * vectors / 2, (rows + vectors) / 2 + 0.5, LATENCY) + 0.05 * rows


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
