"""SparseAdam: Adam that leaves rows without a gradient as they are."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from .optimizer import Optimizer, RuleOptimizer, check_betas

__all__ = ["SparseAdam"]


class SparseAdam(RuleOptimizer):
    """Adam's step for the elements whose gradient is not zero.

    Gradients are dense here (an embedding's too): its rows that were not looked up have zeros, and
    neither they nor their moments move, as in PyTorch with sparse gradients.
    """

    def __init__(self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8,
                 maximize: bool = False) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        for kind, wrong in (("Sparse", "is_sparse"), ("Complex", "is_complex")):
            places = [[i, j] for i, group in enumerate(self.param_groups)
                      for j, p in enumerate(group["params"]) if _is(p, wrong)]
            if places and kind == "Sparse":
                raise ValueError(f"Sparse params at indices {places}: SparseAdam requires dense "
                                 "parameter tensors")
            if places:
                raise ValueError(f"Complex params at indices {places}: SparseAdam does not "
                                 "support complex parameters")

    def __setstate__(self, state: dict[str, Any]) -> None:
        Optimizer.__setstate__(self, state)     # step stays a Python number here

    def _check_grad(self, p: Any, grad: Any) -> None:
        """Dense and sparse gradients are the same here."""

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = 0
        state["exp_avg"] = torch.zeros_like(p)
        state["exp_avg_sq"] = torch.zeros_like(p)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        if grad.is_sparse:
            grad = grad.to_dense()
        state["step"] += 1
        count = state["step"]
        beta1, beta2 = group["betas"]
        touched = grad != 0
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m.copy_(torch.where(touched, m + (grad - m) * (1 - beta1), m))
        v.copy_(torch.where(touched, v + (grad * grad - v) * (1 - beta2), v))
        size = group["lr"] * (1 - beta2**count) ** 0.5 / (1 - beta1**count)
        p.sub_(torch.where(touched, m / (v.sqrt() + group["eps"]) * size, torch.zeros_like(p)))


def _is(p: Any, what: str) -> bool:
    answer = getattr(p, what)
    return bool(answer() if callable(answer) else answer)
