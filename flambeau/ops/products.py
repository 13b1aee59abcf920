"""What is built from products: chains, powers, Kronecker, cross products, distances.

In: nodes of one dtype. Out: nodes.

    kron(%0 : (2, 3), %1 : (4, 5))  ->  the products (2, 4, 3, 5), as (8, 15)
"""
from __future__ import annotations


from ..core import dtype as dt
from ..core.dtype import dtype
from ..graph.node import Node, Shape
from ..graph.primitive import broadcast
from . import algebra as alg
from . import promotion as pro
from .contraction import matmul, mm
from .table import composite, public


@public("linalg.multi_dot")
def multi_dot(tensors: list[Node]) -> Node:
    """The product of a chain of matrices, in the order that needs the fewest multiplications."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    parts = list(tensors)
    first, last = parts[0].ndim == 1, parts[-1].ndim == 1
    if first:
        parts[0] = alg.unsqueeze(parts[0], 0)
    if last:
        parts[-1] = alg.unsqueeze(parts[-1], 1)
    for i, x in enumerate(parts):
        if x.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {x.ndim}D")
    out = _chain(parts)
    return alg.squeeze(out, ((0,) if first else ()) + ((1,) if last else ()))


def _chain(parts: list[Node]) -> Node:
    """Dynamic programming over where to split (Cormen et al., chapter 15.2)."""
    n = len(parts)
    size = [x.shape[0] for x in parts] + [parts[-1].shape[1]]
    best: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(n)}
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            best[i, j] = min((best[i, k][0] + best[k + 1, j][0] + size[i] * size[k + 1]
                              * size[j + 1], k) for k in range(i, j))

    def product(i: int, j: int) -> Node:
        if i == j:
            return parts[i]
        k = best[i, j][1]
        return mm(product(i, k), product(k + 1, j))

    return product(0, n - 1)


@public("torch.chain_matmul")
def chain_matmul(*matrices: Node) -> Node:
    """The product of several matrices, in the cheapest order."""
    return matrices[0] if len(matrices) == 1 else multi_dot(list(matrices))


@public("matrix_power", "linalg.matrix_power", now=True)
def matrix_power(input: Node, n: int) -> Node:
    """The n-th power of square matrices by repeated squaring."""
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        if input.ndim < 2:
            raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 "
                               "dimensions.")
        raise RuntimeError("linalg.matrix_power: A must be batches of square matrices, but they "
                           f"are {input.shape[-2]} by {input.shape[-1]} matrices")
    if n < 0:
        from .linalg import inv
        return matrix_power(inv(input), -n)
    out: Node | None = None
    square = input
    while n:
        if n & 1:
            out = square if out is None else matmul(out, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    if out is not None:
        return out
    k = input.shape[-1]
    eye = alg.eq(alg.iota((k, k), 0), alg.iota((k, k), 1))
    whole = alg.expand(alg.cast(eye, input.dtype), input.shape)
    return alg.where(alg.full(input.shape, True, dt.bool_), whole, input)


@public("kron")
def kron(input: Node, other: Node) -> Node:
    """The Kronecker product: every element of input times the whole of other."""
    a, b = pro.promote(input, other)
    n = max(a.ndim, b.ndim)
    a = alg.reshape(a, (1,) * (n - a.ndim) + a.shape)
    b = alg.reshape(b, (1,) * (n - b.ndim) + b.shape)
    wide = tuple(e for k in a.shape for e in (k, 1))
    other_wide = tuple(e for k in b.shape for e in (1, k))
    multiply = alg.and_ if a.dtype is dt.bool_ else alg.mul
    out = multiply(alg.reshape(a, wide), alg.reshape(b, other_wide))
    return alg.reshape(out, tuple(i * j for i, j in zip(a.shape, b.shape)))


@public("linalg.cross")
def linalg_cross(input: Node, other: Node, *, dim: int = -1) -> Node:
    """The vector product along a dim of extent 3."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    d = pro.wrap_dim(dim, input.ndim)
    if input.shape[d] != 3 or other.shape[d] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got "
                           f"{input.shape[d]} and {other.shape[d]}")
    a, b = pro.promote(input, other)
    shape = broadcast(a.shape, b.shape)
    a, b = alg.expand(a, shape), alg.expand(b, shape)

    def turned(x: Node, by: int) -> Node:
        return alg.cat([alg.narrow(x, d, by, 3 - by), alg.narrow(x, d, 0, by)], d)

    return turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1)


@public("cross")
def cross(input: Node, other: Node, dim: int | None = None) -> Node:
    """The cross product of vectors of 3 elements along dim."""
    if dim is None:
        if input.ndim != other.ndim:
            raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
        found = [d for d, n in enumerate(input.shape) if n == 3]
        if not found:
            raise RuntimeError("no dimension of size 3 in input")
        dim = found[0]
    return linalg_cross(input, other, dim=dim)


def _cdist_shape(a: Node, b: Node, p: float) -> tuple[Shape, dtype]:
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    return (*batch, a.shape[-2], b.shape[-2]), a.dtype


@composite("cdist", _cdist_shape, ("p",))
def CDIST(a: Node, b: Node, p: float) -> Node:  # noqa: N802 - an Op
    """Distances between every row of a and every row of b; no gradient where they are equal."""
    a = alg.unsqueeze(a, a.ndim - 1)
    b = alg.unsqueeze(b, b.ndim - 2)
    apart = alg.abs_(a - b)
    last = (apart.ndim - 1,)
    if p == 0:
        return alg.squeeze(alg.sum_(alg.cast(alg.ne(apart, 0), a.dtype), last), last)
    if p == float("inf"):
        return alg.squeeze(alg.amax(apart, last), last)
    if p == 1:
        return alg.squeeze(alg.sum_(apart, last), last)
    powered = alg.square(apart) if p == 2 else alg.power(apart, p)
    total = alg.squeeze(alg.sum_(powered, last), last)
    equal = alg.eq(total, 0)
    safe = alg.where(equal, 1, total)
    root = alg.sqrt(safe) if p == 2 else alg.power(safe, 1 / p)
    return alg.where(equal, 0, root)


@public("torch.cdist")
def cdist(x1: Node, x2: Node, p: float = 2.0,
          compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary") -> Node:
    """The p-norm distance of every pair of rows: (..., P, M), (..., R, M) -> (..., P, R)."""
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError("X1 and X2 must have the same number of columns. X1: "
                           f"{x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if x1.dtype.kind != "f" or x2.dtype.kind != "f":
        raise RuntimeError("cdist only supports floating-point dtypes, X1 got: "
                           f"{pro.type_name(x1.dtype)}")
    a, b = pro.promote(x1, x2)
    return CDIST(a, b, p=float(p))
