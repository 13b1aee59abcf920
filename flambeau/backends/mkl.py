"""`torch.backends.mkl`: not used."""
from __future__ import annotations


def is_available() -> bool:
    return False


VERBOSE_OFF = 0
VERBOSE_ON = 1


class verbose:  # noqa: N801 - PyTorch's name
    """Accepted; there is no such library to be verbose."""

    def __init__(self, enable: int) -> None:
        self.enable = enable

    def __enter__(self) -> verbose:
        return self

    def __exit__(self, *_: object) -> None:
        pass
