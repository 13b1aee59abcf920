"""What the threads call to sort: the `k` least, whole rows, parts of a long row, as LLVM IR text.

In: a type of key. Out: `module`, a text for `runtime.native`. Called by `codegen.sort`.
"""
from __future__ import annotations

from .sort_ir import BUCKETS, Keys, fill, sorting

FIELDS = ("x", "out", "n", "inner", "mask", "count", "store", "stride", "half", "a", "b",
          "tables", "byte", "grain")
"""The words of a context: see `codegen.sort.Context`."""


def module(keys: Keys) -> str:
    """The whole text; see `codegen.sort` for what its functions are given."""
    return fill("".join((sorting(keys), _SELECT, _ROWS, _PARTS)), keys)


def _field(name: str) -> str:
    """The value of a context's word, as %name."""
    at = FIELDS.index(name)
    kind = "ptr" if name in ("x", "out", "store", "a", "b", "tables") else "i64"
    kind = "KEY" if name == "mask" else kind
    return (f"  %{name}.at = getelementptr i64, ptr %ctx, i64 {at}\n"
            f"  %{name} = load {kind}, ptr %{name}.at\n")


def _fields(*names: str) -> str:
    return "".join(map(_field, names))


# ---------------------------------------------------------------- the k least

_SELECT = """
declare i1 @llvm.vector.reduce.or.vBLOCKi1(<BLOCK x i1>)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)

; the k least of n elements, sorted; a and b have room for `room` and a block more, k < room <= n
define internal ptr @select(ptr noalias %x, i64 %inner, KEY %mask, i64 %n, i64 %k, i64 %room,
                            ptr %a, ptr %b, ptr %tables) {
entry:
  %mask0 = insertelement <BLOCK x KEY> poison, KEY %mask, i64 0
  %masks = shufflevector <BLOCK x KEY> %mask0, <BLOCK x KEY> poison, <BLOCK x i32> zeroinitializer
  %dense = icmp eq i64 %inner, 1
  %kept.bytes = mul i64 %k, BYTES
  %last = sub i64 %k, 1
  %worst.at = getelementptr ELEMENT, ptr %a, i64 %last
  call void @fetch(ptr %x, ptr %a, i64 %inner, KEY %mask, i64 0, i64 %room)
  br label %shrink
shrink:
  %i.full = phi i64 [ %room, %entry ], [ %stop, %scanned ]
  %held = phi i64 [ %room, %entry ], [ %filled, %scanned ]
  %best = call ptr @sort(ptr %a, ptr %b, i64 %held, ptr %tables)
  call void @llvm.memmove.p0.p0.i64(ptr align BYTES %a, ptr align BYTES %best, i64 %kept.bytes,
                                    i1 0)
  %worst = load ELEMENT, ptr %worst.at
  %worst.high = lshr ELEMENT %worst, POSITION
  %limit = trunc ELEMENT %worst.high to KEY
  %limit0 = insertelement <BLOCK x KEY> poison, KEY %limit, i64 0
  %limits = shufflevector <BLOCK x KEY> %limit0, <BLOCK x KEY> poison, <BLOCK x i32> zeroinitializer
  br label %look
look:
  %i = phi i64 [ %i.full, %shrink ], [ %i.far, %quick ], [ %stop, %scanned ]
  %fill = phi i64 [ %k, %shrink ], [ %fill, %quick ], [ %filled, %scanned ]
  %over = icmp sge i64 %i, %n
  br i1 %over, label %finish, label %inside
inside:
  %i.far = add i64 %i, BLOCK
  %whole = icmp sle i64 %i.far, %n
  %stop = select i1 %whole, i64 %i.far, i64 %n
  %fast = and i1 %whole, %dense
  br i1 %fast, label %quick, label %scan
quick:
  %block.at = getelementptr KEY, ptr %x, i64 %i
  %block = load <BLOCK x KEY>, ptr %block.at, align 1
  %block.keys = call <BLOCK x KEY> @key.block(<BLOCK x KEY> %block, <BLOCK x KEY> %masks)
  %block.less = icmp ult <BLOCK x KEY> %block.keys, %limits
  %any = call i1 @llvm.vector.reduce.or.vBLOCKi1(<BLOCK x i1> %block.less)
  br i1 %any, label %scan, label %look
scan:
  br label %step
step:
  %j = phi i64 [ %i, %scan ], [ %j1, %step ]
  %filling = phi i64 [ %fill, %scan ], [ %filled, %step ]
  %at = mul i64 %j, %inner
  %from = getelementptr KEY, ptr %x, i64 %at
  %bits = load KEY, ptr %from
  %key = call KEY @key.one(KEY %bits, KEY %mask)
  %e = call ELEMENT @pack(KEY %key, i64 %j)
  %to = getelementptr ELEMENT, ptr %a, i64 %filling
  store ELEMENT %e, ptr %to
  ; an equal key comes later than the last one kept, so it is out
  %less = icmp ult KEY %key, %limit
  %one = zext i1 %less to i64
  %filled = add i64 %filling, %one
  %j1 = add nuw nsw i64 %j, 1
  %more = icmp slt i64 %j1, %stop
  br i1 %more, label %step, label %scanned
scanned:
  %full = icmp sge i64 %filled, %room
  br i1 %full, label %shrink, label %look
finish:
  %found = call ptr @sort(ptr %a, ptr %b, i64 %fill, ptr %tables)
  ret ptr %found
}
"""

# ---------------------------------------------------------------- what Python and the pool call

_ROWS = f"""
; rows lo to hi, each by one thread; its part of the store holds the tables, a and b
define void @rows(ptr %ctx, i64 %lo, i64 %hi, i64 %thread) {{
entry:
{_fields("x", "out", "n", "inner", "mask", "count", "store", "stride", "half", "byte")}
  %skip = mul i64 %thread, %stride
  %tables = getelementptr i8, ptr %store, i64 %skip
  %a = getelementptr i8, ptr %tables, i64 {8 * BUCKETS * 8}
  %b = getelementptr i8, ptr %a, i64 %half
  %all = icmp eq i64 %byte, 0
  br label %row
row:
  %r = phi i64 [ %lo, %entry ], [ %next, %release ]
  %outer = sdiv i64 %r, %inner
  %column = srem i64 %r, %inner
  %planes = mul i64 %outer, %inner
  %before = mul i64 %planes, %n
  %first = add i64 %before, %column
  %keys = getelementptr KEY, ptr %x, i64 %first
  %before.out = mul i64 %planes, %count
  %first.out = add i64 %before.out, %column
  %order = getelementptr i64, ptr %out, i64 %first.out
  br i1 %all, label %whole, label %part
whole:
  call void @fetch(ptr %keys, ptr %a, i64 %inner, KEY %mask, i64 0, i64 %n)
  %sorted = call ptr @sort(ptr %a, ptr %b, i64 %n, ptr %tables)
  br label %release
part:
  %selected = call ptr @select(ptr %keys, i64 %inner, KEY %mask, i64 %n, i64 %count, i64 %byte,
                               ptr %a, ptr %b, ptr %tables)
  br label %release
release:
  %result = phi ptr [ %sorted, %whole ], [ %selected, %part ]
  call void @release(ptr %result, ptr %order, i64 %inner, i64 0, i64 %count)
  %next = add nuw nsw i64 %r, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %row, label %end
end:
  ret void
}}
"""

_PARTS = f"""
; one row by all threads, in parts of `grain` elements; each part has a table
define void @part_fetch(ptr %ctx, i64 %lo, i64 %hi, i64 %thread) {{
{_fields("x", "inner", "mask", "a")}
  call void @fetch(ptr %x, ptr %a, i64 %inner, KEY %mask, i64 %lo, i64 %hi)
  ret void
}}

define void @part_count(ptr %ctx, i64 %lo, i64 %hi, i64 %thread) {{
entry:
{_fields("a", "tables", "byte", "grain")}
  %part = sdiv i64 %lo, %grain
  %skip = mul i64 %part, BUCKETS
  %table = getelementptr i64, ptr %tables, i64 %skip
  call void @llvm.memset.p0.i64(ptr align 8 %table, i8 0, i64 {8 * BUCKETS}, i1 0)
  br label %step
step:
  %i = phi i64 [ %lo, %entry ], [ %next, %step ]
  %from = getelementptr ELEMENT, ptr %a, i64 %i
  %digit.at = getelementptr i8, ptr %from, i64 %byte
  %digit = load i8, ptr %digit.at
  %d = zext i8 %digit to i64
  %count.at = getelementptr i64, ptr %table, i64 %d
  %count = load i64, ptr %count.at
  %count.more = add i64 %count, 1
  store i64 %count.more, ptr %count.at
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %step, label %end
end:
  ret void
}}

define i64 @part_places(ptr %ctx, i64 %parts) {{
{_fields("tables")}
  %single = call i1 @prefix(ptr %tables, i64 %parts)
  %answer = zext i1 %single to i64
  ret i64 %answer
}}

define void @part_scatter(ptr %ctx, i64 %lo, i64 %hi, i64 %thread) {{
{_fields("a", "b", "tables", "byte", "grain")}
  %part = sdiv i64 %lo, %grain
  %skip = mul i64 %part, BUCKETS
  %table = getelementptr i64, ptr %tables, i64 %skip
  call void @scatter(ptr %a, ptr %b, ptr %table, i64 %byte, i64 %lo, i64 %hi)
  ret void
}}

define void @part_release(ptr %ctx, i64 %lo, i64 %hi, i64 %thread) {{
{_fields("a", "out", "inner")}
  call void @release(ptr %a, ptr %out, i64 %inner, i64 %lo, i64 %hi)
  ret void
}}
"""
