"""ASGD: averaged stochastic gradient descent (Polyak and Juditsky 1992)."""
from __future__ import annotations

from typing import Any

from ..nn.base import torch
from . import program
from .optimizer import RuleOptimizer, advance, check_at_least_zero, check_lr, decayed, new_step

__all__ = ["ASGD"]


class ASGD(RuleOptimizer):
    """p = (1 - lambd * eta) p - eta g, eta = lr / (1 + lambd lr t)^alpha; `ax` in the state is the
    average of p from step t0 on.
    """

    def __init__(self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
                 t0: float = 1e6, weight_decay: float = 0, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False) -> None:
        check_lr(lr)
        check_at_least_zero(weight_decay, "weight_decay value")
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
            "capturable": capturable})

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        state["eta"] = new_step(float(group["lr"]))
        state["mu"] = new_step(1.0)
        state["ax"] = torch.zeros_like(p)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        count = advance(state)
        lr, lambd = group["lr"], group["lambd"]
        grad = decayed(p, grad, group)
        eta = program.number(state["eta"])
        mu = program.number(state["mu"])
        p.mul_(1 - lambd * eta)
        p.sub_(grad * eta)
        ax = state["ax"]
        if mu != 1:
            ax.add_((p - ax) * mu)
        else:
            ax.copy_(p)
        program.assign(state["eta"], lr / (1 + lambd * lr * count) ** group["alpha"])
        program.assign(state["mu"], 1 / max(1, count - group["t0"]))
