"""torch._inductor: PyTorch's code generator, for the few questions that libraries ask it."""
from __future__ import annotations

from typing import Any, NoReturn

from . import config


def list_mode_options(mode: str | None = None, dynamic: bool | None = None) -> dict[str, Any]:
    """Options by mode of torch.compile: accepted, all without effect."""
    modes: dict[str, dict[str, Any]] = {
        "default": {}, "reduce-overhead": {}, "max-autotune": {}, "max-autotune-no-cudagraphs": {}}
    return modes[mode] if mode is not None else modes  # type: ignore[return-value]


def list_options() -> list[str]:
    return []


def cudagraph_mark_step_begin() -> None:
    """There are no CUDA graphs."""


def compile(*args: Any, **kwargs: Any) -> NoReturn:  # noqa: A001
    raise NotImplementedError("flambeau has no Inductor; torch.compile is accepted and its own "
                              "compiler runs")


__all__ = ["compile", "config", "cudagraph_mark_step_begin", "list_mode_options", "list_options"]
