"""Switches for coming behaviour of modules' conversions."""
from __future__ import annotations

_flags = {"overwrite": False, "swap": False}


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    _flags["overwrite"] = bool(value)


def get_overwrite_module_params_on_conversion() -> bool:
    return _flags["overwrite"]


def set_swap_module_params_on_conversion(value: bool) -> None:
    _flags["swap"] = bool(value)


def get_swap_module_params_on_conversion() -> bool:
    return _flags["swap"]


__all__ = ["get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
           "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion"]
