"""Sets in which parameters and values lie.

In: a tensor. Out: `check` gives a bool tensor, one element an event (`event_dim` dimensions on the
right make an event). A *dependent* constraint is not known before the other parameters are.

    positive.check(tensor([-1., 2.]))  ->  tensor([False, True])
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..nn.base import Tensor, torch

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent",
    "dependent_property", "greater_than", "greater_than_eq", "half_open_interval", "independent",
    "integer_interval", "interval", "is_dependent", "less_than", "lower_cholesky",
    "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive",
    "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector",
    "simplex", "square", "stack", "symmetric", "unit_interval",
]

UNKNOWN: Any = NotImplemented


class Constraint:
    """A set; `is_discrete` tells whether it is countable, `event_dim` the rank of its members."""

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Any) -> Any:
        """Which events of `value` lie in the set; shape `value.shape[:-event_dim]`."""
        raise NotImplementedError

    def _bounds(self) -> dict[str, Any]:
        """What `repr` shows between the parentheses."""
        return {}

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value}" for name, value in self._bounds().items())
        return f"{type(self).__name__.removeprefix('_')}({inside})"


# ---------------------------------------------------------------- dependent


class _Dependent(Constraint):
    """Depends on other parameters; what is known of it statically may be told."""

    def __init__(self, *, is_discrete: Any = UNKNOWN, event_dim: Any = UNKNOWN) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim
        super().__init__()

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        if self._is_discrete is UNKNOWN:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return self._is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        if self._event_dim is UNKNOWN:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return self._event_dim

    def __call__(self, *, is_discrete: Any = UNKNOWN, event_dim: Any = UNKNOWN) -> _Dependent:
        """The same with more told."""
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is UNKNOWN else is_discrete,
            event_dim=self._event_dim if event_dim is UNKNOWN else event_dim)

    def check(self, value: Any) -> Any:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __repr__(self) -> str:
        return f"{type(self).__name__.removeprefix('_')}()"


class _DependentProperty(property, _Dependent):
    """A property that computes a constraint: on the class it counts as a dependent constraint."""

    def __init__(self, fn: Callable[..., Any] | None = None, *, is_discrete: Any = UNKNOWN,
                 event_dim: Any = UNKNOWN) -> None:
        property.__init__(self, fn)
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def __call__(self, fn: Callable[..., Any]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: Any) -> bool:
    return isinstance(constraint, _Dependent)


# ---------------------------------------------------------------- made of others


def _widest(parts: Sequence[Constraint]) -> int:
    return max(c.event_dim for c in parts)


class _IndependentConstraint(Constraint):
    """Some batch dimensions of a constraint made part of its event."""

    def __init__(self, base_constraint: Any, reinterpreted_batch_ndims: int) -> None:
        if not isinstance(base_constraint, Constraint):
            raise AssertionError("base_constraint must be a Constraint, got "
                                 f"{type(base_constraint).__name__}")
        if not isinstance(reinterpreted_batch_ndims, int) or reinterpreted_batch_ndims < 0:
            raise AssertionError("reinterpreted_batch_ndims must be a non-negative int, got "
                                 f"{reinterpreted_batch_ndims}")
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        return _all_right(self.base_constraint.check(value), self.reinterpreted_batch_ndims,
                          self.event_dim, value)

    def __repr__(self) -> str:
        return (f"{type(self).__name__.removeprefix('_')}({self.base_constraint!r}, "
                f"{self.reinterpreted_batch_ndims})")


def _all_right(result: Tensor, ndims: int, expected: int, value: Tensor) -> Tensor:
    """`result` with its last `ndims` dimensions reduced by and."""
    if result.dim() < ndims:
        raise ValueError(f"Expected value.dim() >= {expected} but got {value.dim()}")
    if ndims == 0:
        return result
    return result.reshape(result.shape[:result.dim() - ndims] + (-1,)).all(-1)


class MixtureSameFamilyConstraint(Constraint):
    """A component's constraint, for the mixture's value: it must hold for every component."""

    def __init__(self, base_constraint: Any) -> None:
        if not isinstance(base_constraint, Constraint):
            raise AssertionError("base_constraint must be a Constraint, got "
                                 f"{type(base_constraint).__name__}")
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim

    def check(self, value: Any) -> Any:
        if value.dim() < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return result.reshape(result.shape[:value.dim() - self.event_dim] + (-1,)).all(-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_constraint!r})"


class _Joined(Constraint):
    """Constraints for parts of a tensor along `dim`."""

    def __init__(self, cseq: Sequence[Constraint], dim: int) -> None:
        if not all(isinstance(c, Constraint) for c in cseq):
            raise AssertionError("All elements of cseq must be Constraint instances")
        self.cseq = list(cseq)
        self.dim = dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return any(c.is_discrete for c in self.cseq)

    def _check_dim(self, value: Tensor) -> None:
        if not -value.dim() <= self.dim < value.dim():
            raise AssertionError(f"dim {self.dim} out of range for tensor with {value.dim()} "
                                 "dimensions")


class _Cat(_Joined):
    """Slices of the given lengths along `dim`, a constraint each."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0,
                 lengths: Sequence[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = list([1] * len(self.cseq) if lengths is None else lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match cseq "
                                 f"({len(self.cseq)})")

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return _widest(self.cseq)

    def check(self, value: Any) -> Any:
        self._check_dim(value)
        checks = []
        start = 0
        for constraint, length in zip(self.cseq, self.lengths):
            checks.append(constraint.check(value.narrow(self.dim, start, length)))
            start += length
        return torch.cat(checks, self.dim)


class _Stack(_Joined):
    """Single entries along `dim`, a constraint each."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        super().__init__(cseq, dim)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        widest = _widest(self.cseq)
        return widest + 1 if self.dim + widest < 0 else widest

    def check(self, value: Any) -> Any:
        self._check_dim(value)
        return torch.stack([c.check(value.select(self.dim, i)) for i, c in enumerate(self.cseq)],
                           self.dim)


# ---------------------------------------------------------------- numbers


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Any:
        return ((value == 0) | (value == 1)).all(-1) & value.sum(-1).eq(1)


class _Lower(Constraint):
    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound
        super().__init__()

    def _bounds(self) -> dict[str, Any]:
        return {"lower_bound": self.lower_bound}


class _Upper(Constraint):
    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound
        super().__init__()

    def _bounds(self) -> dict[str, Any]:
        return {"upper_bound": self.upper_bound}


class _Between(Constraint):
    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        super().__init__()

    def _bounds(self) -> dict[str, Any]:
        return {"lower_bound": self.lower_bound, "upper_bound": self.upper_bound}


class _IntegerInterval(_Between):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (self.lower_bound <= value) & (value <= self.upper_bound)


class _IntegerLessThan(_Upper):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value <= self.upper_bound)


class _IntegerGreaterThan(_Lower):
    is_discrete = True

    def check(self, value: Any) -> Any:
        return (value % 1 == 0) & (value >= self.lower_bound)


class _Real(Constraint):
    def check(self, value: Any) -> Any:
        return value == value  # NaN is not real


class _GreaterThan(_Lower):
    def check(self, value: Any) -> Any:
        return self.lower_bound < value


class _GreaterThanEq(_Lower):
    def check(self, value: Any) -> Any:
        return self.lower_bound <= value


class _LessThan(_Upper):
    def check(self, value: Any) -> Any:
        return value < self.upper_bound


class _Interval(_Between):
    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class _HalfOpenInterval(_Between):
    def check(self, value: Any) -> Any:
        return (self.lower_bound <= value) & (value < self.upper_bound)


# ---------------------------------------------------------------- vectors and matrices


class _Simplex(Constraint):
    """Not negative, and of sum 1 (to 1e-6) along the last dimension."""

    event_dim = 1

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Multinomial(Constraint):
    """Counts along the last dimension, of sum `upper_bound` at most."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Any) -> Any:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


def _every(mask: Tensor) -> Tensor:
    """The and over the last two dimensions."""
    return mask.reshape(mask.shape[:-2] + (-1,)).all(-1)


class _Matrix(Constraint):
    event_dim = 2


class _LowerTriangular(_Matrix):
    def check(self, value: Any) -> Any:
        return _every(value.tril() == value)


class _LowerCholesky(_Matrix):
    """Lower triangular, the diagonal positive."""

    def check(self, value: Any) -> Any:
        return _every(value.tril() == value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _CorrCholesky(_Matrix):
    """Lower Cholesky factors with rows of length 1."""

    def check(self, value: Any) -> Any:
        tolerance = torch.finfo(value.dtype).eps * value.size(-1) * 10
        length = (value * value).sum(-1).sqrt()
        return ((length - 1).abs() <= tolerance).all(-1) & lower_cholesky.check(value)


class _Square(_Matrix):
    def check(self, value: Any) -> Any:
        return torch.full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=torch.bool,
                          device=value.device)


class _Symmetric(_Square):
    def check(self, value: Any) -> Any:
        if value.shape[-2] != value.shape[-1]:
            return super().check(value)
        return _every(torch.isclose(value, value.mT, atol=1e-6))


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric_ = super().check(value)
        if value.shape[-2] != value.shape[-1]:
            return symmetric_
        return symmetric_ & (torch.linalg.eigvalsh(value) >= 0).all(-1)


class _PositiveDefinite(_Symmetric):
    def check(self, value: Any) -> Any:
        symmetric_ = super().check(value)
        if value.shape[-2] != value.shape[-1]:
            return symmetric_
        return symmetric_ & (torch.linalg.cholesky_ex(value).info == 0)


# ---------------------------------------------------------------- the public names

dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
boolean = _Boolean()
one_hot = _OneHot()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
cat = _Cat
stack = _Stack
