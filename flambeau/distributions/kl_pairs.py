"""KL divergences between distributions of different kinds.

In: distributions p and q. Out: KL(p || q) = -H(p) - E_p log q(x). Where p has mass outside of q's
support it is infinite.
"""
from __future__ import annotations

import math
from typing import Any

from ..nn.base import Tensor, torch
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .continuous_bernoulli import ContinuousBernoulli
from .divergence import register_kl
from .exponential import Exponential
from .gamma import Gamma
from .gumbel import Gumbel
from .laplace import Laplace
from .normal import Normal
from .pareto import Pareto
from .poisson import Poisson
from .uniform import Uniform
from .utils import HALF_LOG_2PI, euler_constant


def x_log_x(x: Tensor) -> Tensor:
    return torch.special.xlogy(x, x)


def infinite_where(mask: Tensor, value: Tensor) -> Tensor:
    return torch.where(mask, torch.inf, value)


# ---------------------------------------------------------------- -E_p log q, for q's of one kind


def _against_normal(mean: Tensor, variance: Tensor, q: Normal) -> Tensor:
    squares = variance + (mean - q.loc).pow(2)
    return HALF_LOG_2PI + q.scale.log() + squares / (2 * q.scale.pow(2))


def _against_exponential(mean: Tensor, q: Exponential) -> Tensor:
    return q.rate * mean - q.rate.log()


def _against_gamma(mean: Tensor, mean_log: Tensor, q: Gamma) -> Tensor:
    return (torch.lgamma(q.concentration) - q.concentration * q.rate.log()
            - (q.concentration - 1) * mean_log + q.rate * mean)


def _against_continuous_bernoulli(mean: Tensor, q: ContinuousBernoulli) -> Tensor:
    return -mean * q.logits - torch.log1p(-q.probs) - q._cont_bern_log_norm()


def _mean_log_uniform(p: Uniform) -> Tensor:
    """E log X."""
    width = p.high - p.low
    return (x_log_x(p.high) - x_log_x(p.low) - width) / width


# ---------------------------------------------------------------- supports that do not fit

_NOT_INSIDE: dict[type, tuple[str, tuple[type, ...]]] = {
    Beta: ("concentration1", (Pareto,)),
    ContinuousBernoulli: ("probs", (Pareto,)),
    Exponential: ("rate", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    Gamma: ("concentration", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    Gumbel: ("loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    Laplace: ("loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    Normal: ("loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    Pareto: ("scale", (Beta, ContinuousBernoulli, Uniform)),
    Poisson: ("rate", (Bernoulli, Binomial)),
}


def _never(name: str) -> Any:
    """A rule that says infinity, shaped like p's parameter of that name."""
    def rule(p: Any, q: Any) -> Tensor:
        return torch.full_like(getattr(p, name), torch.inf)
    return rule


for _type_p, (_name, _types_q) in _NOT_INSIDE.items():
    for _type_q in _types_q:
        register_kl(_type_p, _type_q)(_never(_name))


# ---------------------------------------------------------------- pairs


@register_kl(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _kl_beta_continuous_bernoulli(p: Beta, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() + _against_continuous_bernoulli(p.mean, q)


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
def _kl_exponential(p: Any, q: Exponential) -> Tensor:
    return -p.entropy() + _against_exponential(p.mean, q)


@register_kl(Beta, Gamma)
def _kl_beta_gamma(p: Beta, q: Gamma) -> Tensor:
    total = p.concentration1 + p.concentration0
    mean_log = p.concentration1.digamma() - total.digamma()
    return -p.entropy() + _against_gamma(p.mean, mean_log, q)


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
def _kl_normal(p: Any, q: Normal) -> Tensor:
    return -p.entropy() + _against_normal(p.mean, p.variance, q)


@register_kl(Beta, Uniform)
def _kl_beta_uniform(p: Beta, q: Uniform) -> Tensor:
    result = -p.entropy() + (q.high - q.low).log()
    return infinite_where((q.low > 0) | (q.high < 1), result)


@register_kl(ContinuousBernoulli, Uniform)
def _kl_continuous_bernoulli_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    result = -p.entropy() + (q.high - q.low).log()
    # As in PyTorch, also where the ends meet.
    return infinite_where((q.low >= 0) | (q.high <= 1), result)


@register_kl(Exponential, Gamma)
def _kl_exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    mean_log = -euler_constant - p.rate.log()
    return -p.entropy() + _against_gamma(p.mean, mean_log, q)


@register_kl(Exponential, Gumbel)
def _kl_exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    product = p.rate * q.scale
    shift = q.loc / q.scale
    expected = torch.exp(shift) * product / (product + 1)       # of exp((loc - x) / scale)
    return product.log() - 1 - shift + expected + product.reciprocal()


@register_kl(Gamma, Gumbel)
def _kl_gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    product = p.rate * q.scale
    shift = q.loc / q.scale
    expected = torch.exp(shift) * (1 + product.reciprocal()).pow(-p.concentration)
    a = p.concentration
    return ((a - 1) * a.digamma() - a.lgamma() - a + product.log() + a / product + expected
            - shift)


@register_kl(Normal, Gumbel)
def _kl_normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    shift = (p.loc - q.loc) / q.scale
    expected = torch.exp(0.5 * (p.scale / q.scale).pow(2) - shift)
    return -p.entropy() + q.scale.log() + shift + expected


@register_kl(Normal, Laplace)
def _kl_normal_laplace(p: Normal, q: Laplace) -> Tensor:
    off = p.loc - q.loc
    z = off / p.scale
    distance = (math.sqrt(2 / math.pi) * p.scale * torch.exp(-0.5 * z.pow(2))
                + off * torch.erf(z * math.sqrt(0.5)))          # E |X - loc|
    return -p.entropy() + torch.log(2 * q.scale) + distance / q.scale


@register_kl(Pareto, Exponential)
def _kl_pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    mean = p.alpha * p.scale / (p.alpha - 1)
    result = -p.entropy() + _against_exponential(mean, q)
    return infinite_where(p.alpha <= 1, result)


@register_kl(Pareto, Gamma)
def _kl_pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    mean = p.alpha * p.scale / (p.alpha - 1)
    mean_log = p.scale.log() + p.alpha.reciprocal()
    result = -p.entropy() + _against_gamma(mean, mean_log, q)
    return infinite_where(p.alpha <= 1, result)


@register_kl(Pareto, Normal)
def _kl_pareto_normal(p: Pareto, q: Normal) -> Tensor:
    mean = p.alpha * p.scale / (p.alpha - 1)
    variance = mean.pow(2) / (p.alpha * (p.alpha - 2))
    result = -p.entropy() + _against_normal(mean, variance, q)
    return infinite_where(p.alpha <= 2, result)


@register_kl(Uniform, Beta)
def _kl_uniform_beta(p: Uniform, q: Beta) -> Tensor:
    width = p.high - p.low
    mean_log = _mean_log_uniform(p)
    mean_log_rest = (x_log_x(1 - p.low) - x_log_x(1 - p.high) - width) / width
    a, b = q.concentration1, q.concentration0
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    result = log_beta - width.log() - (a - 1) * mean_log - (b - 1) * mean_log_rest
    return infinite_where((p.high > 1) | (p.low < 0), result)


@register_kl(Uniform, ContinuousBernoulli)
def _kl_uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    result = -p.entropy() + _against_continuous_bernoulli(p.mean, q)
    # As in PyTorch, also where the ends meet.
    return infinite_where((p.high >= 1) | (p.low <= 0), result)


@register_kl(Uniform, Exponential)
def _kl_uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return infinite_where(p.low < 0, -p.entropy() + _against_exponential(p.mean, q))


@register_kl(Uniform, Gamma)
def _kl_uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    result = -p.entropy() + _against_gamma(p.mean, _mean_log_uniform(p), q)
    return infinite_where(p.low < 0, result)


@register_kl(Uniform, Gumbel)
def _kl_uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    density = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    expected = density * (torch.exp(-low) - torch.exp(-high))
    return density.log() + 0.5 * (high + low) + expected


@register_kl(Uniform, Pareto)
def _kl_uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    result = ((q.alpha + 1) * _mean_log_uniform(p) - p.entropy() - q.alpha.log()
              - q.alpha * q.scale.log())
    return infinite_where(p.low < q.scale, result)
