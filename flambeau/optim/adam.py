"""Adam (Kingma and Ba 2015), AMSGrad (Reddi et al. 2018)."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from ..ops import update
from ..tensor.functionalize import read, store
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
from .sgd import check_flags

__all__ = ["Adam"]


class Adam(RuleOptimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²;
    p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).

    amsgrad                 the largest v so far stands for v
    decoupled_weight_decay  p *= 1 - lr * weight_decay instead of g += weight_decay * p (AdamW)
    """

    _group_options = {"amsgrad": False, "maximize": False, "foreach": None, "capturable": False,
                      "differentiable": False, "fused": None, "decoupled_weight_decay": False}

    def __init__(self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False,
                 fused: bool | None = None, decoupled_weight_decay: bool = False) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and "
                             "foreach=True")
        check_lr(lr)
        check_at_least_zero(eps, "epsilon value")
        check_betas(betas)
        check_at_least_zero(weight_decay, "weight_decay value")
        _check_kinds(betas, foreach, capturable)
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay,
            "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach, "capturable": capturable,
            "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay})
        check_flags(fused, foreach, differentiable)

    def _check_grad(self, p: Any, grad: Any) -> None:
        if grad.is_sparse:
            raise RuntimeError("Adam does not support sparse gradients, please consider SparseAdam "
                               "instead")

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        state["exp_avg"] = torch.zeros_like(p)
        state["exp_avg_sq"] = torch.zeros_like(p)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = torch.zeros_like(p)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        if group["differentiable"]:
            self._update_recorded(p, grad, group, state)
            return
        m, v = state["exp_avg"], state["exp_avg_sq"]
        largest = state["max_exp_avg_sq"] if group["amsgrad"] else None
        beta1, beta2 = group["betas"]
        new, new_m, new_v, new_largest = update.adam(
            read(p), read(grad), read(m), read(v), None if largest is None else read(largest),
            step=advance(state), lr=program.rate(group["lr"]), beta1=float(beta1),
            beta2=float(beta2), eps=group["eps"], weight_decay=group["weight_decay"],
            decoupled=group["decoupled_weight_decay"])
        store(m, new_m)
        store(v, new_v)
        if largest is not None:
            store(largest, new_largest)
        store(p, new)

    def _update_recorded(self, p: Any, grad: Any, group: dict[str, Any],
                         state: dict[str, Any]) -> None:
        """The rule in operations that autograd sees."""
        count = advance(state)
        lr = group["lr"]
        beta1, beta2 = group["betas"]
        if group["decoupled_weight_decay"]:
            if group["weight_decay"] != 0:
                p.mul_(1 - lr * group["weight_decay"])
        else:
            grad = decayed(p, grad, group)
        exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).add_(grad * grad * (1 - beta2))
        largest = exp_avg_sq
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            largest.copy_(torch.maximum(largest, exp_avg_sq))
        denom = (largest.sqrt() / (1 - beta2**count) ** 0.5).add(group["eps"])
        p.sub_(exp_avg / denom * (lr / (1 - beta1**count)))


def _check_kinds(betas: Any, foreach: bool | None, capturable: bool) -> None:
    tensors = [isinstance(b, Tensor) for b in betas]
    if not (all(tensors) or all(isinstance(b, float) for b in betas)):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, is_tensor in enumerate(tensors):
        if is_tensor and not capturable and foreach:
            raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and "
                             "foreach=True")
        if is_tensor and betas[i].numel() != 1:
            raise ValueError(f"Tensor betas[{i}] must be 1-element")
