"""Dropout, given what was drawn.

In: a node and a bool mask (True: kept) that `tensor/` drew, of the input's shape or, for whole
features, with 1 where it is shared. Out: a node.

    dropout_of(x, kept, p=0.1)  ->  where(kept, x / 0.9, 0)
"""
from __future__ import annotations

import math

from ..graph.node import Node
from .algebra import where
from .fused import fused

_SELU_LOW = 1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


def _slope(g: Node, _out: Node, _x: Node, kept: Node, p: float) -> tuple[Node, None]:
    return where(kept, g * _scale(p), 0), None


def _scale(p: float) -> float:
    return 1 / (1 - p) if p < 1 else 0.0


@fused("dropout", ("p",), vjp=_slope)
def _dropout(x: Node, kept: Node, p: float) -> Node:
    return where(kept, x * _scale(p), 0)


def dropout_of(input: Node, kept: Node, p: float) -> Node:
    """Zeros with probability p; what is kept grows by 1 / (1 - p)."""
    return _dropout(input, kept, p=float(p))


def _alpha_slope(g: Node, _out: Node, _x: Node, kept: Node, p: float) -> tuple[Node, None]:
    return where(kept, g * _alpha_scale(p), 0), None


def _alpha_scale(p: float) -> float:
    return 1 / math.sqrt((_SELU_LOW ** 2 * p + 1) * (1 - p)) if p < 1 else 0.0


@fused("alpha_dropout", ("p",), vjp=_alpha_slope)
def _alpha_dropout(x: Node, kept: Node, p: float) -> Node:
    """Dropped elements take SELU's lowest value; scale and shift keep mean 0 and variance 1."""
    scale = _alpha_scale(p)
    shift = scale * _SELU_LOW * p
    return where(kept, x * scale + shift, shift - _SELU_LOW * scale)


def alpha_dropout_of(input: Node, kept: Node, p: float) -> Node:
    return _alpha_dropout(input, kept, p=float(p))
