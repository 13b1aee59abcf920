"""Attention as one kernel: found in the graph, and equal to the interpreter's for odd shapes."""
from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.config import config
from flambeau.core.symbol import Var, of
from flambeau.graph import lower
from flambeau.graph.fuse import Group
from flambeau.graph.node import Node
from flambeau.kernel.interpret import interpret
from flambeau.kernel.loopnest import Accumulate, Buffer, Const, Kernel, Loop, statements
from flambeau.runtime import threads

F = torch.nn.functional


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[Group]:
    """The groups of what is computed meanwhile."""
    found: list[Group] = []

    def fuse(roots: list[Node]) -> list[Group]:
        made = original(roots)
        found.extend(made)
        return made
    original = lower.fuse
    monkeypatch.setattr(lower, "fuse", fuse)
    return found


def heads(*shape: int, seed: int = 0, grad: bool = False) -> torch.Tensor:
    array = np.random.default_rng(seed).standard_normal(shape).astype("float32")
    return torch.from_numpy(array).requires_grad_(grad)


def by_hand(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
    scores = scores.masked_fill(mask == 0, float("-inf"))
    return F.softmax(scores, dim=-1) @ v


def reference(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: np.ndarray) -> np.ndarray:
    a, b, c = (x.detach().double().numpy() for x in (q, k, v))
    scores = a @ b.swapaxes(-2, -1) / math.sqrt(a.shape[-1])
    scores = np.where(mask, scores, -np.inf)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True) @ c)


@pytest.mark.parametrize(("rows", "columns", "wide"), [
    (16, 16, 16), (40, 40, 8), (33, 47, 20), (65, 130, 40), (100, 16, 17)])
def test_forward(rows: int, columns: int, wide: int, groups: list[Group]) -> None:
    q, k = heads(2, 3, rows, wide), heads(2, 3, columns, wide, seed=1)
    v = heads(2, 3, columns, wide + 3, seed=2)
    with config(check={"ir", "interp"}):
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True).numpy()
        assert [g.kind for g in groups] == ["chain"]
        mask = np.tri(rows, columns, dtype=bool)
        np.testing.assert_allclose(out, reference(q, k, v, mask), rtol=1e-4, atol=1e-5)
        mask[:, 1:] &= np.random.default_rng(3).random((rows, columns - 1)) > 0.3
        out = by_hand(q, k, v, torch.from_numpy(mask)).numpy()
    assert [g.kind for g in groups].count("chain") == 2
    np.testing.assert_allclose(out, reference(q, k, v, mask), rtol=1e-4, atol=1e-5)


def test_gradients_work_the_large_values_out_again(groups: list[Group]) -> None:
    q, k, v = (heads(4, 2, 40, 16, seed=s, grad=True) for s in range(3))
    with config(check={"ir", "interp"}):
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        (out * out).sum().backward()
        del out
        found = torch.stack([x.grad for x in (q, k, v)]).numpy()
    assert [g.kind for g in groups].count("chain") == 2
    assert not any(n.shape == (4, 2, 40, 40) for g in groups for n in g.stored)
    mask = torch.tril(torch.ones(40, 40))
    a, b, c = (x.detach().clone().requires_grad_() for x in (q, k, v))
    scores = (a @ b.transpose(-2, -1)) / 4 + (mask - 1) * 1e9
    powers = torch.exp(scores - scores.amax(-1, keepdim=True).detach())
    other = (powers / powers.sum(-1, keepdim=True)) @ c
    other.data_ptr()
    (other * other).sum().backward()
    for x, y in zip(found, (a, b, c)):
        np.testing.assert_allclose(x, y.grad.numpy(), rtol=1e-3, atol=1e-4)


def test_probabilities_that_are_asked_for_are_in_memory(groups: list[Group]) -> None:
    q, k, v = (heads(2, 20, 16, seed=s) for s in range(3))
    weights = F.softmax(q @ k.transpose(-2, -1), dim=-1)
    out = weights @ v
    assert torch.stack([weights.sum(), out.sum()]).isfinite().all()
    assert weights.shape == (2, 20, 20)
    np.testing.assert_allclose(weights.sum(-1).numpy(), 1, rtol=1e-5)


@pytest.mark.parametrize("shape", [(1, 2, 150, 20), (1, 1, 300, 16), (3, 3, 100, 24)])
def test_sums_over_rows_of_few_batch_elements_are_shared_out(
        shape: tuple[int, ...], groups: list[Group]) -> None:
    q, k, v = (heads(*shape, seed=s, grad=True) for s in range(3))
    with config(check={"ir", "interp"}):
        (F.scaled_dot_product_attention(q, k, v, is_causal=True) ** 2).sum().backward()
        found = torch.stack([x.grad for x in (q, k, v)]).numpy()
    assert [g.kind for g in groups].count("chain") == 2
    assert np.isfinite(found).all()


def test_any_number_of_threads_gives_the_same_bits() -> None:
    q, k, v = (heads(8, 2, 70, 16, seed=s, grad=True) for s in range(3))
    before = threads.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            grads = torch.autograd.grad((out * out).sum(), (q, k, v))
            found.append(b"".join(x.numpy().tobytes() for x in (out.detach(), *grads)))
    finally:
        threads.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_what_lies_above_the_diagonal_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels: list[Kernel] = []
    original = lower.attend.build

    def build(*args: object) -> list[Kernel]:
        made = original(*args)
        kernels.extend(made)
        return made
    monkeypatch.setattr(lower.attend, "build", build)
    q, k, v = (heads(2, 64, 16, seed=s) for s in range(3))
    F.scaled_dot_product_attention(q, k, v, is_causal=True).numpy()
    F.scaled_dot_product_attention(q, k, v).numpy()
    ends = [[s.stop for s in statements(x.body) if isinstance(s, Loop) and s.stop] for x in kernels]
    assert ends[0]
    assert not ends[1]


def test_a_loop_that_stops_before_its_end() -> None:
    out = Buffer("out", 0, torch.float32, 4)
    i, j = Var("i", 4), Var("j", 3)
    body = Accumulate(out, of(i), "add", Const(1.0, torch.float32))
    nest = Loop(i, "seq", (Loop(j, "seq", (body,), of(i) - 1),))
    found = np.zeros(4, "float32")
    interpret(Kernel("k", (out,), (), (nest,)), {out: found})
    assert found.tolist() == [0, 0, 1, 2]
