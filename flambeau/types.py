"""torch.types: names of kinds of arguments, for annotations."""
from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, Any, Dict, List, Tuple, Union  # noqa: UP035

from ._sym import SymBool, SymFloat, SymInt
from .autograd.graph import GradientEdge
from .core.device import device as _device_class
from .core.dtype import dtype
from .tensor.constants import layout, memory_format
from .tensor.size import Size
from .tensor.storages import UntypedStorage
from .tensor.tensor import Tensor

_TensorOrTensors = Union[Tensor, Sequence[Tensor]]  # noqa: UP007
_TensorOrTensorsOrGradEdge = Union[  # noqa: UP007
    Tensor, Sequence[Tensor], GradientEdge, Sequence[GradientEdge]]
_dtype = dtype
_layout = layout
_device = _device_class
_size = Union[Size, List[int], Tuple[int, ...]]  # noqa: UP006, UP007
_symsize = _size
_dispatchkey = Union[str, int]  # noqa: UP007
_bool, _int, _float, _complex = (builtins.bool, builtins.int, builtins.float, builtins.complex)
Number = Union[int, float, bool]  # noqa: UP007
_Number = (int, float, bool)
FileLike = Union[str, os.PathLike, IO[bytes]]  # noqa: UP007
Device = Union[_device_class, str, int, None]  # noqa: UP007
IntLikeType = Union[int, SymInt]  # noqa: UP007
FloatLikeType = Union[float, SymFloat]  # noqa: UP007
BoolLikeType = Union[bool, SymBool]  # noqa: UP007
py_sym_types = (SymInt, SymFloat, SymBool)
PySymType = Union[SymInt, SymFloat, SymBool]  # noqa: UP007
Storage = UntypedStorage

__all__ = ["Any", "BoolLikeType", "Device", "Dict", "FileLike", "FloatLikeType", "IntLikeType",
           "List", "Number", "PySymType", "Size", "Storage", "Tensor", "Tuple", "memory_format"]
