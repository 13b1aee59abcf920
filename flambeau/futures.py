"""torch.futures: a value that comes later, with callbacks."""
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Future(Generic[T]):
    """A value or an error that one thread sets and others wait for."""

    def __init__(self, *, devices: Sequence[Any] | None = None) -> None:
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], Any]] = []

    def done(self) -> bool:
        return self._ready.is_set()

    def wait(self) -> Any:
        """The value, once there; the error if one was set instead."""
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self._value

    def value(self) -> Any:
        """The value; RuntimeError while there is none."""
        if not self.done():
            raise RuntimeError("Attempted to retrieve the value of a future that is not complete")
        return self.wait()

    def set_result(self, result: Any) -> None:
        self._set(result, None)

    def set_exception(self, result: Any) -> None:
        if not isinstance(result, BaseException):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._set(None, result)

    def _set(self, value: Any, error: BaseException | None) -> None:
        with self._lock:
            if self._ready.is_set():
                raise RuntimeError("Future can only be set once: it is already completed")
            self._value, self._error = value, error
            self._ready.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
        """callback(future), when the value is there (now if it is)."""
        with self._lock:
            if not self._ready.is_set():
                self._callbacks.append(callback)
                return
        callback(self)

    def then(self, callback: Callable[[Any], Any]) -> Future[Any]:
        """The future of callback(this future)."""
        made: Future[Any] = Future()

        def run(future: Any) -> None:
            try:
                value = callback(future)
            except BaseException as error:  # noqa: BLE001  (it belongs to who waits)
                made.set_exception(error)
            else:
                made.set_result(value)

        self.add_done_callback(run)
        return made


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """A future of the list itself, complete when all of them are."""
    made: Future[list[Future[Any]]] = Future()
    if not futures:
        made.set_result([])
        return made
    left = [len(futures)]
    lock = threading.Lock()

    def one(_: Any) -> None:
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            made.set_result(futures)

    for future in futures:
        future.add_done_callback(one)
    return made


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """The values of all; the first error if there is one."""
    return [future.wait() for future in collect_all(futures).wait()]


__all__ = ["Future", "collect_all", "wait_all"]
