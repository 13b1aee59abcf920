"""What wrappers of modules do with parameters across processes: nothing is left to do in one."""
from __future__ import annotations

from typing import Any

from ._absent import refused

_REFUSED = refused("_pack_kwargs", "_unpack_kwargs", "_to_kwargs", "_alloc_storage")
_pack_kwargs, _unpack_kwargs = _REFUSED["_pack_kwargs"], _REFUSED["_unpack_kwargs"]
_to_kwargs, _alloc_storage = _REFUSED["_to_kwargs"], _REFUSED["_alloc_storage"]


def _sync_module_states(*args: Any, **kwargs: Any) -> None:
    """Parameters are the same in all processes already."""


def _sync_params_and_buffers(*args: Any, **kwargs: Any) -> None:
    """Parameters are the same in all processes already."""


def _verify_param_shape_across_processes(*args: Any, **kwargs: Any) -> None:
    """Shapes are the same in all processes already."""


__all__: list[str] = []
