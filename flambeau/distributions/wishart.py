"""The Wishart distribution of positive definite matrices."""
from __future__ import annotations

import math
import warnings
from numbers import Number
from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .multivariate_normal import cholesky_inverse, half_log_det, only_one, precision_to_scale_tril
from .utils import lazy_property

__all__ = ["Wishart"]


def _digammas(x: Tensor, p: int) -> Tensor:
    """The slope of the log gamma function of p dimensions, sum of psi(x - i / 2)."""
    return torch.digamma(x.unsqueeze(-1) - torch.arange(p, dtype=x.dtype) / 2).sum(-1)


def _clamp_above_eps(x: Tensor) -> Tensor:
    return x.clamp(min=torch.finfo(x.dtype).eps)


def trace_of_product(a: Tensor, b: Tensor) -> Tensor:
    """trace(a b) of symmetric matrices."""
    return (a * b.mT).sum((-2, -1))


class Wishart(ExponentialFamily):
    """sum of df outer products x x^T, x normal of the given covariance; df > p - 1, perhaps broken.

    Sampled by Bartlett's decomposition.
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> dict[str, Any]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(self, df: Any, covariance_matrix: Any = None, precision_matrix: Any = None,
                 scale_tril: Any = None, validate_args: bool | None = None) -> None:
        name, matrix = only_one(covariance_matrix, precision_matrix, scale_tril, AssertionError)
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading "
                             "batch dimensions")
        if isinstance(df, Number):
            df = torch.tensor(df, dtype=matrix.dtype, device=matrix.device)
        batch_shape = torch.broadcast_shapes(df.shape, matrix.shape[:-2])
        event_shape = matrix.shape[-2:]
        self.df = df.expand(batch_shape)
        setattr(self, name, matrix.expand(batch_shape + event_shape))
        if bool((self.df <= event_shape[-1] - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = "
                             f"{event_shape[-1] - 1}.")
        super().__init__(batch_shape, event_shape, validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = torch.linalg.cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = precision_to_scale_tril(matrix)
        self._dist_chi2 = self._diagonals(batch_shape)

    def _diagonals(self, batch_shape: Any) -> Chi2:
        """Of the squared diagonal: chi-squared of df, df - 1, ... degrees."""
        p = self._event_shape[-1]
        steps = torch.arange(p, dtype=self._unbroadcasted_scale_tril.dtype)
        return Chi2(df=self.df.unsqueeze(-1) - steps.expand(tuple(batch_shape) + (-1,)))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Wishart, _instance)
        batch_shape = torch.Size(batch_shape)
        whole = batch_shape + self.event_shape
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril.expand(whole)
        new.df = self.df.expand(batch_shape)
        for name in ("covariance_matrix", "scale_tril", "precision_matrix"):
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand(whole))
        self._finish(new, Wishart, batch_shape, self.event_shape)
        new._dist_chi2 = new._diagonals(batch_shape)
        return new

    def _broadcast(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._broadcast(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        lower = self._unbroadcasted_scale_tril
        return self._broadcast(lower @ lower.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return self._broadcast(cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Tensor:
        return self.df.view(self._batch_shape + (1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = torch.where(factor <= 0, torch.nan, factor)
        return factor.view(self._batch_shape + (1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        d = v.diagonal(dim1=-2, dim2=-1)
        outer = d.unsqueeze(-1) * d.unsqueeze(-2)
        return self.df.view(self._batch_shape + (1, 1)) * (v.pow(2) + outer)

    def _bartlett_sampling(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        p = self._event_shape[-1]
        diagonal = _clamp_above_eps(self._dist_chi2.rsample(sample_shape).sqrt()).diag_embed()
        rows, columns = torch.tril_indices(p, p, offset=-1)
        shape = torch.Size(sample_shape) + self._batch_shape
        drawn = torch.randn(shape + torch.Size((p * (p - 1) // 2,)), dtype=diagonal.dtype)
        flat = torch.zeros(shape + torch.Size((p * p,)), dtype=diagonal.dtype)
        flat[..., rows * p + columns] = drawn
        root = self._unbroadcasted_scale_tril @ (diagonal + flat.reshape(shape + self._event_shape))
        return root @ root.mT

    def rsample(self, sample_shape: Any = torch.Size(),  # noqa: B008
                max_try_correction: Any = None) -> Tensor:
        """Matrices of shape sample_shape + batch_shape + (p, p).

        PyTorch 2.13 takes a first good matrix for a singular one and draws it again; so do we, to
        give the same numbers for a seed. What is truly singular, by rounding, is drawn again after
        that, max_try_correction times at most.
        """
        rounds = 10 if max_try_correction is None else max_try_correction
        sample_shape = torch.Size(sample_shape)
        count = torch.Size((sample_shape.numel(),))
        sample = self._bartlett_sampling(sample_shape)
        if sample.numel() == 0 or rounds == 0:
            return sample
        sample = self._bartlett_sampling(count).reshape(sample.shape)
        return self._corrected(sample, sample_shape, rounds)

    def _corrected(self, sample: Tensor, sample_shape: Any, rounds: int) -> Tensor:
        """`sample` with its singular matrices drawn again."""
        for _ in range(rounds - 1):
            good = self.support.check(sample.detach())
            if bool(good.all()):
                break
            warnings.warn("Singular sample detected.", stacklevel=3)
            again = self._bartlett_sampling(sample_shape)
            sample = torch.where(good[..., None, None], sample, again)
        return sample

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        nu, p = self.df, self._event_shape[-1]
        lower = self._unbroadcasted_scale_tril
        precision = cholesky_inverse(lower)
        return (-nu * (p * math.log(2.0) / 2 + half_log_det(lower))
                - torch.mvlgamma(nu / 2, p)
                + (nu - p - 1) / 2 * torch.linalg.slogdet(value).logabsdet
                - trace_of_product(precision, value) / 2)

    def entropy(self) -> Tensor:
        nu, p = self.df, self._event_shape[-1]
        return ((p + 1) * (p * math.log(2.0) / 2 + half_log_det(self._unbroadcasted_scale_tril))
                + torch.mvlgamma(nu / 2, p)
                - (nu - p - 1) / 2 * _digammas(nu / 2, p) + nu * p / 2)

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        p = self._event_shape[-1]
        return -self.precision_matrix / 2, (self.df - p - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        p = self._event_shape[-1]
        half = y + (p + 1) / 2
        log_det = torch.linalg.slogdet(-2 * x).logabsdet
        return half * (p * math.log(2.0) - log_det) + torch.mvlgamma(half, p)
