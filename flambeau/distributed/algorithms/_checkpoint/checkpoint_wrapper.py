"""Modules that are computed again in backward (`torch.utils.checkpoint`)."""
from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from ....nn.base import torch
from ....nn.modules.module import Module

_PREFIX = "_checkpoint_wrapped_module."


class CheckpointImpl(enum.Enum):
    """How: what PyTorch has two of is one here."""

    REENTRANT = enum.auto()
    NO_REENTRANT = enum.auto()


class ActivationWrapper(Module):
    """A module whose parameters keep their names."""

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self._checkpoint_wrapped_module = mod

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._checkpoint_wrapped_module, name)

    def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
        for name, value in super().named_parameters(*args, **kwargs):
            yield name.replace(_PREFIX, ""), value


class CheckpointWrapper(ActivationWrapper):
    """A module that is computed again in backward."""

    def __init__(self, mod: Module, checkpoint_impl: CheckpointImpl = CheckpointImpl.NO_REENTRANT,
                 checkpoint_fn: Callable[..., Any] | None = None, **kwargs: Any) -> None:
        super().__init__(mod)
        self.checkpoint_fn = checkpoint_fn or torch.utils.checkpoint.checkpoint
        self._more = kwargs if checkpoint_fn else {"use_reentrant": False, **kwargs}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.checkpoint_fn(self._checkpoint_wrapped_module, *args, **self._more, **kwargs)


def checkpoint_wrapper(module: Module,
                       checkpoint_impl: CheckpointImpl = CheckpointImpl.NO_REENTRANT,
                       checkpoint_fn: Any = None, **kwargs: Any) -> Module:
    return CheckpointWrapper(module, checkpoint_impl, checkpoint_fn, **kwargs)


def apply_activation_checkpointing(model: Module, checkpoint_wrapper_fn: Any = checkpoint_wrapper,
                                   check_fn: Callable[[Module], bool] = lambda _: True,
                                   auto_wrap_policy: Any = None) -> None:
    """Wrap, inside `model`, the modules that `check_fn` chooses."""
    for name, child in list(model.named_children()):
        apply_activation_checkpointing(child, checkpoint_wrapper_fn, check_fn)
        if check_fn(child):
            setattr(model, name, checkpoint_wrapper_fn(child))


__all__ = ["ActivationWrapper", "CheckpointImpl", "CheckpointWrapper",
           "apply_activation_checkpointing", "checkpoint_wrapper"]
