"""Modes over the dispatcher: there is none below `__torch_function__`."""
from __future__ import annotations

from typing import Any


class TorchDispatchMode:
    """A context that PyTorch's dispatcher asks; here entering it is refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __enter__(self) -> Any:
        raise RuntimeError("flambeau has no __torch_dispatch__: use torch.overrides."
                           "TorchFunctionMode")

    def __exit__(self, *_: Any) -> None:
        pass


def is_traceable_wrapper_subclass(t: Any) -> bool:
    return False


def _get_current_dispatch_mode() -> None:
    """The mode that is asked: none."""


def _disable_current_modes() -> Any:
    import contextlib

    return contextlib.nullcontext()


__all__ = ["TorchDispatchMode", "is_traceable_wrapper_subclass"]
