"""Binary search in compiled code: where values would go in sorted rows.

In: a `Search`. Out: its `run` reads sorted keys and values and writes int64 positions. Called by
`graph/program`. Keys are compared as `codegen.sort_ir` orders them, so both zeros are equal.

    search = Search(rows=1, n=edges.size, each=values.size, dtype=float32, right=False)
    search.run(edges.address, values.address, out.address)
"""
from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..core.dtype import dtype
from ..runtime import native, threads
from .sort import INFINITY, PARALLEL, WORK
from .sort_ir import BLOCK, Keys, fill, key_ir

_CHUNK_NS = 20_000
"""Work of one chunk of values."""

_CONTEXT = ctypes.c_int64 * 6

_SEARCH = """
declare i1 @llvm.vector.reduce.or.vBLOCKi1(<BLOCK x i1>)
declare <BLOCK x KEY> @llvm.masked.load.vBLOCKiBITS.p0(ptr, i32, <BLOCK x i1>, <BLOCK x KEY>)
declare void @llvm.masked.store.vBLOCKi64.p0(<BLOCK x i64>, ptr, i32, <BLOCK x i1>)
declare <BLOCK x KEY> @llvm.masked.gather.vBLOCKiBITS.vBLOCKp0(<BLOCK x ptr>, i32, <BLOCK x i1>,
                                                               <BLOCK x KEY>)

; values lo to hi, BLOCK at a time; ctx: edges, values, out, edges of a row, values of a row (0:
; there is one row), whether equals go after
define void @search(ptr %ctx, i64 %lo, i64 %hi, i64 %thread) {
entry:
  %edges = load ptr, ptr %ctx
  %values.at = getelementptr i64, ptr %ctx, i64 1
  %values = load ptr, ptr %values.at
  %out.at = getelementptr i64, ptr %ctx, i64 2
  %out = load ptr, ptr %out.at
  %n.at = getelementptr i64, ptr %ctx, i64 3
  %n = load i64, ptr %n.at
  %each.at = getelementptr i64, ptr %ctx, i64 4
  %each = load i64, ptr %each.at
  %right.at = getelementptr i64, ptr %ctx, i64 5
  %right.word = load i64, ptr %right.at
  %right = icmp ne i64 %right.word, 0
SPREAD(%hi, his, i64)SPREAD(%n, ns, i64)SPREAD(%each, eaches, i64)SPREAD(%right, rights, i1)
  %single = icmp eq i64 %each, 0
  br label %block
block:
  %i = phi i64 [ %lo, %entry ], [ %next, %found ]
SPREAD(%i, bases, i64)
  %is = add <BLOCK x i64> %bases, <LANES>
  %real = icmp slt <BLOCK x i64> %is, %his
  %from = getelementptr KEY, ptr %values, i64 %i
  %bits = call <BLOCK x KEY> @llvm.masked.load.vBLOCKiBITS.p0(ptr %from, i32 WIDTH,
      <BLOCK x i1> %real, <BLOCK x KEY> zeroinitializer)
  %key = call <BLOCK x KEY> @key.block(<BLOCK x KEY> %bits, <BLOCK x KEY> zeroinitializer)
  %lefts = select <BLOCK x i1> %real, <BLOCK x i64> %ns, <BLOCK x i64> zeroinitializer
  br i1 %single, label %begin, label %rows
rows:
  %rs = udiv <BLOCK x i64> %is, %eaches
  %firsts = mul <BLOCK x i64> %rs, %ns
  br label %begin
begin:
  %first = phi <BLOCK x i64> [ zeroinitializer, %block ], [ %firsts, %rows ]
  br label %halve
halve:
  %start = phi <BLOCK x i64> [ zeroinitializer, %begin ], [ %start1, %halve ]
  %left = phi <BLOCK x i64> [ %lefts, %begin ], [ %left1, %halve ]
  %active = icmp ne <BLOCK x i64> %left, zeroinitializer
  %half = lshr <BLOCK x i64> %left, <ONES>
  %middle = add <BLOCK x i64> %start, %half
  %at = add <BLOCK x i64> %first, %middle
  %edge.at = getelementptr KEY, ptr %edges, <BLOCK x i64> %at
  %edge.bits = call <BLOCK x KEY> @llvm.masked.gather.vBLOCKiBITS.vBLOCKp0(
      <BLOCK x ptr> %edge.at, i32 WIDTH, <BLOCK x i1> %active, <BLOCK x KEY> zeroinitializer)
  %edge = call <BLOCK x KEY> @key.block(<BLOCK x KEY> %edge.bits, <BLOCK x KEY> zeroinitializer)
  %less = icmp ult <BLOCK x KEY> %edge, %key
  %equal = icmp eq <BLOCK x KEY> %edge, %key
  %passed = and <BLOCK x i1> %equal, %rights
  %nan = icmp ugt <BLOCK x KEY> %edge, <MOST>
  %on = or <BLOCK x i1> %less, %passed
  %on1 = or <BLOCK x i1> %on, %nan
  %beyond = and <BLOCK x i1> %on1, %active
  %after = add <BLOCK x i64> %middle, <ONES>
  %rest = sub <BLOCK x i64> %left, %half
  %rest1 = sub <BLOCK x i64> %rest, <ONES>
  %start1 = select <BLOCK x i1> %beyond, <BLOCK x i64> %after, <BLOCK x i64> %start
  %left1 = select <BLOCK x i1> %beyond, <BLOCK x i64> %rest1, <BLOCK x i64> %half
  %open = icmp ne <BLOCK x i64> %left1, zeroinitializer
  %more = call i1 @llvm.vector.reduce.or.vBLOCKi1(<BLOCK x i1> %open)
  br i1 %more, label %halve, label %found
found:
  %to = getelementptr i64, ptr %out, i64 %i
  call void @llvm.masked.store.vBLOCKi64.p0(<BLOCK x i64> %start1, ptr %to, i32 8,
                                            <BLOCK x i1> %real)
  %next = add nuw nsw i64 %i, BLOCK
  %again = icmp slt i64 %next, %hi
  br i1 %again, label %block, label %end
end:
  ret void
}
"""


def _spread(found: re.Match[str]) -> str:
    """A number in all lanes: SPREAD(%x, xs, type)."""
    x, name, kind = found.groups()
    return (f"  %{name}.0 = insertelement <BLOCK x {kind}> poison, {kind} {x}, i64 0\n"
            f"  %{name} = shufflevector <BLOCK x {kind}> %{name}.0, <BLOCK x {kind}> poison, "
            "<BLOCK x i32> zeroinitializer\n")


def _lanes(kind: str, values: Iterable[int]) -> str:
    return "<" + ", ".join(f"{kind} {v}" for v in values) + ">"


def search_ir(keys: Keys) -> str:
    """The whole text. A NaN is passed on either side, as every comparison with it fails."""
    most = (1 << keys.bits) - (2 if keys.kind == "f" else 1)
    text = re.sub(r"SPREAD\((.+?), (.+?), (.+?)\)", _spread, _SEARCH)
    for word, value in (("<LANES>", _lanes("i64", range(BLOCK))),
                        ("<ONES>", _lanes("i64", [1] * BLOCK)),
                        ("<MOST>", _lanes("KEY", [most] * BLOCK)),
                        ("BITS", str(keys.bits)), ("WIDTH", str(keys.bits // 8))):
        text = text.replace(word, value)
    return fill(key_ir(keys, f"<{BLOCK} x KEY>", "block") + text, keys)


@cache
def _code(kind: dtype) -> tuple[int, Any]:
    """The compiled function for a dtype's keys: its address, and a callable."""
    keys = Keys(8 * kind.itemsize, kind.kind, INFINITY.get(kind, 0), 32)
    address = native.load(search_ir(keys), ("search",))["search"]
    return address, WORK(address)


@dataclass(frozen=True, slots=True)
class Search:
    """`rows` sorted rows of `n` >= 1 keys, `each` values for every row."""

    rows: int
    n: int
    each: int
    dtype: dtype
    right: bool

    def run(self, edges: int, values: int, out: int) -> None:
        """Write the positions at address `out`: the first edge that is not less than the value,
        or with `right` the first that is greater."""
        address, call = _code(self.dtype)
        context = _CONTEXT(edges, values, out, self.n,
                           self.each if self.rows > 1 else 0, self.right)
        size = self.rows * self.each
        chunk = _CHUNK_NS // (4 * self.n.bit_length())
        if size <= 2 * chunk or threads.get_num_threads() == 1:
            call(ctypes.addressof(context), 0, size, 0)
        else:
            PARALLEL(threads.parallel_address())(threads.pool_address(), address,
                                                 ctypes.addressof(context), size, chunk)
