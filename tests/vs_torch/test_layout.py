"""Layout arithmetic agrees with PyTorch's strides on random chains of views."""
import random

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

from flambeau.core import layout as lay  # noqa: E402


def _factor(rng, total):
    parts = []
    while total > 1 and rng.random() < 0.7:
        f = rng.choice([x for x in range(1, total + 1) if total % x == 0])
        parts.append(f)
        total //= f
    parts.append(total)
    rng.shuffle(parts)
    return tuple(parts)


def _step(rng, t, at):
    """One random view of both; None when PyTorch refuses it (then we must too)."""
    kind = rng.choice("permute expand slice select diagonal unfold squeeze unsqueeze view".split())
    if kind == "permute":
        dims = rng.sample(range(t.ndim), t.ndim)
        return t.permute(dims), at.permute(tuple(dims))
    if kind == "expand":
        to = (2,) * rng.randint(0, 1) + tuple(rng.choice([3, 1]) if n == 1 else n for n in t.shape)
        return t.expand(to), at.expand(to)
    if kind == "squeeze":
        return t.squeeze(), at.squeeze(range(at.ndim))
    if kind == "unsqueeze":
        d = rng.randint(0, t.ndim)
        return t.unsqueeze(d), at.unsqueeze(d)
    if kind == "view" and t.numel():
        to = _factor(rng, t.numel())
        try:
            viewed = t.view(to)
        except RuntimeError:
            assert at.reshape(to) is None
            return None
        return viewed, at.reshape(to)
    if t.ndim == 0 or 0 in t.shape:
        return None
    if kind == "diagonal" and t.ndim > 1:
        d1, d2 = rng.sample(range(t.ndim), 2)
        k = rng.randint(-3, 3)
        return t.diagonal(k, d1, d2), at.diagonal(k, d1, d2)
    d = rng.randrange(t.ndim)
    if kind == "slice":
        start, step = rng.randint(-4, t.shape[d]), rng.randint(1, 3)
        first, count = lay.slice_range(t.shape[d], start, None, step)
        return torch.ops.aten.slice(t, d, start, None, step), at.narrow(d, first, count, step)
    if kind == "select":
        i = rng.randrange(t.shape[d])
        return t.select(d, i), at.select(d, i)
    if kind == "unfold":
        size, step = rng.randint(1, t.shape[d]), rng.randint(1, 3)
        return t.unfold(d, size, step), at.unfold(d, size, step)
    return None


@pytest.mark.parametrize("seed", range(20))
def test_chains_of_views(seed):
    rng = random.Random(seed)
    for _ in range(150):
        shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(0, 4)))
        t, at = torch.zeros(shape), lay.contiguous(shape)
        for _ in range(4):
            after = _step(rng, t, at)
            if after is None:
                continue
            t, at = after
            assert tuple(t.shape) == at.shape
            assert t.stride() == at.stride
            assert t.storage_offset() == at.offset
            assert t.is_contiguous() == at.is_contiguous
            assert torch.empty_like(t).stride() == lay.preserved(at).stride
            if t.ndim == 4:
                last = t.is_contiguous(memory_format=torch.channels_last)
                assert last == at.is_channels_last


def test_errors():
    with pytest.raises(RuntimeError, match=r"shape '\[2, 3\]' is invalid for input of size 5"):
        lay.infer_shape((2, 3), 5)
    with pytest.raises(IndexError, match=r"expected to be in range of \[-2, 1\], but got 2"):
        lay.wrap_dim(2, 2)
    with pytest.raises(RuntimeError, match="out of bounds for storage"):
        lay.check_strided((2, 3), (3, 1), 1, 6)
    assert lay.contiguous((2, 3)).may_overlap_itself is False
    assert lay.Layout((2, 3), (1, 1), 0).may_overlap_itself
