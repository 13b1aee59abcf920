"""gather, scatter and the index_* family: places along one dim.

In: nodes and index nodes. Out: nodes made of `take` and `put`.

    gather(%0 : (4, 3), 0, %1 : int64(2, 3))  ->  take(%0, %1, iota(dim=1), dims=(0, 1))
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.layout import wrap_dim
from ..graph.node import Node, Shape
from ..graph.primitive import broadcast
from . import algebra as alg
from . import promotion as pro
from .indexing import INDEX_KINDS, beyond, check_index, front_from, front_to, in_self
from .rearranging import empty_of
from .table import public


def _places(index: Node, dim: int) -> list[Node]:
    """Index nodes for every dim: `index` along dim, the own position elsewhere."""
    return [index if d == dim else alg.positions(index, d) for d in range(index.ndim)]


def _index_kind(name: str, index: Node) -> None:
    if index.dtype not in INDEX_KINDS and index.size:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


@public("gather")
def gather(input: Node, dim: int, index: Node, *, sparse_grad: bool = False) -> Node:
    """out[i][j] = input[index[i][j]][j] (for dim 0)."""
    d = wrap_dim(dim, input.ndim)
    _index_kind("gather", index)
    if max(index.ndim, 1) != max(input.ndim, 1) and index.size:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    if index.size == 0:
        return empty_of(input, index.shape)
    x = input if input.ndim == index.ndim else alg.reshape(input, (1,) * index.ndim)
    for k, (n, m) in enumerate(zip(index.shape, x.shape)):
        if k != d and n > m:
            raise RuntimeError(f"Size does not match at dimension {k} expected index "
                               f"{list(index.shape)} to be no larger than self {list(x.shape)} "
                               f"apart from dimension {d}")
    if index.ndim == 0:
        check_index(index, 1, wrap=False, error=beyond(1, 0))
        return alg.reshape(input, ())
    n = x.shape[d]
    index = check_index(index, n, wrap=False, error=beyond(n, d))
    return alg.take(x, _places(index, d), tuple(range(x.ndim)))


@public("take_along_dim")
def take_along_dim(input: Node, indices: Node, dim: int | None = None) -> Node:
    """gather whose other dims broadcast."""
    if indices.dtype is not dt.int64:
        raise RuntimeError("torch.take_along_dim(): dtype of indices should be Long but got "
                           f"{pro.type_name(indices.dtype)}")
    if dim is None:
        at = check_index(indices, input.size, error=beyond(input.size, 0))
        return gather(alg.reshape(input, (input.size,)), 0, alg.reshape(at, (indices.size,)))
    if input.ndim != indices.ndim:
        raise RuntimeError("torch.take_along_dim(): input and indices should have the same number "
                           f"of dimensions, but got {input.ndim} dimensions for input, and "
                           f"{indices.ndim} dimensions for indices")
    d = wrap_dim(dim, input.ndim)
    shape = broadcast(input.shape[:d] + (1,) + input.shape[d + 1:],
                      indices.shape[:d] + (1,) + indices.shape[d + 1:])
    x = alg.expand(input, shape[:d] + (input.shape[d],) + shape[d + 1:])
    indices = check_index(indices, input.shape[d], d, error=beyond(input.shape[d], d))
    return gather(x, d, alg.expand(indices, shape[:d] + (indices.shape[d],) + shape[d + 1:]))


def _check_scatter(x: Node, dim: int, index: Node, src: Node | None, name: str = "scatter") -> None:
    _index_kind(name, index)
    if src is not None and src.dtype is not x.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    if index.size == 0:
        return
    if max(index.ndim, 1) != max(x.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if src is not None and max(index.ndim, 1) != max(src.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    small = any(n > m for k, (n, m) in enumerate(zip(index.shape, x.shape)) if k != dim)
    if src is None:
        if small:
            raise RuntimeError(f"Expected index {list(index.shape)} to be no larger than self "
                               f"{list(x.shape)} apart from dimension {dim}")
    elif small or any(n > m for n, m in zip(index.shape, src.shape)):
        raise RuntimeError(f"Expected index {list(index.shape)} to be no larger than self "
                           f"{list(x.shape)} apart from dimension {dim} and to be no larger size "
                           f"than src {list(src.shape)}")


def _scatter(x: Node, dim: int, index: Node, value: Node, mode: str) -> Node:
    """x combined with the leading part of `value` at the places of `index`."""
    if index.size == 0:
        return x
    if x.ndim == 0 or index.ndim == 0:
        one = (1,) * max(x.ndim, 1)
        part = value if value.ndim == 0 else alg.reshape(_leading(value, index.shape), one)
        out = _scatter(alg.reshape(x, x.shape or (1,)), 0, alg.reshape(index, one), part, mode)
        return alg.reshape(out, x.shape)
    n = x.shape[dim]
    index = check_index(index, n, wrap=False, error=beyond(n, dim))
    return alg.put(x, _leading(value, index.shape), _places(index, dim), tuple(range(x.ndim)),
                   mode)


def _leading(value: Node, shape: Shape) -> Node:
    """The part of `value` that the index covers; a number is stretched."""
    if value.ndim == 0 and shape:
        return alg.expand(value, shape)
    if value.shape == shape or not shape:
        return value
    return alg.slice_(value, (0,) * value.ndim, (1,) * value.ndim, shape)


_OLD_REDUCE = {"add": "add", "multiply": "mul"}


@public("scatter", inplace=True)
def scatter(input: Node, dim: int, index: Node, src: Any = None, *, value: Any = None,
            reduce: str | None = None) -> Node:
    """input with src (a tensor or a number) written at input[index[i][j]][j] (for dim 0)."""
    d = wrap_dim(dim, input.ndim)
    given = src if src is not None else value
    if reduce is not None and reduce not in _OLD_REDUCE:
        raise RuntimeError("reduce argument must be either add or multiply.")
    tensor = isinstance(given, Node) and value is None
    _check_scatter(input, d, index, given if tensor else None)
    part = given if isinstance(given, Node) else pro.number(given, input.dtype)
    return _scatter(input, d, index, alg.cast(part, input.dtype), _OLD_REDUCE.get(reduce or "",
                                                                                  "set"))


@public("scatter_add", inplace=True)
def scatter_add(input: Node, dim: int, index: Node, src: Node) -> Node:
    """input with src added at input[index[i][j]][j] (for dim 0)."""
    d = wrap_dim(dim, input.ndim)
    _check_scatter(input, d, index, src)
    return _scatter(input, d, index, src, "add")


_REDUCE = {"sum": "add", "prod": "mul", "mean": "add", "amax": "max", "amin": "min"}


@public("scatter_reduce", inplace=True)
def scatter_reduce(input: Node, dim: int, index: Node, src: Node, reduce: str, *,
                   include_self: bool = True) -> Node:
    """input and what src brings to each place, combined by sum, prod, mean, amax or amin."""
    d = wrap_dim(dim, input.ndim)
    if reduce not in _REDUCE:
        raise RuntimeError("reduce argument must be either sum, prod, mean, amax or amin, got "
                           f"{reduce}")
    _check_scatter(input, d, index, src)
    if index.size == 0:
        return input

    def put(base: Node, value: Node, mode: str) -> Node:
        return _scatter(base, d, index, value, mode)

    return _combined(input, src, reduce, include_self, put)


def _neutral(reduce: str, kind: dt.dtype) -> Any:
    """The number that changes nothing when combined."""
    if reduce == "prod":
        return 1
    if reduce in ("sum", "mean"):
        return 0
    if kind.kind == "b":
        return reduce == "amin"
    if kind.kind in "iu":
        info = np.iinfo(kind.numpy)
        return int(info.min if reduce == "amax" else info.max)
    return -float("inf") if reduce == "amax" else float("inf")


def _combined(x: Node, src: Node, reduce: str, include_self: bool,
              put: Callable[[Node, Node, str], Node]) -> Node:
    """scatter_reduce and index_reduce, over `put(base, value, mode)`."""
    base = x
    if not include_self:
        base = put(x, alg.const(_neutral(reduce, x.dtype), x.dtype), "set")
    out = put(base, src, _REDUCE[reduce])
    if reduce != "mean":
        return out
    ones = alg.full(src.shape, 1, x.dtype)
    count = alg.full(x.shape, 1, x.dtype)
    if not include_self:
        count = put(count, alg.const(0, x.dtype), "set")
    count = put(count, ones, "add")
    return alg.div(out, count) if x.dtype.kind in "fc" else alg.floordiv(out, count)


# ---------------------------------------------------------------- along one dim


def _vector(name: str, index: Node, kinds: Sequence[Any], said: str) -> None:
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector{said}")
    if index.dtype not in kinds:
        what = pro.type_name(index.dtype)
        if name == "index_copy_":
            raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {what}")
        if name == "index_fill_":
            raise IndexError(f"{name}(): Expected dtype int64 for index.")
        if name == "index_select":
            raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index")
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {what}")


@public("index_select")
def index_select(input: Node, dim: int, index: Node) -> Node:
    """The slices of one dim that a vector of positions names."""
    d = wrap_dim(dim, input.ndim)
    _vector("index_select", index, INDEX_KINDS, "")
    if not input.ndim and index.size != 1:
        raise RuntimeError("index_select(): Index to scalar can have only 1 value, got "
                           f"{index.size} value(s)")
    x = input if input.ndim else alg.reshape(input, (1,))
    index = check_index(index, x.shape[d], wrap=False, error=in_self)
    flat = alg.reshape(index, (index.size,))
    out = front_to(alg.take(x, [flat], (d,)), 1, d)
    return out if input.ndim else alg.reshape(out, ())


def _along(x: Node, d: int, index: Node, value: Node, mode: str) -> Node:
    """x combined with `value` (x-shaped but for extent index.size at d, or 0-d) at `index`."""
    if x.ndim == 0:
        return alg.reshape(_along(alg.reshape(x, (1,)), 0, index, alg.reshape(value, (1,)), mode),
                           ())
    flat = alg.reshape(index, (index.size,))
    shape = x.shape[:d] + (index.size,) + x.shape[d + 1:]
    value = alg.reshape(value, shape) if value.ndim else alg.expand(value, shape)
    return alg.put(x, front_from(value, 1, d), [flat], (d,), mode)


def _check_source(name: str, x: Node, d: int, index: Node, source: Node) -> None:
    if x.ndim and source.ndim and (x.shape[:d] != source.shape[:d]
                                   or x.shape[d + 1:] != source.shape[d + 1:]):
        if name == "index_copy_" and x.ndim != source.ndim:
            raise IndexError(f"{name}(): When source and destination are not scalars, their "
                             f"dimensionality must match. Source dimensionality ({source.ndim}), "
                             f"destination dimensionality ({x.ndim})")
        raise RuntimeError("source tensor shape must match self tensor shape, excluding the "
                           f"specified dimension. Got self.shape = {list(x.shape)} source.shape = "
                           f"{list(source.shape)}")
    count = source.shape[d] if source.ndim else 1
    if index.size != count:
        if name == "index_copy_":
            raise IndexError(f"{name}(): Number of indices ({index.size}) should be equal to "
                             f"source.size(dim) ({count})")
        raise RuntimeError(f"{name}(): Number of indices ({index.size}) should be equal to "
                           f"source.size(dim): ({count}), for dim: {d}")


@public("index_add", inplace=True)
def index_add(input: Node, dim: int, index: Node, source: Node, *, alpha: Any = 1) -> Node:
    """input with alpha * source added to the slices that `index` names."""
    d = wrap_dim(dim, input.ndim)
    _vector("index_add_", index, INDEX_KINDS, f", but got dim: {index.ndim} with type: "
            f"{pro.type_name(index.dtype)} and size: {list(index.shape)}")
    if source.dtype is not input.dtype:
        raise RuntimeError(f"index_add_(): self ({pro.type_name(input.dtype)}) and source "
                           f"({pro.type_name(source.dtype)}) must have the same scalar type")
    _check_source("index_add_", input, d, index, source)
    n = input.shape[d] if input.ndim else 1
    index = check_index(index, n, wrap=False, error=in_self)
    if alpha != 1:
        source = source * pro.number(alpha, source.dtype)
    return _along(input, d, index, source, "add")


@public("index_copy", inplace=True)
def index_copy(input: Node, dim: int, index: Node, source: Node) -> Node:
    """input with the slices that `index` names replaced by those of source."""
    d = wrap_dim(dim, input.ndim)
    _vector("index_copy_", index, (dt.int64,), "")
    if source.dtype is not input.dtype:
        raise RuntimeError("index_copy_(): self and source expected to have the same dtype, but "
                           f"got (self) {pro.type_name(input.dtype)} and (source) "
                           f"{pro.type_name(source.dtype)}")
    _check_source("index_copy_", input, d, index, source)
    n = input.shape[d] if input.ndim else 1
    index = check_index(index, n, wrap=False, error=beyond(n, d, IndexError, "index_copy_(): "))
    return _along(input, d, index, source, "set")


@public("index_fill", inplace=True)
def index_fill(input: Node, dim: int, index: Node, value: Any) -> Node:
    """input with the slices that `index` names filled with one number."""
    d = wrap_dim(dim, input.ndim)
    _vector("index_fill_", index, (dt.int64,), "")
    if isinstance(value, Node) and value.ndim:
        raise RuntimeError("index_fill_ only supports a 0-dimensional value tensor, but got tensor "
                           f"with {value.ndim} dimension(s).")
    n = input.shape[d] if input.ndim else 1
    index = check_index(index, n, d)
    hit = alg.put(alg.full((n,), False, dt.bool_), alg.full((index.size,), True, dt.bool_),
                  [alg.reshape(index, (index.size,))], (0,))
    mask = alg.reshape(hit, tuple(m if k == d else 1 for k, m in enumerate(input.shape)))
    return alg.where(mask, pro.as_node(value, input.dtype), input)


@public("index_reduce", inplace=True)
def index_reduce(input: Node, dim: int, index: Node, source: Node, reduce: str, *,
                 include_self: bool = True) -> Node:
    """input and the slices of source, combined by prod, mean, amax or amin."""
    d = wrap_dim(dim, input.ndim)
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError("index_reduce(): Expected reduce to be one of prod, mean, amax or amin "
                           f"but got {reduce}.")
    _vector("index_reduce_", index, INDEX_KINDS, "")
    _check_source("index_reduce_", input, d, index, source)
    n = input.shape[d] if input.ndim else 1
    at = check_index(index, n, wrap=False, error=in_self)

    def put(base: Node, value: Node, mode: str) -> Node:
        return _along(base, d, at, value, mode)

    return _combined(input, source, reduce, include_self, put)
