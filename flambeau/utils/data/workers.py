"""The iterator of a `DataLoader` with worker processes.

In: a loader. Out: its batches, in the order of the sampler (or as they come, `in_order=False`).
Batch n is ordered from the workers in turn, `prefetch_factor` ahead for each. A worker has two
connections of its own; waiting is for any of them, or for the end of any process, so that a worker
that dies is named at once.
"""
from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import pickle
import signal
import time
import warnings
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from ..._utils import ExceptionWrapper
from ._utils.worker import Ended, Resume, Task, run
from .iterators import _BaseDataLoaderIter

if TYPE_CHECKING:
    from .dataloader import DataLoader

JOIN = 5.0


class _Worker:
    """One process as the parent sees it. `open`: it still takes orders of this epoch."""

    __slots__ = ("id", "open", "orders", "process", "results")

    def __init__(self, id: int, process: Any, orders: Any, results: Any) -> None:
        self.id = id
        self.process = process
        self.orders = orders
        self.results = results
        self.open = True


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Orders batches ahead from workers and hands them out."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._workers: list[_Worker] = []
        self._shut = False
        super().__init__(loader)
        self._in_order = loader.in_order
        self._prefetch = loader.prefetch_factor or 0
        if self._prefetch <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 for "
                                 "MultiProcessingDataLoaderIter")
        self._persistent = loader.persistent_workers
        context = loader.multiprocessing_context or multiprocessing.get_context()
        try:
            for i in range(self._num_workers):
                self._hire(context, i)
        except BaseException:
            self._shutdown_workers()
            raise
        self._begin()

    def _hire(self, context: Any, i: int) -> None:
        loader = self._loader
        task = Task(i, self._num_workers, self._base_seed, self._dataset, self._iterable,
                    loader._auto_collation, loader.collate_fn, loader.drop_last,
                    loader.worker_init_fn, self._persistent)
        orders_out, orders_in = context.Pipe(duplex=False)
        results_out, results_in = context.Pipe(duplex=False)
        # A fork copies the parent's ends: while a child holds one, nobody sees it closed.
        copied = []
        if context.get_start_method() == "fork":
            copied = [c for w in self._workers for c in (w.orders, w.results)]
            copied += [orders_in, results_out]
        process = context.Process(target=run, args=(task, orders_out, results_in, copied),
                                  daemon=True)
        try:
            process.start()
        except (pickle.PicklingError, AttributeError, TypeError):
            warnings.warn(
                "Got pickle error when attempting to start a worker Process. This might be because "
                "the worker Process arguments are not picklable. Python 3.14+ changed the "
                "multiprocessing start method in non-Mac POSIX platforms to 'forkserver', which "
                "requires the worker Process arguments to be picklable. You can also try "
                "multiprocessing.set_start_method('fork').", stacklevel=2)
            raise
        orders_out.close()
        results_in.close()
        self._workers.append(_Worker(i, process, orders_in, results_out))

    # ------------------------------------------------------------ an epoch

    def _begin(self) -> None:
        """Order the first batches."""
        self._sent = 0
        self._given = 0
        self._where: dict[int, _Worker] = {}        # ordered and not yet here
        self._here: dict[int, Any] = {}
        self._turn = itertools.cycle(self._workers)
        for worker in self._workers:
            worker.open = True
        for _ in range(self._prefetch * self._num_workers):
            self._order()

    def _reset(self) -> None:
        """Another epoch with the same workers: wait until all have put the last one away."""
        self._start()
        if self._shut:
            raise RuntimeError("the workers of this DataLoader are gone")
        for worker in self._workers:
            self._put(worker, (-1, Resume()))
        waiting = set(range(len(self._workers)))
        while waiting:
            worker, number, answer = self._receive(None)
            if number == -1 and isinstance(answer, Resume):
                waiting.discard(worker.id)
        self._begin()

    def _order(self) -> None:
        """Order one more batch, from the next worker that takes orders."""
        worker = next((w for w in itertools.islice(self._turn, len(self._workers)) if w.open), None)
        if worker is None:
            return
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        self._where[self._sent] = worker
        self._put(worker, (self._sent, index))
        self._sent += 1

    def _put(self, worker: _Worker, order: Any) -> None:
        try:
            worker.orders.send(order)
        except OSError:
            self._died([worker])

    def _next_data(self) -> Any:
        while True:
            number = self._ready()
            if number is not None:
                data = self._here.pop(number)
                self._where.pop(number, None)
                if self._in_order:
                    self._given = number + 1
                self._order()
                if isinstance(data, ExceptionWrapper):
                    data.reraise()
                return data
            if not self._where:
                if not self._persistent:
                    self._shutdown_workers()
                raise StopIteration
            self._take(*self._receive(self._timeout or None))

    def _ready(self) -> int | None:
        """The number of a batch that can be handed out now."""
        if not self._in_order:
            return next(iter(self._here), None)
        while self._given < self._sent:
            if self._given in self._here:
                return self._given
            if self._given in self._where:
                return None
            self._given += 1                        # its worker's stream had ended
        return None

    def _take(self, worker: _Worker, number: int, answer: Any) -> None:
        if isinstance(answer, Ended):
            worker.open = False
            for n in [n for n, w in self._where.items() if w is worker and n not in self._here]:
                del self._where[n]
            self._order()
        elif number in self._where:
            self._here[number] = answer

    # ------------------------------------------------------------ waiting

    def _receive(self, timeout: float | None) -> tuple[_Worker, int, Any]:
        """What the next worker sends; RuntimeError if one has died or the time is over."""
        until = None if timeout is None else time.monotonic() + timeout
        by_source: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_source[worker.results] = worker
            by_source[worker.process.sentinel] = worker
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            ready = connection.wait(list(by_source), left)
            if not ready:
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
            for worker in self._workers:
                if worker.results in ready:
                    try:
                        number, answer = pickle.loads(worker.results.recv_bytes())
                    except (EOFError, OSError):
                        self._died([worker])
                    return worker, number, answer
            self._died([by_source[r] for r in ready])

    def _died(self, workers: list[_Worker]) -> None:
        """Name the workers that are gone, and give the others up."""
        for worker in workers:
            worker.process.join(JOIN)
        texts = []
        for worker in workers:
            code = worker.process.exitcode
            if code is not None and code < 0:
                with contextlib.suppress(ValueError):
                    name = signal.Signals(-code).name
                    texts.append(f"DataLoader worker (pid {worker.process.pid}) is killed by "
                                 f"signal: {name}. ")
        pids = ", ".join(str(w.process.pid) for w in workers)
        self._shutdown_workers()
        raise RuntimeError("".join(texts) + f"DataLoader worker (pid(s) {pids}) exited "
                           "unexpectedly")

    # ------------------------------------------------------------ the end

    def _shutdown_workers(self) -> None:
        """Close the connections, which ends the workers; those that do not listen are stopped."""
        if self._shut:
            return
        self._shut = True
        for worker in self._workers:
            with contextlib.suppress(OSError, ValueError):
                worker.orders.send(None)
            worker.orders.close()
            worker.results.close()
        until = time.monotonic() + JOIN
        for worker in self._workers:
            worker.process.join(max(0.1, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.terminate()
                worker.process.join(1.0)
                if worker.process.is_alive():
                    worker.process.kill()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):    # at the interpreter's end, parts may be gone
            self._shutdown_workers()
