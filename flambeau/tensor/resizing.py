"""`out=`, `resize_`, and which types may be stored in which.

In: tensors and nodes. Out: tensors of another shape over the same storage.
"""
from __future__ import annotations

import warnings

from ..core.dtype import KIND_ORDER, dtype
from ..core.errors import scalar_name
from ..core.layout import contiguous
from ..graph.node import Node
from ..graph.primitive import CAST, PAD, RESHAPE
from .functionalize import check_inplace, store
from .storage import Storage
from .tensor import Tensor


def can_cast(source: dtype, target: dtype) -> bool:
    """Whether an in-place result of one type may be put into the other (torch.can_cast)."""
    a, b = KIND_ORDER[source.kind], KIND_ORDER[target.kind]
    return a <= b


# Functions that do not cast into `out=`.
EXACT = frozenset("""
    abs ceil conj_physical floor frac neg sgn sign addbmm addmm addmv as_strided_copy
    baddbmm bmm cross diag diagonal_copy expand_copy gather index_copy index_reduce det
    eigvalsh lu_solve svdvals log_softmax mm msort norm permute_copy renorm scatter
    scatter_add scatter_reduce slice_scatter softmax squeeze_copy take_along_dim
    transpose_copy tril triu unsqueeze_copy view_copy amax amin diff dot matmul vdot
    heaviside index_select multi_dot solve_triangular vecdot masked_select mv nan_to_num
    nanquantile quantile narrow_copy ormqr tensordot where take matrix_norm
""".split())
_WORDS = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int",
          "int16": "short int", "int8": "signed char", "uint8": "unsigned char",
          "float16": "c10::Half", "bfloat16": "c10::BFloat16", "complex64": "c10::complex<float>",
          "complex128": "c10::complex<double>"}


def copy_into(out: Tensor, node: Node, exact: bool = False) -> None:
    """`out=`: resize where the shape differs, cast where that is allowed (not if `exact`)."""
    if exact and node.dtype is not out.dtype:
        want, got = (_WORDS.get(k.name, k.name) for k in (node.dtype, out.dtype))
        raise RuntimeError(f"Expected out tensor to have dtype {want}, but got {got} instead")
    if not can_cast(node.dtype, out.dtype):
        raise RuntimeError(f"result type {scalar_name(node.dtype)} can't be cast to the desired "
                           f"output type {scalar_name(out.dtype)}")
    check_inplace(out, False)
    if out._shape != node.shape:
        if contiguous(out._shape).numel:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out._shape)}, which does not match the required output shape "
                f"{list(node.shape)}. This behavior is deprecated, and in a future PyTorch release "
                "outputs will not be resized unless they have zero elements. You can explicitly "
                "reuse an out tensor t by resizing it, inplace, to zero elements with "
                "t.resize_(0).", stacklevel=4)
        resize(out, node.shape)
    if node.dtype is not out.dtype:
        node = CAST(node, dtype=out.dtype)
    store(out, node)


def resize(t: Tensor, shape: tuple[int, ...]) -> Tensor:
    """t.resize_: another shape over the same storage, which grows if it has to."""
    layout = contiguous(shape)
    storage = t._storage
    offset = 0 if t._layout is None else t._layout.offset
    have = storage.value
    if offset == 0 and (have.size == layout.numel and t._layout is None):
        storage.value = have if have.shape == shape else RESHAPE(have, shape=shape)
    elif offset + layout.numel > have.size:
        grow(storage, offset + layout.numel)
    t._shape = shape
    if offset == 0 and storage.value.shape == shape:
        t._layout = None
    else:
        t._layout = layout.narrow(0, 0, shape[0]) if shape else contiguous(())
        t._layout = type(layout)(shape, layout.stride, offset)
    t._cache = None
    return t


def grow(storage: Storage, size: int) -> None:
    """More elements for a storage; the new ones are zero."""
    have = storage.value
    flat = RESHAPE(have, shape=(have.size,))
    storage.value = PAD(flat, low=(0,), high=(size - have.size,), inner=(0,))
    storage.pin = None
