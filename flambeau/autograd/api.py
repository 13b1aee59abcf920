"""`torch.autograd.backward` and `torch.autograd.grad`.

In: tensors, which are opaque here: `install` gives the few questions that are asked of them.
Out: gradients in `.grad`, or as a tuple.
"""
from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

from . import engine
from .profiler import record_function
from .tape import AccumulateGrad


class Tensors(Protocol):
    """What this file asks of a tensor."""

    def is_tensor(self, x: Any) -> bool: ...
    def edge(self, t: Any) -> Any: ...
    def requires(self, t: Any) -> bool: ...
    def ones(self, t: Any) -> Any: ...
    def zeros(self, t: Any) -> Any: ...
    def shape(self, t: Any) -> tuple[int, ...]: ...
    def dtype(self, t: Any) -> Any: ...
    def detach(self, t: Any) -> Any: ...


_tensors: list[Any] = [None]
# Weak references to the latest roots of `backward`: an optimizer's step computes their values (the
# loss) together with the new parameters, since they share the forward pass.
recent: deque[Any] = deque(maxlen=4)
# Tensors that a forward pass has moved (running statistics): an optimizer's step computes them too,
# or they would hold on to the activations they come from.
moved: deque[Any] = deque(maxlen=4096)


def install(tensors: Tensors) -> None:
    """Give this package, which knows no tensors, what it needs of them."""
    _tensors[0] = tensors


def tensors() -> Any:
    """What `install` was given."""
    return _tensors[0]


def _listed(x: Any) -> list[Any]:
    if _tensors[0].is_tensor(x) or x is None or not isinstance(x, Sequence):
        return [x]
    return list(x)


def _edge(output: Any) -> Any:
    return (output.node, output.output_nr) if hasattr(output, "output_nr") and hasattr(
        output, "node") else _tensors[0].edge(output)


def _roots(outputs: list[Any], grads: list[Any], create_graph: bool) -> list[Any]:
    """The edges to start from with their gradients, checked."""
    ask = _tensors[0]
    rules = engine.rules(create_graph)
    if len(outputs) != len(grads):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients")
    found = []
    for i, (out, g) in enumerate(zip(outputs, grads)):
        tensor = ask.is_tensor(out)
        if g is not None:
            if tensor and ask.shape(g) != ask.shape(out):
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{i}] has a shape of "
                    f"torch.Size({list(ask.shape(g))}) and output[{i}] has a shape of "
                    f"torch.Size({list(ask.shape(out))}).")
            if tensor and ask.dtype(g).is_complex != ask.dtype(out).is_complex:
                raise RuntimeError(
                    "For complex Tensors, both grad_output and output are required to have the "
                    f"same dtype. Mismatch in dtype: grad_output[{i}] has a dtype of "
                    f"{ask.dtype(g)} and output[{i}] has a dtype of {ask.dtype(out)}.")
        elif tensor and ask.requires(out):
            if any(n != 1 for n in ask.shape(out)):
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if ask.dtype(out).is_complex or not ask.dtype(out).is_floating_point:
                raise RuntimeError("grad can be implicitly created only for real scalar outputs "
                                   f"but got {ask.dtype(out)}")
            g = ask.ones(out)
        edge = _edge(out)
        if edge is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a "
                               "grad_fn")
        found.append((edge, None if g is None else rules.unwrap(g)))
    return found


def backward(tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None,
             create_graph: bool = False, grad_variables: Any = None, inputs: Any = None) -> None:
    """Accumulate d(sum of tensors * grad_tensors) into the `.grad` of leaves (or of `inputs`)."""
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError("`grad_tensors` and `grad_variables` (deprecated) arguments both "
                               "passed to `backward()`. Please only use `grad_tensors`.")
        grad_tensors = grad_variables
    wanted = None if inputs is None else _listed(inputs)
    if wanted is not None and not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    outputs = _listed(tensors)
    grads = [None] * len(outputs) if grad_tensors is None else _listed(grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    roots = _roots(outputs, grads, create_graph)
    recent.extend([weakref.ref(t) for t in outputs if _tensors[0].is_tensor(t)])
    if wanted is None:
        with record_function("backward"):
            engine.run(roots, retain_graph=keep, create_graph=create_graph)
        return
    edges = [_input_edge(i, t) for i, t in enumerate(wanted)]
    found = engine.run(roots, retain_graph=keep, create_graph=create_graph, capture=edges)
    rules = engine.rules(create_graph)
    done = set()
    for t, edge in zip(wanted, edges):
        g = found.get(edge)
        if g is not None and edge not in done:
            done.add(edge)
            rules.accumulate(t, g)
            if isinstance(edge[0], AccumulateGrad):
                for hook in list((t._auto.post or {}).values()):
                    hook(t)


def _input_edge(i: int, t: Any) -> Any:
    edge = _edge(t)
    if edge is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return edge


def grad(outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
         create_graph: bool = False, allow_unused: bool | None = None,
         is_grads_batched: bool = False, materialize_grads: bool = False) -> tuple[Any, ...]:
    """The gradients of outputs by inputs, as a tuple; nothing is accumulated."""
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when "
                         "materialize_grads=True, but got: allow_unused=False.")
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched=True is not supported by flambeau; call grad "
                                  "once for each row of grad_outputs")
    outs = _listed(outputs)
    wanted = _listed(inputs)
    grads = [None] * len(outs) if grad_outputs is None else _listed(grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    roots = _roots(outs, grads, create_graph)
    edges = [_input_edge(i, t) for i, t in enumerate(wanted)]
    found = engine.run(roots, retain_graph=keep, create_graph=create_graph, capture=edges)
    rules = engine.rules(create_graph)
    result = []
    for i, (t, edge) in enumerate(zip(wanted, edges)):
        g = found.get(edge)
        if g is None and not allow_unused and not materialize_grads:
            raise RuntimeError(f"The differentiated Tensor at index {i} appears to not have been "
                               "used in the graph. Set allow_unused=True if this is the desired "
                               "behavior.")
        if g is not None:
            result.append(rules.wrap(g))
        else:
            result.append(_tensors[0].zeros(t) if materialize_grads else None)
    return tuple(result)
