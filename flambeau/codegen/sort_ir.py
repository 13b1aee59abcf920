"""How one thread sorts, as LLVM IR text for a type of key.

In: how wide a key is, what kind of number, how wide a position. Out: text for
`codegen.sort_entries`, which makes a module of it.

An element of the sort is one integer, the key above the position, so that no two are equal and any
order of elements is the stable order of keys:

    -1.5f at 3  ->  0x403fffff_00000003          +1.5f at 4  ->  0xbfc00000_00000004

Long rows are sorted by the bytes of the key, the lowest first (LSD radix sort: Knuth, TAOCP vol. 3,
5.2.5; a byte that all keys share is passed over); short ones by counting, for each element, how
many are less. The k least of many are kept in a store that is sorted whenever it is full.
"""
from __future__ import annotations

from dataclasses import dataclass

BUCKETS = 256
SHORT = 64
"""Elements up to which counting beats distributing by bytes."""
BLOCK = 16
"""Keys that a selection compares at once with the greatest that it still wants."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`bits` of a key, its dtype's kind ("f", "i", "u" or "b"), the bits of infinity ("f" only) and
    of a position."""

    bits: int
    kind: str
    infinity: int
    position: int

    @property
    def wide(self) -> bool:
        """Whether an element takes two machine words."""
        return self.position == 64

    @property
    def digits(self) -> int:
        return self.bits // 8

    @property
    def element(self) -> int:
        """Bytes of an element."""
        return self.position // 4


def sorting(keys: Keys) -> str:
    """The functions that one thread sorts with: `@key.one`, `@key.block`, `@fetch`, `@sort`,
    `@release`, `@prefix`, `@scatter`; words in capitals are for `fill`."""
    rank = _RANK_PAIR if keys.wide else _RANK_WORD
    return "".join((key_ir(keys, "KEY", "one"), key_ir(keys, f"<{BLOCK} x KEY>", "block"), _MOVES,
                    rank, _DISTRIBUTE, _sort_ir(keys)))


def fill(text: str, keys: Keys) -> str:
    """The text with its words in capitals replaced."""
    names = {"FROM_POSITION": "%at = zext i64 %i to i128" if keys.wide else "%at = add i64 %i, 0",
             "TO_POSITION": "%position = trunc i128 %e to i64" if keys.wide
             else "%position = and i64 %e, 4294967295",
             "ELEMENT": f"i{2 * keys.position}", "KEY": f"i{keys.bits}",
             "POSITION": str(keys.position), "DIGITS": str(keys.digits), "BUCKETS": str(BUCKETS),
             "BYTES": str(keys.element), "SHORT": str(SHORT), "BLOCK": str(BLOCK),
             "LOWEST": str(keys.position // 8), "GREATEST": ", ".join(["i64 -1"] * 8)}
    for word, value in names.items():
        text = text.replace(word, value)
    return text


# ---------------------------------------------------------------- keys


def _splat(keys: Keys, kind: str, value: int) -> str:
    value &= (1 << keys.bits) - 1
    if kind == "KEY":
        return str(value)
    return "<" + ", ".join([f"i{keys.bits} {value}"] * BLOCK) + ">"


def key_ir(keys: Keys, kind: str, name: str) -> str:
    """Bits of a number to an unsigned key in the same order (turned round by a mask of ones).

    Floats: negative ones have all bits flipped, others the sign; both zeros are one key, and all
    NaN the greatest.
    """
    sign = 1 << keys.bits - 1
    body = "  %key = or KIND %bits, NONE"
    if keys.kind == "i":
        body = "  %key = xor KIND %bits, SIGN"
    elif keys.kind == "f":
        body = """
  %negative = ashr KIND %bits, LAST
  %flip = or KIND %negative, SIGN
  %ordered = xor KIND %bits, %flip
  %size = and KIND %bits, MAGNITUDE
  %zero = icmp eq KIND %size, NONE
  %nan = icmp ugt KIND %size, INFINITY
  %number = select MASK %zero, KIND SIGN, KIND %ordered
  %key = select MASK %nan, KIND ONES, KIND %number"""
    values = {"LAST": keys.bits - 1, "SIGN": sign, "MAGNITUDE": sign - 1, "NONE": 0,
              "INFINITY": keys.infinity, "ONES": -1}
    for word, value in values.items():
        body = body.replace(word, _splat(keys, kind, value))
    body = body.replace("MASK", "i1" if kind == "KEY" else f"<{BLOCK} x i1>")
    return f"""
define internal KIND @key.{name}(KIND %bits, KIND %mask) alwaysinline {{
{body}
  %turned = xor KIND %key, %mask
  ret KIND %turned
}}
""".replace("KIND", kind)


_MOVES = """
define internal ELEMENT @pack(KEY %key, i64 %i) alwaysinline {
  %wide = zext KEY %key to ELEMENT
  %high = shl ELEMENT %wide, POSITION
  FROM_POSITION
  %e = or ELEMENT %high, %at
  ret ELEMENT %e
}

; a[i] = the element of x[i * inner], for lo <= i < hi
define internal void @fetch(ptr noalias %x, ptr noalias %a, i64 %inner, KEY %mask, i64 %lo,
                            i64 %hi) {
entry:
  br label %step
step:
  %i = phi i64 [ %lo, %entry ], [ %next, %step ]
  %at = mul i64 %i, %inner
  %from = getelementptr KEY, ptr %x, i64 %at
  %bits = load KEY, ptr %from
  %key = call KEY @key.one(KEY %bits, KEY %mask)
  %e = call ELEMENT @pack(KEY %key, i64 %i)
  %to = getelementptr ELEMENT, ptr %a, i64 %i
  store ELEMENT %e, ptr %to
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %step, label %end
end:
  ret void
}

; out[i * inner] = the position in a[i], for lo <= i < hi
define internal void @release(ptr noalias %a, ptr noalias %out, i64 %inner, i64 %lo, i64 %hi) {
entry:
  br label %step
step:
  %i = phi i64 [ %lo, %entry ], [ %next, %step ]
  %from = getelementptr ELEMENT, ptr %a, i64 %i
  %e = load ELEMENT, ptr %from
  TO_POSITION
  %at = mul i64 %i, %inner
  %to = getelementptr i64, ptr %out, i64 %at
  store i64 %position, ptr %to
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %step, label %end
end:
  ret void
}
"""

# ---------------------------------------------------------------- short rows

_RANK_WORD = """
declare i64 @llvm.vector.reduce.add.v8i64(<8 x i64>)
; b[number of elements of a that are less than e] = e, for each e of a (room for 8 more behind it)
define internal void @rank(ptr noalias %a, ptr noalias %b, i64 %n) {
entry:
  %end.at = getelementptr i64, ptr %a, i64 %n
  store <8 x i64> <GREATEST>, ptr %end.at, align 8
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %i1, %place ]
  %from = getelementptr i64, ptr %a, i64 %i
  %e = load i64, ptr %from
  %e0 = insertelement <8 x i64> poison, i64 %e, i64 0
  %es = shufflevector <8 x i64> %e0, <8 x i64> poison, <8 x i32> zeroinitializer
  br label %step
step:
  %j = phi i64 [ 0, %each ], [ %j1, %step ]
  %less = phi <8 x i64> [ zeroinitializer, %each ], [ %less1, %step ]
  %others.at = getelementptr i64, ptr %a, i64 %j
  %others = load <8 x i64>, ptr %others.at, align 8
  %below = icmp ult <8 x i64> %others, %es
  %ones = sext <8 x i1> %below to <8 x i64>
  %less1 = sub <8 x i64> %less, %ones
  %j1 = add nuw nsw i64 %j, 8
  %more = icmp slt i64 %j1, %n
  br i1 %more, label %step, label %place
place:
  %rank = call i64 @llvm.vector.reduce.add.v8i64(<8 x i64> %less1)
  %to = getelementptr i64, ptr %b, i64 %rank
  store i64 %e, ptr %to
  %i1 = add nuw nsw i64 %i, 1
  %again = icmp slt i64 %i1, %n
  br i1 %again, label %each, label %end
end:
  ret void
}
"""

_RANK_PAIR = """
; b[number of elements of a that are less than e] = e, for each e of a
define internal void @rank(ptr noalias %a, ptr noalias %b, i64 %n) {
entry:
  br label %each
each:
  %i = phi i64 [ 0, %entry ], [ %i1, %place ]
  %from = getelementptr i128, ptr %a, i64 %i
  %e = load i128, ptr %from
  br label %step
step:
  %j = phi i64 [ 0, %each ], [ %j1, %step ]
  %less = phi i64 [ 0, %each ], [ %less1, %step ]
  %other.at = getelementptr i128, ptr %a, i64 %j
  %other = load i128, ptr %other.at
  %below = icmp ult i128 %other, %e
  %one = zext i1 %below to i64
  %less1 = add i64 %less, %one
  %j1 = add nuw nsw i64 %j, 1
  %more = icmp slt i64 %j1, %n
  br i1 %more, label %step, label %place
place:
  %to = getelementptr i128, ptr %b, i64 %less1
  store i128 %e, ptr %to
  %i1 = add nuw nsw i64 %i, 1
  %again = icmp slt i64 %i1, %n
  br i1 %again, label %each, label %end
end:
  ret void
}
"""

# ---------------------------------------------------------------- distributing by a byte

_DISTRIBUTE = """
; tables[c][d] becomes the first place for digit d of part c; whether one digit is all there is
define internal i1 @prefix(ptr %tables, i64 %parts) {
entry:
  br label %digit
digit:
  %d = phi i64 [ 0, %entry ], [ %d1, %next ]
  %start = phi i64 [ 0, %entry ], [ %sum1, %next ]
  %used = phi i64 [ 0, %entry ], [ %used1, %next ]
  br label %part
part:
  %c = phi i64 [ 0, %digit ], [ %c1, %part ]
  %sum = phi i64 [ %start, %digit ], [ %sum1, %part ]
  %row = mul i64 %c, BUCKETS
  %index = add i64 %row, %d
  %at = getelementptr i64, ptr %tables, i64 %index
  %count = load i64, ptr %at
  store i64 %sum, ptr %at
  %sum1 = add i64 %sum, %count
  %c1 = add nuw nsw i64 %c, 1
  %more = icmp slt i64 %c1, %parts
  br i1 %more, label %part, label %next
next:
  %some = icmp ne i64 %sum1, %start
  %one = zext i1 %some to i64
  %used1 = add i64 %used, %one
  %d1 = add nuw nsw i64 %d, 1
  %again = icmp slt i64 %d1, BUCKETS
  br i1 %again, label %digit, label %end
end:
  %single = icmp eq i64 %used1, 1
  ret i1 %single
}

; elements of a, from lo to hi, to the places in b that the table has for their byte
define internal void @scatter(ptr noalias %a, ptr noalias %b, ptr noalias %table, i64 %byte,
                              i64 %lo, i64 %hi) {
entry:
  br label %step
step:
  %i = phi i64 [ %lo, %entry ], [ %next, %step ]
  %from = getelementptr ELEMENT, ptr %a, i64 %i
  %e = load ELEMENT, ptr %from
  %digit.at = getelementptr i8, ptr %from, i64 %byte
  %digit = load i8, ptr %digit.at
  %d = zext i8 %digit to i64
  %place.at = getelementptr i64, ptr %table, i64 %d
  %place = load i64, ptr %place.at
  %after = add i64 %place, 1
  store i64 %after, ptr %place.at
  %to = getelementptr ELEMENT, ptr %b, i64 %place
  store ELEMENT %e, ptr %to
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %step, label %end
end:
  ret void
}
"""


def _sort_ir(keys: Keys) -> str:
    """Sort n elements of a; b is of the same size. Returns which of the two has the result."""
    counts = "".join(f"""
  %digit{k}.at = getelementptr i8, ptr %from, i64 {keys.position // 8 + k}
  %digit{k} = load i8, ptr %digit{k}.at
  %d{k} = zext i8 %digit{k} to i64
  %d{k}.in = add i64 %d{k}, {BUCKETS * k}
  %count{k}.at = getelementptr i64, ptr %tables, i64 %d{k}.in
  %count{k} = load i64, ptr %count{k}.at
  %count{k}.more = add i64 %count{k}, 1
  store i64 %count{k}.more, ptr %count{k}.at""" for k in range(keys.digits))
    return f"""
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define internal ptr @sort(ptr noalias %a, ptr noalias %b, i64 %n, ptr noalias %tables) noinline {{
entry:
  %short = icmp sle i64 %n, SHORT
  br i1 %short, label %counted, label %long
counted:
  call void @rank(ptr %a, ptr %b, i64 %n)
  ret ptr %b
long:
  call void @llvm.memset.p0.i64(ptr align 8 %tables, i8 0, i64 {8 * BUCKETS * keys.digits}, i1 0)
  br label %count
count:
  %i = phi i64 [ 0, %long ], [ %i1, %count ]
  %from = getelementptr ELEMENT, ptr %a, i64 %i{counts}
  %i1 = add nuw nsw i64 %i, 1
  %uncounted = icmp slt i64 %i1, %n
  br i1 %uncounted, label %count, label %pass
pass:
  %k = phi i64 [ 0, %count ], [ %k1, %done ]
  %source = phi ptr [ %a, %count ], [ %source1, %done ]
  %target = phi ptr [ %b, %count ], [ %target1, %done ]
  %skip = mul i64 %k, {8 * BUCKETS}
  %table = getelementptr i8, ptr %tables, i64 %skip
  %single = call i1 @prefix(ptr %table, i64 1)
  br i1 %single, label %done, label %spread
spread:
  %byte = add i64 %k, LOWEST
  call void @scatter(ptr %source, ptr %target, ptr %table, i64 %byte, i64 0, i64 %n)
  br label %done
done:
  %source1 = phi ptr [ %source, %pass ], [ %target, %spread ]
  %target1 = phi ptr [ %target, %pass ], [ %source, %spread ]
  %k1 = add nuw nsw i64 %k, 1
  %more = icmp slt i64 %k1, DIGITS
  br i1 %more, label %pass, label %end
end:
  ret ptr %source1
}}
"""
