"""One program a step: counts that cost no computation, and one realisation of all new values.

In: the parameters and state that an optimizer has written, which are pending nodes. Out: their
values, computed together with the loss that was differentiated (they share the forward pass).

The rules of `ops/update` work on nodes: one for each new value.
A count (step, mu_product, eta) is a tensor whose storage is a number of the program: writing it
makes one node without sources, and reading it back needs no computation.
"""
from __future__ import annotations

from typing import Any

from ..autograd.api import moved, recent
from ..core.traced import plain
from ..core.follow import watch
from ..graph.node import Node
from ..graph.primitive import SCALAR, scalar
from ..graph.realize import realize
from ..nn.base import Tensor
from ..tensor.functionalize import read, store


def number(t: Any) -> float:
    """The value of a tensor without dims, known at once if `assign` wrote it."""
    if not isinstance(t, Tensor):
        return float(t)
    node = t._storage.value
    if node.op is SCALAR and node.value is None:
        held = node.attrs[0]
        return held if watch.recorder is not None else plain(held)
    return float(t)


def assign(t: Any, value: float) -> None:
    """Write a number into a tensor without dims."""
    store(t, scalar(value, t.dtype, varies=True))


def rate(lr: Any) -> Any:
    """A learning rate as the rules of `ops/update` want it: a number, or the node of a tensor."""
    return read(lr) if isinstance(lr, Tensor) else lr


def advance(step: Any) -> float:
    """Add one to a step tensor, in place; returns the count."""
    count = number(step) + 1
    store(step, scalar(count, step.dtype, varies=True))
    return count


def computed(t: Any) -> Any:
    """The tensor, its value computed now: what is done with it next does not carry its history."""
    realize([n for n in [t._storage.value] if n.value is None and n.src])
    return t


def settle(state: dict[str, Any]) -> None:
    """Compute a parameter's first state, so that the first step is the others' program."""
    nodes = [v._storage.value for v in state.values() if isinstance(v, Tensor)]
    realize([n for n in nodes if n.value is None and n.src])


def run(param_groups: list[dict[str, Any]], state: Any) -> None:
    """Compute the new values of all parameters and their state."""
    pending: list[Node] = []
    for ref in recent:
        root = ref()
        if root is not None:
            pending.append(read(root))
    recent.clear()
    pending += [t._storage.value for t in (ref() for ref in moved) if t is not None]
    moved.clear()
    for group in param_groups:
        for p in group["params"]:
            pending.append(p._storage.value)
            own = state.get(p)
            if own:
                for value in own.values():
                    if isinstance(value, Tensor):
                        pending.append(value._storage.value)
    realize([n for n in pending if n.value is None and n.src])
