"""Fully sharded modules: named, and refused when made."""
from __future__ import annotations

from typing import Any

from ...core.absent import refuse
from ...nn.modules.module import Module
from .api import *  # noqa: F403
from .api import __all__ as _api

_ERROR = RuntimeError("flambeau runs in one process: fully sharded modules are not supported")


class FullyShardedDataParallel(Module):
    """A module in parts over processes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise type(_ERROR)(*_ERROR.args)

    @staticmethod
    def fsdp_modules(module: Module, root_only: bool = False) -> list[Any]:
        """The sharded modules in `module`: there are none."""
        return []

    state_dict_type = staticmethod(refuse("state_dict_type", _ERROR))
    set_state_dict_type = staticmethod(refuse("set_state_dict_type", _ERROR))
    get_state_dict_type = staticmethod(refuse("get_state_dict_type", _ERROR))
    summon_full_params = staticmethod(refuse("summon_full_params", _ERROR))
    full_optim_state_dict = staticmethod(refuse("full_optim_state_dict", _ERROR))
    optim_state_dict = staticmethod(refuse("optim_state_dict", _ERROR))
    optim_state_dict_to_load = staticmethod(refuse("optim_state_dict_to_load", _ERROR))


__all__ = ["FullyShardedDataParallel", *_api]
