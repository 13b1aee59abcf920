"""torch.autograd: the tape, the backward walk, and the modes.

In: what `tensor` records. Out: gradients. Imports only `core`.
"""
from __future__ import annotations

from .anomaly_mode import detect_anomaly, set_detect_anomaly
from . import anomaly_mode, forward_ad, function, functional, grad_mode, graph, profiler
from .api import backward, grad
from .function import Function, NestedIOFunction
from .gradcheck import gradcheck, gradgradcheck
from .grad_mode import (
    enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled,
    set_multithreading_enabled,
)

__all__ = ["Function", "NestedIOFunction", "anomaly_mode", "backward", "detect_anomaly",
           "enable_grad", "forward_ad", "function", "functional", "grad", "grad_mode", "gradcheck",
           "gradgradcheck", "graph", "inference_mode", "profiler", "is_grad_enabled", "no_grad",
           "set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled"]
