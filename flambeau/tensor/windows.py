"""Windows for spectra (torch.signal.windows, torch.hann_window, ...) and the frequencies of fft.

In: a length and parameters. Out: new tensors of one dim, computed in double precision.

A symmetric window is w(j) for j = 0 .. n-1 with its last point at n-1; a periodic one is the first
n points of the symmetric one of n+1. Formulas: Harris, "On the use of windows for harmonic
analysis with the discrete Fourier transform" (1978); Nuttall (1981).
"""
from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..core.dtype import dtype as DType  # noqa: N812
from .creation import finish, from_array
from .tensor import Tensor

Array = np.ndarray[Any, Any]
Shape = Callable[[Array, int], Array]           # (positions, the last one) -> values


# ---------------------------------------------------------------- shapes


def _cosines(a: Sequence[float]) -> Shape:
    """a0 - a1 cos(t) + a2 cos(2t) - ... with t = 2 pi j / last."""
    def of(j: Array, last: int) -> Array:
        t = 2 * np.pi * j / last
        return sum((-1) ** k * c * np.cos(k * t) for k, c in enumerate(a)) + np.zeros_like(t)
    return of


def _triangle(j: Array, last: int) -> Array:
    return 1 - np.abs(2 * j / last - 1)


def _kaiser(beta: float) -> Shape:
    """I0(beta sqrt(1 - (2j / last - 1)^2)) / I0(beta)."""
    def of(j: Array, last: int) -> Array:
        inside = np.maximum(1 - (2 * j / last - 1) ** 2, 0)
        return np.i0(beta * np.sqrt(inside)) / np.i0(beta)
    return of


def _values(of: Shape, n: int, symmetric: bool) -> Array:
    if n == 1:
        return np.ones(1)
    return of(np.arange(n, dtype=np.float64), n - 1 if symmetric else n)


def _new(values: Array, kind: DType, device: Any, requires_grad: bool) -> Tensor:
    return finish(from_array(values.astype(kind.numpy), kind), bool(requires_grad), device)


# ---------------------------------------------------------------- torch.*_window


def _classic(name: str, of: Shape, n: Any, periodic: bool, dtype: DType | None, layout: Any,
             device: Any, requires_grad: Any) -> Tensor:
    if isinstance(n, (bool, float)) or not hasattr(n, "__index__"):
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not "
                        f"{type(n).__name__}")
    kind = default_dtype() if dtype is None else dtype
    if layout is not None and layout.name != "strided":
        raise RuntimeError(f"{name} is not implemented for sparse types, got: {layout}")
    if kind.kind not in "fc":
        raise RuntimeError(f"{name} expects floating point dtypes, got: {kind}")
    if kind.kind == "c":
        word = "ComplexFloat" if kind is dt.complex64 else "ComplexDouble"
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{word}'")
    n = operator.index(n)
    if n < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={n}")
    return _new(_values(of, n, not periodic), kind, device, requires_grad)


def hann_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None,
                layout: Any = None, device: Any = None, pin_memory: bool = False,
                requires_grad: bool = False) -> Tensor:
    """A raised cosine."""
    return _classic("hann_window", _cosines((0.5, 0.5)), window_length, periodic, dtype, layout,
                    device, requires_grad)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54,
                   beta: float = 0.46, *, dtype: DType | None = None, layout: Any = None,
                   device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
                   ) -> Tensor:
    """alpha - beta * cos: a raised cosine that does not end at 0."""
    return _classic("hamming_window", _cosines((alpha, beta)), window_length, periodic, dtype,
                    layout, device, requires_grad)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None,
                    layout: Any = None, device: Any = None, pin_memory: bool = False,
                    requires_grad: bool = False) -> Tensor:
    """Three terms of a cosine series."""
    return _classic("blackman_window", _cosines((0.42, 0.5, 0.08)), window_length, periodic, dtype,
                    layout, device, requires_grad)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: DType | None = None,
                    layout: Any = None, device: Any = None, pin_memory: bool = False,
                    requires_grad: bool = False) -> Tensor:
    """A triangle."""
    return _classic("bartlett_window", _triangle, window_length, periodic, dtype, layout, device,
                    requires_grad)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *,
                  dtype: DType | None = None, layout: Any = None, device: Any = None,
                  pin_memory: bool = False, requires_grad: bool = False) -> Tensor:
    """Bessel functions; beta says how narrow."""
    return _classic("kaiser_window", _kaiser(beta), window_length, periodic, dtype, layout, device,
                    requires_grad)


# ---------------------------------------------------------------- torch.signal.windows


def _modern(name: str, of: Shape, n: Any, sym: bool, dtype: DType | None, layout: Any, device: Any,
            requires_grad: bool) -> Tensor:
    kind = default_dtype() if dtype is None else dtype
    if n < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={n}")
    if layout is not None and layout.name != "strided":
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if kind not in (dt.float32, dt.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    if isinstance(n, float):
        raise TypeError(f"{name}(): argument 'M' must be int, not float")
    return _new(_values(of, operator.index(n), sym), kind, device, requires_grad)


def bartlett(M: int, *, sym: bool = True, dtype: DType | None = None,  # noqa: N803
             layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """1 - |2j / last - 1|."""
    return _modern("bartlett", _triangle, M, sym, dtype, layout, device, requires_grad)


def blackman(M: int, *, sym: bool = True, dtype: DType | None = None,  # noqa: N803
             layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The Blackman window."""
    return _modern("blackman", _cosines((0.42, 0.5, 0.08)), M, sym, dtype, layout, device,
                   requires_grad)


def cosine(M: int, *, sym: bool = True, dtype: DType | None = None,  # noqa: N803
           layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """sin(pi (j + 1/2) / n)."""
    def of(j: Array, last: int) -> Array:
        return np.sin(np.pi * (j + 0.5) / (last + 1))
    return _modern("cosine", of, M, sym, dtype, layout, device, requires_grad)


def exponential(M: int, *, center: float | None = None, tau: float = 1.0,  # noqa: N803
                sym: bool = True, dtype: DType | None = None, layout: Any = None,
                device: Any = None, requires_grad: bool = False) -> Tensor:
    """exp(-|j - center| / tau); the centre is the middle unless given."""
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def of(j: Array, last: int) -> Array:
        return np.exp(-np.abs(j - (last / 2 if center is None else center)) / tau)
    return _modern("exponential", of, M, sym, dtype, layout, device, requires_grad)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True,  # noqa: N803
             dtype: DType | None = None, layout: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:
    """exp(-((j - last/2) / std)^2 / 2)."""
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def of(j: Array, last: int) -> Array:
        return np.exp(-((j - last / 2) / std) ** 2 / 2)
    return _modern("gaussian", of, M, sym, dtype, layout, device, requires_grad)


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True,  # noqa: N803
                   dtype: DType | None = None, layout: Any = None, device: Any = None,
                   requires_grad: bool = False) -> Tensor:
    """a0 - a1 cos(2 pi j / last) + a2 cos(4 pi j / last) - ..."""
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    coefficients = [float(c) for c in a]
    if not coefficients:
        raise ValueError("Coefficients cannot be empty")
    return _modern("general_cosine", _cosines(coefficients), M, sym, dtype, layout, device,
                   requires_grad)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True,  # noqa: N803
                    dtype: DType | None = None, layout: Any = None, device: Any = None,
                    requires_grad: bool = False) -> Tensor:
    """alpha - (1 - alpha) * cos."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, layout=layout,
                          device=device, requires_grad=requires_grad)


def hamming(M: int, *, sym: bool = True, dtype: DType | None = None,  # noqa: N803
            layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The Hamming window."""
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)


def hann(M: int, *, sym: bool = True, dtype: DType | None = None,  # noqa: N803
         layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The Hann window."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True,  # noqa: N803
           dtype: DType | None = None, layout: Any = None, device: Any = None,
           requires_grad: bool = False) -> Tensor:
    """I0(beta sqrt(1 - (2j / last - 1)^2)) / I0(beta)."""
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _modern("kaiser", _kaiser(beta), M, sym, dtype, layout, device, requires_grad)


def nuttall(M: int, *, sym: bool = True, dtype: DType | None = None,  # noqa: N803
            layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Nuttall's window: four terms of a cosine series."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype,
                          layout=layout, device=device, requires_grad=requires_grad)


# ---------------------------------------------------------------- torch.fft.fftfreq


def _frequencies(name: str, values: Callable[[int], Array], n: Any, d: float, out: Tensor | None,
                 dtype: DType | None, device: Any, requires_grad: bool) -> Tensor:
    if isinstance(n, (bool, float)) or not hasattr(n, "__index__"):
        raise TypeError(f"fft_{name}(): argument 'n' (position 1) must be int, not "
                        f"{type(n).__name__}")
    kind = dtype or (default_dtype() if out is None else out.dtype)
    if kind.kind not in "fc":
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    n = operator.index(n)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    with np.errstate(all="ignore"):
        made = _new(values(n) / (np.float64(n) * d), kind, device, requires_grad)
    return made if out is None else out.resize_(made.shape).copy_(made)


def fftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: DType | None = None,
            layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The frequencies of fft's n results for samples d apart: 0, 1, ..., -2, -1 over n d."""
    def values(n: int) -> Array:
        return np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return _frequencies("fftfreq", values, n, d, out, dtype, device, requires_grad)


def rfftfreq(n: int, d: float = 1.0, *, out: Tensor | None = None, dtype: DType | None = None,
             layout: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The frequencies of rfft's n // 2 + 1 results: 0, 1, ..., n // 2 over n d."""
    return _frequencies("rfftfreq", lambda n: np.arange(n // 2 + 1), n, d, out, dtype, device,
                        requires_grad)
