"""stft and istft agree with PyTorch: values, gradients, errors."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

from flambeau.ops import spectrogram as ours  # noqa: E402

from .nodes import check, leaf, raises_alike  # noqa: E402

W = torch.hann_window(16, dtype=torch.float64)
DOUBLE = torch.float64


@pytest.mark.parametrize("shape", [(40,), (2, 40)])
@pytest.mark.parametrize("kw", [
    {}, {"window": W}, {"hop_length": 3, "window": W, "normalized": True}, {"center": False},
    {"win_length": 8, "window": W[:8]}, {"win_length": 7}, {"onesided": False, "window": W},
    {"pad_mode": "constant"}, {"center": False, "win_length": 8, "align_to_window": True},
    {"center": False, "win_length": 8, "align_to_window": False}, {"window": W + 1j * W},
])
def test_stft(shape, kw):
    check(ours.stft, torch.stft, leaf(*shape), 16, return_complex=True, tol=1e-9, **kw)


def test_stft_of_complex_and_in_parts():
    x = leaf(2, 40, dtype=torch.complex128)
    check(ours.stft, torch.stft, x, 16, 4, tol=1e-9)
    check(ours.stft, torch.stft, leaf(40), 16, 4, window=W, return_complex=False, tol=1e-9)


@pytest.mark.parametrize("kw", [
    {"window": W}, {"window": W, "length": 40}, {"window": W, "length": 60}, {"length": 10},
    {"normalized": True}, {"hop_length": 3, "window": W}, {"win_length": 9, "window": W[3:12]},
    {"center": False},
])
def test_istft(kw):
    z = torch.stft(torch.randn(2, 40, dtype=DOUBLE), 16, hop_length=kw.get("hop_length"),
                   return_complex=True).requires_grad_()
    check(ours.istft, torch.istft, z, 16, tol=1e-9, **kw)


def test_istft_of_whole_spectra():
    z = torch.stft(torch.randn(2, 40, dtype=torch.complex128), 16, onesided=False).requires_grad_()
    check(ours.istft, torch.istft, z, 16, onesided=False, return_complex=True, tol=1e-9)
    check(ours.istft, torch.istft, z, 16, onesided=False, tol=1e-9)


X = torch.randn(2, 40)
Z = torch.stft(X, 16, window=torch.ones(16), return_complex=True)


@pytest.mark.parametrize("args,kw", [
    ((16,), {}), ((16,), {"return_complex": True, "window": W[:8].float()}),
    ((16, 0), {"return_complex": True}), ((0,), {"return_complex": True}),
    ((16, 4, 20), {"return_complex": True}), ((16, 4, 0), {"return_complex": True}),
    ((50,), {"return_complex": True, "center": False}), ((100,), {"return_complex": True}),
    ((16,), {"return_complex": True, "pad_mode": "z"}),
    ((16,), {"return_complex": True, "align_to_window": True}),
    ((16,), {"return_complex": True, "onesided": True, "window": W + 0j}),
])
def test_stft_errors(args, kw):
    mine, want = raises_alike(ours.stft, torch.stft, X, *args, **kw)
    assert mine == want


@pytest.mark.parametrize("x,args,kw", [
    (X, (16,), {}), (Z, (18,), {}), (Z, (16, 20), {}), (Z, (16, 4, 20), {}),
    (Z, (16,), {"window": W[:5].float()}), (Z, (16,), {"onesided": False}),
    (Z, (16,), {"return_complex": True}), (Z[:, :, :0], (16,), {}), (Z, (0,), {}),
    (Z, (16,), {"window": W + 0j}),
])
def test_istft_errors(x, args, kw):
    mine, want = raises_alike(ours.istft, torch.istft, x, *args, **kw)
    assert mine == want


def test_istft_needs_windows_that_overlap():
    mine, want = raises_alike(ours.istft, torch.istft, Z, 16, window=torch.zeros(16))
    assert mine.split(" : ")[0][:40] == want[:40]
    assert "window overlap add min" in mine
