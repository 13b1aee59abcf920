"""The loop IR: *how* a kernel computes. Frozen data; transformed, printed, interpreted, compiled.

In: built by `graph/lower` (from tensors) and `kernel/gemm` (contractions). Out: read by
`kernel/interpret` (the meaning, in NumPy) and `codegen/llvm` (machine code).

Grammar
    kernel  ::= Kernel(name, buffers, locals, body)
    stmt    ::= Loop(var, kind, body) | Store(target, index, value, mask)
              | Accumulate(target, index, op, value)
              | Let(name, value) | Prefetch(source, index)
    target  ::= Buffer (memory given by the program) | Local (registers or per-thread scratch)
    value   ::= Const | Load(target, index, mask) | Read(name) | FromIndex(index) | Call(op, args)
              | Cast(value)
    index   ::= core.symbol.Index over loop variables, in elements
    program ::= a sequence of Kernel | Repeat(kernels, count): run so many times, one after another

Text form
    kernel softmax(b0: float32[8192] in, b1: float32[8192] out)
      parallel i0 in 64:
        local m: float32[1]
        m[0] = -inf
        vector i1 in 128:
          m[0] max= b0[128*i0 + i1]
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from ..core.dtype import dtype
from ..core.symbol import Index, Var

# ---------------------------------------------------------------- memory


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """Memory outside the kernel, at `slots[slot] + offset` bytes of the program's address table.

    Outputs and inputs have a slot each; temporaries share the arena's slot at their offset; a
    number that varies (a learning rate) is a one-element buffer in the scalars' slot. In a Repeat
    a buffer may move: in turn t it lies `t * step` bytes further.
    """

    name: str
    slot: int
    dtype: dtype
    size: int                        # elements
    offset: int = 0                  # bytes, a multiple of 8 (64 for arrays)
    step: int = 0                    # bytes
    turns: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """Memory of one iteration of the enclosing parallel loop.

    space "register": small; every index must be constant once `unroll` loops are unrolled, plus
    at most the variable of a `vector` loop with coefficient 1. Becomes SSA values.
    space "scratch": an array in the thread's scratch memory (64-byte aligned), any index.
    """

    name: str
    dtype: dtype
    size: int
    space: str = "register"


Target = Union[Buffer, Local]

# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Const:
    """A number known when the kernel is built (float, int or bool; inf and nan allowed)."""

    value: float | int | bool
    dtype: dtype


@dataclass(frozen=True, slots=True)
class Load:
    """An element of memory. Where `mask` is false nothing is read and `other` is the value."""

    source: Target
    index: Index
    dtype: dtype
    mask: Value | None = None        # a bool value
    other: float | int | bool = 0


@dataclass(frozen=True, slots=True)
class Read:
    """A name bound by an earlier `Let` in an enclosing or preceding place of the nest."""

    name: str
    dtype: dtype


@dataclass(frozen=True, slots=True)
class FromIndex:
    """An index as a value of an integer type (int64 unless said)."""

    index: Index
    dtype: dtype


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar operation of `OPERATIONS` applied to values; `dtype` is the type of the result."""

    op: str
    args: tuple[Value, ...]
    dtype: dtype


@dataclass(frozen=True, slots=True)
class Cast:
    """Conversion as C does it, except: float -> bool is `!= 0`; float -> int truncates and
    NaN or out-of-range give what x86's conversion gives PyTorch; float16/bfloat16 round to nearest
    even (NaN stays NaN)."""

    value: Value
    dtype: dtype


Value = Union[Const, Load, Read, FromIndex, Call, Cast]

# What Call.op may be. Arithmetic is in the type of the arguments (all alike); comparisons give
# bool. float16 and bfloat16 are computed in float32 and rounded after each operation.
OPERATIONS = frozenset("""
    add sub mul div neg abs min max fmin fmax fma
    floordiv truncdiv mod rem pow
    eq ne lt le gt ge
    and or xor not shl shr
    where
    exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal
    sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh
    erf erfc erfinv lgamma digamma sigmoid
    floor ceil trunc round isnan isinf sign signbit copysign nextafter
    popcount bitcast
""".split())
# min, max: NaN if either is NaN (PyTorch's). fmin, fmax: the other if one is NaN (C's).
# div: true division of floats. floordiv/mod: Python's rounding (toward -inf, sign of the divisor),
# integers and floats. truncdiv/rem: C's (toward zero, sign of the dividend). Integer division by
# zero must not trap: the result is 0 (errors are raised by the caller's checks).
# round: half to even. where(mask, a, b). and/or/xor/not: bool or integers. shl/shr: as PyTorch.

REDUCERS = frozenset("add mul min max and or fma".split())
# Accumulate: target[index] = op(target[index], value). "fma" takes value = Call("mul", (a, b)) and
# fuses. In a vector (or seq) loop whose variable `index` does not use, lanes may be combined in any
# fixed order (it never depends on the number of threads).

# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class Store:
    """buffer[index] = value."""
    target: Target
    index: Index
    value: Value
    mask: Value | None = None


@dataclass(frozen=True, slots=True)
class Accumulate:
    """local[index] = combine(local[index], value)."""
    target: Target
    index: Index
    op: str
    value: Value


@dataclass(frozen=True, slots=True)
class Let:
    """Bind a value once; `Read(name)` uses it below (same or inner loops)."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Says that memory near `index` is read soon. It changes nothing and may lie outside."""

    source: Buffer
    index: Index


@dataclass(frozen=True, slots=True)
class Loop:
    """`for var in range(var.extent): body`.

    kind: "parallel" (at most one, outermost statement of the kernel; iterations are independent),
    "seq", "unroll" (fully), "vector" (innermost; iterations are independent but for Accumulate;
    compiled to SIMD with a masked or scalar tail; an index in which var has coefficient 1 is a
    contiguous access, 0 a broadcast, anything else a gather/scatter).
    stop: a "seq" loop ends before it where that is less than the extent (causal attention).
    """

    var: Var
    kind: str
    body: tuple[Stmt, ...]
    stop: Index | None = None


Stmt = Union[Store, Accumulate, Let, Loop, Prefetch]


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel. `flops` and `bytes` are the useful work, for cost and for the launch line."""

    name: str
    buffers: tuple[Buffer, ...]
    locals: tuple[Local, ...]
    body: tuple[Stmt, ...]
    flops: int = 0
    bytes: int = 0
    origin: Any = field(default=None, compare=False)

    @property
    def parallel(self) -> Loop | None:
        """The parallel loop, if the kernel is one."""
        first = self.body[0] if len(self.body) == 1 else None
        return first if isinstance(first, Loop) and first.kind == "parallel" else None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Kernels that run one after another, `count` times; their buffers may move (`Buffer.step`)."""

    kernels: tuple[Kernel, ...]
    count: int

    @property
    def name(self) -> str:
        return f"{self.count} x {'+'.join(k.name for k in self.kernels)}"

    @property
    def flops(self) -> int:
        return self.count * sum(k.flops for k in self.kernels)

    @property
    def bytes(self) -> int:
        return self.count * sum(k.bytes for k in self.kernels)

    @property
    def origin(self) -> Any:
        return self.kernels[0].origin if self.kernels else None


def each(program: Sequence[Kernel | Repeat]) -> Iterator[Kernel]:
    """Every kernel of a program, once."""
    for k in program:
        if isinstance(k, Repeat):
            yield from k.kernels
        else:
            yield k


# ---------------------------------------------------------------- walking and printing


def children(v: Value) -> tuple[Value, ...]:
    """The operands of a value (the mask of a load last)."""
    if isinstance(v, Call):
        return v.args
    if isinstance(v, Cast):
        return (v.value,)
    if isinstance(v, Load) and v.mask is not None:
        return (v.mask,)
    return ()


def statements(body: tuple[Stmt, ...]) -> Iterator[Stmt]:
    """Every statement, outer before inner."""
    for s in body:
        yield s
        if isinstance(s, Loop):
            yield from statements(s.body)


def _number(v: float | int | bool) -> str:
    return repr(v)


def value_text(v: Value) -> str:
    """A value as text."""
    if isinstance(v, Const):
        return _number(v.value)
    if isinstance(v, Load):
        guard = f" if {value_text(v.mask)} else {_number(v.other)}" if v.mask is not None else ""
        return f"{v.source.name}[{v.index}]{guard}"
    if isinstance(v, Read):
        return v.name
    if isinstance(v, FromIndex):
        return f"index({v.index})"
    if isinstance(v, Cast):
        return f"{v.dtype.name}({value_text(v.value)})"
    return f"{v.op}({', '.join(value_text(a) for a in v.args)})"


def _lines(body: tuple[Stmt, ...], pad: str) -> Iterator[str]:
    for s in body:
        if isinstance(s, Loop):
            until = f" until {s.stop}" if s.stop is not None else ""
            yield f"{pad}{s.kind} {s.var.name} in {s.var.extent}{until}:"
            yield from _lines(s.body, pad + "  ")
        elif isinstance(s, Let):
            yield f"{pad}{s.name} = {value_text(s.value)}"
        elif isinstance(s, Prefetch):
            yield f"{pad}prefetch {s.source.name}[{s.index}]"
        else:
            sign = "=" if isinstance(s, Store) else f"{s.op}="
            guard = ""
            if isinstance(s, Store) and s.mask is not None:
                guard = f" if {value_text(s.mask)}"
            yield f"{pad}{s.target.name}[{s.index}] {sign} {value_text(s.value)}{guard}"


def text(kernel: Kernel | Repeat) -> str:
    """The kernel as indented text (FLAMBEAU_SHOW=loops, golden tests)."""
    if isinstance(kernel, Repeat):
        inner = "\n".join(map(text, kernel.kernels)).replace("\n", "\n  ")
        return f"repeat {kernel.count}:\n  {inner}"
    buffers = ", ".join(f"{b.name}: {b.dtype.name}[{b.size}]" for b in kernel.buffers)
    lines = [f"kernel {kernel.name}({buffers})"]
    lines += [f"  {m.space} {m.name}: {m.dtype.name}[{m.size}]" for m in kernel.locals]
    lines += _lines(kernel.body, "  ")
    return "\n".join(lines)


_NAMES = re.compile(r"\b(?!(?:float|bfloat|u?int|complex|log|exp|atan)\d)[a-z_]+\d\w*|\b\w+_\w+")


def structure(kernel: Kernel) -> str:
    """The kernel's text with its own name left out and all others replaced by their order.

    Equal for kernels that differ in where their buffers are alone, so that one function serves
    all of them; which buffers overlap, and which move, is part of it.
    """
    known: dict[str, str] = {}

    def ordinal(match: re.Match[str]) -> str:
        return known.setdefault(match[0], f"n{len(known)}")

    _, lines = text(kernel).split("(", 1)
    moving = [i for i, b in enumerate(kernel.buffers) if b.step]
    return _NAMES.sub(ordinal, lines) + str(overlaps(kernel.buffers)) + str(moving)


def overlaps(buffers: Sequence[Buffer]) -> list[tuple[int, int]]:
    """The pairs (i, j), j < i, of buffers that have memory in common."""
    places: dict[int, list[int]] = {}
    found = []
    for i, a in enumerate(buffers):
        before = places.setdefault(a.slot, [])
        found += [(i, j) for j in before if overlap(a, buffers[j])]
        before.append(i)
    return found


def overlap(a: Buffer, b: Buffer) -> bool:
    """Whether two buffers have memory in common in any turn."""
    if a.slot != b.slot:
        return False
    if a.step == b.step:
        a_first, a_end = _range(a, 1)
        b_first, b_end = _range(b, 1)
    else:
        a_first, a_end = _range(a, a.turns)
        b_first, b_end = _range(b, b.turns)
    return a_first < b_end and b_first < a_end


def _range(b: Buffer, turns: int) -> tuple[int, int]:
    """The bytes of the slot that a buffer covers in its first turns."""
    moved = b.step * (turns - 1)
    return b.offset + min(moved, 0), b.offset + max(moved, 0) + b.size * b.dtype.itemsize
