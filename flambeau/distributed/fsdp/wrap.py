"""Which modules are wrapped: the policies as values, wrapping refused."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._absent import refused


class _Policy:
    """Decides by module."""


class ModuleWrapPolicy(_Policy):
    """Wraps modules of given classes."""

    def __init__(self, module_classes: Iterable[type]) -> None:
        self._module_classes = set(module_classes)

    def __call__(self, module: Any, recurse: bool, *args: Any, **kwargs: Any) -> bool:
        return recurse or isinstance(module, tuple(self._module_classes))


class CustomPolicy(_Policy):
    """Wraps where a function says so."""

    def __init__(self, lambda_fn: Callable[[Any], Any]) -> None:
        self._lambda_fn = lambda_fn


def always_wrap_policy(*args: Any, **kwargs: Any) -> bool:
    return True


def transformer_auto_wrap_policy(module: Any, recurse: bool, nonwrapped_numel: int,
                                 transformer_layer_cls: set[type]) -> bool:
    return recurse or isinstance(module, tuple(transformer_layer_cls))


def lambda_auto_wrap_policy(module: Any, recurse: bool, nonwrapped_numel: int,
                            lambda_fn: Callable[[Any], bool]) -> bool:
    return recurse or lambda_fn(module)


def size_based_auto_wrap_policy(module: Any, recurse: bool, nonwrapped_numel: int,
                                min_num_params: int = 100_000_000, **kwargs: Any) -> bool:
    return nonwrapped_numel >= min_num_params


_REFUSED = refused("enable_wrap", "wrap")
enable_wrap, wrap = _REFUSED["enable_wrap"], _REFUSED["wrap"]

__all__ = ["CustomPolicy", "ModuleWrapPolicy", "always_wrap_policy", "enable_wrap",
           "lambda_auto_wrap_policy", "size_based_auto_wrap_policy",
           "transformer_auto_wrap_policy", "wrap"]
