"""The multivariate normal distribution, and batches of small triangular systems."""
from __future__ import annotations

import math
from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .distribution import Distribution
from .utils import lazy_property, standard_normal

__all__ = ["MultivariateNormal"]


def batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    """(..., n, m) times (..., m), batches broadcast."""
    return torch.matmul(matrix, vector.unsqueeze(-1)).squeeze(-1)


def solve_lower(lower: Tensor, vector: Tensor) -> Tensor:
    """lower^-1 vector, for (..., n, n) and (..., n)."""
    if lower.dim() == 2:
        n = lower.shape[-1]
        columns = vector.reshape(-1, n).mT
        solved = torch.linalg.solve_triangular(lower, columns, upper=False)
        return solved.mT.reshape(vector.shape)
    return torch.linalg.solve_triangular(lower, vector.unsqueeze(-1), upper=False).squeeze(-1)


def mahalanobis(lower: Tensor, vector: Tensor) -> Tensor:
    """|lower^-1 vector|^2: the squared distance for the covariance lower lower^T."""
    return solve_lower(lower, vector).pow(2).sum(-1)


def half_log_det(lower: Tensor) -> Tensor:
    """log det of a triangular matrix, half that of its square."""
    return lower.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def eye_like(matrix: Tensor) -> Tensor:
    return torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)


def inverse_of_lower(lower: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(lower, eye_like(lower).expand(lower.shape), upper=False)


def cholesky_inverse(lower: Tensor) -> Tensor:
    """(lower lower^T)^-1."""
    inverse = inverse_of_lower(lower)
    return inverse.mT @ inverse


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The lower L with L L^T = precision^-1, from the Cholesky factor of the flipped matrix."""
    factor = torch.linalg.cholesky(torch.flip(precision, (-2, -1)))
    return inverse_of_lower(torch.flip(factor, (-2, -1)).mT)


_batch_mv = batch_mv
_batch_mahalanobis = mahalanobis
_precision_to_scale_tril = precision_to_scale_tril


def only_one(covariance: Any, precision: Any, scale_tril: Any, error: type[Exception],
             ) -> tuple[str, Tensor]:
    """The name and value of the one parameter that was given of the three."""
    given = {"covariance_matrix": covariance, "scale_tril": scale_tril,
             "precision_matrix": precision}
    found = [(name, value) for name, value in given.items() if value is not None]
    if len(found) != 1:
        raise error("Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                    "specified.")
    return found[0]


class MultivariateNormal(Distribution):
    """p(x) = exp(-|L^-1 (x - loc)|^2 / 2) / ((2 pi)^(n/2) det L), L L^T the covariance.

    One of covariance_matrix, precision_matrix (its inverse) and scale_tril (L) is given; scale_tril
    costs least.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, covariance_matrix: Any = None, precision_matrix: Any = None,
                 scale_tril: Any = None, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = only_one(covariance_matrix, precision_matrix, scale_tril, ValueError)
        if matrix.dim() < 2:
            word = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(f"{word} must be at least two-dimensional, with optional leading "
                             "batch dimensions")
        batch_shape = torch.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(batch_shape + matrix.shape[-2:]))
        self.loc = loc.expand(batch_shape + loc.shape[-1:])
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = torch.linalg.cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = precision_to_scale_tril(matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(MultivariateNormal, _instance)
        vector = torch.Size(batch_shape) + self.event_shape
        new.loc = self.loc.expand(vector)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        for name in ("covariance_matrix", "scale_tril", "precision_matrix"):
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand(vector + self.event_shape))
        return self._finish(new, MultivariateNormal, batch_shape, self.event_shape)

    def _broadcast(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._broadcast(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        lower = self._unbroadcasted_scale_tril
        return self._broadcast(torch.matmul(lower, lower.mT))

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return self._broadcast(cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        shape = self._extended_shape(sample_shape)
        eps = standard_normal(shape, self.loc.dtype, self.loc.device)
        return self.loc + batch_mv(self._unbroadcasted_scale_tril, eps)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        lower = self._unbroadcasted_scale_tril
        distance = mahalanobis(lower, value - self.loc)
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + distance) - half_log_det(lower)

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        value = 0.5 * n * (1.0 + math.log(2 * math.pi)) + half_log_det(
            self._unbroadcasted_scale_tril)
        return value.expand(self._batch_shape) if self._batch_shape else value
