"""Normalisation: layer, RMS, batch, instance, group, local response.

In: nodes; running statistics are read here and updated by whoever calls. Out: nodes.

    layer_norm(x, w, b)  ->  (x - mean(x)) * rsqrt(var(x) + eps) * w + b      one node
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node, Shape
from . import algebra as a
from .algebra import cast
from .fused import fused
from .promotion import promote_float, type_name
from .reduction import mean_op
from .statistics import var_op
from .table import public

Dims = tuple[int, ...]
EPSILON = {"float16": 2.0 ** -10, "bfloat16": 2.0 ** -7, "float32": 2.0 ** -23,
           "float64": 2.0 ** -52}


# ---------------------------------------------------------------- the two normalisations


def _mean(x: Node, dims: Dims) -> Node:
    return a.sum_(x, dims) * (1.0 / max(a.count(x, dims), 1))


def standard(x: Node, dims: Dims, eps: float) -> tuple[Node, Node]:
    """(x - mean) / sqrt(var + eps) and the factor 1 / sqrt(var + eps); the variance is biased."""
    gap = x - _mean(x, dims)
    inverse = a.rsqrt(_mean(gap * gap, dims) + eps)
    return gap * inverse, inverse


def standard_slope(g: Node, x: Node, dims: Dims, eps: float) -> tuple[Node, Node]:
    """The gradient of x through `standard`, and the normalised x."""
    unit, inverse = standard(x, dims, eps)
    return inverse * (g - _mean(g, dims) - unit * _mean(g * unit, dims)), unit


def _plain_slope(g: Node, _out: Node, x: Node, dims: Dims, eps: float) -> tuple[Node]:
    return (standard_slope(g, x, dims, eps)[0],)


@fused("standardize", ("dims", "eps"), vjp=_plain_slope)
def STANDARDIZE(x: Node, dims: Dims, eps: float) -> Node:  # noqa: N802 - an Op
    return standard(x, dims, eps)[0]


def _affine_slope(g: Node, _out: Node, x: Node, w: Node, _b: Node, dims: Dims,
                  eps: float) -> tuple[Node, ...]:
    dx, unit = standard_slope(g * w, x, dims, eps)
    return dx, g * unit, g


@fused("standardize_affine", ("dims", "eps"), vjp=_affine_slope)
def STANDARDIZE_AFFINE(x: Node, w: Node, b: Node, dims: Dims,  # noqa: N802 - an Op
                       eps: float) -> Node:
    """w and b broadcast against x."""
    return standard(x, dims, eps)[0] * w + b


def standardize(x: Node, weight: Node | None, bias: Node | None, dims: Dims, eps: float) -> Node:
    if weight is not None and bias is not None:
        return STANDARDIZE_AFFINE(x, weight, bias, dims=dims, eps=float(eps))
    return _affine(STANDARDIZE(x, dims=dims, eps=float(eps)), weight, bias)


def _affine(out: Node, weight: Node | None, bias: Node | None) -> Node:
    if weight is not None:
        out = out * cast(weight, out.dtype)
    return out if bias is None else out + cast(bias, out.dtype)


# ---------------------------------------------------------------- layer, RMS


def _normalized_dims(name: str, x: Node, normalized_shape: Sequence[int], weight: Node | None,
                     bias: Node | None) -> Dims:
    shape = tuple(normalized_shape) if hasattr(normalized_shape, "__iter__") else None
    if shape is None:
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of "
                        f"ints, not {type(normalized_shape).__name__}")
    if not shape:
        raise RuntimeError("Expected normalized_shape to be at least 1-dimensional, i.e., "
                           "containing at least one element, but got normalized_shape = []")
    for word, p in (("weight", weight), ("bias", bias)):
        if p is not None and p.shape != shape:
            raise RuntimeError(f"Expected {word} to be of same shape as normalized_shape, but got "
                               f"{word} of shape {list(p.shape)} and normalized_shape = "
                               f"{list(shape)}")
    if x.shape[x.ndim - len(shape):] != shape or x.ndim < len(shape):
        raise RuntimeError(f"Given normalized_shape={list(shape)}, expected input with shape "
                           f"[*, {', '.join(map(str, shape))}], but got input of size"
                           f"{list(x.shape)}")
    return tuple(range(x.ndim - len(shape), x.ndim))


@public("torch.layer_norm", "nn.functional.layer_norm")
def layer_norm(input: Node, normalized_shape: Sequence[int], weight: Node | None = None,
               bias: Node | None = None, eps: float = 1e-05, cudnn_enable: bool = True) -> Node:
    """(x - mean) / sqrt(var + eps) over the last dims, times weight plus bias."""
    dims = _normalized_dims("layer_norm", input, normalized_shape, weight, bias)
    _float_only("LayerNormKernelImpl", input)
    return standardize(input, weight, bias, dims, eps)


def _float_only(name: str, x: Node) -> None:
    if x.dtype.kind != "f":
        raise NotImplementedError(f'"{name}" not implemented for \'{type_name(x.dtype)}\'')


def _rms_slope(g: Node, _out: Node, x: Node, w: Node, dims: Dims, eps: float) -> tuple[Node, Node]:
    inverse = a.rsqrt(_mean(x * x, dims) + eps)
    unit = x * inverse
    gw = g * w
    return inverse * (gw - unit * _mean(gw * unit, dims)), g * unit


@fused("rms_norm", ("dims", "eps"), vjp=_rms_slope)
def _rms_norm(x: Node, w: Node, dims: Dims, eps: float) -> Node:
    return x * a.rsqrt(_mean(x * x, dims) + eps) * w


@public("torch.rms_norm", "nn.functional.rms_norm")
def rms_norm(input: Node, normalized_shape: Sequence[int], weight: Node | None = None,
             eps: float | None = None) -> Node:
    """x / sqrt(mean(x**2) + eps) over the last dims, times weight."""
    dims = _normalized_dims("rms_norm", input, normalized_shape, weight, None)
    if eps is None:
        eps = EPSILON[input.dtype.to_real().name if input.dtype.itemsize >= 4 else "float32"]
    w = a.const(1, input.dtype) if weight is None else weight
    if input.dtype.kind == "c":
        squares = mean_op(input * input, dims=dims, keepdim=True)
        return input * a.rsqrt(squares + eps) * w
    return _rms_norm(input, w, dims=dims, eps=float(eps))


# ---------------------------------------------------------------- batch, instance, group


def _channels(p: Node | None, x: Node) -> Node | None:
    """A vector over channels (dim 1), shaped to broadcast against x."""
    return None if p is None else _by_channel(p, x)


def _by_channel(p: Node, x: Node) -> Node:
    return a.reshape(p, (1, p.size) + (1,) * (x.ndim - 2))


def others(x: Node) -> Dims:
    """Every dim but the channels' (1)."""
    return (0, *range(2, x.ndim))


def batch_norm_train(input: Node, weight: Node | None, bias: Node | None, eps: float) -> Node:
    """Normalised by the statistics of the batch."""
    return standardize(input, _channels(weight, input), _channels(bias, input), others(input), eps)


def batch_statistics(input: Node) -> tuple[Node, Node]:
    """Mean and unbiased variance over all but the channels, for the running statistics."""
    dims = others(input)
    wide = cast(input, dt.float32) if input.dtype.itemsize == 2 else input
    return (mean_op(wide, dims=dims, keepdim=False),
            var_op(wide, dims=dims, keepdim=False, correction=1.0))


@fused("normalize_by", ("eps",))
def _normalize_by(x: Node, mean: Node, var: Node, w: Node, b: Node, eps: float) -> Node:
    return (x - mean) * (a.rsqrt(var + eps) * w) + b


def batch_norm_eval(input: Node, mean: Node, var: Node, weight: Node | None, bias: Node | None,
                    eps: float) -> Node:
    """Normalised by given statistics."""
    kind = mean.dtype
    w = _by_channel(weight, input) if weight is not None else a.const(1, kind)
    b = _by_channel(bias, input) if bias is not None else a.const(0, kind)
    return _normalize_by(input, _by_channel(mean, input), _by_channel(var, input), w, b,
                         eps=float(eps))


def check_batch(input: Node, *stats: tuple[str, Node | None]) -> None:
    """Statistics, weight and bias have an element for each channel."""
    if input.ndim < 2 and input.size:
        raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")
    _float_only("batch_norm", input)
    for name, p in stats:
        if p is not None and input.ndim > 1 and p.size != input.shape[1]:
            raise RuntimeError(f"{name} should contain {input.shape[1]} elements not {p.size}")


def batch_norm(input: Node, running_mean: Node | None, running_var: Node | None,
               weight: Node | None = None, bias: Node | None = None, training: bool = False,
               momentum: float = 0.1, eps: float = 1e-05) -> Node:
    """The value; `new_running` gives what the running statistics become."""
    check_batch(input, ("running_mean", running_mean), ("running_var", running_var),
                ("weight", weight), ("bias", bias))
    if not input.size:
        return input * 1
    if training:
        shape = input.shape
        if shape[1] and input.size // shape[1] == 1:
            raise ValueError("Expected more than 1 value per channel when training, got input size "
                             f"torch.Size({list(shape)})")
        return batch_norm_train(input, weight, bias, eps)
    if running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when "
                           "training=False")
    return batch_norm_eval(input, running_mean, running_var, weight, bias, eps)


@fused("blend", ("weight",))
def _blend(old: Node, new: Node, weight: float) -> Node:
    return old * (1 - weight) + new * weight


def new_running(input: Node, running_mean: Node, running_var: Node,
                momentum: float) -> tuple[Node, Node]:
    """The running statistics after a batch."""
    mean, var = batch_statistics(input)
    return (_blend(running_mean, mean, weight=float(momentum)),
            _blend(running_var, var, weight=float(momentum)))


public("nn.functional._batch_norm")(batch_norm)
public("nn.functional._batch_norm_running")(new_running)


def instance_norm(input: Node, running_mean: Node | None = None, running_var: Node | None = None,
                  weight: Node | None = None, bias: Node | None = None,
                  use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-05) -> Node:
    """Each channel of each sample by itself."""
    check_batch(input, ("running_mean", running_mean), ("running_var", running_var),
                ("weight", weight), ("bias", bias))
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when "
                               "use_input_stats=False")
        return batch_norm_eval(input, running_mean, running_var, weight, bias, eps)
    dims = tuple(range(2, input.ndim))
    if a.count(input, dims) == 1:
        raise ValueError("Expected more than 1 spatial element when training, got input size "
                         f"torch.Size({list(input.shape)})")
    return standardize(input, _channels(weight, input), _channels(bias, input), dims, eps)


def instance_running(input: Node, running_mean: Node, running_var: Node,
                     momentum: float) -> tuple[Node, Node]:
    """The running statistics after a batch: the samples' own statistics, averaged."""
    dims = tuple(range(2, input.ndim))
    mean = mean_op(mean_op(input, dims=dims, keepdim=False), dims=(0,), keepdim=False)
    var = mean_op(var_op(input, dims=dims, keepdim=False, correction=1.0), dims=(0,), keepdim=False)
    return (_blend(running_mean, mean, weight=float(momentum)),
            _blend(running_var, var, weight=float(momentum)))


public("nn.functional._instance_norm")(instance_norm)
public("nn.functional._instance_norm_running")(instance_running)


def _group_infer(x: Node, *rest: Any) -> tuple[Shape, Any]:
    return x.shape, x.dtype


def _grouped(x: Node, groups: int) -> Node:
    return a.reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))


def _group_slope(g: Node, _out: Node, x: Node, w: Node, _b: Node, groups: int,
                 eps: float) -> tuple[Node, ...]:
    parts = _grouped(x, groups)
    dx, unit = standard_slope(_grouped(g * w, groups), parts, tuple(range(2, parts.ndim)), eps)
    return a.reshape(dx, x.shape), g * a.reshape(unit, x.shape), g


@fused("group_norm", ("groups", "eps"), infer=_group_infer, vjp=_group_slope)
def _group_norm(x: Node, w: Node, b: Node, groups: int, eps: float) -> Node:
    parts = _grouped(x, groups)
    unit = standard(parts, tuple(range(2, parts.ndim)), eps)[0]
    return a.reshape(unit, x.shape) * w + b


@public("torch.group_norm", "nn.functional.group_norm")
def group_norm(input: Node, num_groups: int, weight: Node | None = None, bias: Node | None = None,
               eps: float = 1e-05, cudnn_enabled: bool = True) -> Node:
    """layer_norm over groups of channels of (N, C, ...), weight and bias a channel."""
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received "
                           f"{input.ndim}")
    channels = input.shape[1]
    if num_groups <= 0:
        raise RuntimeError("Expected num groups to be greater than 0, got " + str(num_groups))
    if channels % num_groups:
        raise RuntimeError("Expected number of channels in input to be divisible by num_groups, "
                           f"but got input of shape {list(input.shape)} and num_groups="
                           f"{num_groups}")
    for word, p in (("weight", weight), ("bias", bias)):
        if p is not None and p.shape != (channels,):
            raise RuntimeError(f"Expected {word} to be a vector of size equal to the number of "
                               f"channels in input, but got {word} of shape {list(p.shape)} and "
                               f"input of shape {list(input.shape)}")
    _float_only("GroupNormKernelImpl", input)
    if not input.size:
        return input * 1
    w = a.const(1, input.dtype) if weight is None else _by_channel(weight, input)
    b = a.const(0, input.dtype) if bias is None else _by_channel(bias, input)
    return _group_norm(input, w, b, groups=num_groups, eps=float(eps))


# ---------------------------------------------------------------- local response


def _like(x: Node, *_attrs: Any) -> tuple[Shape, Any]:
    return x.shape, x.dtype


@fused("local_response_norm", ("size", "alpha", "beta", "k"), infer=_like)
def _local_response(x: Node, size: int, alpha: float, beta: float, k: float) -> Node:
    """Over a window of channels: size // 2 before and (size - 1) // 2 after."""
    low = tuple(size // 2 if d == 1 else 0 for d in range(x.ndim))
    high = tuple((size - 1) // 2 if d == 1 else 0 for d in range(x.ndim))
    windows = a.unfold(a.pad(x * x, low, high), 1, size)
    total = a.squeeze(a.sum_(windows, (x.ndim,)), (x.ndim,))
    base = total * (alpha / size) + k
    return x / a.power(base, beta)


@public("nn.functional.local_response_norm")
def local_response_norm(input: Node, size: int, alpha: float = 1e-4, beta: float = 0.75,
                        k: float = 1.0) -> Node:
    """x / (k + alpha * mean of x**2 over `size` neighbouring channels)**beta."""
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} "
                         "dimensions)")
    if not input.size:
        return input
    if size < 1:
        raise RuntimeError("narrow(): length must be non-negative.")
    x = promote_float(input)[0]
    return _local_response(x, size=size, alpha=float(alpha), beta=float(beta), k=float(k))
