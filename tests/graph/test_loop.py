"""Loops: against their meaning in NumPy, against cells one by one, and what they leave out."""
from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.config import config
from flambeau.graph.loop import loop, make_body, part, trim
from flambeau.graph.node import topological
from flambeau.graph.primitive import LOOP, const
from flambeau.graph.realize import realize, statistics
from flambeau.graph.simplify import simplify
from flambeau.ops import algebra as a


def run_cells(cell, x, state):
    """The steps of a cell, one after another."""
    outputs = []
    for step in x:
        state = cell(step, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outputs), state


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ("RNN", "GRU", "LSTM"))
def test_a_layer_is_its_cell_step_by_step(kind, seed):
    rng = np.random.default_rng(seed)
    steps, rows, width, hidden = (int(n) for n in rng.integers(1, 20, 4))
    torch.manual_seed(seed)
    net, cell = (getattr(torch.nn, kind + end)(width, hidden) for end in ("", "Cell"))
    for name, p in cell.named_parameters():
        p.data.copy_(getattr(net, name + "_l0"))
    x = torch.randn(steps, rows, width)
    zeros = torch.zeros(rows, hidden)
    with config(check=frozenset({"ir", "interp"})):
        out, last = net(x)
        loss = (out * out).sum()
        loss.backward()
        want, state = run_cells(cell, x, (zeros, zeros) if kind == "LSTM" else zeros)
        (want * want).sum().backward()
    torch.testing.assert_close(out, want)
    for got, end in zip(last if kind == "LSTM" else [last],
                        state if kind == "LSTM" else [state]):
        torch.testing.assert_close(got[0], end)
    for name, p in cell.named_parameters():
        torch.testing.assert_close(getattr(net, name + "_l0").grad, p.grad, rtol=1e-4, atol=1e-5)


def doubled(count: int, back: bool):
    """s' = s + x; y = 2 s, over a stack read through a transposition."""
    x = a.reshape(a.cast(a.iota((3 * count,), 0), torch.float32), (3, count))
    x = a.permute(x, (1, 0))
    start = a.full((3,), 1.0, torch.float32)
    row = a.full((3,), 0.0, torch.float32)
    body = make_body([start], [row], [], lambda n: [n[0] + n[1], n[0] * 2, n[0] * 3])
    return loop(body, [start, x], count, back), body


@pytest.mark.parametrize("back", (False, True))
def test_states_and_results_stand_in_the_order_of_the_stacks(back):
    block, body = doubled(4, back)
    states, twice = part(block, body, 4, 0), part(block, body, 4, 1)
    realize([states, twice])
    x = np.arange(12, dtype="f").reshape(3, 4).T
    want = np.ones((5, 3), "f")
    for t in reversed(range(4)) if back else range(4):
        want[t if back else t + 1] = want[t + 1 if back else t] + x[t]
    got = states.value.numpy(np.dtype("f"), (5, 3))
    np.testing.assert_array_equal(got, want)
    before = want[1:] if back else want[:-1]
    np.testing.assert_array_equal(twice.value.numpy(np.dtype("f"), (4, 3)), 2 * before)


def test_what_nobody_reads_is_left_out():
    block, body = doubled(4, False)
    made = trim(simplify([part(block, body, 4, 2)]))
    found = next(n for n in topological(made) if n.op is LOOP)
    assert len(found.attrs[0].results) == 2


def test_a_body_is_its_meaning():
    one = const(1.0, torch.float32)
    bodies = [make_body([one], [one], [], lambda n: [n[0] * n[1]]) for _ in range(2)]
    other = make_body([one], [one], [], lambda n: [n[1] * n[0]])
    assert bodies[0] == bodies[1] and hash(bodies[0]) == hash(bodies[1])
    assert bodies[0] != other


def test_a_layer_is_compiled_once():
    net = torch.nn.LSTM(3, 4)
    for k in range(3):
        net(torch.randn(5, 2, 3))[0].sum().item()
        if k == 0:
            before = statistics.compiled
    assert statistics.compiled == before
