"""The tape's entries: a step for every node between a call's inputs and its result.

In: nodes and the edges of the inputs. Out: steps (`autograd.tape.OpGradFn`), which keep the nodes
that their derivative reads and SPEC nodes in place of the others.
"""
from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import state
from ..autograd.tape import GradFn, OpGradFn
from ..graph.node import Node
from ..graph.primitive import spec
from .labels import of_op
from .storage import INFERENCE
from .tensor import Tensor

Edge = tuple[GradFn, int]
Inputs = dict[int, Tensor]

_specs: dict[Any, Node] = {}


def spec_of(node: Node) -> Node:
    """A stand-in for a node whose value backward does not read; one for each shape and dtype."""
    key = (node.shape, node.dtype)
    found = _specs.get(key)
    if found is None:
        if len(_specs) > 4096:
            _specs.clear()
        found = _specs[key] = spec(*key)
    return found


# ---------------------------------------------------------------- the tape


# What hands saved values to saved_tensors_hooks; `gradients` puts it here.
_packer: list[Any] = [None]


def step(node: Node, cls: type[OpGradFn], edges: tuple[Edge | None, ...], inputs: Inputs,
         counter: Any, own: Tensor | None = None) -> OpGradFn:
    """The tape entry of one node; `counter` counts the writes to its result, if a tensor has it.

    `own` is the tensor that this call is about to write: its count will be one more.
    """
    op = node.op
    src = node.src
    keep_out, keep = op.saved(len(src))
    stores: tuple[Any, ...] = ()
    kept = []
    for s, read_in_backward in zip(src, keep):
        if not read_in_backward:
            kept.append(_specs.get((s.shape, s.dtype)) or spec_of(s))
            continue
        t = inputs.get(id(s))
        # An in-place step keeps its own copy of the old value.
        if t is not None and t is not own:
            count = t._counter
            if count is INFERENCE:
                raise RuntimeError(
                    "Inference tensors cannot be saved for backward. Please do not use Tensors "
                    "created in inference mode in computation tracked by autograd. To work around "
                    "this, you can make a clone to get a normal tensor and use it in autograd, or "
                    "use `torch.no_grad()` instead of `torch.inference_mode()`.")
            stores += ((len(kept), count, count.version),)
        kept.append(s)
    if keep_out:
        out = node
        if counter is not None:
            stores += ((-1, counter, counter.version + (own is not None)),)
    else:
        out = _specs.get((node.shape, node.dtype)) or spec_of(node)
    fn = cls(op, node.attrs, out, tuple(kept), edges, stores, node.origin)
    if state.pack:
        _packer[0](fn, inputs)
    return fn


def tape(out: Node, edges: dict[int, Edge | None], cls: type[OpGradFn],
         inputs: Inputs | None = None, counter: Any = None, own: Tensor | None = None,
         ) -> GradFn | None:
    """Entries for every node between the nodes of `edges` and `out`; the entry of `out`, or None.

    `edges` is extended by what is found, so that several results share their entries.
    """
    inputs = inputs or {}
    stack = [out]
    while stack:
        node = stack[-1]
        key = id(node)
        if key in edges or not node.src:
            edges.setdefault(key)
            stack.pop()
            continue
        src = node.src
        missing = [s for s in src if id(s) not in edges]
        if missing:
            stack += missing
            continue
        stack.pop()
        found = tuple([edges[id(s)] for s in src])
        if found.count(None) == len(found) or node.dtype.kind not in "fc":
            edges[key] = None
            continue
        last = node is out
        label = cls if last else of_op(node.op.name)
        edges[key] = (step(node, label, found, inputs, counter if last else None, own), 0)
    edge = edges[id(out)]
    return None if edge is None else edge[0]
