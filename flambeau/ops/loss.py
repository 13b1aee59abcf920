"""Losses between two tensors of one shape: mse, l1, bce, kl_div, ... (class losses: `class_loss`).

In: nodes; reduction "none", "mean" or "sum" (or the old size_average/reduce). Out: a node.

    mse_loss(x, y)  ->  mean((x - y) ** 2)      one node
"""
from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from ..core.dtype import dtype
from ..graph.node import Node, Op, Shape
from ..graph.primitive import broadcast
from . import algebra as a
from .activation import softplus_node
from .algebra import cast, const, exp, log, where
from .complex_ import MODULUS
from .fused import fused
from .known import item
from .promotion import float_type, promote, promote_float
from .special import XLOGY
from .table import public

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction asked for, in the old words or the new."""
    if size_average is not None or reduce is not None:
        average = size_average is None or size_average
        reduction = "none" if reduce is False else "mean" if average else "sum"
        warnings.warn("size_average and reduce args will be deprecated, please use "
                      f"reduction='{reduction}' instead.", stacklevel=4)
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def reduced_loss(x: Node, reduction: str) -> Node:
    """All elements averaged or summed to a 0-d node, or left."""
    if reduction == "none":
        return x
    total = a.reshape(a.sum_(x, a.every(x)), ())
    if reduction == "sum":
        return total
    return total / x.size if x.size else total * math.nan


def loss_infer(*args: Any) -> tuple[Shape, dtype]:
    """() unless the last attribute, the reduction, is "none"."""
    src = [s for s in args if isinstance(s, Node)]
    shape = broadcast(*[s.shape for s in src])
    return (shape if args[-1] == "none" else ()), src[0].dtype


def elementwise_loss(name: str, params: tuple[str, ...] = ()) -> Callable[..., Op]:
    """A loss from its formula for one element; the reduction is its last attribute."""
    def declare(formula: Callable[..., Node]) -> Op:
        def expansion(*args: Any) -> Node:
            shape = broadcast(*[s.shape for s in args if isinstance(s, Node)])
            return reduced_loss(a.expand(formula(*args[:-1]), shape), args[-1])
        return fused(name, (*params, "reduction"), infer=loss_infer)(expansion)
    return declare


def _pair(input: Node, target: Node, *more: Node | None) -> list[Any]:
    """Promoted, with a warning where shapes differ; floats at least."""
    if input.shape != target.shape:
        warnings.warn(f"Using a target size ({_size(target)}) that is different to the input size "
                      f"({_size(input)}). This will likely lead to incorrect results due to "
                      "broadcasting. Please ensure they have the same size.", stacklevel=4)
    out: list[Any] = promote(input, target)
    return out + [None if m is None else cast(m, out[0].dtype) for m in more]


def _size(x: Node) -> str:
    return f"torch.Size({list(x.shape)})"


def _weighted(make: Callable[..., Node], x: Node, y: Node, weight: Node | None, reduction: str,
              ) -> Node:
    """mse, l1 and huber with a weight: the mean is over the weights' sum."""
    if weight is None:
        return make(x, y, reduction=reduction)
    if weight.shape != x.shape:
        raise ValueError("Inputs and weights must have the same size.")
    each = make(x, y, reduction="none") * weight
    if reduction != "mean":
        return reduced_loss(each, reduction)
    return reduced_loss(each, "sum") / reduced_loss(weight, "sum")


# ---------------------------------------------------------------- regression


@elementwise_loss("mse_loss")
def _mse(x: Node, y: Node) -> Node:
    gap = x - y
    return gap * gap


@public("nn.functional.mse_loss")
def mse_loss(input: Node, target: Node, size_average: bool | None = None,
             reduce: bool | None = None, reduction: str = "mean",
             weight: Node | None = None) -> Node:
    """(input - target)**2, reduced."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y, w = _pair(input, target, weight)
    return _weighted(_mse, x, y, w, reduction)


@elementwise_loss("l1_loss")
def _l1(x: Node, y: Node) -> Node:
    return a.abs_(x - y)


@public("nn.functional.l1_loss")
def l1_loss(input: Node, target: Node, size_average: bool | None = None,
            reduce: bool | None = None, reduction: str = "mean",
            weight: Node | None = None) -> Node:
    """|input - target|, reduced."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y, w = _pair(input, target, weight)
    if x.dtype.kind == "c":
        gap = MODULUS(x - y)
        x, y = gap, a.zeros_like(gap)
    return _weighted(_l1, x, y, w, reduction)


@elementwise_loss("smooth_l1_loss", ("beta",))
def _smooth_l1(x: Node, y: Node, beta: float) -> Node:
    gap = a.abs_(x - y)
    if beta == 0:
        return gap
    return where(a.lt(gap, beta), gap * gap * (0.5 / beta), gap - 0.5 * beta)


@public("nn.functional.smooth_l1_loss")
def smooth_l1_loss(input: Node, target: Node, size_average: bool | None = None,
                   reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0) -> Node:
    """0.5 d**2 / beta where d = |input - target| < beta, d - 0.5 beta elsewhere."""
    reduction = reduction_of(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    x, y = _pair(input, target)
    return _smooth_l1(x, y, beta=float(beta), reduction=reduction)


@elementwise_loss("huber_loss", ("delta",))
def _huber(x: Node, y: Node, delta: float) -> Node:
    gap = a.abs_(x - y)
    return where(a.le(gap, delta), 0.5 * gap * gap, delta * (gap - 0.5 * delta))


@public("nn.functional.huber_loss")
def huber_loss(input: Node, target: Node, reduction: str = "mean", delta: float = 1.0,
               weight: Node | None = None) -> Node:
    """0.5 d**2 where d = |input - target| < delta, delta (d - 0.5 delta) elsewhere."""
    reduction = reduction_of(None, None, reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    x, y, w = _pair(input, target, weight)

    def make(p: Node, q: Node, reduction: str) -> Node:
        return _huber(p, q, delta=float(delta), reduction=reduction)
    return _weighted(make, x, y, w, reduction)


@elementwise_loss("poisson_nll_loss", ("log_input", "full", "eps"))
def _poisson(x: Node, y: Node, log_input: bool, full: bool, eps: float) -> Node:
    loss = exp(x) - y * x if log_input else x - y * log(x + eps)
    if full:
        stirling = y * log(y) - y + 0.5 * log(2 * math.pi * y)
        loss = loss + where(a.le(y, 1), 0, stirling)
    return loss


@public("nn.functional.poisson_nll_loss")
def poisson_nll_loss(input: Node, target: Node, log_input: bool = True, full: bool = False,
                     size_average: bool | None = None, eps: float = 1e-8,
                     reduce: bool | None = None, reduction: str = "mean") -> Node:
    """exp(input) - target * input (input - target * log(input) if not log_input)."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = promote(input, target)
    kind = float_type(x.dtype)
    return _poisson(cast(x, kind), cast(y, kind), log_input=bool(log_input), full=bool(full),
                    eps=float(eps), reduction=reduction)


@elementwise_loss("gaussian_nll_loss", ("full", "eps"))
def _gaussian(x: Node, y: Node, var: Node, full: bool, eps: float) -> Node:
    safe = CLAMP_VALUE(var, eps=eps)
    gap = x - y
    loss = 0.5 * (log(safe) + gap * gap / safe)
    return loss + 0.5 * math.log(2 * math.pi) if full else loss


# max(var, eps) whose gradient passes var by unchanged.
CLAMP_VALUE = Op("clamp_value", lambda x, eps: (x.shape, x.dtype), params=("eps",),
                 vjp=lambda g, _out, _x, eps: (g,), expand=lambda x, eps: a.max_(x, eps))


@public("nn.functional.gaussian_nll_loss")
def gaussian_nll_loss(input: Node, target: Node, var: Node | float, full: bool = False,
                      eps: float = 1e-6, reduction: str = "mean") -> Node:
    """0.5 (log(var) + (input - target)**2 / var), var held above eps."""
    if not isinstance(var, Node):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = a.full(input.shape, var, input.dtype)
    elif var.size and item(a.any_(a.lt(var, 0), a.every(var))):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = a.unsqueeze(var, var.ndim)
        elif not (input.shape[:-1] == var.shape[:-1] and var.shape[-1:] == (1,)) and not _stretches(
                var.shape, input.shape):
            raise ValueError("var is of incorrect size")
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not valid")
    x, y, v = promote(input, target, var)
    return _gaussian(x, y, v, full=bool(full), eps=float(eps), reduction=reduction)


def _stretches(shape: Shape, to: Shape) -> bool:
    return len(shape) == len(to) and all(n in (1, m) for n, m in zip(shape, to, strict=True))


# ---------------------------------------------------------------- probabilities


@elementwise_loss("binary_cross_entropy")
def _bce(x: Node, y: Node, w: Node) -> Node:
    """Logarithms are at least -100."""
    return (a.max_(log(1 - x), -100) * (y - 1) - y * a.max_(log(x), -100)) * w


def _bce_slope(g: Node, _out: Node, x: Node, y: Node, w: Node,
               reduction: str) -> tuple[Node, Node, None]:
    share = g / max(x.size, 1) if reduction == "mean" else g
    slope = share * w
    dx = slope * (x - y) / a.max_((1 - x) * x, 1e-12)
    return dx, slope * (a.max_(log(1 - x), -100) - a.max_(log(x), -100)), None


_bce.vjp = _bce_slope


@public("nn.functional.binary_cross_entropy",
        fixed=lambda _given: ("binary_cross_entropy", ("weight",)))
def binary_cross_entropy(input: Node, target: Node, weight: Node | None = None,
                         size_average: bool | None = None, reduce: bool | None = None,
                         reduction: str = "mean") -> Node:
    """-(t log(p) + (1 - t) log(1 - p)) of probabilities p."""
    reduction = reduction_of(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Using a target size ({_size(target)}) that is different to the input "
                         f"size ({_size(input)}) is deprecated. Please ensure they have the same "
                         "size.")
    w = const(1, input.dtype) if weight is None else cast(weight, input.dtype)
    return _bce(input, cast(target, input.dtype), w, reduction=reduction)


@elementwise_loss("binary_cross_entropy_with_logits")
def _bce_logits(x: Node, y: Node, w: Node, pos: Node) -> Node:
    """(1 - y) x + (1 + (pos - 1) y) log(1 + e^-x)."""
    return ((1 - y) * x + (1 + (pos - 1) * y) * softplus_node(a.neg(x))) * w


@fused("bce_logits", ("reduction",), infer=loss_infer, vjp=lambda g, _out, x, y, reduction: (
       (g / max(x.size, 1) if reduction == "mean" else g) * (a.sigmoid(x) - y),
       a.neg((g / max(x.size, 1) if reduction == "mean" else g) * x)))
def _bce_logits_plain(x: Node, y: Node, reduction: str) -> Node:
    """Without weights: max(x, 0) - x y + log(1 + e^-|x|)."""
    each = a.max_(x, 0) - x * y + a.log1p(exp(a.neg(a.abs_(x))))
    return reduced_loss(each, reduction)


@public("nn.functional.binary_cross_entropy_with_logits",
        fixed=lambda _given: ("binary_cross_entropy_with_logits", ("weight", "pos_weight")))
def binary_cross_entropy_with_logits(input: Node, target: Node, weight: Node | None = None,
                                     size_average: bool | None = None, reduce: bool | None = None,
                                     reduction: str = "mean",
                                     pos_weight: Node | None = None) -> Node:
    """The binary cross entropy of sigmoid(input), without overflow."""
    reduction = reduction_of(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({_size(target)}) must be the same as input size "
                         f"({_size(input)})")
    y = cast(target, input.dtype)
    if weight is None and pos_weight is None:
        return _bce_logits_plain(input, y, reduction=reduction)
    one = const(1, input.dtype)
    return _bce_logits(input, y, one if weight is None else cast(weight, input.dtype),
                       one if pos_weight is None else cast(pos_weight, input.dtype),
                       reduction=reduction)


@elementwise_loss("kl_div", ("log_target",))
def _kl(x: Node, y: Node, log_target: bool) -> Node:
    if log_target:
        return exp(y) * (y - x)
    return XLOGY(y, y) - y * x


@public("nn.functional.kl_div")
def kl_div(input: Node, target: Node, size_average: bool | None = None,
           reduce: bool | None = None, reduction: str = "mean", log_target: bool = False) -> Node:
    """"batchmean" divides the sum by the first extent."""
    x, y = promote(input, target)
    if reduction == "batchmean" and size_average is None and reduce is None:
        total = _kl(x, y, log_target=bool(log_target), reduction="sum")
        return total / input.shape[0] if input.ndim else total
    reduction = reduction_of(size_average, reduce, reduction)
    if reduction == "mean" and size_average is None:
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the "
                      "support size.'batchmean' divides only by the batch size, and aligns with "
                      "the KL div math definition.'mean' will be changed to behave the same as "
                      "'batchmean' in the next major release.", stacklevel=3)
    return _kl(x, y, log_target=bool(log_target), reduction=reduction)


# ---------------------------------------------------------------- margins


@elementwise_loss("soft_margin_loss")
def _soft_margin(x: Node, y: Node) -> Node:
    wrong = a.neg(x * y)
    return a.log1p(exp(wrong)) if wrong.dtype.kind == "c" else softplus_node(wrong)


@public("nn.functional.soft_margin_loss",
        fixed=lambda _given: ("soft_margin_loss", ("target",)))
def soft_margin_loss(input: Node, target: Node, size_average: bool | None = None,
                     reduce: bool | None = None, reduction: str = "mean") -> Node:
    """log(1 + exp(-target * input)), target -1 or 1."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = promote(input, target)
    shape = broadcast(x.shape, y.shape)
    if shape != x.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape "
                           f"{list(shape)}")
    return _soft_margin(x, y, reduction=reduction)


@elementwise_loss("hinge_embedding_loss", ("margin",))
def _hinge(x: Node, y: Node, margin: float) -> Node:
    far = where(a.ne(y, 1), a.max_(margin - x, 0), 0)
    return far + where(a.ne(y, -1), x, 0)


@public("torch.hinge_embedding_loss", "nn.functional.hinge_embedding_loss")
def hinge_embedding_loss(input: Node, target: Node, margin: float = 1.0,
                         size_average: bool | None = None, reduce: bool | None = None,
                         reduction: str = "mean") -> Node:
    """The input where target is 1, max(0, margin - input) where it is -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = promote(input, target)
    return _hinge(x, y, margin=float(margin), reduction=reduction)


@elementwise_loss("margin_ranking_loss", ("margin",))
def _ranking(x1: Node, x2: Node, y: Node, margin: float) -> Node:
    return a.max_(a.neg(y) * (x1 - x2) + margin, 0)


@public("torch.margin_ranking_loss", "nn.functional.margin_ranking_loss")
def margin_ranking_loss(input1: Node, input2: Node, target: Node, margin: float = 0,
                        size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean") -> Node:
    """max(0, -target * (input1 - input2) + margin)."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError("margin_ranking_loss : All input tensors should have same dimension but "
                           f"got sizes: input1: {_size(input1)}, input2: {_size(input2)}, target: "
                           f"{_size(target)} ")
    x1, x2, y = promote(input1, input2, target)
    if x1.dtype.kind in "bui":
        # Whole numbers subtract and multiply as such before the margin makes them floats.
        gap = a.neg(y) * (x1 - x2)
        return _ranking(*promote_float(gap, 0, -1), margin=float(margin), reduction=reduction)
    return _ranking(x1, x2, y, margin=float(margin), reduction=reduction)
