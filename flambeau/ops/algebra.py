"""Arithmetic on nodes: a function for every primitive, and Python's operators.

In: nodes of one dtype (Python numbers become constants of the other operand's dtype). Out: nodes.
Derivative rules and expansions are written in these; promotion is the business of `promotion`.

    exp(x - amax(x, (1,)))  ->  exp(sub(%0, amax(%0, dims=(1,))))

A name that Python already uses gets an underscore: `abs_`, `sum_`, `and_`, `min_`, `slice_`, ...
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph import primitive as p
from ..graph.node import Node, Op, Shape
from ..graph.primitive import PRIMITIVES, const, scalar, spec

__all__ = ["Node", "const", "scalar", "spec"]

Operand = Any                                   # a Node or a Python number
Unary = Callable[[Node], Node]
Binary = Callable[[Operand, Operand], Node]


def lift(a: Operand, like: Node) -> Node:
    """`a` itself, or the constant of that number in the dtype of `like`."""
    return a if isinstance(a, Node) else const(a, like.dtype)


def _unary(name: str) -> Unary:
    op = PRIMITIVES[name]

    def apply(x: Node) -> Node:
        return op(x)

    apply.__name__ = name
    return apply


def _binary(name: str) -> Binary:
    op = PRIMITIVES[name]

    def apply(a: Operand, b: Operand) -> Node:
        if not isinstance(b, Node):
            b = const(b, a.dtype)
        elif not isinstance(a, Node):
            a = const(a, b.dtype)
        return op(a, b)

    apply.__name__ = name
    return apply


# ---------------------------------------------------------------- maps of two

add = _binary("add")
sub = _binary("sub")
mul = _binary("mul")
div = _binary("div")
min_ = _binary("min")                           # NaN if either is
max_ = _binary("max")
fmin = _binary("fmin")                          # the other if one is NaN
fmax = _binary("fmax")
floordiv = _binary("floordiv")
truncdiv = _binary("truncdiv")
mod = _binary("mod")
rem = _binary("rem")
power = _binary("pow")
and_ = _binary("and")
or_ = _binary("or")
xor = _binary("xor")
shl = _binary("shl")
shr = _binary("shr")
atan2 = _binary("atan2")
copysign = _binary("copysign")
nextafter = _binary("nextafter")
eq = _binary("eq")
ne = _binary("ne")
lt = _binary("lt")
le = _binary("le")
gt = _binary("gt")
ge = _binary("ge")

# ---------------------------------------------------------------- maps of one

neg = _unary("neg")
abs_ = _unary("abs")
not_ = _unary("not")
exp = _unary("exp")
exp2 = _unary("exp2")
expm1 = _unary("expm1")
log = _unary("log")
log2 = _unary("log2")
log10 = _unary("log10")
log1p = _unary("log1p")
sqrt = _unary("sqrt")
rsqrt = _unary("rsqrt")
reciprocal = _unary("reciprocal")
sin = _unary("sin")
cos = _unary("cos")
tan = _unary("tan")
asin = _unary("asin")
acos = _unary("acos")
atan = _unary("atan")
sinh = _unary("sinh")
cosh = _unary("cosh")
tanh = _unary("tanh")
asinh = _unary("asinh")
acosh = _unary("acosh")
atanh = _unary("atanh")
erf = _unary("erf")
erfc = _unary("erfc")
erfinv = _unary("erfinv")
lgamma = _unary("lgamma")
digamma = _unary("digamma")
sigmoid = _unary("sigmoid")
floor = _unary("floor")
ceil = _unary("ceil")
trunc = _unary("trunc")
round_ = _unary("round")                        # half to even
sign = _unary("sign")
popcount = _unary("popcount")
isnan = _unary("isnan")
isinf = _unary("isinf")
signbit = _unary("signbit")


real = _unary("real")
imag = _unary("imag")
complex_ = _binary("complex")


def conj(x: Node) -> Node:
    """The complex conjugate; x itself when real."""
    return complex_(real(x), neg(imag(x))) if x.dtype.kind == "c" else x


def square(x: Node) -> Node:
    return p.PRIMITIVES["mul"](x, x)


def fma(a: Operand, b: Operand, c: Operand) -> Node:
    """a * b + c."""
    like = a if isinstance(a, Node) else b if isinstance(b, Node) else c
    return PRIMITIVES["fma"](lift(a, like), lift(b, like), lift(c, like))


def where(mask: Node, a: Operand, b: Operand) -> Node:
    """a where the mask holds, else b; at least one of them is a node."""
    if not isinstance(a, Node):
        a = const(a, b.dtype)
    elif not isinstance(b, Node):
        b = const(b, a.dtype)
    return p.WHERE(mask, a, b)


def pick(mask: Node, a: complex, b: complex, dtype: dtype) -> Node:
    """One of two numbers by a mask, in the given dtype."""
    return p.WHERE(mask, const(a, dtype), const(b, dtype))


def cast(x: Node, dtype: dtype) -> Node:
    return x if x.dtype is dtype else p.CAST(x, dtype=dtype)


def bitcast(x: Node, dtype: dtype) -> Node:
    return x if x.dtype is dtype else p.BITCAST(x, dtype=dtype)


# ---------------------------------------------------------------- leaves


def iota(shape: Shape, dim: int, dtype: dtype = dt.int64) -> Node:
    """Each element's position along `dim`."""
    return p.IOTA(shape=shape, dim=dim, dtype=dtype)


def positions(x: Node, dim: int, dtype: dtype = dt.int64) -> Node:
    """0 .. n-1 along `dim` of x, and extent 1 elsewhere: broadcasts against x."""
    shape = tuple(n if d == dim else 1 for d, n in enumerate(x.shape))
    return p.IOTA(shape=shape, dim=dim, dtype=dtype)


def full(shape: Shape, value: complex, dtype: dtype) -> Node:
    return expand(const(value, dtype), shape)


def zeros_like(x: Node) -> Node:
    return full(x.shape, 0, x.dtype)


# ---------------------------------------------------------------- movement


def expand(x: Node, shape: Shape) -> Node:
    return x if x.shape == shape else p.EXPAND(x, shape=shape)


def reshape(x: Node, shape: Shape) -> Node:
    return x if x.shape == shape else p.RESHAPE(x, shape=shape)


def permute(x: Node, dims: Sequence[int]) -> Node:
    dims = tuple(dims)
    return x if dims == tuple(range(x.ndim)) else p.PERMUTE(x, dims=dims)


def transpose(x: Node, a: int, b: int) -> Node:
    dims = list(range(x.ndim))
    dims[a], dims[b] = dims[b], dims[a]
    return permute(x, dims)


def slice_(x: Node, start: Shape, step: Shape, shape: Shape) -> Node:
    """out[i] = x[start + step * i]."""
    return p.SLICE(x, start=tuple(start), step=tuple(step), shape=tuple(shape))


def narrow(x: Node, dim: int, start: int, length: int) -> Node:
    """The elements start .. start+length-1 along `dim` (dim >= 0)."""
    if start == 0 and length == x.shape[dim]:
        return x
    begin = tuple(start if d == dim else 0 for d in range(x.ndim))
    shape = tuple(length if d == dim else n for d, n in enumerate(x.shape))
    return slice_(x, begin, (1,) * x.ndim, shape)


def flip(x: Node, dims: Sequence[int]) -> Node:
    if not dims or not x.shape:
        return x
    start = tuple(n - 1 if d in dims else 0 for d, n in enumerate(x.shape))
    step = tuple(-1 if d in dims else 1 for d in range(x.ndim))
    return slice_(x, start, step, x.shape)


def pad(x: Node, low: Shape, high: Shape, inner: Shape | None = None) -> Node:
    """Zeros around (and `inner` zeros between neighbours), counts per dim."""
    inner = (0,) * x.ndim if inner is None else tuple(inner)
    if not (any(low) or any(high) or any(inner)):
        return x
    return p.PAD(x, low=tuple(low), high=tuple(high), inner=inner)


def unfold(x: Node, dim: int, size: int, step: int = 1, dilation: int = 1) -> Node:
    return p.UNFOLD(x, dim=dim, size=size, step=step, dilation=dilation)


def fold(x: Node, dim: int, n: int, step: int = 1, dilation: int = 1) -> Node:
    """Windows (the last dim) added up along `dim`; those that do not overlap only move."""
    count, size = x.shape[dim], x.shape[-1]
    if size > step or dilation > 1 and size > 1:
        return p.FOLD(x, dim=dim, n=n, step=step, dilation=dilation)
    none = (0,) * (x.ndim - 1)
    x = pad(x, (*none, 0), (*none, step - size))
    x = permute(x, (*range(dim + 1), x.ndim - 1, *range(dim + 1, x.ndim - 1)))
    x = reshape(x, x.shape[:dim] + (count * step,) + x.shape[dim + 2:])
    missing = tuple(n - count * step if d == dim else 0 for d in range(x.ndim))
    if count * step > n:
        return narrow(x, dim, 0, n)
    return pad(x, (0,) * x.ndim, missing)


def as_strided(x: Node, shape: Shape, stride: Shape, offset: int) -> Node:
    return p.AS_STRIDED(x, shape=tuple(shape), stride=tuple(stride), offset=offset)


def cat(parts: Sequence[Node], dim: int) -> Node:
    return parts[0] if len(parts) == 1 else p.CAT(*parts, dim=dim)


def unsqueeze(x: Node, dim: int) -> Node:
    """A dim of extent 1 before `dim` (dim >= 0)."""
    return p.RESHAPE(x, shape=x.shape[:dim] + (1,) + x.shape[dim:])


def squeeze(x: Node, dims: Sequence[int]) -> Node:
    """Drop dims, which have extent 1 (after a reduction without keepdim)."""
    return reshape(x, tuple(n for d, n in enumerate(x.shape) if d not in dims)) if dims else x


# ---------------------------------------------------------------- reductions (dims are kept)


def _reduction(op: Op) -> Callable[[Node, tuple[int, ...]], Node]:
    def apply(x: Node, dims: tuple[int, ...]) -> Node:
        return op(x, dims=dims) if dims else x

    apply.__name__ = op.name
    return apply


sum_ = _reduction(p.SUM)
prod = _reduction(p.PROD)
amax = _reduction(p.AMAX)
amin = _reduction(p.AMIN)
any_ = _reduction(p.ANY)
all_ = _reduction(p.ALL)


def every(x: Node) -> tuple[int, ...]:
    """All dims of x."""
    return tuple(range(x.ndim))


def count(x: Node, dims: Sequence[int]) -> int:
    """How many elements a reduction over `dims` combines."""
    n = 1
    for d in dims:
        n *= x.shape[d]
    return n


# ---------------------------------------------------------------- contraction, indexing, order


def dot(a: Node, b: Node, a_dims: Sequence[int], b_dims: Sequence[int], out_dims: Sequence[int],
        dtype: dtype | None = None) -> Node:
    """einsum over integer labels; the result has the dtype of a unless given."""
    return p.DOT(a, b, a_dims=tuple(a_dims), b_dims=tuple(b_dims), out_dims=tuple(out_dims),
                 dtype=dtype or a.dtype)


def take(x: Node, indices: Sequence[Node], dims: Sequence[int]) -> Node:
    return p.TAKE(x, *indices, dims=tuple(dims))


def put(base: Node, value: Node, indices: Sequence[Node], dims: Sequence[int],
        mode: str = "set") -> Node:
    return p.PUT(base, value, *indices, dims=tuple(dims), mode=mode)


def write(base: Node, value: Node, shape: Shape, stride: Shape, offset: int) -> Node:
    return p.WRITE(base, value, shape=tuple(shape), stride=tuple(stride), offset=offset)


def scan(x: Node, op: str, dim: int) -> Node:
    """Running add, mul, max or min along `dim`, inclusive."""
    return p.SCAN(x, op=op, dim=dim)


def search(edges: Node, values: Node, right: bool) -> Node:
    """int64 positions of values in sorted, non-empty edges."""
    return p.SEARCH(edges, values, right=right)


def argsort(x: Node, dim: int, descending: bool = False, count: int | None = None) -> Node:
    """int64 positions that sort x along dim: all, or the first `count`."""
    kept = x.shape[dim] if count is None else count
    return p.ARGSORT(x, dim=dim, descending=descending, count=kept)


def along(x: Node, index: Node, dim: int) -> Node:
    """out[..., i, ...] = x[..., index[..., i, ...], ...]; shapes are equal but for `dim`."""
    shape = index.shape
    picks = [index if d == dim else iota(shape, d) for d in range(x.ndim)]
    return take(x, picks, tuple(range(x.ndim)))


# ---------------------------------------------------------------- operators

_OPERATORS: dict[str, Callable[..., Node]] = {
    "__add__": add, "__radd__": lambda a, b: add(b, a),
    "__sub__": sub, "__rsub__": lambda a, b: sub(b, a),
    "__mul__": mul, "__rmul__": lambda a, b: mul(b, a),
    "__truediv__": div, "__rtruediv__": lambda a, b: div(b, a),
    "__pow__": power, "__neg__": neg, "__invert__": not_,
    "__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge,
    "__and__": and_, "__or__": or_, "__xor__": xor,
}
for _name, _function in _OPERATORS.items():
    setattr(Node, _name, _function)
