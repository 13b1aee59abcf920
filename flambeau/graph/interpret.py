"""The meaning of every primitive in NumPy: the executable specification of the tensor graph.

In: nodes. Out: arrays. Compiled programs are compared with it (tests, FLAMBEAU_CHECK=interp); it is
never the engine.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .node import Node, topological
from .primitive import BUFFER, HOST_FUNCTIONS

Array = np.ndarray[Any, Any]


def evaluate(roots: list[Node]) -> list[Array]:
    """The values of nodes, computed primitive by primitive (composites are expanded)."""
    values: dict[int, Array] = {}
    for node in topological(roots):
        values[id(node)] = _value(node, values)
    return [values[id(r)] for r in roots]


def evaluate_all(order: list[Node]) -> list[Array]:
    """The value of every node of a topological order."""
    values: dict[int, Array] = {}
    for node in order:
        values[id(node)] = _value(node, values)
    return [values[id(n)] for n in order]


def _value(node: Node, values: dict[int, Array]) -> Array:
    if node.value is not None:
        return np.asarray(node.value.numpy(node.dtype.numpy, node.shape))
    src = [values[id(s)] if id(s) in values else _value(s, values) for s in node.src]
    if node.op.expand is not None:
        known = [_known(s, a) for s, a in zip(node.src, src)]
        return evaluate([node.op.expand(*known, *node.attrs)])[0]
    with np.errstate(all="ignore"):
        out = _meaning(node, src)
    return np.asarray(out).astype(node.dtype.numpy, copy=False).reshape(node.shape)


class _Held:
    """A value that is an array already, where a node expects a buffer."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def numpy(self, dtype: Any, shape: Any) -> Array:
        return self.array


def _known(node: Node, array: Array) -> Node:
    """A leaf in place of a node whose value is known (a const stays, so that rules can see it)."""
    if node.op.kind == "leaf":
        return node
    leaf = Node(BUFFER, (), (), node.shape, node.dtype)
    leaf.value = _Held(array)
    return leaf


def _meaning(node: Node, src: list[Array]) -> Array:
    name = node.op.name
    if node.op.kind == "map":
        return _map(name, node, src)
    return MEANING[name](node, *src)


def _map(name: str, node: Node, src: list[Array]) -> Array:
    if name == "cast":
        return cast(src[0], node.dtype.numpy)
    if name == "bitcast":
        return src[0].view(node.dtype.numpy)
    kind = node.src[0].dtype.kind
    half = kind == "f" and node.src[0].dtype.itemsize == 2 and name != "where"
    args = [a.astype(np.float32) for a in src] if half else src
    out = (INTEGER if kind in "biu" and name in INTEGER else MAP)[name](*args)
    return cast(out, node.dtype.numpy) if half else out


def cast(x: Array, to: np.dtype[Any]) -> Array:
    """Conversion between types; out-of-range floats become what x86 conversion gives."""
    if to == np.bool_:
        return x != 0
    if x.dtype.kind == "c" and to.kind != "c":
        x = x.real
    if to.kind in "iu" and x.dtype.kind not in "iub":
        wide = np.where(np.abs(x.astype(np.float64)) < 2.0**63, x.astype(np.float64), np.nan)
        out = np.where(np.isnan(wide), np.iinfo(np.int64).min, np.nan_to_num(wide).astype(np.int64))
        if to.itemsize == 4 and to.kind == "i":
            fits = (out >= -2**31) & (out < 2**31)
            out = np.where(fits, out, -2**31)
        return out.astype(to)
    return x.astype(to)


def _elementwise(fn: Callable[..., Any], *dtypes: Any) -> Callable[..., Array]:
    """A function of Python floats, element by element, in the type of its first argument."""
    def apply(*args: Array) -> Array:
        wide = [np.asarray(a) for a in np.broadcast_arrays(*args)]
        flat = [fn(*[float(v) for v in row]) for row in zip(*[w.ravel() for w in wide])]
        return np.array(flat, dtype=args[0].dtype).reshape(wide[0].shape)
    return apply


def _lgamma(x: float) -> float:
    if math.isnan(x):
        return x
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return math.inf
    try:
        return math.lgamma(x)
    except OverflowError:
        return math.inf


def _digamma(x: float) -> float:
    if math.isnan(x) or x == math.inf:
        return x
    if x == 0:
        return math.copysign(math.inf, -x)
    if x == -math.inf or x < 0 and x == math.floor(x):
        return math.nan
    if x < 0.5:
        return _digamma(1 - x) - math.pi / math.tan(math.pi * math.fmod(x, 1.0))
    total = 0.0
    while x < 10:
        total -= 1 / x
        x += 1
    s = 1 / (x * x)
    series = s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132)))))
    return total + math.log(x) - 0.5 / x - series


def _erfinv(y: float) -> float:
    if math.isnan(y) or abs(y) > 1:
        return math.nan
    if abs(y) == 1:
        return math.copysign(math.inf, y)
    a = 0.147
    log = math.log1p(-y * y)
    t = 2 / (math.pi * a) + log / 2
    x = math.copysign(math.sqrt(max(math.sqrt(t * t - log / a) - t, 0.0)), y)
    for _ in range(4):
        err = (math.erf(x) - y) if abs(y) < 0.9 else math.copysign(1.0, y) * (
            (1 - abs(y)) - math.erfc(abs(x)))
        x -= err / (2 / math.sqrt(math.pi) * math.exp(-x * x))
    return x


def _where_zero(fn: Callable[..., Any]) -> Callable[..., Array]:
    """Integer division that gives 0 for a zero divisor."""
    def apply(a: Array, b: Array) -> Array:
        safe = np.where(b == 0, b.dtype.type(1), b)
        return np.where(b == 0, 0, fn(a, safe)).astype(a.dtype)
    return apply


def _ipow(a: Array, b: Array) -> Array:
    """Integer power; a negative exponent gives 0 but for bases 1 and -1."""
    a, b = np.broadcast_arrays(a, b)
    safe = np.where(b < 0, 0, b)
    out = np.power(a, safe.astype(a.dtype))
    inverse = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
    return np.where(b < 0, inverse, out).astype(a.dtype)


def _shift(fn: Callable[..., Any]) -> Callable[..., Array]:
    def apply(a: Array, b: Array) -> Array:
        bits = a.dtype.itemsize * 8
        bad = (b < 0) | (b >= bits)
        out = fn(a, np.where(bad, 0, b).astype(a.dtype))
        empty = np.where(a < 0, -1, 0) if fn is np.right_shift else 0
        return np.where(bad, empty, out).astype(a.dtype)
    return apply


def _truncdiv(a: Array, b: Array) -> Array:
    quotient = a // b
    inexact = (quotient * b != a) & ((a < 0) != (b < 0))
    return quotient + inexact.astype(a.dtype)


def _floordiv(a: Array, b: Array) -> Array:
    """PyTorch's floor division of floats: corrected from fmod; x / 0 keeps its infinity."""
    rem = np.fmod(a, b)
    quotient = (a - rem) / b
    quotient = np.where((rem != 0) & ((b < 0) != (rem < 0)), quotient - 1, quotient)
    floor = np.floor(quotient)
    floor = np.where(quotient - floor > 0.5, floor + 1, floor)
    out = np.where(quotient == 0, np.copysign(0.0, a / b), floor)
    return np.where(b == 0, a / b, out).astype(a.dtype)


def _mod(a: Array, b: Array) -> Array:
    rem = np.fmod(a, b)
    return np.where((rem != 0) & ((b < 0) != (rem < 0)), rem + b, rem)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


MAP: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative,
    "abs": np.abs, "min": np.minimum, "max": np.maximum, "fmin": np.fmin, "fmax": np.fmax,
    "floordiv": _floordiv, "truncdiv": lambda a, b: np.trunc(a / b), "mod": _mod, "rem": np.fmod,
    "pow": np.power, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "not": np.invert, "shl": _shift(np.left_shift), "shr": _shift(np.right_shift),
    "fma": lambda a, b, c: a * b + c,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "isnan": np.isnan, "isinf": np.isinf, "signbit": np.signbit,
    "where": np.where, "alias": lambda x: x,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2,
    "log10": np.log10, "log1p": np.log1p, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "erf": _elementwise(math.erf), "erfc": _elementwise(math.erfc),
    "erfinv": _elementwise(_erfinv), "lgamma": _elementwise(_lgamma),
    "digamma": _elementwise(_digamma), "sigmoid": _sigmoid, "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "round": np.rint, "sign": lambda x: np.where(np.isnan(x), 0, np.sign(x)),
    "real": np.real, "imag": np.imag, "complex": lambda a, b: a + 1j * b,
    "copysign": np.copysign, "nextafter": np.nextafter, "popcount": np.bitwise_count,
}
INTEGER: dict[str, Callable[..., Any]] = {
    "floordiv": _where_zero(np.floor_divide), "truncdiv": _where_zero(_truncdiv),
    "mod": _where_zero(np.mod), "rem": _where_zero(np.fmod), "pow": _ipow, "sign": np.sign,
    "isnan": lambda x: np.zeros(x.shape, bool), "isinf": lambda x: np.zeros(x.shape, bool),
    "signbit": lambda x: x < 0, "floor": lambda x: x, "ceil": lambda x: x, "trunc": lambda x: x,
    "round": lambda x: x, "neg": lambda x: (0 - x).astype(x.dtype),
    "fmin": np.minimum, "fmax": np.maximum,
}


def _iota(node: Node) -> Array:
    shape, dim, kind = node.attrs
    along = np.arange(shape[dim]).astype(kind.numpy)
    return np.broadcast_to(along.reshape([-1 if d == dim else 1 for d in range(len(shape))]), shape)


def _slice(node: Node, x: Array) -> Array:
    start, step, shape = node.attrs
    picks = [a + s * np.arange(n) for a, s, n in zip(start, step, shape)]
    return x[np.ix_(*picks)] if picks else x


def _slice_at(node: Node, x: Array, *starts: Array) -> Array:
    start, step, shape, dims = node.attrs
    begin = list(start)
    for d, at in zip(dims, starts):
        begin[d] = int(at)
    return x[np.ix_(*[a + s * np.arange(n) for a, s, n in zip(begin, step, shape)])]


def _pad(node: Node, x: Array, *starts: Array) -> Array:
    low, _, inner = node.attrs[:3]
    if starts:
        low = list(low)
        for d, start in zip(node.attrs[3], starts):
            low[d] = int(start)
    out = np.zeros(node.shape, x.dtype)
    at = [slice(a, a + n + max(n - 1, 0) * k, k + 1) for a, n, k in zip(low, x.shape, inner)]
    out[tuple(at)] = x
    return out


def _unfold(node: Node, x: Array) -> Array:
    dim, size, step, dilation = node.attrs
    n = node.shape[dim]
    at = (np.arange(n) * step)[:, None] + np.arange(size) * dilation
    return np.moveaxis(np.take(x, at, axis=dim), dim + 1, -1)


def _fold(node: Node, g: Array) -> Array:
    dim, _, step, dilation = node.attrs
    wide = np.float32 if node.dtype.itemsize == 2 and node.dtype.kind == "f" else g.dtype
    out = np.zeros(node.shape, wide)
    at = (np.arange(g.shape[dim]) * step)[:, None] + np.arange(g.shape[-1]) * dilation
    np.add.at(np.moveaxis(out, dim, 0), at, np.moveaxis(np.moveaxis(g, dim, 0), -1, 1))
    return out


def _as_strided(node: Node, x: Array) -> Array:
    return np.ascontiguousarray(x).ravel()[_places(*node.attrs)]


def _as_strided_at(node: Node, x: Array, start: Array) -> Array:
    shape, stride = node.attrs
    return np.ascontiguousarray(x).ravel()[_places(shape, stride, int(start))]


def _places(shape: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Array:
    at = np.full(shape, offset, np.int64)
    for d, (n, s) in enumerate(zip(shape, stride)):
        at += (np.arange(n) * s).reshape([-1 if k == d else 1 for k in range(len(shape))])
    return at


def _wide(node: Node, x: Array) -> Array:
    half = node.dtype.kind == "f" and node.dtype.itemsize == 2
    return x.astype(np.float32) if half else x


def _reducer(fn: Callable[..., Any]) -> Callable[..., Array]:
    def apply(node: Node, x: Array) -> Array:
        return fn(_wide(node, x), axis=node.attrs[0], keepdims=True)
    return apply


def _total(fn: Callable[..., Any]) -> Callable[..., Array]:
    def apply(node: Node, x: Array) -> Array:
        wide = _wide(node, x)
        return fn(wide, axis=node.attrs[0], keepdims=True, dtype=wide.dtype)
    return apply


def _dot(node: Node, a: Array, b: Array) -> Array:
    a_dims, b_dims, out_dims, kind = node.attrs
    wide = np.float32 if kind.kind == "f" and kind.itemsize == 2 else kind.numpy
    return np.einsum(a.astype(wide), a_dims, b.astype(wide), b_dims, out_dims)


def _locate(x: Array, indices: tuple[Array, ...], dims: tuple[int, ...]) -> tuple[Array, ...]:
    """A full advanced index: I dims first, then the dims of x that are not indexed."""
    front = np.broadcast_shapes(*[i.shape for i in indices])
    rest = [d for d in range(x.ndim) if d not in dims]
    full: list[Array] = [np.empty(0)] * x.ndim
    for d, i in zip(dims, indices):
        full[d] = np.broadcast_to(i, front).reshape(front + (1,) * len(rest))
    for k, d in enumerate(rest):
        shape = [1] * (len(front) + len(rest))
        shape[len(front) + k] = x.shape[d]
        full[d] = np.arange(x.shape[d]).reshape(shape)
    return tuple(full)


def _take(node: Node, x: Array, *indices: Array) -> Array:
    return x[_locate(x, indices, node.attrs[0])]


def _put(node: Node, base: Array, value: Array, *indices: Array) -> Array:
    dims, mode = node.attrs
    out = _wide(node, base).copy()
    at = _locate(base, indices, dims)
    if mode == "set":
        out[at] = value
    else:
        ufunc = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}[mode]
        if out.dtype == np.bool_ and mode == "add":
            ufunc = np.logical_or
        ufunc.at(out, at, value.astype(out.dtype))
    return out


def _write(node: Node, base: Array, value: Array) -> Array:
    out = base.copy().ravel()
    out[_places(*node.attrs)] = value
    return out


def _write_at(node: Node, base: Array, value: Array, start: Array) -> Array:
    out = base.copy().ravel()
    shape, stride = node.attrs
    out[_places(shape, stride, int(start))] = value
    return out


def _scan(node: Node, x: Array) -> Array:
    op, dim = node.attrs
    ufunc = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}[op]
    wide = _wide(node, x)
    return ufunc.accumulate(wide, axis=dim, dtype=wide.dtype) if x.size else wide


def _argsort(node: Node, x: Array) -> Array:
    dim, descending, count = node.attrs
    if x.dtype.kind == "V" or x.dtype.name == "bfloat16":
        x = x.astype(np.float32)
    if descending:
        x = np.flip(x, dim)
    order = np.argsort(x, axis=dim, kind="stable")
    if descending:
        order = np.flip(x.shape[dim] - 1 - order, dim)
    return order[(slice(None),) * dim + (slice(count),)]


def _search(node: Node, edges: Array, values: Array) -> Array:
    """Bisection in step for all values."""
    if edges.ndim == 1:
        edges = np.broadcast_to(edges, (*values.shape[:-1], edges.size))
    start = np.zeros(values.shape, np.int64)
    end = np.full(values.shape, edges.shape[-1], np.int64)
    while (start < end).any():
        middle = (start + end) // 2
        probe = np.take_along_axis(edges, np.minimum(middle, edges.shape[-1] - 1), -1)
        stop = (probe > values if node.attrs[0] else probe >= values) | (start >= end)
        start, end = np.where(stop, start, middle + 1), np.where(stop, np.minimum(middle, end), end)
    return start


def _host(node: Node, *src: Array) -> Array:
    name, args, which, _, _ = node.attrs
    return HOST_FUNCTIONS[name](*src, *args)[which]


def _loop(node: Node, *src: Array) -> Array:
    """Turn by turn; the block: every state before and after, then the further results."""
    body, count, back = node.attrs
    states, ends = list(src[:body.states]), body.states + body.moving
    parts: list[list[Array]] = [[s] for s in states] + [[] for _ in body.results[body.states:]]
    for t in reversed(range(count)) if back else range(count):
        given = [*states, *(s[t] for s in src[body.states:ends]), *src[ends:]]
        known = {id(n): np.asarray(a) for n, a in zip(body.inputs, given)}
        for inner in topological(list(body.results)):
            if id(inner) not in known:
                known[id(inner)] = _value(inner, known)
        made = [known[id(r)] for r in body.results]
        states = made[:body.states]
        for stack, value in zip(parts, made):
            stack.append(value)
    return np.concatenate([np.stack(p[::-1] if back else p).reshape(-1) for p in parts if p])


MEANING: dict[str, Callable[..., Array]] = {
    "const": lambda n: np.array(n.attrs[0], n.dtype.numpy),
    "scalar": lambda n: np.array(n.attrs[0], n.dtype.numpy),
    "spec": lambda n: np.zeros(n.shape, n.dtype.numpy),       # its value is never read
    "iota": _iota,
    "expand": lambda n, x: np.broadcast_to(x, n.shape),
    "reshape": lambda n, x: np.ascontiguousarray(x).reshape(n.shape),
    "permute": lambda n, x: np.transpose(x, n.attrs[0]),
    "slice": _slice, "slice_at": _slice_at, "pad": _pad, "pad_at": _pad,
    "unfold": _unfold, "fold": _fold,
    "as_strided": _as_strided, "as_strided_at": _as_strided_at,
    "cat": lambda n, *xs: np.concatenate(xs, axis=n.attrs[0]),
    "sum": _total(np.sum), "prod": _total(np.prod), "amax": _reducer(np.max),
    "amin": _reducer(np.min), "any": _reducer(np.any), "all": _reducer(np.all),
    "dot": _dot, "take": _take, "put": _put, "write": _write, "write_at": _write_at, "scan": _scan,
    "argsort": _argsort, "search": _search,
    "host": _host, "loop": _loop,
}
