"""The generalised Pareto distribution."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .distribution import Distribution
from .utils import parameters

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """P(X > x) = (1 + c z)^(-1/c), z = (x - loc) / scale, c the concentration; exp(-z) for c = 0.

    For c < 0 values end at loc - scale / c.
    """

    arg_constraints = {
        "loc": constraints.real, "scale": constraints.positive,
        "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any,
                 validate_args: bool | None = None) -> None:
        tensors, batch_shape = parameters(loc, scale, concentration)
        self.loc, self.scale, self.concentration = tensors
        super().__init__(batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(GeneralizedPareto, _instance, batch_shape,
                              ("loc", "scale", "concentration"))

    def _split(self) -> tuple[Tensor, Tensor]:
        """Where c is (nearly) 0, and c with 1 there, to divide by."""
        zero = torch.isclose(self.concentration, torch.zeros_like(self.concentration))
        return zero, torch.where(zero, 1.0, self.concentration)

    def _z(self, x: Tensor) -> Tensor:
        return (x - self.loc) / self.scale

    def rsample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        shape = self._extended_shape(sample_shape)
        return self.icdf(torch.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._split()
        power = 1 / c + torch.ones_like(z)
        curved = torch.where(power == 0, power, power * torch.log1p(c * z))
        return -self.scale.log() - torch.where(zero, z, curved)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log P(X > value)."""
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._split()
        return torch.where(zero, -z, -torch.log1p(c * z) / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        return torch.log1p(-torch.exp(self.log_survival_function(value)))

    def cdf(self, value: Tensor) -> Tensor:
        return torch.exp(self.log_cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        zero, c = self._split()
        log_rest = torch.log1p(-value)
        curved = self.loc + self.scale / c * torch.expm1(-c * log_rest)
        return torch.where(zero, self.loc - self.scale * log_rest, curved)

    @property
    def mean(self) -> Tensor:
        c = self.concentration
        return torch.where(c < 1, self.loc + self.scale / (1 - c), torch.inf)

    @property
    def variance(self) -> Tensor:
        c = self.concentration
        finite = self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c))
        return torch.where(c < 0.5, finite, torch.inf)

    def entropy(self) -> Tensor:
        return (torch.log(self.scale) + self.concentration + 1).expand(self._batch_shape)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:  # type: ignore[override]
        bounded = self.loc - self.scale / self.concentration
        upper = torch.where(self.concentration < 0, bounded, torch.inf)
        return constraints.interval(self.loc, upper)
