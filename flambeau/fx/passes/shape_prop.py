"""Notes on every node what shape and dtype its value has."""
from __future__ import annotations

from typing import Any, NamedTuple

from ...tensor.tensor import Tensor
from ..interpreter import Interpreter
from ..node import Node, map_aggregate


class TensorMetadata(NamedTuple):
    """What is known of a tensor."""

    shape: Any
    dtype: Any
    requires_grad: bool
    stride: tuple[int, ...]
    memory_format: Any
    is_quantized: bool
    qparams: dict[str, Any]


def _extract_tensor_metadata(result: Tensor, include_contiguity: bool = True) -> TensorMetadata:
    return TensorMetadata(result.shape, result.dtype, result.requires_grad, result.stride(), None,
                          False, {})


class ShapeProp(Interpreter):
    """An interpreter that fills `node.meta["tensor_meta"]` and `node.meta["type"]`."""

    def run_node(self, n: Node) -> Any:
        result = super().run_node(n)
        found = []

        def note(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            found.append(x)
            return _extract_tensor_metadata(x)

        meta = map_aggregate(result, note)
        if found:
            n.meta["tensor_meta"] = meta
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args: Any) -> Any:
        """Run on these arguments, for the notes."""
        return super().run(*args)


__all__ = ["ShapeProp", "TensorMetadata"]
