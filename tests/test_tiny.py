"""The least that must work, in two seconds: make, compute, differentiate, update."""
from __future__ import annotations

import flambeau as torch


def test_values() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert (x @ x.t()).tolist() == [[5.0, 14.0], [14.0, 50.0]]
    assert x.sum(1).tolist() == [3.0, 12.0]
    assert x[1, ::2].tolist() == [3.0, 5.0]


def test_gradient() -> None:
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


def test_in_place() -> None:
    x = torch.zeros(2, 3)
    row = x[1]
    row += 2
    x[:, 0] = 7
    assert x.tolist() == [[7.0, 0.0, 0.0], [7.0, 2.0, 2.0]]
    assert row.tolist() == [7.0, 2.0, 2.0]


def test_a_step_of_descent_lowers_the_loss() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(16, 4), torch.randn(16, 1)
    w = torch.zeros(4, 1, requires_grad=True)
    losses = []
    for _ in range(3):
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
        losses.append(loss.item())
    assert losses[0] > losses[1] > losses[2]
