"""checkpoint gives the gradients of the plain function, as PyTorch's does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")
MODES = pytest.mark.parametrize("reentrant", [True, False])


def net(t: Any) -> Any:
    m = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 3))
    for i, p in enumerate(m.parameters()):
        with t.no_grad():
            p.copy_(t.tensor(np.random.default_rng(i).standard_normal(tuple(p.shape)).astype("f4")))
    return m


def both(run: Any) -> None:
    ours, theirs = run(flambeau), run(torch)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if a is None or b is None:
            assert a is b
        else:
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-5, atol=1e-6)


@MODES
def test_gradients_of_inputs_and_parameters(reentrant: bool) -> None:
    def run(t: Any) -> Any:
        m = net(t)
        x = t.tensor([[1.0, 2, 3], [4, 5, 6]], requires_grad=True)
        h = x * 2
        y = t.utils.checkpoint.checkpoint(m, h, use_reentrant=reentrant)
        z = t.utils.checkpoint.checkpoint(lambda a: (m(a) * h, a.sum()), y, use_reentrant=False)
        (z[0].sum() + z[1]).backward()
        return [y, z[0], x.grad, *(p.grad for p in m.parameters())]

    both(run)


def test_plain_function_gives_the_same() -> None:
    for how in ("plain", "checkpoint"):
        m = net(flambeau)
        x = flambeau.ones(2, 3, requires_grad=True)
        y = m(x) if how == "plain" else flambeau.utils.checkpoint.checkpoint(
            m, x, use_reentrant=False)
        y.pow(2).sum().backward()
        found = [x.grad, *(p.grad for p in m.parameters())]
        if how == "plain":
            expected = found
    for a, b in zip(found, expected, strict=True):
        assert flambeau.allclose(a, b)


def test_autograd_grad_and_second_order() -> None:
    def run(t: Any) -> Any:
        m = net(t)
        x = t.tensor([[1.0, 2, 3]], requires_grad=True)
        y = t.utils.checkpoint.checkpoint(m, x, use_reentrant=False)
        g, w = t.autograd.grad(y.sum(), [x, m[0].weight], create_graph=True)
        h = t.autograd.grad((g ** 2).sum() + (w ** 2).sum(), [x, m[0].weight, m[2].weight])
        return [g, w, *h]

    ours = run(flambeau)
    m = net(torch)
    x = torch.tensor([[1.0, 2, 3]], requires_grad=True)
    g, w = torch.autograd.grad(m(x).sum(), [x, m[0].weight], create_graph=True)
    theirs = [g, w, *torch.autograd.grad((g ** 2).sum() + (w ** 2).sum(),
                                         [x, m[0].weight, m[2].weight])]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=2e-5, atol=1e-6)


@MODES
def test_random_numbers_are_drawn_again(reentrant: bool) -> None:
    def run(t: Any) -> Any:
        t.manual_seed(3)
        x = t.ones(50, requires_grad=True)
        y = t.utils.checkpoint.checkpoint(lambda a: a * t.rand(50), x, use_reentrant=reentrant)
        after = t.rand(3)
        y.sum().backward()
        return [y, x.grad, after, t.rand(3)]

    both(run)


def test_sequential_and_reuse() -> None:
    def run(t: Any) -> Any:
        m = net(t)
        x = t.ones(2, 3, requires_grad=True)
        y = t.utils.checkpoint.checkpoint_sequential(m, 2, x, use_reentrant=False)
        y.sum().backward()
        return [y, x.grad]

    both(run)


def test_second_backward_and_warnings() -> None:
    x = flambeau.ones(2, requires_grad=True)
    y = flambeau.utils.checkpoint.checkpoint(lambda a: a.exp() * 2, x, use_reentrant=False)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad"):
        out = flambeau.utils.checkpoint.checkpoint(lambda a: a, flambeau.ones(1),
                                                   use_reentrant=True)
    assert not out.requires_grad
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        flambeau.utils.checkpoint.checkpoint(lambda a: a, x)
    calls = []

    def changing(a: Any) -> Any:
        calls.append(1)
        return a.exp() if len(calls) == 1 else a.exp()[:1]

    y = flambeau.utils.checkpoint.checkpoint(changing, x, use_reentrant=False)
    with pytest.raises(flambeau.utils.checkpoint.CheckpointError, match="different metadata"):
        y.sum().backward()
