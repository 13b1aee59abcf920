"""What SummaryWriter writes: the bytes of `Summary` messages, made from numbers, arrays and text.

In: tags and values (tensors, NumPy arrays, Python numbers). Out: bytes of protocol buffers; the
field numbers are those of TensorBoard's summary.proto, tensor.proto and hparams' plugin_data.proto.
"""
from __future__ import annotations

import io
import time
import wave
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._png import encode
from . import _protobuf as pb

Array = np.ndarray[Any, Any]

DT_FLOAT, DT_DOUBLE, DT_STRING = 1, 2, 7
HPARAM_STRING, HPARAM_BOOL, HPARAM_NUMBER = 1, 2, 3
SUCCESS = 1


def make_np(x: Any) -> Array:
    """A tensor, array, number or list as a NumPy array."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        if str(x.dtype) == "torch.bfloat16":
            x = x.float()
        return np.asarray(x.numpy())
    if isinstance(x, (str, bytes)) or x is None:
        raise NotImplementedError(f"Got {type(x)}, but numpy array or torch tensor are expected.")
    return np.asarray(x)


def _value(tag: str, what: bytes, plugin: str = "", content: bytes = b"") -> bytes:
    """A Summary of one value."""
    metadata = b""
    if plugin:
        metadata = pb.data(9, pb.data(1, pb.text(1, plugin) + pb.data(2, content)))
    return pb.data(1, pb.text(1, tag) + metadata + what)


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> bytes:
    number = make_np(value).reshape(-1)
    if number.size != 1:
        raise ValueError(f"scalar should be 0D, got {number.size} elements for {tag!r}")
    found = float(number[0])
    if not new_style:
        return _value(tag, pb.single(2, found))
    if double_precision:
        tensor = pb.integer(1, DT_DOUBLE) + pb.doubles(6, [found])
    else:
        tensor = pb.integer(1, DT_FLOAT) + pb.single(5, found)
    return _value(tag, pb.data(8, tensor), "scalars")


def tensorflow_bins() -> Array:
    """TensorBoard's own bins: each a tenth wider than the last, to both sides of 0."""
    right = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate([-right[::-1], [0.0], right])


def histogram(tag: str, values: Any, bins: Any = "tensorflow",
              max_bins: int | None = None) -> bytes:
    """The counts of values in bins ("tensorflow", or what numpy.histogram takes)."""
    flat = make_np(values).reshape(-1).astype(np.float64)
    if not flat.size:
        raise ValueError("The input has no element.")
    if not np.isfinite(flat).all():
        raise ValueError("The histogram is empty, please file a bug report." if np.isnan(flat).all()
                         else "autodetected range of the histogram is not finite")
    counts, limits = np.histogram(flat, tensorflow_bins() if bins == "tensorflow" else bins)
    if max_bins is not None and len(counts) > max_bins:
        step = -(-len(counts) // max_bins)
        starts = np.arange(0, len(counts), step)
        counts = np.add.reduceat(counts, starts)
        limits = np.append(limits[starts], limits[-1])
    used = np.flatnonzero(counts)
    first, last = (used[0], used[-1]) if used.size else (0, len(counts) - 1)
    # Each count belongs to what lies below its limit; an empty one marks where they begin.
    edges = [limits[first], *limits[first + 1 : last + 2]]
    return histogram_raw(tag, flat.min(), flat.max(), flat.size, flat.sum(), (flat**2).sum(),
                         edges, [0, *counts[first : last + 1]])


def histogram_raw(tag: str, low: float, high: float, num: float, total: float, squares: float,
                  bucket_limits: Sequence[float], bucket_counts: Sequence[float]) -> bytes:
    if len(bucket_limits) != len(bucket_counts):
        raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
    parts = (low, high, num, total, squares)
    message = b"".join(pb.double(i + 1, float(v)) for i, v in enumerate(parts))
    message += pb.doubles(6, map(float, bucket_limits)) + pb.doubles(7, map(float, bucket_counts))
    return _value(tag, pb.data(5, message))


def pixels_of(image: Any, formats: str) -> Array:
    """uint8 pixels (height, width, channels); float values are from 0 to 1."""
    array = make_np(image)
    formats = formats.upper()
    if len(set(formats)) != len(formats) or array.ndim != len(formats):
        raise AssertionError("size of input tensor and input format are different. "
                             f"tensor shape: {array.shape}, input_format: {formats}")
    if array.dtype != np.uint8:
        array = (array.astype(np.float32) * 255).clip(0, 255).astype(np.uint8)
    if "N" in formats:
        return _tiled(np.transpose(array, [formats.index(c) for c in "NHWC" if c in formats]))
    array = np.transpose(array, [formats.index(c) for c in "HWC" if c in formats])
    return array[:, :, None].repeat(3, 2) if array.ndim == 2 else array


def _tiled(images: Array, columns: int = 8) -> Array:
    """Images (n, height, width[, channels]) in one picture, row by row."""
    if images.ndim == 3:
        images = images[..., None].repeat(3, 3)
    count, height, width, channels = images.shape
    across = min(count, columns)
    down = -(-count // across)
    whole = np.zeros((down * height, across * width, channels), np.uint8)
    for i, image in enumerate(images):
        top, left = i // across * height, i % across * width
        whole[top : top + height, left : left + width] = image
    return whole


def image(tag: str, tensor: Any, dataformats: str = "NCHW") -> bytes:
    pixels = pixels_of(tensor, dataformats)
    height, width, channels = pixels.shape
    message = (pb.integer(1, height) + pb.integer(2, width) + pb.integer(3, channels)
               + pb.data(4, encode(np.ascontiguousarray(pixels))))
    return _value(tag, pb.data(4, message))


def audio(tag: str, tensor: Any, sample_rate: int = 44100) -> bytes:
    """A sound of values from -1 to 1, (1, n) or (n,), as a wave file of 16 bits."""
    sound = np.clip(make_np(tensor).reshape(-1).astype(np.float64), -1, 1)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.writeframes((sound * 32767).astype("<i2").tobytes())
    message = (pb.single(1, sample_rate) + pb.integer(2, 1) + pb.integer(3, len(sound))
               + pb.data(4, file.getvalue()) + pb.text(5, "audio/wav"))
    return _value(tag, pb.data(6, message))


def text(tag: str, words: str) -> bytes:
    shape = pb.data(2, pb.data(2, pb.integer(1, 1)))
    tensor = pb.integer(1, DT_STRING) + shape + pb.text(8, words)
    return _value(f"{tag}/text_summary", pb.data(8, tensor), "text")


def hparams(given: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[bytes, bytes, bytes]:
    """What the plugin wants of a run: the experiment, how it began, that it ended well."""
    infos, values = b"", b""
    for name, value in given.items():
        kind, what = _hparam(name, value)
        infos += pb.data(4, pb.text(1, name) + pb.integer(4, kind))
        values += pb.data(1, pb.text(1, name) + pb.data(2, what))
    for name in metrics:
        infos += pb.data(5, pb.data(1, pb.text(2, name)))
    now = time.time()
    parts = {"experiment": pb.data(2, infos + pb.double(3, now)),
             "session_start_info": pb.data(3, values + pb.double(5, now)),
             "session_end_info": pb.data(4, pb.integer(1, SUCCESS) + pb.double(2, now))}
    found = [_value(f"_hparams_/{name}", b"", "hparams", content)
             for name, content in parts.items()]
    return found[0], found[1], found[2]


def _hparam(name: str, value: Any) -> tuple[int, bytes]:
    """The type of a hyperparameter and its value as google.protobuf.Value."""
    if isinstance(value, str):
        return HPARAM_STRING, pb.text(3, value)
    if isinstance(value, bool):
        return HPARAM_BOOL, pb.integer(4, value)
    if not isinstance(value, (int, float)):
        array = make_np(value) if hasattr(value, "dtype") else None
        if array is None or array.size != 1:
            raise ValueError("value should be one of int, float, str, bool, or torch.Tensor; "
                             f"{name} is {type(value).__name__}")
        value = array.item()
    return HPARAM_NUMBER, pb.double(2, float(value))
