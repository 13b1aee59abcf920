"""`torch.utils.dlpack`: tensors over the memory of other libraries."""
from __future__ import annotations

import enum
from typing import Any

import numpy as np

from ..tensor.creation import from_numpy


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers of devices."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor that shares memory with any object that speaks DLPack on the CPU."""
    made = from_numpy(np.from_dlpack(ext_tensor))
    return made.clone() if copy else made


def to_dlpack(tensor: Any) -> Any:
    """The capsule of a tensor's memory."""
    return tensor.detach().numpy().__dlpack__()


__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]
