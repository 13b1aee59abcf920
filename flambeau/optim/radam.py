"""RAdam: Adam with a rectified adaptive rate (Liu et al. 2020)."""
from __future__ import annotations

from typing import Any

from ..nn.base import torch
from .optimizer import (
    RuleOptimizer,
    advance,
    check_at_least_zero,
    check_betas,
    check_lr,
    decayed,
    new_step,
)

__all__ = ["RAdam"]


class RAdam(RuleOptimizer):
    """p -= lr * r_t * m / sqrt(v) where the variance of the adaptive rate is tractable, else
    lr * m; m and v with bias correction.
    """

    _group_options = {"maximize": False, "foreach": None, "capturable": False,
                      "differentiable": False, "decoupled_weight_decay": False}

    def __init__(self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, decoupled_weight_decay: bool = False, *,
                 foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        check_lr(lr)
        check_at_least_zero(eps, "epsilon value")
        check_betas(betas)
        check_at_least_zero(weight_decay, "weight_decay value")
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable})

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        state["exp_avg"] = torch.zeros_like(p)
        state["exp_avg_sq"] = torch.zeros_like(p)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        count = advance(state)
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        if not group["decoupled_weight_decay"]:
            grad = decayed(p, grad, group)
        elif group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).add_(grad * grad * (1 - beta2))
        correction1 = 1 - beta1**count
        correction2 = 1 - beta2**count
        # Length of the simple moving average that the exponential one stands for.
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * count * beta2**count / correction2
        update = exp_avg * (lr / correction1)
        if rho > 5.0:
            rect = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5
            update = update / (exp_avg_sq.sqrt() + group["eps"]) * (correction2**0.5 * rect)
        p.sub_(update)
