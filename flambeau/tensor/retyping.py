"""Storages seen as elements of another type: the parts of complex numbers, and plain bits.

In: the value of a storage, or a base tensor's node and layout. Out: the same memory as nodes and
layouts of the other type. `functionalize` reads and writes views of another dtype through these.

    complex64 (3,) as float32  ->  float32 (3, 2): (re, im) of each
"""
from __future__ import annotations

from ..core.dtype import dtype
from ..core.layout import Layout, contiguous
from ..graph.node import Node
from ..graph.primitive import BITCAST, RESHAPE
from ..ops import complex_


def retyped(value: Node, kind: dtype) -> Node:
    """The row-major elements of `value` as another type; the shape is (n,) if the count changes."""
    have = value.dtype
    if have is kind:
        return value
    if have.kind == "c" and kind is have.to_real():
        return complex_.view_as_real(value)
    if kind.kind == "c" and have is kind.to_real():
        return complex_.view_as_complex(RESHAPE(value, shape=(value.size // 2, 2)))
    if have.itemsize != kind.itemsize:
        raise NotImplementedError(f"a view of torch.{have.name} as torch.{kind.name}")
    return BITCAST(value, dtype=kind)


def shaped(value: Node, like: Node) -> Node:
    """`value` as the type and shape of the storage value `like`, whose memory it is."""
    value = retyped(value, like.dtype)
    return value if value.shape == like.shape else RESHAPE(value, shape=like.shape)


def base_as(node: Node, layout: Layout, kind: dtype) -> tuple[Node, Layout]:
    """The elements of a base tensor and where they lie, both in another type."""
    have = node.dtype
    if have.kind == "c" and kind is have.to_real():
        return complex_.view_as_real(node), complex_.parts_of(layout)
    if kind.kind == "c" and have is kind.to_real():
        if layout.is_contiguous and layout.offset % 2 == 0:
            flat = retyped(node, kind)
            whole = contiguous(flat.shape)
            return flat, Layout(whole.shape, whole.stride, layout.offset // 2)
        return complex_.view_as_complex(node), complex_.joined_of(layout)
    return retyped(node, kind), layout
