"""Connectionist temporal classification (Graves et al. 2006, equations 6 to 16), in NumPy.

In: log probabilities (T, N, C), targets, lengths. Out: the negative log likelihood, a node. The
recursion over time has a host step for itself, vectorised over the batch and the labels.

    ctc_loss(x, targets, input_lengths, target_lengths)  ->  host("ctc", x, ...) 0: losses, 1: slope
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Op, Shape
from ..graph.primitive import HOST, HOST_FUNCTIONS
from . import algebra as a
from .algebra import cast, where
from .known import array, constant
from .loss import reduced_loss, reduction_of
from .table import public

Array = np.ndarray[Any, Any]


def _labels(targets: Array, blank: int) -> Array:
    """(N, 2S + 1): a blank before, between and after the targets."""
    out = np.full((targets.shape[0], 2 * targets.shape[1] + 1), blank, np.int64)
    out[:, 1::2] = targets
    return out


def _shift(x: Array, by: int) -> Array:
    out = np.full_like(x, -np.inf)
    if by < x.shape[1]:
        out[:, by:] = x[:, :x.shape[1] - by]
    return out


def _forward(emit: Array, skips: Array, first: Array) -> Array:
    """alpha (T, N, L): log probability of all ways to label s by time t."""
    alpha = np.full_like(emit, -np.inf)
    alpha[0] = np.where(first, emit[0], -np.inf)
    for t in range(1, emit.shape[0]):
        before = alpha[t - 1]
        two = np.where(skips, _shift(before, 2), -np.inf)
        alpha[t] = np.logaddexp(np.logaddexp(before, _shift(before, 1)), two) + emit[t]
    return alpha


def _ctc(x: Array, targets: Array, in_lengths: Array, out_lengths: Array,
         blank: int) -> tuple[Array, Array]:
    """Losses (N,), and their gradient by x as PyTorch has it: exp(x) minus the posterior."""
    steps, batch, classes = x.shape
    labels = _labels(targets, blank)
    size = labels.shape[1]
    losses = np.zeros(batch)
    slope = np.zeros((steps, batch, classes))
    wide = x.astype(np.float64)
    for n in range(batch):
        # one sample at a time: its lengths say where it starts from the end
        length, labelled = int(in_lengths[n]), 2 * int(out_lengths[n]) + 1
        row = labels[n:n + 1, :min(labelled, size)]
        losses[n] = _sample(wide[:length, n], row, slope[:length, n])
    return losses.astype(x.dtype), slope.astype(x.dtype)


def _sample(x: Array, row: Array, slope: Array) -> float:
    """The loss of one sample (T, C) with labels (1, L); writes its gradient to `slope` (T, C)."""
    size = row.shape[1]
    if not len(x):
        return 0.0 if size == 1 else np.inf
    emit = x[:, row]                                                    # (T, 1, L)
    skips = np.zeros(row.shape, bool)
    skips[:, 2:] = (np.arange(2, size) % 2 == 1) & (row[:, 2:] != row[:, :-2])
    first = np.arange(size)[None] < 2
    back = np.zeros(row.shape, bool)
    back[:, 2:] = skips[:, :1:-1] if size > 2 else back[:, 2:]
    with np.errstate(all="ignore"):
        alpha = _forward(emit, skips, first)
        beta = _forward(emit[::-1, :, ::-1], back, first)[::-1, :, ::-1]
        total = np.logaddexp.reduce(alpha[-1, 0, max(size - 2, 0):])
        chance = np.exp(alpha + beta - emit - total)[:, 0]              # (T, L)
    slope[...] = np.exp(x)
    for s in range(size):
        slope[:, row[0, s]] -= chance[:, s]
    return float(-total)


HOST_FUNCTIONS["ctc"] = _ctc


def _infer(x: Node, *rest: Any) -> tuple[Shape, dtype]:
    return (x.shape[1],), x.dtype


def _expand(x: Node, t: Node, i: Node, o: Node, blank: int) -> Node:
    return HOST(x, t, i, o, name="ctc", args=(blank,), which=0, shape=(x.shape[1],), dtype=x.dtype)


def _slope(g: Node, _out: Node, x: Node, t: Node, i: Node, o: Node,
           blank: int) -> tuple[Node | None, ...]:
    slope = HOST(x, t, i, o, name="ctc", args=(blank,), which=1, shape=x.shape, dtype=x.dtype)
    each = a.reshape(g, (1, g.size, 1))
    return where(a.eq(each, 0), 0, each * slope), None, None, None


CTC = Op("ctc_loss", _infer, params=("blank",), expand=_expand, vjp=_slope)


def _lengths(value: Node | Sequence[int]) -> Array:
    return array(value).astype(np.int64).reshape(-1) if isinstance(value, Node) else np.array(
        value, np.int64).reshape(-1)


def _padded(targets: Node, lengths: Array, batch: int) -> Node:
    """Targets laid end to end as rows."""
    if targets.ndim == 2:
        return cast(targets, dt.int64)
    values, longest = array(targets), int(lengths.max()) if lengths.size else 0
    rows = np.zeros((batch, longest), np.int64)
    at = 0
    for n, length in enumerate(lengths):
        rows[n, :length] = values[at:at + length]
        at += length
    return constant(rows)


@public("nn.functional.ctc_loss")
def ctc_loss(log_probs: Node, targets: Node, input_lengths: Node | Sequence[int],
             target_lengths: Node | Sequence[int], blank: int = 0, reduction: str = "mean",
             zero_infinity: bool = False) -> Node:
    """"mean" divides each loss by its target's length first."""
    reduction = reduction_of(None, None, reduction)
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional "
                           "tensor for argument #1 'log_probs' (while checking arguments for "
                           "ctc_loss_allocate_outputs)")
    x = log_probs if log_probs.ndim == 3 else a.unsqueeze(log_probs, 1)
    if log_probs.ndim == 2 and targets.ndim == 1:
        targets = a.unsqueeze(targets, 0)
    steps, batch, classes = x.shape
    ins, outs = _lengths(input_lengths), _lengths(target_lengths)
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, lengths in (("input_lengths", ins), ("target_lengths", outs)):
        if lengths.size != batch:
            raise RuntimeError(f"{name} must be of size batch_size")
    if ins.size and (ins.max() > steps or ins.min() < 0):
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value "
                           f"{int(ins.max())}")
    out = CTC(x, _padded(targets, outs, batch), constant(ins), constant(outs), blank=blank)
    if zero_infinity:
        out = where(a.isinf(out), 0, out)
    if reduction == "mean":
        out = reduced_loss(out / constant(np.maximum(outs, 1).astype(x.dtype.numpy)), "mean")
    elif reduction == "sum":
        out = reduced_loss(out, "sum")
    return a.reshape(out, ()) if log_probs.ndim == 2 and out.size == 1 else out
