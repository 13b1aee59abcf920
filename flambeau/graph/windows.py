"""What is under a convolution's windows: the array that an operand of a contraction unfolds.

In: the operand and its labels. Out: `Seen`, or None for an operand that is no window. Called by
`lower`, which tells `kernel/gemm` so that it may read the array in another way.

    unfold(unfold(x, 2, 3), 3, 3) labelled (n, c, y, x, i, j)
      -> base x (n, c, ., .), images (n,), channels (c,), places (y, x), taps (i, j)
"""
from __future__ import annotations

from dataclasses import dataclass

from .node import Node, Shape
from .primitive import UNFOLD


@dataclass(frozen=True, slots=True)
class Seen:
    """`labels` are the base's, with a place's label at the dims that windows run along."""

    base: Node
    labels: tuple[int, ...]
    images: tuple[int, ...]
    channels: tuple[int, ...]
    places: tuple[int, ...]
    taps: tuple[int, ...]
    stride: Shape
    dilation: Shape
    gradient: bool                  # columns are (channels, taps), and k is (images, places)


def seen(node: Node, labels: tuple[int, ...], columns: list[int], inner: list[int]) -> Seen | None:
    """The windows of an operand, if its columns are (images, places) and k is (channels, taps), or
    the other way round."""
    found: dict[int, tuple[int, int, int, int]] = {}         # dim -> place, tap, stride, dilation
    base, left = node, list(labels)
    while base.op is UNFOLD:
        dim, _, step, dilation = base.attrs
        tap = left.pop()
        if dim in found or dim >= len(left):
            return None
        found[dim] = (left[dim], tap, step, dilation)
        base = base.src[0]
    if not found:
        return None
    places, taps, stride, spread = zip(*(found[d] for d in sorted(found)))
    gradient = places[0] in inner
    outer, summed = (inner, columns) if gradient else (columns, inner)
    images = tuple(d for d in outer if d not in places)
    channels = tuple(d for d in summed if d not in taps)
    if (*images, *places) != tuple(outer) or (*channels, *taps) != tuple(summed):
        return None
    return Seen(base, tuple(left), images, channels, places, taps, stride, spread, gradient)
