"""torch.stft and torch.istft: Fourier transforms of overlapping frames of a signal, and back.

In: signals (..., length); spectra (..., frequencies, frames). Out: nodes.

    stft(%0 : (40,), n_fft=16, hop_length=4)  ->  r2c(unfold(reflect(%0)) * window) : (9, 11)
"""
from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as alg
from . import known
from . import promotion as pro
from .fft import C2C, C2R, R2C
from .padding import pad
from .table import public


@dataclass(frozen=True, slots=True)
class Frames:
    """How a signal is cut: frame i is the `n_fft` elements from i * hop on."""

    n_fft: int
    hop: int
    width: int                                  # of the window, in the middle of the frame

    @staticmethod
    def of(n_fft: int, hop_length: int | None, win_length: int | None) -> Frames:
        return Frames(n_fft, n_fft // 4 if hop_length is None else hop_length,
                      n_fft if win_length is None else win_length)


def _centred(window: Node, n: int) -> Node:
    """A window of n elements, zero around the given one."""
    rest = n - window.shape[0]
    low = rest // 2
    return alg.pad(window, (low,), (rest - low,)) if rest else window


def _no_window(inverse: bool) -> None:
    advice = ("Please provide the same window used by stft to make the inversion lossless."
              if inverse else
              "which is known to cause spectral leakage. Other windows such as torch.hann_window "
              "or torch.hamming_window are recommended to reduce spectral leakage.")
    end = "." if inverse else ","
    warnings.warn(f"A window was not provided. A rectangular window will be applied{end}{advice}To "
                  "suppress this warning and use a rectangular window, explicitly set "
                  "`window=torch.ones(n_fft, device=<device>)`.", stacklevel=4)


def _kind(*nodes: Node | None) -> dt.dtype:
    return pro.result_type(*[n for n in nodes if n is not None])


def _describe(x: Node) -> str:
    return f"torch.{pro.type_name(x.dtype)}Tensor"


def _is_complex(x: Node | None) -> bool:
    return x is not None and x.dtype.kind == "c"


# ---------------------------------------------------------------- there


@public("torch.stft", "Tensor.stft", out=False)
def stft(input: Node, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
         window: Node | None = None, center: bool = True, pad_mode: str = "reflect",
         normalized: bool = False, onesided: bool | None = None,
         return_complex: bool | None = None, align_to_window: bool | None = None) -> Node:
    """out[..., k, i] = sum_j window[j] * input[..., i * hop + j] * exp(-2 pi i j k / n_fft)."""
    cut = Frames.of(n_fft, hop_length, win_length)
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    x = _reflected(input, n_fft // 2, pad_mode) if center else input
    _check_stft(x, cut, window, f"normalized={int(normalized)}, onesided={_flag(onesided)}, "
                f"return_complex={_flag(return_complex)}, align_to_window="
                f"{_flag(align_to_window)}")
    complex_ = _is_complex(input) or _is_complex(window)
    if return_complex is None and not complex_:
        raise RuntimeError("stft requires the return_complex parameter be given for real inputs, "
                           "and will further require that return_complex=True in a future PyTorch "
                           "release.")
    if onesided and complex_:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if window is None:
        _no_window(inverse=False)
    if align_to_window:
        edge = (n_fft - cut.width) // 2
        x = alg.pad(x, (*(0,) * (x.ndim - 1), edge), (*(0,) * (x.ndim - 1), edge))
    out = _spectra(x, cut, window, normalized, not complex_ if onesided is None else onesided)
    if return_complex is False:
        warnings.warn("stft with return_complex=False is deprecated. In a future pytorch release, "
                      "stft will return complex tensors for all inputs, and return_complex=False "
                      "will raise an error.\nNote: you can still call torch.view_as_real on the "
                      "complex output to recover the old return format.", stacklevel=3)
        return alg.cat([alg.unsqueeze(alg.real(out), out.ndim),
                        alg.unsqueeze(alg.imag(out), out.ndim)], out.ndim)
    return out


def _flag(value: bool | None) -> str:
    return "None" if value is None else str(int(value))


def _reflected(x: Node, edge: int, mode: str) -> Node:
    if x.ndim > 3 or not x.ndim:
        return x
    batch = alg.reshape(x, (1,) * (3 - x.ndim) + x.shape)
    if x.dtype.kind in "fc":
        batch = pad(batch, (edge, edge), mode)
    else:
        batch = alg.pad(batch, (0, 0, edge), (0, 0, edge))      # only its shape is of use
    return alg.reshape(batch, x.shape[:-1] + batch.shape[-1:])


def _check_stft(x: Node, cut: Frames, window: Node | None, rest: str) -> None:
    shape = "None" if window is None else f"{_describe(window)}{{{list(window.shape)}}}"
    start = (f"stft({_describe(x)}{list(x.shape)}, n_fft={cut.n_fft}, hop_length={cut.hop}, "
             f"win_length={cut.width}, window={shape}, {rest}) : ")
    length = x.shape[-1] if x.ndim else 0
    wrong = None
    if x.dtype.kind not in "fc":
        wrong = "expected a tensor of floating point or complex values"
    elif x.ndim not in (1, 2):
        wrong = "expected a 1D or 2D tensor"
    elif not 0 < cut.n_fft <= length:
        wrong = f"expected 0 < n_fft < {length}, but got n_fft={cut.n_fft}"
    elif cut.hop <= 0:
        wrong = f"expected hop_length > 0, but got hop_length={cut.hop}"
    elif not 0 < cut.width <= cut.n_fft:
        wrong = f"expected 0 < win_length <= n_fft, but got win_length={cut.width}"
    elif window is not None and window.shape != (cut.width,):
        wrong = (f"expected a 1D window tensor of size equal to win_length={cut.width}, but got "
                 f"window with size {list(window.shape)}")
    if wrong is not None:
        raise RuntimeError(start + wrong)


def _spectra(x: Node, cut: Frames, window: Node | None, normalized: bool, half: bool) -> Node:
    """(..., length) to (..., frequencies, frames)."""
    kind = _kind(x, window)
    if kind.itemsize == 2:
        raise RuntimeError(f"Unsupported dtype {pro.type_name(kind)}")
    last = x.ndim - 1
    frames = alg.unfold(alg.cast(x, kind), last, cut.n_fft, cut.hop)
    if window is None and cut.width < cut.n_fft:
        window = alg.full((cut.width,), 1, kind)
    if window is not None:
        frames = alg.mul(frames, alg.cast(_centred(window, cut.n_fft), kind))
    scale = 1 / math.sqrt(cut.n_fft) if normalized else 1.0
    dims = (last + 1,)
    out = (R2C(frames, dims=dims, scale=scale) if half else
           C2C(frames, dims=dims, forward=True, scale=scale))
    return alg.transpose(out, last, last + 1)


# ---------------------------------------------------------------- and back


@public("torch.istft", "Tensor.istft", out=False)
def istft(input: Node, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
          window: Node | None = None, center: bool = True, normalized: bool = False,
          onesided: bool | None = None, length: int | None = None,
          return_complex: bool = False) -> Node:
    """The signal whose frames these are: frames are added where they overlap, and divided by the
    sum of the squared windows there (Griffin and Lim, 1984)."""
    cut = Frames.of(n_fft, hop_length, win_length)
    if input.dtype.kind != "c":
        raise RuntimeError("istft requires a complex-valued input tensor matching the output from "
                           "stft with return_complex=True.")
    start = (f"istft(CPU{pro.type_name(input.dtype)}Type{list(input.shape)}, n_fft={n_fft}, "
             f"hop_length={cut.hop}, win_length={cut.width}, window="
             f"{'None' if window is None else _describe(window) + f'{{{list(window.shape)}}}'}, "
             f"center={int(center)}, normalized={int(normalized)}, onesided={_flag(onesided)}, "
             f"length={length}, return_complex={int(return_complex)}) ")
    _check_istft(input, cut, window, onesided, return_complex, start)
    half = (input.shape[-2] != n_fft) if onesided is None else onesided
    if return_complex and half:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if window is None:
        _no_window(inverse=True)
    shape = alg.full((cut.width,), 1, input.dtype.to_real()) if window is None else window
    signal = _overlapped(input, cut, shape, normalized, half, return_complex)
    whole = signal.shape[-1]
    begin = n_fft // 2 if center else 0
    end = begin + length if length is not None else whole - n_fft // 2 if center else whole
    kept = max(min(end, whole) - begin, 0)
    # Computed apart: a node that has a value has no sources to differentiate by.
    weight, apart = (alg.narrow(_squares(shape, cut, input.shape[-1]), 0, begin, kept)
                     for _ in range(2))
    least = float(np.abs(known.array(apart)).min(initial=math.inf))
    if not least > 1e-11:
        raise RuntimeError(f"{start}window overlap add min: 1")
    last = signal.ndim - 1
    out = alg.div(alg.narrow(signal, last, begin, kept), alg.cast(weight, signal.dtype))
    if end > whole:
        warnings.warn("The length of signal is shorter than the length parameter. Result is being "
                      "padded with zeros in the tail. Please check your center and hop_length "
                      "settings.", stacklevel=2)
        out = alg.pad(out, (0,) * out.ndim, (*(0,) * last, end - whole))
    return out


def _check_istft(x: Node, cut: Frames, window: Node | None, onesided: bool | None,
                 return_complex: bool, start: str) -> None:
    if x.ndim not in (2, 3):
        raise RuntimeError(f"{start}: expected a tensor with 2 or 3 dimensions, but got {x.ndim}")
    if not x.size:
        raise RuntimeError(f"{start}: input tensor cannot be empty.")
    if _is_complex(window) and not return_complex:
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    half = (x.shape[-2] != cut.n_fft) if onesided is None else onesided
    expected = cut.n_fft // 2 + 1 if half else cut.n_fft
    wrong = None
    if x.shape[-2] != expected:
        word = "n_fft / 2 + 1 when onesided=True" if half else "n_fft when onesided=False"
        wrong = ("expected the frequency dimension (3rd to the last) of the input tensor to match "
                 f"{word}, but got {x.shape[-2]}")
    elif not 0 < cut.hop <= cut.width:
        wrong = "expected 0 < hop_length <= win_length"
    elif not 0 < cut.width <= cut.n_fft:
        wrong = "expected 0 < win_length <= n_fft"
    elif window is not None and window.shape != (cut.width,):
        wrong = "Invalid window shape. window has to be 1D and length of `win_length`"
    if wrong is not None:
        raise RuntimeError(f"{start}: {wrong}")


def _length(cut: Frames, count: int) -> int:
    """What so many frames cover."""
    return cut.n_fft + cut.hop * (count - 1)


def _squares(window: Node, cut: Frames, count: int) -> Node:
    """The sum of the squared windows of all frames."""
    squares = alg.square(_centred(window, cut.n_fft))
    return alg.fold(alg.expand(squares, (count, cut.n_fft)), 0, _length(cut, count), cut.hop)


def _overlapped(x: Node, cut: Frames, window: Node, normalized: bool, half: bool,
                return_complex: bool) -> Node:
    """The sum of the windowed frames."""
    shape = _centred(window, cut.n_fft)
    last = x.ndim - 1
    frames = alg.transpose(x, last - 1, last)
    scale = (1 / math.sqrt(cut.n_fft)) if normalized else 1 / cut.n_fft
    if return_complex:
        parts = C2C(frames, dims=(last,), forward=False, scale=scale)
    else:
        frames = frames if half else alg.narrow(frames, last, 0, cut.n_fft // 2 + 1)
        parts = C2R(frames, dims=(last,), size=cut.n_fft, scale=scale)
    kind = _kind(parts, shape)
    parts = alg.mul(alg.cast(parts, kind), alg.cast(shape, kind))
    return alg.fold(parts, last - 1, _length(cut, parts.shape[-2]), cut.hop)
