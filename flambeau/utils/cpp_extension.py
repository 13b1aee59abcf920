"""torch.utils.cpp_extension: C++ extensions cannot be built against flambeau."""
from __future__ import annotations

from ..core.absent import refuse, refuse_all, refusing_class

_ERROR = RuntimeError("flambeau has no C++ interface: extensions cannot be built or loaded")
CUDA_HOME = None
ROCM_HOME = None
IS_HIP_EXTENSION = False
_REFUSED = refuse_all(("load", "load_inline", "include_paths", "library_paths"), _ERROR)
load, load_inline = _REFUSED["load"], _REFUSED["load_inline"]
include_paths, library_paths = _REFUSED["include_paths"], _REFUSED["library_paths"]
CppExtension = refuse("CppExtension", _ERROR)
CUDAExtension = refuse("CUDAExtension", _ERROR)
BuildExtension = refusing_class("BuildExtension", __name__, _ERROR)


def is_ninja_available() -> bool:
    return False


__all__ = ["BuildExtension", "CUDAExtension", "CUDA_HOME", "CppExtension", "include_paths",
           "is_ninja_available", "library_paths", "load", "load_inline"]
