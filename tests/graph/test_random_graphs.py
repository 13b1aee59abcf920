"""A few hundred random graphs: programs agree with the NumPy meaning of the primitives."""
from __future__ import annotations

import pytest

from .random_graphs import by, check


@pytest.mark.parametrize("first", range(0, 240, 20))
def test_compiled_agrees_with_interpreter(first: int) -> None:
    for seed in range(first, first + 20):
        check(seed)


@pytest.mark.parametrize("first", range(1000, 1040, 20))
def test_loop_nests_agree_with_interpreter(first: int) -> None:
    with by(loops=True, numbers=False):
        for seed in range(first, first + 20):
            check(seed)


@pytest.mark.parametrize("first", range(2000, 2060, 20))
def test_numbers_as_inputs_agree_with_interpreter(first: int) -> None:
    with by(loops=False, numbers=True):
        for seed in range(first, first + 20):
            check(seed)
