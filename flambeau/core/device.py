"""`torch.device`: where a tensor lives. flambeau computes on the CPU; `meta` has no data.

In: a string, a type and index, or a device. Out: `device`, compared by value.
"""
from __future__ import annotations

import threading
from typing import Any

KNOWN = ("cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga",
         "maia", "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone")


class device:  # noqa: N801 - PyTorch's name
    """`device("cuda", 1)`, `device("cuda:1")`; attributes `type` and `index`."""

    __slots__ = ("_index", "_type")

    _type: str
    _index: int | None

    def __init__(self, device: Any = "cpu", index: int | None = None, *, type: str | None = None,
                 ) -> None:  # `type=` and `device=` are both accepted by PyTorch
        given = type if type is not None else device
        if isinstance(given, _device):
            self._type, self._index = given._type, given._index
            return
        if isinstance(given, bool) or not isinstance(given, (str, int)):
            raise TypeError("device(): argument 'type' (position 1) must be str, not "
                            f"{given.__class__.__name__}")
        if isinstance(given, int):
            given = f"cuda:{given}"
        self._type, self._index = _parse(given, index)

    @property
    def type(self) -> str:
        return self._type

    @property
    def index(self) -> int | None:
        return self._index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return False
        return self._type == other._type and self._index == other._index

    def __hash__(self) -> int:
        return hash((self._type, self._index))

    def __repr__(self) -> str:
        if self._index is None:
            return f"device(type='{self._type}')"
        return f"device(type='{self._type}', index={self._index})"

    def __str__(self) -> str:
        return self._type if self._index is None else f"{self._type}:{self._index}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (device, (str(self),))

    def __enter__(self) -> device:
        """Inside, new tensors are made on this device."""
        _contexts.entered.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        _contexts.entered.pop()


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    name, colon, number = text.partition(":")
    if text and not name.replace("_", "a").isalpha():
        raise RuntimeError(f"Invalid device string: '{text}'")
    if name not in KNOWN:
        raise RuntimeError(f"Expected one of {', '.join(KNOWN)} device type at start of device "
                           f"string: {name}" if text else "Device string must not be empty")
    if not colon:
        if index is not None and index < -1:
            raise RuntimeError(f"Device index must be -1 or non-negative, got {index}")
        return name, index
    if index is not None:
        raise RuntimeError("type (string) must not include an index because index was passed "
                           f"explicitly: {text}")
    if not number.isdigit() or len(number) > 1 and number[0] == "0":
        raise RuntimeError(f"Invalid device string: '{text}'")
    return name, int(number)


_device = device
CPU = device("cpu")
META = device("meta")


class _Contexts(threading.local):
    """The devices whose `with` statements this thread is in."""

    def __init__(self) -> None:
        self.entered: list[device] = []


_contexts = _Contexts()


def default_place() -> device:
    """Where a tensor is made that is given no device."""
    return check_device(_contexts.entered[-1]) if _contexts.entered else CPU


def check_device(where: Any) -> device:
    """The device of an argument; the CPU for None. Devices flambeau does not have are refused."""
    if where is None:
        return CPU
    found = where if isinstance(where, device) else device(where)
    if found.type == "cpu":
        return CPU
    if found.type == "meta":
        return META
    if found.type == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    raise NotImplementedError(f"flambeau has no device of type '{found.type}'")
