"""Samples of operations behind modules and optimizers, which PyTorch has no name for; they are
compared with PyTorch in `vs_torch/test_update` and `test_recurrent`."""
from __future__ import annotations

import numpy as np

from .samples import F, P, S

SAMPLES = [
    S("_VF._recurrent", "LSTM", F(3, 2, 12), [F(2, 3), F(2, 3)], F(12, 3), F(12), None, None,
      False),
    S("_VF._recurrent", "GRU", F(4, 2, 9), [F(2, 3)], F(9, 3), F(9), None, None, True),
    S("_VF._recurrent", "RNN_TANH", F(4, 2, 3), [F(2, 3)], F(3, 3), None, None,
      np.array([1, 1, 1, 1, 1, 0, 0, 0], bool).reshape(4, 2, 1), False),
    S("_VF._recurrent_step", "LSTM", F(2, 12), [F(2, 3), F(2, 3)], F(12, 3), F(12)),
    S("_optim.sgd", F(3), F(3), F(3), lr=0.1, momentum=0.9, grad=False),
    S("_optim.adam", F(3), F(3), F(3), P(3), None, step=2.0, lr=0.1, beta1=0.9, beta2=0.99,
      eps=1e-8, grad=False),
    S("_optim.rmsprop", F(3), F(3), P(3), None, None, lr=0.1, alpha=0.9, eps=1e-8, grad=False),
    S("_optim.adagrad", F(3), F(3), P(3), step=2.0, lr=0.1, lr_decay=0.1, eps=1e-8, grad=False),
]
