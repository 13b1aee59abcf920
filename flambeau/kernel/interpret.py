"""The meaning of the loop IR, in NumPy: the executable specification of kernels.

In: a `Kernel` and flat arrays, one for each buffer (or one for each slot, as bytes of any type).
Out: the arrays, written in place. Called by tests and by FLAMBEAU_CHECK=interp, which compare
machine code with it. Obviously right comes before fast: outer loops run one iteration at a time,
vector loops as one NumPy expression.

    interpret(kernel, {b0: np.ones(4, "f"), b1: np.zeros(4, "f")})
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.dtype import dtype
from ..core.symbol import Div, Index, Mod, Opaque, Var
from .loopnest import (
    Accumulate,
    Buffer,
    Call,
    Cast,
    Const,
    FromIndex,
    Kernel,
    Let,
    Load,
    Loop,
    Read,
    Repeat,
    Stmt,
    Store,
    Target,
    Value,
)

Array = Any                          # a NumPy array or scalar of any type


def interpret(kernel: Kernel | Repeat, memory: Mapping[Buffer | int, Array],
              turn: int = 0) -> None:
    """Run `kernel` on `memory`: an array for each Buffer, or for each slot's number (which a Repeat
    needs). `turn` says where buffers that move are."""
    if isinstance(kernel, Repeat):
        for t in range(kernel.count):
            for inner in kernel.kernels:
                interpret(inner, memory, t)
        return
    places: dict[Target, Array] = {b: _place(b, memory, turn) for b in kernel.buffers}
    for m in kernel.locals:
        places[m] = np.zeros(m.size, m.dtype.numpy)
    with np.errstate(all="ignore"):
        _Run(places).body(kernel.body)


def _place(b: Buffer, memory: Mapping[Buffer | int, Array], turn: int) -> Array:
    found = memory.get(b)
    if found is None:
        raw = memory[b.slot].view(np.uint8)
        start = b.offset + turn * b.step
        return raw[start:start + b.size * b.dtype.itemsize].view(b.dtype.numpy)
    return found.reshape(-1)


class _Run:
    """The state of a run: memory, loop variables (numbers or whole vectors), bound names."""

    def __init__(self, places: dict[Target, Array]) -> None:
        self.places = places
        self.variables: dict[Var, Any] = {}
        self.names: dict[str, Array] = {}
        self.lanes: int | None = None

    # ------------------------------------------------------------ statements

    def body(self, stmts: tuple[Stmt, ...]) -> None:
        for s in stmts:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        if isinstance(s, Loop):
            self.loop(s)
        elif isinstance(s, Let):
            self.names[s.name] = self.value(s.value)
        elif isinstance(s, Store):
            self.store(s)
        elif isinstance(s, Accumulate):
            self.accumulate(s)

    def loop(self, s: Loop) -> None:
        if s.kind == "vector" and s.var.extent > 0:
            self.variables[s.var] = np.arange(s.var.extent)
            self.lanes = s.var.extent
            self.body(s.body)
            self.lanes = None
            return
        end = s.var.extent if s.stop is None else min(s.var.extent, int(self.index(s.stop)))
        for k in range(end):
            self.variables[s.var] = k
            self.body(s.body)

    def spread(self, x: Any) -> Array:
        """A value, or an index, in each lane."""
        return np.broadcast_to(x, () if self.lanes is None else (self.lanes,))

    def store(self, s: Store) -> None:
        at = self.spread(self.index(s.index))
        v = self.spread(self.value(s.value))
        mask = self.spread(True if s.mask is None else self.value(s.mask))
        self.places[s.target][at[mask]] = v[mask]

    def accumulate(self, s: Accumulate) -> None:
        at = self.spread(self.index(s.index)).reshape(-1)
        d = s.target.dtype
        place = self.places[s.target]
        if s.op == "fma" and isinstance(s.value, Call) and s.value.op == "mul":
            a, b = (self.spread(self.value(x)).reshape(-1) for x in s.value.args)
            for k, i in enumerate(at):
                place[i] = _fma(_wide(a[k]), _wide(b[k]), _wide(place[i])).astype(d.numpy)
            return
        v = self.spread(self.value(s.value)).reshape(-1)
        op = "add" if s.op == "fma" else s.op
        if len(at) > 1 and (at == at[0]).all():
            self._reduce(place, int(at[0]), op, v, d)
            return
        for k, i in enumerate(at):
            place[i] = _apply(op, [place[i], v[k]], d, d)

    def _reduce(self, place: Array, i: int, op: str, v: Array, d: dtype) -> None:
        """All lanes into one element; floats in double, for the order is free."""
        if d.kind == "f" and op in ("add", "mul"):
            wide = v.astype(np.float64)
            total = wide.sum() if op == "add" else wide.prod()
            old = np.float64(place[i])
            place[i] = (old + total if op == "add" else old * total).astype(d.numpy)
            return
        for x in v:
            place[i] = _apply(op, [place[i], x], d, d)

    # ------------------------------------------------------------ indices

    def index(self, x: Index) -> Any:
        total: Any = x.const
        for atom, c in x.terms:
            total = total + c * self.atom(atom)
        return total

    def atom(self, a: Var | Div | Mod | Opaque) -> Any:
        if isinstance(a, Var):
            return self.variables[a]
        if isinstance(a, Opaque):
            return np.asarray(self.value(a.value)).astype(np.int64)  # type: ignore[arg-type]
        inner = self.index(a.num)
        return inner // a.den if isinstance(a, Div) else inner % a.den

    # ------------------------------------------------------------ values

    def value(self, v: Value) -> Array:
        if isinstance(v, Const):
            return convert(np.asarray(v.value), v.dtype)
        if isinstance(v, Read):
            return self.names[v.name]
        if isinstance(v, FromIndex):
            return np.asarray(self.index(v.index)).astype(v.dtype.numpy)
        if isinstance(v, Cast):
            return convert(self.value(v.value), v.dtype)
        if isinstance(v, Load):
            return self.load(v)
        args = [self.value(a) for a in v.args]
        return _apply(v.op, args, v.args[-1].dtype, v.dtype)

    def load(self, v: Load) -> Array:
        place = self.places[v.source]
        at = self.spread(self.index(v.index))
        if v.mask is None:
            if at.size and (at.min() < 0 or at.max() >= place.size):
                raise IndexError(f"{v.source.name}[{v.index}] is out of range")
            return place[at]
        mask = self.spread(self.value(v.mask))
        out = np.full(at.shape, convert(np.asarray(v.other), v.dtype))
        out[mask] = place[at[mask]]
        return out


# ---------------------------------------------------------------- conversions


def _wide(x: Array) -> Array:
    """float16 and bfloat16 as the float32 they are computed in."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def convert(x: Array, to: dtype) -> Array:
    """`x` as C converts it; see `loopnest.Cast`."""
    x = np.asarray(x)
    wide = _wide(x)
    if to.kind == "b":
        return wide != 0
    if to.kind == "f":
        if to.itemsize == 2:
            wide = wide.astype(np.float32)
        return wide.astype(to.numpy)
    if wide.dtype.kind != "f":
        return wide.astype(to.numpy)
    if to.name == "uint64":
        large = wide >= 2.0 ** 63
        whole = _truncate(np.where(large, wide - wide.dtype.type(2.0 ** 63), wide), 64)
        return whole.astype(np.uint64) ^ np.where(large, np.uint64(1 << 63), np.uint64(0))
    bits = 64 if to.name in ("int64", "uint32") else 32
    return _truncate(wide, bits).astype(to.numpy)


def _truncate(x: Array, bits: int) -> Array:
    """Toward zero; the least integer for NaN and what does not fit, as x86 does."""
    edge = 2.0 ** (bits - 1)
    fits = (x >= -edge) & (x < edge)
    return np.where(fits, np.where(fits, x, 0).astype(np.int64), -(1 << (bits - 1)))


# ---------------------------------------------------------------- operations


def _apply(op: str, args: list[Array], d: dtype, result: dtype) -> Array:
    """An operation on values of `d`: small floats in float32, rounded to `result`."""
    if op == "bitcast":
        return np.asarray(args[0]).view(result.numpy)
    if op == "where":
        return np.where(args[0], args[1], args[2])
    if op == "nextafter":
        return np.nextafter(args[0], args[1])
    if op in ("fma",):
        return _fma(*(_wide(np.asarray(a)) for a in args)).astype(result.numpy)
    wide = [_wide(np.asarray(a)) for a in args]
    found = INTEGER.get(op) if d.kind in "iub" else None
    return np.asarray((found or PLAIN[op])(*wide)).astype(result.numpy)


def _fma(a: Array, b: Array, c: Array) -> Array:
    """a * b + c rounded once: exact in long double for float32, near enough for float64."""
    if a.dtype.kind != "f":
        return a * b + c
    if a.dtype == np.float32:
        product = a.astype(np.float64) * b.astype(np.float64)
        return _add_once(product, c.astype(np.float64))
    wide = a.astype(np.longdouble) * b.astype(np.longdouble) + c.astype(np.longdouble)
    return wide.astype(a.dtype)


def _add_once(x: Array, y: Array) -> Array:
    """x + y rounded to float32 without rounding twice: the double sum is made odd if inexact."""
    s = np.asarray(x + y)
    back = s - x
    lost = (x - (s - back)) + (y - back)
    bits = s.view(np.int64)
    toward = np.where((lost > 0) == (s > 0), 1, -1)
    odd = np.where((lost != 0) & np.isfinite(s) & (bits & 1 == 0), bits + toward, bits)
    return odd.view(np.float64).astype(np.float32)


def _libm(name: str) -> Callable[..., Array]:
    """A function of `math`, element by element, NaN where it has no value."""
    function = getattr(math, name)

    def one(*x: float) -> float:
        if any(math.isnan(v) for v in x):
            return math.nan
        try:
            return float(function(*x))
        except (ValueError, OverflowError):
            return math.inf if name == "lgamma" else math.nan

    vectorised = np.vectorize(one, otypes=[np.float64])
    return lambda *x: vectorised(*(v.astype(np.float64) for v in x))


def _wide_function(f: Callable[..., Array]) -> Callable[..., Array]:
    """A NumPy function computed in double at least."""
    return lambda *x: f(*(v.astype(np.longdouble if v.dtype == np.float64 else np.float64)
                          for v in x))


def _mod(a: Array, b: Array) -> Array:
    r = np.fmod(a, b)
    return np.where((r != 0) & (np.signbit(r) != np.signbit(b)), r + b, r)


def _floordiv(a: Array, b: Array) -> Array:
    """As PyTorch: from the exact remainder, then to the nearest integer below."""
    r = np.fmod(a, b)
    q = (a - r) / b
    q = np.where((r != 0) & (np.signbit(r) != np.signbit(b)), q - 1, q)
    down = np.floor(q)
    down = np.where(q - down > 0.5, down + 1, down)
    down = np.where(q != 0, down, np.copysign(np.zeros_like(q), a / b))
    return np.where(b == 0, a / b, down).astype(a.dtype)


def _erfinv(x: Array) -> Array:
    def one(y: float) -> float:
        if math.isnan(y) or abs(y) > 1:
            return math.nan
        if abs(y) == 1:
            return math.copysign(math.inf, y)
        low, high = 0.0, 7.0
        for _ in range(250):
            middle = (low + high) / 2
            if (math.erf(middle) < abs(y)) if abs(y) < 0.5 else \
                    (math.erfc(middle) > 1 - abs(y)):
                low = middle
            else:
                high = middle
        return math.copysign(low, y)
    return np.vectorize(one, otypes=[np.float64])(x.astype(np.float64))


def _digamma(x: Array) -> Array:
    def one(y: float) -> float:
        if math.isnan(y) or y == -math.inf:
            return math.nan
        if y == 0:
            return math.copysign(math.inf, -y)
        if y < 0:
            if y == math.floor(y):
                return math.nan
            return one(1 - y) - math.pi / math.tan(math.pi * (y - math.trunc(y)))
        total = 0.0
        while y < 20:
            total -= 1 / y
            y += 1
        z = 1 / (y * y)
        return total + math.log(y) - 0.5 / y - z * (
            1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 0.0211)))))
    return np.vectorize(one, otypes=[np.float64])(x.astype(np.float64))


def _sign(x: Array) -> Array:
    return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), where exp overflows in the type of x."""
    wide = x.astype(np.longdouble if x.dtype == np.float64 else np.float64)
    e = np.exp(-wide)
    e = np.where(e > np.finfo(x.dtype).max, np.inf, e)
    return 1 / (1 + e)


PLAIN: dict[str, Callable[..., Array]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "abs": np.abs, "min": np.minimum, "max": np.maximum, "fmin": np.fmin, "fmax": np.fmax,
    "floordiv": _floordiv, "truncdiv": lambda a, b: np.trunc(a / b), "mod": _mod, "rem": np.fmod,
    "pow": _wide_function(np.power),
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal,
    "exp": _wide_function(np.exp), "exp2": _wide_function(np.exp2),
    "expm1": _wide_function(np.expm1), "log": _wide_function(np.log),
    "log2": _wide_function(np.log2), "log10": _wide_function(np.log10),
    "log1p": _wide_function(np.log1p), "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "sin": _wide_function(np.sin), "cos": _wide_function(np.cos), "tan": _wide_function(np.tan),
    "asin": _wide_function(np.arcsin), "acos": _wide_function(np.arccos),
    "atan": _wide_function(np.arctan), "atan2": _wide_function(np.arctan2),
    "sinh": _wide_function(np.sinh), "cosh": _wide_function(np.cosh),
    "tanh": _wide_function(np.tanh), "asinh": _wide_function(np.arcsinh),
    "acosh": _wide_function(np.arccosh), "atanh": _wide_function(np.arctanh),
    "erf": _libm("erf"), "erfc": _libm("erfc"), "erfinv": _erfinv, "lgamma": _libm("lgamma"),
    "digamma": _digamma, "sigmoid": _sigmoid,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round": np.rint,
    "isnan": np.isnan, "isinf": np.isinf, "sign": _sign, "signbit": np.signbit,
    "copysign": np.copysign,
}


def _divide(a: int, b: int) -> tuple[int, int]:
    """C's quotient and remainder; 0 and 0 where b is 0."""
    a, b = int(a), int(b)
    if b == 0:
        return 0, 0
    q = abs(a) // abs(b)
    q = q if (a < 0) == (b < 0) else -q
    return q, a - q * b


def _exactly(f: Callable[..., int]) -> Callable[..., Array]:
    """A function of Python integers on arrays, wrapped to the type of the first."""
    def apply(*x: Array) -> Array:
        bits: int = 8 * x[0].dtype.itemsize

        def one(*v: int) -> int:
            y = f(bits, *(int(k) for k in v)) & ((1 << bits) - 1)
            negative = x[0].dtype.kind == "i" and y >> (bits - 1) != 0
            return y - (1 << bits) if negative else y
        return np.asarray(np.frompyfunc(one, len(x), 1)(*x)).astype(x[0].dtype)
    return apply


def _pow(bits: int, a: int, b: int) -> int:
    if b >= 0:
        return int(pow(a, b, 1 << bits))
    return 1 if a == 1 else 1 - 2 * (b & 1) if a == -1 else 0


def _shr(bits: int, a: int, b: int) -> int:
    if 0 <= b < bits:
        return a >> b
    return -1 if a < 0 else 0


def _no(x: Array) -> Array:
    return np.zeros(np.shape(x), bool)


INTEGER: dict[str, Callable[..., Array]] = {
    "add": lambda a, b: a | b if a.dtype == bool else a + b,
    "sub": lambda a, b: a ^ b if a.dtype == bool else a - b,
    "mul": lambda a, b: a & b if a.dtype == bool else a * b,
    "min": np.minimum, "max": np.maximum, "fmin": np.minimum, "fmax": np.maximum,
    "div": _exactly(lambda bits, a, b: _divide(a, b)[0]),
    "truncdiv": _exactly(lambda bits, a, b: _divide(a, b)[0]),
    "rem": _exactly(lambda bits, a, b: _divide(a, b)[1]),
    "floordiv": _exactly(lambda bits, a, b: a // b if b else 0),
    "mod": _exactly(lambda bits, a, b: a % b if b else 0),
    "pow": _exactly(_pow),
    "shl": _exactly(lambda bits, a, b: a << b if 0 <= b < bits else 0),
    "shr": _exactly(_shr),
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.bitwise_not,
    "floor": np.array, "ceil": np.array, "trunc": np.array, "round": np.array,
    "isnan": _no, "isinf": _no,
    "sign": lambda x: x if x.dtype.kind in "ub" and x.dtype == bool else np.sign(x),
    "signbit": lambda x: x < 0,
    "popcount": lambda x: np.bitwise_count(x.view(f"u{x.dtype.itemsize}")),
}
