"""Functions of the torch namespace that are not operations of the table.

In: tensors, dtypes, shapes. Out: tensors and answers.
"""
from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from ..core import dtype as dt
from ..core.defaults import default_dtype, set_default_dtype
from ..core.device import CPU, META, check_device
from ..core.device import device as Device  # noqa: N812
from ..core.dtype import dtype as DType  # noqa: N812
from ..graph.primitive import broadcast
from ..ops import promotion
from .dispatch import Call
from .resizing import can_cast as _can_cast
from .size import Size, size_of
from .tensor import Tensor, method

inf = math.inf
nan = math.nan
pi = math.pi
e = math.e
newaxis = None


def _tensor(x: Any, name: str) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not "
                        f"{type(x).__name__}")
    return x


def _from_method(name: str, changes: bool = False) -> Any:
    """torch.name(input, ...) for a method of Tensor."""
    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(_tensor(input, name), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = getattr(Tensor, name, call).__doc__      # some methods are attached later
    return call


clone = _from_method("clone")
detach = _from_method("detach")
detach_ = _from_method("detach_")
zero_ = _from_method("zero_")
fill_ = _from_method("fill_")
is_floating_point = _from_method("is_floating_point")
is_complex = _from_method("is_complex")
is_signed = _from_method("is_signed")
is_same_size = _from_method("is_same_size")
is_inference = _from_method("is_inference")
is_neg = _from_method("is_neg")
is_nonzero = _from_method("is_nonzero")
resolve_conj = _from_method("resolve_conj")
resolve_neg = _from_method("resolve_neg")
get_device = _from_method("get_device")
resize_as_ = _from_method("resize_as_")


def fill(input: Tensor, value: Any) -> Tensor:
    """A copy of the input with one value everywhere."""
    return _tensor(input, "fill").clone().fill_(value)


def detach_copy(input: Tensor) -> Tensor:
    """A copy that no gradient goes through."""
    return clone(detach(input))


@method
def is_nonzero_method(self: Tensor) -> bool:
    """Whether the one element is not 0."""
    n = self.numel()
    if n == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if n > 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(self)


is_nonzero.__doc__ = is_nonzero_method.__doc__
Tensor.is_nonzero = Tensor.is_nonzero_method  # type: ignore[attr-defined]
Tensor.__nonzero__ = Tensor.__bool__  # type: ignore[attr-defined]
Tensor.__long__ = Tensor.__int__  # type: ignore[attr-defined]
del Tensor.is_nonzero_method  # type: ignore[attr-defined]


@method
def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Sum over the dims that broadcasting from `size` would stretch."""
    from ..ops.view import ints
    want = ints(size)
    have = self._shape
    lead = len(have) - len(want)
    if lead < 0 or any(b not in (1, a) for a, b in zip(have[lead:], want)):
        raise RuntimeError(f"size {{{list(want)}}} is not expandable to size {{{list(have)}}}.")
    if not want:
        return self.sum()
    dims = [*range(lead)] + [lead + i for i, n in enumerate(want) if n == 1 != have[lead + i]]
    out = self.sum(dims, keepdim=True) if dims else self
    return out.reshape(want) if out._shape != want else out


# ---------------------------------------------------------------- types


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The type that an operation of the two has."""
    c = Call()
    return promotion.result_type(c.swap(tensor1), c.swap(tensor2))


def can_cast(from_: DType, to: DType) -> bool:
    """Whether a type may be converted to another by an in-place operation."""
    return _can_cast(from_, to)


class finfo:  # noqa: N801 - PyTorch's name
    """The limits of a floating point dtype: bits, eps, max, min, tiny, resolution."""

    def __init__(self, dtype: DType | None = None) -> None:
        kind = dtype or default_dtype()
        if not isinstance(kind, DType):
            raise TypeError("finfo(): argument 'type' (position 1) must be torch.dtype, not "
                            f"{type(dtype).__name__}")
        if kind.kind not in "fc":
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo "
                            f"to handle '{kind!r}'")
        real = kind.to_real()
        info = ml_dtypes.finfo(real.numpy)  # type: ignore[no-untyped-call]
        self.dtype = real.name
        self.bits = real.itemsize * 8
        self.eps = float(info.eps)
        self.max = float(info.max)
        self.min = float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = float(info.resolution)

    def __repr__(self) -> str:
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
                f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, "
                f"tiny={self.tiny:g}, dtype={self.dtype})")


class iinfo:  # noqa: N801
    """The limits of an integer dtype: bits, max, min."""

    def __init__(self, type: DType) -> None:
        if not isinstance(type, DType):
            raise TypeError("iinfo(): argument 'type' (position 1) must be torch.dtype, not "
                            f"{type.__class__.__name__}")
        if type.kind not in "iu":
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to "
                            f"handle '{type!r}'")
        info = np.iinfo(type.numpy)
        self.dtype = type.name
        self.bits = type.itemsize * 8
        self.max = int(info.max)
        self.min = int(info.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def set_default_tensor_type(t: Any) -> None:
    """Choose the default type by an old-style class."""
    kind = getattr(t, "kind", None)
    if isinstance(t, str):
        for candidate in dt.ALL:
            from ..core.errors import type_string
            if type_string(candidate) == t:
                kind = candidate
    if kind is None:
        raise TypeError(f"invalid type object: {t!r}")
    set_default_dtype(kind)


def typename(obj: Any) -> str:
    """The name of an object's class; a tensor's old-style class."""
    if isinstance(obj, Tensor):
        return obj.type()
    cls = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(cls, "__module__", "") or ""
    return f"{module}.{cls.__qualname__}" if module not in ("builtins", "") else cls.__qualname__


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes broadcast to."""
    plain = [(s,) if isinstance(s, int) else tuple(int(n) for n in s) for s in shapes]
    for s in plain:
        if any(n < 0 for n in s):
            raise RuntimeError(f"Trying to create tensor with negative dimension ({min(s)}): "
                               f"({min(s)})")
    try:
        return size_of(broadcast(*plain) if plain else ())
    except RuntimeError:
        message = "Shape mismatch: objects cannot be broadcast to a single shape"
        raise RuntimeError(message) from None


# ---------------------------------------------------------------- settings

_default_device: list[Device] = [CPU]
_flags: dict[str, Any] = {"deterministic": False, "warn_only": False, "precision": "highest",
                          "warn_always": False}


def get_default_device() -> Device:
    """Where new tensors are made."""
    return _default_device[0]


def set_default_device(device: Any) -> None:
    """Choose where new tensors are made."""
    place = CPU if device is None else check_device(device)
    if place is META:
        raise NotImplementedError("flambeau cannot make the meta device the default one")
    _default_device[0] = place


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Results here are the same from run to run either way."""
    _flags["deterministic"] = bool(mode)
    _flags["warn_only"] = bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether only deterministic algorithms were asked for."""
    return _flags["deterministic"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether the others would only be warned of."""
    return _flags["warn_only"]


def set_deterministic_debug_mode(debug_mode: Any) -> None:
    """0, 1 or 2 ("default", "warn", "error"): remembered."""
    modes = {"default": 0, "warn": 1, "error": 2}
    mode = modes[debug_mode] if isinstance(debug_mode, str) else int(debug_mode)
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def get_deterministic_debug_mode() -> int:
    """The mode as a number."""
    if not _flags["deterministic"]:
        return 0
    return 1 if _flags["warn_only"] else 2


def get_float32_matmul_precision() -> str:
    """How float32 products may be rounded: as it was set."""
    return _flags["precision"]


def set_float32_matmul_precision(precision: str) -> None:
    """"highest", "high" or "medium": remembered; products are exact."""
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"Unknown float32 matmul precision {precision}")
    _flags["precision"] = precision


def set_warn_always(b: bool) -> None:
    """Whether a warning is given every time: remembered."""
    _flags["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """Whether a warning is given every time."""
    return _flags["warn_always"]


def set_flush_denormal(mode: bool) -> bool:
    """Ask for denormal numbers to become 0: False, as that is not done."""
    return False


def get_num_interop_threads() -> int:
    """How many threads run operations beside one another."""
    return 1


def set_num_interop_threads(n: int) -> None:
    """Remembered: a program is one native call."""
    if n < 1:
        raise RuntimeError("set_num_interop_threads expects a positive number")


def is_storage(obj: Any) -> bool:
    """Whether an object is a storage."""
    from .storage import Storage
    return isinstance(obj, Storage)


__all__ = [n for n in dir() if not n.startswith("_") and n not in (
    "Any", "Call", "CPU", "DType", "Device", "META", "Size", "Tensor", "annotations", "broadcast",
    "check_device", "default_dtype", "dt", "f", "math", "method", "ml_dtypes", "np", "promotion",
    "set_default_dtype", "size_of", "sum_to_size", "is_nonzero_method")]
