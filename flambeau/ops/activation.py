"""Activations of torch.nn.functional.

In: nodes and numbers. Out: nodes, one each. Half types are computed in float32 and rounded once.

    gelu(x)  ->  x * 0.5 * (1 + erf(x / sqrt 2))
"""
from __future__ import annotations

import math
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from ..graph.primitive import real_only
from . import algebra as a
from .algebra import and_, cast, exp, sigmoid, where
from .comparison import clamp
from .complex_ import MODULUS
from .fused import fused, like_first
from .promotion import check_float, promote_float, type_name, wrap_dim
from .table import public

Number = Any
Slope = tuple[Node]


# ---------------------------------------------------------------- relu and its family


_UNCLAMPED = real_only("clamp is not supported for complex types", like_first)


def _relu_slope(g: Node, out: Node, _x: Node) -> Slope:
    return (where(a.gt(out, 0), g, 0),)


@fused("relu", infer=_UNCLAMPED, vjp=_relu_slope)
def relu_op(x: Node) -> Node:
    return a.max_(x, 0)


@public("relu", "nn.functional.relu", inplace=True)
def relu(input: Node) -> Node:
    """max(input, 0), element by element."""
    if input.dtype is dt.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    return relu_op(input)


def _band_slope(g: Node, _out: Node, x: Node, low: float, high: float) -> Slope:
    return (where(and_(a.gt(x, low), a.lt(x, high)), g, 0),)


@fused("hardtanh", ("low", "high"), infer=_UNCLAMPED, vjp=_band_slope)
def _hardtanh(x: Node, low: float, high: float) -> Node:
    return a.min_(a.max_(x, low), high)


@public("nn.functional.hardtanh", inplace=True)
def hardtanh(input: Node, min_val: float = -1.0, max_val: float = 1.0) -> Node:
    """The input, held between min_val and max_val."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype is dt.bool_:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if input.dtype.kind in "iu":
        return clamp(input, int(min_val), int(max_val))
    return _hardtanh(input, low=float(min_val), high=float(max_val))


def _leaky_slope(g: Node, _out: Node, x: Node, slope: float) -> Slope:
    return (where(a.gt(x, 0), g, g * slope),)


@fused("leaky_relu", ("slope",), vjp=_leaky_slope)
def _leaky_relu(x: Node, slope: float) -> Node:
    return where(a.gt(x, 0), x, x * slope)


@public("nn.functional.leaky_relu", inplace=True)
def leaky_relu(input: Node, negative_slope: float = 0.01) -> Node:
    """The input where positive, negative_slope times it elsewhere."""
    check_float("leaky_relu_cpu", input)
    return _leaky_relu(input, slope=float(negative_slope))


def _prelu_slope(g: Node, _out: Node, x: Node, w: Node) -> tuple[Node, Node]:
    up = a.gt(x, 0)
    return where(up, g, g * w), where(up, 0, g * x)


@fused("prelu", infer=real_only("prelu_cpu", like_first), vjp=_prelu_slope)
def _prelu(x: Node, w: Node) -> Node:
    return where(a.gt(x, 0), x, x * w)


@public("prelu", "nn.functional.prelu")
def prelu(input: Node, weight: Node) -> Node:
    """One slope, or one for each channel (dim 1)."""
    if weight.ndim > 1:
        raise RuntimeError("prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = "
                           f"{weight.ndim}")
    if input.dtype is not weight.dtype:
        raise RuntimeError("prelu: Type promoting not supported. Got "
                           f"{type_name(input.dtype)} and {type_name(weight.dtype)}")
    n = weight.size
    if n != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if channels != n:
            raise RuntimeError("Mismatch of parameter numbers and input channel size. Found "
                               f"parameter numbers = {n} and channel size = {channels}.")
    if input.ndim <= 1:
        w = a.reshape(weight, (1,) * input.ndim)
    else:
        w = a.reshape(weight, (1, n) + (1,) * (input.ndim - 2))
    return _prelu(input, w)


@public("nn.functional.relu6", inplace=True)
def relu6(input: Node) -> Node:
    """The input, held between 0 and 6."""
    return hardtanh(input, 0.0, 6.0)


def rrelu_of(input: Node, slope: Node) -> Node:
    """Randomised leaky relu with its drawn slopes (same shape); the slopes get no gradient."""
    return _prelu(input, slope)


def _elu_slope(g: Node, _out: Node, x: Node, alpha: float, scale: float,
               input_scale: float) -> Slope:
    low = exp(x * input_scale) * (alpha * scale * input_scale)
    return (g * where(a.le(x, 0), low, scale),)


@fused("elu", ("alpha", "scale", "input_scale"), vjp=_elu_slope)
def _elu(x: Node, alpha: float, scale: float, input_scale: float) -> Node:
    return where(a.le(x, 0), a.expm1(x * input_scale) * (alpha * scale), x * scale)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@public("nn.functional.elu", inplace=True)
def elu(input: Node, alpha: float = 1.0) -> Node:
    """The input where positive, alpha * (exp(input) - 1) elsewhere."""
    check_float("elu_cpu", input)
    return _elu(input, alpha=float(alpha), scale=1.0, input_scale=1.0)


@public("torch.selu", "nn.functional.selu", inplace=True)
def selu(input: Node) -> Node:
    """The self-normalising elu of Klambauer et al. 2017, with its two constants."""
    check_float("elu_cpu", input)
    return _elu(input, alpha=SELU_ALPHA, scale=SELU_SCALE, input_scale=1.0)


@public("torch.celu", "nn.functional.celu", inplace=True)
def celu(input: Node, alpha: float = 1.0) -> Node:
    """max(input, 0) + min(alpha * (exp(input / alpha) - 1), 0)."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    check_float("elu_cpu", input)
    return _elu(input, alpha=float(alpha), scale=1.0, input_scale=1.0 / alpha)


def _threshold_slope(g: Node, _out: Node, x: Node, threshold: float, value: float) -> Slope:
    return (where(a.le(x, threshold), 0, g),)


@fused("threshold", ("threshold", "value"), infer=real_only("threshold_cpu", like_first),
       vjp=_threshold_slope)
def _threshold(x: Node, threshold: float, value: float) -> Node:
    return where(a.le(x, threshold), value, x)


@public("torch.threshold", "nn.functional.threshold", inplace=True)
def threshold(input: Node, threshold: Number, value: Number) -> Node:
    """The input where it exceeds `threshold`, `value` elsewhere."""
    if input.dtype.kind == "f":
        threshold, value = float(threshold), float(value)
    return _threshold(input, threshold=threshold, value=value)


# ---------------------------------------------------------------- smooth


_SQRT_HALF = math.sqrt(0.5)
_PHI_SCALE = 1 / math.sqrt(2 * math.pi)
_TANH_SCALE = math.sqrt(2 / math.pi)
_TANH_CUBE = 0.044715


def _gelu_slope(g: Node, _out: Node, x: Node) -> Slope:
    below = 0.5 * (1 + a.erf(x * _SQRT_HALF))
    density = exp(x * x * -0.5) * _PHI_SCALE
    return (g * (below + x * density),)


@fused("gelu", vjp=_gelu_slope)
def _gelu(x: Node) -> Node:
    return x * 0.5 * (1 + a.erf(x * _SQRT_HALF))


def _gelu_inner(x: Node) -> Node:
    return a.tanh(_TANH_SCALE * (x + _TANH_CUBE * (x * x * x)))


def _gelu_tanh_slope(g: Node, _out: Node, x: Node) -> Slope:
    t = _gelu_inner(x)
    inner = _TANH_SCALE * (1 + 3 * _TANH_CUBE * (x * x))
    return (g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner),)


@fused("gelu_tanh", vjp=_gelu_tanh_slope)
def _gelu_tanh(x: Node) -> Node:
    return 0.5 * x * (1 + _gelu_inner(x))


@public("nn.functional.gelu")
def gelu(input: Node, *, approximate: str = "none") -> Node:
    """input * Phi(input), Phi the normal distribution; "tanh" takes its approximation."""
    check_float("GeluKernelImpl", input)
    if approximate == "none":
        return _gelu(input)
    if approximate == "tanh":
        return _gelu_tanh(input)
    raise RuntimeError("approximate argument must be either none or tanh.")


def _silu_slope(g: Node, _out: Node, x: Node) -> Slope:
    s = sigmoid(x)
    return (g * (s * (1 + x * (1 - s))),)


@fused("silu", vjp=_silu_slope)
def _silu(x: Node) -> Node:
    return x * sigmoid(x)


@public("nn.functional.silu", inplace=True)
def silu(input: Node) -> Node:
    """input * sigmoid(input), also called swish."""
    check_float("silu_cpu", input, complex_too=True)
    return _silu(input)


def softplus_node(x: Node) -> Node:
    """log(1 + e^x) without overflow."""
    return a.max_(x, 0) + a.log1p(exp(a.neg(a.abs_(x))))


def _mish_slope(g: Node, _out: Node, x: Node) -> Slope:
    t = a.tanh(softplus_node(x))
    return (g * (t + x * sigmoid(x) * (1 - t * t)),)


@fused("mish", vjp=_mish_slope)
def _mish(x: Node) -> Node:
    return x * a.tanh(softplus_node(x))


@public("nn.functional.mish", inplace=True)
def mish(input: Node) -> Node:
    """input * tanh(softplus(input))."""
    check_float("mish_cpu", input)
    return _mish(input)


def _softplus_slope(g: Node, _out: Node, x: Node, beta: float, threshold: float) -> Slope:
    return (where(a.gt(x * beta, threshold), g, g * sigmoid(x * beta)),)


@fused("softplus", ("beta", "threshold"), vjp=_softplus_slope)
def _softplus(x: Node, beta: float, threshold: float) -> Node:
    t = x * beta
    return where(a.gt(t, threshold), x, softplus_node(t) / beta)


@public("nn.functional.softplus")
def softplus(input: Node, beta: float = 1, threshold: float = 20) -> Node:
    """log(1 + exp(beta * input)) / beta; the input itself above `threshold`."""
    check_float("softplus_cpu", input)
    return _softplus(input, beta=float(beta), threshold=float(threshold))


@fused("logsigmoid", vjp=lambda g, _out, x: (g * sigmoid(a.neg(x)),))
def _logsigmoid(x: Node) -> Node:
    return a.min_(x, 0) - a.log1p(exp(a.neg(a.abs_(x))))


@public("nn.functional.logsigmoid")
def logsigmoid(input: Node) -> Node:
    """log(sigmoid(input)), without overflow."""
    check_float("log_sigmoid_cpu", input)
    return _logsigmoid(input)


@fused("softsign", vjp=lambda g, _out, x: (g / a.square(1 + a.abs_(x)),))
def _softsign(x: Node) -> Node:
    return x / (1 + a.abs_(x))


@public("nn.functional.softsign")
def softsign(input: Node) -> Node:
    """input / (1 + |input|)."""
    if input.dtype.kind == "c":
        return input / cast(1 + MODULUS(input), input.dtype)
    return _softsign(promote_float(input)[0])


@fused("tanhshrink", vjp=lambda g, _out, x: (g * a.square(a.tanh(a.conj(x))),))
def _tanhshrink(x: Node) -> Node:
    return x - a.tanh(x)


@public("nn.functional.tanhshrink")
def tanhshrink(input: Node) -> Node:
    """input - tanh(input)."""
    return _tanhshrink(promote_float(input)[0])


# ---------------------------------------------------------------- piecewise linear


def _hardsigmoid_slope(g: Node, _out: Node, x: Node) -> Slope:
    return (where(and_(a.gt(x, -3), a.lt(x, 3)), g * (1 / 6), 0),)


@fused("hardsigmoid", vjp=_hardsigmoid_slope)
def _hardsigmoid(x: Node) -> Node:
    return a.min_(a.max_(x + 3, 0), 6) / 6


@public("nn.functional.hardsigmoid", inplace=True)
def hardsigmoid(input: Node) -> Node:
    """relu6(input + 3) / 6."""
    check_float("hardsigmoid", input)
    return _hardsigmoid(input)


def _hardswish_slope(g: Node, _out: Node, x: Node) -> Slope:
    middle = g * (x / 3 + 0.5)
    return (where(a.le(x, -3), 0, where(a.lt(x, 3), middle, g)),)


@fused("hardswish", vjp=_hardswish_slope)
def _hardswish(x: Node) -> Node:
    return x * a.min_(a.max_(x + 3, 0), 6) / 6


@public("nn.functional.hardswish", inplace=True)
def hardswish(input: Node) -> Node:
    """input * relu6(input + 3) / 6."""
    check_float("hardswish_cpu", input)
    return _hardswish(input)


def _inside(x: Node, lambd: float) -> Node:
    return and_(a.ge(x, -lambd), a.le(x, lambd))


@fused("hardshrink", ("lambd",), vjp=lambda g, _out, x, lambd: (where(_inside(x, lambd), 0, g),))
def _hardshrink(x: Node, lambd: float) -> Node:
    return where(_inside(x, lambd), 0, x)


@public("torch.hardshrink", "Tensor.hardshrink", "nn.functional.hardshrink")
def hardshrink(input: Node, lambd: float = 0.5) -> Node:
    """The input where |input| > lambd, 0 elsewhere."""
    check_float("hardshrink_cpu", input)
    return _hardshrink(input, lambd=float(lambd))


@fused("softshrink", ("lambd",), vjp=lambda g, _out, x, lambd: (where(_inside(x, lambd), 0, g),))
def _softshrink(x: Node, lambd: float) -> Node:
    away = where(a.gt(x, lambd), x - lambd, where(a.lt(x, -lambd), x + lambd, 0))
    return where(a.isnan(x), x, away)


@public("nn.functional.softshrink")
def softshrink(input: Node, lambd: float = 0.5) -> Node:
    """The input drawn towards 0 by lambd, 0 where it is within lambd of it."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    check_float("softshrink_cpu", input)
    return _softshrink(input, lambd=float(lambd))


@public("nn.functional.glu")
def glu(input: Node, dim: int = -1) -> Node:
    """The first half along dim times the sigmoid of the second."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    check_float("glu_cpu", input)
    d = wrap_dim(dim, input.ndim)
    n = input.shape[d]
    if n % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {d} is size {n}")
    return _gate(a.narrow(input, d, 0, n // 2), a.narrow(input, d, n // 2, n // 2))


@fused("gate")
def _gate(x: Node, y: Node) -> Node:
    return x * sigmoid(y)
