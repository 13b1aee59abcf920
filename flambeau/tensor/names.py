"""Gives every entry of the table its public names.

In: `ops.table.TABLE`. Out: `PUBLIC`, functions by namespace ("torch", "nn.functional", ...),
and the methods and operators of Tensor.
"""
from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from .. import ops
from ..core.device import META
from ..core.errors import NotBatched, scalar_name  # noqa: F401  (re-exported for messages)
from ..autograd.grad_mode import state
from ..autograd.tape import named
from ..graph.realize import realize
from ..ops.table import TABLE, Entry
from ..ops.view import T, mT
from .creation import as_tensor
from .autocast import casting
from .dispatch import function
from .functionalize import read, requires_grad
from .inplace import inplace
from .labels import CHOOSE, of_name
from .override import ask, asks
from .tensor import Tensor
from .views import SEVERAL, as_strided, inplace_view, several, view

PUBLIC: dict[str, dict[str, Callable[..., Any]]] = {"torch": {}}
ATTRIBUTES = frozenset({"T", "mT", "H", "mH", "real", "imag"})


def load() -> None:
    """Import every file of ops, so that the table is full."""
    folder = os.path.dirname(ops.__file__)
    for file in sorted(os.listdir(folder)):
        if file.endswith(".py") and file != "__init__.py":
            importlib.import_module(f"{ops.__name__}.{file[:-3]}")


def attach() -> None:
    """Make the functions of all entries and put them where PyTorch has them."""
    for name, entry in TABLE.items():
        _attach(name, entry)
    for name, form, label in (("T", T, "PermuteBackward0"), ("mT", mT, "TransposeBackward0")):
        _method(name, property(view(name, form, form, named(label))))
    PUBLIC["torch"]["as_strided"] = as_strided
    Tensor.as_strided = as_strided  # type: ignore[attr-defined]
    real, imag = PUBLIC["torch"].get("real"), PUBLIC["torch"].get("imag")
    if real is not None and imag is not None:
        Tensor.imag = property(imag, _assign("imag"))  # type: ignore[attr-defined]
        PUBLIC["torch"]["real"] = part = _real_part(real)
        Tensor.real = property(part, _assign("real"))  # type: ignore[attr-defined]
    _operators()
    root = __name__.partition(".")[0]
    for space, functions in PUBLIC.items():
        for fn in functions.values():
            # Where pickle looks for it.
            fn.__module__ = root if space == "torch" else f"{root}.{space}"


def _real_part(real: Callable[..., Any]) -> Callable[..., Any]:
    """torch.real, for which a real tensor is its own real part."""
    @functools.wraps(real)
    def call(input: Tensor) -> Tensor:
        return real(input) if input.dtype.is_complex else input
    return call


def _assign(part: str) -> Callable[[Tensor, Any], None]:
    """`x.real = values`: a write into that view."""
    def setter(t: Tensor, values: Any) -> None:
        getattr(t, part)[...] = values
    return setter


def _attach(name: str, entry: Entry) -> None:
    space, _, short = name.rpartition(".")
    label = of_name(short)
    if short in SEVERAL:
        assert entry.view is not None, short
        made = several(short, entry.fn, entry.view, label)
    elif entry.view is not None:
        made = view(short, entry.fn, entry.view, label)
    else:
        made = casting(short, function(short, entry.fn, label, CHOOSE.get(short)))
        if entry.now:
            made = _at_once(made)
        if entry.fixed is not None:
            made = _refusing(made, entry)
    if space == "nn.functional" and short in INPLACE:
        made = _with_flag(made, entry, inplace(short + "_", entry.fn, label))
    if space in ("", "torch"):
        PUBLIC["torch"][short] = made
    elif space != "Tensor":
        PUBLIC.setdefault(space, {})[short] = made
    if space in ("", "Tensor"):
        _method(short, property(made) if short in ATTRIBUTES else made)
    if not entry.inplace:
        return
    if entry.view is not None:
        changed = inplace_view(short + "_", entry.fn, entry.view, label)
    else:
        changed = inplace(short + "_", entry.fn, label)
    if space in ("", "torch"):
        PUBLIC["torch"][short + "_"] = changed
    elif space != "Tensor":
        PUBLIC.setdefault(space, {})[short + "_"] = changed
    if space in ("", "Tensor"):
        _method(short + "_", changed)


def _at_once(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function whose result is computed when it returns: what it refuses, it refuses here."""
    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = fn(*args, **kwargs)
        if isinstance(result, Tensor) and result._storage.device is not META:
            with suppress(NotBatched):          # computed with the rest of the batch
                realize([read(result)])
        return result
    return call


def _refusing(fn: Callable[..., Any], entry: Entry) -> Callable[..., Any]:
    """The function that refuses arguments by which it has no gradient, if they want one."""
    code = entry.fn.__code__
    names = code.co_varnames[:code.co_argcount]
    fixed = entry.fixed
    assert fixed is not None

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(names, args)), **kwargs}
        inner, refused = fixed(given)
        for name in refused:
            t = given.get(name)
            if isinstance(t, Tensor) and requires_grad(t) and state.grad:
                raise RuntimeError(f"The function '{inner}' is not differentiable with respect to "
                                   f"argument '{name}'. This input cannot have requires_grad "
                                   "True.")
        return fn(*args, **kwargs)
    return call


# Activations with a last argument `inplace`.
INPLACE = frozenset({"relu", "relu6", "elu", "selu", "celu", "leaky_relu", "hardtanh", "hardswish",
                     "hardsigmoid", "silu", "mish", "threshold"})


def _with_flag(plain: Callable[..., Any], entry: Entry, changing: Callable[..., Any],
               ) -> Callable[..., Any]:
    """nn.functional's form of an activation: its last argument is `inplace`."""
    code = entry.fn.__code__
    places = code.co_argcount
    if "inplace" in code.co_varnames[:places + code.co_kwonlyargcount]:
        return plain

    def call(*args: Any, inplace: bool = False, **kwargs: Any) -> Any:
        if len(args) == places + 1:
            inplace = args[-1]
            args = args[:-1]
        if args and args[0].__class__ is not Tensor and asks(args[0]):
            return ask(call, args, {**kwargs, "inplace": inplace})
        return changing(*args, **kwargs) if inplace else plain(*args, **kwargs)

    call.__name__ = call.__qualname__ = plain.__name__
    call.__doc__ = plain.__doc__
    plain.__public__ = call  # type: ignore[attr-defined]
    return call


def _method(name: str, made: Any) -> None:
    """A method, unless a file of this package wrote it by hand."""
    if name not in Tensor.__dict__:
        setattr(Tensor, name, made)


# ---------------------------------------------------------------- operators

OPERANDS = (Tensor, int, float, complex, np.generic)
BINARY = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide",
          "mod": "remainder", "pow": "pow", "and": "bitwise_and", "or": "bitwise_or",
          "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
          "matmul": "matmul"}
COMPARE = ("eq", "ne", "lt", "le", "gt", "ge")
UNARY = {"neg": "neg", "pos": "positive", "abs": "abs", "invert": "bitwise_not"}


def _operators() -> None:
    torch = PUBLIC["torch"]
    for operator, name in BINARY.items():
        if name not in torch:
            continue
        fn = torch[name]
        operands = (Tensor,) if operator == "matmul" else OPERANDS
        setattr(Tensor, f"__{operator}__", _forward(fn, operands, f"__{operator}__"))
        setattr(Tensor, f"__r{operator}__", _reflected(fn, operands, f"__r{operator}__"))
        changed = getattr(Tensor, name + "_", None)
        if changed is not None and operator != "matmul":
            setattr(Tensor, f"__i{operator}__", _forward(changed, operands, f"__i{operator}__"))
    for name in COMPARE:
        if name in torch:
            setattr(Tensor, f"__{name}__", _forward(torch[name], OPERANDS, f"__{name}__"))
    for operator, name in UNARY.items():
        if name in torch:
            setattr(Tensor, f"__{operator}__", _unary(torch[name], f"__{operator}__"))
    if "div" in torch:
        Tensor.__div__ = Tensor.__truediv__  # type: ignore[attr-defined]
        Tensor.__rdiv__ = Tensor.__rtruediv__  # type: ignore[attr-defined]
        Tensor.__idiv__ = Tensor.__itruediv__  # type: ignore[attr-defined]


def _forward(fn: Callable[..., Any], operands: tuple[type, ...], name: str) -> Callable[..., Any]:
    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, operands):
            return fn(self, other)
        if isinstance(other, np.ndarray):
            return fn(self, as_tensor(other))
        return NotImplemented

    operator.__name__ = name
    return operator


def _reflected(fn: Callable[..., Any], operands: tuple[type, ...], name: str,
               ) -> Callable[..., Any]:
    def operator(self: Tensor, other: Any) -> Any:
        if isinstance(other, operands):
            return fn(other, self)
        if isinstance(other, np.ndarray):
            return fn(as_tensor(other), self)
        return NotImplemented

    operator.__name__ = name
    return operator


def _unary(fn: Callable[..., Any], name: str) -> Callable[..., Any]:
    def operator(self: Tensor) -> Any:
        return fn(self)

    operator.__name__ = name
    return operator
