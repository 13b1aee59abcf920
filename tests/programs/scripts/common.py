"""Shared by the programs: weights and data from NumPy, so that every backend computes the same."""
import json

import numpy as np
import torch


def data(*shape, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype("float32"))


def ids(*shape, high, seed=1):
    return torch.from_numpy(np.random.RandomState(seed).randint(0, high, shape).astype("int64"))


def fill(model, seed=0):
    """Give every parameter values that do not depend on the backend's generator."""
    rng = np.random.RandomState(seed)
    with torch.no_grad():
        for _, p in sorted(model.named_parameters()):
            if p.dim() > 1:
                fan_in = int(np.prod(p.shape[1:]))
                values = rng.randn(*p.shape) / fan_in**0.5
            else:
                values = 1.0 + 0.1 * rng.randn(*p.shape)
            p.copy_(torch.from_numpy(np.asarray(values, "float32")))
    return model


def gradients(model):
    """One number a model: the sum of |gradient|, weighed by place so that order matters."""
    total = 0.0
    for i, (_, p) in enumerate(sorted(model.named_parameters())):
        if p.grad is not None:
            total += float(p.grad.double().abs().sum()) * (1 + i % 7)
    return total


def some(t, n=6):
    """A few of a tensor's numbers, evenly spread."""
    flat = t.detach().reshape(-1)
    step = max(1, flat.numel() // n)
    return [round(float(x), 7) for x in flat[::step][:n].tolist()]


def report(**values):
    print(json.dumps(values))
