"""How a tensor lies on a mesh."""
from __future__ import annotations

from dataclasses import dataclass


class Placement:
    """The base of the three kinds."""

    def is_shard(self, dim: int | None = None) -> bool:
        return isinstance(self, Shard) and (dim is None or self.dim == dim)

    def is_replicate(self) -> bool:
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op: str | None = None) -> bool:
        return isinstance(self, Partial) and reduce_op in (None, self.reduce_op)


@dataclass(frozen=True)
class Shard(Placement):
    """Cut along `dim`."""

    dim: int


@dataclass(frozen=True)
class _StridedShard(Shard):
    """Cut along `dim` by more than one side of a mesh, the inner first."""

    split_factor: int = 1


@dataclass(frozen=True)
class Replicate(Placement):
    """A copy everywhere."""


@dataclass(frozen=True)
class Partial(Placement):
    """Parts that are still to be reduced."""

    reduce_op: str = "sum"


_Partial = Partial

__all__ = ["Partial", "Placement", "Replicate", "Shard"]
