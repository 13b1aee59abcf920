"""Pooling over windows: maximum, average, their adaptive forms, and the inverse of the maximum.

In: a node (N, C, *S) or (C, *S) and PyTorch's arguments. Out: nodes.

    max_pool(x)  ->  amax(unfold(unfold(pad(x, -inf))), kernel dims)

The gradient of a maximum goes to the first place that attains it, as PyTorch's does; it is a `fold`
of the windows with everything else zero.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from . import algebra as alg
from .known import integer
from .promotion import promote_float
from .table import composite, public


class Pool(NamedTuple):
    """Windows, a number per spatial dim; `high` is what the last window needs at the end."""

    kernel: Shape
    stride: Shape
    low: Shape
    high: Shape
    dilation: Shape

    def windows(self, size: Sequence[int]) -> Shape:
        return tuple((n + a + b - d * (k - 1) - 1) // s + 1 for n, k, s, a, b, d in
                     zip(size, *self))


def _infer(x: Node, *attrs: Any) -> tuple[Shape, dtype]:
    at = Pool(*attrs)
    lead = x.ndim - len(at.kernel)
    return x.shape[:lead] + at.windows(x.shape[lead:]), x.dtype


def _windows(x: Node, at: Pool) -> Node:
    """(..., *S) to (..., *out, *kernel)."""
    lead = x.ndim - len(at.kernel)
    for i, (k, s, d) in enumerate(zip(at.kernel, at.stride, at.dilation)):
        x = alg.unfold(x, lead + i, k, s, d)
    return x


def _padded(x: Node, at: Pool) -> Node:
    """With what no maximum takes at the borders."""
    edge = (0,) * (x.ndim - len(at.kernel))
    low, high = edge + at.low, edge + at.high
    if not any(low) and not any(high):
        return x
    inside = alg.pad(alg.full(x.shape, True, dt.bool_), low, high)
    return alg.where(inside, alg.pad(x, low, high), _least(x.dtype))


def _least(kind: dtype) -> Any:
    return -math.inf if kind.kind == "f" else int(np.iinfo(kind.numpy).min)


def _tail(x: Node, at: Pool) -> Shape:
    return tuple(range(x.ndim - len(at.kernel), x.ndim))


def _best_place(seen: Node, best: Node, at: Pool, kind: dtype = dt.int64) -> tuple[Node, Node]:
    """(the number of each window element, that of the first greatest; kernel dims kept as 1)."""
    tail = _tail(seen, at)
    number: Node | None = None
    for d, k in zip(tail, at.kernel):
        place = alg.positions(seen, d, kind)
        number = place if number is None else number * k + place
    assert number is not None
    hit = alg.eq(seen, best)
    if seen.dtype.kind == "f":
        hit = alg.or_(hit, alg.isnan(seen))
    return number, alg.amin(alg.where(hit, number, math.prod(at.kernel)), tail)


@composite("max_pool", _infer, Pool._fields)
def MAX_POOL(x: Node, *attrs: Any) -> Node:  # noqa: N802 - an Op
    at = Pool(*attrs)
    seen = _windows(_padded(x, at), at)
    tail = _tail(seen, at)
    return alg.squeeze(alg.amax(seen, tail), tail)


def _max_vjp(g: Node, _out: Node, x: Node, *attrs: Any) -> tuple[Node]:
    """The maxima are found again, so that the result may be written to: x is what is kept."""
    at = Pool(*attrs)
    rank = len(at.kernel)
    wide = _padded(x, at)
    seen = _windows(wide, at)
    ones = (1,) * rank
    number, first = _best_place(seen, alg.amax(seen, _tail(seen, at)), at, dt.int32)
    grad = alg.where(alg.eq(number, first), alg.reshape(g, g.shape + ones), 0)
    lead = x.ndim - rank
    for i in reversed(range(rank)):
        grad = alg.fold(grad, lead + i, wide.shape[lead + i], at.stride[i], at.dilation[i])
    return (alg.slice_(grad, (0,) * lead + at.low, (1,) * x.ndim, x.shape),)


MAX_POOL.vjp = _max_vjp


def _index_infer(x: Node, *attrs: Any) -> tuple[Shape, dtype]:
    return _infer(x, *attrs)[0], dt.int64


@composite("max_pool.index", _index_infer, Pool._fields, vjp=lambda _g, _out, _x, *attrs: (None,))
def MAX_INDEX(x: Node, *attrs: Any) -> Node:  # noqa: N802 - an Op
    """The place of each window's first greatest in the row-major spatial dims of x."""
    at = Pool(*attrs)
    rank = len(at.kernel)
    lead = x.ndim - rank
    seen = _windows(_padded(x, at), at)
    tail = _tail(seen, at)
    _, first = _best_place(seen, alg.amax(seen, tail), at)
    rest = alg.squeeze(first, tail)
    within: list[Node] = []
    for k in reversed(at.kernel):
        within.append(alg.mod(rest, k))
        rest = alg.floordiv(rest, k)
    flat: Node | None = None
    for i, inner in enumerate(reversed(within)):
        place = (alg.positions(inner, lead + i) * at.stride[i] + inner * at.dilation[i]
                 - at.low[i])
        flat = place if flat is None else flat * x.shape[lead + i] + place
    assert flat is not None
    return flat


def _average_infer(x: Node, *attrs: Any) -> tuple[Shape, dtype]:
    return _infer(x, *attrs[:5])


@composite("avg_pool", _average_infer, (*Pool._fields, "padding", "include_pad", "divisor"))
def AVG_POOL(x: Node, *attrs: Any) -> Node:  # noqa: N802 - an Op
    at = Pool(*attrs[:5])
    padding, include_pad, divisor = attrs[5:]
    lead = x.ndim - len(at.kernel)
    edge = (0,) * lead
    seen = _windows(alg.pad(x, edge + at.low, edge + at.high), at)
    tail = _tail(seen, at)
    total = alg.squeeze(alg.sum_(seen, tail), tail)
    if divisor:
        return total / divisor if x.dtype.kind == "f" else alg.truncdiv(total, divisor)
    count = _counts(total, x.shape[lead:], at, padding, include_pad)
    if isinstance(count, int):
        return total * (1.0 / count) if x.dtype.kind == "f" else alg.truncdiv(total, count)
    count = alg.cast(count, x.dtype)
    return total / count if x.dtype.kind == "f" else alg.truncdiv(total, count)


def _counts(total: Node, size: Shape, at: Pool, padding: Shape, include_pad: bool) -> Node | int:
    """How many elements each window counts: at the ends, fewer."""
    lead = total.ndim - len(size)
    whole = 1
    count: Node | None = None
    for i, (n, k, s, p) in enumerate(zip(size, at.kernel, at.stride, padding)):
        last = total.shape[lead + i] - 1
        end = n + p if include_pad else n
        if (include_pad or p == 0) and last * s - p + k <= end:
            whole *= k
            continue
        start = alg.positions(total, lead + i) * s - p
        stop = alg.min_(start + k, end)
        here = stop - (start if include_pad else alg.max_(start, 0))
        count = here if count is None else count * here
    return whole if count is None else count * whole


# ---------------------------------------------------------------- arguments


def _numbers(value: Any, rank: int, name: str, what: str) -> Shape:
    words = {1: "a single int", 2: "a single int, or a tuple of two ints",
             3: "a single int, or a tuple of three ints"}[rank]
    if not hasattr(value, "__iter__"):
        return (integer(value),) * rank
    found = tuple(integer(v) for v in value)
    if len(found) not in (1, rank):
        raise RuntimeError(f"{name}: {what} must either be {words}")
    return found * (rank if len(found) == 1 else 1)


def _pool(x: Node, rank: int, name: str, kernel_size: Any, stride: Any, padding: Any,
          dilation: Any, ceil_mode: bool) -> tuple[Pool, Shape]:
    """(the windows, the padding asked for), checked."""
    kernel = _numbers(kernel_size, rank, name, "kernel_size")
    empty = stride is None or (hasattr(stride, "__len__") and not len(stride))
    steps = kernel if empty else _numbers(stride, rank, name, "stride")
    pads = _numbers(padding, rank, name, "padding")
    spread = _numbers(dilation, rank, name, "dilation")
    _check_input(x, rank, name)
    if any(s == 0 for s in steps):
        raise RuntimeError("stride should not be zero")
    if any(k <= 0 for k in kernel) or any(s < 0 for s in steps):
        raise RuntimeError("kernel size should be greater than zero, but got "
                           + " ".join(f"{w}: {k}" for w, k in zip(_AXES[rank], kernel)))
    if any(d <= 0 for d in spread):
        raise RuntimeError("dilation should be greater than zero, but got dilation "
                           f"{' '.join(map(str, spread))}")
    for k, p, d in zip(kernel, pads, spread):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > ((k - 1) * d + 1) // 2:
            if name == "max_pool1d":
                raise RuntimeError("max_pool1d() padding should be at most half of kernel size, "
                                   f"but got padding={p} and kernel_size={k}")
            raise RuntimeError("pad should be at most half of effective kernel size, but got "
                               f"pad={p}, kernel_size={k} and dilation={d}")
    size = x.shape[-rank:]
    counts = tuple(_count(n, k, s, p, d, ceil_mode)
                   for n, k, s, p, d in zip(size, kernel, steps, pads, spread))
    if any(c < 1 for c in counts):
        raise _too_small(name, x, rank, counts)
    high = tuple(max((c - 1) * s + d * (k - 1) + 1 - n - p, 0)
                 for n, c, k, s, p, d in zip(size, counts, kernel, steps, pads, spread))
    return Pool(kernel, steps, pads, high, spread), pads


_AXES = {1: ("kW",), 2: ("kH", "kW"), 3: ("kT", "kH", "kW")}


def _count(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """How many windows; with ceil_mode one may hang over the end, if it starts inside."""
    room = n + 2 * p - d * (k - 1) - 1
    if not ceil_mode:
        return room // s + 1
    count = -(-room // s) + 1
    return count - 1 if (count - 1) * s >= n + p else count


def _too_small(name: str, x: Node, rank: int, counts: Shape) -> Exception:
    if name == "max_pool1d":
        return RuntimeError(f"max_pool1d() Invalid computed output size: {counts[0]}")
    channels = x.shape[-rank - 1]
    size, out = x.shape[-rank:], counts
    if rank == 1:
        size, out = (1, *size), (1, *out)
    given, found = ("x".join(map(str, (channels, *s))) for s in (size, out))
    return RuntimeError(f"Given input size: ({given}). Calculated output size: ({found}). Output "
                        "size is too small")


def _check_input(x: Node, rank: int, name: str) -> None:
    if x.ndim in (rank + 1, rank + 2) and all(x.shape[-rank - 1:]):
        return
    a, b = rank + 1, rank + 2
    if name.startswith("max") and (rank == 1 or x.ndim in (a, b)):
        comma = "but got:" + str(list(x.shape))
        raise RuntimeError((f"{name}: " if rank == 1 else "") + f"Expected {a}D or {b}D (batch "
                           f"mode) tensor with optional 0 dim batch size for input, {comma}")
    raise RuntimeError(f"non-empty {a}D or {b}D (batch mode) tensor expected for input")


# ---------------------------------------------------------------- maximum


def _max_pool(rank: int, input: Node, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
              ceil_mode: bool, return_indices: bool) -> Any:
    at, _ = _pool(input, rank, f"max_pool{rank}d", kernel_size, stride, padding, dilation,
                  ceil_mode)
    out = MAX_POOL(input, **at._asdict())
    return (out, MAX_INDEX(input, **at._asdict())) if return_indices else out


def _declare_max(rank: int) -> None:
    @public(f"torch.max_pool{rank}d", f"nn.functional.max_pool{rank}d")
    def pool(input: Node, kernel_size: Any, stride: Any = None, padding: Any = 0,
             dilation: Any = 1, ceil_mode: bool = False, return_indices: bool = False) -> Any:
        """The greatest of each window."""
        return _max_pool(rank, input, kernel_size, stride, padding, dilation, ceil_mode,
                         return_indices)

    names = [f"nn.functional.max_pool{rank}d_with_indices"]
    if rank == 1:
        names.append("torch.max_pool1d_with_indices")

    @public(*names)
    def with_indices(input: Node, kernel_size: Any, stride: Any = None, padding: Any = 0,
                     dilation: Any = 1, ceil_mode: bool = False,
                     return_indices: bool = False) -> Any:
        """The greatest of each window and its place in the plane."""
        return _max_pool(rank, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def _declare_average(rank: int) -> None:
    names = [f"nn.functional.avg_pool{rank}d"] + (["torch.avg_pool1d"] if rank == 1 else [])

    @public(*names)
    def pool(input: Node, kernel_size: Any, stride: Any = None, padding: Any = 0,
             ceil_mode: bool = False, count_include_pad: bool = True,
             divisor_override: int | None = None) -> Node:
        """The mean of each window."""
        at, pads = _pool(input, rank, f"avg_pool{rank}d", kernel_size, stride, padding, 1,
                         ceil_mode)
        if divisor_override is not None and divisor_override == 0:
            raise RuntimeError("divisor must be not zero")
        return AVG_POOL(input, **at._asdict(), padding=pads, include_pad=bool(count_include_pad),
                        divisor=int(divisor_override or 0))


for _rank in (1, 2, 3):
    _declare_max(_rank)
    _declare_average(_rank)


def _declare_lp(rank: int) -> None:
    @public(f"nn.functional.lp_pool{rank}d")
    def pool(input: Node, norm_type: float, kernel_size: Any, stride: Any = None,
             ceil_mode: bool = False) -> Node:
        """The p-norm of each window."""
        input, = promote_float(input)
        at, pads = _pool(input, rank, f"avg_pool{rank}d", kernel_size, stride, 0, 1, ceil_mode)
        powered = alg.power(input, float(norm_type))
        mean = AVG_POOL(powered, **at._asdict(), padding=pads, include_pad=True, divisor=0)
        total = alg.max_(alg.abs_(mean), 0) * alg.sign(mean) * math.prod(at.kernel)
        return alg.power(total, 1.0 / float(norm_type))


for _rank in (1, 2, 3):
    _declare_lp(_rank)


# ---------------------------------------------------------------- back from a maximum


def _declare_unpool(rank: int) -> None:
    @public(f"nn.functional.max_unpool{rank}d")
    def unpool(input: Node, indices: Node, kernel_size: Any, stride: Any = None, padding: Any = 0,
               output_size: Any = None) -> Node:
        """Each value back at its place in a plane of zeros."""
        if indices.dtype is not dt.int64:
            raise RuntimeError("elements in indices should be type int64 but got: "
                               f"{indices.dtype.name}")
        if indices.shape != input.shape:
            raise RuntimeError("Expected shape of indices to be same as that of the input tensor "
                               f"({list(input.shape)}) but got indices tensor with shape: "
                               f"{list(indices.shape)}")
        kernel = _numbers(kernel_size, rank, "max_unpool", "kernel_size")
        steps = kernel if stride is None else _numbers(stride, rank, "max_unpool", "stride")
        pads = _numbers(padding, rank, "max_unpool", "padding")
        lead = input.ndim - rank
        size = tuple((n - 1) * s - 2 * p + k
                     for n, s, p, k in zip(input.shape[lead:], steps, pads, kernel))
        for d, n in enumerate(size):
            if n < 0:
                raise ValueError("max_unpooling: output_size must contain non-negative spatial "
                                 f"dimensions, but got output_size[{d}]={n}")
        if output_size is not None:
            size = _asked(tuple(output_size), size, steps, rank)
        return _unpooled(input, indices, size, lead)


def _asked(wanted: Shape, default: Shape, steps: Shape, rank: int) -> Shape:
    if len(wanted) == rank + 2:
        wanted = wanted[2:]
    if len(wanted) != rank:
        raise ValueError(f"output_size should be a sequence containing {rank} or {rank + 2} "
                         f"elements, but it has a length of '{len(wanted)}'")
    for n, m, s in zip(wanted, default, steps):
        if not m - s < n < m + s:
            raise ValueError(f"invalid output_size \"{list(wanted)}\" (dim 0 must be between "
                             f"{m - s} and {m + s})")
    return wanted


def _unpooled(x: Node, index: Node, size: Shape, lead: int) -> Node:
    from .indexing import check_index
    room = math.prod(size)
    volume = "x".join(map(str, size))
    index = check_index(index, room, wrap=False, error=lambda bad: RuntimeError(
        f"Found an invalid max index: {bad} (output volumes are of size {volume}"))
    count = math.prod(x.shape[lead:])
    flat = x.shape[:lead] + (count,)
    index = alg.reshape(index, flat)
    places = [*(alg.positions(index, d) for d in range(lead)), index]
    base = alg.full(x.shape[:lead] + (room,), 0, x.dtype)
    out = alg.put(base, alg.reshape(x, flat), places, tuple(range(lead + 1)))
    return alg.reshape(out, x.shape[:lead] + size)


for _rank in (1, 2, 3):
    _declare_unpool(_rank)
