"""Gamma and Dirichlet samples through which gradients flow to the parameters.

In: tensors of parameters. Out: tensors, drawn at the call in PyTorch's order.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.follow import drawn
from ..graph.node import Op
from ..ops.implicit import DIRICHLET_SAMPLE, DIRICHLET_SLOPE, GAMMA_SAMPLE, GAMMA_SLOPE
from ..runtime import sampling
from .conversion import values
from .dispatch import Call, finish
from .generator import engine
from .labels import of_name
from .pinning import array_node
from .tensor import Tensor


def _drawn(name: str, op: Op, sampler: Any, input: Tensor, generator: Any) -> Tensor:
    gen, given = engine(generator), np.ascontiguousarray(values(input))
    array = drawn(lambda: sampler(gen, given))
    c = Call()
    node = c.take(input)
    made = array_node(np.ascontiguousarray(array.astype(input.dtype.numpy)), input.dtype)
    if not c.track:
        from .functionalize import wrap
        return wrap(made, c.device)
    return finish(op(node, made), c, of_name(name))


def standard_gamma(input: Tensor, generator: Any = None) -> Tensor:
    """Gamma numbers of rate 1 and the given shapes; torch._standard_gamma."""
    return _drawn("standard_gamma", GAMMA_SAMPLE, sampling.standard_gamma, input, generator)


def dirichlet(input: Tensor, generator: Any = None) -> Tensor:
    """Dirichlet rows along the last dimension; torch._sample_dirichlet."""
    return _drawn("sample_dirichlet", DIRICHLET_SAMPLE, sampling.dirichlet, input, generator)


def _elementwise(name: str, op: Op, *inputs: Tensor) -> Tensor:
    c = Call()
    return finish(op(*[c.take(t) for t in inputs]), c, of_name(name))


def standard_gamma_grad(input: Tensor, output: Tensor) -> Tensor:
    """d output / d input of gamma samples; torch._standard_gamma_grad."""
    return _elementwise("standard_gamma_grad", GAMMA_SLOPE, input, output)


def dirichlet_grad(x: Tensor, alpha: Tensor, total: Tensor) -> Tensor:
    """dx/d alpha / (1 - x) of a Dirichlet sample's component; torch._dirichlet_grad."""
    return _elementwise("dirichlet_grad", DIRICHLET_SLOPE, x, alpha, total)
