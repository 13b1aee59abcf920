"""torch.gradient: the slope of samples along dims, by differences.

In: a node (..., n, ...) and the distance of its samples, or their coordinates. Out: a node a dim.

    gradient(%0 : (5,), spacing=h)  ->  inside (x[i+1] - x[i-1]) / 2h, one-sided at the two ends
"""
from __future__ import annotations

import numbers
from typing import Any

from ..graph.node import Node
from . import algebra as alg
from . import promotion as pro
from .known import item
from .table import public


@public("torch.gradient")
def gradient(input: Node, *, spacing: Any = None, dim: Any = None, edge_order: int = 1,
             ) -> list[Node]:
    """The derivative along each dim by central differences (one-sided at the edges)."""
    if input.dtype.name == "uint8":
        raise RuntimeError("torch.gradient does not support uint8 input.")
    dims = _dims(input, dim)
    steps = _steps(spacing, dims, dim is None)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if any(input.shape[d] <= edge_order for d in dims):
        raise RuntimeError("torch.gradient expected each dimension size to be at least "
                           "edge_order+1")
    if input.dtype.kind == "b":
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported. "
                           "Use the `^` or `logical_xor()` operator instead.")
    x = alg.cast(input, pro.float_type(input.dtype))
    made = []
    for d, step in zip(dims, steps):
        if isinstance(step, Node):
            made.append(_uneven(x, d, step, edge_order))
        else:
            made.append(_even(x, d, step, edge_order))
    return made


def _dims(x: Node, dim: Any) -> list[int]:
    if dim is None:
        return list(range(x.ndim))
    return list(pro.wrap_dims([dim] if hasattr(dim, "__index__") else dim, x.ndim,
                              empty_is_all=False))


def _steps(spacing: Any, dims: list[int], all_dims: bool) -> list[Any]:
    """For each dim a number, or a node of coordinates."""
    if spacing is None:
        return [1] * len(dims)
    if isinstance(spacing, Node):
        spacing = item(spacing)
    if isinstance(spacing, numbers.Number):
        return [spacing] * len(dims)
    steps = list(spacing)
    if len(steps) != len(dims):
        start = "torch.gradient expected spacing to be unspecified, a scalar"
        if all_dims:
            raise RuntimeError(f"{start}, or a list of length equal to 'self.dim() = {len(dims)}', "
                               "since dim argument was not given, but got a list of length "
                               f"{len(steps)}")
        raise RuntimeError(f"{start} or it's spacing and dim arguments to have the same length, "
                           f"but got a spacing argument of length {len(steps)} and a dim argument "
                           f"of length {len(dims)}.")
    for s in steps:
        if isinstance(s, Node) and s.ndim != 1:
            raise RuntimeError("torch.gradient expected each element of spacing to have one "
                               f"dimension, but got an element with {s.ndim} dimensions!")
    return steps


def _part(x: Node, dim: int, start: int, length: int) -> Node:
    return alg.narrow(x, dim, start if start >= 0 else x.shape[dim] + start, length)


def _even(x: Node, dim: int, step: Any, edge_order: int) -> Node:
    n = x.shape[dim]

    def ends(first: int, sign: int) -> Node:
        """The slope at one end, from the two or three samples from there inwards."""
        a, b = _part(x, dim, first, 1), _part(x, dim, first + sign, 1)
        if edge_order == 1:
            return (b - a) * (sign / step)
        c = _part(x, dim, first + 2 * sign, 1)
        return (b * 2.0 - a * 1.5 - c * 0.5) * (sign / step)

    parts = [ends(0, 1), ends(-1, -1)]
    if n > 2:
        inside = (_part(x, dim, 2, n - 2) - _part(x, dim, 0, n - 2)) * (0.5 / step)
        parts.insert(1, inside)
    return alg.cat(parts, dim)


def _uneven(x: Node, dim: int, at: Node, edge_order: int) -> Node:
    """The slope of the parabola through each three neighbours (Fornberg, 1988)."""
    n = x.shape[dim]
    if at.shape[0] != n:
        raise RuntimeError(f"torch.gradient expected {n} coordinates along dimension {dim}, but "
                           f"got {at.shape[0]}")
    kind = pro.result_type(x, at)
    x = alg.cast(x, kind)
    at = alg.reshape(alg.cast(at, kind), tuple(n if d == dim else 1 for d in range(x.ndim)))
    gap = _part(at, dim, 1, n - 1) - _part(at, dim, 0, n - 1)
    parts = [_end(x, gap, dim, 0, edge_order), _end(x, gap, dim, -1, edge_order)]
    if n > 2:
        a, b = _part(gap, dim, 0, n - 2), _part(gap, dim, 1, n - 2)
        low, mid, high = (_part(x, dim, i, n - 2) for i in range(3))
        parts.insert(1, (high - mid) * (a / (b * (a + b))) + (mid - low) * (b / (a * (a + b))))
    return alg.cat(parts, dim)


def _end(x: Node, gap: Node, dim: int, first: int, edge_order: int) -> Node:
    """The slope at the first (0) or last (-1) sample."""
    sign = 1 if first == 0 else -1
    a, b = _part(x, dim, first, 1), _part(x, dim, first + sign, 1)
    near = _part(gap, dim, first, 1)
    here = (b - a) / near * float(sign)
    if edge_order == 1:
        return here
    c = _part(x, dim, first + 2 * sign, 1)
    far = _part(gap, dim, first + sign, 1)
    there = (c - b) / far * float(sign)
    return here + (here - there) * (near / (near + far))
