"""torch.distributed.tensor.parallel: plans can be named; applying one is refused."""
from __future__ import annotations

from typing import Any

from ... import _absent

_CLASSES = _absent.refused_classes(__name__, (
    "ColwiseParallel", "ParallelStyle", "PrepareModuleInput", "PrepareModuleInputOutput",
    "PrepareModuleOutput", "RowwiseParallel", "SequenceParallel"))
ColwiseParallel: Any = _CLASSES["ColwiseParallel"]
ParallelStyle: Any = _CLASSES["ParallelStyle"]
PrepareModuleInput: Any = _CLASSES["PrepareModuleInput"]
PrepareModuleInputOutput: Any = _CLASSES["PrepareModuleInputOutput"]
PrepareModuleOutput: Any = _CLASSES["PrepareModuleOutput"]
RowwiseParallel: Any = _CLASSES["RowwiseParallel"]
SequenceParallel: Any = _CLASSES["SequenceParallel"]
_FUNCTIONS = _absent.refused("loss_parallel", "parallelize_module")
loss_parallel, parallelize_module = _FUNCTIONS["loss_parallel"], _FUNCTIONS["parallelize_module"]

__all__ = ["ColwiseParallel", "ParallelStyle", "PrepareModuleInput", "PrepareModuleInputOutput",
           "PrepareModuleOutput", "RowwiseParallel", "SequenceParallel", "loss_parallel",
           "parallelize_module"]
