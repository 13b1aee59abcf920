"""PyTorch's names of backward steps: `y.grad_fn` prints as `<AddBackward0 object at ...>`.

In: the public name of an operation, or the name of a node's op. Out: the step's class.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..autograd.tape import OpGradFn, named
from .tensor import Tensor

# Where the rule (CamelCase + Backward0) does not give PyTorch's name.
SPECIAL = {
    "subtract": "SubBackward0", "multiply": "MulBackward0", "divide": "DivBackward0",
    "true_divide": "DivBackward0", "negative": "NegBackward0", "absolute": "AbsBackward0",
    "concat": "CatBackward0", "concatenate": "CatBackward0", "reshape": "ViewBackward0",
    "flatten": "ViewBackward0", "ravel": "ViewBackward0", "view_as": "ViewBackward0",
    "reshape_as": "ViewBackward0", "expand_as": "ExpandBackward0",
    "broadcast_to": "ExpandBackward0", "swapaxes": "TransposeBackward0",
    "swapdims": "TransposeBackward0", "mT": "TransposeBackward0", "H": "TransposeBackward0",
    "mH": "TransposeBackward0", "adjoint": "TransposeBackward0", "movedim": "PermuteBackward0",
    "moveaxis": "PermuteBackward0", "narrow": "SliceBackward0", "chunk": "SplitBackward0",
    "tensor_split": "SliceBackward0", "unflatten": "ViewBackward0", "T": "PermuteBackward0",
    "batch_norm": "NativeBatchNormBackward0", "layer_norm": "NativeLayerNormBackward0",
    "group_norm": "NativeGroupNormBackward0", "dropout": "MulBackward0",
    "conv1d": "ConvolutionBackward0", "conv2d": "ConvolutionBackward0",
    "conv3d": "ConvolutionBackward0", "max_pool2d": "MaxPool2DWithIndicesBackward0",
    "mse_loss": "MseLossBackward0", "cross_entropy": "NllLossBackward0",
    "nll_loss": "NllLossBackward0", "matmul": "UnsafeViewBackward0", "softmax": "SoftmaxBackward0",
    "linear": "AddmmBackward0", "arccos": "AcosBackward0", "arcsin": "AsinBackward0",
    "arctan": "AtanBackward0", "clip": "ClampBackward1", "clamp": "ClampBackward1",
    "greater": "GtBackward0", "fix": "TruncBackward0", "square": "PowBackward0",
    "gather": "GatherBackward0", "to": "ToCopyBackward0", "type": "ToCopyBackward0",
    "float": "ToCopyBackward0", "double": "ToCopyBackward0", "half": "ToCopyBackward0",
    "bfloat16": "ToCopyBackward0", "contiguous": "CloneBackward0", "rsub": "RsubBackward1",
    "write": "CopySlices", "detach": "DetachBackward0", "avg_pool2d": "AvgPool2DBackward0",
    "std": "StdBackward0", "var": "VarBackward0", "hypot": "HypotBackward0",
    "dot": "DotBackward0", "getitem": "IndexBackward0", "alias": "AliasBackward0",
    "cast": "ToCopyBackward0", "select": "SelectBackward0", "min": "MinBackward1",
    "max": "MaxBackward1", "clamp_min": "ClampMinBackward0", "clamp_max": "ClampMaxBackward0",
    "masked_fill": "MaskedFillBackward0", "where": "WhereBackward0", "elu": "EluBackward0",
}


@lru_cache(None)
def of_name(name: str) -> type[OpGradFn]:
    """The class for a public name without its namespace."""
    special = SPECIAL.get(name)
    return named(special or _camel(name) + "Backward0")


@lru_cache(None)
def of_op(name: str) -> type[OpGradFn]:
    """The class for a node in the middle of a call."""
    return named(SPECIAL.get(name) or _camel(name.replace(".", "_")) + "Backward0")


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.strip("_").split("_"))


def _by_dim(name: str) -> Callable[..., type[OpGradFn]]:
    whole, along = named(f"{name}Backward0"), named(f"{name}Backward1")

    def choose(args: Any, kwargs: Any) -> type[OpGradFn]:
        dim = args[1] if len(args) > 1 else kwargs.get("dim")
        return whole if dim is None else along

    return choose


def _extremum(name: str) -> Callable[..., type[OpGradFn]]:
    along, whole = named(f"{name}Backward0"), named(f"{name}Backward1")

    def choose(args: Any, kwargs: Any) -> type[OpGradFn]:
        return whole if len(args) < 2 and not kwargs else along

    return choose


def _power(args: Any, kwargs: Any) -> type[OpGradFn]:
    exponent = args[1] if len(args) > 1 else kwargs.get("exponent")
    return named(f"PowBackward{int(isinstance(exponent, Tensor))}")


CHOOSE: dict[str, Callable[..., type[OpGradFn]]] = {
    "sum": _by_dim("Sum"), "mean": _by_dim("Mean"), "prod": _by_dim("Prod"),
    "max": _extremum("Max"), "min": _extremum("Min"), "pow": _power,
}
