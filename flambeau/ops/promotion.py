"""Type promotion, dims and number checks shared by the public operations.

In: the arguments of a call (nodes and Python numbers). Out: nodes of one dtype; normal dims.

    promote(int64[3], 0.5)  ->  [cast(int64[3], float32), scalar(0.5, float32)]
"""
from __future__ import annotations

from typing import Any

from ..core import dtype as dt
from ..core.defaults import default_dtype
from ..core.dtype import dtype, promote_types
from ..core.errors import overflow
from ..core.traced import Traced
from ..graph.node import Node, Shape
from ..graph.primitive import CAST, SCALAR, const, scalar

__all__ = ["promote_types"]


def number_dtype(value: Any) -> dtype:
    """The dtype a Python number stands for."""
    if isinstance(value, bool):
        return dt.bool_
    if isinstance(value, int):
        return dt.int64
    if isinstance(value, float):
        return default_dtype()
    if isinstance(value, complex):
        return default_dtype().to_complex()
    raise TypeError(f"expected a Tensor or a number, but got {type(value).__name__}")


def _combine(higher: dtype | None, lower: dtype | None) -> dtype | None:
    """A category's dtype wins over a lower category's unless that one is of a higher kind."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if higher.kind == "c":
        return higher
    if higher.kind == "f":
        return higher.to_complex() if lower.kind == "c" else higher
    if higher.kind == "b" or lower.kind in "fc":
        return promote_types(higher, lower)
    return higher


def result_type(*args: Any) -> dtype:
    """The dtype of an operation on these: tensors with dims outrank 0-d ones, those numbers."""
    dims: dtype | None = None
    zero: dtype | None = None
    number: dtype | None = None
    for a in args:
        if not isinstance(a, Node):
            kind = number_dtype(a)
            number = kind if number is None else promote_types(number, kind)
        elif a.shape:
            dims = a.dtype if dims is None else promote_types(dims, a.dtype)
        else:
            zero = a.dtype if zero is None else promote_types(zero, a.dtype)
    found = _combine(_combine(dims, zero), number)
    if found is None:
        raise RuntimeError("at least one argument is needed to find a result type")
    return found


# The kinds of tensors that keep their dtype next to a number of this type.
_TAKES = {bool: "buifc", int: "uifc", float: "fc", complex: "c"}


def number(value: Any, dtype: dtype) -> Node:
    """A user's number as a node; integers wrap round as they do in C."""
    if dtype.kind == "f" and not isinstance(value, complex):
        value = value if type(value) is Traced else float(value)
        return Node(SCALAR, (), (value, False, dtype), (), dtype)
    if isinstance(value, complex) and dtype.kind != "c":
        raise overflow(dtype)
    if dtype.kind == "c":
        return const(value, dtype)
    if dtype.kind in "iu":
        value = int(value)
        bits = 8 * dtype.itemsize
        value &= (1 << bits) - 1
        if dtype.kind == "i" and value >> (bits - 1):
            value -= 1 << bits
    return scalar(value, dtype)


def as_node(a: Any, dtype: dtype) -> Node:
    """A node or number in the given dtype."""
    if isinstance(a, Node):
        return a if a.dtype is dtype else CAST(a, dtype=dtype)
    return number(a, dtype)


def only_tensors(name: str, *args: Any) -> None:
    """For functions without number forms."""
    for i, a in enumerate(args):
        if not isinstance(a, Node):
            word = "input" if i == 0 else "other"
            raise TypeError(f"{name}(): argument '{word}' (position {i + 1}) must be Tensor, not "
                            f"{type(a).__name__}")


def some_tensor(*args: Any) -> None:
    if not any(isinstance(a, Node) for a in args):
        got = ", ".join(type(a).__name__ for a in args)
        raise TypeError(f"received an invalid combination of arguments - got ({got}), but at least "
                        "one Tensor was expected")


def promote(*args: Any) -> list[Node]:
    """The arguments as nodes of their common dtype."""
    first = args[0]
    if len(args) == 2 and isinstance(first, Node):
        second = args[1]
        kind = first.dtype
        if isinstance(second, Node):
            if second.dtype is kind:
                return [first, second]
        elif kind.kind in _TAKES.get(type(second), ""):
            return [first, number(second, kind)]
    some_tensor(*args)
    kind = result_type(*args)
    return [as_node(a, kind) for a in args]


def float_type(kind: dtype) -> dtype:
    """The dtype a float function computes in: integers become the default float."""
    return kind if kind.kind in "fc" else default_dtype()


def promote_float(*args: Any) -> list[Node]:
    """As `promote`, but integers and bools become the default float."""
    first = args[0]
    if isinstance(first, Node) and first.dtype.kind == "f":
        return [first] if len(args) == 1 else promote(*args)
    some_tensor(*args)
    kind = float_type(result_type(*args))
    return [as_node(a, kind) for a in args]


# ---------------------------------------------------------------- dims


def wrap_dim(dim: int, ndim: int) -> int:
    """A dim counted from the end made one from the start; a scalar has dims -1 and 0."""
    n = ndim or 1
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"dim must be an int, not {type(dim).__name__}")
    dim = dim.__index__()
    if not -n <= dim < n:
        raise IndexError("Dimension out of range (expected to be in range of "
                         f"[{-n}, {n - 1}], but got {dim})")
    return dim + n if dim < 0 else dim


def wrap_dims(dim: Any, ndim: int, *, empty_is_all: bool = True,
              ) -> tuple[int, ...]:
    """Sorted dims of a reduction; None is all, and so is an empty sequence unless told not."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, (int, float)) or not hasattr(dim, "__iter__"):
        d = wrap_dim(dim, ndim)
        return (d,) if ndim else ()
    dims = [wrap_dim(d, ndim) for d in dim]
    for i, d in enumerate(dims):
        if d in dims[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    if not dims and empty_is_all:
        return tuple(range(ndim))
    return tuple(sorted(dims)) if ndim else ()


def broadcast_error(name: str, a: Shape, b: Shape) -> RuntimeError:
    return RuntimeError(f"{name}: shapes {list(a)} and {list(b)} cannot be broadcast together")


# ---------------------------------------------------------------- checks


def check_float(name: str, x: Node, complex_too: bool = False) -> None:
    """For functions without integer forms; `name` is PyTorch's kernel."""
    if x.dtype.kind not in ("fc" if complex_too else "f"):
        raise NotImplementedError(f'"{name}" not implemented for \'{type_name(x.dtype)}\'')


def check_ordered(name: str, x: Node) -> None:
    """For functions of numbers that have an order."""
    if x.dtype.kind == "c":
        raise NotImplementedError(f'"{name}" not implemented for \'{type_name(x.dtype)}\'')


_NAMES = {"bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
          "int64": "Long", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
          "float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double",
          "complex64": "ComplexFloat", "complex128": "ComplexDouble"}


def type_name(kind: dtype) -> str:
    """PyTorch's word for a dtype in messages: Float, Long, ..."""
    return _NAMES[kind.name]
