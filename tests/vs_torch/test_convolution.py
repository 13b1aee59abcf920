"""Convolutions agree with PyTorch in value, first and second gradient, and words of error."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.graph.interpret import evaluate  # noqa: E402
from flambeau.graph.node import topological  # noqa: E402
from flambeau.ops import convolution as conv  # noqa: E402
from flambeau.ops import derive  # noqa: E402

from .nodes import check, leaf, node, raises_alike  # noqa: E402

CASES = [
    (2, (2, 3, 7, 6), (4, 3, 3, 2), {}),
    (2, (2, 3, 7, 6), (4, 3, 3, 3), {"padding": 1}),
    (2, (2, 3, 8, 7), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    (2, (2, 3, 8, 7), (4, 3, 1, 1), {"stride": 2}),
    (2, (2, 3, 8, 9), (4, 3, 3, 2), {"dilation": (2, 3), "stride": (1, 2), "padding": (0, 3)}),
    (2, (2, 4, 6, 6), (6, 2, 3, 3), {"groups": 2, "padding": 1, "stride": 3}),
    (2, (2, 4, 6, 6), (4, 1, 3, 3), {"groups": 4, "padding": "same"}),
    (2, (2, 3, 6, 6), (4, 3, 2, 4), {"padding": "same", "dilation": 2}),
    (2, (2, 3, 6, 6), (4, 3, 2, 4), {"padding": "valid"}),
    (2, (3, 6, 6), (4, 3, 3, 3), {"padding": 4}),
    (2, (2, 2, 11, 13), (3, 2, 4, 5), {"stride": (3, 2), "dilation": (2, 2), "padding": (2, 3)}),
    (2, (2, 4, 9, 10), (4, 2, 5, 2), {"stride": (2, 4), "groups": 2, "padding": (1, 1)}),
    (2, (1, 2, 9, 9), (2, 2, 2, 2), {"stride": 4, "dilation": 3}),
    (2, (2, 4, 6, 7), (8, 1, 3, 2), {"groups": 4, "padding": 1, "stride": (2, 1)}),
    (1, (2, 3, 9), (3, 1, 4), {"groups": 3, "padding": 2, "dilation": 2}),
    (1, (2, 3, 9), (4, 3, 4), {"stride": 3, "padding": 2}),
    (1, (3, 9), (4, 3, 4), {}),
    (3, (2, 2, 5, 4, 6), (3, 2, 2, 3, 2), {"stride": (2, 1, 2), "padding": 1}),
]


@pytest.mark.parametrize("rank,x,w,kw", CASES)
def test_conv(rank, x, w, kw):
    ours, theirs = getattr(conv, f"conv{rank}d"), getattr(F, f"conv{rank}d")
    check(ours, theirs, leaf(*x), leaf(*w), leaf(w[0]), **kw)
    check(ours, theirs, leaf(*x), leaf(*w), **kw)


TRANSPOSED = [
    (2, (2, 3, 4, 5), (3, 4, 3, 2), {}),
    (2, (2, 3, 4, 5), (3, 4, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    (2, (2, 4, 4, 5), (4, 3, 3, 3), {"groups": 2, "stride": (2, 3), "dilation": (2, 1)}),
    (2, (2, 3, 4, 5), (3, 4, 2, 2), {"padding": 2, "stride": 3}),
    (1, (3, 6), (3, 2, 3), {"stride": 2, "dilation": 2, "padding": 1}),
    (3, (1, 2, 3, 2, 3), (2, 3, 2, 3, 2), {"stride": 2, "padding": (0, 1, 1)}),
]


@pytest.mark.parametrize("rank,x,w,kw", TRANSPOSED)
def test_conv_transpose(rank, x, w, kw):
    ours = getattr(conv, f"conv_transpose{rank}d")
    theirs = getattr(F, f"conv_transpose{rank}d")
    outputs = w[1] * kw.get("groups", 1)
    check(ours, theirs, leaf(*x), leaf(*w), leaf(outputs), **kw)


def test_second_gradient():
    x, w = leaf(2, 3, 6, 6), leaf(4, 3, 3, 3)
    out = F.conv2d(x, w, stride=2, padding=1)
    g, h = torch.randn_like(out), torch.randn(4, 3, 3, 3, dtype=torch.float64)
    (first,) = torch.autograd.grad((out * g).sum(), w, create_graph=True)
    (want,) = torch.autograd.grad((first * h).sum(), x)
    a, b = node(x), node(w)
    made = conv.conv2d(a, b, stride=2, padding=1)
    (ours,) = derive.reverse(made, node(g), [b])
    (again,) = derive.reverse(ours, node(h), [a])
    torch.testing.assert_close(torch.from_numpy(evaluate([again])[0]), want)


def _expanded(root):
    names = set()
    stack = [root]
    while stack:
        for n in topological([stack.pop()]):
            names.add(n.op.name)
            if n.value is None and n.op.expand is not None:
                stack.append(n.op.expand(*n.src, *n.attrs))
    return names


def test_one_node_and_no_fold():
    x, w = node(torch.zeros(2, 3, 6, 6)), node(torch.zeros(4, 3, 3, 3))
    out = conv.conv2d(x, w, stride=2, padding=1)
    assert out.src == (x, w)
    for grad in derive.reverse(out, node(torch.zeros(2, 4, 3, 3)), [x, w]):
        names = _expanded(grad)
        assert "dot" in names and "fold" not in names


z = torch.zeros
d = torch.float64
ERRORS = [
    (2, (z(1, 3, 8, 8), z(4, 2, 3, 3)), {}), (2, (z(3, 8), z(4, 3, 3, 3)), {}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3)), {}), (1, (z(1, 3, 8, 8), z(4, 3, 3)), {}),
    (2, (z(1, 3, 2, 8), z(4, 3, 3, 3)), {}), (2, (z(1, 3, 8, 8), z(4, 3, 3, 3), z(3)), {}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3)), {"stride": 0}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3)), {"padding": -1}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3)), {"dilation": 0}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3)), {"stride": (1, 2, 3)}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3)), {"padding": "same", "stride": 2}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3)), {"padding": "foo"}),
    (2, (z(1, 4, 8, 8), z(3, 2, 3, 3)), {"groups": 2}),
    (2, (z(1, 4, 8, 8), z(3, 2, 3, 3)), {"groups": 0}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3, dtype=d)), {}),
    (2, (z(1, 3, 8, 8), z(4, 3, 3, 3), z(4, dtype=d)), {}),
]


@pytest.mark.parametrize("rank,args,kw", ERRORS)
def test_errors(rank, args, kw):
    got, want = raises_alike(getattr(conv, f"conv{rank}d"), getattr(F, f"conv{rank}d"), *args, **kw)
    assert got == want


@pytest.mark.parametrize("args,kw", [
    ((z(1, 3, 8, 8), z(4, 2, 3, 3)), {}), ((z(1, 3, 8, 8), z(3, 2, 3, 3), z(3)), {}),
    ((z(1, 3, 8, 8), z(3, 2, 3, 3)), {"output_padding": 1}),
    ((z(1, 3, 8, 8), z(3, 2, 3, 3)), {"groups": 2}),
    ((z(1, 3, 1, 1), z(3, 2, 3, 3)), {"padding": 3})])
def test_transposed_errors(args, kw):
    got, want = raises_alike(conv.conv_transpose2d, F.conv_transpose2d, *args, **kw)
    assert got == want
