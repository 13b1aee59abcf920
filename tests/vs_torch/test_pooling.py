"""Pooling agrees with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.ops.table import TABLE  # noqa: E402

from .nodes import check, leaf, raises_alike  # noqa: E402


def ours(name):
    return TABLE[f"nn.functional.{name}"].fn


MAX = [
    ("max_pool2d", (2, 3, 8, 7), (3,), {}), ("max_pool2d", (3, 8, 7), (2, 1), {}),
    ("max_pool2d", (2, 3, 8, 7), (3, 2, 1), {}), ("max_pool2d", (2, 3, 8, 7), ((3, 2), (2, 3)), {}),
    ("max_pool2d", (2, 3, 8, 7), (3, 2, 1), {"ceil_mode": True}),
    ("max_pool2d", (2, 3, 9, 9), (3, 2), {"dilation": 2, "padding": 1}),
    ("max_pool1d", (2, 3, 9), (3, 2, 1), {"ceil_mode": True}),
    ("max_pool3d", (2, 3, 5, 6, 4), (2, 2, 1), {}),
]


@pytest.mark.parametrize("name,shape,args,kw", MAX)
def test_max(name, shape, args, kw):
    x = leaf(*shape)
    check(ours(name), getattr(F, name), x, *args, **kw)
    check(ours(name), getattr(F, name), x, *args, return_indices=True, **kw)
    ties = torch.randint(0, 2, shape).double().requires_grad_(True)
    check(ours(name), getattr(F, name), ties, *args, return_indices=True, **kw)


AVERAGE = [
    ("avg_pool2d", (2, 3, 8, 7), (3,), {}), ("avg_pool2d", (2, 3, 8, 7), (3, 2, 1), {}),
    ("avg_pool2d", (2, 3, 8, 7), (3, 2, 1), {"count_include_pad": False}),
    ("avg_pool2d", (2, 3, 8, 7), (3, 2, 1), {"ceil_mode": True}),
    ("avg_pool2d", (2, 3, 8, 7), (3, 2, 1), {"ceil_mode": True, "count_include_pad": False}),
    ("avg_pool2d", (3, 8, 7), (3, 2), {"divisor_override": 5}),
    ("avg_pool1d", (2, 3, 9), (3, 2, 1), {"ceil_mode": True}),
    ("avg_pool3d", (2, 3, 5, 6, 4), (2, 2, 1), {}), ("lp_pool2d", (2, 3, 6, 6), (2, 3), {}),
    ("lp_pool1d", (2, 3, 6), (3, 2), {"stride": 1}),
    ("adaptive_avg_pool2d", (2, 3, 8, 6), (1,), {}),
    ("adaptive_avg_pool2d", (2, 3, 8, 6), (3,), {}),
    ("adaptive_avg_pool2d", (3, 8, 6), ((None, 4),), {}),
    ("adaptive_avg_pool1d", (2, 3, 8), (3,), {}),
    ("adaptive_avg_pool1d", (2, 3, 3), (5,), {}), ("adaptive_avg_pool3d", (2, 4, 5, 6), (2,), {}),
]


@pytest.mark.parametrize("name,shape,args,kw", AVERAGE)
def test_average(name, shape, args, kw):
    x = leaf(*shape)
    if name.startswith("lp"):
        x = x.detach().abs().requires_grad_(True)
    check(ours(name), getattr(F, name), x, *args, **kw)


@pytest.mark.parametrize("size", [2, 3, (5, 1)])
def test_adaptive_max(size):
    check(ours("adaptive_max_pool2d"), F.adaptive_max_pool2d, leaf(2, 3, 8, 6), size, True)
    check(ours("adaptive_max_pool2d"), F.adaptive_max_pool2d, leaf(3, 8, 6), size)


def test_unpool():
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    out, index = F.max_pool2d(x, 2, return_indices=True)
    out.requires_grad_(True)
    check(ours("max_unpool2d"), F.max_unpool2d, out, index, 2)
    line, at = F.max_pool1d(x[0], 3, 2, return_indices=True)
    check(ours("max_unpool1d"), F.max_unpool1d, line, at, 3, 2, output_size=(8,))


z = torch.zeros


@pytest.mark.parametrize("name,args,kw", [
    ("max_pool2d", (z(1, 3, 8, 8), 3), {"padding": 2}), ("max_pool2d", (z(3, 8), 3), {}),
    ("max_pool2d", (z(1, 3, 2, 2), 3), {}), ("max_pool2d", (z(1, 3, 2, 2), 2), {"stride": 0}),
    ("avg_pool2d", (z(1, 3, 8, 8), 3), {"padding": 2}), ("avg_pool2d", (z(1, 3, 2, 2), 3), {}),
    ("avg_pool2d", (z(1, 3, 4, 4), 2), {"divisor_override": 0}),
    ("adaptive_avg_pool2d", (z(3, 8), 3), {}), ("adaptive_avg_pool2d", (z(3, 8, 8), (3,)), {}),
    ("max_pool2d", (z(1, 3, 8, 8), (3, 3, 3)), {}), ("avg_pool1d", (z(1, 3, 2), 3), {}),
    ("max_pool1d", (z(1, 3, 2), 3), {}), ("max_pool1d", (z(1, 3, 8), 3), {"padding": 2}),
    ("max_pool3d", (z(1, 3, 2, 2, 2), 3), {}), ("max_pool1d", (z(3), 3), {}),
])
def test_errors(name, args, kw):
    got, want = raises_alike(ours(name), getattr(F, name), *args, **kw)
    assert got == want
