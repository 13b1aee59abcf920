"""`torch._C`'s dispatch keys: libraries name them when they register kernels.

In: nothing. Out: the keys and sets of them, which decide nothing here.
"""
from __future__ import annotations

import enum
from typing import Any

from .core.absent import Inert


class DispatchKey(enum.Enum):
    """What a kernel may be registered for."""

    Undefined = 0
    CPU = 1
    CUDA = 2
    XPU = 3
    MPS = 4
    Meta = 5
    BackendSelect = 6
    Python = 7
    Functionalize = 8
    ADInplaceOrView = 9
    Autograd = 10
    AutogradCPU = 11
    AutogradCUDA = 12
    AutocastCPU = 13
    AutocastCUDA = 14
    AutocastXPU = 15
    AutocastMPS = 16
    CompositeExplicitAutograd = 17
    CompositeImplicitAutograd = 18
    PrivateUse1 = 19
    PythonDispatcher = 20


class DispatchKeySet:
    """Some keys."""

    def __init__(self, *keys: Any) -> None:
        self.keys: frozenset[DispatchKey] = frozenset().union(
            *(k.keys if isinstance(k, DispatchKeySet) else (k,) for k in keys))

    def __or__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(self, other)

    def __and__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*(self.keys & other.keys))

    def __sub__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(*(self.keys - other.keys))

    def has(self, key: DispatchKey) -> bool:
        return key in self.keys

    def add(self, key: DispatchKey) -> DispatchKeySet:
        return DispatchKeySet(self, key)

    def remove(self, key: DispatchKey) -> DispatchKeySet:
        return DispatchKeySet(*(self.keys - {key}))


class _ExcludeDispatchKeyGuard(Inert):
    """Inside, kernels of some keys are passed over: there is one kernel each."""


class _IncludeDispatchKeyGuard(Inert):
    """Inside, kernels of some keys are used besides: there is one kernel each."""


class _AutoDispatchBelowAutograd(Inert):
    """Inside, PyTorch calls kernels below autograd."""
