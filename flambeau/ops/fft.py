"""torch.fft: discrete Fourier transforms by NumPy, with other transforms as their derivatives.

In: nodes. Out: nodes. Three operations do it all, each without normalisation but for a `scale`:

    C2C   y[k] = scale * sum_j x[j] exp(-+2 pi i j k / n)      complex (or real) to complex
    R2C   the same of a real x, forward, its last dim's first n // 2 + 1 results
    C2R   the inverse of R2C: a real y of `size` elements in the last dim from n // 2 + 1

    rfft(%0 : float32(8))  ->  fft_r2c(%0, dims=(0,), scale=1.0) : complex64(5)
"""
from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtype import dtype
from ..graph import primitive as p
from ..graph.node import Node, Shape
from . import algebra as alg
from . import promotion as pro
from .lapack import host
from .rearranging import roll
from .table import composite, public

Array = np.ndarray[Any, Any]
Dims = tuple[int, ...]
Grads = tuple[Node | None, ...]


# ---------------------------------------------------------------- in NumPy


def _scaled(out: Array, scale: float, kind: Any) -> Array:
    out = out.astype(kind, copy=False)
    return out if scale == 1.0 else out * out.real.dtype.type(scale)


@host("fft_c2c")
def _host_c2c(x: Array, dims: Dims, forward: bool, scale: float) -> tuple[Array]:
    kind = np.result_type(x.dtype, np.complex64)
    out = np.fft.fftn(x, axes=dims) if forward else np.fft.ifftn(x, axes=dims, norm="forward")
    return (_scaled(out, scale, kind),)


@host("fft_r2c")
def _host_r2c(x: Array, dims: Dims, scale: float) -> tuple[Array]:
    kind = np.result_type(x.dtype, np.complex64)
    return (_scaled(np.fft.rfftn(x, axes=dims), scale, kind),)


@host("fft_c2r")
def _host_c2r(x: Array, dims: Dims, size: int, scale: float) -> tuple[Array]:
    sizes = [x.shape[d] for d in dims[:-1]] + [size]
    out = np.fft.irfftn(x, s=sizes, axes=dims, norm="forward")
    return (_scaled(out, scale, x.real.dtype),)


# ---------------------------------------------------------------- as nodes


def _c2c_rule(x: Node, dims: Dims, *_: Any) -> tuple[Shape, dtype]:
    return x.shape, x.dtype.to_complex()


def _r2c_rule(x: Node, dims: Dims, _scale: float) -> tuple[Shape, dtype]:
    last = dims[-1]
    return _with(x.shape, last, x.shape[last] // 2 + 1), x.dtype.to_complex()


def _c2r_rule(x: Node, dims: Dims, size: int, _scale: float) -> tuple[Shape, dtype]:
    return _with(x.shape, dims[-1], size), x.dtype.to_real()


def _with(shape: Shape, dim: int, n: int) -> Shape:
    return shape[:dim] + (n,) + shape[dim + 1:]


def _call(name: str, x: Node, rule: Any, *args: Any) -> Node:
    shape, kind = rule(x, *args)
    return p.HOST(x, name=name, args=args, which=0, shape=shape, dtype=kind)


def _c2c_vjp(g: Node, _out: Node, _x: Node, dims: Dims, forward: bool, scale: float) -> Grads:
    """The adjoint of a transform is the opposite one (of a real x: its real part, by the cast)."""
    return (C2C(g, dims=dims, forward=not forward, scale=scale),)


@composite("fft_c2c", _c2c_rule, ("dims", "forward", "scale"), vjp=_c2c_vjp)
def C2C(x: Node, dims: Dims, forward: bool, scale: float) -> Node:  # noqa: N802 - an Op
    return _call("fft_c2c", x, _c2c_rule, dims, forward, scale)


def _once(x: Node, dim: int, size: int) -> Node:
    """True where a half spectrum holds a frequency of the whole one (of `size`) that has no
    mirror image: at 0 and, for an even size, at the end."""
    k = alg.positions(x, dim)
    once = alg.eq(k, 0)
    return once if size % 2 else alg.or_(once, alg.eq(k, size // 2))


def _r2c_vjp(g: Node, _out: Node, x: Node, dims: Dims, scale: float) -> Grads:
    """Re(F* g) with g zero on the half that is left out: C2R would count that half as well."""
    size = x.shape[dims[-1]]
    halved = alg.where(_once(g, dims[-1], size), g, g * 0.5)
    return (C2R(halved, dims=dims, size=size, scale=scale),)


@composite("fft_r2c", _r2c_rule, ("dims", "scale"), vjp=_r2c_vjp)
def R2C(x: Node, dims: Dims, scale: float) -> Node:  # noqa: N802 - an Op
    return _call("fft_r2c", x, _r2c_rule, dims, scale)


def _c2r_vjp(g: Node, _out: Node, _x: Node, dims: Dims, size: int, scale: float) -> Grads:
    """F g, twice where the frequency stands for its mirror image too."""
    spectrum = R2C(g, dims=dims, scale=scale)
    return (alg.where(_once(spectrum, dims[-1], size), spectrum, spectrum + spectrum),)


@composite("fft_c2r", _c2r_rule, ("dims", "size", "scale"), vjp=_c2r_vjp)
def C2R(x: Node, dims: Dims, size: int, scale: float) -> Node:  # noqa: N802 - an Op
    return _call("fft_c2r", x, _c2r_rule, dims, size, scale)


# ---------------------------------------------------------------- arguments


def scale_of(norm: str | None, count: int, forward: bool) -> float:
    """The factor of a normalisation mode over `count` points."""
    if norm == "ortho":
        return 1 / math.sqrt(count)
    if norm not in (None, "backward", "forward"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return 1 / count if (norm == "forward") == forward else 1.0


def _number(x: Node) -> Node:
    """A float or complex node: integers become the default float."""
    kind = pro.float_type(x.dtype)
    if kind.itemsize == 2:
        raise RuntimeError(f"Unsupported dtype {pro.type_name(kind)}")
    return alg.cast(x, kind)


def _real(name: str, x: Node, words: str = "a real input tensor") -> Node:
    if x.dtype.kind == "c":
        raise RuntimeError(f"{name} expects {words}, but got {pro.type_name(x.dtype)}")
    return _number(x)


def _dim(dim: int, x: Node) -> int:
    if not x.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return pro.wrap_dim(dim, x.ndim)


def _points(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _extent(name: str, n: Any, default: int) -> int:
    if n is None:
        return _points(default)
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"fft_{name}(): argument 'n' must be int, not {type(n).__name__}")
    return _points(operator.index(n))


def _ints(value: Any) -> tuple[int, ...]:
    return tuple(map(operator.index, value)) if hasattr(value, "__iter__") else (
        operator.index(value),)


def _over(x: Node, s: Any, dim: Any) -> tuple[list[int], Dims]:
    """(the extents asked for, the dims) of an n-dimensional transform; -1 keeps an extent."""
    if dim is not None:
        dims = tuple(_dim(d, x) for d in _ints(dim))
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
    if s is None:
        dims = tuple(range(x.ndim)) if dim is None else dims
        return [-1] * len(dims), dims
    sizes = list(_ints(s))
    if dim is None:
        if len(sizes) > x.ndim:
            raise RuntimeError(f"Got shape with {len(sizes)} values but input tensor only has "
                               f"{x.ndim} dimensions.")
        return sizes, tuple(range(x.ndim - len(sizes), x.ndim))
    if len(sizes) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    return sizes, dims


def _resized(x: Node, dims: Sequence[int], sizes: Sequence[int]) -> Node:
    """Cut or padded with zeros at the end of each dim; -1 leaves it."""
    for d, n in zip(dims, sizes):
        if n == -1:
            n = x.shape[d]
        if _points(n) < x.shape[d]:
            x = alg.narrow(x, d, 0, n)
        elif n > x.shape[d]:
            grow = tuple(n - x.shape[d] if k == d else 0 for k in range(x.ndim))
            x = alg.pad(x, (0,) * x.ndim, grow)
    return x


def _count(x: Node, dims: Dims) -> int:
    return math.prod(x.shape[d] for d in dims)


# ---------------------------------------------------------------- complex to complex


def _c2c(x: Node, sizes: Sequence[int], dims: Dims, norm: str | None, forward: bool) -> Node:
    x = _resized(_number(x), dims, sizes)
    scale = scale_of(norm, _count(x, dims), forward)
    if not dims or not x.size:
        return alg.cast(x, x.dtype.to_complex())
    return C2C(x, dims=dims, forward=forward, scale=scale)


@public("fft.fft")
def fft(input: Node, n: int | None = None, dim: int = -1, norm: str | None = None) -> Node:
    """The discrete Fourier transform along `dim`."""
    d = _dim(dim, input)
    return _c2c(input, [_extent("fft", n, input.shape[d])], (d,), norm, True)


@public("fft.ifft")
def ifft(input: Node, n: int | None = None, dim: int = -1, norm: str | None = None) -> Node:
    """The inverse of fft."""
    d = _dim(dim, input)
    return _c2c(input, [_extent("ifft", n, input.shape[d])], (d,), norm, False)


@public("fft.fftn")
def fftn(input: Node, s: Any = None, dim: Any = None, norm: str | None = None) -> Node:
    """The discrete Fourier transform along several dims."""
    return _c2c(input, *_over(input, s, dim), norm, True)


@public("fft.ifftn")
def ifftn(input: Node, s: Any = None, dim: Any = None, norm: str | None = None) -> Node:
    """The inverse of fftn."""
    return _c2c(input, *_over(input, s, dim), norm, False)


@public("fft.fft2")
def fft2(input: Node, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Node:
    """The Fourier transform along the last two dims."""
    return fftn(input, s, dim, norm)


@public("fft.ifft2")
def ifft2(input: Node, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Node:
    """The inverse of fft2."""
    return ifftn(input, s, dim, norm)


# ---------------------------------------------------------------- real to half a spectrum


def _r2c(x: Node, sizes: Sequence[int], dims: Dims, norm: str | None, forward: bool) -> Node:
    """The forward transform; the inverse one of real numbers is its conjugate."""
    x = _resized(x, dims, sizes)
    scale = scale_of(norm, _count(x, dims), forward)
    if not x.size:
        return alg.full(_r2c_rule(x, dims, scale)[0], 0, x.dtype.to_complex())
    out = R2C(x, dims=dims, scale=scale)
    return out if forward else alg.conj(out)


def _some(name: str, dims: Dims) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


@public("fft.rfft")
def rfft(input: Node, n: int | None = None, dim: int = -1, norm: str | None = None) -> Node:
    """The transform of real numbers along `dim`: n // 2 + 1 of its terms."""
    x, d = _real("rfft", input), _dim(dim, input)
    return _r2c(x, [_extent("rfft", n, x.shape[d])], (d,), norm, True)


@public("fft.ihfft")
def ihfft(input: Node, n: int | None = None, dim: int = -1, norm: str | None = None) -> Node:
    """Half of the inverse transform of real numbers (whose whole is Hermitian)."""
    x, d = _real("ihfft", input), _dim(dim, input)
    return _r2c(x, [_extent("ihfft", n, x.shape[d])], (d,), norm, False)


@public("fft.rfftn")
def rfftn(input: Node, s: Any = None, dim: Any = None, norm: str | None = None) -> Node:
    """The transform of real numbers along several dims; half of the last one."""
    x = _real("rfftn", input, "a real-valued input tensor")
    sizes, dims = _over(x, s, dim)
    _some("rfftn", dims)
    return _r2c(x, sizes, dims, norm, True)


@public("fft.ihfftn")
def ihfftn(input: Node, s: Any = None, dim: Any = None, norm: str | None = None) -> Node:
    """The inverse of hfftn."""
    if input.dtype.kind == "c":
        raise RuntimeError("Only supports floating-point dtypes, but found: "
                           f"{pro.type_name(input.dtype)}")
    x = _number(input)
    sizes, dims = _over(x, s, dim)
    _some("ihfftn", dims)
    return _r2c(x, sizes, dims, norm, False)


@public("fft.rfft2")
def rfft2(input: Node, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Node:
    """The transform of real numbers along the last two dims."""
    return rfftn(input, s, dim, norm)


@public("fft.ihfft2")
def ihfft2(input: Node, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Node:
    """The inverse of hfft2."""
    return ihfftn(input, s, dim, norm)


# ---------------------------------------------------------------- half a spectrum to real


def _c2r(x: Node, sizes: Sequence[int], dims: Dims, norm: str | None, forward: bool) -> Node:
    """The inverse transform; the forward one is that of the conjugate. `sizes` are the result's."""
    x = _number(x)
    last = dims[-1]
    size = sizes[-1] if sizes[-1] != -1 else 2 * (x.shape[last] - 1)
    x = _resized(x, dims, [*sizes[:-1], _points(size) // 2 + 1])
    scale = scale_of(norm, _count(x, dims[:-1]) * size, forward)
    if not x.size:
        return alg.full(_with(x.shape, last, size), 0, x.dtype.to_real())
    return C2R(alg.conj(x) if forward else x, dims=dims, size=size, scale=scale)


@public("fft.irfft")
def irfft(input: Node, n: int | None = None, dim: int = -1, norm: str | None = None) -> Node:
    """The inverse of rfft: n real numbers."""
    d = _dim(dim, input)
    return _c2r(input, [_extent("irfft", n, 2 * (input.shape[d] - 1))], (d,), norm, False)


@public("fft.hfft")
def hfft(input: Node, n: int | None = None, dim: int = -1, norm: str | None = None) -> Node:
    """The transform of a Hermitian signal given by its first half."""
    d = _dim(dim, input)
    return _c2r(input, [_extent("hfft", n, 2 * (input.shape[d] - 1))], (d,), norm, True)


@public("fft.irfftn")
def irfftn(input: Node, s: Any = None, dim: Any = None, norm: str | None = None) -> Node:
    """The inverse of rfftn."""
    sizes, dims = _over(input, s, dim)
    _some("irfftn", dims)
    return _c2r(input, sizes, dims, norm, False)


@public("fft.hfftn")
def hfftn(input: Node, s: Any = None, dim: Any = None, norm: str | None = None) -> Node:
    """The transform of a signal with Hermitian symmetry: real numbers."""
    sizes, dims = _over(input, s, dim)
    _some("hfftn", dims)
    return _c2r(input, sizes, dims, norm, True)


@public("fft.irfft2")
def irfft2(input: Node, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Node:
    """The inverse of rfft2."""
    return irfftn(input, s, dim, norm)


@public("fft.hfft2")
def hfft2(input: Node, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Node:
    """The transform of a signal with Hermitian symmetry along two dims."""
    return hfftn(input, s, dim, norm)


# ---------------------------------------------------------------- order of frequencies


@public("fft.fftshift")
def fftshift(input: Node, dim: Any = None) -> Node:
    """Frequency zero from the start to the middle."""
    dims = _shifted(input, dim)
    return roll(input, [input.shape[d] // 2 for d in dims], dims) if dims else input


@public("fft.ifftshift")
def ifftshift(input: Node, dim: Any = None) -> Node:
    """Frequency zero from the middle to the start."""
    dims = _shifted(input, dim)
    return roll(input, [(input.shape[d] + 1) // 2 for d in dims], dims) if dims else input


def _shifted(x: Node, dim: Any) -> Dims:
    if not x.ndim:
        raise RuntimeError("`shifts` required")
    return tuple(range(x.ndim)) if dim is None else tuple(
        pro.wrap_dim(d, x.ndim) for d in _ints(dim))
