"""nn.functional.pad: constant, reflect, replicate and circular borders.

In: a node and PyTorch's pad list (last dim first, low then high). Out: a node.

    pad(%0 : (5,), (2, 1))  ->  pad(%0, low=(2,), high=(1,), inner=(0,))
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as alg
from . import promotion as pro
from .known import integer
from .table import public


@public("torch.constant_pad_nd")
def constant_pad_nd(input: Node, pad: Sequence[int], value: Any = 0) -> Node:
    """A border of one value; negative counts crop."""
    low, high = _per_dim(input, pad)
    x = _crop(input, [min(a, 0) for a in low], [min(b, 0) for b in high])
    low = tuple(max(a, 0) for a in low)
    high = tuple(max(b, 0) for b in high)
    out = alg.pad(x, low, high)
    if value == 0 or out is x:
        return out
    inside = alg.pad(alg.full(x.shape, True, dt.bool_), low, high)
    return alg.where(inside, out, pro.number(value, x.dtype))


def _per_dim(x: Node, pad: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    counts = [integer(n) for n in pad]
    if len(counts) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(counts) > 2 * x.ndim:
        raise RuntimeError("Padding length should be less than or equal to two times the input "
                           f"dimension but got padding length {len(counts)} and input of dimension "
                           f"{x.ndim}")
    rest = (0,) * (x.ndim - len(counts) // 2)
    return rest + tuple(counts[-2::-2]), rest + tuple(counts[::-2])


def _crop(x: Node, low: Sequence[int], high: Sequence[int]) -> Node:
    """Drop -low and -high elements of each dim."""
    if not any(low) and not any(high):
        return x
    shape = tuple(n + a + b for n, a, b in zip(x.shape, low, high))
    if any(n < 0 for n in shape):
        raise RuntimeError("narrow(): length must be non-negative.")
    return alg.slice_(x, tuple(-a for a in low), (1,) * x.ndim, shape)


@public("nn.functional.pad")
def pad(input: Node, pad: Sequence[int], mode: str = "constant", value: float | None = None,
        ) -> Node:
    """The input with borders: `pad` has (before, after) from the last dim backwards."""
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    border = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}.get(mode)
    if border is None:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if mode == "circular":
        if not len(pad) // 2 + 1 <= input.ndim <= len(pad) // 2 + 2:
            raise _unsupported(len(pad), input.ndim)
    elif (len(pad), input.ndim) not in ((2, 2), (2, 3), (4, 3), (4, 4), (6, 4), (6, 5)):
        raise _unsupported(len(pad), input.ndim)
    low, high = _per_dim(input, pad)
    x = input
    for d, (a, b) in enumerate(zip(low, high)):
        if a or b:
            x = border(x, d, a, b)
    return x


def _unsupported(count: int, ndim: int) -> Exception:
    return NotImplementedError(
        f"Padding size {count} is not supported for {ndim}D input tensor.\n"
        "Supported combinations for non-constant padding:\n"
        "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
        "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
        "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)")


def _bordered(x: Node, dim: int, before: Node | None, after: Node | None, low: int, high: int,
              ) -> Node:
    parts = [p for p in (before, _cropped(x, dim, low, high), after) if p is not None]
    return alg.cat(parts, dim)


def _cropped(x: Node, dim: int, low: int, high: int) -> Node:
    a, b = max(-low, 0), max(-high, 0)
    return alg.narrow(x, dim, a, x.shape[dim] - a - b)


def _reflect(x: Node, dim: int, low: int, high: int) -> Node:
    n = x.shape[dim]
    if low >= n or high >= n:
        raise RuntimeError("Argument #4: Padding size should be less than the corresponding input "
                           f"dimension, but got: padding ({low}, {high}) at dimension {dim} of "
                           f"input {list(x.shape)}")
    before = alg.flip(alg.narrow(x, dim, 1, low), [dim]) if low > 0 else None
    after = alg.flip(alg.narrow(x, dim, n - 1 - high, high), [dim]) if high > 0 else None
    return _bordered(x, dim, before, after, low, high)


def _replicate(x: Node, dim: int, low: int, high: int) -> Node:
    n = x.shape[dim]
    before = _stretch(alg.narrow(x, dim, 0, 1), dim, low) if low > 0 else None
    after = _stretch(alg.narrow(x, dim, n - 1, 1), dim, high) if high > 0 else None
    return _bordered(x, dim, before, after, low, high)


def _stretch(edge: Node, dim: int, count: int) -> Node:
    return alg.expand(edge, edge.shape[:dim] + (count,) + edge.shape[dim + 1:])


def _circular(x: Node, dim: int, low: int, high: int) -> Node:
    n = x.shape[dim]
    if low > n or high > n:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    x = _cropped(x, dim, low, high)
    before = alg.narrow(x, dim, x.shape[dim] - low, low) if low > 0 else None
    after = alg.narrow(x, dim, 0, high) if high > 0 else None
    return _bordered(x, dim, before, after, 0, 0)
