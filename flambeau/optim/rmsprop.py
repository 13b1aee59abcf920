"""RMSprop (Hinton's lecture 6e), centred as in Graves 2013."""
from __future__ import annotations

from typing import Any

from ..nn.base import torch
from .optimizer import RuleOptimizer, advance, check_at_least_zero, check_lr, decayed, new_step

__all__ = ["RMSprop"]


class RMSprop(RuleOptimizer):
    """v = alpha v + (1 - alpha) g²;  p -= lr * g / (sqrt(v) + eps), through a buffer with
    momentum; `centered` takes the square of the mean gradient from v.
    """

    _group_options = {"momentum": 0, "centered": False, "maximize": False, "foreach": None,
                      "differentiable": False, "capturable": False}

    def __init__(self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False,
                 capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
                 differentiable: bool = False) -> None:
        check_lr(lr)
        check_at_least_zero(eps, "epsilon value")
        check_at_least_zero(momentum, "momentum value")
        check_at_least_zero(weight_decay, "weight_decay value")
        check_at_least_zero(alpha, "alpha value")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable})

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        state["square_avg"] = torch.zeros_like(p)
        if group["momentum"] > 0:
            state["momentum_buffer"] = torch.zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = torch.zeros_like(p)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        advance(state)
        alpha = group["alpha"]
        grad = decayed(p, grad, group)
        square_avg = state["square_avg"]
        square_avg.mul_(alpha).add_(grad * grad * (1 - alpha))
        variance = square_avg
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            variance = square_avg - mean * mean
        update = grad / (variance.sqrt() + group["eps"])
        if group["momentum"] > 0:
            buf = state["momentum_buffer"]
            buf.mul_(group["momentum"]).add_(update)
            update = buf
        p.sub_(update * group["lr"])
