"""Rprop: steps by the sign of the gradient (Riedmiller and Braun 1993)."""
from __future__ import annotations

from typing import Any

from ..nn.base import torch
from .optimizer import RuleOptimizer, advance, check_lr, new_step

__all__ = ["Rprop"]


class Rprop(RuleOptimizer):
    """Each element's step grows by etas[1] while its gradient keeps its sign and shrinks by
    etas[0] when it turns; after a turn the element rests once.
    """

    def __init__(self, params: Any, lr: Any = 1e-2, etas: Any = (0.5, 1.2),
                 step_sizes: Any = (1e-6, 50), *, capturable: bool = False,
                 foreach: bool | None = None, maximize: bool = False,
                 differentiable: bool = False) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable})

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        state["prev"] = torch.zeros_like(p)
        lr = group["lr"]
        state["step_size"] = torch.full_like(p, complex(lr, lr) if p.is_complex() else float(lr))

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        advance(state)
        shrink, grow = group["etas"]
        prev, step_size = state["prev"], state["step_size"]
        agreement = grad * prev
        turned = agreement < 0
        factor = torch.where(turned, shrink, torch.where(agreement > 0, grow, 1.0)).to(p.dtype)
        step_size.copy_((step_size * factor).clamp(*group["step_sizes"]))
        grad = torch.where(turned, torch.zeros_like(grad), grad)
        p.sub_(grad.sign() * step_size)
        prev.copy_(grad)
