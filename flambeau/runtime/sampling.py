"""The less common distributions, made from the words of `random.MT19937`.

In: an engine, its parameters, and a NumPy array to fill (or a shape to make). Out: the numbers of
PyTorch 2.13's CPU kernels, and the engine where PyTorch would leave its own.

    gen = MT19937(0)
    exponential(gen, np.empty(3, np.float32), 1.0)
    multinomial(gen, np.array([0.1, 0.9], np.float32), 5, replacement=True)

Discrete results agree exactly, but where a float64 comparison hangs on the last bit of a library's
log or pow. Continuous ones agree to the rounding of their dtype. Distributions that reject
(Poisson, gamma, binomial) spend a number of words that depends on the values drawn, so their
elements are made one after the other in Python: a microsecond or two each, slower than PyTorch.

Sources: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000);
Hörmann, "The transformed rejection method for generating Poisson random variables" (1993) and
"The generation of binomial random variates" (1993); Devroye, "Non-Uniform Random Variate
Generation" (1986), X.4.3, for the geometric sums.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.runtime.random import MT19937, chunks, finish, flat_view
from flambeau.runtime.transforms import Array

_BUFFERED_WORDS = 512


# by inversion


def exponential(gen: MT19937, out: Array, rate: float = 1.0) -> Array:
    """Fill a floating `out` with -log(1 - u) / rate; equals `Tensor.exponential_`."""
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    flat = flat_view(out)
    for part in chunks(flat):
        _store(part, _negated_logs(gen, part.size) * (1.0 / rate))
    return finish(out, flat)


def _negated_logs(gen: MT19937, n: int) -> Array:
    u = gen.doubles(n)
    # u is a multiple of 2**-53, so 1 - u is exact and log loses nothing against log1p.
    np.subtract(1.0, u, out=u)
    np.log(u, out=u)
    np.negative(u, out=u)
    return u


def _store(out: Array, values: Array) -> None:
    """Round float64 values to out's dtype, the half types by way of float32 as PyTorch does."""
    if out.dtype.itemsize == 2 and out.dtype.kind not in "iu":
        values = values.astype(np.float32)
    np.copyto(out, values, casting="unsafe")


def geometric(gen: MT19937, out: Array, p: float) -> Array:
    """Fill `out` with the trials up to the first success; equals `Tensor.geometric_`."""
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    flat = flat_view(out)
    for part in chunks(flat):
        with np.errstate(divide="ignore"):
            trials = np.ceil(np.log(gen.doubles(part.size)) / np.log(1.0 - p))
        _store(part, trials)
    return finish(out, flat)


def cauchy(gen: MT19937, out: Array, median: float = 0.0, sigma: float = 1.0) -> Array:
    """Fill a floating `out` with median + sigma tan(pi (u - 1/2)); equals `Tensor.cauchy_`."""
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    flat = flat_view(out)
    for part in chunks(flat):
        _store(part, median + sigma * np.tan(np.pi * (gen.doubles(part.size) - 0.5)))
    return finish(out, flat)


def log_normal(gen: MT19937, out: Array, mean: float = 1.0, std: float = 2.0) -> Array:
    """Fill a floating `out` with exp of normals; equals `Tensor.log_normal_`."""
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    flat = flat_view(out)
    for part in chunks(flat):
        with np.errstate(over="ignore"):
            _store(part, np.exp(gen.normals(part.size) * std + mean))
    return finish(out, flat)


# categories


def multinomial(
    gen: MT19937, weights: Array, n_sample: int, replacement: bool = False
) -> Array:
    """`torch.multinomial`: n_sample categories a row, int64, weights' shape but for its end.

    `weights` is floating, (categories,) or (rows, categories), and need not sum to 1. With
    replacement, a float64 uniform is looked up in the row's running sum, which is kept in the
    weights' dtype, or float32 for the half types. Without, or for one sample, each category gets an
    exponential number and the largest weight / exponential win: the "exponential race". Ties,
    which only the half types make often, may come in another order than from PyTorch's top-k.
    """
    _check_multinomial(weights, n_sample, replacement)
    if replacement and n_sample > 1:
        return _with_replacement(gen, weights, n_sample)
    if np.any(~np.isfinite(weights.astype(np.float64)) | (weights < 0)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if n_sample == 1 and np.any(weights.astype(np.float64).sum(-1) == 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    clocks = exponential(gen, np.empty(weights.shape, weights.dtype))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        scores = weights / clocks
    if n_sample == 1:
        winners: Array = np.argmax(scores.astype(np.float64), axis=-1, keepdims=True)
        return winners.astype(np.int64)
    ranked = np.argsort(-scores.astype(np.float64), axis=-1, kind="stable")
    return np.ascontiguousarray(ranked[..., :n_sample]).astype(np.int64)


def _check_multinomial(weights: Array, n_sample: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if n_sample <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and n_sample > weights.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )


def _with_replacement(gen: MT19937, weights: Array, n_sample: int) -> Array:
    rows = weights.reshape(-1, weights.shape[-1])
    result = np.empty((rows.shape[0], n_sample), np.int64)
    for row, drawn in zip(rows, result, strict=True):
        if not np.all(row >= 0):
            raise RuntimeError(
                "invalid multinomial distribution (encountering probability entry < 0)"
            )
        if not np.all(np.isfinite(row.astype(np.float64))):
            raise RuntimeError(
                "invalid multinomial distribution (encountering probability entry = "
                "infinity or NaN)"
            )
        running = np.cumsum(row, dtype=np.float64 if row.dtype == np.float64 else np.float32)
        if not running[-1] > 0:
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        running = (running / running[-1]).astype(np.float64)
        running[-1] = 1.0
        drawn[...] = np.searchsorted(running, gen.doubles(n_sample), side="left")
    return result.reshape(*weights.shape[:-1], n_sample)


# by rejection


class _Draws:
    """Uniforms and normals one at a time, as Python floats.

    Words are fetched ahead in bulk; `finish` puts the engine where a reader of single words would
    stand.
    """

    def __init__(self, gen: MT19937) -> None:
        self._gen = gen
        self._start = gen.clone()
        self._used = 0
        self._buffer: list[float] = []
        self._spare = gen.take_spare_normal()

    def uniform(self) -> float:
        if not self._buffer:
            self._buffer = self._gen.doubles(_BUFFERED_WORDS)[::-1].tolist()
        self._used += 1
        return self._buffer.pop()

    def normal(self) -> float:
        if self._spare is not None:
            value = self._spare
            self._spare = None
            return value
        angle = 2.0 * math.pi * self.uniform()
        radius = math.sqrt(-2.0 * math.log1p(-self.uniform()))
        self._spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def finish(self) -> None:
        self._start.raw64(self._used)
        self._gen.set_state(self._start.get_state())
        self._gen.keep_spare_normal(self._spare)


def poisson(gen: MT19937, rates: Array) -> Array:
    """Poisson numbers of the given rates, same shape and dtype; equals `torch.poisson`."""
    if np.any(rates < 0):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    draws = _Draws(gen)
    values = [_one_poisson(rate, draws) for rate in rates.astype(np.float64).reshape(-1).tolist()]
    draws.finish()
    result = np.empty(rates.shape, rates.dtype)
    _store(result, np.array(values, np.float64).reshape(rates.shape))
    return result


def _one_poisson(rate: float, draws: _Draws) -> int:
    if rate == 0:
        return 0
    if rate >= 10:
        return _large_poisson(rate, draws)
    limit = math.exp(-rate)
    product = draws.uniform()
    count = 0
    while product > limit:
        count += 1
        product *= draws.uniform()
    return count


def _large_poisson(rate: float, draws: _Draws) -> int:
    """Hörmann's PTRS, for rates of 10 and more."""
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inv_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = draws.uniform() - 0.5
        v = draws.uniform()
        us = 0.5 - abs(u)
        k = _floor((2 * a / us + b) * u + rate + 0.43 if us else -1.0)
        if us >= 0.07 and v <= squeeze:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = _log(v) + math.log(inv_alpha) - math.log(a / (us * us) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


def standard_gamma(gen: MT19937, concentration: Array) -> Array:
    """Gamma numbers of scale 1, same shape and dtype; equals `torch._standard_gamma`."""
    values = _gammas(gen, concentration)
    positive: Array = np.maximum(values, _limits(concentration.dtype)[0])
    return positive.astype(concentration.dtype)


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The smallest normal number and the step after 1."""
    info: Any = np.finfo(dtype)
    return float(info.tiny), float(info.eps)


def _gammas(gen: MT19937, concentration: Array) -> Array:
    draws = _Draws(gen)
    alphas = concentration.reshape(-1)
    boosted = alphas < 1
    real = alphas.dtype.type
    with np.errstate(divide="ignore"):
        powers = (real(1) / alphas).tolist()
    # PyTorch prepares the shape in the parameter's precision, with a float32 third in any case.
    shapes = (np.where(boosted, alphas + real(1), alphas) - real(np.float32(1 / 3))).tolist()
    values = [
        0.0 if alpha == 0 else _one_gamma(d, power if boost else None, draws)
        for alpha, d, power, boost in zip(
            alphas.tolist(), shapes, powers, boosted.tolist(), strict=True
        )
    ]
    draws.finish()
    return np.array(values, np.float64).reshape(concentration.shape)


def _one_gamma(d: float, power: float | None, draws: _Draws) -> float:
    """Marsaglia and Tsang's gamma of shape d + 1/3, times u**power where a power is given."""
    scale = 1.0 if power is None else (1 - draws.uniform()) ** power
    c = 1 / math.sqrt(9 * d)
    while True:
        x = draws.normal()
        y = 1 + c * x
        while y <= 0:
            x = draws.normal()
            y = 1 + c * x
        v = y * y * y
        u = 1 - draws.uniform()
        xx = x * x
        if u < 1 - 0.0331 * xx * xx:
            return scale * d * v
        if math.log(u) < 0.5 * xx + d * (1 - v + math.log(v)):
            return scale * d * v


def dirichlet(gen: MT19937, concentration: Array) -> Array:
    """Dirichlet rows along the last dimension; equals `torch._sample_dirichlet`."""
    gammas = _gammas(gen, concentration.astype(np.float64))
    rows = gammas / gammas.sum(-1, keepdims=True)
    tiny, eps = _limits(concentration.dtype)
    clipped: Array = np.clip(rows, tiny, 1.0 - eps)
    return clipped.astype(concentration.dtype)


def binomial(gen: MT19937, count: Array, prob: Array) -> Array:
    """Binomial numbers, of the broadcast shape and count's dtype; equals `torch.binomial`."""
    shape = np.broadcast_shapes(count.shape, prob.shape)
    counts = np.broadcast_to(count, shape).astype(np.float64).reshape(-1).tolist()
    probs = np.broadcast_to(prob, shape).astype(np.float64).reshape(-1).tolist()
    draws = _Draws(gen)
    values = [_one_binomial(c, p, draws) for c, p in zip(counts, probs, strict=True)]
    draws.finish()
    result = np.empty(shape, count.dtype)
    _store(result, np.array(values, np.float64).reshape(shape))
    return result


def _one_binomial(count: float, prob: float, draws: _Draws) -> float:
    if math.isnan(prob) or math.isnan(count):
        return math.nan
    if count <= 0 or prob <= 0:
        return 0
    if prob >= 1:
        return count
    if prob > 0.5:
        return count - _lower_binomial(count, 1 - prob, draws)
    return _lower_binomial(count, prob, draws)


def _lower_binomial(count: float, prob: float, draws: _Draws) -> float:
    if count * prob >= 10:
        return _large_binomial(count, prob, draws)
    log_miss = math.log1p(-prob)
    position = 0.0
    successes = 0
    while True:
        position += math.ceil(_log(draws.uniform()) / log_miss)
        if position > count:
            return successes
        successes += 1


def _large_binomial(count: float, prob: float, draws: _Draws) -> float:
    """Hörmann's BTRS, for count * prob of 10 and more, prob up to 1/2."""
    spread = math.sqrt(count * prob * (1 - prob))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    squeeze = 0.92 - 4.2 / b
    odds = prob / (1 - prob)
    alpha = (2.83 + 5.1 / b) * spread
    mode = math.floor((count + 1) * prob)
    while True:
        u = draws.uniform() - 0.5
        v = draws.uniform()
        us = 0.5 - abs(u)
        k = _floor((2 * a / us + b) * u + c if us else -1.0)
        if us >= 0.07 and v <= squeeze:
            return k
        if k < 0 or k > count:
            continue
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
            + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + _stirling_rest(mode)
            + _stirling_rest(count - mode)
            - _stirling_rest(k)
            - _stirling_rest(count - k)
        )
        if _log(v * alpha / (a / (us * us) + b)) <= bound:
            return k


def _stirling_rest(k: float) -> float:
    """log k! less Stirling's (k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2."""
    if k <= 9:
        stirling = (k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi)
        return math.lgamma(k + 1) - stirling
    square = (k + 1) * (k + 1)
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _floor(x: float) -> int:
    return math.floor(x) if math.isfinite(x) else -1
