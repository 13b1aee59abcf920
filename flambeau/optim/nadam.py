"""NAdam: Adam with Nesterov momentum (Dozat 2016)."""
from __future__ import annotations

from typing import Any

from ..nn.base import torch
from . import program
from .optimizer import (
    RuleOptimizer,
    advance,
    check_at_least_zero,
    check_betas,
    check_lr,
    decayed,
    new_step,
)

__all__ = ["NAdam"]


class NAdam(RuleOptimizer):
    """Adam whose numerator is lr (1 - mu_t) / (1 - Π mu) g + lr mu_(t+1) / (1 - Π mu) m,
    mu_t = b1 (1 - 0.96^(t * momentum_decay) / 2).
    """

    _group_options = {"maximize": False, "foreach": None, "capturable": False,
                      "differentiable": False, "decoupled_weight_decay": False}

    def __init__(self, params: Any, lr: Any = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, momentum_decay: float = 4e-3,
                 decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        check_lr(lr)
        check_at_least_zero(eps, "epsilon value")
        check_betas(betas)
        check_at_least_zero(weight_decay, "weight_decay value")
        check_at_least_zero(momentum_decay, "momentum_decay value")
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
            "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable})

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        state["mu_product"] = new_step(1.0)
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
        decay = group["momentum_decay"]
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (count * decay))
        mu_next = beta1 * (1.0 - 0.5 * 0.96 ** ((count + 1) * decay))
        product = program.number(state["mu_product"]) * mu
        program.assign(state["mu_product"], product)
        exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).add_(grad * grad * (1 - beta2))
        denom = (exp_avg_sq / (1 - beta2**count)).sqrt() + group["eps"]
        p.sub_(grad / denom * (lr * (1.0 - mu) / (1.0 - product)))
        p.sub_(exp_avg / denom * (lr * mu_next / (1.0 - product * mu_next)))
