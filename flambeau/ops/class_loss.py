"""Losses of classes and of triples: nll, cross entropy, multi-margin, triplet, cosine embedding.

In: scores (N, C, ...) and class indices or probabilities. Out: a node. Indices are checked at the
call. The gradient compares an iota with the index, so that it fuses; nothing is scattered.

    cross_entropy(x, t)  ->  mean(logsumexp(x, 1) - take(x, t))      one node
"""
from __future__ import annotations

from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from ..graph.primitive import broadcast
from . import algebra as a
from .algebra import and_, cast, exp, where
from .fused import fused
from .known import array, within
from .loss import elementwise_loss, reduced_loss, reduction_of
from .norms import pairwise_distance
from .promotion import promote, promote_float, type_name
from .reduction import logsumexp_kept
from .softmax import log_softmax_op
from .table import public

# ---------------------------------------------------------------- class indices


def check_classes(target: Node, classes: int, ignore_index: int) -> None:
    """IndexError for an index that is neither a class nor the ignored one."""
    if not target.size:
        return
    if within(target, 0, classes - 1):
        return
    values = array(target)
    bad = values[((values < 0) | (values >= classes)) & (values != ignore_index)]
    if bad.size:
        raise IndexError(f"Target {int(bad.reshape(-1)[0])} is out of bounds.")


def _index_infer(x: Node, target: Node, *rest: Any) -> tuple[Shape, dtype]:
    return (target.shape if rest[-1] == "none" else ()), x.dtype


def _class_dim(x: Node) -> int:
    return 1 if x.ndim > 1 else 0


def _hits(x: Node, target: Node, ignore_index: int) -> tuple[Node, Node]:
    """The target with a class dim of 1, wrong ones made 0; and where it counts."""
    index = a.unsqueeze(target, _class_dim(x))
    counts = a.ne(index, ignore_index)
    return where(counts, index, 0), counts


def _weight_at(weight: Node | None, index: Node, counts: Node, kind: dtype) -> Node:
    """The weight of each target (0 for an ignored one)."""
    if weight is None:
        return cast(counts, kind)
    return where(counts, a.take(weight, (index,), (0,)), 0)


def _averaged(each: Node, weights: Node, x: Node, reduction: str) -> Node:
    """Losses (class dim still 1), with the mean over the weights' sum."""
    if reduction == "none":
        d = _class_dim(x)
        return a.squeeze(each, (d,))
    total = a.reshape(a.sum_(each, a.every(each)), ())
    if reduction == "sum":
        return total
    return total / a.reshape(a.sum_(weights, a.every(weights)), ())


def _share(g: Node, weights: Node, x: Node, reduction: str) -> Node:
    """The gradient of each loss, class dim 1."""
    if reduction == "none":
        return a.unsqueeze(g, _class_dim(x)) * weights
    g = a.reshape(g, (1,) * weights.ndim)
    if reduction == "mean":
        g = g / a.sum_(weights, a.every(weights))
    return g * weights


def _nll_slope(g: Node, _out: Node, _x: Node, target: Node, *rest: Any) -> tuple[Node | None, ...]:
    *weight, ignore_index, reduction = rest
    index, counts = _hits(_x, target, ignore_index)
    weights = _weight_at(weight[0] if weight else None, index, counts, g.dtype)
    here = a.eq(a.positions(_x, _class_dim(_x)), index)
    return where(here, a.neg(_share(g, weights, _x, reduction)), 0), None, *(None for _ in weight)


@fused("nll_loss", ("ignore_index", "reduction"), infer=_index_infer, vjp=_nll_slope)
def _nll(x: Node, target: Node, *rest: Any) -> Node:
    *weight, ignore_index, reduction = rest
    index, counts = _hits(x, target, ignore_index)
    weights = _weight_at(weight[0] if weight else None, index, counts, x.dtype)
    each = a.neg(a.along(x, index, _class_dim(x))) * weights
    return _averaged(where(counts, each, 0), weights, x, reduction)


def _no_index(target: Node) -> RuntimeError:
    return RuntimeError("expected target dtype to be Long or Byte, but got "
                        f"{type_name(target.dtype)}")


def _check_scores(x: Node, target: Node, weight: Node | None) -> None:
    if x.ndim == 0:
        raise ValueError(f"Expected 1 or more dimensions (got {x.ndim})")
    classes = x.shape[_class_dim(x)]
    if x.ndim == 1:
        if target.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        fits = target.shape == ()
        if not fits and target.shape != (1,):
            raise ValueError("For 1D input, 1D target must have size 1, but got target size: "
                             f"{target.shape[0]}")
    else:
        if target.ndim and x.shape[0] != target.shape[0]:
            raise ValueError(f"Expected input batch_size ({x.shape[0]}) to match target batch_size "
                             f"({target.shape[0]}).")
        if target.shape != x.shape[:1] + x.shape[2:]:
            raise RuntimeError(f"size mismatch (got input: {list(x.shape)}, target: "
                               f"{list(target.shape)})")
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(f"weight tensor should be defined either for all {classes} classes or "
                           f"no classes but got weight tensor of shape: {list(weight.shape)}")
    if weight is not None and weight.dtype is not x.dtype:
        raise RuntimeError(f"expected scalar type {type_name(x.dtype)} but found "
                           f"{type_name(weight.dtype)}")
    if target.dtype.kind not in "iu":
        raise _no_index(target)


def _fixed_weight(given: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    flat = getattr(given.get("input"), "ndim", 2) <= 2
    return "nll_loss_forward" if flat else "nll_loss2d_forward", ("weight",)


@public("nn.functional.nll_loss", fixed=_fixed_weight)
def nll_loss(input: Node, target: Node, weight: Node | None = None,
             size_average: bool | None = None, ignore_index: int = -100,
             reduce: bool | None = None, reduction: str = "mean") -> Node:
    """-input[target], weighted: the loss of log-probabilities (N, C, ...) for class indices."""
    reduction = reduction_of(size_average, reduce, reduction)
    _check_scores(input, target, weight)
    check_classes(target, input.shape[_class_dim(input)], ignore_index)
    target = cast(target, dt.int64)
    if input.ndim == 1 and target.ndim == 1:
        target = a.reshape(target, ())
    more = () if weight is None else (cast(weight, input.dtype),)
    return _nll(input, target, *more, ignore_index=ignore_index, reduction=reduction)


# ---------------------------------------------------------------- cross entropy


def _ce_slope(g: Node, _out: Node, x: Node, target: Node, *rest: Any) -> tuple[Node | None, ...]:
    """(softmax - one-hot) times each loss's share."""
    *weight, ignore_index, reduction = rest
    d = _class_dim(x)
    index, counts = _hits(x, target, ignore_index)
    weights = _weight_at(weight[0] if weight else None, index, counts, g.dtype)
    share = _share(g, weights, x, reduction)
    chance = exp(x - logsumexp_kept(x, (d,)))
    here = a.eq(a.positions(x, d), index)
    return share * where(here, chance - 1, chance), None, *(None for _ in weight)


@fused("cross_entropy", ("ignore_index", "reduction"), infer=_index_infer, vjp=_ce_slope)
def _cross_entropy(x: Node, target: Node, *rest: Any) -> Node:
    *weight, ignore_index, reduction = rest
    d = _class_dim(x)
    index, counts = _hits(x, target, ignore_index)
    weights = _weight_at(weight[0] if weight else None, index, counts, x.dtype)
    each = (logsumexp_kept(x, (d,)) - a.along(x, index, d)) * weights
    return _averaged(where(counts, each, 0), weights, x, reduction)


@fused("cross_entropy_smooth", ("ignore_index", "smoothing", "reduction"), infer=_index_infer)
def _cross_entropy_smooth(x: Node, target: Node, *rest: Any) -> Node:
    """A share `smoothing` of each target is spread over all classes."""
    *weight, ignore_index, smoothing, reduction = rest
    d = _class_dim(x)
    logs = log_softmax_op(x, dims=(d,))
    index, counts = _hits(x, target, ignore_index)
    weights = _weight_at(weight[0] if weight else None, index, counts, x.dtype)
    all_logs = logs * _along_classes(weight[0], x) if weight else logs
    spread = where(counts, a.neg(a.sum_(all_logs, (d,))), 0)
    exact = where(counts, a.neg(a.along(logs, index, d)) * weights, 0)
    each = exact * (1 - smoothing) + spread * (smoothing / x.shape[d])
    return _averaged(each, weights, x, reduction)


def _along_classes(weight: Node, x: Node) -> Node:
    d = _class_dim(x)
    return a.reshape(weight, tuple(weight.size if i == d else 1 for i in range(x.ndim)))


def _chance_infer(x: Node, target: Node, *rest: Any) -> tuple[Shape, dtype]:
    d = _class_dim(x)
    shape = x.shape[:d] + x.shape[d + 1:]
    return (shape if rest[-1] == "none" else ()), x.dtype


@fused("cross_entropy_probabilities", ("smoothing", "reduction"), infer=_chance_infer)
def _cross_entropy_chances(x: Node, target: Node, *rest: Any) -> Node:
    *weight, smoothing, reduction = rest
    d = _class_dim(x)
    classes = x.shape[d]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    logs = log_softmax_op(x, dims=(d,))
    if weight:
        logs = logs * _along_classes(weight[0], x)
    each = a.squeeze(a.neg(a.sum_(logs * target, (d,))), (d,))
    if reduction != "mean":
        return reduced_loss(each, reduction)
    return reduced_loss(each, "sum") / max(x.size // max(classes, 1), 1)


def _fixed_classes(given: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The weights of cross entropy with class indices; those of probabilities have a gradient."""
    target = given.get("target")
    classes = target is not None and getattr(target, "dtype", dt.int64).kind != "f"
    return _fixed_weight(given)[0], ("weight",) if classes else ()


@public("nn.functional.cross_entropy", fixed=_fixed_classes)
def cross_entropy(input: Node, target: Node, weight: Node | None = None,
                  size_average: bool | None = None, ignore_index: int = -100,
                  reduce: bool | None = None, reduction: str = "mean",
                  label_smoothing: float = 0.0) -> Node:
    """Targets of the input's shape are probabilities, otherwise class indices."""
    reduction = reduction_of(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError("label_smoothing must be between 0.0 and 1.0. Got: "
                           f"{label_smoothing:g}")
    more = () if weight is None else (cast(weight, input.dtype),)
    if target.dtype.kind == "f":
        if target.shape != input.shape:
            _check_scores(input, target, weight)
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _cross_entropy_chances(input, cast(target, input.dtype), *more,
                                      smoothing=float(label_smoothing), reduction=reduction)
    _check_scores(input, target, weight)
    if target.dtype is not dt.int64 and target.dtype is not dt.uint8:
        raise _no_index(target)
    check_classes(target, input.shape[_class_dim(input)], ignore_index)
    target = cast(target, dt.int64)
    if input.ndim == 1 and target.ndim == 1:
        target = a.reshape(target, ())
    if label_smoothing:
        return _cross_entropy_smooth(input, target, *more, ignore_index=ignore_index,
                                     smoothing=float(label_smoothing), reduction=reduction)
    return _cross_entropy(input, target, *more, ignore_index=ignore_index, reduction=reduction)


# ---------------------------------------------------------------- margins over classes


def _row_infer(x: Node, *rest: Any) -> tuple[Shape, dtype]:
    return (x.shape[:-1] if rest[-1] == "none" else ()), x.dtype


@fused("multi_margin_loss", ("p", "margin", "reduction"), infer=_row_infer)
def _multi_margin(x: Node, target: Node, *rest: Any) -> Node:
    """mean over classes of max(0, margin - x[t] + x[i])^p, without i = t."""
    *weight, p, margin, reduction = rest
    last = x.ndim - 1
    index = a.unsqueeze(target, last)
    gap = a.max_(margin - a.along(x, index, last) + x, 0)
    if p == 2:
        gap = gap * gap
    if weight:
        gap = gap * a.take(weight[0], (index,), (0,))
    other = a.ne(a.positions(x, last), index)
    each = a.squeeze(a.sum_(where(other, gap, 0), (last,)), (last,)) / x.shape[last]
    return reduced_loss(each, reduction)


@public("nn.functional.multi_margin_loss", fixed=lambda _given: ("multi_margin_loss", ("weight",)))
def multi_margin_loss(input: Node, target: Node, p: int = 1, margin: float = 1.0,
                      weight: Node | None = None, size_average: bool | None = None,
                      reduce: bool | None = None, reduction: str = "mean") -> Node:
    """sum over j of max(0, margin - x[target] + x[j])**p / C: the SVM's loss."""
    reduction = reduction_of(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    if input.ndim > 2 or not input.size:
        raise RuntimeError("Expected non-empty vector or matrix with optional 0-dim batch size, "
                           f"but got: {list(input.shape)}")
    if input.ndim == 0:
        input = a.reshape(input, (1,))
    if input.ndim == 1 and target.shape == (1,):
        target = a.reshape(target, ())
    if target.shape != input.shape[:-1]:
        raise RuntimeError(f"inconsistent target size, expected {list(input.shape[:-1])} but got "
                           f"{list(target.shape)}")
    classes = input.shape[-1]
    if weight is not None and weight.size != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got "
                           f"{list(weight.shape)}")
    if not within(target, 0, classes - 1):
        raise RuntimeError("target out of range")
    more = () if weight is None else (cast(weight, input.dtype),)
    return _multi_margin(input, cast(target, dt.int64), *more, p=int(p), margin=float(margin),
                         reduction=reduction)


@fused("multilabel_margin_loss", ("reduction",), infer=_row_infer)
def _multilabel_margin(x: Node, target: Node, reduction: str) -> Node:
    """sum over targets j and other classes i of max(0, 1 - x[j] + x[i]) / C.

    A row's targets end at its first negative entry.
    """
    last = x.ndim - 1
    classes = x.shape[last]
    open_ = a.eq(a.scan(cast(a.lt(target, 0), dt.int64), "add", last), 0)
    index = where(open_, target, 0)
    chosen = a.along(x, index, last)                                     # (..., C targets)
    hits = and_(a.eq(a.unsqueeze(index, last), a.unsqueeze(a.iota(x.shape, last), last + 1)),
                a.unsqueeze(open_, last))                                # (..., C classes, C)
    free = a.not_(a.any_(hits, (last + 1,)))                             # (..., C, 1)
    gap = a.max_(1 - a.unsqueeze(chosen, last) + a.unsqueeze(x, last + 1), 0)
    kept = and_(free, a.unsqueeze(open_, last))
    total = a.sum_(where(kept, gap, 0), (last, last + 1)) / classes
    return reduced_loss(a.squeeze(total, (last, last + 1)), reduction)


@public("nn.functional.multilabel_margin_loss")
def multilabel_margin_loss(input: Node, target: Node, size_average: bool | None = None,
                           reduce: bool | None = None, reduction: str = "mean") -> Node:
    """The hinge loss of several classes a sample; `target` lists them, -1 ends it."""
    reduction = reduction_of(size_average, reduce, reduction)
    if input.ndim > 2 or (input.ndim and not input.shape[-1]):
        raise RuntimeError("Expected non-empty vector or matrix with optional 0-dim batch size, "
                           f"but got: {list(input.shape)}")
    if target.shape != input.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: "
                           f"{list(input.shape)}")
    if target.size:
        if not within(target, -1, (input.shape[-1] if input.ndim else 1) - 1):
            raise RuntimeError("argument target is out of range")
    if input.ndim == 0:
        input, target = a.reshape(input, (1,)), a.reshape(target, (1,))
        out = _multilabel_margin(input, cast(target, dt.int64), reduction=reduction)
        return a.reshape(out, ())
    return _multilabel_margin(input, cast(target, dt.int64), reduction=reduction)


@fused("multilabel_soft_margin_loss", ("reduction",), infer=_row_infer)
def _multilabel_soft(x: Node, y: Node, *rest: Any) -> Node:
    *weight, reduction = rest
    last = x.ndim - 1
    # y log sigmoid(x) + (1 - y) log sigmoid(-x), each logarithm by a stable form
    tail = a.log1p(exp(a.neg(a.abs_(x))))
    each = y * (tail - a.min_(x, 0)) + (1 - y) * (tail + a.max_(x, 0))
    if weight:
        each = each * weight[0]
    each = a.squeeze(a.sum_(each, (last,)), (last,)) / x.shape[last]
    return reduced_loss(each, reduction)


@public("nn.functional.multilabel_soft_margin_loss")
def multilabel_soft_margin_loss(input: Node, target: Node, weight: Node | None = None,
                                size_average: bool | None = None, reduce: bool | None = None,
                                reduction: str = "mean") -> Node:
    """Binary cross entropy of logits, averaged over the classes."""
    reduction = reduction_of(size_average, reduce, reduction)
    x, y = promote_float(input, target)
    more = () if weight is None else (cast(weight, x.dtype),)
    shape = broadcast(x.shape, y.shape)
    return _multilabel_soft(a.expand(x, shape), y, *more, reduction=reduction)


# ---------------------------------------------------------------- pairs and triples


@elementwise_loss("cosine_embedding_loss", ("margin",))
def _cosine_embedding(cosine: Node, y: Node, margin: float) -> Node:
    near = where(a.eq(y, 1), 1 - cosine, 0)
    return near + where(a.eq(y, -1), a.max_(cosine - margin, 0), 0)


@public("torch.cosine_embedding_loss", "nn.functional.cosine_embedding_loss")
def cosine_embedding_loss(input1: Node, input2: Node, target: Node, margin: float = 0,
                          size_average: bool | None = None, reduce: bool | None = None,
                          reduction: str = "mean") -> Node:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1."""
    reduction = reduction_of(size_average, reduce, reduction)
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.ndim == 1 and not (input1.ndim == 2 and input2.ndim == 2):
        raise RuntimeError("1D target tensor expects 2D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")
    if target.ndim == 0 and not (input1.ndim == 1 and input2.ndim == 1):
        raise RuntimeError("0D target tensor expects 1D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")
    x1, x2 = promote_float(input1, input2)
    return _cosine_embedding(_plain_cosine(x1, x2), cast(target, x1.dtype), margin=float(margin),
                             reduction=reduction)


def _last_infer(x: Node, y: Node) -> tuple[Shape, dtype]:
    shape = a.add(x, y).shape
    return shape[:-1], x.dtype


@fused("plain_cosine", infer=_last_infer)
def _plain_cosine(x: Node, y: Node) -> Node:
    """x.y / sqrt((x.x + eps)(y.y + eps)) along the last dim: this loss's own cosine."""
    tiny = 1e-12

    def along(p: Node, q: Node) -> Node:
        product = p * q
        return a.squeeze(a.sum_(product, (product.ndim - 1,)), (product.ndim - 1,))
    return along(x, y) / a.sqrt((along(x, x) + tiny) * (along(y, y) + tiny))


@public("torch.triplet_margin_loss", "nn.functional.triplet_margin_loss")
def triplet_margin_loss(anchor: Node, positive: Node, negative: Node, margin: float = 1.0,
                        p: float = 2, eps: float = 1e-6, swap: bool = False,
                        size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean") -> Node:
    """max(0, |anchor - positive| - |anchor - negative| + margin), p-norms."""
    reduction = reduction_of(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("The anchor, positive, and negative tensors are expected to have the "
                           f"same number of dimensions, but got: anchor {anchor.ndim}D, positive "
                           f"{positive.ndim}D, and negative {negative.ndim}D inputs")
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = a.min_(far, pairwise_distance(positive, negative, p, eps))
    return hinge(near, far, margin, reduction)


@elementwise_loss("triplet_hinge", ("margin",))
def _triplet(near: Node, far: Node, margin: float) -> Node:
    return a.max_(margin + near - far, 0)


def hinge(near: Node, far: Node, margin: float, reduction: str) -> Node:
    """max(0, margin + near - far), reduced: what triplet losses with any distance end in."""
    x, y = promote(near, far)
    return _triplet(x, y, margin=float(margin), reduction=reduction)


public("nn.functional._triplet_hinge")(hinge)
