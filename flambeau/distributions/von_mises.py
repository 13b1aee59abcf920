"""The von Mises distribution on the circle."""
from __future__ import annotations

import math
from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


def _log_i0(x: Tensor) -> Tensor:
    """log of the modified Bessel function of order 0, for x > 0."""
    return torch.log(torch.special.i0e(x)) + x


def _rejection_sample(loc: Tensor, concentration: Tensor, proposal_r: Tensor,
                      shape: Any) -> Tensor:
    """Best and Fisher (1979): proposals from a wrapped Cauchy, until all places have one."""
    x = torch.zeros(shape, dtype=loc.dtype, device=loc.device)
    done = torch.zeros(shape, dtype=torch.bool, device=loc.device)
    while not bool(done.all()):
        u1, u2, u3 = torch.rand((3, *shape), dtype=loc.dtype, device=loc.device).unbind()
        z = torch.cos(math.pi * u1)
        f = (1 + proposal_r * z) / (proposal_r + z)
        c = concentration * (proposal_r - f)
        accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
        x = torch.where(accept, (u3 - 0.5).sign() * f.acos(), x)
        done = done | accept
    return (x + math.pi + loc) % (2 * math.pi) - math.pi


class VonMises(Distribution):
    """p(x) = exp(k cos(x - loc)) / (2 pi I0(k)), x an angle in radians, k the concentration."""

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        return k * torch.cos(value - self.loc) - math.log(2 * math.pi) - _log_i0(k)

    # Single precision is not enough for proposals at large concentrations.

    @lazy_property
    def _loc(self) -> Tensor:
        return self.loc.to(torch.double)

    @lazy_property
    def _concentration(self) -> Tensor:
        return self.concentration.to(torch.double)

    @lazy_property
    def _proposal_r(self) -> Tensor:
        k = self._concentration
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        r = (1 + rho**2) / (2 * rho)
        return torch.where(k < 1e-5, 1 / k + k, r)

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        """Angles in [-pi, pi)."""
        shape = self._extended_shape(sample_shape)
        with torch.no_grad():
            drawn = _rejection_sample(self._loc, self._concentration, self._proposal_r, shape)
            return drawn.to(self.loc.dtype)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        if _instance is not None or type(self) is not VonMises:
            return self._expanded(VonMises, _instance, batch_shape, ("loc", "concentration"))
        shape = torch.Size(batch_shape)
        return VonMises(self.loc.expand(shape), self.concentration.expand(shape),
                        validate_args=self._validate_args)

    @property
    def mean(self) -> Tensor:
        """The circular mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:  # type: ignore[override]
        """The circular variance 1 - I1(k) / I0(k)."""
        k = self.concentration
        return 1 - torch.special.i1e(k) / torch.special.i0e(k)
