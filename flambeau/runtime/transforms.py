"""What turns uniform words into uniforms, normals, integers and permutations.

In: NumPy arrays drawn by `random.MT19937`. Out: arrays as PyTorch's CPU kernels would make them
from the same words. Nothing here knows the stream.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np

from flambeau.runtime import native

Array = np.ndarray[Any, Any]

# From here on a compiled shuffle pays for the call that fetches it.
_SHORT_SHUFFLE = 500

HALVES = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))


def stretch32(u: Array, out: Array, low: float, high: float) -> None:
    """out = u * (high - low) + low with one rounding, for float32 and the half types."""
    if low == 0 and high == 1 and out.dtype == np.float32:
        out[...] = u
        return
    lower = np.float32(low)
    width = np.float32(high) - lower
    if width != 1 or lower != 0:
        # PyTorch fuses the multiplication and the addition. In float64 the product is exact.
        wide = u.astype(np.float64)
        wide *= np.float64(width)
        wide += np.float64(lower)
        u = wide.astype(np.float32)
    out[...] = u
    _exclude_end(out, u.max(), low, high)


def stretch64(u: Array, out: Array, low: float, high: float) -> None:
    """out = u * (high - low) + low with one rounding, for float64."""
    if low == 0:
        np.multiply(u, high, out=out)
    else:
        _compiled_stretch()(u.ctypes.data, out.ctypes.data, out.size, high - low, low)
    _exclude_end(out, out.max(), low, high)


def _exclude_end(out: Array, largest: Any, low: float, high: float) -> None:
    """Rounding can reach the end that [low, high) excludes; PyTorch then gives `low`."""
    real = out.dtype.type
    # Rounding keeps the order, so the largest value, before or after it, tells for all.
    if real(largest) >= real(high):
        out[out >= real(high)] = real(low)


@lru_cache(maxsize=1)
def _compiled_stretch() -> Callable[[int, int, int, float, float], None]:
    """A fused multiply-add of float64 arrays, which NumPy has not."""
    name = "fb_stretch64"
    ir = f"""
declare double @llvm.fma.f64(double, double, double)
define void @{name}(ptr noalias readonly %u, ptr noalias %out, i64 %n, double %w, double %low) {{
entry:
  br label %step
step:
  %i = phi i64 [ 0, %entry ], [ %next, %step ]
  %from = getelementptr double, ptr %u, i64 %i
  %x = load double, ptr %from
  %y = call double @llvm.fma.f64(double %x, double %w, double %low)
  %to = getelementptr double, ptr %out, i64 %i
  store double %y, ptr %to
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, %n
  br i1 %done, label %end, label %step
end:
  ret void
}}
"""
    arguments = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_double, ctypes.c_double]
    return ctypes.CFUNCTYPE(None, *arguments)(native.load(ir, (name,))[name])


def box_muller(u: Array, out: Array, mean: float, std: float) -> None:
    """Blocks of 16 uniforms (8 for the radius, 8 for the angle) to blocks of 16 normals."""
    real = u.dtype.type
    # Eight numbers move as one item: NumPy's strided loops over rows of eight are slow.
    block = np.dtype((np.void, 8 * u.itemsize))
    blocks = u.view(block)
    radius = blocks[0::2].copy().view(u.dtype)
    angle = blocks[1::2].copy().view(u.dtype)
    np.subtract(real(1), radius, out=radius)
    np.log(radius, out=radius)
    radius *= real(-2)
    np.sqrt(radius, out=radius)
    angle *= real(2 * np.pi)
    cosine = np.cos(angle)
    cosine *= radius
    np.sin(angle, out=angle)
    angle *= radius
    blocks[0::2] = cosine.view(block)
    blocks[1::2] = angle.view(block)
    if std != 1:
        u *= real(std)
    if mean != 0:
        u += real(mean)
    out[...] = u


def modulo(words: Array, span: int) -> Array:
    """words % span for unsigned words; span may be 2**64 or more than the words can hold."""
    if span > int(np.iinfo(words.dtype).max):
        return words
    kind = words.dtype.type
    if span & (span - 1) == 0:
        words &= kind(span - 1)
        return words
    # NumPy divides by a scalar with multiplications, but not in its remainder.
    quotient = words // kind(span)
    quotient *= kind(span)
    words -= quotient
    return words


def shuffle(items: Array, words: Array) -> None:
    """Shuffle int64 `items` in place: for i, swap(items[i], items[i + words[i] % (n - i)]).

    `words` are uint32 or uint64, n - 1 of them. This is the forward Fisher-Yates shuffle, whose
    steps hang on each other: a short one is a Python loop, a long one compiled code.
    """
    n = items.size
    if n < _SHORT_SHUFFLE:
        choices = words % np.arange(n, 1, -1, dtype=words.dtype)
        order = items.tolist()
        for i, step in enumerate(choices.tolist()):
            order[i], order[i + step] = order[i + step], order[i]
        items[...] = order
        return
    _compiled_shuffle(8 * words.itemsize)(items.ctypes.data, words.ctypes.data, n)


@lru_cache(maxsize=2)
def _compiled_shuffle(bits: int) -> Callable[[int, int, int], None]:
    name = f"fb_shuffle{bits}"
    # The remainder is taken in the words' own width: a 32-bit division is the faster one.
    narrow = "trunc i64 %left to i32" if bits == 32 else "add i64 %left, 0"
    widen = "zext i32 %rest to i64" if bits == 32 else "add i64 %rest, 0"
    ir = f"""
define void @{name}(ptr noalias %items, ptr noalias readonly %words, i64 %n) {{
entry:
  %steps = add i64 %n, -1
  br label %step
step:
  %i = phi i64 [ 0, %entry ], [ %next, %step ]
  %left = sub i64 %n, %i
  %choices = {narrow}
  %from = getelementptr i{bits}, ptr %words, i64 %i
  %word = load i{bits}, ptr %from
  %rest = urem i{bits} %word, %choices
  %step.wide = {widen}
  %j = add i64 %i, %step.wide
  %here = getelementptr i64, ptr %items, i64 %i
  %there = getelementptr i64, ptr %items, i64 %j
  %a = load i64, ptr %here
  %b = load i64, ptr %there
  store i64 %b, ptr %here
  store i64 %a, ptr %there
  %next = add i64 %i, 1
  %done = icmp uge i64 %next, %steps
  br i1 %done, label %end, label %step
end:
  ret void
}}
"""
    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    return signature(native.load(ir, (name,))[name])
