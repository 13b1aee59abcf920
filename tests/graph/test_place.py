"""Index tuples from one shape to another, against NumPy's reshape."""
from __future__ import annotations

import random

import numpy as np

from flambeau.core.symbol import Var, const, of
from flambeau.graph.place import reshaped


def _cut(rng: random.Random, n: int) -> tuple[int, ...]:
    """n as a product of a few factors, ones among them."""
    found = []
    while n > 1 and len(found) < 4:
        d = rng.choice([d for d in range(1, n + 1) if n % d == 0])
        found.append(d)
        n //= d
    return (*found, n)


def test_every_element_of_random_shapes() -> None:
    rng = random.Random(0)
    for _ in range(200):
        n = rng.choice([1, 2, 6, 12, 24, 60])
        shape, other = _cut(rng, n), _cut(rng, n)
        numbers = np.arange(n).reshape(shape)
        for at in np.ndindex(shape):
            place = reshaped(tuple(const(k) for k in at), shape, other)
            assert len(place) == len(other)
            position = np.ravel_multi_index([k.const for k in place], other)
            assert position == numbers[at], (shape, other)


def test_dims_that_stay_are_not_divided() -> None:
    at = tuple(of(Var(name, 9)) for name in "ncyx")
    out_of_range = (at[0], at[1], at[2] - 1, at[3] - 1)
    place = reshaped(out_of_range, (9, 9, 9, 9), (9, 3, 3, 9, 9))
    assert (place[0], place[3], place[4]) == (at[0], at[2] - 1, at[3] - 1)
