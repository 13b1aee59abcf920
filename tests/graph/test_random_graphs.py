"""A few hundred random graphs: compiled code agrees with the NumPy meaning of the primitives."""
from __future__ import annotations

import pytest

from .random_graphs import check


@pytest.mark.parametrize("first", range(0, 240, 20))
def test_compiled_agrees_with_interpreter(first: int) -> None:
    for seed in range(first, first + 20):
        check(seed)
