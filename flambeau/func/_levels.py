"""What the transforms of functions share: fresh inputs, and results cut off where they can be.

In: tensors of a caller, who may himself differentiate. Out: tensors to differentiate by; results
that keep their history only if it leads to something of the caller's.
"""
from __future__ import annotations

from typing import Any

from ..autograd.tape import AccumulateGrad, GradFn
from ..tensor import functionalize as f
from ..tensor.tensor import Tensor
from ..core.pytree import tree_map


def moment() -> int:
    """A number between the sequence numbers of the steps made before and after."""
    return GradFn(()).sequence


def fresh(x: Any) -> Any:
    """A tensor to differentiate by: an alias of what the caller differentiates, else a new leaf."""
    if not isinstance(x, Tensor):
        return x
    if x.dtype.kind not in "fc":
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    if f.requires_grad(x):
        return x.view_as(x)
    return x.detach().requires_grad_()


def released(result: Any, own: list[Any], since: int) -> Any:
    """A result without history, unless that leads beyond the inputs that a transform made."""
    mine = {id(t) for t in own if isinstance(t, Tensor)}
    # The names of leaves must outlive the walk, so that none is made twice.
    edges = [f.edge_of(t) for t in own if isinstance(t, Tensor)]

    def one(t: Any) -> Any:
        if not isinstance(t, Tensor) or not f.requires_grad(t):
            return t
        return t if _leads_out(t, mine, since) else t.detach()

    made = tree_map(one, result)
    del edges
    return made


def _leads_out(t: Tensor, mine: set[int], since: int) -> bool:
    edge = f.edge_of(t)
    seen: set[GradFn] = set()
    stack = [] if edge is None else [edge[0]]
    while stack:
        fn = stack.pop()
        if fn in seen:
            continue
        seen.add(fn)
        if isinstance(fn, AccumulateGrad):
            if id(fn.variable) not in mine:
                return True
        elif fn.sequence < since:
            return True
        else:
            stack.extend(e[0] for e in fn.edges if e is not None)
    return False
