"""Anomaly detection: which line of the forward pass made the gradient that failed or became NaN.

In: the user's `with detect_anomaly()`. Out: flags in `grad_mode.state`, read by the engine.
"""
from __future__ import annotations

import warnings
from typing import Any

from .grad_mode import state


class detect_anomaly:  # noqa: N801 - PyTorch's name
    """Errors of backward name the forward line; NaN gradients are errors if `check_nan`."""

    def __init__(self, check_nan: bool = True) -> None:
        self.before = state.anomaly, state.check_nan
        self.check_nan = check_nan
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime "
                      "and should only be enabled for debugging.", stacklevel=2)

    def __enter__(self) -> None:
        self.before = state.anomaly, state.check_nan
        state.anomaly, state.check_nan = True, self.check_nan

    def __exit__(self, *_: Any) -> None:
        state.anomaly, state.check_nan = self.before


class set_detect_anomaly:  # noqa: N801
    """Sets anomaly detection at once; undone at the end when used as a context manager."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = state.anomaly, state.check_nan
        state.anomaly, state.check_nan = mode, check_nan

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: Any) -> None:
        state.anomaly, state.check_nan = self.before


def is_anomaly_enabled() -> bool:
    """Whether the backward pass names the line that recorded a failing step."""
    return state.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether the backward pass stops at the first NaN."""
    return state.check_nan
