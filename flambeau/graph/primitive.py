"""The primitives: the operations every other one expands into, with their result rules.

In: nodes. Out: nodes. Derivatives stand in `ops/` with the public entries; meaning in
`graph/interpret` (NumPy) and `graph/lower` (loop nests). Sources of a map broadcast against each
other (as NumPy) and have one dtype; promotion and casts are the business of `ops` and `dispatch`.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import dtype as dt
from ..core.dtype import dtype
from ..core.errors import scalar_name
from ..core.traced import Traced
from .node import Node, Op, Shape

PRIMITIVES: dict[str, Op] = {}


def _primitive(name: str, kind: str, infer: Callable[..., tuple[Shape, dtype]],
               params: tuple[str, ...] = ()) -> Op:
    op = PRIMITIVES[name] = Op(name, infer, params=params, kind=kind)
    return op


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcast of shapes; RuntimeError in PyTorch's words."""
    first = shapes[0]
    if all(s == first for s in shapes):
        return first
    rank = max(map(len, shapes))
    out = [1] * rank
    for shape in shapes:
        for i, n in enumerate(shape, rank - len(shape)):
            if n != 1 and out[i] != n:
                if out[i] != 1:
                    a, b = out[i], n
                    raise RuntimeError(f"The size of tensor a ({a}) must match the size of tensor "
                                       f"b ({b}) at non-singleton dimension {i}")
                out[i] = n
    return tuple(out)


# ---------------------------------------------------------------- leaves

# a computed value: only `value` matters
BUFFER = _primitive("buffer", "leaf", lambda: ((), dt.float32))
# a number that belongs to the program; value is a Python bool, int, float or complex
CONST = _primitive("const", "leaf", lambda value, dtype: ((), dtype), ("value", "dtype"))
# a number of the user's program: folded like a constant until it is seen to vary; `varies` says
# that it is an input of the program from the start (learning rate, step)
SCALAR = _primitive("scalar", "leaf", lambda value, varies, dtype: ((), dtype),
                    ("value", "varies", "dtype"))
# a value that a program is given: number `slot` of its inputs, at `offset` bytes
INPUT = _primitive("input", "leaf", lambda slot, offset, shape, dtype: (shape, dtype),
                   ("slot", "offset", "shape", "dtype"))
# iota(shape, dim, dtype)[i] = i[dim]
IOTA = _primitive("iota", "leaf", lambda shape, dim, dtype: (shape, dtype),
                  ("shape", "dim", "dtype"))


def const(value: Any, dtype: dtype) -> Node:
    """A number that belongs to the program."""
    return Node(CONST, (), (_typed(value, dtype), dtype), (), dtype)


def scalar(value: Any, dtype: dtype, varies: bool = False) -> Node:
    """A number of the user's program; `varies` makes it an input from the start."""
    return Node(SCALAR, (), (_typed(value, dtype), varies, dtype), (), dtype)


def _typed(value: Any, dtype: dtype) -> Any:
    if dtype.kind == "f":
        return value if type(value) is Traced else float(value)
    if dtype.kind == "c":
        return complex(value)
    return bool(value) if dtype.kind == "b" else int(value)


# ---------------------------------------------------------------- maps (elementwise)


def _shape(src: tuple[Node, ...]) -> Shape:
    """The common shape of a map's sources; a source without dims stretches to any."""
    shape = src[0].shape
    for s in src:
        if s.shape != shape and s.shape:
            if shape:
                return broadcast(*[s.shape for s in src])
            shape = s.shape
    return shape


def _same(*src: Node) -> tuple[Shape, dtype]:
    return _shape(src), src[0].dtype


def _mask(*src: Node) -> tuple[Shape, dtype]:
    return _shape(src), dt.bool_


# Functions of numbers that have an order; PyTorch's word for each in its error.
_ORDERED = {"lt": "lt_cpu", "le": "le_cpu", "gt": "gt_cpu", "ge": "ge_cpu", "min": "minimum_cpu",
            "max": "maximum_cpu", "fmin": "fmin_cpu", "fmax": "fmax_cpu", "atan2": "atan2_cpu",
            "copysign": "copysign_cpu", "nextafter": "nextafter_cpu", "mod": "remainder_cpu",
            "rem": "fmod_cpu", "floordiv": "div_floor_cpu", "truncdiv": "div_trunc_cpu",
            "erf": "erf_vml_cpu", "erfc": "erfc_vml_cpu", "erfinv": "erfinv_vml_cpu",
            "lgamma": "lgamma_vml_cpu", "digamma": "digamma", "floor": "floor_vml_cpu",
            "ceil": "ceil_vml_cpu", "trunc": "trunc_vml_cpu", "round": "round_vml_cpu",
            "sign": "sign_cpu", "signbit": "signbit is not implemented for complex tensors.",
            "and": "bitwise_and_cpu", "or": "bitwise_or_cpu",
            "xor": "bitwise_xor_cpu", "not": "bitwise_not_cpu"}


def real_only(name: str, infer: Callable[..., tuple[Shape, dtype]],
              ) -> Callable[..., tuple[Shape, dtype]]:
    """A result rule that refuses complex sources in PyTorch's words (`name`: its kernel)."""
    def rule(*args: Any) -> tuple[Shape, dtype]:
        for a in args:
            if isinstance(a, Node) and a.dtype.kind == "c":
                raise NotImplementedError(name if " " in name else f'"{name}" not implemented for '
                                          f"'{scalar_name(a.dtype)}'")
        return infer(*args)
    return rule


def _where(mask: Node, a: Node, b: Node) -> tuple[Shape, dtype]:
    return _shape((mask, a, b)), a.dtype


# Named as in kernel.loopnest.OPERATIONS, with the same meaning.
for _name in """add sub mul div neg abs min max fmin fmax floordiv truncdiv mod rem pow
    and or xor not shl shr exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal
    sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf erfc erfinv lgamma digamma
    sigmoid floor ceil trunc round sign copysign nextafter fma popcount""".split():
    _primitive(_name, "map", real_only(_ORDERED[_name], _same) if _name in _ORDERED else _same)
for _name in "eq ne lt le gt ge isnan isinf signbit".split():
    _primitive(_name, "map", real_only(_ORDERED[_name], _mask) if _name in _ORDERED else _mask)
# complex numbers and their parts; graph/pairs leaves only the parts
for _name in ("real", "imag"):
    _primitive(_name, "map", lambda x: (x.shape, x.dtype.to_real()))
_primitive("complex", "map", lambda a, b: (broadcast(a.shape, b.shape), a.dtype.to_complex()))
WHERE = _primitive("where", "map", _where)
CAST = _primitive("cast", "map", lambda x, dtype: (x.shape, dtype), ("dtype",))
BITCAST = _primitive("bitcast", "map", lambda x, dtype: (x.shape, dtype), ("dtype",))
# identity; keeps two uses of one node apart while a derivative is taken; removed by simplify
ALIAS = _primitive("alias", "map", _same)

# ---------------------------------------------------------------- movement

EXPAND = _primitive("expand", "move", lambda x, shape: (shape, x.dtype), ("shape",))
RESHAPE = _primitive("reshape", "move", lambda x, shape: (shape, x.dtype), ("shape",))
PERMUTE = _primitive("permute", "move",
                     lambda x, dims: (tuple(x.shape[d] for d in dims), x.dtype), ("dims",))
# out[i] = x[start + step*i], shape given per dim; step may be negative (flip) or 0
SLICE = _primitive("slice", "move", lambda x, start, step, shape: (shape, x.dtype),
                   ("start", "step", "shape"))
# SLICE whose start in each of `dims` is a node (int64, in range), the sources after x
SLICE_AT = _primitive("slice_at", "move", lambda x, *a: (a[-2], x.dtype),
                      ("start", "step", "shape", "dims"))
# Zeros around and between: low/high are counts per dim (>= 0; crop with slice), `inner` zeros are
# put between neighbours (0: none): extent = low + n + (n-1)*inner + high
PAD = _primitive("pad", "move", lambda x, low, high, inner: (
    tuple(a + n + max(n - 1, 0) * k + b for n, a, b, k in zip(x.shape, low, high, inner)),
    x.dtype), ("low", "high", "inner"))
# PAD whose count before each of `dims` is a node (int64); low + high stays the same
PAD_AT = _primitive("pad_at", "move", lambda x, *a: PAD.infer(x, *a[-4:-1]),
                    ("low", "high", "inner", "dims"))
# One dim becomes two: out[..., i (at dim), ..., j (the last)] = x[..., i*step + j*dilation, ...]
UNFOLD = _primitive("unfold", "move", lambda x, dim, size, step, dilation: (
    x.shape[:dim] + ((x.shape[dim] - (size - 1) * dilation - 1) // step + 1,)
    + x.shape[dim + 1:] + (size,), x.dtype), ("dim", "size", "step", "dilation"))
# The transpose of unfold: sums out windows (last dim of x) back to extent n at `dim`
FOLD = _primitive("fold", "fold", lambda x, dim, n, step, dilation: (
    x.shape[:dim] + (n,) + x.shape[dim + 1:-1], x.dtype), ("dim", "n", "step", "dilation"))
# Any view of the row-major elements of x (PyTorch's as_strided on a contiguous base)
AS_STRIDED = _primitive("as_strided", "move", lambda x, shape, stride, offset: (shape, x.dtype),
                        ("shape", "stride", "offset"))
# ... that begins at an element number which is a node: int64, in range
AS_STRIDED_AT = _primitive("as_strided_at", "move", lambda x, start, shape, stride: (
    shape, x.dtype), ("shape", "stride"))
# Concatenation along dim of any number of sources
CAT = _primitive("cat", "move", lambda *a: (
    a[0].shape[:a[-1]] + (sum(x.shape[a[-1]] for x in a[:-1]),) + a[0].shape[a[-1] + 1:],
    a[0].dtype), ("dim",))

# ---------------------------------------------------------------- reductions (dims are kept, as 1)


def _reduce(x: Node, dims: tuple[int, ...]) -> tuple[Shape, dtype]:
    return tuple(1 if i in dims else n for i, n in enumerate(x.shape)), x.dtype


# In the dtype of x; float16/bfloat16 accumulate in float32.
SUM = _primitive("sum", "reduce", _reduce, ("dims",))
PROD = _primitive("prod", "reduce", _reduce, ("dims",))
AMAX = _primitive("amax", "reduce", _reduce, ("dims",))    # NaN wins
AMIN = _primitive("amin", "reduce", _reduce, ("dims",))
ANY = _primitive("any", "reduce", _reduce, ("dims",))      # bool
ALL = _primitive("all", "reduce", _reduce, ("dims",))

# ---------------------------------------------------------------- contraction


def _dot(a: Node, b: Node, a_dims: tuple[int, ...], b_dims: tuple[int, ...],
         out_dims: tuple[int, ...], dtype: dtype) -> tuple[Shape, dtype]:
    extent = dict(zip(a_dims, a.shape))
    extent.update(zip(b_dims, b.shape))
    return tuple(extent[d] for d in out_dims), dtype


# einsum of two operands over integer labels: dot(a, b, (0,1), (2,1), (0,2)) is a @ b.T. Each label
# appears once per operand; one in a and b but not in out is summed. `dtype` is the result's;
# accumulation is at least float32.
DOT = _primitive("dot", "dot", _dot, ("a_dims", "b_dims", "out_dims", "dtype"))

# ---------------------------------------------------------------- indexing


def _take(x: Node, *rest: Any) -> tuple[Shape, dtype]:
    *indices, dims = rest
    front = broadcast(*[i.shape for i in indices])
    return front + tuple(n for d, n in enumerate(x.shape) if d not in dims), x.dtype


# out[I..., rest...] = x with dims[k] at indices[k][I...] and the other dims at rest. Indices are
# int64, in range (0 <= i < n): callers check and wrap.
TAKE = _primitive("take", "index", _take, ("dims",))
# base with value combined at those places: value has shape broadcast(I) + rest;
# mode set/add/mul/min/max;
# repeated places are combined in row-major order of I
PUT = _primitive("put", "index", lambda base, value, *rest: (base.shape, base.dtype),
                 ("dims", "mode"))
# base with the strided region overwritten: as_strided(result) == value there
WRITE = _primitive("write", "index", lambda base, value, shape, stride, offset: (
    base.shape, base.dtype), ("shape", "stride", "offset"))
# WRITE that begins at an element number which is a node: int64, in range
WRITE_AT = _primitive("write_at", "index", lambda base, value, start, shape, stride: (
    base.shape, base.dtype), ("shape", "stride"))
# running op (add, mul, max, min) along dim, inclusive
SCAN = _primitive("scan", "scan", lambda x, op, dim: (x.shape, x.dtype), ("op", "dim"))
# int64 positions that sort x along dim, the first `count` of them; stable; NaN is greatest
ARGSORT = _primitive("argsort", "sort", lambda x, dim, descending, count: (
    x.shape[:dim] + (count,) + x.shape[dim + 1:], dt.int64), ("dim", "descending", "count"))
# int64 positions where values would go in sorted edges, along the last dim of both (edges of one
# dim serve all values); `right`: after equals. Bisection, for which every NaN is passed
SEARCH = _primitive("search", "sort", lambda edges, values, right: (values.shape, dt.int64),
                    ("right",))
# Foreign computation (LAPACK, FFT): calls HOST_FUNCTIONS[name](*numpy arrays, *args) -> tuple of
# arrays; this node is the result number `which`, of the given shape and dtype
HOST = _primitive("host", "host", lambda *a: (a[-2], a[-1]),
                  ("name", "args", "which", "shape", "dtype"))
HOST_FUNCTIONS: dict[str, Callable[..., Any]] = {}
# A body of primitives that runs `count` times, from the end of its stacks if `back`; graph/loop
LOOP = _primitive("loop", "loop", lambda *a: a[-3].infer(a[:-3], a[-2]),
                  ("body", "count", "back"))
# Stands for each sample of a batch while `vmap` records; never computed
SAMPLE = _primitive("sample", "leaf", lambda shape, dtype: (shape, dtype), ("shape", "dtype"))
# Stands where a derivative needs a shape and a dtype but no value; never computed
SPEC = _primitive("spec", "leaf", lambda shape, dtype: (shape, dtype), ("shape", "dtype"))


def spec(shape: Shape, dtype: dtype) -> Node:
    """A leaf that has a shape and a type and no value."""
    return Node(SPEC, (), (shape, dtype), shape, dtype)
