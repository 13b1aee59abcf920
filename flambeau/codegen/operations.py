"""The scalar operations of `kernel.loopnest.OPERATIONS` as LLVM instructions.

In: operands in register form and their dtype. Out: the result in register form. Called by `llvm`.
The functions of analysis (exp, sin, …) are in `math`.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.dtype import dtype
from ..kernel.loopnest import Call
from . import integers, math, outline
from .casts import computed, rounded
from .emit import SIZES, Val, constant
from .memory import memory_type

if TYPE_CHECKING:
    from .memory import Memory

INF = float("inf")
# Results of these on float16 and bfloat16 are values of the type already.
EXACT = frozenset("""min max fmin fmax abs neg where sign floor ceil trunc round copysign bitcast
                  nextafter""".split())
# Functions of an instruction or two.
SHORT = frozenset(("sqrt", "rsqrt", "reciprocal"))


def call(em: Memory, node: Call, args: list[Val]) -> Val:
    """The value of a `Call` whose operands are given."""
    op = node.op
    d = node.args[-1].dtype
    if op == "bitcast":
        return _bitcast(em, args[0], d, node.dtype)
    if op == "where":
        return em.select(*args)
    wide = computed(d)
    if op == "nextafter":
        return _nextafter(em, args[0], args[1], d)
    found = ARITHMETIC.get(op)
    if found is not None:
        out = found(em, wide, *args)
    elif op in COMPARISONS:
        return _compare(em, op, wide, *args)
    else:
        formula = math.FUNCTIONS[op]
        out = formula(em, *args) if op in SHORT else outline.use(em, op, formula, args)
    if node.dtype.name in ("float16", "bfloat16") and op not in EXACT:
        out = rounded(em, out, node.dtype)
    return out


def combine(em: Memory, op: str, a: Val, b: Val, d: dtype) -> Val:
    """`a op b` of an Accumulate."""
    out = ARITHMETIC[op](em, computed(d), a, b)
    return out if op in EXACT else rounded(em, out, d)


def fused(em: Memory, a: Val, b: Val, c: Val, d: dtype) -> Val:
    """a * b + c, rounded once if floating."""
    return rounded(em, _fma(em, computed(d), a, b, c), d)


def identity(op: str, d: dtype) -> Val:
    """What leaves the other operand of an Accumulate unchanged, in register form."""
    type = {"b": "i1"}.get(d.kind, d.llvm)
    if op in ("add", "fma"):
        return constant(-0.0 if d.kind == "f" else 0, type)
    if op == "mul":
        return constant(1, type)
    if op == "or":
        return constant(0, type)
    if op == "and":
        return constant(-1, type)
    if d.kind == "f":
        return constant(INF if op == "min" else -INF, type)
    if d.kind == "b":
        return constant(op == "min", type)
    bits = 8 * d.itemsize
    if d.kind == "u":
        return constant((1 << bits) - 1 if op == "min" else 0, type)
    return constant((1 << (bits - 1)) - 1 if op == "min" else -(1 << (bits - 1)), type)


# ---------------------------------------------------------------- arithmetic


def _plain(of_float: str, of_int: str, of_bool: str) -> Callable[..., Val]:
    def emit(em: Memory, d: dtype, a: Val, b: Val) -> Val:
        opcode = of_float if d.kind == "f" else of_bool if d.kind == "b" else of_int
        return em.binary(opcode, a, b)
    return emit


def _fma(em: Memory, d: dtype, a: Val, b: Val, c: Val) -> Val:
    if d.kind == "f":
        return em.fma(a, b, c)
    return em.binary("add", em.binary("mul", a, b), c)


def _neg(em: Memory, d: dtype, a: Val) -> Val:
    if d.kind != "f":
        return em.binary("sub", constant(0, a.type), a)
    return math.neg(em, a)


def _abs(em: Memory, d: dtype, a: Val) -> Val:
    if d.kind == "f":
        return em.call("llvm.fabs", (a,))
    if d.kind in "ub":
        return a
    negative = em.compare("icmp slt", a, constant(0, a.type))
    return em.select(negative, em.binary("sub", constant(0, a.type), a), a)


def _extreme(ordered: str, signed: str, unsigned: str) -> Callable[..., Val]:
    def emit(em: Memory, d: dtype, a: Val, b: Val) -> Val:
        if d.kind == "b":
            return em.binary("and" if ordered == "olt" else "or", a, b)
        if d.kind == "i":
            return em.call(signed, (a, b))
        if d.kind == "u":
            return em.call(unsigned, (a, b))
        # minps and maxps give their second operand when one is NaN, so only a NaN in the first
        # needs care; a constant is never NaN here.
        if _number(a):
            a, b = b, a
        if _number(b):
            return em.select(em.compare(f"fcmp {ordered}", b, a), b, a)
        least = em.select(em.compare(f"fcmp {ordered}", a, b), a, b)
        return em.select(em.compare("fcmp uno", a, a), a, least)
    return emit


def _number(v: Val) -> bool:
    """Whether a value is a literal other than NaN."""
    return v.lanes == 0 and not v.name.startswith(("0x7FF8", "0xFFF8"))


def _not(em: Memory, d: dtype, a: Val) -> Val:
    return em.binary("xor", a, constant(-1, a.type))


def _round(name: str) -> Callable[..., Val]:
    def emit(em: Memory, d: dtype, a: Val) -> Val:
        return em.call(name, (a,)) if d.kind == "f" else a
    return emit


def _isnan(em: Memory, d: dtype, a: Val) -> Val:
    if d.kind != "f":
        return em.compare("icmp ne", a, a)
    return em.compare("fcmp uno", a, a)


def _isinf(em: Memory, d: dtype, a: Val) -> Val:
    if d.kind != "f":
        return em.compare("icmp ne", a, a)
    return em.compare("fcmp oeq", em.call("llvm.fabs", (a,)), constant(INF, a.type))


def _sign(em: Memory, d: dtype, a: Val) -> Val:
    if d.kind == "b":
        return a
    zero, one = constant(0, a.type), constant(1, a.type)
    if d.kind == "f":
        up = em.compare("fcmp ogt", a, zero)
        down = em.compare("fcmp olt", a, zero)
    else:
        up = em.compare("icmp sgt" if d.kind == "i" else "icmp ne", a, zero)
        if d.kind == "u":
            return em.select(up, one, zero)
        down = em.compare("icmp slt", a, zero)
    return em.select(up, one, em.select(down, constant(-1, a.type), zero))


def _signbit(em: Memory, d: dtype, a: Val) -> Val:
    if d.kind == "f":
        type = "i32" if a.type == "float" else "i64"
        return em.compare("icmp slt", em.cast("bitcast", a, type), constant(0, type))
    if d.kind == "i":
        return em.compare("icmp slt", a, constant(0, a.type))
    return em.compare("icmp ne", a, a)


def _copysign(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    return em.call("llvm.copysign", (a, b))


def _nextafter(em: Memory, a: Val, b: Val, d: dtype) -> Val:
    """The neighbour of a toward b, on the bits as they lie in memory."""
    type = {"float32": "i32", "float64": "i64"}.get(d.name, "i16")
    bits = em.to_memory(a, d)
    if bits.type != type:
        bits = em.cast("bitcast", bits, type)
    zero = em.compare("fcmp oeq", a, constant(0, a.type))
    up = em.compare("fcmp olt", a, b)
    away = em.compare("icmp eq", up, em.compare("fcmp ogt", a, constant(0, a.type)))
    step = em.select(away, constant(1, type), constant(-1, type))
    sign = constant(-(1 << (8 * SIZES[type] - 1)), type)
    tiny = em.select(up, constant(1, type), em.binary("or", sign, constant(1, type)))
    bits = em.select(zero, tiny, em.binary("add", bits, step))
    if memory_type(d) != type:
        bits = em.cast("bitcast", bits, memory_type(d))
    out = em.from_memory(bits, d)
    out = em.select(em.compare("fcmp oeq", a, b), b, out)
    return em.select(em.compare("fcmp uno", a, b), em.binary("fadd", a, b), out)


def _bitcast(em: Memory, v: Val, source: dtype, to: dtype) -> Val:
    bits = em.to_memory(v, source)
    if memory_type(source) != memory_type(to):
        bits = em.cast("bitcast", bits, memory_type(to))
    return em.from_memory(bits, to)


def _popcount(em: Memory, d: dtype, a: Val) -> Val:
    return a if d.kind == "b" else em.call("llvm.ctpop", (a,))


def _div(em: Memory, d: dtype, a: Val, b: Val) -> Val:
    return em.binary("fdiv", a, b) if d.kind == "f" else integers.truncdiv(em, d, a, b)


def _either(of_float: Callable[..., Val], of_int: Callable[..., Val]) -> Callable[..., Val]:
    def emit(em: Memory, d: dtype, a: Val, b: Val) -> Val:
        return of_float(em, a, b) if d.kind == "f" else of_int(em, d, a, b)
    return emit


ARITHMETIC: dict[str, Callable[..., Val]] = {
    "add": _plain("fadd", "add", "or"),
    "sub": _plain("fsub", "sub", "xor"),
    "mul": _plain("fmul", "mul", "and"),
    "div": _div,
    "neg": _neg,
    "abs": _abs,
    "min": _extreme("olt", "llvm.smin", "llvm.umin"),
    "max": _extreme("ogt", "llvm.smax", "llvm.umax"),
    "fmin": _either(lambda em, a, b: em.call("llvm.minnum", (a, b)),
                    lambda em, d, a, b: ARITHMETIC["min"](em, d, a, b)),
    "fmax": _either(lambda em, a, b: em.call("llvm.maxnum", (a, b)),
                    lambda em, d, a, b: ARITHMETIC["max"](em, d, a, b)),
    "fma": _fma,
    "floordiv": _either(math.floordiv, integers.floordiv),
    "truncdiv": _either(math.truncdiv, integers.truncdiv),
    "mod": _either(math.mod, integers.mod),
    "rem": _either(math.rem, integers.rem),
    "pow": _either(math.pow, integers.pow),
    "and": _plain("and", "and", "and"),
    "or": _plain("or", "or", "or"),
    "xor": _plain("xor", "xor", "xor"),
    "not": _not,
    "shl": integers.shl,
    "shr": integers.shr,
    "floor": _round("llvm.floor"),
    "ceil": _round("llvm.ceil"),
    "trunc": _round("llvm.trunc"),
    "round": _round("llvm.roundeven"),
    "isnan": _isnan,
    "isinf": _isinf,
    "sign": _sign,
    "signbit": _signbit,
    "copysign": _copysign,
    "popcount": _popcount,
}

COMPARISONS = {"eq": ("oeq", "eq"), "ne": ("une", "ne"), "lt": ("olt", "lt"), "le": ("ole", "le"),
               "gt": ("ogt", "gt"), "ge": ("oge", "ge")}


def _compare(em: Memory, op: str, d: dtype, a: Val, b: Val) -> Val:
    of_float, of_int = COMPARISONS[op]
    if d.kind == "f":
        return em.compare(f"fcmp {of_float}", a, b)
    if op not in ("eq", "ne"):
        of_int = ("s" if d.kind == "i" else "u") + of_int
    return em.compare(f"icmp {of_int}", a, b)
