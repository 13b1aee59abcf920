"""Transforms for parts of a tensor: slices along a dimension, or single entries.

In: tensors. Out: tensors of the same shape (where the parts keep theirs).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..nn.base import Tensor, torch
from . import constraints
from .transform import Transform
from .utils import sum_rightmost


class _PartsTransform(Transform):
    """Transforms for parts of a tensor along `dim`."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        if cache_size:
            tseq = [t.with_cache(cache_size) for t in tseq]
        super().__init__(cache_size=cache_size)
        self.transforms = list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return all(t.bijective for t in self.transforms)

    def _check(self, value: Tensor, name: str, size: int, size_word: str) -> None:
        rank = value.dim()
        if not -rank <= self.dim < rank:
            raise AssertionError(f"dim {self.dim} out of range for tensor with {rank} dimensions")
        if value.size(self.dim) != size:
            raise AssertionError(f"{name}.size({self.dim}) = {value.size(self.dim)} must equal "
                                 f"{size_word} {size}")


class CatTransform(_PartsTransform):
    """Each transform for a slice of its length along `dim`, the results joined again."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0,
                 lengths: Sequence[int] | None = None, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = list([1] * len(self.transforms) if lengths is None else lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms "
                                 f"({len(self.transforms)})")

    @property
    def event_dim(self) -> int:
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        return sum(self.lengths)

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _slices(self, value: Tensor, name: str) -> list[Tensor]:
        self._check(value, name, self.length, "length")
        starts = [sum(self.lengths[:i]) for i in range(len(self.lengths))]
        return [value.narrow(self.dim, s, n) for s, n in zip(starts, self.lengths)]

    def _call(self, x: Tensor) -> Tensor:
        parts = [t(part) for t, part in zip(self.transforms, self._slices(x, "x"))]
        return torch.cat(parts, dim=self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = [t.inv(part) for t, part in zip(self.transforms, self._slices(y, "y"))]
        return torch.cat(parts, dim=self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = []
        for t, a, b in zip(self.transforms, self._slices(x, "x"), self._slices(y, "y")):
            part = t.log_abs_det_jacobian(a, b)
            if t.event_dim < self.event_dim:
                part = sum_rightmost(part, self.event_dim - t.event_dim)
            parts.append(part)
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        if dim < 0:
            return torch.cat(parts, dim=dim)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


class StackTransform(_PartsTransform):
    """Each transform for one entry along `dim`."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    @property
    def domain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def with_cache(self, cache_size: int = 1) -> Any:
        if self._cache_size == cache_size:
            return self
        return StackTransform(self.transforms, self.dim, cache_size)

    def _entries(self, value: Tensor, name: str) -> list[Tensor]:
        self._check(value, name, len(self.transforms), "len(transforms)")
        return [value.select(self.dim, i) for i in range(len(self.transforms))]

    def _call(self, x: Tensor) -> Tensor:
        parts = [t(part) for t, part in zip(self.transforms, self._entries(x, "x"))]
        return torch.stack(parts, dim=self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        parts = [t.inv(part) for t, part in zip(self.transforms, self._entries(y, "y"))]
        return torch.stack(parts, dim=self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = zip(self._entries(x, "x"), self._entries(y, "y"))
        parts = [t.log_abs_det_jacobian(a, b) for t, (a, b) in zip(self.transforms, pairs)]
        return torch.stack(parts, dim=self.dim)
