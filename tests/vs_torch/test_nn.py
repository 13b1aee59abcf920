"""Layers against PyTorch: the same weights from the same seed, the same state, the same results."""
from __future__ import annotations

import numpy as np
import pytest

real = pytest.importorskip("torch")

import flambeau as torch  # noqa: E402
from flambeau import nn  # noqa: E402

LAYERS = [
    ("Linear", (3, 2), {}), ("Bilinear", (3, 4, 2), {}), ("Embedding", (5, 3), {"padding_idx": 1}),
    ("EmbeddingBag", (5, 3), {}), ("Conv1d", (2, 4, 3), {"groups": 2}), ("Conv2d", (3, 5, 3), {}),
    ("Conv3d", (2, 3, 2), {"bias": False}), ("ConvTranspose2d", (3, 4, 3), {"stride": 2}),
    ("LayerNorm", ((4, 3),), {}), ("GroupNorm", (2, 4), {}), ("RMSNorm", (4,), {}),
    ("BatchNorm2d", (4,), {}), ("InstanceNorm1d", (4,), {"affine": True}), ("PReLU", (3,), {}),
    ("RNN", (3, 4), {"nonlinearity": "relu"}), ("LSTM", (3, 4, 2), {"bidirectional": True}),
    ("LSTM", (3, 4), {"proj_size": 2}), ("GRU", (3, 4), {"bias": False}), ("LSTMCell", (3, 4), {}),
    ("MultiheadAttention", (8, 2), {"add_bias_kv": True}),
    ("MultiheadAttention", (8, 2), {"kdim": 3, "vdim": 5}),
    ("TransformerEncoderLayer", (8, 2), {"dim_feedforward": 16}),
    ("AdaptiveLogSoftmaxWithLoss", (8, 12, [4, 8]), {"div_value": 2.0}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), LAYERS)
def test_same_seed_same_layer(name, args, kwargs):
    """Names, order, shapes and values of parameters, and what is printed."""
    real.manual_seed(3)
    theirs = getattr(real.nn, name)(*args, **kwargs)
    torch.manual_seed(3)
    ours = getattr(nn, name)(*args, **kwargs)
    want, got = theirs.state_dict(), ours.state_dict()
    assert list(got) == list(want)
    for key in want:
        np.testing.assert_allclose(got[key].numpy(), want[key].numpy(), rtol=2e-6, atol=2e-7)
    assert repr(ours) == repr(theirs)
    assert real.rand(2).tolist() == pytest.approx(torch.rand(2).tolist())


def _copy(theirs, ours):
    """PyTorch's state into our module."""
    ours.load_state_dict({k: torch.from_numpy(v.numpy().copy())
                          for k, v in theirs.state_dict().items()})


def test_state_moves_both_ways():
    def build(m):
        return m.Sequential(m.Conv2d(1, 3, 3), m.BatchNorm2d(3), m.ReLU(), m.Flatten(),
                            m.Linear(12, 2))
    theirs, ours = build(real.nn), build(nn)
    x = np.random.default_rng(0).standard_normal((5, 1, 4, 4)).astype("f4")
    theirs(real.from_numpy(x))
    _copy(theirs, ours)
    theirs.eval()
    ours.eval()
    want = theirs(real.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(torch.from_numpy(x)).detach().numpy(), want, rtol=1e-4,
                               atol=1e-5)
    back = build(real.nn)
    back.load_state_dict({k: real.from_numpy(v.numpy().copy())
                          for k, v in ours.state_dict().items()})
    for a, b in zip(back.state_dict().values(), theirs.state_dict().values()):
        assert real.equal(a, b)


@pytest.mark.parametrize("build", [
    lambda m: m.Sequential(m.Linear(2, 3)),
    lambda m: m.Sequential(m.Linear(3, 2), m.Linear(2, 2)),
    lambda m: m.Sequential(m.BatchNorm1d(3)),
])
def test_load_errors_in_the_same_words(build):
    source = {"0.weight": np.zeros((4, 2), "f4"), "0.bias": np.zeros(4, "f4"),
              "9.weight": np.zeros(1, "f4")}
    with pytest.raises(RuntimeError) as want:
        build(real.nn).load_state_dict({k: real.from_numpy(v) for k, v in source.items()})
    with pytest.raises(RuntimeError) as got:
        build(nn).load_state_dict({k: torch.from_numpy(v) for k, v in source.items()})
    assert str(got.value) == str(want.value)


@pytest.mark.parametrize("mode", ["LSTM", "GRU", "RNN"])
def test_packed_sequences(mode):
    theirs = getattr(real.nn, mode)(3, 4, 2, bidirectional=True)
    ours = getattr(nn, mode)(3, 4, 2, bidirectional=True)
    _copy(theirs, ours)
    x = np.random.default_rng(1).standard_normal((5, 3, 3)).astype("f4")
    lengths = [2, 5, 3]
    results = []
    for m, layer, t in ((real, theirs, real.from_numpy(x)), (torch, ours, torch.from_numpy(x))):
        rnn = m.nn.utils.rnn
        packed = rnn.pack_padded_sequence(t, lengths, enforce_sorted=False)
        out, state = layer(packed)
        padded, sizes = rnn.pad_packed_sequence(out)
        last = state[1] if mode == "LSTM" else state
        results.append((padded.detach().numpy(), sizes.tolist(), last.detach().numpy()))
    (a, sa, ha), (b, sb, hb) = results
    assert sa == sb == lengths
    np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(hb, ha, rtol=1e-4, atol=1e-5)


def test_clipping_agrees():
    g = np.random.default_rng(2).standard_normal((4, 3)).astype("f4") * 10
    norms = []
    for m in (real, torch):
        p = m.nn.Parameter(m.zeros(4, 3))
        p.grad = m.from_numpy(g.copy())
        total = m.nn.utils.clip_grad_norm_([p], 1.5)
        norms.append((float(total), p.grad.numpy().copy()))
    assert norms[0][0] == pytest.approx(norms[1][0], rel=1e-5)
    np.testing.assert_allclose(norms[1][1], norms[0][1], rtol=1e-5)
