"""How gamma and beta samples move with their parameters, against quotients of distribution
functions by SciPy-free means: the regularised incomplete gamma function and numerical integrals."""
from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau
from flambeau.tensor.random_distributions import dirichlet_grad, standard_gamma_grad


def log_x(values: np.ndarray) -> flambeau.Tensor:
    return flambeau.from_numpy(np.asarray(values, np.float64))


def gamma_quotient(alpha: float, x: float, n: int = 400_000) -> float:
    """-(dF/da) / p by the midpoint rule in log t."""
    low = math.log(x) - 60 / alpha
    u = low + (np.arange(n) + 0.5) * (math.log(x) - low) / n
    t = np.exp(u)
    psi = flambeau.digamma(log_x([alpha])).item()
    ratio = np.exp(alpha * (u - math.log(x)) - (t - x))         # p(t) t / (p(x) x)
    return -x * float(np.sum(ratio * (u - psi)) * (math.log(x) - low) / n)


@pytest.mark.parametrize(("alpha", "x"), [
    (0.2, 0.01), (0.2, 0.5), (1.0, 0.3), (1.0, 1.5), (3.0, 1.0), (3.0, 4.0), (20.0, 18.0),
    (20.0, 22.0)])
def test_gamma(alpha: float, x: float) -> None:
    slope = standard_gamma_grad(log_x([alpha]), log_x([x])).item()
    assert slope == pytest.approx(gamma_quotient(alpha, x), rel=1e-6)


def test_gamma_of_shape_one_is_known() -> None:
    """For tiny x, F is x^a / Gamma(a + 1), and dx/da = -x (log x - psi(a + 1)) / a."""
    alpha, x = 0.7, 1e-12
    slope = standard_gamma_grad(log_x([alpha]), log_x([x])).item()
    psi = flambeau.digamma(log_x([alpha + 1])).item()
    assert slope == pytest.approx(-x * (math.log(x) - psi) / alpha, rel=1e-9)


def test_gamma_of_large_shapes_is_nearly_normal() -> None:
    """x = a + z sqrt(a) + (z^2 - 1) / 3 + ..., so dx/da = 1 + z / (2 sqrt(a)) + ..."""
    alpha = 1e6
    for z in (-2.0, 0.0, 2.0):
        x = alpha + z * math.sqrt(alpha) + (z * z - 1) / 3
        slope = standard_gamma_grad(log_x([alpha]), log_x([x])).item()
        assert slope == pytest.approx(1 + z / (2 * math.sqrt(alpha)), abs=1e-6)


@pytest.mark.parametrize("x", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_beta_powers(x: float) -> None:
    """Beta(a, 1) has F = x^a, so dx/da = -x log(x) / a."""
    for alpha in (0.05, 0.5, 1.0, 3.0, 200.0):
        slope = dirichlet_grad(log_x([x]), log_x([alpha]), log_x([alpha + 1])).item() * (1 - x)
        assert slope == pytest.approx(-x * math.log(x) / alpha, rel=1e-6)


@pytest.mark.parametrize("x", [0.01, 0.3, 0.8, 0.99])
def test_beta_of_shape_one_moves_with_its_second_shape(x: float) -> None:
    """Beta(1, b) is 1 less Beta(b, 1)."""
    for beta in (0.5, 2.0, 50.0):
        y = 1 - x
        mirrored = dirichlet_grad(log_x([y]), log_x([beta]), log_x([beta + 1])).item() * (1 - y)
        assert mirrored == pytest.approx(-y * math.log(y) / beta, rel=1e-6)


def test_dirichlet_samples_stay_on_the_simplex() -> None:
    """Moving a concentration moves the components by amounts that sum to 0."""
    flambeau.manual_seed(0)
    a = flambeau.tensor([0.5, 2.0, 4.0], dtype=flambeau.float64, requires_grad=True)
    x = flambeau.distributions.Dirichlet(a).rsample((6,))
    (slope,) = flambeau.autograd.grad(x.sum(), a)
    assert np.abs(slope.numpy()).max() < 1e-12


def test_pathwise_gradient_of_the_mean() -> None:
    """The mean slope of samples is the slope of the mean, to the noise of 20,000 samples."""
    flambeau.manual_seed(0)
    D = flambeau.distributions  # noqa: N806
    a = flambeau.tensor(2.0, requires_grad=True)
    b = flambeau.tensor(3.0, requires_grad=True)
    d = D.Beta(a, b)
    sampled = flambeau.autograd.grad(d.rsample((20_000,)).mean(), (a, b))
    exact = flambeau.autograd.grad(d.mean, (a, b))
    for s, e in zip(sampled, exact):
        assert s.item() == pytest.approx(e.item(), rel=0.03)
