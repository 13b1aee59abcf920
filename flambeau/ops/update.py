"""Optimizer rules: each new value of a parameter or of its state is one node.

In: the nodes of a parameter, its gradient and its state, and numbers. What changes from step to
step (lr, bias corrections) is an input of the program, so that a schedule does not recompile; the
rest is folded until it is seen to vary. Out: the new values, as nodes, by PyTorch's formulas and in
its order.

    adam(p, g, m, v)  ->  m' = lerp(m, g, 1 - b1);  v' = v * b2 + g * g * (1 - b2)
                          p' = p - step_size * m' / (sqrt(v') / correction + eps)
"""
from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..core.traced import Traced
from ..core.follow import watch
from ..graph.node import Node
from ..graph.primitive import scalar
from . import algebra as a
from .algebra import where
from .fused import fused, of_first, wide_type
from .table import public


# All parameters of a step share the nodes of their numbers.
_number = lru_cache(maxsize=256)(scalar)


def _given(like: Node, value: float) -> Node:
    """A hyper-parameter that is the same at most steps."""
    return _number(value, wide_type(like.dtype))


def _changing(like: Node, value: Any) -> Node:
    """A number that is another one at every step, or a tensor (a learning rate held in one)."""
    kind = wide_type(like.dtype)
    if isinstance(value, Node):
        return a.cast(a.reshape(value, ()), kind)
    if type(value) is Traced:
        return _traced(value, kind)
    return _number(value, kind, True)


def _traced(value: Traced, kind: Any) -> Node:
    """The node of a number that a recording follows: one for all parameters."""
    known = {} if watch.recorder is None else watch.recorder.numbers
    key = (value.formula, kind)
    if key not in known:
        known[key] = scalar(value, kind, True)
    return known[key]


# ---------------------------------------------------------------- the gradient as the rule sees it


def _seen(p: Node, g: Node, decay: Node, maximize: bool, decays: bool) -> Node:
    """The gradient, turned round to maximise, with the weight decay that joins it."""
    g = a.neg(g) if maximize else g
    return g + p * decay if decays else g


_SEEN = ("maximize", "decays")


# ---------------------------------------------------------------- SGD


@fused("sgd_buffer", _SEEN, infer=of_first)
def _sgd_buffer(p: Node, g: Node, buf: Node, momentum: Node, fresh: Node, decay: Node,
                maximize: bool, decays: bool) -> Node:
    return buf * momentum + _seen(p, g, decay, maximize, decays) * fresh


@fused("sgd_first", _SEEN, infer=of_first)
def _sgd_first(p: Node, g: Node, decay: Node, maximize: bool, decays: bool) -> Node:
    return _seen(p, g, decay, maximize, decays)


@fused("sgd_plain", _SEEN, infer=of_first)
def _sgd_plain(p: Node, g: Node, lr: Node, decay: Node, maximize: bool, decays: bool) -> Node:
    return p - _seen(p, g, decay, maximize, decays) * lr


@fused("sgd_momentum", infer=of_first)
def _sgd_momentum(p: Node, buf: Node, lr: Node) -> Node:
    return p - buf * lr


@fused("sgd_nesterov", _SEEN, infer=of_first)
def _sgd_nesterov(p: Node, g: Node, buf: Node, lr: Node, momentum: Node, decay: Node,
                  maximize: bool, decays: bool) -> Node:
    return p - (_seen(p, g, decay, maximize, decays) + buf * momentum) * lr


@public("_optim.sgd", out=False)
def sgd(p: Node, g: Node, buf: Node | None, *, lr: Any, momentum: float = 0.0,
        dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False,
        maximize: bool = False) -> tuple[Node, Node | None]:
    """(new parameter, new momentum buffer or None). `buf` is None at the first step."""
    seen = {"maximize": bool(maximize), "decays": weight_decay != 0}
    rate, decay = _changing(p, lr), _given(p, weight_decay)
    if not momentum:
        return _sgd_plain(p, g, rate, decay, **seen), None
    keep = _given(p, momentum)
    if buf is None:
        buf = _sgd_first(p, g, decay, **seen)
    else:
        buf = _sgd_buffer(p, g, buf, keep, _given(p, 1 - dampening), decay, **seen)
    if nesterov:
        return _sgd_nesterov(p, g, buf, rate, keep, decay, **seen), buf
    return _sgd_momentum(p, buf, rate), buf


# ---------------------------------------------------------------- Adam


@fused("adam_exp_avg", _SEEN, infer=of_first)
def _exp_avg(m: Node, p: Node, g: Node, fresh: Node, decay: Node, maximize: bool,
             decays: bool) -> Node:
    """lerp(m, g, fresh): from the nearer end, as torch.lerp."""
    way = _seen(p, g, decay, maximize, decays) - m
    return where(a.lt(fresh, 0.5), m + fresh * way, (m + way) - way * (1 - fresh))


@fused("adam_exp_avg_sq", _SEEN, infer=of_first)
def _exp_avg_sq(v: Node, p: Node, g: Node, keep: Node, fresh: Node, decay: Node, maximize: bool,
                decays: bool) -> Node:
    seen = _seen(p, g, decay, maximize, decays)
    return v * keep + seen * seen * fresh


@fused("adam_param", ("shrinks",), infer=of_first)
def _adam_param(p: Node, m: Node, v: Node, step_size: Node, correction: Node, eps: Node,
                shrink: Node, shrinks: bool) -> Node:
    if shrinks:
        p = p * shrink
    return p - step_size * (m / (a.sqrt(v) / correction + eps))


@public("_optim.adam", out=False)
def adam(p: Node, g: Node, m: Node, v: Node, v_max: Node | None, *, step: float, lr: Any,
         beta1: float, beta2: float, eps: float, weight_decay: float = 0.0,
         decoupled: bool = False, maximize: bool = False,
         ) -> tuple[Node, Node, Node, Node | None]:
    """(new parameter, exp_avg, exp_avg_sq, max_exp_avg_sq or None) of step number `step` >= 1.

    `v_max` is given for amsgrad; `decoupled` is AdamW's weight decay.
    """
    seen = {"maximize": bool(maximize), "decays": weight_decay != 0 and not decoupled}
    decay = _given(p, weight_decay)
    m = _exp_avg(m, p, g, _given(p, 1 - beta1), decay, **seen)
    v = _exp_avg_sq(v, p, g, _given(p, beta2), _given(p, 1 - beta2), decay, **seen)
    if v_max is not None:
        v_max = a.max_(v_max, v)
    shrinks = weight_decay != 0 and decoupled
    bias1 = 1 - beta1 ** step
    bias2 = (1 - beta2 ** step) ** 0.5
    if isinstance(lr, Node):
        size = _changing(p, lr) / bias1
        shrink = 1 - _changing(p, lr) * weight_decay
    else:
        size = _changing(p, lr / bias1)
        shrink = _changing(p, 1 - lr * weight_decay)
    new = _adam_param(p, m, v if v_max is None else v_max, size, _changing(p, bias2),
                      _given(p, eps), shrink, shrinks=shrinks)
    return new, m, v, v_max


# ---------------------------------------------------------------- RMSprop, Adagrad


@fused("rmsprop_param", ("centered",), infer=of_first)
def _rmsprop_step(g: Node, square: Node, mean: Node, eps: Node, centered: bool) -> Node:
    """g / (sqrt(square - mean^2) + eps)."""
    size = a.sqrt(square - mean * mean) if centered else a.sqrt(square)
    return g / (size + eps)


@fused("scaled_add", infer=of_first)
def _scaled_add(p: Node, way: Node, size: Node) -> Node:
    return p + way * size


@public("_optim.rmsprop", out=False)
def rmsprop(p: Node, g: Node, square: Node, buf: Node | None, mean: Node | None, *, lr: Any,
            alpha: float, eps: float, weight_decay: float = 0.0, momentum: float = 0.0,
            maximize: bool = False) -> tuple[Node, Node, Node | None, Node | None]:
    """(new parameter, square_avg, momentum_buffer or None, grad_avg or None)."""
    decay = _given(p, weight_decay)
    seen = {"maximize": bool(maximize), "decays": weight_decay != 0}
    square = _exp_avg_sq(square, p, g, _given(p, alpha), _given(p, 1 - alpha), decay, **seen)
    if mean is not None:
        mean = _exp_avg(mean, p, g, _given(p, 1 - alpha), decay, **seen)
    shown = _sgd_first(p, g, decay, **seen)
    way = _rmsprop_step(shown, square, square if mean is None else mean, _given(p, eps),
                        centered=mean is not None)
    rate = _changing(p, lr)
    if buf is None:
        return _sgd_momentum(p, way, rate), square, None, mean
    buf = _scaled_add(way, buf, _given(p, momentum))
    return _sgd_momentum(p, buf, rate), square, buf, mean


@fused("adagrad_sum", _SEEN, infer=of_first)
def _adagrad_sum(total: Node, p: Node, g: Node, decay: Node, maximize: bool, decays: bool) -> Node:
    seen = _seen(p, g, decay, maximize, decays)
    return total + seen * seen


@fused("adagrad_param", _SEEN, infer=of_first)
def _adagrad_param(p: Node, g: Node, total: Node, rate: Node, eps: Node, decay: Node,
                   maximize: bool, decays: bool) -> Node:
    return p - rate * (_seen(p, g, decay, maximize, decays) / (a.sqrt(total) + eps))


@public("_optim.adagrad", out=False)
def adagrad(p: Node, g: Node, total: Node, *, step: float, lr: Any, lr_decay: float, eps: float,
            weight_decay: float = 0.0, maximize: bool = False) -> tuple[Node, Node]:
    """(new parameter, new sum of squares) of step number `step` >= 1."""
    decay = _given(p, weight_decay)
    seen = {"maximize": bool(maximize), "decays": weight_decay != 0}
    slowing = 1 + (step - 1) * lr_decay
    rate = _changing(p, lr) / slowing if isinstance(lr, Node) else _changing(p, lr / slowing)
    total = _adagrad_sum(total, p, g, decay, **seen)
    return _adagrad_param(p, g, total, rate, _given(p, eps), decay, **seen), total
