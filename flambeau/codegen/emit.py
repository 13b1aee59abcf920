"""Writing LLVM IR text: values with a home, each written once.

In: requests such as `fadd(a, b)`. Out: lines of LLVM assembly. Called by the other files of
`codegen`.

A function is a stack of scopes, one for each loop that is open (level 0 is the function). A value
is written in the outermost scope in which all its operands exist, which is what hoists
loop-invariant work; the text of its right-hand side is its key there, which is what merges equal
subexpressions. The lines of an inner scope join the outer one's when the loop is closed, after
everything that was hoisted meanwhile.

Nothing is hoisted past a register tile's loop: its sums fill the registers, and LLVM would spill
them to keep the constants of an epilogue, which it uses later but counts as more often used. So
`floor` is the innermost scope that holds a tile's loop; values are written there at the outermost,
and constants are volatile loads there, which LLVM leaves where they are.

    scope 0   %1 = getelementptr float, ptr %b0, i64 4
    scope 1     %2 = fadd float %x, 1.0       asked for from inside scope 2
    scope 2       %3 = fmul <16 x float> ...
"""
from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from .target import Target

SIZES = {"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "half": 2, "float": 4, "double": 8,
         "ptr": 8}


class Val:
    """A value: its text, element type, lanes (0 a constant that fits any, 1 a scalar) and level."""

    __slots__ = ("name", "type", "lanes", "level")

    def __init__(self, name: str, type: str, lanes: int, level: int) -> None:
        self.name = name
        self.type = type
        self.lanes = lanes
        self.level = level

    def __repr__(self) -> str:
        return f"{vector_type(self.type, self.lanes)} {self.name} @{self.level}"


class Scope:
    """The lines of one open loop (or of the function), and the values written in them."""

    __slots__ = ("lines", "values", "head", "block", "writes", "tiled")

    def __init__(self, block: str, writes: frozenset[int], tiled: bool = False) -> None:
        self.lines: list[str] = []
        self.values: dict[str, Val] = {}
        self.head = block                # its first basic block
        self.block = block               # the one that is being written
        self.writes = writes
        self.tiled = tiled               # whether a loop over register tiles is inside


def vector_type(type: str, lanes: int) -> str:
    """`<lanes x type>`, or the type itself for one lane."""
    return type if lanes <= 1 else f"<{lanes} x {type}>"


def float_text(x: float, type: str) -> str:
    """A float literal in LLVM's exact hexadecimal form."""
    if type == "float":
        try:
            x = struct.unpack("<f", struct.pack("<f", x))[0]
        except OverflowError:
            x = float("inf") if x > 0 else float("-inf")
    if x != x:
        return "0x7FF8000000000000"
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"


def constant(x: float | int | bool, type: str) -> Val:
    """A literal; integers wrap to the width of their type."""
    if type in ("float", "double"):
        return Val(float_text(float(x), type), type, 0, 0)
    if type == "i1":
        return Val("true" if x else "false", type, 0, 0)
    bits = 8 * SIZES[type]
    value = int(x) & ((1 << bits) - 1)
    if value >> (bits - 1):
        value -= 1 << bits
    return Val(str(value), type, 0, 0)


def literal(values: Sequence[int], type: str) -> Val:
    """A constant vector of integers."""
    text = ", ".join(f"{type} {v}" for v in values)
    return Val(f"<{text}>", type, len(values), 0)


class Emitter:
    """The scopes of one function under construction, and the instructions."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.scopes: list[Scope] = [Scope("entry", frozenset())]
        self.declarations: dict[str, str] = {}
        self.externals: set[str] = set()
        self.narrow: dict[str, Val] = {}     # i64 values that are extended i32 ones
        self.counter = 0
        self.floor = 0                       # values are written at this level or deeper

    # ------------------------------------------------------------ text

    def fresh(self) -> str:
        self.counter += 1
        return f"%v{self.counter}"

    def label(self, hint: str) -> str:
        self.counter += 1
        return f"{hint}{self.counter}"

    @property
    def level(self) -> int:
        return len(self.scopes) - 1

    def write(self, line: str) -> None:
        """A line with an effect: it stays in the innermost scope."""
        self.scopes[-1].lines.append(line)

    def emit(self, text: str, type: str, lanes: int, level: int, key: str = "") -> Val:
        """The value of an instruction, written once a scope."""
        if level < self.floor:
            level = self.floor
        scope = self.scopes[level]
        key = key or text
        found = scope.values.get(key)
        if found is None:
            self.counter += 1
            name = f"%v{self.counter}"
            scope.lines.append(f"{name} = {text}")
            found = Val(name, type, lanes, level)
            scope.values[key] = found
        return found

    def operand(self, v: Val, lanes: int) -> str:
        """The text of `v` as one of `lanes` lanes, without its type."""
        if v.lanes == lanes or lanes <= 1:
            return v.name
        if v.lanes == 0:
            if self.floor and v.type in ("float", "double"):
                return self._fetched(v, lanes).name
            return f"splat ({v.type} {v.name})"
        return self.splat(v, lanes).name

    def _fetched(self, v: Val, lanes: int) -> Val:
        """A constant in every lane, read at the floor so that it takes no register elsewhere."""
        if not any(c in "123456789ABCDEF" for c in v.name[2 if v.name[1:2] == "x" else 0:]):
            return Val(f"splat ({v.type} {v.name})", v.type, lanes, 0)
        name = f"@c.{v.type}.{v.name}"
        self.declarations.setdefault(name, f"{name} = internal constant {v.type} {v.name}")
        text = f"load volatile {v.type}, ptr {name}, align {SIZES[v.type]}"
        return self.splat(self.emit(text, v.type, 1, self.floor), lanes)

    def splat(self, v: Val, lanes: int) -> Val:
        """A scalar or constant in every lane."""
        if v.lanes == lanes:
            return v
        vt = vector_type(v.type, lanes)
        if v.lanes == 0:
            return Val(f"splat ({v.type} {v.name})" if lanes > 1 else v.name, v.type, lanes, 0)
        if v.lanes != 1:
            raise ValueError(f"{v.lanes} lanes cannot be spread over {lanes}")
        one = self.emit(f"insertelement {vt} poison, {v.type} {v.name}, i64 0", v.type, lanes,
                        v.level)
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {vt} {one.name}, {vt} poison, {zeros}", v.type, lanes,
                         v.level)

    # ------------------------------------------------------------ instructions

    def binary(self, opcode: str, a: Val, b: Val) -> Val:
        """`opcode` of two values of the same element type; a scalar is spread."""
        lanes = max(a.lanes, b.lanes, 1)
        level = a.level if a.level > b.level else b.level
        if self.floor and lanes > 1 and b.lanes == 0 and opcode in ("add", "sub", "and", "or"):
            b = self._fetched(b, lanes)
        x = a.name if a.lanes == lanes else self.operand(a, lanes)
        y = b.name if b.lanes == lanes else self.operand(b, lanes)
        if lanes == 1:
            return self.emit(f"{opcode} {a.type} {x}, {y}", a.type, 1, level)
        return self.emit(f"{opcode} <{lanes} x {a.type}> {x}, {y}", a.type, lanes, level)

    def compare(self, predicate: str, a: Val, b: Val) -> Val:
        """`predicate` is "icmp slt", "fcmp olt" and so on; the result is i1."""
        if a.type == "i64" and a.lanes > 1 or b.lanes > 1 and b.type == "i64":
            a, b = self._narrowed(predicate, a, b)
        lanes = max(a.lanes, b.lanes, 1)
        level = max(a.level, b.level)
        x, y = self.operand(a, lanes), self.operand(b, lanes)
        return self.emit(f"{predicate} {vector_type(a.type, lanes)} {x}, {y}", "i1", lanes, level)

    def _narrowed(self, predicate: str, a: Val, b: Val) -> tuple[Val, Val]:
        """The operands of a comparison of positions in 32 bits, if they were computed in 32."""
        if predicate[5] == "u":
            return a, b
        pair = []
        for v in (a, b):
            if v.lanes == 0 and abs(int(v.name)) < 1 << 31:
                pair.append(Val(v.name, "i32", 0, 0))
            elif v.name in self.narrow:
                pair.append(self.narrow[v.name])
        return (pair[0], pair[1]) if len(pair) == 2 else (a, b)

    def select(self, mask: Val, a: Val, b: Val) -> Val:
        if mask.name == "true":
            return a
        if mask.name == "false":
            return b
        if a is b:
            return a
        lanes = max(mask.lanes, a.lanes, b.lanes, 1)
        level = max(mask.level, a.level, b.level)
        vt = vector_type(a.type, lanes)
        # A scalar condition selects whole vectors, so it need not be spread.
        m = self.operand(mask, mask.lanes)
        mt = vector_type("i1", mask.lanes)
        x, y = self.operand(a, lanes), self.operand(b, lanes)
        return self.emit(f"select {mt} {m}, {vt} {x}, {vt} {y}", a.type, lanes, level)

    def cast(self, opcode: str, a: Val, type: str) -> Val:
        """A conversion instruction (sext, fpext, bitcast, …) to an element type."""
        lanes = max(a.lanes, 1)
        text = f"{opcode} {vector_type(a.type, lanes)} {a.name} to {vector_type(type, lanes)}"
        return self.emit(text, type, lanes, a.level)

    def call(self, name: str, args: Sequence[Val], type: str = "") -> Val:
        """An overloaded intrinsic of element-wise meaning, `name` without the type suffix."""
        lanes = max(1, *(a.lanes for a in args))
        level = max(a.level for a in args)
        type = type or args[0].type
        suffix = SUFFIX[args[0].type]
        full = f"{name}.v{lanes}{suffix}" if lanes > 1 else f"{name}.{suffix}"
        parts = [vector_type(a.type, lanes) for a in args]
        rt = vector_type(type, lanes)
        self.declare(full, rt, parts)
        text = ", ".join([f"{t} {self.operand(a, lanes)}" for t, a in zip(parts, args)])
        return self.emit(f"call {rt} @{full}({text})", type, lanes, level)

    def declare(self, name: str, result: str, params: Iterable[str]) -> None:
        if name not in self.declarations:
            self.declarations[name] = f"declare {result} @{name}({', '.join(params)})"

    def fma(self, a: Val, b: Val, c: Val) -> Val:
        return self.call("llvm.fma", (a, b, c))

    def shuffle(self, a: Val, order: Sequence[int], b: Val | None = None) -> Val:
        """The lanes of `a` (and `b` behind them) in another order."""
        vt = vector_type(a.type, a.lanes)
        other = b.name if b is not None else "poison"
        level = max(a.level, b.level) if b is not None else a.level
        picks = ", ".join([f"i32 {k}" for k in order])
        text = f"shufflevector {vt} {a.name}, {vt} {other}, <{len(order)} x i32> <{picks}>"
        return self.emit(text, a.type, len(order), level)

    def extract(self, a: Val, k: int) -> Val:
        if a.lanes <= 1:
            return a
        return self.emit(f"extractelement {vector_type(a.type, a.lanes)} {a.name}, i64 {k}",
                         a.type, 1, a.level)

    def gather_lanes(self, parts: Sequence[Val]) -> Val:
        """A vector from its lanes."""
        lanes = len(parts)
        if lanes == 1:
            return parts[0]
        vt = vector_type(parts[0].type, lanes)
        level = max(p.level for p in parts)
        name = "poison"
        found = parts[0]
        for k, part in enumerate(parts):
            text = f"insertelement {vt} {name}, {part.type} {part.name}, i64 {k}"
            found = self.emit(text, part.type, lanes, level)
            name = found.name
        return found

    def split(self, a: Val, lanes: int) -> list[Val]:
        """A vector in pieces of `lanes`."""
        return [self.shuffle(a, range(k, k + lanes)) for k in range(0, a.lanes, lanes)]

    def concat(self, parts: Sequence[Val]) -> Val:
        """Vectors of equal lanes, one behind the other (their number is a power of two)."""
        while len(parts) > 1:
            parts = [self.shuffle(a, range(2 * a.lanes), b)
                     for a, b in zip(parts[::2], parts[1::2])]
        return parts[0]

    def iota(self, lanes: int, type: str, step: int = 1) -> Val:
        if lanes == 1:
            return constant(0, type)
        return literal([k * step for k in range(lanes)], type)


SUFFIX = {"float": "f32", "double": "f64", "half": "f16", "i1": "i1", "i8": "i8", "i16": "i16",
          "i32": "i32", "i64": "i64", "ptr": "p0"}
