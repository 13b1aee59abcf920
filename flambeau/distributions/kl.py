"""KL divergences: `kl_divergence`, `register_kl`, and the pairs of one kind.

In: distributions p and q. Out: KL(p || q), of their batch shape.
"""
from __future__ import annotations

from typing import Any

from ..nn import functional as F  # noqa: N812
from ..nn.base import Tensor, torch
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .divergence import _KL_MEMOIZE, _KL_REGISTRY, _dispatch_kl, kl_divergence, register_kl
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .kl_pairs import infinite_where
from .laplace import Laplace
from .lowrank_multivariate_normal import (
    LowRankMultivariateNormal, lowrank_log_det, lowrank_mahalanobis,
)
from .multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import euler_constant, sum_rightmost

__all__ = ["kl_divergence", "register_kl"]
_TABLES = (_KL_REGISTRY, _KL_MEMOIZE, _dispatch_kl)


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli_bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = p.probs * (F.softplus(-q.logits) - F.softplus(-p.logits))
    one = torch.where(p.probs == 0, 0.0, infinite_where(q.probs == 0, one))
    zero = (1 - p.probs) * (F.softplus(q.logits) - F.softplus(p.logits))
    zero = torch.where(p.probs == 1, 0.0, infinite_where(q.probs == 1, zero))
    return one + zero


@register_kl(Beta, Beta)
def _kl_beta_beta(p: Beta, q: Beta) -> Tensor:
    return _kl_dirichlet_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _kl_binomial_binomial(p: Binomial, q: Binomial) -> Tensor:
    # Against fewer trials some outcomes are impossible; against more there is no closed form.
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not "
                                  "implemented")
    value = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p()
                             - (-q.probs).log1p())
    return infinite_where(p.total_count > q.total_count, value)


@register_kl(Categorical, Categorical)
def _kl_categorical_categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = infinite_where(q.probs == 0, p.probs * (p.logits - q.logits))
    return torch.where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy_cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    # Chyzak and Nielsen (2019)
    apart = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _kl_continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    log_p = p._cont_bern_log_norm() + torch.log1p(-p.probs)
    log_q = q._cont_bern_log_norm() + torch.log1p(-q.probs)
    return p.mean * (p.logits - q.logits) + log_p - log_q


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet_dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    mean_log = a.digamma() - total.digamma().unsqueeze(-1)
    return (total.lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
            + ((a - b) * mean_log).sum(-1))


@register_kl(Exponential, Exponential)
def _kl_exponential_exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_expfamily_expfamily(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """The Bregman divergence of the log normaliser (Nielsen and Nock, 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed "
            "using Bregman divergences")
    p_params = [n.detach().requires_grad_() for n in p._natural_params]
    q_params = q._natural_params
    normaliser = p._log_normalizer(*p_params)
    slopes = torch.autograd.grad(normaliser.sum(), p_params, create_graph=True)
    result = q._log_normalizer(*q_params) - normaliser
    for eta_p, eta_q, slope in zip(p_params, q_params, slopes):
        result = result - sum_rightmost((eta_q - eta_p) * slope, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _kl_gamma_gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return (b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma()
            + (q.rate - p.rate) * (a / p.rate))


@register_kl(Gumbel, Gumbel)
def _kl_gumbel_gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio = p.scale / q.scale
    off = (p.loc - q.loc) / q.scale
    expected = torch.exp(torch.lgamma(1 + ratio) - off)
    return -ratio.log() + off + ratio * euler_constant + expected - (1 + euler_constant)


@register_kl(Geometric, Geometric)
def _kl_geometric_geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - torch.log1p(-q.probs) / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _kl_halfnormal_halfnormal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _kl_normal_normal(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _kl_independent_independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Laplace, Laplace)
def _kl_laplace_laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio = p.scale / q.scale
    off = (p.loc - q.loc).abs()
    return -ratio.log() + off / q.scale + ratio * torch.exp(-off / p.scale) - 1


@register_kl(Normal, Normal)
def _kl_normal_normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    off = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + off - 1 - ratio.log())


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_onehotcategorical_onehotcategorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _kl_categorical_categorical(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _kl_pareto_pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return infinite_where(p.scale < q.scale, result)


@register_kl(Poisson, Poisson)
def _kl_poisson_poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed_transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    """A common bijection changes nothing."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _kl_uniform_uniform(p: Uniform, q: Uniform) -> Tensor:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return infinite_where((q.low > p.low) | (q.high < p.high), result)


# ---------------------------------------------------------------- multivariate normals


def _same_event(p: Any, q: Any, names: str) -> int:
    """The number of dimensions of the events, which must agree."""
    if p.event_shape != q.event_shape:
        raise ValueError(f"KL-divergence between two {names} with different event shapes cannot be "
                         "computed")
    return p.event_shape[0]


def _trace_of_ratio(lower: Tensor, root: Tensor) -> Tensor:
    """trace((lower lower^T)^-1 root root^T), root (..., n, m)."""
    batch = torch.broadcast_shapes(lower.shape[:-2], root.shape[:-2])
    lower = lower.expand(batch + lower.shape[-2:])
    root = root.expand(batch + root.shape[-2:])
    return torch.linalg.solve_triangular(lower, root, upper=False).pow(2).sum((-2, -1))


def _roots(p: Any) -> tuple[Tensor, ...]:
    """Matrices R_i whose R_i R_i^T sum up to the covariance."""
    if isinstance(p, MultivariateNormal):
        return (p._unbroadcasted_scale_tril,)
    return p._unbroadcasted_cov_factor, torch.diag_embed(p._unbroadcasted_cov_diag.sqrt())


def _log_det(p: Any) -> Tensor:
    """log det of the covariance."""
    if isinstance(p, MultivariateNormal):
        return 2 * half_log_det(p._unbroadcasted_scale_tril)
    return lowrank_log_det(p._unbroadcasted_cov_diag, p._capacitance_tril)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _kl_multivariatenormal(p: Any, q: MultivariateNormal) -> Tensor:
    names = ("Multivariate Normals" if isinstance(p, MultivariateNormal)
             else "(Low Rank) Multivariate Normals")
    n = _same_event(p, q, names)
    lower = q._unbroadcasted_scale_tril
    trace = sum(_trace_of_ratio(lower, root) for root in _roots(p))
    distance = mahalanobis(lower, q.loc - p.loc)
    return 0.5 * (_log_det(q) - _log_det(p) + trace + distance - n)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _kl_lowrankmultivariatenormal(p: Any, q: LowRankMultivariateNormal) -> Tensor:
    names = ("(Low Rank) Multivariate Normals" if isinstance(p, MultivariateNormal)
             else "Low Rank Multivariate Normals")
    n = _same_event(p, q, names)
    factor, diagonal = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    capacitance = q._capacitance_tril
    distance = lowrank_mahalanobis(factor, diagonal, q.loc - p.loc, capacitance)
    # q's precision is D^-1 - A^T A with A = C^-1 W^T D^-1.
    scaled = factor.mT / diagonal.unsqueeze(-2)
    shrink = torch.linalg.solve_triangular(capacitance, scaled, upper=False)
    trace: Any = 0.0
    for root in _roots(p):
        weighted = (root / diagonal.sqrt().unsqueeze(-1)).pow(2).sum((-2, -1))
        trace = trace + weighted - torch.matmul(shrink, root).pow(2).sum((-2, -1))
    return 0.5 * (_log_det(q) - _log_det(p) + trace + distance - n)
