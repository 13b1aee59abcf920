"""Convolutions: one node each, which is a `dot` over windows; so are both of their derivatives.

In: nodes (input (N, C, *S), weight (O, C/groups, *K)) and PyTorch's arguments. Out: nodes.

    convolve(x, w)  ->  dot(unfold(unfold(pad(x), ...), ...), w, (n, c, y, x, i, j), (o, c, i, j),
                            (n, o, y, x))

The input's gradient is the convolution of the zero-dilated gradient with the flipped weight
(Dumoulin and Visin, "A guide to convolution arithmetic", 2016, section 4), so the family is closed:
a transposed convolution is the same operation with zeros between its input's elements.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Op, Shape, strides
from . import algebra as alg
from . import promotion as pro
from .known import integer
from .table import composite, public

PARAMS = ("stride", "low", "high", "inner", "dilation", "groups")


class Window(NamedTuple):
    """How the windows lie, a number per spatial dim.

    `low` and `high` zeros are put at the ends (negative: cropped), `inner` between neighbours.
    """

    stride: Shape
    low: Shape
    high: Shape
    inner: Shape
    dilation: Shape
    groups: int

    def windows(self, size: Sequence[int], kernel: Sequence[int]) -> Shape:
        """How many windows fit along each dim."""
        return tuple(
            (a + n + max(n - 1, 0) * i + b - d * (k - 1) - 1) // s + 1
            for n, k, s, a, b, i, d in zip(size, kernel, *self[:5]))


def _infer(x: Node, w: Node, *attrs: Any) -> tuple[Shape, dtype]:
    count = Window(*attrs).windows(x.shape[2:], w.shape[2:])
    return (x.shape[0], w.shape[0], *count), x.dtype


def windows(x: Node, kernel: Sequence[int], at: Window) -> Node:
    """(N, ..., *S) to (N, ..., *out, *K): a view of the padded input."""
    edge = (0,) * (x.ndim - len(kernel))
    low = edge + tuple(max(a, 0) for a in at.low)
    high = edge + tuple(max(b, 0) for b in at.high)
    x = alg.pad(x, low, high, edge + at.inner)
    crop_low = edge + tuple(max(-a, 0) for a in at.low)
    crop_high = edge + tuple(max(-b, 0) for b in at.high)
    if any(crop_low) or any(crop_high):
        shape = tuple(n - a - b for n, a, b in zip(x.shape, crop_low, crop_high))
        x = alg.slice_(x, crop_low, (1,) * x.ndim, shape)
    for d, (k, step, dilation) in enumerate(zip(kernel, at.stride, at.dilation)):
        x = alg.unfold(x, len(edge) + d, k, step, dilation)
    return x


def _grouped(x: Node, dim: int, groups: int) -> Node:
    """A channel dim split as (groups, channels of a group)."""
    return alg.reshape(x, x.shape[:dim] + (groups, x.shape[dim] // groups) + x.shape[dim + 1:])


_N, _C, _O, _G = (0,), (1,), (2,), (3,)            # labels of dot, as 1-tuples


def _spatial(rank: int) -> tuple[Shape, Shape]:
    """Labels of the output's places and of the kernel's."""
    return tuple(range(4, 4 + rank)), tuple(range(4 + rank, 4 + 2 * rank))


@composite("convolve", _infer, PARAMS)
def CONVOLVE(x: Node, w: Node, *attrs: Any) -> Node:  # noqa: N802 - an Op
    at = Window(*attrs)
    kernel = w.shape[2:]
    if any(s == 1 and i for s, i in zip(at.stride, at.inner)):
        return _by_phases(x, w, at)
    if _depthwise(w.shape, at):
        return _by_taps(x, w, at)
    places, taps = _spatial(len(kernel))
    if at.groups == 1:
        return alg.dot(windows(x, kernel, at), w, _N + _C + places + taps, _O + _C + taps,
                       _N + _O + places)
    seen = windows(_grouped(x, 1, at.groups), kernel, at)
    out = alg.dot(seen, _grouped(w, 0, at.groups), _N + _G + _C + places + taps,
                  _G + _O + _C + taps, _N + _G + _O + places)
    return alg.reshape(out, (x.shape[0], w.shape[0], *out.shape[3:]))


MOST_TAPS = 25                    # of a depthwise convolution that is written out


def _depthwise(w: Shape, at: Window) -> bool:
    """Whether every group has one channel and few taps: nothing to gain from a contraction."""
    return at.groups > 1 and w[1] == 1 and prod(w[2:]) <= MOST_TAPS


def _tap_views(x: Node, kernel: Shape, at: Window) -> list[Node]:
    """For every tap of a depthwise convolution its inputs, (N, G, 1, *out)."""
    seen = windows(alg.unsqueeze(x, 2), kernel, at)
    shape = seen.shape[:seen.ndim - len(kernel)]
    ones = (1,) * len(kernel)
    return [alg.reshape(alg.slice_(seen, (0,) * len(shape) + tap, (1,) * seen.ndim, shape + ones),
                        shape)
            for tap in product(*map(range, kernel))]


def _by_taps(x: Node, w: Node, at: Window) -> Node:
    """A depthwise convolution as a sum of products, which fuses with what is around it."""
    wide = dt.float32 if x.dtype.kind == "f" and x.dtype.itemsize == 2 else x.dtype
    outputs, _, *kernel = w.shape
    weights = alg.reshape(w, (at.groups, outputs // at.groups, prod(kernel)))
    total: Node | None = None
    for k, seen in enumerate(_tap_views(x, tuple(kernel), at)):
        factor = alg.reshape(alg.narrow(weights, 2, k, 1),
                             weights.shape[:2] + (1,) * len(kernel))
        term = alg.cast(seen, wide) * alg.cast(factor, wide)
        total = term if total is None else total + term
    assert total is not None
    out = alg.reshape(total, (x.shape[0], outputs, *total.shape[3:]))
    return alg.cast(out, x.dtype)


def _weights_by_taps(x: Node, g: Node, at: Window, kernel: Shape) -> Node:
    """The gradient of a depthwise convolution's weight: a sum for every tap."""
    wide = dt.float32 if x.dtype.kind == "f" and x.dtype.itemsize == 2 else x.dtype
    outputs = g.shape[1]
    grad = alg.cast(_grouped(g, 1, at.groups), wide)
    dims = (0, *range(3, grad.ndim))
    sums = [alg.reshape(alg.sum_(grad * alg.cast(seen, wide), dims), (outputs, 1))
            for seen in _tap_views(x, kernel, at)]
    return alg.cast(alg.reshape(alg.cat(sums, 1), (outputs, 1, *kernel)), x.dtype)


@dataclass(frozen=True, slots=True)
class Phase:
    """Along one dim: every `every`-th place from `first` on (`count` of them), which see the taps
    `tap`, `tap + stride`, ... (`taps` of them) and nothing of the zeros between the elements."""

    first: int
    every: int
    count: int
    tap: int
    stride: int
    taps: int
    low: int
    high: int
    inner: int
    dilation: int


def _phases(n: int, k: int, m: int, low: int, inner: int, dilation: int) -> list[Phase]:
    """The phases of a dim whose n elements have zeros between them; those without taps left out.

    Place q*z + r sees tap i at position q*z + r + i*dilation - low, an element where q divides it.
    """
    q = inner + 1
    common = gcd(q, dilation)
    step, spread = q // common, dilation // common
    phases = []
    for r in range(min(q, m)):
        tap = next((i for i in range(min(step, k)) if (r + i * dilation - low) % q == 0), None)
        if tap is None:
            continue
        taps, count = len(range(tap, k, step)), len(range(r, m, q))
        first = (low - r - tap * dilation) // q
        last = count - n - first + spread * (taps - 1)
        phases.append(Phase(r, q, count, tap, step, taps, first, last, 0, spread))
    return phases


def _by_phases(x: Node, w: Node, at: Window) -> Node:
    """Zeros between elements: places of equal remainder see the same taps, each a convolution.

    The gradient of a convolution of stride 2 is four convolutions with a part of the taps each.
    """
    shape, _ = _infer(x, w, *at)
    dims = []
    for n, k, m, s, low, high, inner, d in zip(x.shape[2:], w.shape[2:], shape[2:], *at[:5]):
        whole = [Phase(0, 1, m, 0, 1, k, low, high, inner, d)]
        dims.append(_phases(n, k, m, low, inner, d) if s == 1 and inner else whole)
    out = alg.full(shape, 0, x.dtype)
    for phases in product(*dims):
        start, step, taps = ((0, 0) + tuple(p.tap for p in phases),
                             (1, 1) + tuple(p.stride for p in phases),
                             w.shape[:2] + tuple(p.taps for p in phases))
        window = at._replace(low=tuple(p.low for p in phases), high=tuple(p.high for p in phases),
                             inner=tuple(p.inner for p in phases),
                             dilation=tuple(p.dilation for p in phases))
        part = convolve(x, alg.slice_(w, start, step, taps), window)
        rows = strides(shape)
        apart = rows[:2] + tuple(s * p.every for s, p in zip(rows[2:], phases))
        offset = sum(s * p.first for s, p in zip(rows[2:], phases))
        out = alg.write(out, part, part.shape, apart, offset)
    return out


def _weight_infer(x: Node, g: Node, *attrs: Any) -> tuple[Shape, dtype]:
    *window, kernel = attrs
    return (g.shape[1], x.shape[1] // Window(*window).groups, *kernel), x.dtype


@composite("convolve.weight", _weight_infer, (*PARAMS, "kernel"))
def WEIGHT(x: Node, g: Node, *attrs: Any) -> Node:  # noqa: N802 - an Op
    """d(sum(g * convolve(x, w))) / dw: every window of x times the gradient at its place."""
    *window, kernel = attrs
    at = Window(*window)
    if _depthwise((g.shape[1], x.shape[1] // at.groups, *kernel), at):
        return _weights_by_taps(x, g, at, kernel)
    places, taps = _spatial(len(kernel))
    if at.groups == 1:
        return alg.dot(g, windows(x, kernel, at), _N + _O + places, _N + _C + places + taps,
                       _O + _C + taps)
    seen = windows(_grouped(x, 1, at.groups), kernel, at)
    out = alg.dot(_grouped(g, 1, at.groups), seen, _N + _G + _O + places,
                  _N + _G + _C + places + taps, _G + _O + _C + taps)
    return alg.reshape(out, (g.shape[1], *out.shape[2:]))


def convolve(x: Node, w: Node, at: Window) -> Node:
    return CONVOLVE(x, w, **at._asdict())


def turned(w: Node, groups: int) -> Node:
    """(O, C/g, *K) to (C, O/g, *K) with every kernel dim reversed."""
    out = alg.transpose(_grouped(w, 0, groups), 1, 2)
    out = alg.reshape(out, (groups * w.shape[1], w.shape[0] // groups, *w.shape[2:]))
    return alg.flip(out, range(2, w.ndim))


def back(at: Window, size: Sequence[int], kernel: Sequence[int]) -> Window:
    """The window that leads from the gradient back to an input of `size`."""
    low, high = [], []
    for n, k, m, s, a, i, d in zip(size, kernel, at.windows(size, kernel), at.stride, at.low,
                                   at.inner, at.dilation):
        first = d * (k - 1) - a
        low.append(first)
        needed = (n - 1) * (i + 1) + d * (k - 1) + 1
        high.append(needed - first - (m - 1) * s - 1)
    return Window(tuple(i + 1 for i in at.inner), tuple(low), tuple(high),
                  tuple(s - 1 for s in at.stride), at.dilation, at.groups)


def input_gradient(g: Node, x: Node, w: Node, at: Window) -> Node:
    return convolve(g, turned(w, at.groups), back(at, x.shape[2:], w.shape[2:]))


def weight_gradient(x: Node, g: Node, w: Node, at: Window) -> Node:
    return WEIGHT(x, g, **at._asdict(), kernel=w.shape[2:])


def _convolve_vjp(g: Node, _out: Node, x: Node, w: Node, *attrs: Any) -> tuple[Node, Node]:
    at = Window(*attrs)
    x, w = alg.conj(x), alg.conj(w)
    return input_gradient(g, x, w, at), weight_gradient(x, g, w, at)


def _weight_vjp(h: Node, _out: Node, x: Node, g: Node, *attrs: Any) -> tuple[Node, Node]:
    at = Window(*attrs[:-1])
    x, g = alg.conj(x), alg.conj(g)
    return input_gradient(g, x, h, at), convolve(x, h, at)


CONVOLVE.vjp = _convolve_vjp
WEIGHT.vjp = _weight_vjp


@composite("convolve.bias", lambda x, w, b, *attrs: _infer(x, w, *attrs), PARAMS)
def BIASED(x: Node, w: Node, b: Node, *attrs: Any) -> Node:  # noqa: N802 - an Op
    return convolve(x, w, Window(*attrs)) + alg.reshape(b, (b.size,) + (1,) * (w.ndim - 2))


def _biased_vjp(g: Node, _out: Node, x: Node, w: Node, _b: Node, *attrs: Any,
                ) -> tuple[Node, Node, Node]:
    dims = (0, *range(2, g.ndim))
    bias = alg.squeeze(alg.sum_(g, dims), dims)
    return *_convolve_vjp(g, _out, x, w, *attrs), bias


BIASED.vjp = _biased_vjp


# ---------------------------------------------------------------- PyTorch's functions


def _numbers(value: Any, rank: int, name: str, kind: str = "convolution") -> Shape:
    if not hasattr(value, "__iter__"):
        return (integer(value),) * rank
    found = tuple(integer(v) for v in value)
    if len(found) == 1:
        return found * rank
    if len(found) != rank:
        raise RuntimeError(f"expected {name} to be a single integer value or a list of {rank} "
                           f"values to match the convolution dimensions, but got "
                           f"{name}={list(found)}")
    return found


def _check(x: Node, w: Node, b: Node | None, at: Window, transposed: bool) -> None:
    if any(s <= 0 for s in at.stride):
        raise RuntimeError("non-positive stride is not supported")
    if any(d <= 0 for d in at.dilation):
        raise RuntimeError("dilation should be greater than zero, but got "
                           f"{list(at.dilation)}")
    if at.groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    shape = list(w.shape)
    if w.shape[0] % at.groups:
        raise RuntimeError(f"Given groups={at.groups}, expected weight to be divisible by "
                           f"{at.groups} at dimension 0, but got weight of size [{shape}] instead")
    channels = w.shape[0] if transposed else w.shape[1] * at.groups
    if x.shape[1] != channels:
        what = f"transposed={int(transposed)}" if transposed else f"groups={at.groups}"
        raise RuntimeError(f"Given {what}, weight of size {shape}, expected input"
                           f"{list(x.shape)} to have {channels} channels, but got {x.shape[1]} "
                           "channels instead")
    outputs = w.shape[1] * at.groups if transposed else w.shape[0]
    if b is not None and b.shape != (outputs,):
        lead = f"Given transposed={int(transposed)}, weight" if transposed else "Given weight"
        raise RuntimeError(f"{lead} of size {shape}, expected bias to be 1-dimensional with "
                           f"{outputs} elements, but got bias of size {list(b.shape)} instead")


def _check_dtypes(x: Node, w: Node, b: Node | None) -> None:
    if x.dtype.kind == "b":
        raise NotImplementedError('"slow_conv2d_cpu" not implemented for \'Bool\'')
    if w.dtype is not x.dtype:
        raise RuntimeError(f"expected scalar type {pro.type_name(x.dtype)} but found "
                           f"{pro.type_name(w.dtype)}")
    if b is not None and b.dtype is not x.dtype:
        names = {"float32": "float", "float64": "double", "float16": "c10::Half",
                 "bfloat16": "c10::BFloat16", "int64": "long int"}
        raise RuntimeError(f"Input type ({names.get(x.dtype.name, x.dtype.name)}) and bias type "
                           f"({names.get(b.dtype.name, b.dtype.name)}) should be the same")


def _batched(x: Node, rank: int, name: str) -> Node:
    """With a batch dim."""
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to "
                           f"{name}, but got input of size: {list(x.shape)}")
    return alg.unsqueeze(x, 0) if x.ndim == rank + 1 else x


def _record(op: Op, x: Node, w: Node, b: Node | None, at: Window, batched: bool) -> Node:
    out = op(x, w, **at._asdict()) if b is None else BIASED(x, w, b, **at._asdict())
    return out if batched else alg.squeeze(out, (0,))


def _conv(rank: int, input: Node, weight: Node, bias: Node | None, stride: Any, padding: Any,
          dilation: Any, groups: int) -> Node:
    x = _batched(input, rank, f"conv{rank}d")
    space = weight.ndim - 2
    steps = _numbers(stride, space, "stride") if weight.ndim == rank + 2 else ()
    if weight.ndim != rank + 2:
        given = list(_numbers(stride, rank, "stride"))
        raise RuntimeError(f"expected stride to be a single integer value or a list of {space} "
                           f"values to match the convolution dimensions, but got stride={given}")
    spread = _numbers(dilation, rank, "dilation")
    kernel = weight.shape[2:]
    low, high = _ends(padding, rank, kernel, steps, spread)
    at = Window(steps, low, high, (0,) * rank, spread, integer(groups))
    _check(x, weight, bias, at, transposed=False)
    padded = tuple(n + a + b for n, a, b in zip(x.shape[2:], low, high))
    if any(n < d * (k - 1) + 1 for n, d, k in zip(padded, spread, kernel)):
        reach = [d * (k - 1) + 1 for d, k in zip(spread, kernel)]
        raise RuntimeError(f"Calculated padded input size per channel: ({_by(padded)}). Kernel "
                           f"size: ({_by(reach)}). Kernel size can't be greater than actual "
                           "input size")
    _check_dtypes(x, weight, bias)
    return _record(CONVOLVE, x, weight, bias, at, input.ndim == rank + 2)


def _by(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _ends(padding: Any, rank: int, kernel: Shape, stride: Shape, dilation: Shape,
          ) -> tuple[Shape, Shape]:
    """Zeros before and after each spatial dim."""
    if isinstance(padding, str):
        if padding == "valid":
            return (0,) * rank, (0,) * rank
        if padding != "same":
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        if any(s != 1 for s in stride):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for d, k in zip(dilation, kernel)]
        return tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)
    ends = _numbers(padding, rank, "padding")
    if any(n < 0 for n in ends):
        raise RuntimeError("negative padding is not supported")
    return ends, ends


def _conv_transpose(rank: int, input: Node, weight: Node, bias: Node | None, stride: Any,
                    padding: Any, output_padding: Any, groups: int, dilation: Any) -> Node:
    if weight.ndim < 3:
        raise RuntimeError("weight should have at least three dimensions")
    x = _batched(input, rank, f"conv_transpose{rank}d")
    steps = _numbers(stride, rank, "stride")
    pads = _numbers(padding, rank, "padding")
    extra = _numbers(output_padding, rank, "output_padding")
    spread = _numbers(dilation, rank, "dilation")
    if any(n < 0 for n in pads):
        raise RuntimeError("negative padding is not supported")
    reach = [d * (k - 1) for d, k in zip(spread, weight.shape[2:])]
    low = tuple(r - p for r, p in zip(reach, pads))
    high = tuple(r - p + e for r, p, e in zip(reach, pads, extra))
    given = Window(steps, low, high, tuple(s - 1 for s in steps), spread, integer(groups))
    _check(x, weight, bias, given, transposed=True)
    if any(e >= s and e >= d for e, s, d in zip(extra, steps, spread)):
        raise RuntimeError("output padding must be smaller than either stride or dilation, but got "
                           + _named(rank, output_padding=extra, stride=steps, dilation=spread))
    at = given._replace(stride=(1,) * rank)
    size = at.windows(x.shape[2:], weight.shape[2:])
    if any(n <= 0 for n in size):
        raise RuntimeError(f"Given input size per channel: ({_by(x.shape[2:])}). Calculated output "
                           f"size per channel: ({_by(size)}). Output size is too small")
    _check_dtypes(x, weight, bias)
    w = turned(weight, at.groups)
    return _record(CONVOLVE, x, w, bias, at, input.ndim == rank + 2)


def _named(rank: int, **values: Shape) -> str:
    words = ("depth", "height", "width")[-rank:]
    return " ".join(f"{name}_{word}: {n}" for name, numbers in values.items()
                    for word, n in zip(words, numbers))


@public("torch.conv1d", "nn.functional.conv1d")
def conv1d(input: Node, weight: Node, bias: Node | None = None, stride: Any = 1, padding: Any = 0,
           dilation: Any = 1, groups: int = 1) -> Node:
    """Cross-correlation of input (N, C, L) with weight (O, C / groups, K)."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


@public("torch.conv2d", "nn.functional.conv2d")
def conv2d(input: Node, weight: Node, bias: Node | None = None, stride: Any = 1, padding: Any = 0,
           dilation: Any = 1, groups: int = 1) -> Node:
    """Cross-correlation of input (N, C, H, W) with weight (O, C / groups, KH, KW)."""
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


@public("torch.conv3d", "nn.functional.conv3d")
def conv3d(input: Node, weight: Node, bias: Node | None = None, stride: Any = 1, padding: Any = 0,
           dilation: Any = 1, groups: int = 1) -> Node:
    """Cross-correlation of input (N, C, D, H, W) with weight (O, C / groups, KD, KH, KW)."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


@public("torch.conv_transpose1d", "nn.functional.conv_transpose1d")
def conv_transpose1d(input: Node, weight: Node, bias: Node | None = None, stride: Any = 1,
                     padding: Any = 0, output_padding: Any = 0, groups: int = 1,
                     dilation: Any = 1) -> Node:
    """The transposed conv1d (its gradient by the input); weight (C, O / groups, K)."""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)


@public("torch.conv_transpose2d", "nn.functional.conv_transpose2d")
def conv_transpose2d(input: Node, weight: Node, bias: Node | None = None, stride: Any = 1,
                     padding: Any = 0, output_padding: Any = 0, groups: int = 1,
                     dilation: Any = 1) -> Node:
    """The transposed conv2d; weight (C, O / groups, KH, KW)."""
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)


@public("torch.conv_transpose3d", "nn.functional.conv_transpose3d")
def conv_transpose3d(input: Node, weight: Node, bias: Node | None = None, stride: Any = 1,
                     padding: Any = 0, output_padding: Any = 0, groups: int = 1,
                     dilation: Any = 1) -> Node:
    """The transposed conv3d; weight (C, O / groups, KD, KH, KW)."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups,
                           dilation)
