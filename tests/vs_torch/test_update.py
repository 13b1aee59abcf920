"""Optimizer rules follow PyTorch's optimizers over several steps."""
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flambeau.graph.interpret import evaluate  # noqa: E402
from flambeau.ops import update  # noqa: E402
from tests.ops.samples import leaf  # noqa: E402

STEPS = 6


def numbers(values):
    return [None if v is None else evaluate([v])[0] for v in values]


def node(value):
    return None if value is None else leaf(value)


def compare(make, step, states):
    """`step(p, g, states, number) -> (new p, *new states)`, all nodes."""
    rng = np.random.default_rng(3)
    p = rng.standard_normal(9).astype(np.float32)
    t = torch.tensor(p, requires_grad=True)
    optimizer = make([t])
    for number in range(1, STEPS + 1):
        g = rng.standard_normal(9).astype(np.float32)
        t.grad = torch.tensor(g)
        optimizer.step()
        p, *states = numbers(step(node(p), node(g), [node(s) for s in states], number))
    np.testing.assert_allclose(p, t.detach().numpy(), rtol=3e-6, atol=3e-6)


ZERO = np.zeros(9, np.float32)


@pytest.mark.parametrize("kw", [
    {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"momentum": 0.9, "dampening": 0.3, "maximize": True}, {"weight_decay": 0.1, "maximize": True},
])
def test_sgd(kw):
    compare(lambda ps: torch.optim.SGD(ps, lr=0.1, **kw),
            lambda p, g, s, n: update.sgd(p, g, s[0], lr=0.1, **kw), [None])


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("kw", [
    {}, {"weight_decay": 0.1, "maximize": True}, {"amsgrad": True, "betas": (0.4, 0.9)},
])
def test_adam(kw, decoupled):
    cls = torch.optim.AdamW if decoupled else torch.optim.Adam
    b1, b2 = kw.get("betas", (0.9, 0.999))
    decay = kw.get("weight_decay", 0.01 if decoupled else 0.0)

    def step(p, g, s, n):
        return update.adam(p, g, *s, step=n, lr=0.1, beta1=b1, beta2=b2, eps=1e-8,
                           weight_decay=decay, decoupled=decoupled,
                           maximize=kw.get("maximize", False))
    compare(lambda ps: cls(ps, lr=0.1, **kw), step,
            [ZERO, ZERO, ZERO if kw.get("amsgrad") else None])


@pytest.mark.parametrize("kw", [{}, {"momentum": 0.9, "weight_decay": 0.1}, {"centered": True}])
def test_rmsprop(kw):
    given = {k: v for k, v in kw.items() if k != "centered"}
    compare(lambda ps: torch.optim.RMSprop(ps, lr=0.01, **kw),
            lambda p, g, s, n: update.rmsprop(p, g, *s, lr=0.01, alpha=0.99, eps=1e-8, **given),
            [ZERO, ZERO if "momentum" in kw else None, ZERO if "centered" in kw else None])


def test_adagrad():
    compare(lambda ps: torch.optim.Adagrad(ps, lr=0.1, lr_decay=0.1, weight_decay=0.2),
            lambda p, g, s, n: update.adagrad(p, g, s[0], step=n, lr=0.1, lr_decay=0.1, eps=1e-10,
                                              weight_decay=0.2), [ZERO])
