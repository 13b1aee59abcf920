"""Literals and conversions between element types.

In: values in register form (bool as i1, float16 and bfloat16 as a float that holds one of their
values). Out: the same. Called by `llvm`, `operations` and `math`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..core.dtype import dtype, float32
from .emit import SIZES, Val, constant
from .memory import register_type

if TYPE_CHECKING:
    from .memory import Memory

SMALL = ("float16", "bfloat16")


def computed(d: dtype) -> dtype:
    """The type in which arithmetic of `d` is done."""
    return float32 if d.name in SMALL else d


def literal(x: float | int | bool, d: dtype) -> Val:
    """A number as a value of `d`."""
    if d.name in SMALL:
        with np.errstate(over="ignore"):
            x = float(np.asarray(x).astype(d.numpy))
    elif d.kind in "iu" and isinstance(x, float):
        x = int(x)
    return constant(x, register_type(d))


def rounded(em: Memory, v: Val, d: dtype) -> Val:
    """A float rounded to the nearest value of `d`, ties to even."""
    if d.name == "float16":
        return em.half_to_float(em.float_to_half(v))
    if d.name != "bfloat16":
        return v
    bits = em.cast("bitcast", v, "i32")
    odd = em.binary("and", em.binary("lshr", bits, constant(16, "i32")), constant(1, "i32"))
    up = em.binary("add", em.binary("add", bits, constant(0x7FFF, "i32")), odd)
    nan = em.binary("or", bits, constant(0x400000, "i32"))
    bits = em.select(em.compare("fcmp uno", v, v), nan, up)
    bits = em.binary("and", bits, constant(0xFFFF0000, "i32"))
    return em.cast("bitcast", bits, "float")


def cast(em: Memory, v: Val, source: dtype, to: dtype) -> Val:
    """Conversion as `loopnest.Cast` says."""
    if source is to:
        return v
    if to.kind == "b":
        return _to_bool(em, v, source)
    if to.kind == "f":
        return _to_float(em, v, source, to)
    if source.kind == "f":
        return float_to_int(em, v, to)
    return _between_integers(em, v, source, register_type(to))


def _to_bool(em: Memory, v: Val, source: dtype) -> Val:
    zero = constant(0, v.type)
    return em.compare("fcmp une" if source.kind == "f" else "icmp ne", v, zero)


def _to_float(em: Memory, v: Val, source: dtype, to: dtype) -> Val:
    type = register_type(to)
    if source.kind == "f":
        if v.type != type:
            v = em.cast("fpext" if type == "double" else "fptrunc", v, type)
    else:
        v = em.cast("sitofp" if source.kind == "i" else "uitofp", v, type)
    # Every float16 is not a bfloat16, nor the other way.
    return rounded(em, v, to)


def _between_integers(em: Memory, v: Val, source: dtype, type: str) -> Val:
    if v.type == type:
        return v
    if v.type != "i1" and SIZES[v.type] > SIZES[type]:
        return em.cast("trunc", v, type)
    return em.cast("sext" if source.kind == "i" else "zext", v, type)


def _truncate(em: Memory, v: Val, type: str) -> Val:
    """Toward zero; x86's "integer indefinite" (the least integer) for what does not fit."""
    bits = 8 * SIZES[type]
    least = constant(-(1 << (bits - 1)), type)
    fits = em.binary("and",
                     em.compare("fcmp oge", v, constant(-2.0 ** (bits - 1), v.type)),
                     em.compare("fcmp olt", v, constant(2.0 ** (bits - 1), v.type)))
    return em.select(fits, em.cast("fptosi", v, type), least)


def float_to_int(em: Memory, v: Val, to: dtype) -> Val:
    """Through the signed register type that x86 has an instruction for."""
    type = register_type(to)
    if to.name == "uint64":
        large = em.compare("fcmp oge", v, constant(2.0 ** 63, v.type))
        less = em.binary("fsub", v, constant(2.0 ** 63, v.type))
        whole = _truncate(em, em.select(large, less, v), "i64")
        return em.select(large, em.binary("xor", whole, constant(-(1 << 63), "i64")), whole)
    through = "i64" if to.name in ("int64", "uint32") else "i32"
    whole = _truncate(em, v, through)
    return whole if type == through else em.cast("trunc", whole, type)
