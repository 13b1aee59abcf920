"""The LKJ distribution of Cholesky factors of correlation matrices."""
from __future__ import annotations

import math
from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """L of order `dim` with density in proportion to det(L L^T)^(concentration - 1).

    Concentration 1 is uniform over correlation matrices. Sampled by the onion method (Lewandowski,
    Kurowicka and Joe, 2009): each row is a point of a sphere, of beta distributed radius.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0,
                 validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError("Expected dim to be an integer greater than or equal to 2. Found "
                             f"dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        marginal = self.concentration + 0.5 * (dim - 2)
        row = torch.arange(dim - 1, dtype=marginal.dtype, device=marginal.device)
        offset = torch.cat([row.new_zeros((1,)), row])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(self.concentration.size(), torch.Size((dim, dim)), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LKJCholesky, _instance)
        batch_shape = torch.Size(batch_shape)
        new.dim = self.dim
        new.concentration = self.concentration.expand(batch_shape)
        new._beta = self._beta.expand(batch_shape + torch.Size((self.dim,)))
        return self._finish(new, LKJCholesky, batch_shape, self.event_shape)

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        with torch.no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            shape = self._extended_shape(sample_shape)
            normal = torch.randn(shape, dtype=y.dtype, device=y.device).tril(-1)
            sphere = normal / normal.norm(dim=-1, keepdim=True)
            # Row 0 has no direction: 0 / 0.
            first = torch.arange(self.dim, device=y.device).unsqueeze(-1) == 0
            w = torch.sqrt(y) * torch.where(first, 0.0, sphere)
            tiny = torch.finfo(w.dtype).tiny
            rest = torch.clamp(1 - torch.sum(w**2, dim=-1), min=tiny).sqrt()
            return w + torch.diag_embed(rest)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.dim
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        row = torch.arange(2, n + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + n - row
        density = torch.sum(order * diagonal.log(), dim=-1)
        m = n - 1
        alpha = self.concentration + 0.5 * m
        normaliser = (0.5 * m * math.log(math.pi) + torch.mvlgamma(alpha - 0.5, m)
                      - torch.lgamma(alpha) * m)
        return density - normaliser
