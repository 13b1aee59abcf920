"""The base class: shapes, validation, and what every distribution is asked.

In: parameters (tensors or numbers). Out: samples of shape sample_shape + batch_shape + event_shape,
log densities of shape sample_shape + batch_shape.
"""
from __future__ import annotations

import warnings
from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .utils import is_lazy

__all__ = ["Distribution"]


class Distribution:
    """A distribution over events of shape `event_shape`, one for each index of `batch_shape`."""

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions made from now on check their parameters and values."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = torch.Size(), event_shape: Any = torch.Size(),  # noqa: B008
                 validate_args: bool | None = None) -> None:
        self._batch_shape = torch.Size(batch_shape)
        self._event_shape = torch.Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()
        super().__init__()

    # ---------------------------------------------------------------- validation

    def _known_constraints(self) -> dict[str, Any]:
        try:
            return self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `arg_constraints`. Please set `arg_constraints "
                "= {}` or initialize the distribution with `validate_args=False` to turn off "
                "validation.", stacklevel=4)
            return {}

    def _validate_parameters(self) -> None:
        """One look at all parameters together; which of them is wrong is found afterwards."""
        checks = []
        good: Tensor | None = None
        for name, constraint in self._known_constraints().items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and is_lazy(type(self), name):
                continue
            value = getattr(self, name)
            valid = constraint.check(value)
            checks.append((name, constraint, value, valid))
            valid = valid.all()
            good = valid if good is None else good & valid
        if good is None or bool(good):
            return
        for name, constraint, value, valid in checks:
            if not bool(valid.all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}")

    def _validate_sample(self, value: Any) -> None:
        """Raises ValueError where `value` has the wrong type, shape, or lies outside the support.

        The sample must broadcast against batch_shape + event_shape.
        """
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        rank = len(self._event_shape)
        if value.size()[value.dim() - rank:] != self._event_shape:
            raise ValueError("The right-most size of value must match event_shape: "
                             f"{value.size()} vs {self._event_shape}.")
        expected = self._batch_shape + self._event_shape
        for i, j in zip(reversed(value.size()), reversed(expected)):
            if i != 1 and j != 1 and i != j:
                raise ValueError("Value is not broadcastable with batch_shape+event_shape: "
                                 f"{value.size()} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{self.__class__} does not define `support` to enable sample validation. Please "
                "initialize the distribution with `validate_args=False` to turn off validation.",
                stacklevel=3)
            return
        if support is None:
            raise AssertionError("support must be set")
        if not bool(support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, but found "
                f"invalid values:\n{value}")

    # ---------------------------------------------------------------- shapes

    @property
    def batch_shape(self) -> Any:
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Any:
        """The shape of a single sample, not counting batches."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Any = torch.Size()) -> Any:  # noqa: B008
        """sample_shape + batch_shape + event_shape."""
        return torch.Size(sample_shape) + self._batch_shape + self._event_shape

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its parameters expanded to `batch_shape`."""
        raise NotImplementedError

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """A blank object for `expand`; subclasses with their own constructor must define it."""
        if _instance is None and type(self).__init__ != cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {self.__class__.__name__} of {cls.__name__} that defines a custom "
                "__init__ method must also define a custom .expand() method.")
        return self.__new__(type(self)) if _instance is None else _instance

    def _finish(self, new: Any, cls: type, batch_shape: Any,
                event_shape: Any = torch.Size()) -> Any:  # noqa: B008
        """Give an expanded instance its shapes; keeps whether it validates."""
        super(cls, new).__init__(  # type: ignore[misc]
            torch.Size(batch_shape), event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _expanded(self, cls: type, instance: Any, batch_shape: Any, names: tuple[str, ...]) -> Any:
        """`expand` for classes without event dimensions: the named tensors, expanded.

        A name that this object does not have (probs or logits) is left out.
        """
        new = self._get_checked_instance(cls, instance)
        for name in names:
            if name in self.__dict__:
                setattr(new, name, self.__dict__[name].expand(torch.Size(batch_shape)))
        return self._finish(new, cls, batch_shape)

    # ---------------------------------------------------------------- what a subclass gives

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The constraint of each parameter, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The constraint that samples satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        """Samples without gradients, of shape sample_shape + batch_shape + event_shape."""
        with torch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = torch.Size()) -> Tensor:  # noqa: B008
        """Samples through which gradients flow to the parameters."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """n samples, stacked in front."""
        warnings.warn("sample_n will be deprecated. Use .sample((n,)) instead", UserWarning,
                      stacklevel=2)
        return self.sample(torch.Size((n,)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The log of the density, or of the probability, at `value`."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a sample up to `value`."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Every value of a discrete distribution, along dimension 0."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy in nats, of shape batch_shape."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        return torch.exp(self.entropy())

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        shown = [f"{name}: {_shown(self.__dict__[name])}" for name in names]
        return f"{self.__class__.__name__}({', '.join(shown)})"


def _shown(value: Any) -> Any:
    return value if value.numel() == 1 else value.size()
