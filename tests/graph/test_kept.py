"""What a round of a loop made for the next one is computed once, not again in every round."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau import nn
from flambeau.graph import realize as policy


def rounds(step: Callable[[Any], tuple[Any, Any]], state: Any, count: int) -> list[int]:
    """Programs compiled after each round; a round looks at what it gives."""
    found = []
    with torch.no_grad():
        for _ in range(count):
            out, state = step(state)
            out.sum().item()
            found.append(policy.statistics.compiled)
    return found


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_recurrent_loop_is_few_programs(kind: str) -> None:
    torch.manual_seed(0)
    layer = getattr(nn, kind)(5, 6)
    head = nn.Linear(6, 5)

    def step(state: Any) -> tuple[Any, Any]:
        out, after = layer(state[0], state[1])
        out = head(out)
        return out, (out, after)

    compiled = rounds(step, (torch.ones(1, 1, 5), None), 8)
    assert compiled[3] == compiled[7]


def test_a_solver_is_few_programs() -> None:
    torch.manual_seed(0)
    field = nn.Linear(3, 3)

    def step(y: Any) -> tuple[Any, Any]:
        k1 = field(y).tanh()
        y = y + 0.1 * field(y + 0.05 * k1).tanh()
        return y, y

    compiled = rounds(step, torch.ones(2, 3), 8)
    assert compiled[3] == compiled[7]


def test_a_long_chain_of_cheap_operations_is_cut() -> None:
    def step(x: Any) -> tuple[Any, Any]:
        x = (x * 0.9 + 0.1).tanh()
        return x, x

    compiled = rounds(step, torch.ones(4), 60)
    assert compiled[20] == compiled[59]


def test_what_is_cheap_is_worked_out_again() -> None:
    """A held product of a few operations on computed values costs no memory of its own."""
    x = torch.ones(8)
    y = x * 2 + 1
    assert y.sum().item() == 24.0
    assert y._storage.value.value is None
    np.testing.assert_array_equal(y.numpy(), np.full(8, 3.0, np.float32))
