"""Distributions as programs use them: subclasses, pickling, default types, training."""
from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import flambeau as torch
from flambeau.distributions import (
    Beta, Categorical, Distribution, Exponential, Independent, MultivariateNormal, Normal,
    TransformedDistribution, Uniform, constraints, kl_divergence, register_kl,
)
from flambeau.distributions.transforms import AffineTransform, ExpTransform, Transform
from flambeau.distributions.utils import lazy_property


def test_the_namespace_is_what_it_says() -> None:
    import flambeau.distributions as package
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert hasattr(package, name)


def test_a_policy_learns_the_best_action() -> None:
    torch.manual_seed(0)
    logits = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    reward = torch.tensor([0.0, 1.0, 0.2])
    for _ in range(40):
        d = Categorical(logits=logits)
        action = d.sample((32,))
        loss = -(d.log_prob(action) * reward[action]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert Categorical(logits=logits).probs.argmax().item() == 1
    assert Categorical(logits=logits).probs.max().item() > 0.6


def test_fitting_by_maximum_likelihood() -> None:
    torch.manual_seed(0)
    data = Normal(3.0, 0.5).sample((500,))
    loc = torch.zeros((), requires_grad=True)
    log_scale = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([loc, log_scale], lr=0.1)
    for _ in range(120):
        optimizer.zero_grad()
        (-Normal(loc, log_scale.exp()).log_prob(data).mean()).backward()
        optimizer.step()
    assert loc.item() == pytest.approx(data.mean().item(), abs=0.02)
    assert log_scale.exp().item() == pytest.approx(data.std().item(), abs=0.02)


class Mine(Distribution):
    """A user's own distribution."""

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, rate: torch.Tensor, validate_args: bool | None = None) -> None:
        self.rate = rate
        super().__init__(rate.shape, validate_args=validate_args)

    def rsample(self, sample_shape: tuple[int, ...] = ()) -> torch.Tensor:
        return torch.rand(self._extended_shape(sample_shape)) / self.rate

    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self.rate.log()

    @lazy_property
    def twice(self) -> torch.Tensor:
        return 2 * self.rate


def test_a_subclass() -> None:
    d = Mine(torch.tensor([1.0, 2.0]))
    assert repr(d) == "Mine(rate: torch.Size([2]))"
    assert d.sample((3,)).shape == (3, 2)
    assert "twice" not in d.__dict__
    assert d.twice.tolist() == [2.0, 4.0]
    assert "twice" in d.__dict__
    with pytest.raises(ValueError, match="rate"):
        Mine(torch.tensor([1.0, 0.0]))
    with pytest.raises(ValueError, match="support"):
        d.log_prob(torch.tensor([-1.0, 0.0]))


def test_a_registered_divergence() -> None:
    @register_kl(Mine, Normal)
    def rule(p: Mine, q: Normal) -> torch.Tensor:
        return p.rate * q.scale

    assert kl_divergence(Mine(torch.tensor(2.0)), Normal(0.0, 3.0)).item() == 6.0
    with pytest.raises(NotImplementedError, match="p type Normal and q type Mine"):
        kl_divergence(Normal(0.0, 1.0), Mine(torch.tensor(2.0)))


class Shift(Transform):
    """A user's own transform."""

    domain = constraints.real
    codomain = constraints.real
    bijective = True
    sign = 1

    def _call(self, x: torch.Tensor) -> torch.Tensor:
        return x + 1

    def _inverse(self, y: torch.Tensor) -> torch.Tensor:
        return y - 1

    def log_abs_det_jacobian(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x)


def test_an_own_transform() -> None:
    d = TransformedDistribution(Normal(0.0, 1.0), [Shift()])
    x = torch.tensor([0.0, 1.5])
    np.testing.assert_allclose(d.log_prob(x).numpy(), Normal(1.0, 1.0).log_prob(x).numpy(), 1e-6)
    np.testing.assert_allclose(d.cdf(x).numpy(), Normal(1.0, 1.0).cdf(x).numpy(), 1e-6)
    assert Shift().inv.inv.with_cache()._cache_size == 1


@pytest.mark.parametrize("d", [
    Normal(torch.zeros(2), torch.ones(2)), Beta(0.5, 2.0), Categorical(torch.tensor([0.3, 0.7])),
    Independent(Exponential(torch.ones(3)), 1), MultivariateNormal(torch.zeros(2), torch.eye(2)),
    TransformedDistribution(Uniform(0.0, 1.0), [ExpTransform(cache_size=1),
                                                AffineTransform(1.0, 2.0)])])
def test_pickles_and_copies(d: Distribution) -> None:
    for other in (pickle.loads(pickle.dumps(d)), copy.deepcopy(d)):
        torch.manual_seed(0)
        x = d.sample()
        torch.manual_seed(0)
        assert (other.sample() == x).all()
        assert (other.log_prob(x) == d.log_prob(x)).all()


def test_numbers_take_the_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert Normal(0, 1).sample().dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert Normal(0, 1).sample().dtype is torch.float32


def test_samples_have_no_gradient_and_rsamples_do() -> None:
    loc = torch.zeros(2, requires_grad=True)
    assert not Normal(loc, 1.0).sample().requires_grad
    assert Normal(loc, 1.0).rsample().requires_grad


def test_empty_batches() -> None:
    d = Normal(torch.zeros(0), torch.ones(0))
    assert d.sample((3,)).shape == (3, 0)
    assert d.log_prob(d.sample()).shape == (0,)
