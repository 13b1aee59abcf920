"""torch.autograd.forward_ad: derivatives along a direction, carried by dual tensors.

In: a tensor and its tangent, `make_dual`. Out: a result's primal and tangent, `unpack_dual`.

The tape does it: the walk back from a result is linear in its start, and the derivative of that
walk by the start, taken with the tangents, is the result's tangent. So a dual tensor requires
grad, and what is computed under `no_grad` has no tangent.
"""
from __future__ import annotations

from collections import namedtuple
from typing import Any

from .api import grad
from .grad_mode import enable_grad
from .tape import AccumulateGrad, GradFn

UnpackedDualTensor = namedtuple("UnpackedDualTensor", ["primal", "tangent"])
UnpackedDualTensor.__doc__ = "A tensor's value and its tangent, or None."


class _Level:
    def __init__(self) -> None:
        self.duals: list[tuple[Any, Any]] = []


_levels: list[_Level] = []


def enter_dual_level() -> int:
    """Begin a level, in which duals can be made; its number."""
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append(_Level())
    return len(_levels) - 1


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level; its duals are plain tensors from now on."""
    if not _levels:
        raise RuntimeError("Trying to exit a forward AD level but none is active.")
    if level is not None and level != len(_levels) - 1:
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was "
                           "created. This is not supported.")
    _levels.pop()


class dual_level:  # noqa: N801 - PyTorch's name
    """A level for the length of a `with` block."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *error: Any) -> None:
        exit_dual_level()


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """The tensor with a tangent, for this level."""
    if not _levels:
        raise RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, "
                           "make sure to enter_dual_level() first.")
    for name, x in (("primal", tensor), ("tangent", tangent)):
        if not (x.is_floating_point() or x.is_complex()):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {x.dtype}")
    if tuple(tensor.shape) != tuple(tangent.shape):
        raise RuntimeError("Trying to set a forward gradient that has a different size than that "
                           "of the original Tensor, this is not supported. Tensor is of size "
                           f"{list(tensor.shape)} while the given forward gradient is of size "
                           f"{list(tangent.shape)}.")
    with enable_grad():
        dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    _levels[-1].duals.append((dual, tangent))
    return dual


def unpack_dual(tensor: Any, *, level: int | None = None) -> Any:
    """(the value, its derivative along the tangents of the duals it was made from, or None)."""
    if not _levels or not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    duals = _levels[-1].duals
    tangent = _tangent(tensor, duals)
    if tangent is None:
        return UnpackedDualTensor(tensor, None)
    if _leads_beyond(tensor, [dual for dual, _ in duals]) or any(t.requires_grad for _, t in duals):
        return UnpackedDualTensor(tensor, tangent)
    return UnpackedDualTensor(tensor.detach(), tangent.detach())


def _tangent(tensor: Any, duals: list[tuple[Any, Any]]) -> Any:
    for dual, tangent in duals:
        if dual is tensor:
            return tangent
    if not duals:
        return None
    with enable_grad():
        start = tensor.detach().new_zeros(tensor.shape).requires_grad_()
        back = grad([tensor], [dual for dual, _ in duals], [start], retain_graph=True,
                    create_graph=True, allow_unused=True)
        pairs = [(b, t) for b, (_, t) in zip(back, duals) if b is not None]
        if not pairs:
            return None
        live = [(b, t) for b, t in pairs if b.requires_grad]
        if not live:
            return start.detach()
        return grad([b for b, _ in live], [start], [t.to(b.dtype) for b, t in live],
                    retain_graph=True, create_graph=True, allow_unused=True,
                    materialize_grads=True)[0]


def _leads_beyond(tensor: Any, duals: list[Any]) -> bool:
    """Whether the history has leaves other than these."""
    auto = tensor._auto
    stack: list[GradFn] = [] if auto is None or auto.fn is None else [auto.fn]
    seen: set[GradFn] = set()
    while stack:
        fn = stack.pop()
        if fn in seen:
            continue
        seen.add(fn)
        if isinstance(fn, AccumulateGrad):
            if all(fn.variable is not dual for dual in duals):
                return True
        else:
            stack.extend(edge[0] for edge in fn.edges if edge is not None)
    return False
