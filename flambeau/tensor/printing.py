"""How a tensor looks when it is printed, and the options for that.

In: anything with the Tensor API (`dtype`, `shape`, `device`, `requires_grad`, `grad_fn`, and
`numpy()` on its detached self). Out: PyTorch's text for it. `Tensor.__repr__` and
`Parameter.__repr__` are the callers; `flambeau` re-exports `set_printoptions`.

    tensor_str(t)     tensor([[1.0000, 2.5000],
                              [3.0000, 4.0000]], dtype=torch.float64, requires_grad=True)

The values are turned into one NumPy array; a summary takes its corners from that array, and every
text, width and line break is made from the summary alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

@dataclasses.dataclass(slots=True)
class PrintOptions:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}

_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print, from now on and for all threads.

    `profile` is "default", "short" or "full", and the other arguments change it. `sci_mode` goes
    back to None (choose by the values) at each call that does not give it.
    """
    chosen = _PROFILES.get(profile) if profile is not None else None
    if chosen is not None:
        _options.precision = chosen.precision
        _options.threshold = chosen.threshold
        _options.edgeitems = chosen.edgeitems
        _options.linewidth = chosen.linewidth
    if precision is not None:
        _options.precision = precision
    if threshold is not None:
        _options.threshold = threshold
    if edgeitems is not None:
        _options.edgeitems = edgeitems
    if linewidth is not None:
        _options.linewidth = linewidth
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options, as keyword arguments of `set_printoptions`."""
    return dataclasses.asdict(_options)


@contextlib.contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """`set_printoptions(**kwargs)` inside a with statement, undone at its end."""
    before = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**before)


@dataclasses.dataclass(slots=True)
class _Hooks:
    """What printing needs from the packages above it."""

    default_dtype: Callable[[], Any]
    to_numpy: Callable[[Any], Array]


def _plain_numpy(t: Any) -> Array:
    if "bfloat16" in str(t.dtype) or "float8" in str(t.dtype):
        t = t.float()
    # Forced: lazily conjugated or negated values are resolved, and devices left.
    values: Array = t.numpy(force=True)
    return values


_hooks = _Hooks(default_dtype=lambda: "torch.float32", to_numpy=_plain_numpy)


def configure(
    default_dtype: Callable[[], Any] | None = None,
    to_numpy: Callable[[Any], Array] | None = None,
) -> None:
    """Tell printing where the default dtype is kept and how a detached tensor becomes an array.

    The array may have any dtype with a cast to float64 (ml_dtypes' bfloat16, say). Without
    `to_numpy`, `t.numpy(force=True)` is called, after `t.float()` where NumPy lacks the dtype.
    """
    if default_dtype is not None:
        _hooks.default_dtype = default_dtype
    if to_numpy is not None:
        _hooks.to_numpy = to_numpy


# numbers to text


class _Format:
    """One way to write all numbers of a tensor: how many digits, and how wide.

    `width` is what line breaking counts with; a number may be wider (nan in a tensor of 0 and 1).
    """

    def __init__(self, values: Array) -> None:
        self.width = 1
        self.write: Callable[[Any], str] = str
        if values.dtype.kind in "biu":
            self.width = max((len(str(v)) for v in values.ravel().tolist()), default=1)
        else:
            self._choose_float(values.astype(np.float64).ravel())

    def _choose_float(self, values: Array) -> None:
        precision = _options.precision
        finite = values[np.isfinite(values) & (values != 0)]
        if finite.size == 0:
            # Zeros, nan and inf alone are never written in scientific form, options or not.
            self.write = _whole
            return
        whole = bool(np.all(finite == np.ceil(finite)))
        sizes = np.abs(finite)
        largest = float(sizes.max())
        smallest = float(sizes.min())
        scientific = _options.sci_mode
        if scientific is None:
            scientific = largest / smallest > 1000.0 or largest > 1.0e8
            scientific = scientific or (not whole and smallest < 1.0e-4)
        if scientific:
            self.write = f"{{:.{precision}e}}".format
        elif whole:
            self.write = _whole
        else:
            self.write = f"{{:.{precision}f}}".format
        self.width = max(len(self.write(v)) for v in finite.tolist())

    def text(self, value: Any) -> str:
        return self.write(value).rjust(self.width)


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


class _ComplexFormat:
    """The real part padded to its width, the imaginary part not padded."""

    def __init__(self, values: Array) -> None:
        self._real = _Format(values.real)
        self._imag = _Format(values.imag)
        self.width = self._real.width + self._imag.width + 1

    def text(self, value: complex) -> str:
        real = self._real.text(value.real)
        imag = self._imag.write(value.imag) + "j"
        return real + imag if imag[0] in "+-" else f"{real}+{imag}"


# layout


def _corners(values: Array) -> Array:
    """The first and last `edgeitems` along each dimension longer than both together."""
    edge = _options.edgeitems
    for dim, size in enumerate(values.shape):
        if size > 2 * edge:
            kept = [*range(edge), *range(size - edge, size)]
            values = values.take(kept, axis=dim)
    return values


def _vector(texts: Sequence[str], indent: int, width: int, cut: bool) -> str:
    """One row in brackets, broken into lines of as many elements as fit."""
    items = list(texts)
    if cut:
        items.insert(_options.edgeitems, " ...")
    per_line = max(1, math.floor((_options.linewidth - indent) / (width + 2)))
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _nested(
    values: Any, shape: Sequence[int], indent: int, form: _Format | _ComplexFormat, summarize: bool
) -> str:
    """Text of nested lists; `shape` is the tensor's, which tells where a summary left a gap."""
    if not shape:
        return form.text(values)
    cut = summarize and shape[0] > 2 * _options.edgeitems
    if len(shape) == 1:
        return _vector([form.text(v) for v in values], indent, form.width, cut)
    slices = [_nested(row, shape[1:], indent + 1, form, summarize) for row in values]
    if cut:
        slices.insert(_options.edgeitems, "...")
    between = "," + "\n" * (len(shape) - 1) + " " * (indent + 1)
    return "[" + between.join(slices) + "]"


def _contents(t: Any, indent: int) -> str:
    values = _hooks.to_numpy(t.detach())
    summarize = values.size > _options.threshold
    if summarize:
        values = _corners(values)
    if values.dtype.kind == "c":
        form: _Format | _ComplexFormat = _ComplexFormat(values)
    else:
        if values.dtype.kind not in "biu":
            values = values.astype(np.float64)
        form = _Format(values)
    return _nested(values.tolist(), tuple(t.shape), indent, form, summarize)


# what follows the numbers


def _dtype_is_implied(t: Any) -> bool:
    """True where a tensor literal of these values would have this dtype anyway."""
    name = str(t.dtype)
    default = str(_hooks.default_dtype())
    default_complex = "torch.complex128" if default == "torch.float64" else "torch.complex64"
    return name in (default, "torch.int64", "torch.bool", default_complex)


def _autograd_suffix(t: Any) -> list[str]:
    try:
        grad_fn = t.grad_fn
    except RuntimeError:
        # A view whose base was changed so that the view has no derivative any more.
        return ["grad_fn=<Invalid>"]
    if grad_fn is None:
        return ["requires_grad=True"] if t.requires_grad else []
    name = type(grad_fn).__name__
    if name == "CppFunction":
        name = grad_fn.name().rsplit("::", 1)[-1]
    return [f"grad_fn=<{name}>"]


def _device_suffix(t: Any) -> list[str]:
    device = str(t.device)
    return [] if device == "cpu" else [f"device='{device}'"]


def _join(text: str, suffixes: Sequence[str], indent: int) -> str:
    """Append ", suffix" for each, on a new line where the present one would grow too long."""
    parts = [text]
    # As PyTorch counts it: two more than the last line has.
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            length = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join(parts) + ")"


def _is_parameter(kind: type) -> bool:
    return any(base.__name__ == "Parameter" for base in kind.__mro__)


def tensor_str(t: Any, *, tensor_contents: str | None = None) -> str:
    """The text of `repr(t)`; `tensor_contents` stands in for the numbers when given."""
    kind = type(t)
    is_plain = kind.__name__ in ("Tensor", "Parameter")
    prefix = "tensor(" if is_plain else f"{kind.__name__}("
    indent = len(prefix)
    suffixes = _device_suffix(t)
    shape = tuple(t.shape)
    is_meta = "meta" in str(t.device)
    dtype_suffix = [f"dtype={t.dtype}"]
    if is_meta:
        suffixes.append(f"size={shape}")
        suffixes += [] if str(t.dtype) == str(_hooks.default_dtype()) else dtype_suffix
        text = "..."
    elif 0 in shape:
        suffixes += [] if len(shape) == 1 else [f"size={shape}"]
        suffixes += [] if str(t.dtype) == str(_hooks.default_dtype()) else dtype_suffix
        text = "[]"
    else:
        no_edges = _options.edgeitems == 0
        suffixes += [f"size={shape}"] if no_edges else []
        suffixes += [] if _dtype_is_implied(t) else dtype_suffix
        gap = no_edges and shape and math.prod(shape) > _options.threshold
        text = "[...]" if gap else ""
    if tensor_contents is not None:
        text = tensor_contents
    suffixes += _autograd_suffix(t)
    result = _join(prefix + (text or _contents(t, indent)), suffixes, indent)
    if not is_plain and _is_parameter(kind):
        return f"Parameter({result})"
    return result


def parameter_str(t: Any) -> str:
    """The text of `repr` for an `nn.Parameter`."""
    return "Parameter containing:\n" + tensor_str(t)
