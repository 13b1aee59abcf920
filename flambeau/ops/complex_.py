"""Complex numbers: parts, modulus, angle, conjugate, and their making.

In: nodes. Out: nodes. Gradients are PyTorch's: d/d(re) + i d/d(im).

    abs(z)  ->  hypot(real(z), imag(z))
"""
from __future__ import annotations

import math
from collections.abc import Callable

from ..core import dtype as dt
from ..core.layout import Layout
from ..graph.node import Node
from . import algebra as a
from .algebra import cast, neg, where
from .fused import fused
from .promotion import only_tensors, type_name
from .table import public


def is_complex(x: Node) -> bool:
    return x.dtype.kind == "c"


# ---------------------------------------------------------------- modulus and angle


def _modulus_slope(g: Node, out: Node, z: Node) -> tuple[Node]:
    safe = where(a.eq(out, 0), 1, out)
    return (cast(g, z.dtype) * (z / cast(safe, z.dtype)),)


@fused("modulus", infer=lambda z: (z.shape, z.dtype.to_real()), vjp=_modulus_slope)
def MODULUS(z: Node) -> Node:  # noqa: N802 - an Op
    """|z|, scaled by the larger part so that its square does not overflow; infinite if either is.
    """
    x, y = a.abs_(a.real(z)), a.abs_(a.imag(z))
    high, low = where(a.or_(a.isinf(x), a.isinf(y)), math.inf, a.max_(x, y)), a.min_(x, y)
    plain = a.or_(a.eq(high, 0), a.isinf(high))
    ratio = low / where(plain, 1, high)
    return where(plain, high, high * a.sqrt(1 + ratio * ratio))


def _sgn_slope(g: Node, out: Node, z: Node) -> tuple[Node]:
    """What of g lies across the ray through z, over |z|; nothing at 0."""
    size = MODULUS(z)
    zero = a.eq(size, 0)
    safe = where(zero, 1, size)
    across = g - out * cast(a.real(a.conj(out) * g), g.dtype)
    return (where(zero, 0, a.complex_(a.real(across) / safe, a.imag(across) / safe)),)


@fused("sgn", vjp=_sgn_slope)
def SGN(z: Node) -> Node:  # noqa: N802 - an Op
    """z / |z|, and 0 at 0."""
    size = MODULUS(z)
    safe = where(a.eq(size, 0), 1, size)
    return a.complex_(a.real(z) / safe, a.imag(z) / safe)


def _angle_slope(g: Node, _out: Node, z: Node) -> tuple[Node]:
    """Across the ray through z, and nothing at 0."""
    size = MODULUS(z)
    safe = where(a.eq(size, 0), 1, size)
    x, y = a.real(z) / safe, a.imag(z) / safe
    return (a.complex_(neg(y) * (g / safe), x * (g / safe)),)


@fused("angle", infer=lambda z: (z.shape, z.dtype.to_real()), vjp=_angle_slope)
def _angle(z: Node) -> Node:
    return a.atan2(a.imag(z), a.real(z))


@fused("angle_real", vjp=lambda g, _out, _x: (a.zeros_like(g),))
def _angle_real(x: Node) -> Node:
    return where(a.isnan(x), x, where(a.lt(x, 0), math.pi, a.zeros_like(x)))


@public("angle")
def angle(input: Node) -> Node:
    """The argument of a complex number; 0 or pi for a real one."""
    if is_complex(input):
        return _angle(input)
    return _angle_real(input if input.dtype.kind == "f" else cast(input, dt.float32))


# ---------------------------------------------------------------- parts


def parts_of(layout: Layout) -> Layout:
    """Where the parts of complex elements lie: one more dim, of extent 2."""
    return Layout((*layout.shape, 2), (*(2 * s for s in layout.stride), 1), 2 * layout.offset)


def joined_of(layout: Layout) -> Layout:
    """Where the complex elements lie whose parts are the last dim; for no such dim, as it is."""
    if not layout.ndim or layout.shape[-1] != 2:
        return layout                           # the node form has the words for it
    if layout.stride[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for s in layout.stride[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if layout.offset % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return Layout(layout.shape[:-1], tuple(s // 2 for s in layout.stride[:-1]), layout.offset // 2)


def _part_of(which: int) -> Callable[[Layout], Layout]:
    def form(layout: Layout) -> Layout:
        both = parts_of(layout)
        return Layout(both.shape[:-1], both.stride[:-1], both.offset + which)
    return form


@public("real", view=_part_of(0))
def real(input: Node) -> Node:
    """The real part."""
    return a.real(input) if is_complex(input) else input


@public("imag", view=_part_of(1))
def imag(input: Node) -> Node:
    """The imaginary part; a real tensor is refused."""
    if not is_complex(input):
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return a.imag(input)


@public("conj", out=False)
def conj(input: Node) -> Node:
    """The complex conjugate."""
    return a.conj(input)


@public("conj_physical", inplace=True)
def conj_physical(input: Node) -> Node:
    """The complex conjugate, computed."""
    return a.conj(input)


@public("resolve_conj", out=False)
def resolve_conj(input: Node) -> Node:
    """The input, its conjugation computed."""
    return input


@public("resolve_neg", out=False)
def resolve_neg(input: Node) -> Node:
    """The input, its negation computed."""
    return input


@public("isreal")
def isreal(input: Node) -> Node:
    """Where the imaginary part is 0."""
    if is_complex(input):
        return a.eq(a.imag(input), 0)
    return a.full(input.shape, True, dt.bool_)


# ---------------------------------------------------------------- making


@public("torch.complex")
def complex_(real: Node, imag: Node) -> Node:
    """real + i * imag."""
    only_tensors("complex", real, imag)
    if real.dtype.kind != "f" or real.dtype is dt.bfloat16:
        raise RuntimeError("Expected both inputs to be Half, Float or Double tensors but got "
                           f"{type_name(real.dtype)} and {type_name(imag.dtype)}")
    if real.dtype is not imag.dtype:
        raise RuntimeError(f"Expected object of scalar type {type_name(real.dtype)} but got scalar "
                           f"type {type_name(imag.dtype)} for second argument")
    if real.dtype is dt.float16:
        raise NotImplementedError("complex(): the half-precision complex type is not there")
    return a.complex_(real, imag)


@public("torch.polar")
def polar(abs: Node, angle: Node) -> Node:
    """abs * (cos(angle) + i * sin(angle))."""
    only_tensors("polar", abs, angle)
    if {abs.dtype, angle.dtype} - {dt.float32, dt.float64}:
        raise RuntimeError("Expected both inputs to be Half, Float or Double tensors but got "
                           f"{type_name(abs.dtype)} and {type_name(angle.dtype)}")
    if abs.dtype is not angle.dtype:
        raise RuntimeError(f"Expected object of scalar type {type_name(abs.dtype)} but got scalar "
                           f"type {type_name(angle.dtype)} for second argument")
    return a.complex_(abs * a.cos(angle), abs * a.sin(angle))


@public("torch.view_as_real", view=parts_of)
def view_as_real(input: Node) -> Node:
    """Complex (...) as real (..., 2)."""
    if not is_complex(input):
        raise RuntimeError("view_as_real is only supported for complex tensors")
    shape = (*input.shape, 1)
    parts = [a.reshape(a.real(input), shape), a.reshape(a.imag(input), shape)]
    return a.cat(parts, len(shape) - 1)


@public("torch.view_as_complex", view=joined_of)
def view_as_complex(input: Node) -> Node:
    """Real (..., 2) as complex (...)."""
    if input.dtype.kind != "f" or input.dtype is dt.bfloat16:
        raise RuntimeError("view_as_complex is only supported for half, float and double tensors, "
                           f"but got a tensor of scalar type: {type_name(input.dtype)}")
    if not input.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    last = input.ndim - 1

    def part(i: int) -> Node:
        return a.squeeze(a.narrow(input, last, i, 1), (last,))
    return a.complex_(part(0), part(1))

