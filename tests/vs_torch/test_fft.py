"""Fourier transforms agree with PyTorch: values, gradients, gradients of gradients, errors."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

import flambeau  # noqa: E402
from flambeau.ops import fft as ours  # noqa: E402

from .nodes import check, leaf, raises_alike  # noqa: E402

F = torch.fft
NORMS = (None, "ortho", "forward", "backward")


def complex_leaf(*shape):
    return leaf(*shape, dtype=torch.complex128)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft", "irfft", "hfft"])
@pytest.mark.parametrize("n,dim", [(None, -1), (5, -1), (8, 0), (2, 1), (1, 0)])
def test_one_dim(name, n, dim, norm):
    x = leaf(4, 6)
    check(getattr(ours, name), getattr(F, name), x, n=n, dim=dim, norm=norm, tol=1e-9)
    if name not in ("rfft", "ihfft"):
        x = complex_leaf(4, 6)
        check(getattr(ours, name), getattr(F, name), x, n=n, dim=dim, norm=norm, tol=1e-9)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "ihfftn", "irfftn", "hfftn"])
@pytest.mark.parametrize("s,dim", [(None, None), ((3, 5), None), ((4, -1), (0, 2)), (None, (2, 0)),
                                   ((7,), (1,)), ((-1, 3), (2, 1))])
def test_several_dims(name, s, dim, norm):
    x = leaf(3, 4, 5) if name in ("rfftn", "ihfftn") else complex_leaf(3, 4, 5)
    check(getattr(ours, name), getattr(F, name), x, s=s, dim=dim, norm=norm, tol=1e-9)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "ihfft2", "irfft2", "hfft2"])
def test_two_dims(name):
    check(getattr(ours, name), getattr(F, name), leaf(2, 3, 4), tol=1e-9)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("dim", [None, 0, (1, 2)])
def test_shift(name, dim):
    check(getattr(ours, name), getattr(F, name), leaf(3, 4, 5), dim=dim)


def test_second_order():
    """d^2 of a function through every kind of transform, by each framework's tape."""
    start = torch.randn(6, dtype=torch.float64)

    def twice(lib, x):
        x = x.requires_grad_()
        z = lib.fft.rfft(x) ** 2
        y = lib.fft.irfft(z * lib.fft.fft(x)[:4], n=7) ** 2
        (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = lib.autograd.grad((g ** 2).sum(), x)
        return h

    mine = twice(flambeau, flambeau.tensor(start.tolist(), dtype=flambeau.float64))
    want = twice(torch, start.clone())
    torch.testing.assert_close(torch.tensor(mine.tolist(), dtype=torch.float64), want)


def test_dtypes():
    for kind in ("float32", "float64", "int64", "bool", "complex64"):
        x = flambeau.ones(4, dtype=getattr(flambeau, kind))
        assert flambeau.fft.fft(x).dtype == getattr(
            flambeau, "complex128" if kind == "float64" else "complex64")


X = torch.randn(3, 4)


@pytest.mark.parametrize("name,x,kw", [
    ("fft", X, {"n": 0}), ("fft", X, {"dim": 3}), ("fft", torch.tensor(1.0), {}),
    ("fft", X, {"norm": "z"}), ("fft", X.half(), {}), ("rfft", X + 0j, {}), ("ihfft", X + 0j, {}),
    ("fftn", X, {"s": (1, 2, 3)}), ("fftn", X, {"s": (1, 2), "dim": (0,)}),
    ("fftn", X, {"dim": (0, 0)}), ("fftn", X, {"s": (0, 2)}), ("irfft", torch.zeros(3, 1), {}),
    ("rfftn", X, {"dim": ()}), ("rfftn", X + 0j, {}), ("ihfftn", X + 0j, {}),
    ("irfftn", torch.tensor(1.0), {}), ("hfftn", X, {"dim": ()}), ("fftshift", X, {"dim": 5}),
    ("rfft", torch.zeros(3, 0), {}), ("fft2", torch.zeros(3), {}),
])
def test_errors(name, x, kw):
    mine, want = raises_alike(getattr(ours, name), getattr(F, name), x, **kw)
    assert mine == want
