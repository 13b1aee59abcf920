"""Adafactor: second moments by rows and columns (Shazeer and Stern 2018)."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from .optimizer import RuleOptimizer, advance, new_step

__all__ = ["Adafactor"]

_EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def _mean_square(grad: Tensor, dim: int) -> Tensor:
    return (grad * grad).mean(dim, keepdim=True)


def _rms(x: Tensor) -> Tensor:
    return (x * x).mean().sqrt()


class Adafactor(RuleOptimizer):
    """p -= max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) * u / max(1, rms(u) / d), u = g / sqrt(v);
    v of a matrix is the product of the moving means of its rows and columns.
    """

    def __init__(self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8,
                 eps: Any = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
                 foreach: bool | None = None, maximize: bool = False) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
            "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize})

    def _check_grad(self, p: Any, grad: Any) -> None:
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        super()._check_grad(p, grad)

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        state["step"] = new_step()
        shape = list(p.grad.shape)
        if len(shape) > 1:
            state["row_var"] = p.grad.new_zeros([*shape[:-1], 1])
            state["col_var"] = p.grad.new_zeros([*shape[:-2], 1, shape[-1]])
        else:
            state["variance"] = torch.zeros_like(p.grad)

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        count = advance(state)
        lr = group["lr"]
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = _EPSILON[p.dtype.name]
        fresh = count ** group["beta2_decay"]
        size = _rms(p).clamp(min=eps2) * min(lr, 1 / count**0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        if grad.dim() > 1:
            rows, cols = state["row_var"], state["col_var"]
            rows.lerp_(_mean_square(grad, -1), fresh)
            cols.lerp_(_mean_square(grad, -2), fresh)
            variance = rows @ cols / rows.mean(dim=-2, keepdim=True).clamp(min=eps1)
        else:
            variance = state["variance"]
            variance.lerp_(grad * grad, fresh)
        update = variance.clamp(min=eps1 * eps1).rsqrt() * grad
        p.sub_(update * (size / (_rms(update) / group["d"]).clamp(min=1.0)))
