"""Recurrent layers against PyTorch: outputs, last states, gradients, gradients of gradients."""
from __future__ import annotations

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")

# T, N, input, hidden, layers, both ways, projection, packed, batch first
CASES = [(5, 3, 4, 6, 1, False, 0, False, False), (4, 3, 4, 6, 2, True, 0, False, True),
         (6, 4, 3, 5, 1, False, 3, False, False), (6, 4, 3, 5, 2, True, 2, True, False),
         (1, 1, 3, 5, 1, False, 0, False, False), (7, 2, 3, 16, 1, True, 0, True, True)]


def layer(lib, mode, case):
    _, _, width, hidden, layers, both, proj, _, first = case
    kwargs = {"num_layers": layers, "bidirectional": both, "batch_first": first}
    if mode == "LSTM":
        kwargs["proj_size"] = proj
    if mode == "RNN_RELU":
        kwargs["nonlinearity"] = "relu"
    made = getattr(lib.nn, mode.split("_")[0])(width, hidden, **kwargs)
    rng = np.random.default_rng(0)
    with lib.no_grad():
        for p in made.parameters():
            p.copy_(lib.from_numpy((rng.standard_normal(tuple(p.shape)) * 0.3).astype("f")))
    return made


def results(lib, mode, case, twice):
    steps, rows, width, hidden, layers, both, proj, packed, first = case
    rng = np.random.default_rng(1)

    def data(*shape):
        return lib.from_numpy(rng.standard_normal(shape).astype("f"))
    net = layer(lib, mode, case)
    x = data(*((rows, steps, width) if first else (steps, rows, width))).requires_grad_()
    count = layers * (1 + both)
    states = [data(count, rows, proj if proj and mode == "LSTM" else hidden).requires_grad_()]
    if mode == "LSTM":
        states.append(data(count, rows, hidden).requires_grad_())
    lengths = [steps - (2 * k) % steps for k in range(rows)]
    pack, pad = lib.nn.utils.rnn.pack_padded_sequence, lib.nn.utils.rnn.pad_packed_sequence
    given = pack(x, lengths, batch_first=first, enforce_sorted=False) if packed else x
    out, last = net(given, tuple(states) if mode == "LSTM" else states[0])
    if packed:
        out = pad(out, batch_first=first)[0]
    last = list(last) if mode == "LSTM" else [last]
    inputs = [x, *states, *net.parameters()]
    loss = (out * data(*out.shape)).sum() + sum((s * s).sum() for s in last)
    slopes = lib.autograd.grad(loss, inputs, create_graph=twice)
    found = [out, *last, *slopes]
    if twice:
        found += lib.autograd.grad(sum((g * g).sum() for g in slopes), inputs)
    return [np.asarray(f.detach().numpy()) for f in found]


def compare(mode, case, twice):
    for got, want in zip(results(flambeau, mode, case, twice), results(torch, mode, case, twice),
                         strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-5 * (1 + np.abs(want).max()))


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("mode", ("RNN_TANH", "RNN_RELU", "LSTM", "GRU"))
def test_values_and_gradients(mode, case):
    compare(mode, case, twice=False)


@pytest.mark.parametrize("mode", ("RNN_TANH", "LSTM", "GRU"))
def test_gradients_of_gradients(mode):
    compare(mode, (3, 2, 2, 3, 1, False, 0, False, False), twice=True)


def test_forward_mode():
    """A directional derivative (PyTorch has none through an LSTM on the CPU)."""
    found = []
    for lib in (flambeau, torch):
        net = layer(lib, "GRU", (4, 2, 3, 5, 1, False, 0, False, False))
        rng = np.random.default_rng(2)
        x, v = (lib.from_numpy(rng.standard_normal((4, 2, 3)).astype("f")) for _ in range(2))
        found.append(lib.func.jvp(lambda x, net=net: net(x)[0], (x,), (v,))[1].detach().numpy())
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ("RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell"))
def test_types_under_autocast(name):
    """Layers and cells give the types that PyTorch's do."""
    found = []
    for lib in (flambeau, torch):
        net = getattr(lib.nn, name)(3, 4)
        x = lib.ones(2, 3) if name.endswith("Cell") else lib.ones(5, 2, 3)
        with lib.autocast("cpu", dtype=lib.bfloat16):
            out = net(x)
        parts = [out] if not isinstance(out, tuple) else [
            t for o in out for t in (o if isinstance(o, tuple) else (o,))]
        found.append([str(t.dtype).rpartition(".")[2] for t in parts])
    assert found[0] == found[1]


def test_no_steps():
    for lib in (flambeau, torch):
        with pytest.raises(RuntimeError, match="sequence length to be larger than 0"):
            lib.nn.GRU(3, 4)(lib.zeros(0, 2, 3))
