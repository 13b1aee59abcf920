"""Methods that work element by element in Python, diagonals in place, DLPack, the array API.

In: tensors. Out: tensors over the same memory.
"""
from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from ..core.device import check_device
from ..core.dtype import dtype as DType  # noqa: N812
from . import functionalize as f
from . import pinning
from .conversion import shared, values
from .creation import from_numpy
from .inplace import overwrite
from .tensor import Tensor, method

CPU_DEVICE = (1, 0)                             # DLPack's (device type, device id)
# NumPy's capsules have a version, and a mark for memory that may not be written to, since 2.1.
VERSIONED = np.lib.NumpyVersion(np.__version__) >= "2.1.0"
# What `flambeau.array_api` has everything of.
API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


def _elements(self: Tensor, found: list[Any]) -> Tensor:
    array = np.array(found, self.dtype.numpy).reshape(self._shape)
    return overwrite(self, pinning.array_node(array, self.dtype))


def _as_bytes(self: Tensor, kind: Any) -> Tensor:
    """The same memory as elements of another size; the last dim grows or shrinks."""
    if not self._shape:
        raise RuntimeError(f"self.dim() cannot be 0 to view {self.dtype} as {kind} (different "
                           "element sizes)")
    array = shared(self.detach())
    if kind.itemsize > self.dtype.itemsize:
        ratio = kind.itemsize // self.dtype.itemsize
        if self._shape[-1] % ratio:
            raise RuntimeError(f"self.size(-1) must be divisible by {ratio} to view {self.dtype} "
                               f"as {kind} (different element sizes), but got {self._shape[-1]}")
    return from_numpy(array.view(kind.numpy))


def attach() -> None:
    """Let `view(dtype)` change the size of the elements."""
    plain = Tensor.view                         # type: ignore[attr-defined]

    @functools.wraps(plain)
    def view(self: Tensor, *size: Any, dtype: Any = None) -> Tensor:
        kind = size[0] if len(size) == 1 and isinstance(size[0], DType) else dtype
        if kind is not None:
            if kind.itemsize != self.dtype.itemsize and kind.kind != "c" and (
                    self.dtype.kind != "c"):
                return _as_bytes(self, kind)
            return plain(self, kind)
        return plain(self, *size)

    Tensor.view = view                          # type: ignore[attr-defined]


@method
def apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replace each element by callable(element)."""
    return _elements(self, [callable(x) for x in np.ravel(values(self)).tolist()])


@method
def map_(self: Tensor, other: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
    """Replace each element by callable(element, other's element)."""
    pairs = np.broadcast_to(values(other), self._shape)
    both = zip(np.ravel(values(self)).tolist(), np.ravel(pairs).tolist())
    return _elements(self, [callable(a, b) for a, b in both])


@method
def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the main diagonal; `wrap` begins it again below a tall matrix's square part."""
    shape = self._shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    steps = f.layout_of(self).stride
    offset = f.layout_of(self).offset
    count = min(shape)
    self.as_strided((count,), (sum(steps),), offset).fill_(fill_value)
    if wrap and len(shape) == 2 and shape[0] > shape[1] + 1:
        self[shape[1] + 1:].fill_diagonal_(fill_value, True)
    return self


@method
def __dlpack__(self: Tensor, *, stream: Any = None, max_version: Any = None,
               dl_device: Any = None, copy: Any = None) -> Any:
    """A capsule over this tensor's memory, or over a copy's for copy=True."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if dl_device is not None and tuple(int(n) for n in dl_device) != CPU_DEVICE:
        raise BufferError(f"dl_device {tuple(dl_device)} is not where this tensor is: {CPU_DEVICE}")
    array = shared(self.clone() if copy else self.resolve_conj().resolve_neg())
    return array.__dlpack__(max_version=max_version) if VERSIONED else array.__dlpack__()


@method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    return CPU_DEVICE


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array."""
    place = check_device(device)
    if isinstance(ext_tensor, Tensor):
        t = ext_tensor.detach().to(place)
        return t.clone() if copy else t
    array = np.from_dlpack(ext_tensor)
    if not array.flags.writeable and copy is False:
        raise BufferError("memory that may not be written to cannot become a tensor without a copy")
    return from_numpy(array.copy() if copy or not array.flags.writeable else array).to(place)


def to_dlpack(tensor: Tensor) -> Any:
    """The tensor as a DLPack capsule, for another library."""
    return tensor.__dlpack__()


# ---------------------------------------------------------------- the array API standard


@method
def __array_namespace__(self: Tensor, *, api_version: str | None = None) -> ModuleType:
    """The functions of the Python array API standard (`flambeau.array_api`)."""
    if api_version is not None and api_version not in API_VERSIONS:
        raise ValueError(f"unknown version {api_version!r} of the array API standard; the versions "
                         f"are {', '.join(API_VERSIONS)}")
    return importlib.import_module(f"{__name__.partition('.')[0]}.array_api")


@method
def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The tensor on a device, itself if it is there (the array API standard's method)."""
    if stream is not None:
        raise ValueError("the CPU has no streams")
    return self.to(check_device(device))
