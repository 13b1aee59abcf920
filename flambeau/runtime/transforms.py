"""What turns uniform words into uniforms, normals, integers and permutations.

In: NumPy arrays drawn by `random.MT19937`. Out: arrays as PyTorch's CPU kernels would make them
from the same words. Nothing here knows the stream.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, Any]

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
    _exclude_end(out, low, high)


def _exclude_end(out: Array, low: float, high: float) -> None:
    """Rounding can reach the end that [low, high) excludes; PyTorch then gives `low`."""
    real = out.dtype.type
    out[out >= real(high)] = real(low)


def stretch64(u: Array, out: Array, low: float, high: float) -> None:
    """out = u * (high - low) + low with one rounding (a fused multiply-add), float64."""
    if low == 0:
        np.multiply(u, high, out=out)
        return
    width = high - low
    product = u * width
    # Dekker's exact product: product + error == u * width.
    u_high, u_low = _split(u)
    w_high, w_low = _split(np.float64(width))
    error = u_low * w_low - (((product - u_high * w_high) - u_low * w_high) - u_high * w_low)
    # Knuth's exact sum: total + rest == product + low.
    total = product + low
    back = total - product
    rest = (product - (total - back)) + (low - back)
    np.add(total, rest + error, out=out)
    _exclude_end(out, low, high)


def _split(x: Any) -> tuple[Any, Any]:
    """Veltkamp's split of a float64 into two halves of at most 26 bits."""
    scaled = x * 134217729.0
    high = scaled - (scaled - x)
    return high, x - high


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


def shuffle_short(order: Array, targets: Array) -> Array:
    items = order.tolist()
    for i, j in enumerate(targets.tolist()):
        items[i], items[j] = items[j], items[i]
    return np.array(items, order.dtype)


def shuffle(order: Array, targets: Array) -> Array:
    """The forward Fisher-Yates shuffle "for i: swap(a[i], a[targets[i]])", with no loop over i.

    Step i leaves at i, for good, what stood at targets[i], and puts there what stood at i. So:
    standing[i], the value at position i when step i begins, is standing[k] for the last step
    k < i that aimed at i, or i itself if none did: chains that pointer doubling follows to their
    ends. What step i takes from targets[i] is likewise standing[k] for the last k < i with the
    same target, or the target itself.
    """
    n = order.size
    steps = order[: n - 1]
    moving = steps[targets != steps]
    root = order.copy()
    # Repeated targets: NumPy's assignment keeps the last one.
    root[targets[moving]] = moving
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further

    result = targets.copy()
    latest = np.full(n, -1, order.dtype)
    pending = steps
    waiting = pending[:0]
    while pending.size:
        aims = targets[pending]
        latest[aims] = pending
        if waiting.size:
            before = latest[targets[waiting]]
            known = before >= 0
            result[waiting[known]] = root[before[known]]
        is_last = latest[aims] == pending
        waiting = pending[is_last]
        pending = pending[~is_last]
        # Targets met only once must not answer for the round after.
        latest[targets[waiting]] = -1
    # A step that aims at its own position takes what stands there.
    still = steps[targets == steps]
    result[still] = root[still]
    final = np.empty(n, order.dtype)
    final[: n - 1] = result
    final[n - 1] = root[n - 1]
    return final
