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
    return leaf(x)


def leaf(x: Any) -> Any:
    """A new leaf of a tensor's values, which knows when it was made."""
    made = x.detach().requires_grad_()
    made._made_at = moment()
    return made


def released(result: Any, since: int) -> Any:
    """A result without history, unless that leads beyond the leaves made since a moment."""
    def one(t: Any) -> Any:
        if not isinstance(t, Tensor) or not f.requires_grad(t):
            return t
        return t if _leads_out(t, since) else t.detach()

    return tree_map(one, result)


def _leads_out(t: Tensor, since: int) -> bool:
    edge = f.edge_of(t)
    seen: set[GradFn] = set()
    stack = [] if edge is None else [edge[0]]
    while stack:
        fn = stack.pop()
        if fn in seen:
            continue
        seen.add(fn)
        if isinstance(fn, AccumulateGrad):
            if getattr(fn.variable, "_made_at", -1) < since:
                return True
        elif fn.sequence < since:
            return True
        else:
            stack.extend(e[0] for e in fn.edges if e is not None)
    return False
