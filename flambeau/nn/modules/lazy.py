"""Layers whose parameters get their shapes at the first forward.

In: a layer class with `initialize_parameters(*args)`. Out: a lazy form that becomes the ordinary
class after its first call, and that loads a state dict before it.
"""
from __future__ import annotations

import itertools
import warnings
from typing import Any

from ..base import torch
from ..parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Put before a Module class; `cls_to_become` is what the instance is turned into."""

    cls_to_become: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        me: Any = self
        self._load_hook = me._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = me.register_forward_pre_hook(self._infer_parameters,
                                                             with_kwargs=True)
        warnings.warn("Lazy modules are a new feature under heavy development so changes to the "
                      "API or functionality can happen at any moment.", stacklevel=2)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        # An uninitialized parameter cannot be detached: it has no values.
        me: Any = self
        for name, param in me._parameters.items():
            if param is not None:
                destination[prefix + name] = (
                    param if is_lazy(param) or keep_vars else param.detach())
        for name, buffer in me._buffers.items():
            if buffer is not None and name not in me._non_persistent_buffers_set:
                destination[prefix + name] = (
                    buffer if is_lazy(buffer) or keep_vars else buffer.detach())

    def _lazy_load_hook(self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool,
                        missing_keys: list[str], unexpected_keys: list[str],
                        error_msgs: list[str]) -> None:
        """Take shapes from a state dict that is about to be loaded."""
        me: Any = self
        for name, param in itertools.chain(me._parameters.items(), me._buffers.items()):
            key = prefix + name
            if key in state_dict and param is not None and is_lazy(param):
                given = state_dict[key]
                if not is_lazy(given):
                    with torch.no_grad():
                        param.materialize(given.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Take shapes from the first input; every lazy layer defines it."""
        raise NotImplementedError("initialize_parameters is not implemented for "
                                  f"{type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module waits for its shape."""
        me: Any = self
        values = itertools.chain(me._parameters.values(), me._buffers.values())
        return any(is_lazy(v) for v in values)

    def _infer_parameters(self, module: Any, args: tuple[Any, ...],
                          kwargs: dict[str, Any] | None = None) -> None:
        """The forward pre-hook: make the parameters, then become the ordinary class."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook
        del module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _get_name(self) -> str:
        return type(self).__name__

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError("Modules with uninitialized parameters can't be used with "
                           "`DataParallel`. Run a dummy forward pass to correctly initialize the "
                           "modules")
