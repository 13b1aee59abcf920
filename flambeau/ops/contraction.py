"""Products of matrices and vectors: every public one records one `dot` where it can.

In: nodes of one dtype. Out: nodes. A batch dim of extent 1 is dropped from its operand, so that
broadcasting costs nothing.

    matmul(%0 : (8, 2, 3), %1 : (3, 4))  ->  dot(%0, %1, (0, 1, 2), (2, 3), (0, 1, 3))
"""
from __future__ import annotations

from typing import Any

from ..core.dtype import dtype
from ..core.layout import expand_shape
from ..graph.node import Node, Shape
from ..graph.primitive import DOT, broadcast
from . import algebra as alg
from . import promotion as pro
from .table import composite, public

_C_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long",
            "bfloat16": "c10::BFloat16", "int32": "int", "int16": "short", "int8": "signed char",
            "uint8": "unsigned char", "complex64": "c10::complex<float>", "bool": "bool",
            "complex128": "c10::complex<double>"}


def contract(a: Node, b: Node, a_dims: Shape, b_dims: Shape, out_dims: Shape,
             kind: dtype | None = None) -> Node:
    """einsum over integer labels where an extent of 1 stretches to the other operand's."""
    extent: dict[int, int] = {}
    for label, n in (*zip(a_dims, a.shape), *zip(b_dims, b.shape)):
        extent[label] = n if extent.get(label, 1) == 1 else extent[label]
    a, a_dims = _thin(a, a_dims, b_dims, extent)
    b, b_dims = _thin(b, b_dims, a_dims, extent)
    return alg.dot(a, b, a_dims, b_dims, out_dims, kind)


def _thin(x: Node, dims: Shape, other: Shape, extent: dict[int, int]) -> tuple[Node, Shape]:
    """Without the dims of extent 1 that the other operand has longer."""
    if x.shape == tuple([extent[d] for d in dims]):
        return x, dims
    kept = tuple(i for i, d in enumerate(dims)
                 if x.shape[i] == extent[d] or d not in other)
    if len(kept) == len(dims):
        return x, dims
    return alg.reshape(x, tuple(x.shape[i] for i in kept)), tuple(dims[i] for i in kept)


# ---------------------------------------------------------------- checks


def _no_bool(x: Node, name: str) -> None:
    if x.dtype.kind == "b":
        raise NotImplementedError(f'"{name}" not implemented for \'Bool\'')


def _same_dtype(a: Node, b: Node) -> None:
    if a.dtype is not b.dtype:
        first, second = (_C_NAMES.get(x.dtype.name, x.dtype.name) for x in (a, b))
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {first} != "
                           f"{second}")
    _no_bool(a, "addmm_impl_cpu_")


def _check_mm(rows: int, inner: int, b: Shape) -> None:
    if inner != b[0]:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{inner} and "
                           f"{b[0]}x{b[1]})")


def _check_bmm(a: Node, b: Node, words: str = "batch2") -> None:
    for x, name in ((a, "batch1"), (b, "batch2")):
        if x.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError("Expected size for first two dimensions of batch2 tensor to be: "
                           f"[{a.shape[0]}, {a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}].")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {pro.type_name(a.dtype)} but found "
                           f"{pro.type_name(b.dtype)}")
    _no_bool(a, "bmm")


def _check_vectors(a: Node, b: Node) -> None:
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype is not b.dtype:
        raise RuntimeError("dot : expected both vectors to have same dtype, but found "
                           f"{pro.type_name(a.dtype)} and {pro.type_name(b.dtype)}")
    if a.shape != b.shape:
        raise RuntimeError(f"inconsistent tensor size, expected tensor [{a.shape[0]}] and src "
                           f"[{b.shape[0]}] to have the same number of elements, but got "
                           f"{a.shape[0]} and {b.shape[0]} elements respectively")
    _no_bool(a, "dot")


def _check_mv(mat: Node, vec: Node) -> None:
    if mat.shape[1] != vec.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({mat.shape[0]}), mat "
                           f"({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})")
    if mat.dtype is not vec.dtype:
        m, v = pro.type_name(mat.dtype), pro.type_name(vec.dtype)
        raise RuntimeError("addmv input tensors must have the same dtype, but got "
                           f"{v}, {m}, and {v}")
    _no_bool(mat, "addmv_impl_cpu")


# ---------------------------------------------------------------- products


@public("dot")
def dot(input: Node, tensor: Node) -> Node:
    """The inner product of two vectors."""
    _check_vectors(input, tensor)
    return alg.dot(input, tensor, (0,), (0,), ())


@public("vdot")
def vdot(input: Node, other: Node) -> Node:
    """The dot product with the first vector conjugated."""
    _check_vectors(input, other)
    return alg.dot(alg.conj(input), other, (0,), (0,), ())


@public("linalg.vecdot")
def vecdot(x: Node, y: Node, *, dim: int = -1) -> Node:
    """The sum of conj(x) * y along one dim; the other dims broadcast."""
    x, y = pro.promote(x, y)
    shape = broadcast(x.shape, y.shape)
    x, y = alg.expand(x, shape), alg.expand(y, shape)
    n = len(shape)
    d = pro.wrap_dim(dim, n)
    labels = tuple(range(n))
    out = tuple(k for k in labels if k != d)
    return contract(alg.conj(x), y, labels[n - x.ndim:], labels[n - y.ndim:], out)


@public("mv")
def mv(input: Node, vec: Node) -> Node:
    """Matrix (n, m) times vector (m)."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError("vector + matrix @ vector expected, got "
                           f"1, {input.ndim}, {vec.ndim}")
    _check_mv(input, vec)
    return alg.dot(input, vec, (0, 1), (1,), (0,))


@public("mm")
def mm(input: Node, mat2: Node, out_dtype: dtype | None = None) -> Node:
    """Matrix (n, m) times matrix (m, p)."""
    for x, name in ((input, "self"), (mat2, "mat2")):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix")
    _check_mm(input.shape[0], input.shape[1], mat2.shape)
    _same_dtype(input, mat2)
    return alg.dot(input, mat2, (0, 1), (1, 2), (0, 2), out_dtype)


@public("bmm")
def bmm(input: Node, mat2: Node, out_dtype: dtype | None = None) -> Node:
    """Matrices (b, n, m) times matrices (b, m, p), one by one."""
    _check_bmm(input, mat2)
    return alg.dot(input, mat2, (0, 1, 2), (0, 2, 3), (0, 1, 3), out_dtype)


@public("matmul", "linalg.matmul", "Tensor.__matmul__")
def matmul(input: Node, other: Node) -> Node:
    """The matrix product; 1-d operands are row or column, leading dims are a batch."""
    a, b = input, other
    if len(a.shape) == 2 == len(b.shape):
        if a.shape[1] != b.shape[0] or a.dtype is not b.dtype or a.dtype.kind == "b":
            _check_matmul(a, b)
        shape = a.shape[0], b.shape[1]
        return Node(DOT, (a, b), ((2, 3), (3, 4), (2, 4), a.dtype), shape, a.dtype)
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError("both arguments to matmul need to be at least 1D, but they are "
                           f"{a.ndim}D and {b.ndim}D")
    if a.ndim == 1 and b.ndim == 1:
        return dot(a, b)
    _check_matmul(a, b)
    rank = max(a.ndim, b.ndim, 2)
    m, k, n = rank, rank + 1, rank + 2                       # labels; a batch dim's is its place
    batch = tuple(range(rank - 2))
    a_dims = (k,) if a.ndim == 1 else (*batch[rank - a.ndim:], m, k)
    b_dims = (k,) if b.ndim == 1 else (*batch[rank - b.ndim:], k, n)
    out = (*batch, *((m,) if a.ndim > 1 else ()), *((n,) if b.ndim > 1 else ()))
    return contract(a, b, a_dims, b_dims, out)


def _check_matmul(a: Node, b: Node) -> None:
    """The checks, in the words of the function PyTorch would have called."""
    inner = b.shape[0] if b.ndim == 1 else b.shape[-2]
    if a.ndim > 2 and b.ndim > 2 or a.ndim == 1 and b.ndim > 2:
        if b.ndim > 2 and a.ndim > 2:
            broadcast(a.shape[:-2], b.shape[:-2])
        size = _count(b.shape[:-2])
        if a.shape[-1] != inner:
            raise RuntimeError("Expected size for first two dimensions of batch2 tensor to be: "
                               f"[{size}, {a.shape[-1]}] but got: [{size}, {inner}].")
        if a.dtype is not b.dtype:
            raise RuntimeError(f"expected scalar type {pro.type_name(a.dtype)} but found "
                               f"{pro.type_name(b.dtype)}")
        _no_bool(a, "bmm")
        return
    rows = _count(a.shape[:-1])
    if b.ndim == 1:
        if a.shape[-1] != inner:
            raise RuntimeError(f"size mismatch, got input ({rows}), mat ({rows}x{a.shape[-1]}), "
                               f"vec ({inner})")
        _same_dtype(a, b)
        return
    _check_mm(rows, a.shape[-1], b.shape[-2:])
    _same_dtype(a, b)


def _count(shape: Shape) -> int:
    n = 1
    for extent in shape:
        n *= extent
    return n


@public("outer", "ger")
def outer(input: Node, vec2: Node) -> Node:
    """The products of every pair: (n) and (m) give (n, m)."""
    for x, name in ((input, "self"), (vec2, "vec2")):
        if x.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x.ndim}-D")
    a, b = pro.promote(input, vec2)
    return alg.reshape(a, (a.size, 1)) * b if a.dtype.kind != "b" else alg.and_(
        alg.reshape(a, (a.size, 1)), b)


@public("inner")
def inner(input: Node, other: Node) -> Node:
    """The sum of products over the last dims; with a 0-d operand, the plain product."""
    if input.ndim == 0 or other.ndim == 0:
        a, b = pro.promote(input, other)
        return a * b
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError("inner() the last dimension must match on both input tensors but got "
                           f"shapes {list(input.shape)} and {list(other.shape)}")
    _same_dtype(input, other)
    k = input.ndim + other.ndim
    a_dims = (*range(input.ndim - 1), k)
    b_dims = (*range(input.ndim, k - 1), k)
    return alg.dot(input, other, a_dims, b_dims, a_dims[:-1] + b_dims[:-1])


# ---------------------------------------------------------------- with an addend


def _blend(input: Node, product: Node, beta: Any, alpha: Any) -> Node:
    """beta * input + alpha * product; beta = 0 leaves the input out, NaN and all."""
    shape = expand_shape(input.shape, product.shape)
    if product.dtype.kind in "biu":
        beta, alpha = int(beta), int(alpha)     # PyTorch cuts off what is behind the point
    if alpha != 1:
        product = product * pro.number(alpha, product.dtype)
    if beta == 0:
        return product
    if beta != 1:
        input = input * pro.number(beta, input.dtype)
    return alg.expand(input, shape) + product if len(shape) < input.ndim else input + product


def _like(input: Node, other: Node) -> None:
    if input.dtype is not other.dtype:
        raise RuntimeError("self and mat2 must have the same dtype, but got "
                           f"{pro.type_name(input.dtype)} and {pro.type_name(other.dtype)}")


@public("addmm", inplace=True)
def addmm(input: Node, mat1: Node, mat2: Node, out_dtype: dtype | None = None, *, beta: Any = 1,
          alpha: Any = 1) -> Node:
    """beta * input + alpha * mat1 @ mat2."""
    for x, name in ((mat1, "mat1"), (mat2, "mat2")):
        if x.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x.ndim}-D tensor")
    _check_mm(mat1.shape[0], mat1.shape[1], mat2.shape)
    product = mm(mat1, mat2, out_dtype)
    expand_shape(input.shape, product.shape)
    _like(input, mat2)
    return _blend(input, product, beta, alpha)


@public("addmv", inplace=True)
def addmv(input: Node, mat: Node, vec: Node, *, beta: Any = 1, alpha: Any = 1) -> Node:
    """beta * input + alpha * mat @ vec."""
    if mat.ndim != 2 or vec.ndim != 1:
        raise RuntimeError("vector + matrix @ vector expected, got "
                           f"{input.ndim}, {mat.ndim}, {vec.ndim}")
    if mat.shape[1] != vec.shape[0] or input.ndim and input.shape[0] not in (1, mat.shape[0]):
        raise RuntimeError(f"size mismatch, got input ({input.shape[0] if input.ndim else 1}), mat "
                           f"({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})")
    return _blend(input, mv(mat, vec), beta, alpha)


@public("addr", inplace=True)
def addr(input: Node, vec1: Node, vec2: Node, *, beta: Any = 1, alpha: Any = 1) -> Node:
    """beta * input + alpha * outer(vec1, vec2)."""
    for x, name in ((vec1, "vec1"), (vec2, "vec2")):
        if x.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {x.ndim}-D")
    product = outer(vec1, vec2)
    expand_shape(input.shape, product.shape)
    first, second = pro.promote(input, product)
    if first.dtype.kind == "b":
        kept = alg.and_(second, bool(alpha))
        return kept if not beta else alg.or_(first, kept)
    for name, value in (("beta", beta), ("alpha", alpha)):
        if isinstance(value, float) and first.dtype.kind in "iu":
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a "
                               "floating point number.")
    return _blend(first, second, beta, alpha)


@public("addbmm", inplace=True)
def addbmm(input: Node, batch1: Node, batch2: Node, *, beta: Any = 1, alpha: Any = 1) -> Node:
    """beta * input + alpha * the sum of the batch's products."""
    _check_bmm(batch1, batch2)
    product = alg.dot(batch1, batch2, (0, 1, 2), (0, 2, 3), (1, 3))
    expand_shape(input.shape, product.shape)
    return _blend(input, product, beta, alpha)


@public("baddbmm", inplace=True)
def baddbmm(input: Node, batch1: Node, batch2: Node, out_dtype: dtype | None = None, *,
            beta: Any = 1, alpha: Any = 1) -> Node:
    """beta * input + alpha * bmm(batch1, batch2)."""
    _check_bmm(batch1, batch2)
    expand_shape(input.shape, (*batch1.shape[:2], batch2.shape[2]))
    return _blend(input, bmm(batch1, batch2, out_dtype), beta, alpha)


# ---------------------------------------------------------------- layers


def _linear_shape(x: Node, w: Node, b: Node) -> tuple[Shape, dtype]:
    return x.shape[:-1] + w.shape[:1], x.dtype


@composite("linear", _linear_shape)
def LINEAR(x: Node, w: Node, b: Node) -> Node:  # noqa: N802 - an Op
    return _product(x, w) + b


def _product(x: Node, w: Node) -> Node:
    """x @ w.T over the last dim of x."""
    k = x.ndim - 1
    return alg.dot(x, w, tuple(range(k + 1)), (k + 1, k), (*range(k), k + 1))


@public("nn.functional.linear", "_C._nn.linear")
def linear(input: Node, weight: Node, bias: Node | None = None) -> Node:
    """input @ weight.T + bias: one node."""
    kind = input.dtype
    if (bias is not None and kind is weight.dtype is bias.dtype and kind.kind != "b"
            and len(weight.shape) == 2 and bias.shape == weight.shape[:1] and input.shape
            and input.shape[-1] == weight.shape[1]):
        return LINEAR(input, weight, bias)              # what fits at a glance
    if weight.ndim == 1 and input.ndim and bias is None:
        return matmul(input, weight)
    if weight.ndim != 2 or input.ndim == 0:
        raise RuntimeError("both arguments to linear need to be at least 1D, but they are "
                           f"{input.ndim}D and {weight.ndim}D")
    _check_mm(_count(input.shape[:-1]), input.shape[-1], weight.shape[::-1])
    if bias is not None:
        if input.dtype is not weight.dtype:
            raise RuntimeError("mat1 and mat2 must have the same dtype, but got "
                               f"{pro.type_name(input.dtype)} and {pro.type_name(weight.dtype)}")
        _like(bias, input)
    _same_dtype(input, weight)
    if bias is None:
        return _product(input, weight)
    expand_shape(bias.shape, (_count(input.shape[:-1]), weight.shape[0]))
    return LINEAR(input, weight, bias)


@public("torch.bilinear", "nn.functional.bilinear")
def bilinear(input1: Node, input2: Node, weight: Node, bias: Node | None = None) -> Node:
    """out[..., o] = input1[..., i] weight[o, i, j] input2[..., j] + bias[o]."""
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError("bilinear(): input batch dimensions do not match: got "
                           f"{list(input1.shape[:-1])} and {list(input2.shape[:-1])}")
    for k, x in ((1, input1), (2, input2)):
        if x.shape[-1] != weight.shape[k]:
            raise RuntimeError(f"bilinear(): input{k} size does not match weight size: got "
                               f"{x.shape[-1]} but expected {weight.shape[k]}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise RuntimeError("bilinear(): bias size does not match weight size: got "
                           f"{list(bias.shape)} but expected {list(weight.shape[:1])}")
    n = input1.ndim - 1
    batch = tuple(range(n))
    o, i, j = n, n + 1, n + 2
    part = alg.dot(input1, weight, (*batch, i), (o, i, j), (*batch, o, j))
    out = alg.dot(part, input2, (*batch, o, j), (*batch, j), (*batch, o))
    return out if bias is None else out + bias
