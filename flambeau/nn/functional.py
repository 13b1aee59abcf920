"""torch.nn.functional: the table's names, and what is more than one operation.

In: the entries "nn.functional.*" of `ops.table`, through `tensor.names`. Out: PyTorch's functions.
Only what the table cannot say stands here: `inplace` flags, running statistics, deprecated names.
"""
from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Callable
from typing import Any

from .. import api as _api
from ..autograd.api import moved
from ..graph.realize import realize
from ..tensor import dropout as _dropout
from ..tensor import fractional as _fractional
from ..tensor.names import PUBLIC
from .base import Tensor, torch
from .multihead import (
    _canonical_mask,
    _in_projection,
    _in_projection_packed,
    _mha_shape_check,
    _none_or_dtype,
    multi_head_attention_forward,
)

_TABLE: dict[str, Callable[..., Any]] = PUBLIC["nn.functional"]
assert _api is torch                            # importing it has filled the table

dropout = _dropout.dropout
alpha_dropout = _dropout.alpha_dropout
dropout1d = _dropout.dropout1d
dropout2d = _dropout.dropout2d
dropout3d = _dropout.dropout3d
feature_alpha_dropout = _dropout.feature_alpha_dropout
fractional_max_pool2d = _fractional.fractional_max_pool2d
fractional_max_pool3d = _fractional.fractional_max_pool3d
fractional_max_pool2d_with_indices = _fractional.fractional_max_pool2d_with_indices
fractional_max_pool3d_with_indices = _fractional.fractional_max_pool3d_with_indices


# ---------------------------------------------------------------- activations with `inplace`


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x)."""
    return _relu_(input) if inplace else _relu(input)


_relu = _TABLE["relu"]
_relu_ = _TABLE["relu_"]


def _with_flag(name: str, doc: str) -> Callable[..., Tensor]:
    """A function of the table with an `inplace` argument at the end."""
    fresh = _TABLE[name]
    over = _TABLE.get(name + "_")

    def call(input: Tensor, inplace: bool = False) -> Tensor:
        if not inplace:
            return fresh(input)
        return input.copy_(fresh(input)) if over is None else over(input)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return call


relu6 = _with_flag("relu6", "min(max(0, x), 6).")
selu = _with_flag("selu", "scale * elu(x, alpha), with the constants of Klambauer et al. 2017.")
silu = _with_flag("silu", "x * sigmoid(x).")
mish = _with_flag("mish", "x * tanh(softplus(x)).")
hardsigmoid = _with_flag("hardsigmoid", "relu6(x + 3) / 6.")
hardswish = _with_flag("hardswish", "x * relu6(x + 3) / 6.")


def _choose(name: str, inplace: bool) -> Callable[..., Tensor]:
    return _TABLE[name + "_" if inplace else name]


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value."""
    return _choose("threshold", inplace)(input, threshold, value)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0,
             inplace: bool = False) -> Tensor:
    """x kept within [min_val, max_val]."""
    return _choose("hardtanh", inplace)(input, min_val, max_val)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha * (exp(x) - 1)."""
    return _choose("elu", inplace)(input, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    return _choose("celu", inplace)(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope * x."""
    return _choose("leaky_relu", inplace)(input, negative_slope)


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
          inplace: bool = False) -> Tensor:
    """Leaky ReLU; the slope is drawn from U(lower, upper) while training, else their mean."""
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if training:
        slope: Any = torch.empty_like(input).uniform_(lower, upper)
        out = torch.where(input <= 0, input * slope, input)
    else:
        out = leaky_relu(input, (lower + upper) / 2)
    return input.copy_(out) if inplace else out


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3,
           training: bool = False) -> Tensor:
    """rrelu, in place."""
    return rrelu(input, lower, upper, training, True)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10,
                   dim: int = -1) -> Tensor:
    """softmax((logits + noise) / tau) with Gumbel noise; one-hot forwards if `hard`."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = -torch.empty_like(logits).exponential_().log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    one_hot = torch.zeros_like(logits).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft


# ---------------------------------------------------------------- running statistics


def batch_norm(input: Tensor, running_mean: Any, running_var: Any, weight: Any = None,
               bias: Any = None, training: bool = False, momentum: float = 0.1,
               eps: float = 1e-5) -> Tensor:
    """Normalise each channel by the batch (training) or by the running statistics.

    While training, the running statistics move towards the batch's by `momentum`, in place.
    """
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    out = _TABLE["_batch_norm"](input, running_mean, running_var, weight, bias, training, momentum,
                                eps)
    if training and running_mean is not None and input.numel():
        _move("_batch_norm_running", input, running_mean, running_var, momentum)
    return out


def _move(name: str, input: Tensor, mean: Any, var: Any, momentum: float) -> None:
    """Give the running statistics their new values."""
    held = {id(ref()) for ref in moved}
    realize([n for n in (t._storage.value for t in (mean, var) if id(t) not in held)
             if n.value is None and n.src])
    with torch.no_grad():
        new_mean, new_var = _TABLE[name](input, mean, var, momentum)
        mean.copy_(new_mean)
        var.copy_(new_var)
    moved.extend((weakref.ref(mean), weakref.ref(var)))


def instance_norm(input: Tensor, running_mean: Any = None, running_var: Any = None,
                  weight: Any = None, bias: Any = None, use_input_stats: bool = True,
                  momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
    """Normalise each channel of each sample by itself, or by the running statistics."""
    if use_input_stats:
        spatial = math.prod(input.shape[2:])
        if spatial == 1:
            raise ValueError("Expected more than 1 spatial element when training, got input size "
                             f"{input.size()}")
    out = _TABLE["_instance_norm"](input, running_mean, running_var, weight, bias,
                                   use_input_stats, momentum, eps)
    if use_input_stats and running_mean is not None:
        _move("_instance_norm_running", input, running_mean, running_var, momentum)
    return out


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None,
              max_norm: float | None = None, norm_type: float = 2.0,
              scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """weight[input]; with `max_norm`, longer rows among those are first shortened, in place."""
    if max_norm is not None:
        _shorten_rows(weight, input, max_norm, norm_type)
    return _TABLE["embedding"](input, weight, padding_idx, None, norm_type, scale_grad_by_freq,
                               sparse)


def _shorten_rows(weight: Tensor, index: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that `index` names down to `max_norm` where they are longer."""
    with torch.no_grad():
        rows = torch.zeros(weight.shape[0], dtype=weight.dtype, device=weight.device)
        named = rows.index_fill(0, index.reshape(-1).long(), 1) != 0
        norms = PUBLIC["linalg"]["vector_norm"](weight, norm_type, 1)
        factor = torch.where(named & (norms > max_norm), max_norm / (norms + 1e-7), 1.0)
        weight.mul_(factor.unsqueeze(1))


# ---------------------------------------------------------------- losses that call other functions


def triplet_margin_with_distance_loss(anchor: Tensor, positive: Tensor, negative: Tensor, *,
                                      distance_function: Callable[..., Tensor] | None = None,
                                      margin: float = 1.0, swap: bool = False,
                                      reduction: str = "mean") -> Tensor:
    """max(0, d(a, p) - d(a, n) + margin) for any distance d."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("The anchor, positive, and negative tensors are expected to have the "
                           f"same number of dimensions, but got: anchor {anchor.ndim}D, positive "
                           f"{positive.ndim}D, and negative {negative.ndim}D inputs")
    distance = _TABLE["pairwise_distance"] if distance_function is None else distance_function
    near = distance(anchor, positive)
    far = distance(anchor, negative)
    if swap:
        far = torch.minimum(far, distance(positive, negative))
    return _TABLE["_triplet_hinge"](near, far, margin, reduction)


def linear_cross_entropy(input: Tensor, linear_weight: Tensor, target: Tensor, *,
                         linear_bias: Any = None, weight: Any = None, reduction: str = "mean",
                         ignore_index: int | None = None, label_smoothing: float = 0.0,
                         options: Any = None) -> Tensor:
    """cross_entropy(input @ linear_weightᵀ + linear_bias, target).

    linear_weight is (C, *K, in), input (N, in) or (in), target (N, *K) or the logits' shape.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError("expected input with dimensionality 1 or 2, got "
                           f"{input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError("expected linear_weight with dimensionality at least 2, got "
                           f"{linear_weight.dim()}")
    width = input.shape[-1]
    if width != linear_weight.shape[-1]:
        raise RuntimeError("expected equal input and linear_weight last dimensions (in_features), "
                           f"got {width} and {linear_weight.shape[-1]}, respectively")
    classes = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != classes:
        raise RuntimeError(f"expected linear_bias shape {classes}, got "
                           f"{tuple(linear_bias.shape)}")
    if len(classes) > 1 and input.dim() == 1:
        raise RuntimeError("K-dimensional loss defined by linear_weight shape "
                           f"{tuple(linear_weight.shape)} requires batched input, (N, {width}), "
                           f"got unbatched input with shape {tuple(input.shape)}")
    shape = (*input.shape[:-1], *classes)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if len(classes) > 1:
        linear_weight = linear_weight.reshape(-1, width)
        linear_bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = _TABLE["linear"](input, linear_weight, linear_bias).reshape(shape)
    return _TABLE["cross_entropy"](
        logits, target, weight=weight, reduction=reduction, label_smoothing=label_smoothing,
        ignore_index=-100 if ignore_index is None else ignore_index)


# ---------------------------------------------------------------- deprecated names


def upsample(input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
             align_corners: bool | None = None) -> Tensor:
    """The deprecated name of `interpolate`."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` "
                  "instead.", stacklevel=2)
    return _TABLE["interpolate"](input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """The deprecated name of `interpolate(mode="nearest")`."""
    warnings.warn("`nn.functional.upsample_nearest` is deprecated. Use "
                  "`nn.functional.interpolate` instead.", stacklevel=2)
    return _TABLE["interpolate"](input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """The deprecated name of `interpolate(mode="bilinear", align_corners=True)`."""
    warnings.warn("`nn.functional.upsample_bilinear` is deprecated. Use "
                  "`nn.functional.interpolate` instead.", stacklevel=2)
    return _TABLE["interpolate"](input, size, scale_factor, mode="bilinear", align_corners=True)


for _name, _function in _TABLE.items():
    globals().setdefault(_name, _function)

__all__ = sorted({name for name in _TABLE if not name.startswith("_")} | {
    "alpha_dropout", "batch_norm", "dropout", "dropout1d", "dropout2d", "dropout3d",
    "feature_alpha_dropout", "fractional_max_pool2d", "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d", "fractional_max_pool3d_with_indices", "gumbel_softmax",
    "instance_norm", "linear_cross_entropy",
    "multi_head_attention_forward", "rrelu", "rrelu_", "triplet_margin_with_distance_loss",
    "upsample", "upsample_bilinear", "upsample_nearest"})
_SHARED = (_canonical_mask, _in_projection, _in_projection_packed, _mha_shape_check,
           _none_or_dtype, multi_head_attention_forward)

for _name in ("relu", "hardtanh", "leaky_relu", "relu6", "elu", "selu", "celu", "threshold",
              "silu", "mish", "hardsigmoid", "hardswish"):
    # What __torch_function__ is told about: the function that programs know.
    _TABLE[_name].__public__ = globals()[_name]  # type: ignore[attr-defined]
    globals()[_name].__module__ = __name__
