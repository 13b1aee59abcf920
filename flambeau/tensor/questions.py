"""What autograd asks of tensors, which it does not know: the other side of `autograd.api.Tensors`.

In: tensors. Out: edges, shapes, fresh tensors, and what custom functions save.
"""
from __future__ import annotations

from typing import Any

from ..autograd import api
from ..autograd.tape import Auto
from ..core.errors import type_string
from ..graph.primitive import broadcast
from ..ops.algebra import full
from . import functionalize as f
from .tensor import Tensor


class _Questions:
    """What autograd.api asks of tensors."""

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, Tensor)

    def edge(self, t: Tensor) -> Any:
        return f.edge_of(t)

    def requires(self, t: Tensor) -> bool:
        return f.requires_grad(t)

    def ones(self, t: Tensor) -> Tensor:
        return f.wrap(full(t._shape, 1, t.dtype))

    def zeros(self, t: Tensor) -> Tensor:
        return f.wrap(full(t._shape, 0, t.dtype))

    def shape(self, t: Tensor) -> tuple[int, ...]:
        return t._shape

    def dtype(self, t: Tensor) -> Any:
        return t.dtype

    def detach(self, t: Tensor) -> Tensor:
        return t.detach()

    # -------------------------------------------------------- for autograd.function

    def describe(self, t: Tensor) -> Any:
        return t._shape, t.dtype

    def full(self, described: Any, value: Any) -> Tensor:
        return f.wrap(full(described[0], value, described[1]))

    def stack(self, rows: list[Tensor]) -> Tensor:
        return _stack[0](rows)

    def differentiable(self, t: Tensor) -> bool:
        return t.dtype.kind in "fc"

    def attach(self, t: Tensor, fn: Any, index: int, dirty: bool, given: bool) -> Tensor:
        """A result of a custom function: `fn` made it (None: nobody); `given`: it is an input."""
        if dirty:
            return _dirtied(t, fn, index)
        if given or (t._auto is not None and (t._auto.requires or t._auto.base is not None)):
            base = t
            t = f.share(t, t._layout, t._shape)
            if given and fn is not None:
                t._auto = Auto(True, fn, index)
                t._auto.base, t._auto.made = base, "custom"
                t._auto.seen = t._counter.version
                return t
        if fn is not None:
            t._auto = Auto(True, fn, index)
        return t

    def pack(self, t: Any, fn: Any, result: Any) -> Any:
        """What to keep of a tensor that forward saved. A result is kept without its step."""
        if t is None:
            return None
        if not isinstance(t, Tensor):
            raise TypeError("save_for_backward can only save variables, but argument 0 is of type "
                            f"{type(t).__name__}")
        packed = f.pack_hooks()
        if packed is not None:
            return _Packed(packed[0](t.detach() if result is not None else t), packed[1])
        if result is not None and result._auto is not None and result._auto.fn is fn:
            return _Own(result.detach(), result._auto.index, result._counter.version)
        return _Kept(t, t._counter.version)

    def unpack(self, kept: Any, fn: Any) -> Any:
        return None if kept is None else kept.get(fn)

    def fit(self, g: Tensor, described: Any, name: str, i: int) -> Tensor:
        """A user's gradient, checked against the input it belongs to."""
        shape, kind = described
        if g._shape != shape:
            try:
                fits = broadcast(g._shape, shape) == g._shape
            except RuntimeError:
                fits = False
            if not fits:
                raise RuntimeError(f"Function {name} returned an invalid gradient at index {i} - "
                                   f"got {list(g._shape)} but expected shape compatible with "
                                   f"{list(shape)}")
            g = g.sum_to_size(shape)
        return g if g.dtype is kind else g.to(kind)


def _dirtied(t: Tensor, fn: Any, index: int) -> Tensor:
    """An input that a custom function wrote to in place: its history is now that function's."""
    if fn is None:
        return t
    auto = t._auto
    if auto is not None and auto.requires and auto.fn is None and auto.base is None:
        raise RuntimeError(f.LEAF)
    if auto is None:
        auto = t._auto = Auto()
    auto.requires, auto.fn, auto.index, auto.leaf = True, fn, index, None
    auto.seen = t._counter.version
    return t


class _Kept:
    """A saved input, and how often it had been written to."""

    __slots__ = ("tensor", "version")

    def __init__(self, tensor: Tensor, version: int) -> None:
        self.tensor = tensor
        self.version = version

    def get(self, fn: Any) -> Tensor:
        t = self.tensor
        if t._counter.version != self.version:
            auto = t._auto
            which = ("" if auto is None or auto.fn is None else
                     f", which is output {auto.index} of {auto.fn.name().split('Backward')[0]},")
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: [{type_string(t.dtype)} {list(t._shape)}]{which} is at "
                f"version {t._counter.version}; expected version {self.version} instead. Hint: "
                "enable anomaly detection to find the operation that failed to compute its "
                "gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).")
        return t


class _Own:
    """A saved result: kept without its history, which leads to the step that keeps it."""

    __slots__ = ("index", "tensor", "version")

    def __init__(self, tensor: Tensor, index: int, version: int) -> None:
        self.tensor = tensor
        self.index = index
        self.version = version

    def get(self, fn: Any) -> Tensor:
        t = f.share(self.tensor, self.tensor._layout, self.tensor._shape)
        t._auto = Auto(True, fn, self.index)
        return _Kept(t, self.version).get(fn)


class _Packed:
    """What a pack hook made of a saved tensor."""

    __slots__ = ("unpack", "value")

    def __init__(self, value: Any, unpack: Any) -> None:
        self.value = value
        self.unpack = unpack

    def get(self, fn: Any) -> Any:
        return self.unpack(self.value)


_stack: list[Any] = [None]


def install(stack: Any) -> None:
    """Hand the answers to autograd; `stack` is torch.stack."""
    _stack[0] = stack
    api.install(_Questions())
