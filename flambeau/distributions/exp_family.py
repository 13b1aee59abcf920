"""Exponential families: log p(x) = <t(x), eta> - F(eta) + k(x)."""
from __future__ import annotations

from typing import Any

from ..nn.base import Tensor, torch
from .distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Gives the natural parameters eta, the log normaliser F, and the mean of k(x).

    The entropy follows by differentiating F: F(eta) - <eta, dF/d eta> - E k(x).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Any:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        carrier = self._mean_carrier_measure
        natural = [p.detach().requires_grad_() for p in self._natural_params]
        normaliser = self._log_normalizer(*natural)
        slopes = torch.autograd.grad(normaliser.sum(), natural, create_graph=True)
        result = normaliser - carrier
        rank = len(self.event_shape)
        for eta, slope in zip(natural, slopes):
            term = eta * slope
            result = result - term.reshape(self._batch_shape + (-1,)).sum(-1) if rank else (
                result - term)
        return result
