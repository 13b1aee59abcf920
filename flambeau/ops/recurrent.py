"""Recurrent layers as one loop: what a step computes, and a sequence's run through it.

In: the input's share of the gates of all steps, the first states, weights. Out: the outputs of all
steps and the last states. Called by `nn.modules.recurrence`.

    rnn_tanh:  h' = tanh(x + W h + b)
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from ..core.dtype import dtype
from ..graph.loop import Body, loop, make_body, part
from ..graph.node import Node, Shape
from ..graph.primitive import SPEC
from . import algebra as a
from .table import public

# (gates from the input, gates from the state, the states) -> the next states, then what the
# derivative reads
Step = Callable[[Node, Node, list[Node]], list[Node]]


def _rnn_tanh(x: Node, h: Node, states: list[Node]) -> list[Node]:
    return [a.tanh(x + h)]


def _rnn_relu(x: Node, h: Node, states: list[Node]) -> list[Node]:
    return [a.max_(x + h, 0)]


def _lstm(x: Node, h: Node, states: list[Node]) -> list[Node]:
    """Gates in the order i, f, g, o: c' = f c + i g, h' = o tanh(c')."""
    i, f, g, o = _split(x + h, 4)
    i, f, g, o = a.sigmoid(i), a.sigmoid(f), a.tanh(g), a.sigmoid(o)
    c = f * states[1] + i * g
    t = a.tanh(c)
    return [o * t, c, i, f, g, o, t]


def _gru(x: Node, h: Node, states: list[Node]) -> list[Node]:
    """n = tanh(x_n + r h_n), h' = n + z (h - n)."""
    x_r, x_z, x_n = _split(x, 3)
    h_r, h_z, h_n = _split(h, 3)
    r, z = a.sigmoid(x_r + h_r), a.sigmoid(x_z + h_z)
    n = a.tanh(x_n + r * h_n)
    return [n + z * (states[0] - n), r, z, n, h_n]


STEPS: dict[str, Step] = {"RNN_TANH": _rnn_tanh, "RNN_RELU": _rnn_relu, "LSTM": _lstm,
                          "GRU": _gru}


def _split(x: Node, count: int) -> list[Node]:
    width = x.shape[-1] // count
    return [a.narrow(x, x.ndim - 1, k * width, width) for k in range(count)]


def _product(x: Node, w: Node) -> Node:
    """x @ w.T, in the type of w."""
    return a.dot(a.cast(x, w.dtype), w, (0, 2), (1, 2), (0, 1))


@lru_cache(maxsize=256)
def _body(mode: str, states: int, like: tuple[tuple[Shape, dtype], ...], bias: bool, project: bool,
          masked: bool) -> Body:
    """The body of a layer; `like`: states, gates of a step, mask?, w_hh, b_hh?, w_hr?."""
    def turn(given: list[Node]) -> Sequence[Node]:
        rest = iter(given)
        before = [next(rest) for _ in range(states)]
        x = next(rest)
        mask = next(rest) if masked else None
        h = _product(before[0], next(rest))
        if bias:
            h = h + next(rest)
        kind = before[0].dtype
        made = STEPS[mode](a.cast(x, kind), a.cast(h, kind), before)
        if project:
            made[0] = a.cast(_product(made[0], next(rest)), kind)
        if mask is not None:
            made[:states] = [a.where(mask, new, old) for new, old in zip(made, before)]
        return made

    nodes = [Node(SPEC, (), (shape, kind), shape, kind) for shape, kind in like]
    moving = states + 1 + masked
    return make_body(nodes[:states], nodes[states:moving], nodes[moving:], turn)


@public("_VF._recurrent", out=False)
def recurrent(mode: str, gates: Node, states: list[Node], w_hh: Node, b_hh: Node | None,
              w_hr: Node | None, mask: Node | None, back: bool) -> tuple[Node, ...]:
    """Run a layer in one direction: (outputs (T, N, width), last states ...).

    gates   (T, N, gates * hidden): the input's share, biases included
    states  h (N, width) and for LSTM c (N, hidden)
    mask    (T, N, 1) bool: where a row takes part in a step; elsewhere its states stay
    back    from the last step to the first
    """
    count = gates.shape[0]
    moving = [gates] if mask is None else [gates, mask]
    staying = [n for n in (w_hh, b_hh, w_hr) if n is not None]
    like = tuple((n.shape[m:], n.dtype) for m, group in enumerate((states, moving))
                 for n in group) + tuple((n.shape, n.dtype) for n in staying)
    body = _body(mode, len(states), like, b_hh is not None, w_hr is not None, mask is not None)
    block = loop(body, [*states, *moving, *staying], count, back)
    stacks = [part(block, body, count, k) for k in range(len(states))]
    outputs = a.narrow(stacks[0], 0, 0 if back else 1, count)
    last = [a.narrow(s, 0, 0 if back else count, 1) for s in stacks]
    return (outputs, *(a.reshape(s, s.shape[1:]) for s in last))


@public("_VF._recurrent_step", out=False)
def recurrent_step(mode: str, gates: Node, states: list[Node], w_hh: Node,
                   b_hh: Node | None) -> tuple[Node, ...]:
    """One step: the next states. `gates` (N, gates * hidden): the input's share."""
    h = _product(states[0], w_hh)
    h = h if b_hh is None else h + b_hh
    kind = states[0].dtype
    return tuple(STEPS[mode](a.cast(gates, kind), a.cast(h, kind), states)[:len(states)])
