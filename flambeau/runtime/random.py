"""PyTorch's CPU random stream, made with NumPy's Mersenne Twister.

In: a seed, and NumPy arrays to fill. Out: the arrays hold what PyTorch 2.13 on a CPU puts into a
contiguous tensor of that dtype for that seed, and the stream stands where PyTorch's would stand.
The generator objects of `tensor/` call the methods here; `sampling.py` beside this file builds the
less common distributions on them.

    gen = MT19937().manual_seed(0)
    gen.uniform(np.empty(3, np.float32))   # 0.4963 0.7682 0.0885, as torch.rand(3)
    gen.integers(np.empty(2, np.int64), 0, 10)

How the stream is spent, as found by comparing with PyTorch (a "word" is one 32-bit output):

* float32, float16 and bfloat16 uniforms take one word (24 low bits), float64 takes two, high word
  first (53 low bits).
* normals of fewer than 16 elements are made in float64, two at a time; an odd one waits in the
  engine for the next such call. From 16 on they are made in blocks of 16 (8 radii, 8 angles), and
  where 16 does not divide the size the last 16 are made again from fresh words.
* integers below a range of 2**28 take one word, others two, both by remainder.
* a scalar Bernoulli compares float64 uniforms; a tensor of probabilities compares uniforms of the
  probabilities' precision.

Uniforms, integers, Bernoulli masks and permutations agree bit for bit. Values that pass through
log, sin, cos or tan agree to rounding, since PyTorch and NumPy use different approximations.
Some PyTorch releases took Bernoulli and exponential numbers from Intel's MKL on Intel processors;
the portable stream is the one here. It was compared on an AMD processor only.

Arrays are filled in C order. PyTorch visits a non-contiguous tensor in its memory's order and never
in blocks; callers fill a contiguous buffer and copy, which differs in that one case. A complex
tensor is filled as its view of floats, normals with standard deviation sqrt(1/2): callers' work.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np

from flambeau.runtime.transforms import (
    HALVES,
    Array,
    box_muller,
    modulo,
    shuffle,
    stretch32,
    stretch64,
)

Parameter = float | Array

DEFAULT_SEED = 67280421310721
STATE_BYTES = 5056

_LEGACY_STATE = np.dtype(
    [
        ("seed", "<u8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("words", "<u8", (624,)),
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),
        ("normal_rho", "<f8"),
        ("normal_is_valid", "<i8"),
        ("float_normal", "<f4"),
        ("float_normal_is_valid", "<i4"),
    ]
)

# One chunk of words and its temporaries stay inside a core's private cache.
_CHUNK = 1 << 15
# Below this many words `random_raw` beats `randint`, whose argument checks cost 4 µs.
_FEW = 2048
_WORD_RANGE = 1 << 32
# Ranges from here on are drawn with 64 bits, so that the remainder's bias stays small.
_WIDE_RANGE = 1 << 28
# Permutations from this length on draw 64 bits an element.
_WIDE_PERMUTATION = (_WORD_RANGE - 1) // 20

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
_C_NAMES = {
    np.dtype(np.bool_): "bool",
    np.dtype(np.uint8): "unsigned char",
    np.dtype(np.int8): "signed char",
    np.dtype(np.int16): "short int",
    np.dtype(np.int32): "int",
    np.dtype(np.int64): "long int",
    np.dtype(np.uint16): "short unsigned int",
    np.dtype(np.uint32): "unsigned int",
    np.dtype(np.uint64): "long unsigned int",
    np.dtype(np.float16): "c10::Half",
    _BFLOAT16: "c10::BFloat16",
    np.dtype(np.float32): "float",
    np.dtype(np.float64): "double",
}


# ml_dtypes' knows bfloat16, which NumPy's does not.
_finfo: Any = ml_dtypes.finfo
# Keyed by the dtype's letter: hashing a dtype costs a microsecond, and small draws take few.
_LARGEST_FLOAT: dict[str, float] = {
    np.dtype(kind).char: float(_finfo(kind).max)
    for kind in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)
}


def significand_bits(dtype: np.dtype[Any]) -> int:
    """The width of a floating dtype's significand, the hidden bit included: 24 for float32."""
    info: Any = _finfo(dtype)
    return int(info.nmant) + 1


def is_float(dtype: np.dtype[Any]) -> bool:
    """True for the real floating dtypes, bfloat16 included."""
    return dtype.char in _LARGEST_FLOAT


class MT19937:
    """A seeded stream of 32-bit words, and the arrays filled from it."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._bits = np.random.MT19937(0)
        self._source = np.random.RandomState(self._bits)
        self._seed = 0
        self._untouched = True
        self._spare_normal: float | None = None
        self._spare_float_normal: float | None = None
        self.manual_seed(seed)

    # seed and state

    def manual_seed(self, seed: int) -> MT19937:
        """Start the stream of `seed`, an integer in [-2**63, 2**64); returns self."""
        if not -(1 << 63) <= seed < 1 << 64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = seed % (1 << 64)
        self._source.seed(self._seed % _WORD_RANGE)
        self._untouched = True
        self._spare_normal = None
        self._spare_float_normal = None
        return self

    def initial_seed(self) -> int:
        """The seed the stream was started with, as an unsigned 64-bit number."""
        return self._seed

    def seed(self) -> int:
        """Start a stream nobody can foretell; returns its seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def get_state(self) -> Array:
        """The engine as uint8 (5056,), laid out as PyTorch's CPU generator state."""
        state: Any = self._bits.state["state"]
        position = int(state["pos"])
        record = np.zeros((), _LEGACY_STATE)
        record["seed"] = self._seed
        record["left"] = 1 if self._untouched else 625 - position
        record["seeded"] = 1
        record["next"] = 0 if self._untouched else position
        record["words"] = state["key"]
        if self._spare_normal is not None:
            record["normal_y"] = self._spare_normal
            record["normal_is_valid"] = 1
        if self._spare_float_normal is not None:
            record["float_normal"] = self._spare_float_normal
            record["float_normal_is_valid"] = 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state(self, state: Array) -> None:
        """Continue from a state of `get_state` or of PyTorch's `Generator.get_state`."""
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size != STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE_BYTES} but found the input "
                f"RNG state size to be {state.size}"
            )
        record = np.frombuffer(state.tobytes(), _LEGACY_STATE)[0]
        left = int(record["left"])
        position = int(record["next"])
        untouched = left == 1 and position == 0
        consistent = untouched or (1 <= left <= 624 and left + position == 625)
        if not record["seeded"] or not consistent:
            raise RuntimeError("Invalid mt19937 state")
        self._bits.state = {
            "bit_generator": "MT19937",
            "state": {
                "key": record["words"].astype(np.uint32),
                "pos": 624 if untouched else position,
            },
        }
        self._seed = int(record["seed"])
        self._untouched = untouched
        spare = float(record["normal_y"])
        self._spare_normal = spare if record["normal_is_valid"] else None
        spare = float(record["float_normal"])
        self._spare_float_normal = spare if record["float_normal_is_valid"] else None

    def clone(self) -> MT19937:
        """Another engine at the same place of the same stream."""
        other = MT19937()
        other.set_state(self.get_state())
        return other

    def take_spare_normal(self) -> float | None:
        """Remove and return the normal that waits for the next small normal call, if one does."""
        spare = self._spare_normal
        self._spare_normal = None
        return spare

    def keep_spare_normal(self, spare: float | None) -> None:
        """Let `spare` be the next normal of a call for fewer than 16 (None: none waits)."""
        self._spare_normal = spare

    # the stream itself

    def raw32(self, n: int) -> Array:
        """The next n words, uint32 (n,)."""
        if n <= 0:
            return np.empty(0, np.uint32)
        self._untouched = False
        if n < _FEW:
            return self._bits.random_raw(n).astype(np.uint32)
        words: Array = self._source.randint(0, _WORD_RANGE, n, dtype=np.uint32)
        return words

    def raw64(self, n: int) -> Array:
        """The next n pairs of words, the first word high, uint64 (n,)."""
        if n <= 0:
            return np.empty(0, np.uint64)
        self._untouched = False
        if 2 * n < _FEW:
            words = self._bits.random_raw(2 * n)
            pairs: Array = (words[0::2] << np.uint64(32)) | words[1::2]
            return pairs
        pairs = self._source.randint(0, 1 << 64, n, dtype=np.uint64)
        return pairs

    def random(self) -> int:
        """One word as a Python integer."""
        self._untouched = False
        return int(self._bits.random_raw())

    def random64(self) -> int:
        """One pair of words as a Python integer in [0, 2**64)."""
        high = self.random()
        return high << 32 | self.random()

    def floats(self, n: int) -> Array:
        """n uniforms in [0, 1) with 24 bits, float32 (n,), one word each."""
        words = self.raw32(n)
        words &= np.uint32((1 << 24) - 1)
        result: Array = words.view(np.int32).astype(np.float32)
        result *= np.float32(2.0**-24)
        return result

    def doubles(self, n: int) -> Array:
        """n uniforms in [0, 1) with 53 bits, float64 (n,), two words each."""
        pairs = self.raw64(n)
        pairs &= np.uint64((1 << 53) - 1)
        result: Array = pairs.view(np.int64).astype(np.float64)
        result *= 2.0**-53
        return result

    def normals(self, n: int) -> Array:
        """n standard normals of the one-by-one kind, float64 (n,).

        Box-Muller on pairs of float64 uniforms (angle first, then radius). A half-used pair's sine
        waits in the engine, as it does between PyTorch's calls.
        """
        result = np.empty(n, np.float64)
        start = 0
        if n and self._spare_normal is not None:
            result[0] = self._spare_normal
            self._spare_normal = None
            start = 1
        pairs = (n - start + 1) // 2
        if pairs == 0:
            return result
        u = self.doubles(2 * pairs)
        radius = np.sqrt(-2.0 * np.log(1.0 - u[1::2]))
        angle = (2.0 * np.pi) * u[0::2]
        both = np.empty((pairs, 2), np.float64)
        np.multiply(radius, np.cos(angle), out=both[:, 0])
        np.multiply(radius, np.sin(angle), out=both[:, 1])
        result[start:] = both.reshape(-1)[: n - start]
        if (n - start) % 2:
            self._spare_normal = float(both[-1, 1])
        return result

    # uniform

    def uniform(self, out: Array, low: float = 0.0, high: float = 1.0) -> Array:
        """Fill a floating `out` with uniforms in [low, high); equals `Tensor.uniform_`."""
        _check_uniform(out.dtype, low, high)
        flat = flat_view(out)
        for part in chunks(flat):
            if part.dtype == np.float64:
                stretch64(self.doubles(part.size), part, low, high)
            else:
                stretch32(self.floats(part.size), part, low, high)
        return finish(out, flat)

    # normal

    def normal(self, out: Array, mean: Parameter = 0.0, std: Parameter = 1.0) -> Array:
        """Fill a floating `out` with normals; equals `Tensor.normal_` and `torch.normal`.

        Float32 and float64 agree to rounding: about 1e-6 and 1e-13, relative to std.

        `mean` and `std` are numbers or arrays that broadcast to out.shape.
        """
        _check_normal(out.dtype, std)
        flat = flat_view(out)
        if isinstance(mean, np.ndarray) or isinstance(std, np.ndarray):
            self._fill_normal(flat, 0.0, 1.0)
            finish(out, flat)
            np.multiply(out, np.asarray(std, out.dtype), out=out)
            np.add(out, np.asarray(mean, out.dtype), out=out)
            return out
        self._fill_normal(flat, float(mean), float(std))
        return finish(out, flat)

    def _fill_normal(self, flat: Array, mean: float, std: float) -> None:
        n = flat.size
        if n < 16:
            flat[...] = self.normals(n) * std + mean
            return
        draw = self.doubles if flat.dtype == np.float64 else self.floats
        for part in chunks(flat):
            whole = part.size // 16 * 16
            # The half types draw no words for a last, broken block; the others do.
            u = draw(whole if flat.dtype in HALVES else part.size)
            box_muller(u[:whole], part[:whole], mean, std)
        if n % 16:
            box_muller(draw(16), flat[n - 16 :], mean, std)

    # integers

    def integers(self, out: Array, low: int, high: int) -> Array:
        """Fill `out` of any real dtype with integers in [low, high); equals `randint`."""
        _check_bounds(out.dtype, low, high)
        return self._remainders(out, high - low, low)

    def random_(self, out: Array, low: int | None = None, high: int | None = None) -> Array:
        """`Tensor.random_`: no bounds, [0, high) given as `high`, or [low, the dtype's largest]."""
        if high is not None:
            return self.integers(out, 0 if low is None else low, high)
        dtype = out.dtype
        if low is None:
            if dtype.kind == "u" and dtype.itemsize > 1:
                name = f"UInt{8 * dtype.itemsize}"
                raise NotImplementedError(f'"random_kernel_cpu" not implemented for \'{name}\'')
            wide = dtype in (np.int64, np.float64)
            return self._remainders(out, _largest(dtype) + 1, 0, wide=wide)
        if low == -(1 << 63):
            return self._remainders(out, 1 << 64, 0)
        _check_bounds(dtype, low, _largest(dtype) + 1)
        return self._remainders(out, _largest(dtype) + 1 - low, low)

    def _remainders(self, out: Array, span: int, low: int, wide: bool | None = None) -> Array:
        """Fill with `word % span + low`; `wide` draws two words (by default, when span asks)."""
        flat = flat_view(out)
        if wide is None:
            wide = span >= _WIDE_RANGE
        for part in chunks(flat):
            words = self.raw64(part.size) if wide else self.raw32(part.size)
            remainder = modulo(words, span)
            if wide or low:
                # 64-bit addition wraps as it does in PyTorch, whatever the sign of `low`.
                remainder = remainder.astype(np.uint64)
                remainder += np.uint64(low % (1 << 64))
                remainder = remainder.view(np.uint64 if part.dtype == np.uint64 else np.int64)
            np.copyto(part, remainder, casting="unsafe")
        return finish(out, flat)

    def permutation(self, out: Array) -> Array:
        """Fill the one-dimensional `out` with a permutation of range(n); equals `randperm`.

        Permutations of 2**32 / 20 elements or more draw two words an element, which is taken from
        PyTorch's description and was too large to compare.
        """
        n = out.size
        steps = max(n - 1, 0)
        words = self.raw64(steps) if n >= _WIDE_PERMUTATION else self.raw32(steps)
        in_place = out.dtype == np.int64 and out.flags.c_contiguous
        order = out if in_place else np.empty(n, np.int64)
        order[...] = np.arange(n)
        shuffle(order, words)
        if not in_place:
            np.copyto(out, order, casting="unsafe")
        return out

    # Bernoulli

    def bernoulli(self, out: Array, p: Parameter) -> Array:
        """Fill `out` of any dtype with 1 where a uniform is below p, else 0.

        A number p equals `Tensor.bernoulli_(p)` and the mask of `dropout` (which keeps with
        1 - p). An array p of out's shape equals `torch.bernoulli(p)` and `bernoulli_(tensor)`.
        """
        flat = flat_view(out)
        if not isinstance(p, np.ndarray):
            if not 0 <= p <= 1:
                raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
            for part in chunks(flat):
                np.copyto(part, self.doubles(part.size) < p, casting="unsafe")
            return finish(out, flat)
        odds = np.broadcast_to(p, out.shape).reshape(-1)
        if not np.all((odds >= 0) & (odds <= 1)):
            raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
        draw = self.doubles if odds.dtype == np.float64 else self.floats
        for part, q in zip(chunks(flat), chunks(odds), strict=True):
            np.copyto(part, draw(part.size) < q.astype(np.float64), casting="unsafe")
        return finish(out, flat)


def flat_view(out: Array) -> Array:
    """`out` as one dimension: itself where it is contiguous, else a buffer for `_finish`."""
    return out.reshape(-1) if out.flags.c_contiguous else np.empty(out.size, out.dtype)


def finish(out: Array, flat: Array) -> Array:
    """Copy a flat stream of numbers into the array that asked for it, if it is another one."""
    if not out.flags.c_contiguous:
        out[...] = flat.reshape(out.shape)
    return out


def chunks(flat: Array) -> Iterator[Array]:
    """The pieces in which PyTorch draws an array."""
    for start in range(0, flat.size, _CHUNK):
        yield flat[start : start + _CHUNK]


def _largest(dtype: np.dtype[Any]) -> int:
    """The largest integer `random_` reaches by itself; floats hold all integers up to it."""
    if dtype == np.bool_:
        return 1
    if is_float(dtype):
        return 1 << significand_bits(dtype)
    return int(np.iinfo(dtype).max)


def _check_bounds(dtype: np.dtype[Any], low: int, high: int) -> None:
    if low >= high:
        raise RuntimeError(
            "random_ expects 'from' to be less than 'to', "
            f"but got from={low} >= to={high}"
        )
    if is_float(dtype):
        largest: float = _LARGEST_FLOAT[dtype.char]
        smallest = -largest
    elif dtype == np.bool_:
        smallest, largest = 0, 1
    else:
        smallest, largest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if not smallest <= low <= largest:
        raise RuntimeError(f"from is out of bounds for {_C_NAMES[dtype]}")
    if not smallest <= high - 1 <= largest:
        raise RuntimeError(f"to - 1 is out of bounds for {_C_NAMES[dtype]}")


def _check_uniform(dtype: np.dtype[Any], low: float, high: float) -> None:
    if not is_float(dtype):
        title = "Long" if dtype == np.int64 else _C_NAMES.get(dtype, str(dtype))
        raise NotImplementedError(f'"check_uniform_bounds" not implemented for \'{title}\'')
    largest = _LARGEST_FLOAT[dtype.char]
    for word, bound in (("from", low), ("to", high)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{word} is out of bounds for {_C_NAMES[dtype]}")
    if low > high:
        raise RuntimeError(
            "uniform_ expects to return a [from, to) range, "
            f"but found from={low:g} > to={high:g}"
        )
    if high - low > largest:
        raise RuntimeError(
            "uniform_ expects to-from <= std::numeric_limits<Float>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def _check_normal(dtype: np.dtype[Any], std: Parameter) -> None:
    if not is_float(dtype):
        title = "Long" if dtype == np.int64 else _C_NAMES.get(dtype, str(dtype))
        raise NotImplementedError(f'"normal_kernel_cpu" not implemented for \'{title}\'')
    if isinstance(std, np.ndarray):
        if not np.all(std >= 0):
            raise RuntimeError("normal expects all elements of std >= 0.0")
    elif std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
