"""Where slices, views and writes of pending values begin is an input once it varies."""
from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.graph.realize import statistics


def compiled(run) -> int:
    before = statistics.compiled
    run()
    return statistics.compiled - before


def test_a_loop_that_writes_and_reads_compiles_a_few_times() -> None:
    b = torch.zeros(64)

    def step(i: int) -> None:
        b[i] = float(i)
        assert b[i].item() == i
    first = compiled(lambda: [step(i) for i in range(4)])
    assert first <= 4
    assert compiled(lambda: [step(i) for i in range(4, 64)]) == 0
    assert b.tolist() == list(range(64))


def test_slices_of_pending_values_share_a_program() -> None:
    x = torch.arange(60.0).reshape(20, 3)
    host = x.numpy().copy()

    def check(i: int, j: int) -> None:
        got = (x * 2)[i:i + 4, j:j + 2].sum(0)
        assert got.tolist() == (host * 2)[i:i + 4, j:j + 2].sum(0).tolist()
    for i in range(3):
        check(i, i % 2)
    assert compiled(lambda: [check(i, j) for i in range(16) for j in range(2)]) <= 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool, torch.bfloat16])
def test_random_places(dtype) -> None:
    rng = np.random.default_rng(7)
    for _ in range(12):
        shape = tuple(int(n) for n in rng.integers(3, 7, rng.integers(1, 4)))
        counts = [int(rng.integers(1, n + 1)) for n in shape]
        steps = [int(rng.integers(1, 1 + (n - 1) // max(c - 1, 1)))
                 if c > 1 else 1 for n, c in zip(shape, counts)]
        x = torch.tensor(rng.integers(0, 2, shape)).to(dtype)
        host = x.float().numpy().copy()
        for _ in range(4):
            starts = [int(rng.integers(0, n - (c - 1) * s))
                      for n, c, s in zip(shape, counts, steps)]
            cut = tuple(slice(a, a + (c - 1) * s + 1, s) for a, c, s in zip(starts, counts, steps))
            y = ~x if dtype is torch.bool else x + x
            want = (1 - host if dtype is torch.bool else host * 2)[cut]
            part = y[cut]
            assert part.float().numpy().tolist() == want.tolist()
            z = y.clone()
            view = z[cut]
            view.zero_()
            assert view.float().sum().item() == 0
            assert z.float().sum().item() == pytest.approx(float((
                1 - host if dtype is torch.bool else host * 2).sum() - want.sum()))


def test_gradients_through_slices_that_move() -> None:
    w = torch.randn(10, 4, requires_grad=True)
    for i in range(5):
        w.grad = None
        ((w * w)[i:i + 3] * 2).sum().backward()
        want = torch.zeros(10, 4)
        want[i:i + 3] = 4 * w.detach()[i:i + 3]
        assert torch.allclose(w.grad, want)


def test_a_gradient_through_slices_that_move_shares_a_program() -> None:
    w = torch.randn(40, 6, requires_grad=True)

    def step(i: int) -> None:
        w.grad = None
        ((w * w)[i:i + 3, 1:4] * 2).sum().backward()
        want = torch.zeros(40, 6)
        want[i:i + 3, 1:4] = 4 * w.detach()[i:i + 3, 1:4]
        assert torch.allclose(w.grad, want)
    for i in range(4):
        step(i)
    assert compiled(lambda: [step(i) for i in range(4, 36)]) == 0


def test_views_of_values_that_are_not_in_memory() -> None:
    assert torch.arange(6).as_strided((2, 2), (2, 1), 1).tolist() == [[1, 2], [3, 4]]
    a = torch.zeros(()).requires_grad_()
    x = torch.arange(3.0).requires_grad_()
    y = x.sum(0).clone()
    view = y.as_strided((1,), (1,))
    view[torch.zeros(0, dtype=torch.int64)] = 0.5
    grads = torch.autograd.grad(y * a, x)
    assert grads[0].tolist() == [0, 0, 0]
