"""Samples of gathering, scattering, selecting and ordering."""
from __future__ import annotations

import numpy as np

from .samples import B, C, F, S, U, Z

PICKS = np.array([2, 0, 2, 1])
ROWS = np.array([[0, 2, 1], [1, 1, 0]])
ONCE = np.array([2, 0])
MASK = np.array([[True, False, True], [False, True, True]])
REPEATS = np.array([3, 1, 3, 2, 2, 3, 0])
SUMS = ("sum", "prod", "mean", "amax", "amin")
EDGES = np.array([-1.5, -0.5, 0.5, 1.5])


def fn(name: str) -> str:
    return "nn.functional." + name


SAMPLES = [
    S("gather", F(2, 3), 1, ROWS), S("gather", C(2, 3), 1, ROWS), S("gather", F(3, 3), 0, ROWS),
    S("gather", F(), 0, np.array(0)), S("take_along_dim", F(2, 3), ROWS, 1),
    S("take_along_dim", F(2, 3), PICKS), S("index_select", F(3, 2), 0, PICKS),
    S("index_select", C(2, 3), 1, PICKS), S("index_select", F(), 0, np.array([0])),
    S("scatter", F(2, 3), 1, ONCE[None], F(1, 2)), S("scatter", F(2, 3), 1, ROWS[:, :2], 1.5),
    S("scatter", F(2, 3), 0, np.array([[0, 1, 0]]), F(1, 3)), S("scatter", C(2, 3), 1, ONCE[None],
                                                              C(1, 2)),
    S("scatter", F(2, 3), 1, ROWS, F(2, 3), reduce="add", by=(0,)),
    S("scatter_add", F(2, 3), 1, ROWS, F(2, 3)), S("scatter_add", C(3), 0, PICKS, C(4)),
    *[S("scatter_reduce", F(2, 3), 1, ROWS, F(2, 3), r) for r in SUMS],
    *[S("scatter_reduce", F(2, 3), 1, ROWS, F(2, 3), r, include_self=False) for r in SUMS],
    S("scatter_reduce", Z(3), 0, PICKS, Z(4), "sum"),
    S("index_add", F(3, 2), 0, PICKS, F(4, 2)), S("index_add", C(3, 2), 0, PICKS, C(4, 2), alpha=2),
    S("index_copy", F(3, 2), 0, ONCE, F(2, 2)), S("index_copy", C(2, 3), 1, ONCE, C(2, 2)),
    S("index_fill", F(3, 2), 0, ONCE, 1.5), S("index_fill", C(3, 2), 0, ONCE, 1.5),
    S("index_fill", F(3, 2), 0, ONCE, F()),
    *[S("index_reduce", F(3, 2), 0, PICKS, F(4, 2), r) for r in ("prod", "mean", "amax", "amin")],
    S("index_reduce", F(3, 2), 0, PICKS, F(4, 2), "amax", include_self=False),
    S("index_put", F(3, 2), (ONCE,), F(2, 2)), S("index_put", F(3, 2), (PICKS,), F(4, 2), True),
    S("index_put", F(2, 3), (MASK,), F(4)), S("index_put", C(3), (ONCE,), C(2)),
    S("index_put", F(3, 3), (ONCE, ONCE), F()), S("put", F(2, 3), np.array([[5, 0]]), F(1, 2)),
    S("put", F(2, 3), PICKS, F(4), True), S("take", F(2, 3), np.array([[5, 0], [-1, 2]])),
    S("take", C(2, 3), PICKS), S("masked_select", F(2, 3), MASK), S("masked_select", C(3), MASK[0]),
    S("masked_scatter", F(2, 3), MASK, F(5)), S("masked_scatter", C(3), MASK[0], C(3)),
    S("Tensor.where", F(2, 3), MASK, F(3)), S("Tensor.where", C(3), MASK[0], 2.0),
    S("nonzero", Z(3, 4, low=0, high=2)), S("nonzero", MASK, as_tuple=True), S("argwhere", MASK),
    S("unique", REPEATS), S("unique", REPEATS, return_inverse=True, return_counts=True),
    S("unique", REPEATS[[0, 1, 0, 1]].reshape(2, 2), dim=0), S("unique_consecutive", REPEATS),
    S("unique_consecutive", REPEATS, True, True), S("torch.isin", Z(3, 4), Z(4)),
    S("torch.isin", F(3), F(4), invert=True, grad=False), S("bincount", Z(9, low=0)),
    S("bincount", Z(9, low=0), U(9), 9, grad=False), S("histc", F(9), 4, -2, 2, grad=False),
    S("histc", F(9), grad=False), S("histogram", F(9), 4, grad=False),
    S("histogram", F(9), EDGES, weight=U(9), density=True, grad=False),
    S("torch.histogramdd", F(9, 2), [2, 3], grad=False),
    S("torch.searchsorted", EDGES, F(2, 3), grad=False),
    S("torch.searchsorted", EDGES, F(5), right=True, out_int32=True, grad=False),
    S("torch.bucketize", F(3, 2), EDGES, grad=False), S("torch.bucketize", Z(5), np.arange(4)),
    S("torch.unravel_index", np.array([0, 5, 7]), (2, 4)),
    S("sort", F(3, 4)), S("sort", F(3, 4), 0, True), S("sort", REPEATS, stable=True),
    S("sort", B(5)), S("argsort", F(3, 4)), S("argsort", F(3, 4), 0, descending=True),
    S("msort", F(3, 4)), S("topk", F(3, 5), 2), S("topk", F(5, 3), 3, 0, False),
    S("topk", Z(7), 3, sorted=True),
    S(fn("embedding"), PICKS, F(3, 2)), S(fn("embedding"), ROWS, F(3, 2), 1, limit=False),
    S(fn("embedding"), PICKS, F(3, 2), scale_grad_by_freq=True, limit=False),
    S("torch.embedding", F(3, 2), ROWS), S(fn("one_hot"), ROWS), S(fn("one_hot"), PICKS, 5),
    *[S(fn("embedding_bag"), PICKS, F(3, 2), np.array([0, 3]), mode=m)
      for m in ("sum", "mean")],
    S(fn("embedding_bag"), PICKS, F(3, 2), np.array([0, 3]), mode="max",
      once="PyTorch has none either"),
    S(fn("embedding_bag"), ROWS, F(3, 2), mode="sum", per_sample_weights=F(2, 3),
      once="PyTorch has none by the weights"),
]
