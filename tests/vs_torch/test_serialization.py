"""Files go both ways between PyTorch and flambeau, bit for bit."""

from __future__ import annotations

import io
import random
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

KINDS = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
         "float16", "bfloat16", "float32", "float64", "complex64", "complex128"]


def state(seed: int, kinds: list[str] = KINDS) -> OrderedDict[str, Any]:
    """A random state dict of PyTorch's: views, strides, shared storages, odd values."""
    rng = random.Random(seed)
    made: OrderedDict[str, Any] = OrderedDict()
    for i in range(rng.randrange(1, 8)):
        shape = tuple(rng.randrange(0 if rng.random() < 0.1 else 1, 5)
                      for _ in range(rng.randrange(4)))
        kind = getattr(torch, rng.choice(kinds))
        raw = np.random.default_rng(seed * 99 + i).integers(0, 256, int(np.prod(shape)) * 16 + 16)
        flat = torch.from_numpy(raw.astype(np.uint8))
        if kind is torch.bool:
            flat = flat % 2
        x = flat.view(kind)[:int(np.prod(shape))].reshape(shape).clone()
        if x.ndim > 1 and rng.random() < 0.5:
            x = x.transpose(0, -1)
        if x.ndim and x.shape[0] > 1 and rng.random() < 0.5:
            made[f"view{i}"] = x[1:]
        made[f"layer.{i}.weight"] = x
        if x.is_floating_point() and rng.random() < 0.3:
            made[f"p{i}"] = torch.nn.Parameter(x.clone(), requires_grad=rng.random() < 0.5)
    made["step"] = seed
    made["extra"] = {"lr": rng.random(), "names": ["a", None, True], "size": torch.Size([1, 2])}
    return made


def bits(t: Any) -> Any:
    """Type, shape, strides, offset and the bytes of a tensor of either module."""
    data = t.detach()
    return (str(data.dtype), tuple(data.shape), data.stride(), data.storage_offset(),
            bytes(data.untyped_storage().tolist()), t.requires_grad)


def same(a: Any, b: Any) -> None:
    assert list(a) == list(b)
    for key in a:
        if hasattr(a[key], "storage_offset"):
            assert bits(a[key]) == bits(b[key]), key
        elif isinstance(a[key], dict):
            assert str(a[key]) == str(b[key])
        else:
            assert a[key] == b[key]


def through(module: Any, obj: Any, to: Any, **how: Any) -> Any:
    file = io.BytesIO()
    module.save(obj, file, **how)
    file.seek(0)
    return to.load(file)


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_go_round(zipped: bool) -> None:
    how = {"_use_new_zipfile_serialization": zipped}
    # PyTorch itself cannot read the wide unsigned types back from the old format.
    kinds = KINDS if zipped else [k for k in KINDS if k not in ("uint16", "uint32", "uint64")]
    for seed in range(100):
        theirs = state(seed, kinds)
        ours = through(torch, theirs, flambeau, **how)
        same(theirs, ours)
        back = through(flambeau, ours, torch, **how)
        same(theirs, back)
        assert [type(v).__name__ for v in back.values()] == [
            type(v).__name__ for v in theirs.values()]


def test_whole_modules_go_both_ways() -> None:
    def net(t: Any) -> Any:
        return t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.BatchNorm2d(2), t.nn.ReLU(),
                               t.nn.Flatten(), t.nn.Linear(2, 3), t.nn.Embedding(3, 2))

    for source, target in ((torch, flambeau), (flambeau, torch)):
        file = io.BytesIO()
        made = net(source)
        source.save(made, file)
        file.seek(0)
        got = target.load(file, weights_only=False)
        assert type(got[0]) is target.nn.Conv2d
        for (a, x), (b, y) in zip(made.state_dict().items(), got.state_dict().items(),
                                  strict=True):
            assert a == b
            assert bits(x) == bits(y)


def test_optimizer_states_go_both_ways() -> None:
    for source, target in ((torch, flambeau), (flambeau, torch)):
        p = source.nn.Parameter(source.ones(3))
        opt = source.optim.Adam([p], lr=0.1)
        (p * p).sum().backward()
        opt.step()
        got = through(source, opt.state_dict(), target)
        q = target.nn.Parameter(target.ones(3))
        other = target.optim.Adam([q], lr=0.5)
        other.load_state_dict(got)
        assert other.param_groups[0]["lr"] == 0.1
        assert other.state[q]["exp_avg"].tolist() == opt.state[p]["exp_avg"].tolist()


@pytest.mark.parametrize("make", [
    lambda t: t.nn.ReLU, lambda t: t.nn.Linear(1, 1), lambda t: slice(1, 2),
    lambda t: frozenset([1]), lambda t: np.float64(1), lambda t: print])
def test_what_is_refused_and_how(make: Any) -> None:
    texts = []
    for module in (torch, flambeau):
        with pytest.raises(Exception, match="Weights only load failed") as caught:
            through(module, make(module), module)
        assert type(caught.value).__name__ == "UnpicklingError"
        texts.append(str(caught.value).partition("Unsupported global: ")[2].splitlines()[0])
    assert texts[0] == texts[1]


def test_shared_storages_stay_shared() -> None:
    x = torch.arange(6.0)
    a, b = through(torch, [x, x[2:]], flambeau)
    a[2] = 9
    assert b[0].item() == 9
    y = flambeau.arange(6.0)
    c, d = through(flambeau, [y, y[2:]], torch)
    c[2] = 9
    assert d[0].item() == 9


def test_pickle_without_save() -> None:
    """What PyTorch's `pickle.dumps` of a module writes inside `torch.save` files of old."""
    file = io.BytesIO()
    torch.save({"m": torch.nn.Linear(2, 1)}, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert type(flambeau.load(file, weights_only=False)["m"]) is flambeau.nn.Linear
