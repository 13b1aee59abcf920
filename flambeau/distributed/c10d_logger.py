"""Decorators that log collectives: here none."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _exception_logger(func: Callable[..., Any]) -> Callable[..., Any]:
    return func


def _time_logger(func: Callable[..., Any]) -> Callable[..., Any]:
    return func


__all__: list[str] = []
