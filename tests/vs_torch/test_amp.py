"""Autocast and GradScaler against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:User provided device_type",
                                        "ignore:CUDA is not available")

OPS = {
    "linear": lambda t, x: t.nn.functional.linear(x, x), "matmul": lambda t, x: x @ x.t(),
    "mm": lambda t, x: t.mm(x, x.t()), "bmm": lambda t, x: t.bmm(x[None], x.t()[None]),
    "addmm": lambda t, x: t.addmm(x[:, :1], x, x.t()),
    "conv1d": lambda t, x: t.nn.functional.conv1d(x[None], x[None]),
    "sdpa": lambda t, x: t.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None]),
    "softmax": lambda t, x: x.softmax(-1), "add": lambda t, x: x + x, "sum": lambda t, x: x.sum(),
    "mse": lambda t, x: t.nn.functional.mse_loss(x.bfloat16(), x.bfloat16()),
    "prod": lambda t, x: x.bfloat16().prod(),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x.bfloat16(), t.tensor([0, 1])),
    "cat": lambda t, x: t.cat([x, x.bfloat16()]),
    "layer_norm": lambda t, x: t.nn.functional.layer_norm(x, (3,)),
    "double": lambda t, x: x.double() @ x.double().t(),
    "int": lambda t, x: (x > 0).long() @ (x > 0).long().t(),
}


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("kind", ["bfloat16", "float16", None])
def test_dtypes_and_values(name: str, kind: str | None) -> None:
    found = []
    for t in (flambeau, torch):
        x = t.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, 1.0]])
        with t.autocast("cpu", dtype=kind and getattr(t, kind)):
            y = OPS[name](t, x)
        found.append((str(y.dtype), y.double().numpy()))
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=2e-2, atol=1e-2)


def test_the_mode() -> None:
    def run(t: Any) -> Any:
        seen = [t.is_autocast_enabled("cpu"), str(t.get_autocast_dtype("cpu"))]
        x = t.ones(2, 2)
        with t.autocast("cpu"):
            seen.append(t.is_autocast_enabled("cpu"))
            with t.autocast("cpu", enabled=False):
                seen.append(str((x @ x).dtype))
            with t.autocast("cpu", dtype=t.float16):
                seen.append(str((x @ x).dtype))
            with t.autocast("cuda"):
                seen.append(str((x @ x).dtype))
            seen.append(str((x @ x).dtype))

        @t.autocast("cpu")
        def decorated() -> Any:
            return x @ x

        seen += [str(decorated().dtype), str((x @ x).dtype), t.is_autocast_enabled("cpu")]
        return seen

    assert run(flambeau) == run(torch)


def test_gradients_stay_float32() -> None:
    for t in (flambeau, torch):
        m = t.nn.Linear(3, 2)
        with t.autocast("cpu"):
            loss = m(t.ones(4, 3)).float().pow(2).sum()
        loss.backward()
        assert m.weight.grad.dtype == t.float32


def test_grad_scaler_runs_the_same_course() -> None:
    def run(t: Any) -> Any:
        p = t.nn.Parameter(t.tensor([1.0, 2.0]))
        opt = t.optim.SGD([p], lr=0.1)
        s = t.amp.GradScaler("cpu", init_scale=16.0, growth_interval=2)
        seen = []
        for factor in (1.0, 2.0, float("inf"), 1.0, float("nan"), 0.5, 0.5):
            opt.zero_grad()
            s.scale((p * p * factor).sum()).backward()
            s.unscale_(opt)
            seen.append(p.grad.tolist())
            s.step(opt)
            s.update()
            seen += [p.detach().tolist(), s.get_scale(), s.state_dict()["_growth_tracker"]]
        other = t.amp.GradScaler("cpu")
        other.load_state_dict(s.state_dict())
        return [*seen, other.get_scale(), sorted(other.state_dict())]

    ours, theirs = run(flambeau), run(torch)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, list) and a and isinstance(a[0], float):
            np.testing.assert_allclose(a, b, rtol=1e-6)
        else:
            assert a == b


def test_grad_scaler_refuses() -> None:
    for t in (flambeau, torch):
        p = t.nn.Parameter(t.ones(1))
        opt = t.optim.SGD([p], lr=0.1)
        s = t.amp.GradScaler("cpu")
        with pytest.raises(AssertionError, match="unscale_"):
            s.unscale_(opt)
        s.scale(p.sum()).backward()
        s.unscale_(opt)
        with pytest.raises(RuntimeError, match="already been called"):
            s.unscale_(opt)
        s.step(opt)
        with pytest.raises(RuntimeError, match="already been called"):
            s.step(opt)
