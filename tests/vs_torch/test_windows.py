"""Windows and frequencies agree with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

import flambeau  # noqa: E402

CLASSIC = ["hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window"]
MODERN = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_hamming", "hamming",
          "hann", "kaiser", "nuttall"]


def same(mine, want):
    assert tuple(mine.shape) == tuple(want.shape)
    assert str(mine.dtype) == str(want.dtype)
    torch.testing.assert_close(torch.tensor(mine.tolist(), dtype=want.dtype), want, equal_nan=True)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", CLASSIC)
def test_classic(name, periodic, n):
    same(getattr(flambeau, name)(n, periodic, dtype=flambeau.float64),
         getattr(torch, name)(n, periodic, dtype=torch.float64))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("name", MODERN)
def test_modern(name, sym, n):
    same(getattr(flambeau.signal.windows, name)(n, sym=sym),
         getattr(torch.signal.windows, name)(n, sym=sym))


def test_parameters():
    ours, theirs = flambeau.signal.windows, torch.signal.windows
    same(ours.gaussian(6, std=0.7), theirs.gaussian(6, std=0.7))
    same(ours.kaiser(6, beta=3.0), theirs.kaiser(6, beta=3.0))
    same(ours.exponential(6, tau=2.0, center=1, sym=False),
         theirs.exponential(6, tau=2.0, center=1, sym=False))
    same(ours.general_cosine(6, a=[0.4, 0.3, 0.2]), theirs.general_cosine(6, a=[0.4, 0.3, 0.2]))
    same(flambeau.hamming_window(6, True, 0.6, 0.3), torch.hamming_window(6, True, 0.6, 0.3))
    same(flambeau.kaiser_window(6, True, 3.0), torch.kaiser_window(6, True, 3.0))
    assert flambeau.hann_window(4, requires_grad=True).requires_grad


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies(n):
    for name in ("fftfreq", "rfftfreq"):
        same(getattr(flambeau.fft, name)(n, 0.5), getattr(torch.fft, name)(n, 0.5))
    out = flambeau.empty(0)
    assert flambeau.fft.fftfreq(n, out=out) is out and out.shape == (n,)


@pytest.mark.parametrize("call", [
    lambda t: t.hann_window(-1), lambda t: t.hann_window(5.0),
    lambda t: t.signal.windows.hann(-1), lambda t: t.signal.windows.kaiser(5, dtype=t.int64),
    lambda t: t.signal.windows.gaussian(5, std=-1),
    lambda t: t.signal.windows.exponential(5, tau=0),
    lambda t: t.signal.windows.exponential(5, center=1.0),
    lambda t: t.signal.windows.kaiser(5, beta=-1),
    lambda t: t.signal.windows.general_cosine(5, a=[]),
    lambda t: t.signal.windows.general_cosine(5, a=1), lambda t: t.fft.fftfreq(5, dtype=t.int64),
    lambda t: t.fft.fftfreq(-1), lambda t: t.fft.rfftfreq(4.5),
])
def test_errors(call):
    with pytest.raises(Exception) as want:  # noqa: PT011 - any, the words are compared
        call(torch)
    with pytest.raises(want.type) as mine:
        call(flambeau)
    assert str(mine.value) == str(want.value)
