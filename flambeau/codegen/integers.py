"""Integer division, powers and shifts that never trap and have no undefined result.

In: integer operands and their dtype. Out: integer values. Called by `operations`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.dtype import dtype
from .emit import SIZES, Val, constant, vector_type

if TYPE_CHECKING:
    from .memory import Memory


def _quotient(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """a / b toward zero for b that is neither 0 nor, if signed, -1."""
    signed = d.kind == "i"
    lanes = max(a.lanes, b.lanes)
    if lanes <= 1 or b.lanes == 0 or a.type == "i64":
        return em.binary("sdiv" if signed else "udiv", a, b)
    # No processor divides vectors of integers; the quotient of two floats that hold the operands
    # exactly and have as many bits again to spare is never rounded up to a whole number.
    wide = "double" if a.type == "i32" else "float"
    x = em.cast("sitofp" if signed else "uitofp", a, wide)
    y = em.cast("sitofp" if signed else "uitofp", b, wide)
    return em.cast("fptosi" if signed else "fptoui", em.binary("fdiv", x, y), a.type)


def _divide(em: Memory, d: dtype, a: Val, b: Val) -> tuple[Val, Val | None]:
    """The quotient toward zero (0 for b = 0), and where b is 0."""
    one = constant(1, b.type)
    if b.lanes == 0 and b.name not in ("0", "-1"):
        return _quotient(em, d, a, b), None
    zero = em.compare("icmp eq", b, constant(0, b.type))
    if d.kind != "i":
        out = _quotient(em, d, a, em.select(zero, one, b))
    else:
        minus = em.compare("icmp eq", b, constant(-1, b.type))
        out = _quotient(em, d, a, em.select(em.binary("or", zero, minus), one, b))
        out = em.select(minus, em.binary("sub", constant(0, a.type), a), out)
    return em.select(zero, constant(0, a.type), out), zero


def truncdiv(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """a / b rounded towards 0; what division by 0 gives is defined here, not by the processor."""
    return _divide(em, d, a, b)[0]


def _remainder(em: Memory, d: dtype, a: Val, b: Val) -> tuple[Val, Val, Val | None]:
    q, zero = _divide(em, d, a, b)
    r = em.binary("sub", a, em.binary("mul", q, b))
    if zero is not None:
        r = em.select(zero, constant(0, a.type), r)
    return q, r, zero


def rem(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """The remainder of truncdiv: it has the sign of a."""
    return _remainder(em, d, a, b)[1]


def _unlike(em: Memory, r: Val, b: Val) -> Val:
    """Whether a remainder is there and has the other sign than the divisor."""
    there = em.compare("icmp ne", r, constant(0, r.type))
    signs = em.compare("icmp slt", em.binary("xor", r, b), constant(0, r.type))
    return em.binary("and", there, signs)


def floordiv(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """a / b rounded down."""
    q, r, _ = _remainder(em, d, a, b)
    if d.kind != "i":
        return q
    return em.select(_unlike(em, r, b), em.binary("sub", q, constant(1, q.type)), q)


def mod(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """The remainder of floordiv: it has the sign of b."""
    _, r, _ = _remainder(em, d, a, b)
    if d.kind != "i":
        return r
    return em.select(_unlike(em, r, b), em.binary("add", r, b), r)


def _in_range(em: Memory, b: Val) -> Val:
    return em.compare("icmp ult", b, constant(8 * SIZES[b.type], b.type))


def shl(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """0 for a distance outside [0, bits)."""
    near = _in_range(em, b)
    safe = em.select(near, b, constant(0, b.type))
    return em.select(near, em.binary("shl", a, safe), constant(0, a.type))


def shr(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """Filled with the sign (0 if unsigned) for a distance outside [0, bits)."""
    near = _in_range(em, b)
    if d.kind == "i":
        far = constant(8 * SIZES[b.type] - 1, b.type)
        return em.binary("ashr", a, em.select(near, b, far))
    safe = em.select(near, b, constant(0, b.type))
    return em.select(near, em.binary("lshr", a, safe), constant(0, a.type))


def pow(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    """By squaring, modulo 2^bits; a negative exponent gives 1/a toward zero."""
    one = constant(1, a.type)
    if d.kind == "b":
        return em.binary("or", a, em.binary("xor", b, constant(1, "i1")))
    if b.lanes == 0 and int(b.name) >= 0:
        return _fixed_power(em, a, int(b.name))
    lanes = max(a.lanes, b.lanes, 1)
    name = f"power.v{lanes}{a.type}"
    em.declarations.setdefault(name, _power_function(name, a.type, lanes))
    vt = vector_type(a.type, lanes)
    text = f"call {vt} @{name}({vt} {em.operand(a, lanes)}, {vt} {em.operand(b, lanes)})"
    out = em.emit(text, a.type, lanes, max(a.level, b.level))
    if d.kind == "u":
        return out
    odd = em.compare("icmp ne", em.binary("and", b, one), constant(0, b.type))
    unit = em.compare("icmp eq", a, one)
    minus = em.compare("icmp eq", a, constant(-1, a.type))
    other = em.select(minus, em.select(odd, constant(-1, a.type), one), constant(0, a.type))
    inverse = em.select(unit, one, other)
    return em.select(em.compare("icmp slt", b, constant(0, b.type)), inverse, out)


def _fixed_power(em: Memory, a: Val, n: int) -> Val:
    out = None
    square = a
    while n:
        if n & 1:
            out = square if out is None else em.binary("mul", out, square)
        n >>= 1
        if n:
            square = em.binary("mul", square, square)
    return constant(1, a.type) if out is None else out


def _power_function(name: str, type: str, lanes: int) -> str:
    """A function that squares until no bit of any exponent is left."""
    vt, mt = vector_type(type, lanes), vector_type("i1", lanes)
    one = f"splat ({type} 1)" if lanes > 1 else "1"
    some = "%left"
    declare = ""
    if lanes > 1:
        some = "%some"
        declare = f"%some = call i1 @llvm.vector.reduce.or.v{lanes}i1({mt} %left)\n"
    zero = "zeroinitializer" if lanes > 1 else "0"
    return f"""define internal {vt} @{name}({vt} %a, {vt} %b) #0 {{
entry:
br label %head
head:
%x = phi {vt} [%a, %entry], [%x1, %head]
%n = phi {vt} [%b, %entry], [%n1, %head]
%p = phi {vt} [{one}, %entry], [%p1, %head]
%bit = and {vt} %n, {one}
%on = icmp ne {vt} %bit, {zero}
%px = mul {vt} %p, %x
%p1 = select {mt} %on, {vt} %px, {vt} %p
%x1 = mul {vt} %x, %x
%n1 = lshr {vt} %n, {one}
%left = icmp ne {vt} %n1, {zero}
{declare}br i1 {some}, label %head, label %done
done:
ret {vt} %p1
}}"""
