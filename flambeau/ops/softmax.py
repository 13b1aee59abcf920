"""softmax and its relations.

In: nodes and a dim. Out: nodes.

    softmax(x, dim=1)  ->  e / sum(e, dims=(1,))  with e = exp(x - amax(x, dims=(1,)))
"""
from __future__ import annotations

from collections.abc import Callable

from ..core.dtype import dtype
from ..graph.node import Node, Op
from . import algebra as a
from .algebra import cast
from .fused import fused
from .promotion import check_float, wrap_dim
from .reduction import ARGMAX
from .table import public


def _slope(g: Node, out: Node, _x: Node, dims: tuple[int, ...]) -> tuple[Node]:
    return (out * (g - a.sum_(g * out, dims)),)


@fused("softmax", ("dims",), vjp=_slope)
def softmax_op(x: Node, dims: tuple[int, ...]) -> Node:
    e = a.exp(x - a.amax(x, dims))
    return e / a.sum_(e, dims)


def _log_slope(g: Node, out: Node, _x: Node, dims: tuple[int, ...]) -> tuple[Node]:
    return (g - a.exp(out) * a.sum_(g, dims),)


@fused("log_softmax", ("dims",), vjp=_log_slope)
def log_softmax_op(x: Node, dims: tuple[int, ...]) -> Node:
    shifted = x - a.amax(x, dims)
    return shifted - a.log(a.sum_(a.exp(shifted), dims))


def _old_dim(ndim: int) -> int:
    """The dim that softmax without one means."""
    return 0 if ndim in (0, 1, 3) else 1


def apply(op: Op, x: Node, dim: int | None, kind: dtype | None) -> Node:
    """The op along a dim, after a cast; a 0-d tensor has one element to normalise."""
    if kind is not None:
        x = cast(x, kind)
    d = wrap_dim(_old_dim(x.ndim) if dim is None else dim, x.ndim)
    last = "_lastdim" if d == max(x.ndim - 1, 0) else ""
    check_float(f"{op.name}{last}_kernel_impl", x)
    return op(x, dims=(d,) if x.ndim else ()) if x.size else x


def _along(op: Op) -> Callable[..., Node]:
    def method(input: Node, dim: int | None = None, dtype: dtype | None = None) -> Node:
        """exp(input) / sum(exp(input)) along dim (or its logarithm), without overflow."""
        return apply(op, input, dim, dtype)
    return method


softmax = public("softmax", "special.softmax")(_along(softmax_op))
log_softmax = public("log_softmax", "special.log_softmax")(_along(log_softmax_op))


@public("nn.functional.softmax")
def nn_softmax(input: Node, dim: int | None = None, _stacklevel: int = 3,
               dtype: dtype | None = None) -> Node:
    """exp(input) / sum(exp(input)) along dim, without overflow."""
    return apply(softmax_op, input, dim, dtype)


@public("nn.functional.log_softmax")
def nn_log_softmax(input: Node, dim: int | None = None, _stacklevel: int = 3,
                   dtype: dtype | None = None) -> Node:
    """log(softmax(input)) along dim, in one go."""
    return apply(log_softmax_op, input, dim, dtype)


@public("nn.functional.softmin")
def softmin(input: Node, dim: int | None = None, _stacklevel: int = 3,
            dtype: dtype | None = None) -> Node:
    """softmax(-input) along dim."""
    return apply(softmax_op, a.neg(input if dtype is None else cast(input, dtype)), dim, None)


def gumbel_softmax_of(logits: Node, noise: Node, tau: float, hard: bool, dim: int) -> Node:
    """softmax((logits + Gumbel noise) / tau); hard: one-hot forwards, that gradient backwards."""
    soft = apply(softmax_op, (logits + noise) / tau, dim, None)
    if not hard:
        return soft
    d = wrap_dim(dim, logits.ndim)
    one_hot = cast(a.eq(a.positions(soft, d), ARGMAX(soft, dim=d, keepdim=True)), soft.dtype)
    return STRAIGHT_THROUGH(soft, one_hot)


# The value of the second source with the gradient of the first.
STRAIGHT_THROUGH = Op("straight_through", lambda x, y: (y.shape, y.dtype),
                      vjp=lambda g, _out, _x, _y: (g, None),
                      expand=lambda x, y: a.expand(y, y.shape))

