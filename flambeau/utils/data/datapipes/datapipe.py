"""IterDataPipe and MapDataPipe: datasets under their old names; they chain no operations."""
from __future__ import annotations

from typing import TypeVar

from ..dataset import Dataset, IterableDataset

T_co = TypeVar("T_co", covariant=True)

__all__ = ["DFIterDataPipe", "IterDataPipe", "MapDataPipe"]


class IterDataPipe(IterableDataset[T_co]):
    """A stream of samples."""


class DFIterDataPipe(IterDataPipe[T_co]):
    """A stream of rows of a data frame."""


class MapDataPipe(Dataset[T_co]):
    """Samples by key."""


class _IterDataPipeSerializationWrapper(IterDataPipe[T_co]):
    """A stream that pickles what it holds; here it is never made by a DataLoader."""


class _MapDataPipeSerializationWrapper(MapDataPipe[T_co]):
    """The same for samples by key."""
