"""Adagrad (Duchi et al. 2011)."""
from __future__ import annotations

from typing import Any

from ..nn.base import torch
from .optimizer import RuleOptimizer, advance, check_at_least_zero, check_lr, decayed, new_step
from .sgd import check_flags

__all__ = ["Adagrad"]


class Adagrad(RuleOptimizer):
    """s += g²;  p -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps)."""

    _group_options = {"maximize": False, "foreach": None, "differentiable": False, "fused": None}

    def __init__(self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10,
                 foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, fused: bool | None = None) -> None:
        check_lr(lr)
        check_at_least_zero(lr_decay, "lr_decay value")
        check_at_least_zero(weight_decay, "weight_decay value")
        check_at_least_zero(initial_accumulator_value, "initial_accumulator_value value")
        check_at_least_zero(eps, "epsilon value")
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "fused": fused})
        check_flags(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self._init_state(p, group, self.state[p])

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        start = self.defaults["initial_accumulator_value"]
        state["step"] = new_step()
        state["sum"] = torch.full_like(p, complex(start, start) if p.is_complex() else start)

    def share_memory(self) -> None:
        """Put the sums into memory other processes can share."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        count = advance(state)
        grad = decayed(p, grad, group)
        total = state["sum"]
        total.add_(grad * grad)
        rate = group["lr"] / (1 + (count - 1) * group["lr_decay"])
        p.sub_(grad / (total.sqrt() + group["eps"]) * rate)
