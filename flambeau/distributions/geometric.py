"""The geometric distribution."""
from __future__ import annotations

from typing import Any

from ..nn import functional as F  # noqa: N812
from ..nn.base import Tensor, torch
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property, logits_to_probs, one_of, parameters
from .utils import probs_to_logits

__all__ = ["Geometric"]


class Geometric(Distribution):
    """The failures before the first success: P(k) = (1 - p)^k p, k = 0, 1, ..."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None,
                 validate_args: bool | None = None) -> None:
        name = "probs" if one_of(probs, logits) else "logits"
        (given,), batch_shape = parameters(logits if probs is None else probs)
        setattr(self, name, given)
        super().__init__(batch_shape, validate_args=validate_args)
        if self._validate_args and probs is not None:
            self._check_success()

    def _check_success(self) -> None:
        """p = 0 lies in the unit interval, but its success never comes."""
        valid = self.probs > 0
        if not bool(valid.all()):
            wrong = self.probs[~valid]
            raise ValueError(
                f"Expected parameter probs ({type(self.probs).__name__} of shape "
                f"{tuple(self.probs.shape)}) of distribution {self!r} to be positive but found "
                f"invalid values:\n{wrong}")

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(Geometric, _instance, batch_shape, ("probs", "logits"))

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return torch.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, is_binary=True)

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        shape = self._extended_shape(sample_shape)
        tiny = torch.finfo(self.probs.dtype).tiny
        with torch.no_grad():
            u = torch.empty(shape, dtype=self.probs.dtype).uniform_(tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # Certain success after no failure: 0 log 0 is 0.
        missed = torch.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-missed).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
        return loss / self.probs
