"""Join: processes that run out of data early; one process has nobody to wait for."""
from __future__ import annotations

import abc
from typing import Any


class JoinHook:
    """What a process does for the others when it has finished."""

    def main_hook(self) -> None:
        """Called for each step of the others."""

    def post_hook(self, is_last_joiner: bool) -> None:
        """Called at the end."""


class Joinable(abc.ABC):
    """What can be joined."""

    @abc.abstractmethod
    def __init__(self) -> None:
        super().__init__()
        self._join_config: Any = None

    @abc.abstractmethod
    def join_hook(self, **kwargs: Any) -> JoinHook:
        """The hook of this object."""

    @property
    @abc.abstractmethod
    def join_device(self) -> Any:
        """The device of the collectives."""

    @property
    @abc.abstractmethod
    def join_process_group(self) -> Any:
        """The group of the collectives."""


class Join:
    """A context in which this process finishes last and first."""

    def __init__(self, joinables: list[Joinable], enable: bool = True,
                 throw_on_early_termination: bool = False, **kwargs: Any) -> None:
        if not joinables:
            raise ValueError("The join context manager requires at least one joinable")
        self._hooks = [j.join_hook(**kwargs) for j in joinables] if enable else []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            for hook in self._hooks:
                hook.post_hook(True)

    @staticmethod
    def notify_join_context(joinable: Joinable) -> None:
        """Nobody is to be told."""


__all__ = ["Join", "JoinHook", "Joinable"]
