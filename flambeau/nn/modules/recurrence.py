"""Recurrent layers: how a sequence runs through the layers and directions of a network.

In: an input (T, N, features), or packed steps of shrinking batches, the weights of every layer and
direction, and the first states. Out: outputs of the last layer and the last states of all. Each
layer and direction is one loop (`ops/recurrent`).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...tensor.names import PUBLIC
from .. import functional as F
from ..base import Tensor, torch

State = tuple[Tensor, ...]
_VF = PUBLIC["_VF"]


@dataclass(frozen=True, slots=True)
class Packing:
    """How packed steps lie among steps of full batches (T, N).

    padded  (T * N,): for each step and row, the packed row to read (any, if it has ended)
    packed  the places of the packed rows in (T * N)
    mask    (T, N, 1): whether the row takes part
    """

    steps: int
    padded: Tensor
    packed: Tensor
    mask: Tensor

    def spread(self, x: Tensor) -> Tensor:
        """Packed rows as full steps (T, N, features)."""
        return x.index_select(0, self.padded).view(self.steps, -1, x.size(-1))

    def gather(self, x: Tensor) -> Tensor:
        """Full steps as packed rows."""
        return x.reshape(-1, x.size(-1)).index_select(0, self.packed)


def packing(batch_sizes: Sequence[int]) -> Packing:
    """The places of steps whose batches shrink."""
    steps, rows = len(batch_sizes), batch_sizes[0]
    padded, packed, mask = [], [], []
    begin = 0
    for t, size in enumerate(batch_sizes):
        padded += [begin + min(r, size - 1) for r in range(rows)]
        packed += [t * rows + r for r in range(size)]
        mask += [r < size for r in range(rows)]
        begin += size
    return Packing(steps, torch.tensor(padded), torch.tensor(packed),
                   torch.tensor(mask).view(steps, rows, 1))


def step(mode: str, gates: Tensor, state: State, w_hh: Tensor, b_hh: Any) -> State:
    """One step: `gates` is the input's share of the gates, bias included."""
    # Autocast may have chosen another type for the products.
    w_hh, b_hh = (w if w is None else w.to(gates.dtype) for w in (w_hh, b_hh))
    if mode.startswith("RNN"):
        state = tuple(s.to(gates.dtype) for s in state)
    made: State = _VF["_recurrent_step"](mode, gates, list(state), w_hh, b_hh)
    return made


def _direction(mode: str, x: Tensor, packed: Packing | None, first: State, weights: Sequence[Any],
               bias: bool, back: bool) -> tuple[Tensor, State]:
    """One layer in one direction: its outputs, its last states."""
    w_ih, w_hh, *more = weights
    b_ih, b_hh = more[:2] if bias else (None, None)
    w_hr = more[-1] if len(more) > (2 if bias else 0) else None
    gates = F.linear(x, w_ih, b_ih)
    # Autocast may have chosen another type for the products.
    w_hh, b_hh, w_hr = (w if w is None else w.to(gates.dtype) for w in (w_hh, b_hh, w_hr))
    lower = gates.dtype != first[0].dtype and packed is None and mode != "GRU"
    if lower and w_hr is None:
        first = tuple(s.to(gates.dtype) for s in first)
    mask = None if packed is None else packed.mask
    outputs, *last = _VF["_recurrent"](mode, gates if packed is None else packed.spread(gates),
                                       list(first), w_hh, b_hh, w_hr, mask, back)
    if lower and w_hr is not None:
        outputs, last[0] = outputs.to(gates.dtype), last[0].to(gates.dtype)
    return outputs if packed is None else packed.gather(outputs), tuple(last)


def run(mode: str, input: Tensor, batch_sizes: list[int] | None, first: State,
        weights: list[list[Any]], bias: bool, dropout: float, training: bool,
        bidirectional: bool) -> tuple[Tensor, State]:
    """All layers of a recurrent network.

    input        (T, N, features), or (sum of batch_sizes, features) if packed
    first        per state (layers * directions, N, size)
    weights      per layer and direction: w_ih, w_hh, [b_ih, b_hh], [w_hr]
    """
    if input.size(0) == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    directions = 2 if bidirectional else 1
    layers = len(weights) // directions
    packed = None if batch_sizes is None else packing(batch_sizes)
    last: list[State] = []
    x = input
    for layer in range(layers):
        results = []
        for direction in range(directions):
            k = layer * directions + direction
            outputs, state = _direction(mode, x, packed, tuple(s[k] for s in first), weights[k],
                                        bias, bool(direction))
            last.append(state)
            results.append(outputs)
        x = torch.cat(results, -1) if bidirectional else results[0]
        if dropout > 0 and layer < layers - 1:
            x = F.dropout(x, dropout, training)
    return x, tuple(torch.stack([s[i] for s in last]) for i in range(len(first)))
