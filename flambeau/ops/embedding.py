"""Rows of a table chosen by index: embedding, embedding_bag, one_hot.

In: index and weight nodes. Out: nodes.

    embedding(%0 : int64(2, 5), %1 : (100, 8))  ->  take(%1, %0, dims=(0,))
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from . import algebra as alg
from . import promotion as pro
from .indexing import INDEX_KINDS, check_index, in_self
from .known import array, constant, extremes, within
from .table import composite, public


def _rows(weight: Node, index: Node, padding: int, by_count: bool) -> tuple[Shape, dtype]:
    return (*index.shape, weight.shape[1]), weight.dtype


@composite("embedding", _rows, ("padding", "by_count"))
def EMBEDDING(weight: Node, index: Node, padding: int, by_count: bool) -> Node:  # noqa: N802
    return alg.take(weight, [index], (0,))


def _embedding_vjp(g: Node, _out: Node, _weight: Node, index: Node, padding: int, by_count: bool,
                   ) -> tuple[Node | None, ...]:
    """Rows summed by index; none for the padding row; over each row's count if asked."""
    if padding >= 0:
        g = alg.where(alg.unsqueeze(alg.eq(index, padding), index.ndim), 0, g)
    base = alg.zeros_like(_weight)
    if by_count:
        ones = alg.full(index.shape, 1, g.dtype)
        count = alg.put(alg.full(base.shape[:1], 0, g.dtype), ones, [index], (0,), "add")
        g = g / alg.unsqueeze(alg.take(count, [index], (0,)), index.ndim)
    return alg.put(base, g, [index], (0,), "add"), None


EMBEDDING.vjp = _embedding_vjp


def _check_table(index: Node, weight: Node, name: str) -> None:
    if index.dtype not in INDEX_KINDS:
        raise RuntimeError("Expected tensor for argument #1 'indices' to have one of the following "
                           "scalar types: Long, Int; but got torch."
                           f"{pro.type_name(index.dtype)}Tensor instead (while checking arguments "
                           f"for {name})")
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")


def _padding(padding_idx: int | None, rows: int) -> int:
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


@public("nn.functional.embedding")
def embedding(input: Node, weight: Node, padding_idx: int | None = None,
              max_norm: float | None = None, norm_type: float = 2.0,
              scale_grad_by_freq: bool = False, sparse: bool = False) -> Node:
    """weight[input]; rows longer than max_norm are shortened first (in the result)."""
    padding = _padding(padding_idx, weight.shape[0]) if weight.ndim else -1
    _check_table(input, weight, "embedding")
    index = check_index(input, weight.shape[0], wrap=False, error=in_self)
    if max_norm is not None:
        weight = shortened(weight, max_norm, norm_type)
    if padding < 0 and not scale_grad_by_freq:
        return alg.take(weight, [index], (0,))
    return EMBEDDING(weight, index, padding=padding, by_count=bool(scale_grad_by_freq))


@public("torch.embedding")
def torch_embedding(weight: Node, indices: Node, padding_idx: int = -1,
                    scale_grad_by_freq: bool = False, sparse: bool = False) -> Node:
    """The rows of `weight` that the indices name."""
    return embedding(indices, weight, padding_idx if padding_idx >= 0 else None, None, 2.0,
                     scale_grad_by_freq)


def shortened(weight: Node, max_norm: float, norm_type: float) -> Node:
    """Rows scaled so that none is longer than max_norm; the scale is no part of the derivative."""
    size = alg.power(alg.sum_(alg.power(alg.abs_(weight), float(norm_type)), (1,)),
                     1.0 / norm_type)
    scale = alg.where(alg.gt(size, float(max_norm)), float(max_norm) / (size + 1e-7), 1.0)
    return weight * scale


@public("nn.functional.one_hot")
def one_hot(tensor: Node, num_classes: int = -1) -> Node:
    """1 at the class, 0 elsewhere, in a new last dim (int64)."""
    if tensor.dtype is not dt.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if tensor.size == 0:
        return alg.full((*tensor.shape, num_classes), 0, dt.int64)
    if not within(tensor, 0, 2**63 - 1):
        raise RuntimeError("Class values must be non-negative.")
    classes = extremes(tensor)[1] + 1 if num_classes == -1 else num_classes
    if not within(tensor, 0, classes - 1):
        raise RuntimeError("Class values must be smaller than num_classes.")
    wide = (1,) * tensor.ndim + (classes,)
    hit = alg.eq(alg.unsqueeze(tensor, tensor.ndim), alg.iota(wide, tensor.ndim))
    return alg.cast(hit, dt.int64)


# ---------------------------------------------------------------- bags


def _bag_starts(input: Node, offsets: Node | None, include_last: bool) -> tuple[Any, int]:
    """(first place of each bag, number of bags) of a flat input."""
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated is "
                             "a mini-batch of fixed length sequences. However, found offsets of "
                             f"type {_TENSOR}")
        rows, width = input.shape
        return np.arange(rows, dtype=np.int64) * width, rows
    if input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension "
                         f"{input.ndim}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = array(offsets).astype(np.int64)
    if include_last:
        starts = starts[:-1]
    if starts.size and starts[0] != 0:
        raise RuntimeError("offsets[0] has to be 0, i.e., the first sequence in the mini-batch has "
                           f"to start from position 0. However, got {starts[0]}")
    return starts, starts.size


_TENSOR = "<class 'torch.Tensor'>"


@public("nn.functional.embedding_bag")
def embedding_bag(input: Node, weight: Node, offsets: Node | None = None,
                  max_norm: float | None = None, norm_type: float = 2,
                  scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                  per_sample_weights: Node | None = None, include_last_offset: bool = False,
                  padding_idx: int | None = None) -> Node:
    """The sum, mean or maximum of each bag of rows; rows of padding_idx do not count."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if weight.dtype is dt.int64 and input.dtype.kind == "f":
        input, weight = weight, input
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError("embedding_bag: per_sample_weights was not None. "
                                  "per_sample_weights is only supported for mode='sum' (got "
                                  f"mode='{mode}'). Please open a feature request on GitHub.")
    starts, bags = _bag_starts(input, offsets, include_last_offset)
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) "
                         "is not None, then it must have the same shape as the input "
                         f"({list(input.shape)})")
    if weight.ndim != 2:
        raise ValueError("weight has to be a 2D Tensor, but got Tensor of dimension "
                         f"{weight.ndim}")
    _check_table(input, weight, "embedding_bag")
    padding = -1 if padding_idx is None else padding_idx % weight.shape[0]
    index = check_index(alg.reshape(input, (input.size,)), weight.shape[0], wrap=False,
                        error=in_self)
    bag = np.searchsorted(starts, np.arange(input.size), side="right") - 1
    keep: Node | None = None
    if padding >= 0:
        keep = alg.ne(index, padding)
    rows = embedding(index, weight, None if padding < 0 else padding, max_norm, norm_type,
                     scale_grad_by_freq)
    if per_sample_weights is not None:
        rows = rows * alg.reshape(per_sample_weights, (input.size, 1))
    return _bagged(rows, constant(bag.astype(np.int64)), keep, bags, mode)


def _bagged(rows: Node, bag: Node, keep: Node | None, bags: int, mode: str) -> Node:
    """Rows (n, d) combined by bag (n,) to (bags, d); empty bags are 0."""
    kind = rows.dtype
    shape = (bags, rows.shape[1])
    ones = alg.full(bag.shape, 1, kind)
    if keep is not None:
        rows = alg.where(alg.unsqueeze(keep, 1), rows, 0)
        ones = alg.where(keep, ones, 0)
    if mode == "max":
        if keep is not None:
            rows = alg.where(alg.unsqueeze(keep, 1), rows, -float("inf"))
        out = alg.put(alg.full(shape, -float("inf"), kind), rows, [bag], (0,), "max")
        return alg.where(alg.eq(out, -float("inf")), 0, out)
    out = alg.put(alg.full(shape, 0, kind), rows, [bag], (0,), "add")
    if mode == "sum":
        return out
    count = alg.put(alg.full((bags,), 0, kind), ones, [bag], (0,), "add")
    return out / alg.unsqueeze(alg.where(alg.eq(count, 0), 1, count), 1)
