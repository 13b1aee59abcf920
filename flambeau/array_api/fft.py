"""The standard's `fft` extension: discrete Fourier transforms.

In: arrays; `n` or `s` are lengths along `axis` or `axes`, to which inputs are cut or padded with
zeros. `norm` says who divides by n: "backward" the inverse, "forward" the other one, "ortho" both
by its root. Out: arrays.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.tensor import Tensor
from ._promotion import need, torch


def _one(name: str, fn: Callable[..., Tensor], doc: str) -> Callable[..., Tensor]:
    """A transform along one axis."""
    def call(x: Tensor, /, *, n: int | None = None, axis: int = -1,
             norm: str = "backward") -> Tensor:
        return fn(need(x, name), n, axis, norm)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return call


def _many(name: str, fn: Callable[..., Tensor], doc: str) -> Callable[..., Tensor]:
    """A transform along several axes."""
    def call(x: Tensor, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
             norm: str = "backward") -> Tensor:
        return fn(need(x, name), s, axes, norm)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return call


fft = _one("fft", torch.fft.fft, "The transform along an axis.")
ifft = _one("ifft", torch.fft.ifft, "The inverse of `fft`.")
fftn = _many("fftn", torch.fft.fftn, "The transform along several axes, or all.")
ifftn = _many("ifftn", torch.fft.ifftn, "The inverse of `fftn`.")
rfft = _one("rfft", torch.fft.rfft, "The transform of real numbers: its first n // 2 + 1 values.")
irfft = _one("irfft", torch.fft.irfft, "The inverse of `rfft`: real numbers.")
rfftn = _many("rfftn", torch.fft.rfftn, "`rfft` along the last axis, `fftn` along the others.")
irfftn = _many("irfftn", torch.fft.irfftn, "The inverse of `rfftn`: real numbers.")
hfft = _one("hfft", torch.fft.hfft, "The transform of a Hermitian signal: real numbers.")
ihfft = _one("ihfft", torch.fft.ihfft, "The inverse of `hfft`.")


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DType | None = None,
            device: Any = None) -> Tensor:
    """The frequencies of the n values of `fft`, for samples d apart."""
    return torch.fft.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DType | None = None,
             device: Any = None) -> Tensor:
    """The frequencies of the n // 2 + 1 values of `rfft`, for samples d apart."""
    return torch.fft.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The zero frequency moved to the middle."""
    return torch.fft.fftshift(need(x, "fftshift"), axes)


def ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of `fftshift`."""
    return torch.fft.ifftshift(need(x, "ifftshift"), axes)


__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfftn", "rfft", "rfftfreq", "rfftn",
]
