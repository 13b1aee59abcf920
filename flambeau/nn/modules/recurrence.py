"""Recurrent layers step by step: what one step computes, and how a sequence runs through it.

In: an input (T, N, features), or packed steps of shrinking batches, the weights of every layer and
direction, and the first states. Out: outputs of the last layer and the last states of all.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import functional as F
from ..base import Tensor, torch

State = tuple[Tensor, ...]
# (the input's share of the gates, the state, w_hh, b_hh, w_hr) -> the next state, h first
Step = Callable[[Tensor, State, Tensor, Any, Any], State]


def rnn_tanh_step(x: Tensor, state: State, w_hh: Tensor, b_hh: Any, w_hr: Any) -> State:
    """h' = tanh(x + W h + b)."""
    return (torch.tanh(x + F.linear(state[0], w_hh, b_hh)),)


def rnn_relu_step(x: Tensor, state: State, w_hh: Tensor, b_hh: Any, w_hr: Any) -> State:
    """h' = relu(x + W h + b)."""
    return (torch.relu(x + F.linear(state[0], w_hh, b_hh)),)


def lstm_step(x: Tensor, state: State, w_hh: Tensor, b_hh: Any, w_hr: Any) -> State:
    """c' = f c + i g, h' = o tanh(c'), h' projected by w_hr if given."""
    h, c = state
    i, f, g, o = (x + F.linear(h, w_hh, b_hh)).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return (h if w_hr is None else F.linear(h, w_hr), c)


def gru_step(x: Tensor, state: State, w_hh: Tensor, b_hh: Any, w_hr: Any) -> State:
    """n = tanh(x_n + r h_n), h' = n + z (h - n)."""
    h = state[0]
    x_r, x_z, x_n = x.chunk(3, -1)
    h_r, h_z, h_n = F.linear(h, w_hh, b_hh).chunk(3, -1)
    r = torch.sigmoid(x_r + h_r)
    z = torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (n + z * (h - n),)


STEPS: dict[str, Step] = {"RNN_TANH": rnn_tanh_step, "RNN_RELU": rnn_relu_step,
                          "LSTM": lstm_step, "GRU": gru_step}


def _forwards(step: Step, xs: Sequence[Tensor], first: State,
              weights: tuple[Any, ...]) -> tuple[list[Tensor], State]:
    """First step to last; rows whose sequence has ended leave with their state."""
    state = first
    outputs = []
    ended: list[State] = []
    for x in xs:
        size = x.size(0)
        if size < state[0].size(0):
            ended.append(tuple(s[size:] for s in state))
            state = tuple(s[:size] for s in state)
        state = step(x, state, *weights)
        outputs.append(state[0])
    if ended:
        rows = [state, *reversed(ended)]
        state = tuple(torch.cat([r[i] for r in rows]) for i in range(len(state)))
    return outputs, state


def _backwards(step: Step, xs: Sequence[Tensor], first: State,
               weights: tuple[Any, ...]) -> tuple[list[Tensor], State]:
    """Last step to first; rows join with their first state when their sequence begins."""
    state = tuple(s[:xs[-1].size(0)] for s in first)
    outputs = []
    for x in reversed(xs):
        have, size = state[0].size(0), x.size(0)
        if size > have:
            state = tuple(torch.cat([s, f[have:size]]) for s, f in zip(state, first))
        state = step(x, state, *weights)
        outputs.append(state[0])
    return outputs[::-1], state


def run(mode: str, input: Tensor, batch_sizes: list[int] | None, first: State,
        weights: list[list[Any]], bias: bool, dropout: float, training: bool,
        bidirectional: bool) -> tuple[Tensor, State]:
    """All layers of a recurrent network.

    input        (T, N, features), or (sum of batch_sizes, features) if packed
    first        per state (layers * directions, N, size)
    weights      per layer and direction: w_ih, w_hh, [b_ih, b_hh], [w_hr]
    """
    step = STEPS[mode]
    directions = 2 if bidirectional else 1
    layers = len(weights) // directions
    last: list[State] = []
    x = input
    for layer in range(layers):
        results = []
        for direction in range(directions):
            k = layer * directions + direction
            w_ih, w_hh, *more = weights[k]
            b_ih, b_hh = more[:2] if bias else (None, None)
            w_hr = more[-1] if len(more) > (2 if bias else 0) else None
            gates = F.linear(x, w_ih, b_ih)
            xs = gates.unbind(0) if batch_sizes is None else gates.split(batch_sizes)
            walk = _backwards if direction else _forwards
            outputs, state = walk(step, xs, tuple(s[k] for s in first), (w_hh, b_hh, w_hr))
            last.append(state)
            results.append(torch.stack(outputs) if batch_sizes is None else torch.cat(outputs))
        x = torch.cat(results, -1) if bidirectional else results[0]
        if dropout > 0 and layer < layers - 1:
            x = F.dropout(x, dropout, training)
    return x, tuple(torch.stack([s[i] for s in last]) for i in range(len(first)))
