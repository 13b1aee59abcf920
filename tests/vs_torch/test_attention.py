"""Attention and sorted orders agree with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.graph.interpret import evaluate  # noqa: E402
from flambeau.ops import attention as att  # noqa: E402
from flambeau.ops import derive  # noqa: E402
from flambeau.ops import ordering as order  # noqa: E402

from .nodes import check, leaf, node, raises_alike  # noqa: E402

ours, theirs = att.scaled_dot_product_attention, F.scaled_dot_product_attention


@pytest.mark.parametrize("kw", [{}, {"is_causal": True}, {"scale": 0.3}])
def test_plain(kw):
    check(ours, theirs, leaf(2, 3, 4, 5), leaf(2, 3, 6, 5), leaf(2, 3, 6, 7), **kw)
    check(ours, theirs, leaf(4, 5), leaf(6, 5), leaf(6, 7), **kw)
    check(ours, theirs, leaf(2, 1, 4, 5), leaf(1, 3, 6, 5), leaf(2, 3, 6, 7), **kw)


def test_masks():
    q, k, v = leaf(2, 3, 4, 5), leaf(2, 3, 6, 5), leaf(2, 3, 6, 7)
    keep = torch.rand(4, 6) > 0.4
    keep[1] = False                          # nothing to attend to: zeros
    check(ours, theirs, q, k, v, keep)
    check(ours, theirs, q, k, v, torch.rand(2, 1, 4, 6) > 0.2)
    check(ours, theirs, q, k, v, leaf(2, 1, 4, 6))
    minus = torch.zeros(4, 6, dtype=torch.float64).masked_fill(~keep, -torch.inf)
    check(ours, theirs, q.detach(), k.detach(), v.detach(), minus)


def test_grouped_queries():
    q, k, v = leaf(2, 6, 4, 5), leaf(2, 3, 6, 5), leaf(2, 3, 6, 7)
    check(ours, theirs, q, k, v, enable_gqa=True)
    check(ours, theirs, q, k, v, torch.rand(2, 6, 4, 6) > 0.2, enable_gqa=True)
    check(ours, theirs, q, k, v, torch.rand(4, 6) > 0.2, enable_gqa=True)


def test_half():
    args = [torch.randn(2, 3, 4, 8).bfloat16() for _ in range(3)]
    check(ours, theirs, *args, tol=2e-2)


def test_dropout():
    q, k, v = (torch.randn(2, 4, 5, dtype=torch.float64, requires_grad=True) for _ in range(3))
    kept = torch.rand(2, 4, 4) > 0.3
    w = torch.softmax(q @ k.transpose(1, 2) / 5 ** 0.5, -1)
    want = torch.where(kept, w / 0.7, 0) @ v
    g = torch.randn_like(want)
    grads = torch.autograd.grad((want * g).sum(), (q, k, v))
    nodes = [node(x) for x in (q, k, v)]
    out = ours(*nodes, dropout_p=0.3, kept=node(kept))
    found = derive.reverse(out, node(g), nodes)
    for a, b in zip(evaluate([out, *found]), (want, *grads)):
        torch.testing.assert_close(torch.from_numpy(a), b)


def test_it_is_one_node():
    x = node(torch.zeros(2, 3, 4, 5))
    assert ours(x, x, x, is_causal=True).src == (x, x, x)


z = torch.zeros


@pytest.mark.parametrize("args,kw", [
    ((z(2, 3), z(4, 2), z(4, 5)), {}), ((z(2, 3), z(4, 3), z(5, 5)), {}),
    ((z(2, 3), z(4, 3).double(), z(4, 5)), {}), ((z(3), z(4, 3), z(4, 5)), {}),
    ((z(2, 3), z(4, 3), z(4, 5), z(2, 4)), {"is_causal": True}),
    ((z(2, 3), z(4, 3), z(4, 5), z(2, 4).long()), {}), ((z(2, 3), z(4, 3), z(4, 5), z(3, 4)), {}),
])
def test_errors(args, kw):
    got, want = raises_alike(ours, theirs, *args, **kw)
    assert got == want


@pytest.mark.parametrize("descending", [True, False])
def test_sort(descending):
    x = leaf(3, 4)
    check(order.sort, torch.sort, x, 0, descending)
    check(order.sort, torch.sort, leaf(), descending=descending)
    ties = torch.tensor([[2, 1, 2, 0, 1, 2]])
    check(order.sort, torch.sort, ties, stable=True, descending=descending)
    check(order.argsort, torch.argsort, x, descending=descending)
    check(order.topk, torch.topk, x, 2, largest=descending)
    check(order.topk, torch.topk, x, 3, 0, largest=descending)
    check(order.msort, torch.msort, x)


def test_sort_errors():
    for args in ((z(3), 4), (z(3), 1, 2), (z(3).bool(), 1), (z(3), -1)):
        got, want = raises_alike(order.topk, torch.topk, *args)
        assert got == want
    got, want = raises_alike(order.sort, torch.sort, z(3), 2)
    assert got == want
