"""torch.func against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.config import config

torch = pytest.importorskip("torch")


def plain(x: Any) -> Any:
    """Results as arrays in the same nesting."""
    if isinstance(x, (tuple, list)):
        return [plain(i) for i in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if hasattr(x, "requires_grad"):
        return (x.detach().numpy().copy(), x.requires_grad)
    return x


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for k in a:
            same(a[k], b[k])
    elif isinstance(a, tuple):
        np.testing.assert_allclose(a[0], b[0], rtol=2e-5, atol=1e-6)
        assert a[1] == b[1]
    else:
        assert a == b


def both(run: Any) -> None:
    same(plain(run(flambeau)), plain(run(torch)))


def x3(t: Any, **how: Any) -> Any:
    return t.tensor([0.3, -1.2, 2.0], **how)


CASES = {
    "grad": lambda t: t.func.grad(lambda x: x.sin().sum())(x3(t)),
    "grad of a tensor that requires it": lambda t: t.func.grad(lambda x: (x ** 3).sum())(
        x3(t, requires_grad=True)),
    "grad with a closure": lambda t: _closure(t),
    "grad argnums": lambda t: t.func.grad(lambda a, b: (a * b ** 2).sum(), (0, 1))(x3(t), x3(t)),
    "grad of a dict": lambda t: t.func.grad(lambda d: (d["a"] * d["b"][0]).sum())(
        {"a": x3(t), "b": [x3(t)]}),
    "grad aux": lambda t: t.func.grad(lambda x: (x.sum(), {"y": x * 2}), has_aux=True)(
        x3(t)),
    "third derivative": lambda t: t.func.grad(t.func.grad(t.func.grad(lambda x: x.sin() * x)))(
        t.tensor(0.7)),
    "grad under no_grad": lambda t: _no_grad(t),
    "unused": lambda t: t.func.grad(lambda x, y: (x * 2).sum(), (0, 1))(x3(t), x3(t)),
    "value": lambda t: t.func.grad_and_value(lambda x: (x ** 2).sum())(x3(t)),
    "vjp": lambda t: t.func.vjp(lambda x, y: (x * y, x.sum()), x3(t), x3(t))[1](
        (x3(t), t.tensor(2.0))),
    "jvp": lambda t: t.func.jvp(lambda x, y: (x * y.sin(), x.sum()), (x3(t), x3(t)),
                                (x3(t) * 2, t.ones(3))),
    "jvp of grad": lambda t: t.func.jvp(t.func.grad(lambda x: (x ** 4).sum()), (x3(t),),
                                        (t.ones(3),)),
    "grad of jvp": lambda t: t.func.grad(lambda x: t.func.jvp(
        lambda y: y.exp() * y, (x,), (t.ones(3),))[1].sum())(x3(t)),
    "jacrev": lambda t: t.func.jacrev(lambda x, y: x[:2] * y.sum(), (0, 1))(x3(t), x3(t)),
    "jacrev of several": lambda t: t.func.jacrev(lambda x: {"a": x ** 2, "b": (x.sum(),)})(x3(t)),
    "jacfwd": lambda t: t.func.jacfwd(lambda x: x.reshape(3, 1) * x)(x3(t)),
    "hessian": lambda t: t.func.hessian(lambda x: (x ** 3).sum() * x[0])(x3(t)),
    "vmap": lambda t: t.vmap(lambda a, b: a @ b + 1, (1, None))(t.arange(6.0).reshape(3, 2),
                                                                x3(t)),
    "vmap out dims": lambda t: t.vmap(lambda a: (a * 2, a.sum()), out_dims=(1, 0))(
        t.arange(6.0).reshape(2, 3)),
    "vmap of grad": lambda t: t.vmap(t.func.grad(lambda w, x: (w * x).sin().sum()), (None, 0))(
        x3(t), t.arange(6.0).reshape(2, 3)),
    "grad of vmap": lambda t: t.func.grad(lambda w: t.vmap(lambda x: (x * w).sin())(
        t.arange(6.0).reshape(2, 3)).sum())(x3(t)),
    "gradients of each sample": lambda t: _each_sample(t),
    "vmap in vmap": lambda t: t.vmap(t.vmap(lambda a, b: (a * b).sum(), (0, None)), (None, 0))(
        t.arange(6.0).reshape(3, 2), t.arange(8.0).reshape(4, 2)),
    "vmap of jacrev": lambda t: t.vmap(t.func.jacrev(lambda x: x.sin().cumsum(0)))(
        t.arange(6.0).reshape(2, 3)),
    "vmap of what requires grad": lambda t: _through(t),
    "vmap the same for all": lambda t: t.vmap(lambda a: (t.ones(2), 3.0 + 0 * a.sum()))(
        t.ones(4, 1)),
    "vmap of linalg": lambda t: t.vmap(lambda a, b: t.linalg.solve(a + 5 * t.eye(2), b))(
        t.arange(12.0).reshape(3, 2, 2), t.arange(6.0).reshape(3, 2)),
    "vmap writes to what it made": lambda t: t.vmap(lambda a: a.clone().mul_(2).add_(a))(x3(t)),
    "vmap negative": lambda t: t.vmap(lambda a: a.sum(), in_dims=-1)(t.arange(6.0).reshape(2, 3)),
}


def _each_sample(t: Any) -> Any:
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.ReLU(), t.nn.Flatten(), t.nn.Linear(32, 3))
    params = {k: v.detach() for k, v in net.named_parameters()}

    def loss(p: Any, x: Any, y: Any) -> Any:
        out = t.func.functional_call(net, p, (x[None],))
        return t.nn.functional.cross_entropy(out, y[None])

    x = t.arange(180.0).reshape(5, 1, 6, 6).sin()
    return t.vmap(t.func.grad(loss), (None, 0, 0))(params, x, t.tensor([0, 2, 1, 1, 0]))


def _through(t: Any) -> Any:
    w, x = x3(t, requires_grad=True), t.arange(6.0).reshape(2, 3).requires_grad_()
    out = t.vmap(lambda a, b: (a * b).tanh(), (None, 0))(w, x)
    out.pow(2).sum().backward()
    return [out, w.grad, x.grad]


def _closure(t: Any) -> Any:
    w = x3(t, requires_grad=True)
    return t.func.grad(lambda x: (x * x * w).sum())(x3(t))


def _no_grad(t: Any) -> Any:
    with t.no_grad():
        return t.func.grad(lambda x: (x * x).sum())(x3(t))


@pytest.mark.parametrize("name", CASES)
def test_same_as_pytorch(name: str) -> None:
    both(CASES[name])


@pytest.mark.parametrize("run", [
    lambda t: t.func.grad(lambda x: x)(x3(t)), lambda t: t.func.grad(lambda x: 3)(x3(t)),
    lambda t: t.func.grad(lambda x: x.sum(), 2)(x3(t)),
    lambda t: t.vmap(lambda a, b: a)(t.ones(2), t.ones(3)), lambda t: t.vmap(lambda: 1)(),
    lambda t: t.vmap(lambda a: a, in_dims=3)(t.ones(2)), lambda t: t.vmap(lambda a: a)(3),
    lambda t: t.vmap(lambda a: a + t.rand(1))(t.ones(2)),
    lambda t: t.func.jvp(lambda x: x, x3(t), x3(t)),
    lambda t: t.func.vjp(lambda x: x, x3(t))[1]((x3(t), x3(t)))])
def test_errors(run: Any) -> None:
    kinds = []
    for t in (torch, flambeau):
        with pytest.raises((RuntimeError, ValueError, IndexError)) as caught:
            run(t)
        kinds.append(caught.type)
    assert kinds[0] is kinds[1]


def test_vmap_randomness() -> None:
    same_ = flambeau.vmap(lambda a: a + flambeau.rand(1), randomness="same")(flambeau.zeros(3))
    assert same_[0].item() == same_[1].item() == same_[2].item()
    other = flambeau.vmap(lambda a: a + flambeau.rand(1), randomness="different")(
        flambeau.zeros(3))
    assert other[0].item() != other[1].item()


def test_modules() -> None:
    def run(t: Any) -> Any:
        models = []
        for k in range(3):
            m = t.nn.Linear(2, 2)
            with t.no_grad():
                m.weight.fill_(k)
                m.bias.fill_(1)
            models.append(m)
        params, buffers = t.func.stack_module_state(models)
        base = models[0]

        def call(p: Any, b: Any, x: Any) -> Any:
            return t.func.functional_call(base, (p, b), (x,))

        out = t.vmap(call, (0, 0, None))(params, buffers, t.ones(4, 2))
        grads = t.func.grad(lambda p: t.func.functional_call(base, p, (t.ones(1, 2),)).sum())(
            {k: v.detach() for k, v in models[2].named_parameters()})
        return [out, params["weight"], grads]

    both(run)


def test_vmap_records_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One call for the whole batch; one a sample where a value is looked at, and it says so."""
    calls = []

    def twice(a: Any) -> Any:
        calls.append(a)
        return a * 2 if len(a.shape) else a * (2 if a.item() > 0 else -2)

    with config(show={"cache"}):
        flambeau.vmap(twice)(flambeau.ones(50, 2))
        assert len(calls) == 1
        assert "vmap" not in capsys.readouterr().out
        out = flambeau.vmap(twice)(flambeau.tensor([1.0, -1.0, 3.0]))
    assert out.tolist() == [2.0, 2.0, 6.0]
    assert "vmap calls twice once for each of 3 samples" in capsys.readouterr().out


def test_vmap_that_writes_outside() -> None:
    """Into a tensor of its own surroundings: one sample after another, each counted once."""
    total, count = flambeau.zeros(2), flambeau.zeros(())

    def add(a: Any) -> Any:
        count.add_(1)
        total.add_(a)
        return a * 2

    out = flambeau.vmap(add)(flambeau.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert out.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert total.tolist() == [4.0, 6.0] and count.item() == 2
