"""The other side of a `DataLoader` with workers: a process that fetches batches.

In: a connection that brings (number of the batch, indices). Out: a connection that takes (number,
batch). Each worker has its own two connections and no lock, so that one that dies takes nothing
with it; what it sends goes through a thread, so that it always hears.
"""
from __future__ import annotations

import multiprocessing
import pickle
import queue
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...._utils import ExceptionWrapper
from ....runtime.threads import set_num_threads
from ....tensor.generator import manual_seed
from .fetch import fetcher

PATIENCE = 5.0


@dataclass
class WorkerInfo:
    """What a worker can ask about itself: `get_worker_info()`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


class Ended:
    """Sent instead of a batch where a worker's stream has ended."""


class Resume:
    """Sent to a persistent worker at the start of an epoch, and sent back."""


_info: WorkerInfo | None = None
_worker_info: WorkerInfo | None = None          # what a loader of another library sets


def get_worker_info() -> WorkerInfo | None:
    """This worker's number, how many there are, its seed and its copy of the dataset."""
    return _info or _worker_info


@dataclass(frozen=True)
class _IterableDatasetStopIteration:
    """Other libraries' loaders: a worker's stream has ended."""

    worker_id: int


@dataclass(frozen=True)
class _ResumeIteration:
    """Other libraries' loaders: an epoch of persistent workers begins."""

    seed: int | None = None


class ManagerWatchdog:
    """Other libraries' loaders: whether the process that started this one still lives."""

    def __init__(self) -> None:
        self.parent = multiprocessing.parent_process()

    def is_alive(self) -> bool:
        return self.parent is None or self.parent.is_alive()


def _generate_state(base_seed: int, worker_id: int) -> list[int]:
    """Four words of a worker's seed for NumPy."""
    words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return [int(w) for w in np.random.SeedSequence(words).generate_state(4)]


@dataclass
class Task:
    """All that a worker needs to know."""

    id: int
    num_workers: int
    base_seed: int
    dataset: Any
    iterable: bool
    auto_collation: bool
    collate_fn: Callable[..., Any]
    drop_last: bool
    init_fn: Callable[[int], None] | None
    persistent: bool


def run(task: Task, orders: Any, results: Any, foreign: list[Any]) -> None:
    """A worker's life. `foreign`: connections of the parent that a fork has copied here."""
    global _info
    for connection in foreign:
        connection.close()
    set_num_threads(1)
    seed = task.base_seed + task.id
    random.seed(seed)
    manual_seed(seed)
    np.random.seed(_generate_state(task.base_seed, task.id))
    _info = WorkerInfo(task.id, task.num_workers, seed, task.dataset)
    outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    sender = threading.Thread(target=_send, args=(outbox, results, task.id), daemon=True)
    sender.start()
    try:
        _serve(task, orders, outbox)
    except KeyboardInterrupt:
        pass
    outbox.put(None)
    sender.join()


def _serve(task: Task, orders: Any, outbox: Any) -> None:
    """Answer orders until there are no more, or nobody who gives them."""
    source: Any = None
    failed: ExceptionWrapper | None = None
    try:
        if task.init_fn is not None:
            task.init_fn(task.id)
        source = _source(task)
    except Exception:
        failed = ExceptionWrapper(where=f"in DataLoader worker process {task.id}")
    while (order := _next_order(orders)) is not None:
        number, index = order
        if isinstance(index, Resume):
            outbox.put((number, index))
            failed = None
            try:
                source = _source(task)
            except Exception:
                failed = ExceptionWrapper(where=f"in DataLoader worker process {task.id}")
            continue
        answer: Any = failed
        if failed is None:
            answer = _answer(task, source, index)
        failed = None
        outbox.put((number, answer))
        if isinstance(answer, Ended) and not task.persistent:
            _wait(orders)
            return


def _source(task: Task) -> Any:
    return fetcher(task.iterable, task.dataset, task.auto_collation, task.collate_fn,
                   task.drop_last)


def _answer(task: Task, source: Any, index: Any) -> Any:
    try:
        return source.fetch(index)
    except StopIteration:
        if task.iterable:
            return Ended()
        return ExceptionWrapper(where=f"in DataLoader worker process {task.id}")
    except Exception:
        return ExceptionWrapper(where=f"in DataLoader worker process {task.id}")


def _next_order(orders: Any) -> Any:
    """The next order; None at the end, or when the parent is gone."""
    parent = multiprocessing.parent_process()
    try:
        while not orders.poll(PATIENCE):
            if parent is not None and not parent.is_alive():
                return None
        return orders.recv()
    except (EOFError, OSError):
        return None


def _wait(orders: Any) -> None:
    """After the end of a stream: take what was still ordered, until the parent closes."""
    while _next_order(orders) is not None:
        pass


def _send(outbox: Any, results: Any, worker: int) -> None:
    while (answer := outbox.get()) is not None:
        try:
            data = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
        except Exception:
            wrapped = ExceptionWrapper(where=f"in DataLoader worker process {worker}")
            data = pickle.dumps((answer[0], wrapped))
        try:
            results.send_bytes(data)
        except OSError:
            return                      # the parent does not listen any more
