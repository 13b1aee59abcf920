"""`torch.compile`'s results: a module round a module, a function round a function.

In: modules and functions. Out: what computes the same and has PyTorch's attributes for it.
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..nn.modules.module import Module
from ..replay.replayed import Replayed


class OptimizedModule(Module):
    """A compiled module: `_orig_mod` is the one it was made of, and its state has that prefix."""

    def __init__(self, mod: Module, dynamo_ctx: Any = None) -> None:
        super().__init__()
        self._orig_mod = mod
        self.dynamo_ctx = dynamo_ctx
        self.training = mod.training
        self.__dict__["_replayed"] = Replayed(mod)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._replayed(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        return getattr(self._modules["_orig_mod"], name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._modules["_orig_mod"])})

    def __reduce__(self) -> Any:
        return OptimizedModule, (self._orig_mod,)


def is_dynamo_supported() -> bool:
    """True: torch.compile is accepted everywhere."""
    return True


def is_inductor_supported() -> bool:
    return True


def innermost_fn(fn: Any, unaltered_fn_attr: str = "_torchdynamo_orig_callable") -> Any:
    """The function that was compiled."""
    while hasattr(fn, unaltered_fn_attr):
        fn = getattr(fn, unaltered_fn_attr)
    return fn


def optimize(model: Any) -> Any:
    """A module or function as torch.compile gives it back."""
    if isinstance(model, Module):
        return OptimizedModule(model)
    if isinstance(model, type):
        return model
    if not callable(model):
        raise RuntimeError(f"torch.compile: expected a callable, got {type(model)}")
    return _function(model)


def _function(fn: Callable[..., Any]) -> Callable[..., Any]:
    replayed = Replayed(fn)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        return replayed(*args, **kwargs)

    call._replayed = replayed  # type: ignore[attr-defined]
    call._torchdynamo_orig_callable = fn  # type: ignore[attr-defined]
    call._torchdynamo_inline = fn  # type: ignore[attr-defined]
    return call


__all__ = ["OptimizedModule", "innermost_fn", "is_dynamo_supported", "is_inductor_supported",
           "optimize"]
