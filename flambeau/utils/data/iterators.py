"""The iterators of a `DataLoader`: what all share, and the one that fetches in this process.

In: a loader. Out: batches. The one with worker processes stands in `workers`.
"""
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ._utils.fetch import fetcher
from .sampler import drawn_seed

if TYPE_CHECKING:
    from .dataloader import DataLoader


class _DatasetKind:
    """How a dataset is read."""

    Map = 0
    Iterable = 1


class _BaseDataLoaderIter:
    """What iterators share: the order, the seed, the count."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._dataset = loader.dataset
        self._iterable = loader._dataset_kind == _DatasetKind.Iterable
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._timeout = loader.timeout
        if loader.pin_memory:
            warnings.warn("'pin_memory' argument is set as true but no accelerator is found, then "
                          "device pinned memory won't be used.", stacklevel=3)
        self._start()

    def _start(self) -> None:
        """Begin an epoch: the seed is drawn before the order is."""
        self._sampler_iter = iter(self._index_sampler)
        self._base_seed = drawn_seed(self._loader.generator)
        self._num_yielded = 0

    def __iter__(self) -> _BaseDataLoaderIter:
        return self

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        if self._iterable and not self._loader._warned:
            self._warn_of_length()
        return data

    next = __next__

    def _warn_of_length(self) -> None:
        if not hasattr(type(self._dataset), "__len__"):
            return
        length = len(self._loader)
        if self._num_yielded > length:
            self._loader._warned = True
            text = (f"Length of IterableDataset {self._dataset} was reported to be {length}"
                    f"(when accessing len(dataloader)), but {self._num_yielded} samples have been "
                    "fetched. ")
            if self._num_workers:
                text += ("For multiprocessing data-loading, this could be caused by not properly "
                         "configuring the IterableDataset replica at each worker.")
            warnings.warn(text, stacklevel=3)

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Fetches here, when asked."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if self._timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._fetcher = fetcher(self._iterable, self._dataset, loader._auto_collation,
                                loader.collate_fn, loader.drop_last)

    def _next_data(self) -> Any:
        return self._fetcher.fetch(next(self._sampler_iter))
