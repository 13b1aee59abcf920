"""Muon: momentum made orthogonal by Newton-Schulz iterations (Jordan et al. 2024)."""
from __future__ import annotations

import math
from typing import Any

from ..nn.base import Tensor, torch
from .optimizer import RuleOptimizer

__all__ = ["Muon"]

# The quintic of Jordan et al. that drives singular values towards 1 fastest.
COEFFICIENTS = (3.4445, -4.775, 2.0315)


def _orthogonal(update: Tensor, coefficients: Any, steps: int, eps: float) -> Tensor:
    """U Vᵀ of update = U S Vᵀ, nearly: x -> a x + (b x xᵀ + c (x xᵀ)²) x, in bfloat16."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if update.dim() != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    x = update.bfloat16()
    tall = update.size(0) > update.size(1)
    if tall:
        x = x.t()
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = _product(x, x.t()).bfloat16()
        y = (gram.float() * b + _product(gram, gram) * c).bfloat16()
        x = (x.float() * a + _product(y, x)).bfloat16()
    return x.t() if tall else x


def _product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b in float32: bfloat16 products are rounded once, after all terms are added."""
    return a.float() @ b.float()


def _adjusted(lr: Any, how: str | None, shape: Any) -> Any:
    """The learning rate for a matrix of this shape."""
    rows, cols = shape[:2]
    if how is None or how == "original":
        return lr * math.sqrt(max(1, rows / cols))
    return lr * 0.2 * math.sqrt(max(rows, cols))


class Muon(RuleOptimizer):
    """buf = lerp(buf, g, 1 - momentum);  p = (1 - lr * weight_decay) p - lr' * orthogonal(buf).

    adjust_lr_fn  'original' (None) or 'match_rms_adamw': how lr' depends on the matrix's shape
    """

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.1,
                 momentum: float = 0.95, nesterov: bool = True,
                 ns_coefficients: Any = COEFFICIENTS, eps: float = 1e-7, ns_steps: int = 5,
                 adjust_lr_fn: str | None = None) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 <= momentum:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn})
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError("Muon only supports 2D parameters whereas we found a "
                                     f"parameter with size: {p.size()}")

    def _check_grad(self, p: Any, grad: Any) -> None:
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        super()._check_grad(p, grad)

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["momentum_buffer"] = torch.zeros_like(p.grad)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        lr, momentum = group["lr"], group["momentum"]
        buf = state["momentum_buffer"]
        buf.lerp_(grad, 1 - momentum)
        update = grad.lerp(buf, momentum) if group["nesterov"] else buf
        update = _orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        p.mul_(1 - lr * group["weight_decay"])
        p.sub_(update.to(p.dtype) * _adjusted(lr, group["adjust_lr_fn"], p.shape))
