"""Every sample: compiled programs against the interpreter, gradients against differences."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.pytree import tree_flatten, tree_unflatten
from flambeau.graph.interpret import evaluate
from flambeau.graph.realize import realize
from flambeau.tensor.functionalize import read

from tests.interpreted import by_interpreter

from .samples import Sample, all_samples, flat, tensors

SAMPLES = all_samples()
DIFFERENTIABLE = [s for s in SAMPLES if s.grad and s.limit]
pytestmark = pytest.mark.filterwarnings("ignore")


def outputs(sample: Sample, arguments: Any) -> list[Any]:
    """The nodes that a call makes."""
    args, kwargs = tensors(torch, arguments)
    return [read(t) for t in flat(torch, sample.call(torch, args, kwargs))]


def agree(sample: Sample) -> None:
    """The compiled program of a sample gives what the interpreter gives."""
    arguments = sample.arguments()
    expected = evaluate(outputs(sample, arguments))
    compiled = outputs(sample, arguments)
    realize(compiled)
    for node, want in zip(compiled, expected, strict=True):
        got = node.value.numpy(node.dtype.numpy, node.shape)
        tol = 2e-5 if node.dtype.to_real().itemsize < 8 else 1e-9
        np.testing.assert_allclose(got, want, rtol=tol, atol=tol)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_compiled_agrees_with_interpreter(sample: Sample) -> None:
    """The same call with other sizes comes right after it: its program must not be taken."""
    agree(sample)
    larger = sample.grown()
    try:
        outputs(larger, larger.arguments())
    except (RuntimeError, IndexError, ValueError, TypeError):
        return                                  # an argument names the old sizes
    agree(larger)


# ---------------------------------------------------------------- gradients


def problem(sample: Sample) -> tuple[Any, tuple[Any, ...]]:
    """A function of the arrays to differentiate by, and these."""
    leaves, spec = tree_flatten(sample.arguments())
    floats = [i for i, x in enumerate(leaves) if isinstance(x, np.ndarray)]
    places = [i for n, i in enumerate(floats) if leaves[i].dtype.kind in "fc" and leaves[i].size
              and (sample.by is None or n in sample.by)]
    given = [torch.from_numpy(leaves[i].copy()).requires_grad_() for i in places]

    def call(*moved: Any) -> tuple[Any, ...]:
        values = list(leaves)
        for i, x in zip(places, moved):
            values[i] = x
        args, kwargs = tensors(torch, tree_unflatten(values, spec))
        return tuple(t for t in flat(torch, sample.call(torch, args, kwargs))
                     if t.dtype.is_floating_point or t.dtype.is_complex)

    return call, tuple(given)


def tied(given: tuple[Any, ...]) -> bool:
    """Equal values in an argument: where two are the greatest, no limit exists."""
    return any(x.numel() > 1 and np.unique(x.detach().numpy()).size < x.numel() for x in given)


@pytest.mark.parametrize("sample", DIFFERENTIABLE, ids=str)
def test_gradients(sample: Sample) -> None:
    """First and second gradients are the limits of differences."""
    with by_interpreter():
        check_gradients(sample)


def check_gradients(sample: Sample) -> None:
    call, given = problem(sample)
    if not given or not any(o.requires_grad and o.numel() for o in call(*given)):
        return
    if tied(given):
        pytest.skip("no limit at a tie")
    assert torch.autograd.gradcheck(call, given, fast_mode=True)
    if not sample.once:
        assert torch.autograd.gradgradcheck(call, given, fast_mode=True)
