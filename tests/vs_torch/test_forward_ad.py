"""Dual tensors carry the tangents that PyTorch's do."""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

import flambeau  # noqa: E402


def close(mine, want):
    np.testing.assert_allclose(mine.detach().numpy(), want.detach().numpy(), 1e-5, 1e-6)


def run(lib, fn):
    x = lib.tensor([[1.0, -2.0], [0.5, 3.0]])
    t = lib.tensor([[1.0, 0.0], [2.0, -1.0]])
    fw = lib.autograd.forward_ad
    with fw.dual_level():
        return fw.unpack_dual(fn(fw.make_dual(x, t)))


@pytest.mark.parametrize("fn", [
    lambda x: x, lambda x: x.sin() * x, lambda x: (x @ x).softmax(-1), lambda x: x * 2 + 1,
    lambda x: x[0].exp().sum(), lambda x: (x ** 3).mean(0),
])
def test_tangents(fn):
    mine, want = run(flambeau, fn), run(torch, fn)
    close(mine.primal, want.primal)
    close(mine.tangent, want.tangent)
    assert mine.primal.requires_grad == want.primal.requires_grad
    assert mine.tangent.requires_grad == want.tangent.requires_grad


def test_two_directions_and_weights():
    def both(lib):
        w = lib.tensor([2.0, 3.0], requires_grad=True)
        fw = lib.autograd.forward_ad
        with fw.dual_level():
            a = fw.make_dual(lib.tensor([1.0, 2.0]), lib.tensor([1.0, 1.0]))
            b = fw.make_dual(w, lib.tensor([0.5, 1.0]))
            primal, tangent = fw.unpack_dual((a * b) ** 2)
            tangent.sum().backward()
        return primal, tangent, w.grad
    for mine, want in zip(both(flambeau), both(torch)):
        close(mine, want)


def test_no_tangent():
    fw = flambeau.autograd.forward_ad
    x = flambeau.ones(2)
    assert fw.unpack_dual(x) == (x, None)
    with fw.dual_level():
        fw.make_dual(x, x)
        assert fw.unpack_dual(x).tangent is None


@pytest.mark.parametrize("call", [
    lambda t, fw, x: fw.make_dual(x, t.ones(3)),
    lambda t, fw, x: fw.make_dual(x.long(), x),
    lambda t, fw, x: fw.enter_dual_level(),
])
def test_errors(call):
    words = []
    for lib in (torch, flambeau):
        fw = lib.autograd.forward_ad
        with fw.dual_level(), pytest.raises((RuntimeError, ValueError)) as error:
            call(lib, fw, lib.ones(2))
        words.append(str(error.value))
    assert words[0] == words[1]
    for lib in (torch, flambeau):
        with pytest.raises(RuntimeError, match="no level exists"):
            lib.autograd.forward_ad.make_dual(lib.ones(1), lib.ones(1))
