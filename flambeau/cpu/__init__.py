"""torch.cpu: the one device there is, with the functions that other devices have."""
from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

from ..runtime.machine import features
from . import amp


class Stream:
    """There is one stream; work on it is in order."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        pass

    def record_event(self) -> None:
        pass

    def wait_event(self, event: Any) -> None:
        pass


class Event:
    """An event that has always happened."""

    def query(self) -> bool:
        return True

    def record(self, stream: Any = None) -> None:
        pass

    def synchronize(self) -> None:
        pass

    def wait(self, stream: Any = None) -> None:
        pass


class StreamContext(contextlib.AbstractContextManager[Any]):
    """A block on a stream."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __exit__(self, *_: Any) -> None:
        pass


_stream = Stream()


def is_available() -> bool:
    return True


def is_initialized() -> bool:
    return True


def device_count() -> int:
    return 1


def current_device() -> str:
    return "cpu"


def set_device(device: Any) -> None:
    pass


def current_stream(device: Any = None) -> Stream:
    return _stream


def stream(stream: Stream) -> StreamContext:
    return StreamContext(stream)


def synchronize(device: Any = None) -> None:
    pass


def get_capabilities() -> Mapping[str, Any]:
    """What this processor can do, by name."""
    return {"num_cpus": os.cpu_count(), **dict.fromkeys(sorted(features()), True)}


__all__ = ["Event", "Stream", "StreamContext", "amp", "current_device", "current_stream",
           "device_count", "get_capabilities", "is_available", "is_initialized", "set_device",
           "stream", "synchronize"]
