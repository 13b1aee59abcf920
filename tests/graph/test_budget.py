"""A loop that never looks at a value is cut into pieces, all of them one program."""
from __future__ import annotations

import gc

import numpy as np
import pytest

import flambeau as torch
from flambeau.graph import realize as policy
from flambeau.graph.node import Node, topological


def pending(*tensors: torch.Tensor) -> int:
    return len(topological([t._storage.value for t in tensors]))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """A budget that tests reach soon."""
    monkeypatch.setattr(policy, "BUDGET", 100)
    return 100


def test_a_loop_stays_within_bounds_and_is_one_program(small: int) -> None:
    x = torch.ones(7)
    compiled = []
    for i in range(3000):
        x = x * 1.0001 + 0.1
        assert pending(x) <= 6 * small
        if i % 500 == 499:
            compiled.append(policy.statistics.compiled)
    assert compiled[-1] == compiled[1]
    want = np.ones(7)
    for _ in range(3000):
        want = want * 1.0001 + 0.1
    np.testing.assert_allclose(x.numpy(), want, rtol=1e-3)


def test_every_chain_of_a_loop_is_cut(small: int) -> None:
    a, b, c = torch.ones(3), torch.zeros(3), torch.zeros(3)
    for _ in range(1000):
        a = a * 0.999
        b += 0.5
        c = torch.tanh(c + a)
        assert pending(a, b, c) <= 12 * small
    assert b.tolist() == [500.0] * 3


def test_code_that_comes_to_no_line_twice_is_cut_too(small: int) -> None:
    x = torch.ones(2)
    for k in range(1000):
        scope = {"x": x}
        exec(compile("x = x + 1", f"line{k}", "exec"), scope)
        x = scope["x"]
        assert pending(x) <= 6 * small
    assert x.tolist() == [1001.0] * 2


def test_gradients_survive_the_cut(small: int) -> None:
    x = torch.full((3,), 0.5, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(600):
        y = torch.sin(y) * 1.01
    y.sum().backward()
    value, slope = 0.5, 1.0
    for _ in range(600):
        slope *= np.cos(value) * 1.01
        value = np.sin(value) * 1.01
    np.testing.assert_allclose(y.detach().numpy(), [value] * 3, rtol=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), [slope] * 3, rtol=1e-8)


def test_a_look_starts_the_count_again(small: int) -> None:
    x = torch.ones(2)
    before = policy.statistics.runs
    for _ in range(20):
        for _ in range(30):
            x = x + 1
        x[0].item()
    assert policy.statistics.runs == before + 20


def test_meta_tensors_are_never_computed(small: int) -> None:
    x = torch.empty(1 << 20, 1 << 20, device="meta")
    for _ in range(4 * small):
        x = x + 1
    assert x.shape == (1 << 20, 1 << 20)


def test_a_hundred_thousand_steps() -> None:
    x = torch.ones(10)
    gc.collect()
    before = sum(type(o) is Node for o in gc.get_objects())
    for _ in range(100_000):
        x = x * 0.9999 + 0.1
    after = sum(type(o) is Node for o in gc.get_objects())
    assert after - before < 8 * policy.BUDGET
    np.testing.assert_allclose(x.numpy(), 1000 - 999 * 0.9999 ** 100_000, rtol=1e-3)


def test_ten_thousand_operations_backward() -> None:
    x = torch.ones(4, requires_grad=True)
    y = x
    for _ in range(5000):
        y = y * 1.0001 + 0.001
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1.0001 ** 5000] * 4, rtol=1e-3)
