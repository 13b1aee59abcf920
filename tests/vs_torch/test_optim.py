"""Training against PyTorch: the same losses, the same state, schedules and averages."""
from __future__ import annotations

import numpy as np
import pytest

real = pytest.importorskip("torch")

import flambeau as torch  # noqa: E402

DATA = np.random.default_rng(0)
X = DATA.standard_normal((64, 10)).astype("f4")
Y = DATA.integers(0, 4, 64)


def _train(m, make, steps, schedule=None):
    """Losses of an MLP from seed 0, and the optimizer."""
    m.manual_seed(0)
    model = m.nn.Sequential(m.nn.Linear(10, 32), m.nn.ReLU(), m.nn.Linear(32, 32), m.nn.Tanh(),
                            m.nn.Linear(32, 4))
    x, y = m.from_numpy(X.copy()), m.from_numpy(Y.copy())
    opt = make(m.optim, model.parameters())
    plan = schedule(m.optim.lr_scheduler, opt) if schedule else None
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = m.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        if plan is not None:
            plan.step()
        losses.append(loss.item())
    return losses, opt, model


OPTIMIZERS = {
    "adam": lambda o, p: o.Adam(p, lr=1e-2),
    "sgd": lambda o, p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_loss_curve(name):
    """Equal to 1e-4 over 100 steps, from the same seed."""
    want, _, _ = _train(real, OPTIMIZERS[name], 100)
    got, _, _ = _train(torch, OPTIMIZERS[name], 100)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    assert want[-1] < want[0] / 2


def test_a_schedule_and_amsgrad():
    def make(o, p):
        return o.AdamW(p, lr=1e-2, amsgrad=True, weight_decay=0.1)

    def schedule(s, opt):
        return s.OneCycleLR(opt, max_lr=2e-2, total_steps=30)

    want, a, _ = _train(real, make, 20, schedule)
    got, b, _ = _train(torch, make, 20, schedule)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    assert a.param_groups[0]["lr"] == pytest.approx(b.param_groups[0]["lr"])
    assert a.param_groups[0]["betas"] == pytest.approx(b.param_groups[0]["betas"])


def _plain(state):
    """A state dict with NumPy arrays instead of tensors."""
    if hasattr(state, "numpy"):
        return state.numpy().copy()
    if isinstance(state, dict):
        return {k: _plain(v) for k, v in state.items()}
    return [_plain(v) for v in state] if isinstance(state, list) else state


def _tensors(state, m):
    if isinstance(state, np.ndarray):
        return m.from_numpy(state.copy())
    if isinstance(state, dict):
        return {k: _tensors(v, m) for k, v in state.items()}
    return [_tensors(v, m) for v in state] if isinstance(state, list) else state


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_moves_both_ways(name):
    _, theirs, _ = _train(real, OPTIMIZERS[name], 3)
    _, ours, _ = _train(torch, OPTIMIZERS[name], 3)
    want, got = _plain(theirs.state_dict()), _plain(ours.state_dict())
    assert got["param_groups"] == want["param_groups"]
    for i, state in want["state"].items():
        assert list(got["state"][i]) == list(state)
        for key, value in state.items():
            assert got["state"][i][key].dtype == value.dtype
            np.testing.assert_allclose(got["state"][i][key], value, rtol=1e-4, atol=1e-6)
    ours.load_state_dict(_tensors(want, torch))
    theirs.load_state_dict(_tensors(got, real))
    again = _plain(ours.state_dict())
    for i, state in want["state"].items():
        for key, value in state.items():
            np.testing.assert_array_equal(again["state"][i][key], value)


def test_repr_is_pytorchs():
    _, theirs, _ = _train(real, OPTIMIZERS["adam"], 0)
    _, ours, _ = _train(torch, OPTIMIZERS["adam"], 0)
    assert repr(ours) == repr(theirs)
