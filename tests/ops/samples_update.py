"""Samples of the optimizers' rules, which are operations of their own (against PyTorch:
`vs_torch/test_update`)."""
from __future__ import annotations

from .samples import F, P, S

SAMPLES = [
    S("_optim.sgd", F(3), F(3), F(3), lr=0.1, momentum=0.9, grad=False),
    S("_optim.adam", F(3), F(3), F(3), P(3), None, step=2.0, lr=0.1, beta1=0.9, beta2=0.99,
      eps=1e-8, grad=False),
    S("_optim.rmsprop", F(3), F(3), P(3), None, None, lr=0.1, alpha=0.9, eps=1e-8, grad=False),
    S("_optim.adagrad", F(3), F(3), P(3), step=2.0, lr=0.1, lr_decay=0.1, eps=1e-8, grad=False),
]
