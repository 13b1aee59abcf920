"""Stochastic gradient descent with momentum (Sutskever et al. 2013)."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from ..ops import update
from ..tensor.functionalize import read, store
from . import program
from .optimizer import RuleOptimizer, check_at_least_zero, check_lr, decayed

__all__ = ["SGD"]


class SGD(RuleOptimizer):
    """buf = momentum * buf + (1 - dampening) * g;  p -= lr * buf, or lr * (g + momentum * buf)
    with `nesterov`. The first buf is g itself.
    """

    _group_options = {"nesterov": False, "maximize": False, "foreach": None,
                      "differentiable": False, "fused": False}

    def __init__(self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: Any = 0, nesterov: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        check_lr(lr)
        check_at_least_zero(momentum, "momentum value")
        check_at_least_zero(weight_decay, "weight_decay value")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
            "differentiable": differentiable, "fused": fused})
        check_flags(fused, foreach, differentiable)

    def _init_state(self, p: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        if group["momentum"] != 0:
            state["momentum_buffer"] = None

    def _update(self, p: Any, grad: Any, group: dict[str, Any], state: dict[str, Any]) -> None:
        decay = group["weight_decay"]
        if group["differentiable"] or isinstance(decay, Tensor):
            self._update_recorded(p, grad, group, state)
            return
        buf = state.get("momentum_buffer")
        dampening = group["dampening"]
        if buf is None and group["momentum"] != 0:
            # The first buffer is the gradient: the rule for zeros, undampened, is the same program.
            buf = state["momentum_buffer"] = torch.zeros_like(p).detach()
            program.settle(state)
            dampening = 0.0
        new, new_buf = update.sgd(
            read(p), read(grad), None if buf is None else read(buf), lr=program.rate(group["lr"]),
            momentum=group["momentum"], dampening=dampening, weight_decay=decay,
            nesterov=group["nesterov"])
        if buf is not None:
            store(buf, new_buf)
        store(p, new)

    def _update_recorded(self, p: Any, grad: Any, group: dict[str, Any],
                         state: dict[str, Any]) -> None:
        """The rule in operations that autograd sees."""
        grad = decayed(p, grad, group)
        momentum = group["momentum"]
        if momentum != 0:
            buf = state.get("momentum_buffer")
            if buf is None:
                buf = state["momentum_buffer"] = grad.detach().clone()
            else:
                buf.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(buf, alpha=momentum) if group["nesterov"] else buf
        p.sub_(grad * group["lr"])


def check_flags(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """The combinations that PyTorch refuses."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
