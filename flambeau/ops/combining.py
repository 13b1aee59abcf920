"""Several tensors into one: cat, stack and their kin, and the product of index sets.

In: lists of nodes. Out: nodes; dtypes are promoted as PyTorch's cat does.

    stack([%0 : (3,), %1 : (3,)], 1)  ->  cat(reshape(%0, (3, 1)), reshape(%1, (3, 1)), dim=1)
"""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.layout import Layout
from ..graph.node import Node
from . import algebra as alg
from . import promotion as pro
from .known import constant
from .table import public
from .view import V, atleast_1d, atleast_2d, atleast_3d, broadcast_to, view_op

Tensors = Sequence[Node]


def _checked(tensors: Any, name: str) -> list[Node]:
    if isinstance(tensors, Node) or not isinstance(tensors, (list, tuple)):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
                        f"{'Tensor' if isinstance(tensors, Node) else type(tensors).__name__}")
    for i, x in enumerate(tensors):
        if not isinstance(x, Node):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got "
                            f"{type(x).__name__}")
    return list(tensors)


def _common(parts: list[Node]) -> list[Node]:
    kind = parts[0].dtype
    if all(x.dtype is kind for x in parts):
        return parts
    return pro.promote(*parts)


@public("torch.cat", "torch.concat", "torch.concatenate")
def cat(tensors: Tensors, dim: int = 0) -> Node:
    """Concatenate along an existing dim; 1-d empty tensors are passed over."""
    parts = _checked(tensors, "cat")
    if not parts:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for i, x in enumerate(parts):
        if x.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    parts = _common(parts)
    shaped = [x for x in parts if x.shape != (0,)]
    if not shaped:
        pro.wrap_dim(dim, 1)
        return parts[0]
    first = shaped[0]
    d = pro.wrap_dim(dim, first.ndim)
    for x in shaped[1:]:
        if x.ndim != first.ndim:
            raise RuntimeError("Tensors must have same number of dimensions: got "
                               f"{first.ndim} and {x.ndim}")
        for k, (n, m) in enumerate(zip(first.shape, x.shape)):
            if n != m and k != d:
                raise RuntimeError(f"Sizes of tensors must match except in dimension {d}. Expected "
                                   f"size {n} but got size {m} for tensor number "
                                   f"{parts.index(x)} in the list.")
    return alg.cat(shaped, d)


@public("torch.stack")
def stack(tensors: Tensors, dim: int = 0) -> Node:
    """Join equal shapes along a new dim."""
    parts = _checked(tensors, "stack")
    if not parts:
        raise RuntimeError("stack expects a non-empty TensorList")
    for i, x in enumerate(parts):
        if x.shape != parts[0].shape:
            raise RuntimeError("stack expects each tensor to be equal size, but got "
                               f"{list(parts[0].shape)} at entry 0 and {list(x.shape)} at entry "
                               f"{i}")
    d = pro.wrap_dim(dim, parts[0].ndim + 1)
    return alg.cat([alg.unsqueeze(x, d) for x in _common(parts)], d)


def _nonempty(tensors: Tensors, name: str) -> list[Node]:
    parts = _checked(tensors, name)
    if not parts:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return parts


@public("torch.hstack")
def hstack(tensors: Tensors) -> Node:
    """The tensors side by side: along dim 1, or 0 for vectors."""
    parts = [atleast_1d(x) for x in _nonempty(tensors, "hstack")]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@public("torch.vstack", "torch.row_stack")
def vstack(tensors: Tensors) -> Node:
    """The tensors one below the other: along dim 0."""
    return cat([atleast_2d(x) for x in _nonempty(tensors, "vstack")], 0)


@public("torch.dstack")
def dstack(tensors: Tensors) -> Node:
    """The tensors one behind the other: along dim 2."""
    return cat([atleast_3d(x) for x in _nonempty(tensors, "dstack")], 2)


@public("torch.column_stack")
def column_stack(tensors: Tensors) -> Node:
    """1-d tensors become columns."""
    parts = _nonempty(tensors, "column_stack")
    return cat([x if x.ndim > 1 else alg.reshape(x, (x.size, 1)) for x in parts], 1)


@public("torch.block_diag")
def block_diag(*tensors: Node) -> Node:
    """Matrices along the diagonal of a larger one, zeros elsewhere."""
    for i, x in enumerate(tensors):
        if x.ndim > 2:
            raise RuntimeError("torch.block_diag: Input tensors must have 2 or fewer dimensions. "
                               f"Input {i} has {x.ndim} dimensions")
    parts = [atleast_2d(x) for x in _common(list(tensors))]
    if not parts:
        return constant(np.zeros((1, 0), np.float32))
    width = sum(x.shape[1] for x in parts)
    rows = []
    at = 0
    for x in parts:
        rows.append(alg.pad(x, (0, at), (0, width - at - x.shape[1])))
        at += x.shape[1]
    return alg.cat(rows, 0)


@view_op("torch.meshgrid")
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[V, ...]:
    """Vectors stretched over the grid they span, one result for each."""
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if not parts:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError('torch.meshgrid: indexing must be one of "xy" or "ij", but received: '
                           f"{indexing}")
    for x in parts:
        if x.ndim > 1:
            raise RuntimeError("torch.meshgrid: Expected 0D or 1D tensor in the tensor list but "
                               f"got: {x}")
    order = list(range(len(parts)))
    if indexing == "xy" and len(parts) > 1:
        order[:2] = 1, 0
    shape = tuple(parts[k].size for k in order)
    out: list[Any] = []
    for k, x in enumerate(parts):
        lone = tuple(x.size if order[d] == k else 1 for d in range(len(parts)))
        column: Any = x.reshape(lone) if isinstance(x, Layout) else alg.reshape(x, lone)
        out.append(broadcast_to(column, shape))
    return tuple(out)


def _vectors(tensors: Sequence[Node]) -> None:
    for x in tensors:
        if x.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(x.shape)}")


@public("torch.cartesian_prod")
def cartesian_prod(*tensors: Node) -> Node:
    """Every choice of one element from each vector, a row each."""
    _vectors(tensors)
    if len(tensors) == 1:
        return tensors[0]
    grid: Any = meshgrid(*_common(list(tensors)))
    return alg.cat([alg.reshape(x, (x.size, 1)) for x in grid], 1)


@public("combinations")
def combinations(input: Node, r: int = 2, with_replacement: bool = False) -> Node:
    """Every choice of r elements of a vector, in order of position."""
    _vectors([input])
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return alg.full((0,), 0, input.dtype)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(input.size), r)), np.int64).reshape(-1, r)
    return alg.take(input, [constant(rows)], (0,))
