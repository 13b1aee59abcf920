"""torch.nn: layers, their parameters, and what belongs to them."""
from __future__ import annotations

from . import attention, functional, init, modules, parallel, parameter, utils
from .factory import factory_kwargs
from .modules import *  # noqa: F403 - the layers are this package's names
from .modules.linear_cross_entropy_options import LinearCrossEntropyOptions
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [*modules.__all__, "Buffer", "DataParallel", "LinearCrossEntropyOptions", "Parameter",
           "UninitializedBuffer", "UninitializedParameter", "attention", "factory_kwargs",
           "functional", "init", "modules", "parallel", "parameter", "utils"]
