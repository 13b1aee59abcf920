"""`out=` of another dtype: cast where PyTorch casts, refused where it refuses."""
import pytest

import flambeau as torch

X = torch.ones(2, 2)


@pytest.mark.parametrize("call", [
    lambda out: torch.gather(X, 1, torch.zeros(2, 2).long(), out=out),
    lambda out: torch.mm(X, X, out=out), lambda out: torch.softmax(X, 0, out=out),
    lambda out: torch.abs(X, out=out),
])
def test_refused(call):
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype float, but got "
                                           "double instead"):
        call(torch.zeros(2, 2, dtype=torch.float64))
    assert call(torch.zeros(2, 2)).shape == (2, 2)


@pytest.mark.parametrize("call", [
    lambda out: torch.add(X, 1, out=out), lambda out: torch.exp(X, out=out),
    lambda out: torch.cat([X[:1], X[1:]], out=out), lambda out: torch.cumsum(X, 0, out=out),
])
def test_cast(call):
    out = torch.zeros(2, 2, dtype=torch.float64)
    assert call(out) is out
    assert out.dtype is torch.float64 and out.sum() > 0
