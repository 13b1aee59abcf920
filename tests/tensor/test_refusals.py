"""Matrices that cannot be inverted are refused at the call, where programs catch it."""
import numpy as np
import pytest

import flambeau as torch


@pytest.mark.parametrize("call", [
    lambda: torch.linalg.inv(torch.zeros(2, 2)), lambda: torch.inverse(torch.zeros(2, 2)),
    lambda: torch.linalg.solve(torch.zeros(2, 2), torch.ones(2)),
    lambda: torch.linalg.cholesky(-torch.eye(2)), lambda: (-torch.eye(2)).cholesky(),
    lambda: torch.linalg.matrix_power(torch.zeros(2, 2), -1),
])
def test_refused_at_once(call):
    with pytest.raises(torch.linalg.LinAlgError):
        call()


def test_retry_with_jitter_and_gradient():
    """The loop that Gaussian process libraries have around cholesky."""
    a = torch.ones(2, 2).requires_grad_()
    jitter = 0.0
    while True:
        try:
            factor = torch.linalg.cholesky(a + jitter * torch.eye(2))
            break
        except RuntimeError:
            jitter = max(1e-3, 10 * jitter)
    factor.sum().backward()
    assert jitter == 1e-3
    assert np.isfinite(a.grad.numpy()).all()


def test_meta_matrices_are_not_computed():
    assert torch.linalg.inv(torch.zeros(2, 2, device="meta")).shape == (2, 2)
