"""Kinds of objects for `world`: plain values, objects that can be looked into, and others.

In: values and types. Out: whether two plain values are the same, whether a type hides anything.
"""
from __future__ import annotations

import re
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np

from ..core.device import device
from ..core.dtype import dtype
from ..core.layout import Layout
from ..tensor.size import Size

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), type(NotImplemented),
         slice, range, re.Pattern, dtype, device, Size, Layout, np.generic, np.dtype, Enum,
         types.CodeType)


def same(old: Any, new: Any) -> bool:
    """Whether two plain values are the same, sign of zero and type included."""
    if old is new:
        return True
    if type(old) is not type(new) or not isinstance(old, PLAIN):
        if type(old) is tuple and type(new) is tuple and len(old) == len(new):
            return all(same(a, b) for a, b in zip(old, new))
        return False
    return repr(old) == repr(new)


def slot_names(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                yield name if not name.startswith("__") else f"_{base.__name__.lstrip('_')}{name}"


_OWN = (types.WrapperDescriptorType, types.BuiltinFunctionType, types.MethodDescriptorType)
_transparent_types: dict[type, bool] = {}


def python_class(kind: type) -> bool:
    """Whether a class statement made this type: C types bring C methods."""
    if not kind.__flags__ & (1 << 9):
        return False
    own = vars(kind)
    slots = set(slot_names(kind))
    return not any(isinstance(v, _OWN) or isinstance(v, (types.GetSetDescriptorType,
                                                         types.MemberDescriptorType))
                   and k not in ("__dict__", "__weakref__") and k not in slots
                   for k, v in own.items())


_BASES = frozenset({object, list, dict, OrderedDict, defaultdict, deque, set, tuple,
                    types.SimpleNamespace})


def transparent(kind: type) -> bool:
    """Whether all that an object of this type holds can be seen from Python."""
    found = _transparent_types.get(kind)
    if found is None:
        found = _transparent_types[kind] = all(
            base in _BASES or python_class(base) for base in kind.__mro__)
    return found
