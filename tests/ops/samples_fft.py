"""Samples of Fourier transforms."""
from __future__ import annotations

from .samples import C, F, P, S

WHOLE = ("fft", "ifft")
HALVED = ("rfft", "ihfft")
GROWN = ("irfft", "hfft")
NORMS = ("forward", "ortho")


def ways(name: str, *shapes: object) -> list[object]:
    """One transform: plain, cut or padded, along another dim, scaled otherwise; over several."""
    one, two = "fft." + name, "fft." + name + "2"
    rows = [S(one, a) for a in shapes]
    rows += [S(one, shapes[0], 6, 0), S(one, shapes[0], 3),
    *[S(one, shapes[0], norm=n) for n in NORMS]]
    rows += [S(one + "n", a) for a in shapes] + [S(one + "n", shapes[0], (4, 3), norm="ortho")]
    return [*rows, S(two, shapes[0]), S(two, shapes[0], (2, 5))]


SAMPLES = [
    *[row for n in WHOLE for row in ways(n, C(3, 4), F(3, 5))],
    *[row for n in HALVED for row in ways(n, F(3, 4), F(2, 5))],
    *[row for n in GROWN for row in ways(n, C(3, 4), F(3, 4))],
    S("fft.fftshift", F(3, 4)), S("fft.fftshift", C(5), 0), S("fft.ifftshift", F(3, 4), 1),
    S("torch.stft", F(12), 4, 3, 4, P(4), return_complex=True),
    S("torch.stft", F(2, 9), 4, window=P(4), center=False, onesided=False, return_complex=True,
      normalized=True),
    S("torch.stft", C(12), 4, window=P(4), return_complex=True),
    S("torch.istft", C(3, 5), 4, 2, 4, P(4)), S("torch.istft", C(2, 3, 5), 4, window=P(4), length=9,
                                             hop_length=2, normalized=True),
]
