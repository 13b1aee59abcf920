"""Indexing, gathering, scattering and value-dependent shapes agree with PyTorch."""
import math

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.ops import embedding as emb  # noqa: E402
from flambeau.ops import indexing as ind  # noqa: E402
from flambeau.ops import scattering as sca  # noqa: E402
from flambeau.ops import selecting as sel  # noqa: E402

from .nodes import check, leaf, node, raises_alike  # noqa: E402

L = torch.tensor


def torch_index(x, indices):
    return x[tuple(slice(None) if i is None else i for i in indices)]


MASK = L([[True, False, True], [False, True, True]])
INDICES = [
    ((4, 3), [L([0, -1, 2])]), ((4, 3), [L([[0, -1], [2, 2]])]), ((4, 3), [None, L([2, 0])]),
    ((4, 3, 5), [L([0, 1]), None, L([[3], [4]])]), ((4, 3, 5), [None, L([0, 1]), L([[3], [4]])]),
    ((4, 3, 5), [L([0, 1]), L([0, 2])]), ((2, 3, 5), [MASK]), ((5, 2, 3), [None, MASK]),
    ((2, 3, 2), [MASK, L(1)]), ((4, 3), [L(2)]), ((4, 3), [L([], dtype=torch.int64)]),
    ((4, 3), [L([0, 1], dtype=torch.int32), L([0, 2])]), ((2, 3), [L([True, False]), L([0])]),
]


@pytest.mark.parametrize("shape,indices", INDICES)
def test_index(shape, indices):
    check(ind.index, torch_index, leaf(*shape), indices)


@pytest.mark.parametrize("shape,indices", INDICES)
@pytest.mark.parametrize("accumulate", [True, False])
def test_index_put(shape, indices, accumulate):
    x = leaf(*shape)
    result = torch_index(x, indices)
    values = torch.randn(result.shape, dtype=torch.float64).requires_grad_(True)
    full = [slice(None) if i is None else i for i in indices]
    if any(isinstance(i, slice) for i in full):
        indices = [torch.arange(n).reshape(-1, 1, 1) if i is None else i
                   for n, i in zip(shape, indices)] if len(indices) == 2 else indices
        if len(indices) != 2:
            return
        values = values.sum().detach().reshape(1).requires_grad_(True)
    unique = not accumulate and any(i is not None and len(torch.unique(i)) < i.numel()
                                    for i in indices if i is not None and i.dtype != torch.bool)
    check(ind.index_put, torch.index_put, x, tuple(indices), values, accumulate, grad=not unique)


def test_index_put_layouts():
    x, v = leaf(4, 3, 5), leaf(2, 2, 3)
    got = lambda x, v: ind.index_put(x, [i0, None, i1], v)  # noqa: E731
    i0, i1 = L([0, 1]), L([[3], [4]])
    want = lambda x, v: _written(x, (i0, slice(None), i1), v)  # noqa: E731
    n0, n1 = node(i0), node(i1)
    got = lambda x, v: ind.index_put(x, [n0, None, n1], v)  # noqa: E731
    check(got, want, x, v)
    mid = lambda x, v: ind.index_put(x, [None, n0, n1], v)  # noqa: E731
    check(mid, lambda x, v: _written(x, (slice(None), i0, i1), v), x, leaf(4, 2, 2))
    check(ind.index_put, torch.index_put, leaf(2, 3, 4), (MASK,), leaf())
    check(ind.index_put, torch.index_put, leaf(2, 3), (MASK,), leaf(1), True)


def _written(x, key, v):
    out = x.clone()
    out[key] = v
    return out


def test_mask_write_realises_nothing():
    mask = node(torch.ones(3)) > 0
    ind.index_put(node(torch.zeros(3)), [mask], node(torch.ones(())))
    assert mask.value is None


G = L([[0, 2, 1], [3, 0, 0]])


def test_gather_scatter():
    x, src = leaf(4, 3), leaf(3, 4)
    check(sca.gather, torch.gather, x, 0, G)
    check(sca.gather, torch.gather, x, 1, G[:, :2] % 3)
    check(sca.gather, torch.gather, leaf(), 0, L(0))
    check(sca.take_along_dim, torch.take_along_dim, x, G[:, :1], 0)
    check(sca.take_along_dim, torch.take_along_dim, x, L([3, 1]))
    check(sca.scatter, torch.scatter, x, 0, L([[0, 1, 2], [3, 0, 1]]), leaf(2, 3))
    check(sca.scatter, torch.scatter, x, 0, G, 2.5)
    check(sca.scatter, torch.scatter, x.detach(), 0, G, src.detach(), reduce="add")
    check(sca.scatter, torch.scatter, x.detach(), 1, G % 3, 2.0, reduce="multiply")
    check(sca.scatter_add, torch.scatter_add, x, 0, G, leaf(2, 3))
    check(ind.take, torch.take, x, L([[0, -1], [5, 5]]))
    check(ind.put, torch.put, x, L([[0, -1]]), leaf(2))
    check(ind.put, torch.put, x, L([0, 0]), leaf(2), True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_reduced(reduce, include_self):
    x, src = leaf(4, 3), leaf(2, 3)
    check(sca.scatter_reduce, torch.scatter_reduce, x, 0, G, src, reduce, include_self=include_self)
    if reduce != "sum":
        check(sca.index_reduce, torch.index_reduce, x, 0, L([2, 2]), src, reduce,
              include_self=include_self)
    ints = torch.arange(6).reshape(2, 3)
    check(sca.scatter_reduce, torch.scatter_reduce, torch.arange(12).reshape(4, 3), 0, G, ints,
          reduce, include_self=include_self)


def test_prod_with_zeros():
    x = L([2.0, 0.0, 3.0], requires_grad=True)
    src = L([0.0, 4.0, 0.0, 0.0], requires_grad=True)
    check(sca.scatter_reduce, torch.scatter_reduce, x.detach(), 0, L([0, 0, 2, 2]), src, "prod")


def test_along_a_dim():
    x = leaf(4, 3, 2)
    check(sca.index_select, torch.index_select, x, 1, L([2, 0, 0]))
    check(sca.index_select, torch.index_select, leaf(), 0, L([0]))
    check(sca.index_add, torch.index_add, x, 1, L([2, 0, 0]), leaf(4, 3, 2), alpha=2)
    check(sca.index_add, torch.index_add, leaf(), 0, L([0]), leaf())
    check(sca.index_copy, torch.index_copy, x, 1, L([2, 0]), leaf(4, 2, 2))
    check(sca.index_fill, torch.index_fill, x, 1, L([2, -3]), 7)
    check(sca.index_fill, torch.index_fill, x, 1, L([2, 0]), leaf())


def test_embedding():
    w = leaf(6, 3)
    at = L([[0, 5, 2], [2, 2, 1]])
    check(emb.embedding, F.embedding, at, w)
    check(emb.embedding, F.embedding, at, w, padding_idx=-4)
    check(emb.embedding, F.embedding, at, w, scale_grad_by_freq=True)
    check(emb.one_hot, F.one_hot, at)
    check(emb.one_hot, F.one_hot, at, 8)
    for mode in ("sum", "mean", "max"):
        check(emb.embedding_bag, F.embedding_bag, at, w, mode=mode)
        check(emb.embedding_bag, F.embedding_bag, L([1, 2, 4, 5, 4]), w, L([0, 2, 2]), mode=mode)
    check(emb.embedding_bag, F.embedding_bag, at, w, mode="sum", per_sample_weights=leaf(2, 3))
    check(emb.embedding_bag, F.embedding_bag, at, w, mode="mean", padding_idx=2)


def test_values_decide():
    x = leaf(2, 3)
    check(sel.nonzero, torch.nonzero, L([[0, 1], [2, 0]]))
    check(sel.nonzero, torch.nonzero, L([[0, 1], [2, 0]]), as_tuple=True)
    check(sel.nonzero, torch.nonzero, L(3))
    check(sel.masked_select, torch.masked_select, x, MASK)
    check(sel.masked_select, torch.masked_select, leaf(3), MASK)
    check(sel.masked_scatter, torch.masked_scatter, x, MASK, leaf(5))
    data = L([3, 1, 1, 2, 3, 3])
    for kw in ({}, {"return_inverse": True}, {"return_inverse": True, "return_counts": True}):
        check(sel.unique, torch.unique, data, **kw)
        check(sel.unique_consecutive, torch.unique_consecutive, data, **kw)
    rows = L([[1, 2], [0, 1], [1, 2], [1, 2]])
    check(sel.unique, torch.unique, rows, dim=0, return_inverse=True, return_counts=True)
    check(sel.unique_consecutive, torch.unique_consecutive, rows, dim=0, return_inverse=True)
    check(sel.bincount, torch.bincount, data)
    check(sel.bincount, torch.bincount, data, torch.rand(6), 7)
    check(sel.histc, torch.histc, torch.randn(20), 5)
    check(sel.histc, torch.histc, torch.randn(20), 4, -1, 1)
    check(sel.isin, torch.isin, data, L([1, 2]))
    check(sel.isin, torch.isin, data, torch.arange(2, 30), invert=True)
    edges = L([1.0, 2.0, 3.0])
    for right in (True, False):
        check(sel.searchsorted, torch.searchsorted, edges, L([[0.5, 2.0], [3.0, 9.0]]), right=right)
        check(sel.bucketize, torch.bucketize, L([[0.5, 2.0]]), edges, right=right)
    check(sel.searchsorted, torch.searchsorted, torch.sort(torch.rand(2, 5))[0], torch.rand(2, 3))
    check(sel.unravel_index, torch.unravel_index, L([5, 3]), (2, 3))


z = torch.zeros
ERRORS = [
    (ind.index, torch_index, z(3), [L([5])]), (ind.index, torch_index, z(3), [L([-4])]),
    (ind.index, torch_index, z(3, 4), [L([0]), L([5])]),
    (ind.index, torch_index, z(3, 4), [L([0, 1]), L([0, 1, 2])]),
    (ind.index, torch_index, z(3, 4), [L([True, False])]),
    (ind.index, torch_index, z(3, 4), [L([1.0])]), (ind.index, torch_index, z(0), [L([0])]),
    (ind.index_put, torch.index_put, z(3), (L([5]),), z(1)),
    (ind.index_put, torch.index_put, z(3), (L([0, 1]),), z(3)),
    (ind.index_put, torch.index_put, z(3), (L([0, 1]),), z(2).double()),
    (sca.gather, torch.gather, z(3), 0, L([3])), (sca.gather, torch.gather, z(3, 2), 0, L([1])),
    (sca.gather, torch.gather, z(3, 2), 0, L([[1, 1, 1]])),
    (sca.gather, torch.gather, z(3, 2), 0, L([[1.0]])),
    (sca.gather, torch.gather, z(3), 0, L([-1])), (sca.scatter, torch.scatter, z(3), 0, L([3]), 1.),
    (sca.scatter, torch.scatter, z(3, 2), 0, L([1]), 1.),
    (sca.scatter, torch.scatter, z(3, 2), 0, L([[1, 1], [1, 1]]), z(1, 2)),
    (sca.scatter, torch.scatter, z(3), 0, L([1]), z(1).double()),
    (sca.scatter_reduce, torch.scatter_reduce, z(3), 0, L([1]), z(1), "foo"),
    (sca.index_select, torch.index_select, z(3, 2), 0, L([5])),
    (sca.index_select, torch.index_select, z(3), 0, L([[1]])),
    (sca.index_select, torch.index_select, z(3), 0, L([1.0])),
    (sca.index_add, torch.index_add, z(3), 0, L([5]), z(1)),
    (sca.index_add, torch.index_add, z(3), 0, L([1]), z(2)),
    (sca.index_add, torch.index_add, z(3), 0, L([1]), z(1).double()),
    (sca.index_copy, torch.index_copy, z(3), 0, L([5]), z(1)),
    (sca.index_copy, torch.index_copy, z(3), 0, L([1]), z(2)),
    (sca.index_fill, torch.index_fill, z(3), 0, L([1.0]), 1.0),
    (ind.take, torch.take, z(3), L([5])),
    (emb.embedding, F.embedding, L([5]), z(3, 2)), (emb.embedding, F.embedding, L([1.0]), z(3, 2)),
    (emb.embedding, F.embedding, L([1]), z(3, 2), 5), (emb.one_hot, F.one_hot, L([5]), 3),
    (emb.one_hot, F.one_hot, L([-1]), 3),
    (sel.masked_select, torch.masked_select, z(3), L([1, 0, 1])),
    (sel.masked_scatter, torch.masked_scatter, z(3), L([True, True, False]), z(1)),
    (sca.take_along_dim, torch.take_along_dim, z(3, 2), L([1]), 0),
    (sel.bincount, torch.bincount, L([-1])), (sel.bincount, torch.bincount, L([1]), z(2)),
    (sel.histc, torch.histc, z(3), 3, 2, 1),
    (sel.searchsorted, torch.searchsorted, z(2, 3), z(3, 2)),
]


@pytest.mark.parametrize("ours,theirs,args", [(o, t, a) for o, t, *a in ERRORS])
def test_errors(ours, theirs, args):
    got, want = raises_alike(ours, theirs, *args)
    assert got == want


@pytest.mark.parametrize("least", [math.inf, 0.5])
def test_membership_with_nan(least):
    tests = torch.cat([torch.arange(20.0), L([math.nan, least, math.nan])])
    x = L([[math.nan, math.inf, -math.inf], [3.0, 0.5, 50.0]])
    check(sel.isin, torch.isin, x, tests)
    check(sel.isin, torch.isin, x, torch.full((20,), math.nan), invert=True)
    check(sel.isin, torch.isin, L(3), torch.arange(20))


def test_histc_ranges():
    for args in ((4, 0, 0), (4, 0, 2), (3, -1, 1)):
        check(sel.histc, torch.histc, L([1.0, 2.0, 0.5, 1.0, -1.0]), *args)
        check(sel.histc, torch.histc, L([]), *args)
    check(sel.histc, torch.histc, L([1.0, math.nan]), 4, 0, 2)
    raises_alike(sel.histc, torch.histc, L([1.0]), 4, math.inf, 2)
    raises_alike(sel.histc, torch.histc, L([1.0]), 4, 5, 2)


@pytest.mark.parametrize("data", [
    L([math.nan, 1.0, -0.0, 0.0, math.nan, 2.0]), L([[3, 1, 1], [1, 3, 3]]), L([True, False, True]),
    L([7]), torch.zeros(0), torch.zeros(2, 0)])
def test_unique_values(data):
    for kw in ({}, {"return_inverse": True, "return_counts": True}):
        check(sel.unique, torch.unique, data, **kw)
        check(sel.unique_consecutive, torch.unique_consecutive, data, **kw)
    for d in range(data.ndim if data.numel() else 0):
        check(sel.unique_consecutive, torch.unique_consecutive, data, dim=d, return_counts=True)
