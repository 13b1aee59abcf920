"""The random engine against PyTorch's CPU generator: values, and the state after each call."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from flambeau.runtime import sampling  # noqa: E402
from flambeau.runtime.random import MT19937  # noqa: E402
from flambeau.runtime.transforms import shuffle  # noqa: E402

NUMPY = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
    torch.float16: np.dtype(np.float16),
    torch.bfloat16: np.dtype(ml_dtypes.bfloat16),
    torch.int64: np.dtype(np.int64),
    torch.int32: np.dtype(np.int32),
    torch.int16: np.dtype(np.int16),
    torch.int8: np.dtype(np.int8),
    torch.uint8: np.dtype(np.uint8),
    torch.uint16: np.dtype(np.uint16),
    torch.uint32: np.dtype(np.uint32),
    torch.uint64: np.dtype(np.uint64),
    torch.bool: np.dtype(np.bool_),
}
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
SIZES = [0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 100, 1000, 40000]
# Relative distance allowed where log, cos and tan are approximated differently.
ROUNDING = {
    torch.float32: 1e-6,
    torch.float64: 1e-13,
    torch.float16: 2e-3,
    torch.bfloat16: 1.6e-2,
}


def array(t: Any) -> np.ndarray:
    if t.dtype == torch.bfloat16:
        return t.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return t.numpy()


def empty(n: Any, dtype: Any) -> np.ndarray:
    return np.empty(n, NUMPY[dtype])


class Pair:
    """PyTorch's generator and ours at the same seed."""

    def __init__(self, seed: int) -> None:
        self.theirs = torch.Generator().manual_seed(seed)
        self.ours = MT19937(seed)

    def same_state(self) -> None:
        theirs = self.theirs.get_state().numpy().copy()
        ours = self.ours.get_state()
        # A waiting normal may differ in its last bit; all else may not.
        waiting = slice(5024, 5032)
        np.testing.assert_allclose(
            ours[waiting].view(np.float64), theirs[waiting].view(np.float64), rtol=1e-13
        )
        ours[waiting] = theirs[waiting]
        assert np.array_equal(ours, theirs)

    def equal(self, theirs: Any, ours: np.ndarray) -> None:
        expected = array(theirs)
        assert ours.dtype == expected.dtype
        assert ours.shape == expected.shape
        assert np.array_equal(ours, expected)
        self.same_state()

    def close(self, theirs: Any, ours: np.ndarray) -> None:
        expected = array(theirs).astype(np.float64)
        rtol = ROUNDING[theirs.dtype]
        np.testing.assert_allclose(ours.astype(np.float64), expected, rtol=rtol, atol=rtol)
        self.same_state()


# seeds and states


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32, 2**40 + 7, 2**63, 2**64 - 1, -1, -(2**63)])
def test_seed(seed: int) -> None:
    pair = Pair(seed)
    assert pair.ours.initial_seed() == pair.theirs.initial_seed()
    pair.same_state()
    pair.equal(torch.rand(5, generator=pair.theirs), pair.ours.uniform(empty(5, torch.float32)))


def test_default_seed() -> None:
    assert MT19937().initial_seed() == torch.Generator().initial_seed()


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(ValueError, match="Overflow"):
        MT19937(seed)


def test_nondeterministic_seed() -> None:
    engine = MT19937(0)
    first = engine.seed()
    assert engine.initial_seed() == first
    assert engine.seed() != first


@pytest.mark.parametrize("drawn", [0, 1, 3, 623, 624, 625, 5000])
def test_states_are_exchanged(drawn: int) -> None:
    theirs = torch.Generator().manual_seed(3)
    torch.rand(drawn, generator=theirs)
    torch.randn(3, generator=theirs)
    ours = MT19937()
    ours.set_state(theirs.get_state().numpy())
    assert ours.initial_seed() == 3
    expected = torch.randn(5, generator=theirs)
    np.testing.assert_allclose(ours.normal(empty(5, torch.float32)), expected.numpy(), rtol=1e-6)
    theirs.set_state(torch.from_numpy(ours.get_state()))
    expected = torch.randint(0, 100, (700,), generator=theirs)
    assert np.array_equal(ours.integers(empty(700, torch.int64), 0, 100), expected.numpy())


def test_bad_states() -> None:
    engine = MT19937()
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        engine.set_state(np.zeros(5056, np.uint8))
    with pytest.raises(
        RuntimeError, match="of size 5056 but found the input RNG state size to be 9"
    ):
        engine.set_state(np.zeros(9, np.uint8))
    with pytest.raises(TypeError, match="ByteTensor"):
        engine.set_state(np.zeros(5056, np.float32))


# uniform and normal


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "bounds", [(0, 1), (-1, 1), (0.1, 5.3), (-0.3, 0.7), (1, 1.000001), (2, 2)]
)
def test_uniform(dtype: Any, bounds: tuple[float, float]) -> None:
    pair = Pair(11)
    for n in SIZES:
        expected = torch.empty(n, dtype=dtype).uniform_(*bounds, generator=pair.theirs)
        pair.equal(expected, pair.ours.uniform(empty(n, dtype), *bounds))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("parameters", [(0, 1), (2, 3), (-1.5, 0.1), (5, 0)])
def test_normal(dtype: Any, parameters: tuple[float, float]) -> None:
    pair = Pair(12)
    for n in SIZES:
        expected = torch.empty(n, dtype=dtype).normal_(*parameters, generator=pair.theirs)
        pair.close(expected, pair.ours.normal(empty(n, dtype), *parameters))


@pytest.mark.parametrize("n", [5, 100])
@pytest.mark.parametrize("arrays", ["mean", "std", "both"])
def test_normal_of_tensors(n: int, arrays: str) -> None:
    pair = Pair(13)
    mean = torch.linspace(-3, 3, n) if arrays != "std" else 2.0
    std = torch.linspace(0.1, 4, n) if arrays != "mean" else 0.5
    ours = [p.numpy() if torch.is_tensor(p) else p for p in (mean, std)]
    expected = torch.normal(mean, std, generator=pair.theirs)
    result = pair.ours.normal(empty(n, torch.float32), *ours)
    np.testing.assert_allclose(result, expected.numpy(), rtol=1e-6, atol=4e-6)
    pair.same_state()


def test_normals_of_two_dimensions() -> None:
    pair = Pair(14)
    expected = torch.randn(5, 7, generator=pair.theirs)
    pair.close(expected, pair.ours.normal(empty((5, 7), torch.float32)))


# integers

RANGES = [
    (torch.int64, 0, 10),
    (torch.int64, -7, 1000),
    (torch.int64, 0, 2**28 - 1),
    (torch.int64, 0, 2**28),
    (torch.int64, -(2**40), 2**41),
    (torch.int64, -(2**63), 2**63 - 1),
    (torch.int32, -(2**31), 2**31 - 1),
    (torch.int16, -300, 300),
    (torch.int8, -128, 127),
    (torch.uint8, 0, 256),
    (torch.uint16, 3, 60000),
    (torch.uint32, 0, 2**31),
    (torch.uint64, 0, 2**62),
    (torch.bool, 0, 2),
    (torch.float32, -5, 2**24),
    (torch.float64, 0, 2**53),
    (torch.float16, -20, 20),
    (torch.bfloat16, 0, 256),
]


@pytest.mark.parametrize(("dtype", "low", "high"), RANGES)
def test_integers(dtype: Any, low: int, high: int) -> None:
    pair = Pair(21)
    for n in SIZES:
        expected = torch.empty(n, dtype=dtype).random_(low, high, generator=pair.theirs)
        pair.equal(expected, pair.ours.integers(empty(n, dtype), low, high))


@pytest.mark.parametrize(
    "dtype", [d for d in NUMPY if d not in (torch.uint16, torch.uint32, torch.uint64)]
)
def test_random_without_bounds(dtype: Any) -> None:
    pair = Pair(22)
    for n in SIZES:
        expected = torch.empty(n, dtype=dtype).random_(generator=pair.theirs)
        pair.equal(expected, pair.ours.random_(empty(n, dtype)))


@pytest.mark.filterwarnings("ignore:.*out of bounds")
@pytest.mark.parametrize(
    ("dtype", "low"),
    [
        (torch.int64, 0),
        (torch.int64, 5),
        (torch.int64, -(2**63)),
        (torch.int64, -3),
        (torch.int32, -5),
        (torch.uint8, 7),
        (torch.int8, -128),
        (torch.float32, -5),
        (torch.float64, 1),
        (torch.float64, -(2**63)),
        (torch.float16, -5),
    ],
)
def test_random_up_to_the_largest(dtype: Any, low: int) -> None:
    pair = Pair(23)
    expected = torch.empty(500, dtype=dtype).random_(low, None, generator=pair.theirs)
    pair.equal(expected, pair.ours.random_(empty(500, dtype), low, None))


@pytest.mark.parametrize(
    "n", [0, 1, 2, 3, 10, 255, 256, 257, 1000, 499, 500, 501, 30000, 300001]
)
def test_permutation(n: int) -> None:
    for seed in range(5):
        pair = Pair(seed)
        expected = torch.randperm(n, generator=pair.theirs)
        pair.equal(expected, pair.ours.permutation(empty(n, torch.int64)))


# Bernoulli and the rest


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.half, torch.bool, torch.int64]
)
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_bernoulli_number(dtype: Any, p: float) -> None:
    pair = Pair(31)
    for n in SIZES:
        expected = torch.empty(n, dtype=dtype).bernoulli_(p, generator=pair.theirs)
        pair.equal(expected, pair.ours.bernoulli(empty(n, dtype), p))


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_tensor(dtype: Any) -> None:
    pair = Pair(32)
    for n in SIZES:
        p = torch.linspace(0, 1, n).to(dtype)
        expected = torch.bernoulli(p, generator=pair.theirs)
        pair.equal(expected, pair.ours.bernoulli(empty(n, dtype), array(p)))
        expected = torch.empty(n).bernoulli_(p, generator=pair.theirs)
        pair.equal(expected, pair.ours.bernoulli(empty(n, torch.float32), array(p)))


def test_dropout_mask() -> None:
    engine = MT19937(5)
    torch.manual_seed(5)
    kept = torch.nn.functional.dropout(torch.ones(1000), 0.3) != 0
    assert np.array_equal(engine.bernoulli(empty(1000, torch.bool), 1 - 0.3), kept.numpy())
    assert np.array_equal(engine.get_state(), torch.get_rng_state().numpy())


def own(function: Callable[..., np.ndarray], n: int, dtype: Any, *parameters: float) -> Any:
    return lambda gen: function(gen, empty(n, dtype), *parameters)


CONTINUOUS = {
    "exponential_": (sampling.exponential, (1.7,)),
    "cauchy_": (sampling.cauchy, (1.0, 2.0)),
    "log_normal_": (sampling.log_normal, (0.2, 0.4)),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str, dtype: Any) -> None:
    function, parameters = CONTINUOUS[name]
    pair = Pair(41)
    for n in SIZES:
        expected = getattr(torch.empty(n, dtype=dtype), name)(*parameters, generator=pair.theirs)
        pair.close(expected, function(pair.ours, empty(n, dtype), *parameters))


@pytest.mark.parametrize("dtype", [*FLOATS, torch.int64, torch.int32])
@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_geometric(dtype: Any, p: float) -> None:
    pair = Pair(42)
    for n in SIZES:
        expected = torch.empty(n, dtype=dtype).geometric_(p, generator=pair.theirs)
        pair.equal(expected, sampling.geometric(pair.ours, empty(n, dtype), p))


def weights(dtype: Any, *shape: int) -> Any:
    return torch.from_numpy(np.random.RandomState(0).rand(*shape)).to(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(50,), (7, 50)])
def test_multinomial(dtype: Any, shape: tuple[int, ...]) -> None:
    pair = Pair(43)
    w = weights(dtype, *shape)
    cases = [(1, True), (1, False), (200, True), (2, True)]
    # Half types make ties, which PyTorch's top-k orders in its own way.
    cases += [(20, False), (50, False)] if dtype in (torch.float32, torch.float64) else []
    for n_sample, replacement in cases:
        expected = torch.multinomial(w, n_sample, replacement, generator=pair.theirs)
        drawn = sampling.multinomial(pair.ours, array(w), n_sample, replacement)
        pair.equal(expected, drawn)


def test_multinomial_with_empty_categories() -> None:
    pair = Pair(44)
    w = torch.tensor([[0.0, 2.0, 0.0, 1.0], [3.0, 0.0, 0.0, 0.0]])
    for n_sample, replacement in [(1, False), (30, True)]:
        expected = torch.multinomial(w, n_sample, replacement, generator=pair.theirs)
        drawn = sampling.multinomial(pair.ours, w.numpy(), n_sample, replacement)
        pair.equal(expected, drawn)


@pytest.mark.parametrize("dtype", FLOATS)
def test_poisson(dtype: Any) -> None:
    pair = Pair(45)
    rates = torch.linspace(0, 60, 2000).to(dtype)
    pair.equal(torch.poisson(rates, pair.theirs), sampling.poisson(pair.ours, array(rates)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gamma_and_dirichlet(dtype: Any) -> None:
    pair = Pair(46)
    alpha = torch.linspace(0.05, 8, 2000).to(dtype)
    torch.randn(1, generator=pair.theirs)
    pair.ours.normal(empty(1, torch.float32))
    expected = torch._standard_gamma(alpha, generator=pair.theirs)
    pair.close(expected, sampling.standard_gamma(pair.ours, alpha.numpy()))
    rows = alpha.reshape(-1, 5)
    expected = torch._sample_dirichlet(rows, generator=pair.theirs)
    pair.close(expected, sampling.dirichlet(pair.ours, rows.numpy()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_binomial(dtype: Any) -> None:
    pair = Pair(47)
    count = (torch.arange(3000) % 200).to(dtype)
    prob = torch.linspace(0, 1, 3000).to(dtype)
    expected = torch.binomial(count, prob, generator=pair.theirs)
    pair.equal(expected, sampling.binomial(pair.ours, count.numpy(), prob.numpy()))


@pytest.mark.parametrize("seed", range(12))
def test_mixed_calls_keep_the_stream(seed: int) -> None:
    rng = random.Random(seed)
    pair = Pair(seed)
    gen, ours = pair.theirs, pair.ours
    for _ in range(60):
        n = rng.choice([1, 2, 3, 5, 15, 16, 17, 20, 33, 700, 3000])
        dtype = rng.choice(FLOATS)
        kind = rng.randrange(10)
        out = empty(n, dtype)
        if kind == 0:
            pair.equal(torch.rand(n, dtype=dtype, generator=gen), ours.uniform(out))
        elif kind in (1, 2, 3):
            pair.close(torch.randn(n, dtype=dtype, generator=gen), ours.normal(out))
        elif kind == 4:
            high = rng.choice([2, 1000, 2**28 - 1, 2**28, 2**50])
            expected = torch.randint(0, high, (n,), generator=gen)
            pair.equal(expected, ours.integers(empty(n, torch.int64), 0, high))
        elif kind == 5:
            expected = torch.randperm(n, generator=gen)
            pair.equal(expected, ours.permutation(empty(n, torch.int64)))
        elif kind == 6:
            expected = torch.empty(n).bernoulli_(0.4, generator=gen)
            pair.equal(expected, ours.bernoulli(empty(n, torch.float32), 0.4))
        elif kind == 7:
            expected = torch.empty(n, dtype=dtype).log_normal_(0, 0.3, generator=gen)
            pair.close(expected, sampling.log_normal(ours, out, 0, 0.3))
        elif kind == 8:
            rates = torch.full((n,), 4.0)
            pair.equal(torch.poisson(rates, gen), sampling.poisson(ours, rates.numpy()))
        else:
            alpha = torch.full((n,), 0.7)
            drawn = sampling.standard_gamma(ours, alpha.numpy())
            pair.close(torch._standard_gamma(alpha, generator=gen), drawn)


# errors

ERRORS: list[tuple[Callable[[Any], Any], Callable[[MT19937], Any]]] = [
    (lambda t: t.random_(5, 5), lambda g: g.random_(empty(3, torch.float32), 5, 5)),
    (lambda t: t.random_(0), lambda g: g.random_(empty(3, torch.float32), None, 0)),
    (
        lambda t: t.to(torch.int8).random_(-200, 3),
        lambda g: g.integers(empty(3, torch.int8), -200, 3),
    ),
    (
        lambda t: t.to(torch.int8).random_(0, 300),
        lambda g: g.integers(empty(3, torch.int8), 0, 300),
    ),
    (lambda t: t.uniform_(2, 1), lambda g: g.uniform(empty(3, torch.float32), 2, 1)),
    (lambda t: t.half().uniform_(0, 1e6), lambda g: g.uniform(empty(3, torch.half), 0, 1e6)),
    (lambda t: t.uniform_(-3e38, 3e38), lambda g: g.uniform(empty(3, torch.float32), -3e38, 3e38)),
    (lambda t: t.long().uniform_(), lambda g: g.uniform(empty(3, torch.int64))),
    (lambda t: t.normal_(0, -1), lambda g: g.normal(empty(3, torch.float32), 0, -1)),
    (lambda t: t.long().normal_(), lambda g: g.normal(empty(3, torch.int64))),
    (lambda t: t.bernoulli_(2), lambda g: g.bernoulli(empty(3, torch.float32), 2)),
    (lambda t: t.exponential_(-1), own(sampling.exponential, 3, torch.float32, -1)),
    (lambda t: t.geometric_(1), own(sampling.geometric, 3, torch.float32, 1)),
    (lambda t: t.cauchy_(0, -1), own(sampling.cauchy, 3, torch.float32, 0, -1)),
    (lambda t: t.log_normal_(0, 0), own(sampling.log_normal, 3, torch.float32, 0, 0)),
    (lambda t: torch.poisson(t - 5), lambda g: sampling.poisson(g, np.full(3, -4.0))),
    (lambda t: t.multinomial(4), lambda g: sampling.multinomial(g, np.ones(3), 4)),
    (lambda t: t.multinomial(0), lambda g: sampling.multinomial(g, np.ones(3), 0)),
    (lambda t: (t * 0).multinomial(1), lambda g: sampling.multinomial(g, np.zeros(3), 1)),
    (lambda t: (-t).multinomial(1), lambda g: sampling.multinomial(g, -np.ones(3), 1)),
    (lambda t: (-t).multinomial(2, True), lambda g: sampling.multinomial(g, -np.ones(3), 2, True)),
    (
        lambda t: t.new_ones(1, 1, 3).multinomial(1),
        lambda g: sampling.multinomial(g, np.ones((1, 1, 3)), 1),
    ),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors(case: int) -> None:
    theirs, ours = ERRORS[case]
    with pytest.raises((RuntimeError, ValueError)) as expected:
        theirs(torch.ones(3))
    with pytest.raises(type(expected.value)) as got:
        ours(MT19937(0))
    assert str(got.value) == str(expected.value).split("\nException raised")[0]


def test_wide_shuffle_is_the_narrow_one() -> None:
    """The 64-bit shuffle, too long to compare with PyTorch, agrees with the 32-bit one."""
    words = np.random.RandomState(0).randint(0, 2**32, 4999, dtype=np.uint32)
    narrow = np.arange(5000)
    wide = np.arange(5000)
    shuffle(narrow, words)
    shuffle(wide, words.astype(np.uint64))
    assert np.array_equal(narrow, wide)
    assert np.array_equal(np.sort(narrow), np.arange(5000))
