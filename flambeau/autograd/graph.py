"""`torch.autograd.graph`: looking at and steering the tape.

In: tensors and hooks. Out: edges, nodes and context managers.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import api
from .grad_mode import state
from .tape import GradFn as Node


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor goes: output `output_nr` of `node`."""

    node: Node
    output_nr: int


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The place in the recorded graph at which a tensor's gradient arrives."""
    edge = api.tensors().edge(tensor)
    if edge is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not "
                           "require gradients")
    return GradientEdge(*edge)


class saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Inside, `pack_hook` sees each tensor a custom Function saves; `unpack_hook` gives it back."""

    def __init__(self, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]) -> None:
        self.pair = (pack_hook, unpack_hook)

    def __enter__(self) -> None:
        if state.pack_refused is not None:
            raise RuntimeError(state.pack_refused)
        state.pack = (*state.pack, self.pair)

    def __exit__(self, *_: Any) -> None:
        state.pack = state.pack[:-1]


class save_on_cpu(saved_tensors_hooks):  # noqa: N801
    """Saved tensors are on the CPU already."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: t, lambda t: t)


class disable_saved_tensors_hooks:  # noqa: N801
    """Inside, saved_tensors_hooks may not be used."""

    def __init__(self, error_message: str) -> None:
        self.message = error_message

    def __enter__(self) -> None:
        self.before = state.pack_refused
        state.pack_refused = self.message

    def __exit__(self, *_: Any) -> None:
        state.pack_refused = self.before


class allow_mutation_on_saved_tensors:  # noqa: N801
    """Saved values are immutable here, so mutation is always harmless to them."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: Any) -> None:
        return None


class _MultiHandle:
    """Handles of one hook on several tensors."""

    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = handles

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _MultiHandle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[..., Any], *,
                             mode: str = "all") -> _MultiHandle:
    """fn(grads) once all (or `any`) of the tensors have their gradient."""
    found: list[Any] = [None] * len(tensors)
    seen = [0]

    def make(i: int) -> Callable[[Any], None]:
        def hook(g: Any) -> None:
            if mode == "any":
                if not seen[0]:
                    seen[0] = 1
                    fn(g)
                return
            found[i] = g
            seen[0] += 1
            if seen[0] == len(tensors):
                grads = list(found)
                seen[0] = 0
                found[:] = [None] * len(tensors)
                fn(grads)
        return hook

    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    return _MultiHandle([t.register_hook(make(i)) for i, t in enumerate(tensors)])


__all__ = ["GradientEdge", "Node", "allow_mutation_on_saved_tensors",
           "disable_saved_tensors_hooks", "get_gradient_edge", "register_multi_grad_hook",
           "save_on_cpu", "saved_tensors_hooks"]
