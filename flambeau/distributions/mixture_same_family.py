"""Mixtures whose components are one batched distribution."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """p(x) = sum_k w_k p_k(x); the components are the last batch dimension of one distribution."""

    arg_constraints: Any = {}
    has_rsample = False

    def __init__(self, mixture_distribution: Any, component_distribution: Any,
                 validate_args: bool | None = None) -> None:
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._check(mixture_distribution, component_distribution)
        self._num_component = mixture_distribution._param.shape[-1]
        event_shape = component_distribution.event_shape
        self._event_ndims = len(event_shape)
        super().__init__(component_distribution.batch_shape[:-1], event_shape,
                         validate_args=validate_args)

    @staticmethod
    def _check(mixture: Any, component: Any) -> None:
        if not isinstance(mixture, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of "
                             "torch.distributions.Categorical")
        if not isinstance(component, Distribution):
            raise ValueError("The Component distribution needs to be an instance of "
                             "torch.distributions.Distribution")
        outer = component.batch_shape[:-1]
        for size1, size2 in zip(reversed(mixture.batch_shape), reversed(outer)):
            if size1 != 1 and size2 != 1 and size1 != size2:
                raise ValueError(f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is "
                                 "not compatible with `component_distribution.batch_shape`"
                                 f"({outer})")
        count, last = mixture.logits.shape[-1], component.batch_shape[-1]
        if count is not None and last is not None and count != last:
            raise ValueError(f"`mixture_distribution component` ({count}) does not equal "
                             f"`component_distribution.batch_shape[-1]` ({last})")

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        batch_shape = torch.Size(batch_shape)
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        new._component_distribution = self._component_distribution.expand(
            batch_shape + torch.Size((self._num_component,)))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component = self._num_component
        new._event_ndims = self._event_ndims
        return self._finish(new, MixtureSameFamily, batch_shape, self.event_shape)

    @constraints.dependent_property
    def support(self) -> Any:  # type: ignore[override]
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        return self._component_distribution

    @property
    def _dim(self) -> int:
        """The dimension of the components, counted from the right."""
        return -1 - self._event_ndims

    @property
    def mean(self) -> Tensor:
        weights = self._pad_mixture_dimensions(self.mixture_distribution.probs)
        return torch.sum(weights * self.component_distribution.mean, dim=self._dim)

    @property
    def variance(self) -> Tensor:
        weights = self._pad_mixture_dimensions(self.mixture_distribution.probs)
        within = torch.sum(weights * self.component_distribution.variance, dim=self._dim)
        off = self.component_distribution.mean - self._pad(self.mean)
        return within + torch.sum(weights * off.pow(2.0), dim=self._dim)

    def cdf(self, x: Tensor) -> Tensor:  # type: ignore[override]
        parts = self.component_distribution.cdf(self._pad(x))
        return torch.sum(parts * self.mixture_distribution.probs, dim=-1)

    def log_prob(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if self._validate_args:
            self._validate_sample(x)
        parts = self.component_distribution.log_prob(self._pad(x))  # (*sample, *batch, k)
        weights = torch.log_softmax(self.mixture_distribution.logits, dim=-1)
        return torch.logsumexp(parts + weights, dim=-1)

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        with torch.no_grad():
            chosen = self.mixture_distribution.sample(sample_shape)     # (*sample, *batch)
            parts = self.component_distribution.sample(sample_shape)
            ones = torch.Size([1] * (self._event_ndims + 1))
            index = chosen.reshape(chosen.shape + ones)
            index = index.expand(chosen.shape + torch.Size([1]) + self.event_shape)
            return torch.gather(parts, parts.dim() + self._dim, index).squeeze(self._dim)

    def _pad(self, x: Tensor) -> Tensor:
        return x.unsqueeze(self._dim)

    def _pad_mixture_dimensions(self, x: Tensor) -> Tensor:
        """Weights (*batch, k) with the batch and event dimensions of the components."""
        missing = len(self.batch_shape) - len(self.mixture_distribution.batch_shape)
        shape = x.shape
        return x.reshape(shape[:-1] + torch.Size(missing * [1]) + shape[-1:]
                         + torch.Size(self._event_ndims * [1]))

    def __repr__(self) -> str:
        return (f"MixtureSameFamily(\n  {self.mixture_distribution},\n  "
                f"{self.component_distribution})")
