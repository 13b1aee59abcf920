"""torch._foreach_*: one operation on every tensor of a list.

In: lists of tensors, and numbers, lists or a tensor beside them. Out: a list, or for names that end
in `_` nothing: the tensors themselves change. Recording is lazy, so a list costs one program.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .autograd.grad_mode import no_grad
from .tensor.names import PUBLIC
from .tensor.tensor import Tensor

_TORCH = PUBLIC["torch"]
_UNARY = ("abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1",
          "floor", "frac", "lgamma", "log", "log10", "log1p", "log2", "neg", "reciprocal",
          "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc")
_BINARY = {"add": "add", "sub": "sub", "mul": "mul", "div": "div", "pow": "pow",
           "maximum": "maximum", "minimum": "minimum", "clamp_max": "minimum",
           "clamp_min": "maximum"}
_TERNARY = ("addcdiv", "addcmul", "lerp")


def _items(other: Any, n: int) -> list[Any]:
    """What stands beside each tensor: the items of a list, or the same for all."""
    if isinstance(other, (list, tuple)):
        if len(other) != n:
            raise RuntimeError(f"Tensor lists must have the same number of tensors, got {n} and "
                               f"{len(other)}")
        return list(other)
    if isinstance(other, Tensor) and other.dim() == 1 and n != 1 and other.numel() == n:
        return list(other)
    return [other] * n


def _unary(fn: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any) -> list[Any]:
        return [fn(t) for t in self]

    return call


def _operand(fn_name: str, b: Any, like: Any) -> Any:
    if fn_name in ("maximum", "minimum") and not isinstance(b, Tensor):
        return like.new_full((), b)
    return b


def _binary(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, other: Any = None, *, alpha: Any = 1, **named: Any) -> list[Any]:
        if other is None:
            other = next(iter(named.values()))
        if name == "pow" and not isinstance(self, (list, tuple)):
            return [fn(self, b) for b in other]
        beside = _items(other, len(self))
        more = {} if alpha == 1 else {"alpha": alpha}
        return [fn(t, _operand(name, b, t), **more) for t, b in zip(self, beside)]

    return call


def _ternary(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, a: Any, b: Any = None, value: Any = 1, *, scalars: Any = None,
             weight: Any = None) -> list[Any]:
        n = len(self)
        if name == "lerp":
            factors = _items(weight if b is None else b, n)
            return [fn(t, x, w) for t, x, w in zip(self, a, factors)]
        if scalars is not None:
            value = scalars
        values = value.tolist() if isinstance(value, Tensor) else value
        return [fn(t, x, y, value=v)
                for t, x, y, v in zip(self, a, b, _items(values, n))]

    return call


def _in_place(fn: Callable[..., Any]) -> Callable[..., None]:
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        for t, value in zip(self, fn(self, *args, **kwargs)):
            t.copy_(value)

    return call


def _foreach_norm(self: Any, ord: Any = 2, dtype: Any = None) -> list[Any]:
    """Each tensor's norm over all its elements."""
    norm = PUBLIC["linalg"]["vector_norm"]
    return [norm(t, ord, dtype=dtype) for t in self]


def _foreach_max(self: Any) -> list[Any]:
    return [_TORCH["amax"](t) for t in self]


def _foreach_copy_(self: Any, src: Any, non_blocking: bool = False) -> None:
    for t, value in zip(self, _items(src, len(self))):
        t.copy_(value)


def _foreach_zero_(self: Any) -> None:
    for t in self:
        t.zero_()


def _foreach_clone(self: Any) -> list[Any]:
    return [t.clone() for t in self]


def _amp_foreach_non_finite_check_and_unscale_(self: Any, found_inf: Any, inv_scale: Any) -> None:
    """Multiply by inv_scale; found_inf becomes 1 if anything is not finite."""
    with no_grad():
        for t in self:
            bad = _TORCH["logical_not"](_TORCH["isfinite"](t)).any()
            found_inf.copy_(_TORCH["maximum"](found_inf, bad.to(found_inf.dtype)))
            t.mul_(inv_scale)


def _all() -> dict[str, Callable[..., Any]]:
    made: dict[str, Callable[..., Any]] = {name: _unary(_TORCH[name]) for name in _UNARY}
    made.update({name: _binary(op, _TORCH[op]) for name, op in _BINARY.items()})
    made.update({name: _ternary(name, _TORCH[name]) for name in _TERNARY})
    named = {}
    for name, fn in made.items():
        for full, call in ((f"_foreach_{name}", fn), (f"_foreach_{name}_", _in_place(fn))):
            call.__name__ = call.__qualname__ = full
            named[full] = call
    return named


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_all(), "_foreach_norm": _foreach_norm, "_foreach_max": _foreach_max,
    "_foreach_copy_": _foreach_copy_, "_foreach_zero_": _foreach_zero_,
    "_foreach_clone": _foreach_clone,
    "_amp_foreach_non_finite_check_and_unscale_": _amp_foreach_non_finite_check_and_unscale_,
}
