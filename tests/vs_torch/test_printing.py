"""`tensor_str` against PyTorch's repr, fed with PyTorch's own tensors."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flambeau.tensor import printing  # noqa: E402

FLOATS = [torch.float32, torch.float32, torch.float64, torch.half, torch.bfloat16]
COMPLEX = [torch.complex64, torch.complex128]
INTEGERS = [
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.uint16,
    torch.uint32,
    torch.uint64,
]


class Sub(torch.Tensor):
    pass


class SubParameter(torch.nn.Parameter):
    pass


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    printing.configure(default_dtype=torch.get_default_dtype, to_numpy=printing._plain_numpy)
    torch.set_printoptions(profile="default")
    printing.set_printoptions(profile="default")
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_printoptions(profile="default")
    printing.set_printoptions(profile="default")
    printing.configure(default_dtype=lambda: "torch.float32")


def text(t: Any) -> str:
    if isinstance(t, torch.nn.Parameter):
        return printing.parameter_str(t)
    return printing.tensor_str(t)


def random_shape(rng: random.Random) -> tuple[int, ...]:
    kind = rng.random()
    if kind < 0.1:
        return ()
    if kind < 0.4:
        return (rng.choice([0, 1, 2, 3, 5, 7, 12, 25, 60, 400, 1001, 2000]),)
    sizes = [0, 1, 2, 3, 4, 6, 7, 8, 15, 15, 50]
    return tuple(rng.choice(sizes) for _ in range(rng.choice([2, 2, 2, 3, 3, 4])))


def random_numbers(rng: random.Random, n: int) -> np.ndarray:
    source = np.random.RandomState(rng.randrange(2**31))
    x = source.randn(n)
    x = rng.choice(
        [
            x,
            np.round(x * 10),
            x * 10.0 ** rng.randint(-12, 12),
            x * 10.0 ** source.randint(-4, 4, n),
            np.round(x * rng.choice([1, 100, 3000, 1e6, 1e9])),
            x * 0,
            np.abs(x),
            np.round(x * 4) / 4,
            np.full(n, rng.choice([math.nan, math.inf, -math.inf])),
        ]
    )
    if n and rng.random() < 0.3:
        for _ in range(3):
            odd = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1e-5, 5e8, 1000.0]
            x[rng.randrange(n)] = rng.choice(odd)
    return x


def random_tensor(rng: random.Random) -> Any:
    shape = random_shape(rng)
    if math.prod(shape) > 50000:
        shape = (3, 2)
    family = rng.choice([FLOATS, FLOATS, COMPLEX, INTEGERS, [torch.bool]])
    dtype = rng.choice(family)
    n = math.prod(shape)
    if family is FLOATS:
        t = torch.from_numpy(random_numbers(rng, n)).to(dtype).reshape(shape)
    elif family is COMPLEX:
        parts = [torch.from_numpy(random_numbers(rng, n)) for _ in range(2)]
        t = torch.complex(*parts).to(dtype).reshape(shape)
    elif family is INTEGERS:
        high = rng.choice([2, 100, 10**4, 2**31, 2**62])
        drawn = np.random.RandomState(rng.randrange(2**31)).randint(-high, high, n)
        t = torch.from_numpy(drawn).to(dtype).reshape(shape)
    else:
        t = torch.from_numpy(np.random.RandomState(rng.randrange(2**31)).rand(n) > 0.5)
        t = t.reshape(shape)
    if t.is_floating_point() or t.is_complex():
        kind = rng.randrange(8)
        if kind == 0:
            t.requires_grad_()
        elif kind == 1:
            t = t.requires_grad_() * 1
        elif kind == 2:
            t = torch.nn.Parameter(t)
    if t.dim() > 1 and rng.random() < 0.2:
        t = t.transpose(0, 1)
    return t


def random_options(rng: random.Random) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "profile": ["default", "short", "full"],
        "precision": [0, 1, 2, 4, 6, 10],
        "threshold": [0, 5, 100, 1000],
        "edgeitems": [0, 1, 2, 3, 4],
        "linewidth": [10, 40, 80, 120],
        "sci_mode": [True, False, None],
    }
    return {key: rng.choice(all_) for key, all_ in choices.items() if rng.random() < 0.4}


@pytest.mark.parametrize("seed", range(4))
def test_random_tensors_with_default_options(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(150):
        t = random_tensor(rng)
        assert text(t) == repr(t)


@pytest.mark.parametrize("seed", range(4))
def test_random_tensors_with_random_options(seed: int) -> None:
    rng = random.Random(100 + seed)
    for _ in range(40):
        options = random_options(rng)
        torch.set_printoptions(**options)
        printing.set_printoptions(**options)
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        torch.set_default_dtype(rng.choice([torch.float32, torch.float64, torch.half]))
        for _ in range(4):
            t = random_tensor(rng)
            assert text(t) == repr(t), options


SPECIAL = {
    "subclass": lambda: torch.tensor([1.0, 2.0]).as_subclass(Sub),
    "wrapped subclass": lambda: torch.arange(30.0).as_subclass(Sub),
    "parameter subclass": lambda: SubParameter(torch.arange(40.0)),
    "empty parameter": lambda: torch.nn.Parameter(torch.empty(0, 4, dtype=torch.half)),
    "meta": lambda: torch.empty(2, 3, device="meta"),
    "meta with dtype": lambda: torch.empty(3, device="meta", dtype=torch.int32),
    "empty bool": lambda: torch.empty(0, dtype=torch.bool),
    "empty complex": lambda: torch.empty(0, 2, dtype=torch.complex64),
    "empty with gradient": lambda: torch.zeros(0, requires_grad=True) * 2,
    "float8": lambda: torch.linspace(-2, 2, 5).to(torch.float8_e4m3fn),
    "conjugate": lambda: torch.tensor([1 + 2j, 3 - 1j]).conj(),
    "negated view": lambda: torch.tensor([1 + 2j, 3 - 1j]).conj().imag,
    "expanded": lambda: torch.tensor(3.0).expand(2, 3),
    "view": lambda: torch.ones(2, 3, requires_grad=True).t(),
    "negative zero": lambda: torch.tensor([-0.0, 0.0]),
    "large": lambda: torch.arange(30000.0).reshape(100, 100, 3),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_tensors(name: str) -> None:
    t = SPECIAL[name]()
    assert text(t) == repr(t)


def test_grad_fn_of_a_python_function() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    t = Double.apply(torch.ones(2, requires_grad=True))
    assert text(t) == repr(t)


def test_view_without_a_derivative() -> None:
    base = torch.ones(3, requires_grad=True) * 1
    view = base.unbind(0)[0]
    base.mul_(2)
    assert text(view) == repr(view)
    assert "grad_fn=<Invalid>" in text(view)


def test_tensor_contents() -> None:
    t = torch.ones(2, dtype=torch.float64)
    assert printing.tensor_str(t, tensor_contents="x") == t.__repr__(tensor_contents="x")


def test_printoptions_restores() -> None:
    printing.set_printoptions(precision=7, sci_mode=True)
    before = printing.get_printoptions()
    with printing.printoptions(precision=1, threshold=3):
        assert printing.get_printoptions()["precision"] == 1
    assert printing.get_printoptions() == before


def test_summary_does_not_format_the_whole() -> None:
    """A summary's widths come from what is shown: the hidden 1e9 must not matter."""
    t = torch.zeros(5000)
    t[2500] = 1e9
    assert text(t) == repr(t) == "tensor([0., 0., 0.,  ..., 0., 0., 0.])"
