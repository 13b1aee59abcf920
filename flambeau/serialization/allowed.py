"""What files may name with `weights_only=True`, and with which arguments it may be called.

In: nothing, and calls to judge. Out: `ALLOWED` (PyTorch's list, of what flambeau has), `check_call`
and `check_key`.
"""
from __future__ import annotations

import codecs
import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from ..core.device import device
from ..core.dtype import BY_NAME
from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor import rebuild, storages
from ..tensor.size import Size
from ..tensor.tensor import Tensor
from . import safe
from .names import find, layout_of_name

UnpicklingError = pickle.UnpicklingError
# Modules whose functions nobody can allow by naming them.
BLOCKED = frozenset({"sys", "os", "posix", "nt", "subprocess"})
REBUILD = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
           "_rebuild_parameter_with_state", "_rebuild_meta_tensor_no_storage",
           "_rebuild_device_tensor_from_numpy", "_rebuild_device_tensor_from_cpu_tensor")
ENCODINGS = frozenset({"latin1", "latin-1", "utf-8", "utf8", "ascii"})
# The most parts a key of a dict may have: hashing walks them all, and recurses.
KEY_PARTS = 1000
KEY_DEPTH = 50


def _rebuild(name: str) -> Callable[[], Any]:
    return lambda: find("torch._utils", name)


def _constant(obj: Any) -> Callable[[], Any]:
    return lambda: obj


def _table() -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {
        "collections.OrderedDict": _constant(OrderedDict), "collections.Counter":
        _constant(Counter), "builtins.set": _constant(set), "builtins.complex": _constant(complex),
        "builtins.bytearray": _constant(bytearray), "_codecs.encode": _constant(codecs.encode),
        "torch.Size": _constant(Size), "torch.device": _constant(device),
        "torch.Tensor": _constant(Tensor),
        "torch.nn.parameter.Parameter": lambda: find("torch.nn.parameter", "Parameter"),
        "torch.nn.parameter.Buffer": lambda: find("torch.nn.parameter", "Buffer"),
        "torch.serialization._get_layout": _constant(layout_of_name),
        "torch._tensor._rebuild_from_type_v2": _constant(rebuild._rebuild_from_type_v2),
        "torch.storage.UntypedStorage": _constant(storages.UntypedStorage),
        "torch.storage.TypedStorage": _constant(storages.TypedStorage),
    }
    for name in REBUILD:
        found[f"torch._utils.{name}"] = _rebuild(name)
    for name, kind in BY_NAME.items():
        found[f"torch.{name}"] = _constant(kind)
    for name, cls in storages.CLASSES.items():
        found[f"torch.{name}"] = _constant(cls)
        found[f"torch.cuda.{name}"] = _constant(cls)
    return found


ALLOWED = _table()


# ---------------------------------------------------------------- calls


def _refuse(fn: Any, why: str) -> UnpicklingError:
    name = safe.full_name(fn) if callable(fn) and hasattr(fn, "__module__") else type(fn).__name__
    return UnpicklingError(f"Trying to call reduce for unrecognized function or arguments: {name} "
                           f"{why}")


def check_call(fn: Any, args: tuple[Any, ...]) -> None:
    """UnpicklingError unless this call is one that PyTorch's files make."""
    if fn is bytearray:
        fine = (not args or len(args) == 1 and type(args[0]) in (bytes, bytearray)
                or _encoded(args))
    elif fn is codecs.encode:
        fine = _encoded(args)
    elif fn is complex:
        fine = len(args) <= 2 and all(type(a) in (int, float) for a in args)
    elif fn in (set, OrderedDict, Counter):
        fine = _container(fn, args)
    elif fn is Size:
        fine = len(args) == 1 and type(args[0]) in (tuple, list)
    elif fn is device:
        fine = 1 <= len(args) <= 2 and all(type(a) in (str, int) for a in args)
    elif fn is layout_of_name:
        fine = len(args) == 1 and type(args[0]) is str
    elif fn is rebuild._rebuild_from_type_v2:
        fine = _from_type(args)
    elif _is_rebuild(fn):
        fine = _rebuilding(fn, args)
    elif isinstance(fn, type) and issubclass(fn, Tensor) and fn is not Tensor:
        fine = 1 <= len(args) <= 2 and isinstance(args[0], Tensor)
    else:
        raise _refuse(fn, "is not to be called")
    if not fine:
        raise _refuse(fn, "got arguments that no checkpoint has")


def _encoded(args: tuple[Any, ...]) -> bool:
    return (len(args) == 2 and type(args[0]) is str and type(args[1]) is str
            and args[1].lower() in ENCODINGS)


def _container(fn: Any, args: tuple[Any, ...]) -> bool:
    if not args:
        return True
    if len(args) != 1 or type(args[0]) not in (list, tuple, dict, OrderedDict, set):
        return False
    given = args[0]
    if fn is OrderedDict and type(given) in (list, tuple):
        for pair in given:
            if type(pair) not in (list, tuple) or len(pair) != 2:
                return False
            check_key(pair[0])
    elif type(given) in (list, tuple):
        for x in given:
            check_key(x)
    return True


def _is_rebuild(fn: Any) -> bool:
    return any(fn is find("torch._utils", name) for name in REBUILD)


def _from_type(args: tuple[Any, ...]) -> bool:
    """func must be on the list itself, and the class a tensor's."""
    if len(args) != 4 or type(args[2]) is not tuple:
        return False
    func, cls, inner, _ = args
    if not safe.is_added(func):
        check_call(func, inner)
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        return False
    return safe.is_added(cls) or _plain_state(cls, args[3])


def _plain_state(cls: type, state: Any) -> bool:
    """Whether a state only sets names that the class does not have."""
    if not state:
        return True
    return type(state) in (dict, OrderedDict) and all(
        type(k) is str and not hasattr(cls, k) for k in state)


def _rebuilding(fn: Any, args: tuple[Any, ...]) -> bool:
    if not fn.__name__.startswith("_rebuild_parameter"):
        return True
    if not args or not isinstance(args[0], Tensor):
        return False
    return len(args) < 4 or _plain_state(Tensor, args[3])


# ---------------------------------------------------------------- keys


def check_key(key: Any) -> None:
    """UnpicklingError for a key that is costly or dangerous to hash."""
    if type(key) in (str, int, float, bool, bytes, complex, type(None)):
        return
    parts = 0
    stack = [(key, 0)]
    while stack:
        part, depth = stack.pop()
        parts += 1
        if parts > KEY_PARTS or depth > KEY_DEPTH:
            raise UnpicklingError("a key of a dict or set is nested too deeply")
        if type(part) in (tuple, Size):
            stack.extend((p, depth + 1) for p in part)
        elif not isinstance(part, (str, int, float, bytes, complex, type(None), DType, device,
                                   Tensor, type)) and not safe.is_added(type(part)):
            raise UnpicklingError(f"a key of a dict or set cannot be a {type(part).__name__}")
