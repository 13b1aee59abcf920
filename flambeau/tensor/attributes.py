"""What a tensor can be asked without computing: shape, type, place, history.

In: tensors. Out: the properties and questions of `torch.Tensor`.
"""
from __future__ import annotations

from typing import Any

from ..core.device import CPU
from ..core.layout import wrap_dim
from . import functionalize as f
from .size import Size, size_of
from .constants import strided
from .storage import INFERENCE
from .tensor import Tensor, attribute, method

# ---------------------------------------------------------------- shape


@attribute
def shape(self: Tensor) -> Size:
    """The sizes of the dims."""
    return size_of(self._shape)


@attribute
def ndim(self: Tensor) -> int:
    """How many dims there are."""
    return len(self._shape)


@attribute
def nbytes(self: Tensor) -> int:
    """The bytes of all elements."""
    return numel(self) * self.dtype.itemsize


@attribute
def itemsize(self: Tensor) -> int:
    """The bytes of one element."""
    return self.dtype.itemsize


@attribute
def device(self: Tensor) -> Any:
    """Where the tensor is."""
    return self._storage.device


@attribute
def layout(self: Tensor) -> Any:
    """torch.strided: there is no other layout."""
    return strided


@method
def size(self: Tensor, dim: int | None = None) -> Any:
    """The sizes of the dims, or of one."""
    if dim is None:
        return size_of(self._shape)
    if not self._shape:
        raise IndexError("Dimension specified as "
                         f"{dim} but tensor has no dimensions")
    return self._shape[wrap_dim(dim, len(self._shape))]


@method
def stride(self: Tensor, dim: int | None = None) -> Any:
    """How many elements apart neighbours along each dim are, or along one."""
    steps = f.layout_of(self).stride
    return steps if dim is None else steps[wrap_dim(dim, len(steps))]


@method
def storage_offset(self: Tensor) -> int:
    """Where in its storage the tensor begins, in elements."""
    return 0 if self._layout is None else self._layout.offset


@method
def dim(self: Tensor) -> int:
    """How many dims there are."""
    return len(self._shape)


@method
def numel(self: Tensor) -> int:
    """How many elements there are."""
    n = 1
    for extent in self._shape:
        n *= extent
    return n


@method
def element_size(self: Tensor) -> int:
    """The bytes of one element."""
    return self.dtype.itemsize


@method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements stand in memory in the order of their indices."""
    if memory_format is None or memory_format.name == "contiguous_format":
        return self._layout is None or self._layout.is_contiguous
    if memory_format.name in ("channels_last", "channels_last_3d"):
        rank = 4 if memory_format.name == "channels_last" else 5
        return len(self._shape) == rank and f.layout_of(self).is_channels_last
    raise RuntimeError(f"is_contiguous: unsupported memory format {memory_format}")


@method
def is_floating_point(self: Tensor) -> bool:
    """Whether the type is a floating one."""
    return self.dtype.is_floating_point


@method
def is_complex(self: Tensor) -> bool:
    """Whether the type is a complex one."""
    return self.dtype.is_complex


@method
def is_signed(self: Tensor) -> bool:
    """Whether the type has negative numbers."""
    return self.dtype.is_signed


@method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    return self._shape == other._shape


@method
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both are the same view of the same storage."""
    return self._storage is tensor._storage and f.layout_of(self) == f.layout_of(tensor)


@method
def get_device(self: Tensor) -> int:
    """The device's number: -1 for the CPU."""
    return -1


@method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the memory is page-locked: it never is."""
    return False


@method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: there is no device to copy to."""
    return self


@method
def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return self._counter is INFERENCE


@method
def is_neg(self: Tensor) -> bool:
    """Whether a negation is pending: it never is."""
    return False


@method
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, which is dense, or as another type."""
    return self if dtype is None else self.to(dtype)


@method
def is_coalesced(self: Tensor) -> bool:
    """For sparse tensors: refused."""
    return False


@attribute
def is_meta(self: Tensor) -> bool:
    """Whether the tensor has a shape and no values."""
    return self._storage.device.type == "meta"


@attribute
def is_cpu(self: Tensor) -> bool:
    """Whether the tensor is on the CPU."""
    return self._storage.device is CPU


@attribute
def names(self: Tensor) -> tuple[None, ...]:
    """The names of the dims: none have one."""
    return (None,) * len(self._shape)


@method
def has_names(self: Tensor) -> bool:
    """Whether a dim has a name: none has."""
    return False


@method
def dim_order(self: Tensor, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dims from the one that varies slowest in memory to the fastest."""
    steps = f.layout_of(self).stride
    return tuple(sorted(range(len(steps)), key=lambda d: -steps[d]))


Tensor.ndimension = dim  # type: ignore[attr-defined]
Tensor.nelement = numel  # type: ignore[attr-defined]
