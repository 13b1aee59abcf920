"""The same seed gives PyTorch's order and PyTorch's random numbers in workers."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


def both(fn: Any) -> None:
    """fn(module) is the same for both modules."""
    assert fn(flambeau) == fn(torch)


def gen(t: Any, seed: int = 3) -> Any:
    return t.Generator().manual_seed(seed)


@pytest.mark.parametrize("n", [1, 5, 33, 1000])
def test_random_orders(n: int) -> None:
    def run(t: Any) -> Any:
        D = t.utils.data  # noqa: N806
        t.manual_seed(7)
        found = [list(D.RandomSampler(range(n))), list(D.RandomSampler(range(n), generator=gen(t)))]
        for count in (1, n, 2 * n + 3, 40):
            for replacement in (True, False):
                s = D.RandomSampler(range(n), replacement, count, gen(t))
                found.append([list(s), list(s), len(s)])
        found.append(list(D.SubsetRandomSampler(list(range(5, 5 + n)), gen(t))))
        found.append(list(D.WeightedRandomSampler([1.0 + i % 3 for i in range(n)], n, True,
                                                  gen(t))))
        found.append([list(s) for s in D.random_split(range(n), [0.5, 0.5], gen(t))])
        found.append(list(D.BatchSampler(D.RandomSampler(range(n), generator=gen(t)), 4, n > 4)))
        found.append(t.initial_seed())
        found.append(float(t.rand(1)))
        return found

    both(run)


@pytest.mark.parametrize("drop", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_distributed_sampler(drop: bool, shuffle: bool) -> None:
    def run(t: Any) -> Any:
        found = []
        for n in (1, 7, 10):
            for rank in range(3):
                s = t.utils.data.DistributedSampler(range(n), 3, rank, shuffle, 5, drop)
                s.set_epoch(2)
                found.append([list(s), len(s)])
        return found

    both(run)


def test_shuffled_loaders() -> None:
    def run(t: Any) -> Any:
        t.manual_seed(11)
        loader = t.utils.data.DataLoader(list(range(23)), batch_size=4, shuffle=True)
        own = t.utils.data.DataLoader(list(range(23)), batch_size=5, shuffle=True,
                                      generator=gen(t))
        return [[b.tolist() for b in x] for x in (loader, loader, own, own)] + [float(t.rand(1))]

    both(run)


class Noise:
    """Numbers from all three generators of a worker."""

    def __init__(self, t: Any) -> None:
        self.t = t

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> Any:
        import random

        import numpy as np
        return [float(self.t.rand(1)), float(np.random.rand()), random.random()]


def test_workers_draw_the_same_numbers() -> None:
    def run(t: Any) -> Any:
        t.manual_seed(4)
        loader = t.utils.data.DataLoader(Noise(t), num_workers=2, batch_size=2, shuffle=True,
                                         multiprocessing_context="fork")
        return [[c.tolist() for c in b] for b in loader]

    both(run)
