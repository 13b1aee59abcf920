"""What other loaders tell about their worker processes. Nobody listens to signals here: our own
loader sees by a worker's connection that it has ended."""
from __future__ import annotations


def _set_worker_pids(loader_id: int, child_pids: tuple[int, ...]) -> None:
    pass


def _remove_worker_pids(loader_id: int) -> None:
    pass


def _set_SIGCHLD_handler() -> None:  # noqa: N802 - PyTorch's name
    pass


def _set_worker_signal_handlers() -> None:
    pass


def _error_if_any_worker_fails() -> None:
    pass
