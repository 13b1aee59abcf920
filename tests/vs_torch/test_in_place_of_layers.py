"""torch._VF's functions, and matrices of low rank, agree with PyTorch."""
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

import flambeau  # noqa: E402


def swap(value):
    if isinstance(value, torch.Tensor):
        return flambeau.tensor(value.detach().numpy())
    if isinstance(value, (list, tuple)):
        return type(value)(swap(v) for v in value)
    return value


def same(mine, want, tol=2e-5):
    if isinstance(want, (list, tuple)):
        assert len(mine) == len(want)
        for a, b in zip(mine, want):
            same(a, b, tol)
        return
    np.testing.assert_allclose(mine.detach().numpy(), want.detach().numpy(), tol, tol)


X = torch.randn(5, 3, 4)
P = torch.rand(6)


@pytest.mark.parametrize("name,args", [
    ("batch_norm", (X, None, None, torch.zeros(3), torch.ones(3), True, 0.1, 1e-5, False)),
    ("instance_norm", (X, None, None, None, None, True, 0.1, 1e-5, False)),
    ("binary_cross_entropy_with_logits", (P, torch.ones(6), None, None, 2)),
    ("kl_div", (P.log(), P.flip(0), 2)), ("poisson_nll_loss", (P, P, True, False, 1e-8, 1)),
    ("conv_tbc", (X, torch.randn(3, 4, 2), torch.randn(2), 1)),
    ("affine_grid_generator", (torch.randn(1, 2, 3), [1, 1, 3, 3], False)),
])
def test_layers(name, args):
    same(getattr(flambeau, name)(*swap(args)), getattr(torch, name)(*args))


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh", "rnn_relu"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent(name, batch_first):
    layer = getattr(torch.nn, {"lstm": "LSTM", "gru": "GRU"}.get(name, "RNN"))(4, 2, 2,
                                                                            bidirectional=True)
    params = [p.detach() for p in layer.parameters()]
    h = torch.randn(4, 5 if batch_first else 3, 2)
    hx = (h, h.flip(0)) if name == "lstm" else h
    args = (X, hx, params, True, 2, 0.0, False, True, batch_first)
    same(getattr(flambeau, name)(*swap(args)), getattr(torch, name)(*args))
    cell = (X[:, 0], (h[:1, 0].expand(5, 2),) * 2 if name == "lstm" else h[:1, 0].expand(5, 2),
            *params[:4])
    same(getattr(flambeau, name + "_cell")(*swap(cell)), getattr(torch, name + "_cell")(*cell))


def test_packed():
    layer = torch.nn.LSTM(4, 2)
    packed = torch.nn.utils.rnn.pack_padded_sequence(X, [5, 4, 2])
    h = torch.randn(1, 3, 2)
    args = (packed.data, packed.batch_sizes, (h, h), [p.detach() for p in layer.parameters()], True,
            1, 0.0, False, False)
    same(flambeau.lstm(*swap(args)), torch.lstm(*args))


def test_cond():
    f = flambeau
    x = f.ones(2)
    assert f.cond(x.sum() > 0, lambda a: a + 1, lambda a: a - 1, (x,)).tolist() == [2, 2]
    assert f.cond(False, lambda a: a + 1, lambda a: a - 1, (x,)).tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(9, 7), (7, 9), (2, 8, 6)])
def test_svd_of_low_rank(shape):
    a = torch.randn(*shape[:-1], 3) @ torch.randn(3, shape[-1])
    u, s, v = flambeau.svd_lowrank(swap(a), q=4)
    want = torch.svd_lowrank(a, q=4)
    assert [tuple(x.shape) for x in (u, s, v)] == [tuple(x.shape) for x in want]
    same(s, want[1], 1e-3)
    same((u * s.unsqueeze(-2)) @ v.mT, a, 1e-3)


def test_pca():
    a = torch.randn(20, 3) @ torch.randn(3, 6) + 5
    _, s, v = flambeau.pca_lowrank(swap(a), q=3)
    want = torch.pca_lowrank(a, q=3)
    same(s, want[1], 1e-3)
    same((v @ v.mT), want[2] @ want[2].mT, 1e-3)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("general", [True, False])
def test_lobpcg(largest, general):
    g = torch.randn(30, 30, dtype=torch.float64)
    a = g @ g.mT + torch.eye(30, dtype=torch.float64)
    b = torch.diag(torch.linspace(1, 2, 30, dtype=torch.float64)) if general else None
    values, x = flambeau.lobpcg(swap(a), 3, None if b is None else swap(b), largest=largest)
    full = torch.linalg.eigvals(a if b is None else torch.linalg.inv(b) @ a).real.sort().values
    same(values, full.flip(0)[:3] if largest else full[:3], 1e-5)
    x = torch.tensor(x.numpy())
    same(swap(a @ x), (x if b is None else b @ x) * torch.tensor(values.numpy()), 1e-4)
