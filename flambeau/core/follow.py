"""Who follows what this thread computes: the recorder of `replay`, or nobody.

In: the places in `graph`, `runtime`, `ops` and `tensor` where values are made, run or looked at.
Out: calls of the recorder that is at work, if one is.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Recorder(Protocol):
    """What a recorder is told.

    launching  a program is about to run on these leaves (each from a byte on) and numbers; gives
               back a note of it
    launched   it ran, and the roots have their values
    made       a computed node that no program made
    looked     host code reads a buffer
    bounded    the outcome of a check, while all values of a node are in [low, high]
    drew       an array of random numbers, and the function that draws the next
    compared   the outcome of a comparison of a traced number
    refuse     something that cannot be repeated, in words
    numbers    the nodes of traced numbers that were made, by formula and type
    """

    numbers: dict[Any, Any]

    def launching(self, program: Any, pending: Any, offsets: list[int], varies: list[bool],
                  ) -> Any: ...
    def launched(self, note: Any, pending: Any) -> None: ...
    def made(self, node: Any) -> None: ...
    def looked(self, buffer: Any) -> None: ...
    def bounded(self, node: Any, low: int, high: int) -> None: ...
    def drew(self, array: Any, draw: Callable[[], Any]) -> None: ...
    def compared(self, name: str, a: Any, b: Any, outcome: Any) -> None: ...
    def refuse(self, reason: str) -> None: ...
    def exposed(self, storage: Any) -> None: ...


class Watch(threading.local):
    """`recorder`: what follows this thread."""

    recorder: Recorder | None = None


watch = Watch()


def drawn(draw: Callable[[], T]) -> T:
    """An array of random numbers: `draw()`, which a replay calls again."""
    array = draw()
    if watch.recorder is not None:
        watch.recorder.drew(array, draw)
    return array


def refuse(reason: str) -> None:
    """Tell the recorder, if there is one, that what happens now cannot be repeated."""
    if watch.recorder is not None:
        watch.recorder.refuse(reason)
