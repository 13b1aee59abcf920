"""Loads, stores and gathers.

In: a place (`Buffer` or `Local`), an index, masks. Out: values in register form. Called by `llvm`.

An element in memory is an integer or a float; in registers a bool is an i1, and float16 and
bfloat16 are floats that hold one of their values. What a buffer holds is known by its aliases'
number: buffers that overlap in one slot share it, and each store gives it a new version, so a load
is merged with an earlier one only when nothing was stored between.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.dtype import dtype
from ..core.symbol import Index
from ..kernel.loopnest import Buffer, Local, overlaps
from ..kernel.loopnest import Target as Place
from .address import Addresses, Linear
from .emit import SIZES, SUFFIX, Val, constant, vector_type
from .nearby import Window, windows
from .target import Target

MEMORY = {"bool": "i8", "float16": "i16", "bfloat16": "i16"}
REGISTER = {"bool": "i1", "float16": "float", "bfloat16": "float"}


def memory_type(d: dtype) -> str:
    """The LLVM type of an element in memory."""
    return MEMORY.get(d.name, d.llvm)


def register_type(d: dtype) -> str:
    """The LLVM type in which an element is worked with."""
    return REGISTER.get(d.name, d.llvm)


def memory_constant(x: float | int | bool, d: dtype) -> Val:
    """A literal as it lies in memory."""
    if d.name in ("float16", "bfloat16"):
        return constant(int(np.asarray(x, d.numpy).view(np.int16)), "i16")
    return constant(x, memory_type(d))


class Memory(Addresses):
    """An emitter that reads and writes memory."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.bases: dict[Place, Val] = {}
        self.alias: dict[Place, int] = {}
        self.versions: dict[int, int] = {}
        self.prologue: list[str] = []
        self.uses: dict[str, set[str]] = {}      # of long formulas, see `outline`
        self.mask: Val | None = None
        self._scratch: Val | None = None

    # ------------------------------------------------------------ places

    def place_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Give each buffer its address (level 0) and its aliases' number."""
        for i, b in enumerate(buffers):
            place = self._address("{i64, i64, i64}", Val("%places", "ptr", 1, 0), i)
            number = self.emit(f"load i64, ptr {place.name}, align 8", "i64", 1, 0)
            slot = self.emit(f"getelementptr ptr, ptr %slots, i64 {number.name}", "ptr", 1, 0)
            start = self.emit(f"load ptr, ptr {slot.name}, align 8", "ptr", 1, 0)
            second = self._address("i64", place, 1)
            offset = self.emit(f"load i64, ptr {second.name}, align 8", "i64", 1, 0)
            if b.step:
                third = self._address("i64", place, 2)
                step = self.emit(f"load i64, ptr {third.name}, align 8", "i64", 1, 0)
                moved = self.emit(f"mul i64 {step.name}, %turn", "i64", 1, 0)
                offset = self.emit(f"add i64 {offset.name}, {moved.name}", "i64", 1, 0)
            self.bases[b] = self.emit(
                f"getelementptr i8, ptr {start.name}, i64 {offset.name}", "ptr", 1, 0)
            self.alias[b] = i
        shared = overlaps(buffers)
        changed = True
        while changed:
            changed = False
            for i, j in shared:
                a, b = buffers[i], buffers[j]
                if self.alias[a] != self.alias[b]:
                    self.alias[a] = self.alias[b] = min(self.alias[a], self.alias[b])
                    changed = True

    def place_locals(self, locals: Sequence[Local]) -> int:
        """Registers as allocas, scratch behind the thread's scratch pointer; returns its bytes."""
        used = 0
        for m in locals:
            self.alias[m] = len(self.alias)
            size = m.size * SIZES[memory_type(m.dtype)]
            if m.space == "scratch":
                self.bases[m] = self._address("i8", Val("%scratch", "ptr", 1, 0), used)
                used += (size + 63) // 64 * 64
            else:
                name = self.fresh()
                align = 64 if size >= 64 else 16
                count = max(m.size, 1)
                text = f"{name} = alloca [{count} x {memory_type(m.dtype)}], align {align}"
                self.prologue.append(text)
                self.bases[m] = Val(name, "ptr", 1, 0)
        return used

    def _address(self, type: str, base: Val, k: int) -> Val:
        if k == 0:
            return base
        return self.emit(f"getelementptr {type}, ptr {base.name}, i64 {k}", "ptr", 1, 0)

    def _dummy(self) -> Val:
        """Memory that may always be read and written, for lanes that are off."""
        if self._scratch is None:
            self._scratch = Val("%dummy", "ptr", 1, 0)
            self.prologue.append("%dummy = alloca [16 x i8], align 16")
        return self._scratch

    def touch(self, place: Place) -> None:
        """Something was stored in `place`."""
        alias = self.alias[place]
        self.versions[alias] = self.versions.get(alias, 0) + 1

    def _write_level(self, place: Place) -> int:
        """The innermost open loop that stores in `place`: its loads may not leave it."""
        alias = self.alias[place]
        for level in range(self.level, 0, -1):
            if alias in self.scopes[level].writes:
                return level
        return 0

    # ------------------------------------------------------------ loads

    def load(self, place: Place, index: Index, d: dtype, mask: Val | None = None,
             other: float | int | bool = 0) -> Val:
        """The element at `index`, or `other` where `mask` is off, in register form."""
        x = self.linear(index)
        type = memory_type(place.dtype)
        if mask is not None and mask.name in ("true", "splat (i1 true)"):
            mask = None
        if isinstance(place, Local) and mask is not None and self._inside(place, x):
            raw = self._load(place, type, x, None, other)
            v = self.from_memory(raw, d)
            return self.select(mask, v, self.from_memory(memory_constant(other, d), d))
        return self.from_memory(self._load(place, type, x, mask, other), d)

    def prefetch(self, place: Place, index: Index) -> None:
        """Have the memory of the first lane fetched."""
        p = self.pointer(self.bases[place], memory_type(place.dtype), self.linear(index))
        self.declarations["llvm.prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
        self.write(f"call void @llvm.prefetch.p0(ptr {p.name}, i32 0, i32 3, i32 1)")

    def _inside(self, place: Local, x: Linear) -> bool:
        """Whether every lane of a constant index lies in the local."""
        if x.scalars or x.vectors or x.step not in (0, 1):
            return False
        return x.const >= 0 and x.const + x.step * (x.lanes - 1) < place.size

    def _load(self, place: Place, type: str, x: Linear, mask: Val | None,
              other: float | int | bool) -> Val:
        p = self.pointer(self.bases[place], type, x)
        default = memory_constant(other, place.dtype)
        if x.uniform:
            return self._load_uniform(place, type, p, mask, default)
        mask = self.both(self.mask, mask)
        if not x.vectors and x.step == 1:
            return self._load_row(place, type, p, x.lanes, mask, default)
        if not x.vectors and x.step == -1:
            first = self._step(p, type, constant(1 - x.lanes, "i64"))
            order = range(x.lanes - 1, -1, -1)
            if mask is not None:
                mask = self.shuffle(self.splat(mask, x.lanes), order)
            return self.shuffle(self._load_row(place, type, first, x.lanes, mask, default), order)
        offsets = x.offsets() if mask is None else None
        rows = None if offsets is None else windows(offsets)
        if rows is not None and offsets is not None:
            return self._load_windows(place, type, x, rows, offsets)
        return self._gather(place, type, p, x, mask, default)

    def _read(self, place: Place, text: str, type: str, lanes: int, level: int) -> Val:
        """Write a load in the outermost loop that neither changes its operands nor its memory."""
        level = max(level, self._write_level(place))
        key = f"{text} v{self.versions.get(self.alias[place], 0)}"
        return self.emit(text, type, lanes, level, key)

    def _load_uniform(self, place: Place, type: str, p: Val, mask: Val | None,
                      default: Val) -> Val:
        size = SIZES[type]
        if mask is None:
            return self._read(place, f"load {type}, ptr {p.name}, align {size}", type, 1, p.level)
        on = mask if mask.lanes <= 1 else self.any(self.both(self.mask, mask) or mask)
        p = self.select(on, p, self._dummy())
        v = self._read(place, f"load {type}, ptr {p.name}, align {size}", type, 1, p.level)
        return self.select(mask, v, default)

    def _load_row(self, place: Place, type: str, p: Val, lanes: int, mask: Val | None,
                  default: Val) -> Val:
        vt = vector_type(type, lanes)
        size = SIZES[type]
        if mask is None:
            return self._read(place, f"load {vt}, ptr {p.name}, align {size}", type, lanes,
                              p.level)
        full = f"llvm.masked.load.v{lanes}{SUFFIX[type]}.p0"
        self.declare(full, vt, ("ptr", f"<{lanes} x i1>", vt))
        m, d = self.operand(mask, lanes), self.operand(default, lanes)
        text = (f"call {vt} @{full}(ptr align {size} {p.name}, <{lanes} x i1> {m}, {vt} {d})")
        return self._read(place, text, type, lanes, max(p.level, mask.level, default.level))

    def _load_windows(self, place: Place, type: str, x: Linear, rows: list[Window],
                      offsets: list[int]) -> Val:
        """Lanes at constant distances: contiguous loads, then shuffles."""
        parts = []
        for w in rows:
            at = Linear()
            at.scalars, at.const = x.scalars, x.const + w.start
            p = self.pointer(self.bases[place], type, at)
            part = self._load_row(place, type, p, w.size, None, constant(0, type))
            if w.size == 1:
                part = self.splat(part, x.lanes)
            elif w.size < x.lanes:
                part = self.shuffle(part, [min(k, w.size - 1) for k in range(x.lanes)])
            parts.append(part)
        found, held = parts[0], [k - rows[0].start if k in rows[0] else 0 for k in offsets]
        if len(parts) == 1:
            return self.shuffle(found, held)
        for w, part in zip(rows[1:], parts[1:]):
            order = [x.lanes + k - w.start if k in w else h for k, h in zip(offsets, held)]
            found, held = self.shuffle(found, order, part), list(range(x.lanes))
        return found

    def _pointers(self, type: str, p: Val, x: Linear) -> Val:
        off = self.lane_offsets(x)
        text = f"getelementptr {type}, ptr {p.name}, <{x.lanes} x {off.type}> {off.name}"
        return self.emit(text, "ptr", x.lanes, max(p.level, off.level))

    def _gather(self, place: Place, type: str, p: Val, x: Linear, mask: Val | None,
                default: Val) -> Val:
        lanes, size = x.lanes, SIZES[type]
        at = self._pointers(type, p, x)
        vt = vector_type(type, lanes)
        hardware = size >= 4 and self.target.masked(frozenset((size,)))
        passed, on = default, mask
        if mask is not None and not hardware:
            # The gather becomes one load a lane: without a mask there are no branches.
            at = self.select(self.splat(mask, lanes), at, self._dummy())
            on = None
        full = f"llvm.masked.gather.v{lanes}{SUFFIX[type]}.v{lanes}p0"
        self.declare(full, vt, (f"<{lanes} x ptr>", f"<{lanes} x i1>", vt))
        m = "splat (i1 true)" if on is None else self.operand(on, lanes)
        d = self.operand(passed, lanes)
        text = (f"call {vt} @{full}(<{lanes} x ptr> align {size} {at.name}, "
                f"<{lanes} x i1> {m}, {vt} {d})")
        level = max(at.level, on.level if on is not None else 0)
        v = self._read(place, text, type, lanes, level)
        return v if mask is None or hardware else self.select(mask, v, default)

    # ------------------------------------------------------------ stores

    def store(self, place: Place, index: Index, v: Val, mask: Val | None = None) -> None:
        """Write `v` (register form) at `index`, where `mask` is on."""
        x = self.linear(index)
        type = memory_type(place.dtype)
        v = self.to_memory(v, place.dtype)
        if mask is not None and mask.name in ("true", "splat (i1 true)"):
            mask = None
        if isinstance(place, Local) and mask is not None and self._inside(place, x):
            old = self._load(place, type, x, None, 0)
            v, mask = self.select(mask, v, old), None
        p = self.pointer(self.bases[place], type, x)
        self._store(type, x, p, v, mask)
        self.touch(place)

    def _store(self, type: str, x: Linear, p: Val, v: Val, mask: Val | None) -> None:
        size = SIZES[type]
        if x.uniform and v.lanes <= 1 and (mask is None or mask.lanes <= 1):
            if mask is not None:
                p = self.select(mask, p, self._dummy())
            self.write(f"store {type} {v.name}, ptr {p.name}, align {size}")
            return
        mask = self.both(self.mask, mask)
        if not x.vectors and x.step == 1:
            self._store_row(type, x.lanes, p, v, mask)
        elif not x.vectors and x.step == -1:
            order = range(x.lanes - 1, -1, -1)
            v = self.shuffle(self.splat(v, x.lanes), order)
            if mask is not None:
                mask = self.shuffle(self.splat(mask, x.lanes), order)
            first = self._step(p, type, constant(1 - x.lanes, "i64"))
            self._store_row(type, x.lanes, first, v, mask)
        else:
            self._scatter(type, x, p, v, mask)

    def _store_row(self, type: str, lanes: int, p: Val, v: Val, mask: Val | None) -> None:
        vt = vector_type(type, lanes)
        size = SIZES[type]
        text = self.operand(v, lanes)
        if mask is None:
            self.write(f"store {vt} {text}, ptr {p.name}, align {size}")
            return
        full = f"llvm.masked.store.v{lanes}{SUFFIX[type]}.p0"
        self.declare(full, "void", (vt, "ptr", f"<{lanes} x i1>"))
        m = self.operand(mask, lanes)
        self.write(f"call void @{full}({vt} {text}, ptr align {size} {p.name}, "
                   f"<{lanes} x i1> {m})")

    def _scatter(self, type: str, x: Linear, p: Val, v: Val, mask: Val | None) -> None:
        """Lanes in order, so that the last of equal places wins as in a sequential loop."""
        lanes = x.lanes if not x.uniform else max(v.lanes, mask.lanes if mask else 1)
        size = SIZES[type]
        at = self.splat(p, lanes) if x.uniform else self._pointers(type, p, x)
        if mask is not None and not (size >= 4 and self.target.avx512):
            at, mask = self.select(self.splat(mask, lanes), at, self._dummy()), None
        vt = vector_type(type, lanes)
        full = f"llvm.masked.scatter.v{lanes}{SUFFIX[type]}.v{lanes}p0"
        self.declare(full, "void", (vt, f"<{lanes} x ptr>", f"<{lanes} x i1>"))
        m = "splat (i1 true)" if mask is None else self.operand(mask, lanes)
        self.write(f"call void @{full}({vt} {self.operand(v, lanes)}, <{lanes} x ptr> align {size} "
                   f"{at.name}, <{lanes} x i1> {m})")

    # ------------------------------------------------------------ masks and forms

    def both(self, a: Val | None, b: Val | None) -> Val | None:
        if a is None or b is None:
            return b if a is None else a
        return self.binary("and", a, b)

    def any(self, mask: Val) -> Val:
        """Whether any lane is on."""
        full = f"llvm.vector.reduce.or.v{mask.lanes}i1"
        self.declare(full, "i1", (f"<{mask.lanes} x i1>",))
        return self.emit(f"call i1 @{full}(<{mask.lanes} x i1> {mask.name})", "i1", 1, mask.level)

    def from_memory(self, v: Val, d: dtype) -> Val:
        if d.name == "bool":
            return self.compare("icmp ne", v, constant(0, "i8"))
        if d.name == "bfloat16":
            wide = self.cast("zext", v, "i32")
            wide = self.binary("shl", wide, constant(16, "i32"))
            return self.cast("bitcast", wide, "float")
        if d.name == "float16":
            return self.half_to_float(v)
        return v

    def to_memory(self, v: Val, d: dtype) -> Val:
        """Also for constants, which come back as a scalar."""
        if d.name == "bool":
            return self.cast("zext", v, "i8")
        if d.name == "bfloat16":
            bits = self.cast("bitcast", v, "i32")
            bits = self.binary("lshr", bits, constant(16, "i32"))
            return self.cast("trunc", bits, "i16")
        if d.name == "float16":
            return self.float_to_half(v)
        return v

    def half_to_float(self, v: Val) -> Val:
        """16 bits to the float they stand for."""
        if self.target.native_half:
            return self.cast("fpext", self.cast("bitcast", v, "half"), "float")
        wide = self.cast("zext", v, "i32")
        sign = self.binary("shl", self.binary("and", wide, constant(0x8000, "i32")),
                           constant(16, "i32"))
        rest = self.binary("and", wide, constant(0x7FFF, "i32"))
        bits = self.binary("shl", rest, constant(13, "i32"))
        # The exponent is off by 112: a multiplication mends it, denormals included.
        scaled = self.binary("fmul", self.cast("bitcast", bits, "float"),
                             constant(2.0 ** 112, "float"))
        special = self.compare("icmp uge", rest, constant(0x7C00, "i32"))
        top = self.binary("or", bits, constant(0x7F800000, "i32"))
        bits = self.select(special, top, self.cast("bitcast", scaled, "i32"))
        return self.cast("bitcast", self.binary("or", bits, sign), "float")

    def float_to_half(self, v: Val) -> Val:
        """Round to the nearest half, ties to even, as 16 bits; NaN stays NaN."""
        if self.target.native_half:
            return self.cast("bitcast", self.cast("fptrunc", v, "half"), "i16")
        bits = self.cast("bitcast", v, "i32")
        sign = self.binary("and", self.binary("lshr", bits, constant(16, "i32")),
                           constant(0x8000, "i32"))
        size = self.binary("and", bits, constant(0x7FFFFFFF, "i32"))
        odd = self.binary("and", self.binary("lshr", size, constant(13, "i32")),
                          constant(1, "i32"))
        normal = self.binary("add", self.binary("add", size, constant(0xFFF - (112 << 23), "i32")),
                             odd)
        normal = self.binary("lshr", normal, constant(13, "i32"))
        # Adding 0.5 leaves a denormal's bits, rounded, at the bottom.
        low = self.binary("fadd", self.cast("bitcast", size, "float"), constant(0.5, "float"))
        low = self.binary("sub", self.cast("bitcast", low, "i32"), constant(0x3F000000, "i32"))
        out = self.select(self.compare("icmp ult", size, constant(113 << 23, "i32")), low, normal)
        large = self.compare("icmp uge", size, constant(0x477FF000, "i32"))
        out = self.select(large, constant(0x7C00, "i32"), out)
        nan = self.compare("icmp ugt", size, constant(0x7F800000, "i32"))
        out = self.select(nan, constant(0x7E00, "i32"), out)
        return self.cast("trunc", self.binary("or", out, sign), "i16")
