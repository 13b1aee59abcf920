"""How a vector loop is cut: whole vectors, copies for latency, and the rest.

In: the extent, the lanes, the work of the body. Out: `Segment`s in order. Called by `llvm`.

    plan(100, 16, light)             [0, 96) by 16, then [96, 100) under a mask
    plan(1000, 16, light, reduces)   [0, 960) by 4 copies of 16, then [960, 1000) under masks
    plan(100, 16, heavy)             [0, 100) by 16, all under masks: one copy of the body
    plan(24, 16, exact)              [0, 16), [16, 24) as 8 lanes: for register tiles
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.dtype import dtype
from ..core.symbol import Div, Index, Mod, Var
from ..kernel.loopnest import (
    Accumulate,
    Call,
    Cast,
    Load,
    Local,
    Loop,
    Stmt,
    Store,
    Value,
    statements,
)
from ..kernel.loopnest import Target as Place
from . import cost
from .target import Target

APART = 160
"""Operations of unmasked pieces of a loop's rest that are worth their code."""
Fixed = dict[Var, int]                                  # unrolled variables and their numbers
Item = tuple[Stmt, Fixed]


@dataclass(frozen=True, slots=True)
class Facts:
    """A vector loop's statements, lanes and operations; whether its tail may be masked, whether
    it must be cut in exact pieces, for it uses registers, and whether it reads lanes that are
    apart, which shuffles do faster than a masked gather."""

    items: list[Item]
    lanes: int
    work: int
    maskable: bool
    exact: bool
    apart: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """[start, stop) in steps of copies * lanes; `masked` when the last step passes the end."""

    start: int
    stop: int
    lanes: int
    copies: int
    masked: bool

    @property
    def turns(self) -> int:
        step = self.lanes * self.copies
        return -(-(self.stop - self.start) // step)

    @property
    def limit(self) -> int:
        return self.stop


def plan(extent: int, lanes: int, work: int, reduces: bool, maskable: bool,
         exact: bool, apart: bool = False) -> list[Segment]:
    """The segments of a loop over `extent`; `work` counts the operations of its body."""
    if exact and extent <= 16 * lanes:
        return _pieces(0, extent, lanes)
    left = extent % lanes
    if apart and left and left.bit_count() * work <= APART:
        whole = extent - left
        first = [Segment(0, whole, lanes, 1, False)] if whole else []
        return first + _pieces(whole, extent, lanes)
    if maskable and heavy(work) and extent % lanes and extent > 1:
        return [Segment(0, extent, lanes, 1, True)]
    copies = 1
    if reduces and extent >= 8 * lanes:
        copies = 4 if work <= 12 else 2 if work <= 40 else 1
    elif extent <= 4 * lanes and work * extent <= 48 * lanes and extent >= lanes:
        copies = extent // lanes
    step = lanes * copies
    whole = extent // step * step
    segments = [Segment(0, whole, lanes, copies, False)] if whole else []
    return segments + _rest(whole, extent, lanes, maskable)


def registers(extent: int, lanes: int, depth: int, work: int, target: Target) -> int:
    """How many registers wide a vector should be, so that a deep chain of operations does not
    wait for itself.

    A processor looks some 350 instructions ahead and needs about 8 independent ones in flight: a
    chain of 45 steps or more leaves it idle unless two or four go side by side.
    """
    most = 4 if target.vector_bytes == 64 else 2
    wanted = 1 if depth < 25 else 2 if depth < 70 else most
    while wanted > 1 and wanted * work > 1000:
        wanted //= 2
    while wanted > 1 and extent % (lanes * wanted) and extent < 8 * lanes * wanted:
        wanted //= 2
    return wanted


def heavy(work: int) -> bool:
    """Whether a mask in every iteration costs less than compiling the body twice."""
    return work >= 30


def _rest(start: int, extent: int, lanes: int, maskable: bool) -> list[Segment]:
    left = extent - start
    if left == 0:
        return []
    if left % lanes == 0:
        return [Segment(start, extent, lanes, 1, False)]
    # LLVM 22 makes a full-width store of a narrowing one under a constant mask of one lane.
    if maskable and left > 1:
        return [Segment(start, extent, lanes, 1, True)]
    whole = start + left // lanes * lanes
    segments = [Segment(start, whole, lanes, 1, False)] if whole > start else []
    return segments + [Segment(whole, extent, 1, 1, False)]


def _pieces(start: int, extent: int, lanes: int) -> list[Segment]:
    """Straight-line pieces of power-of-two lanes, wide ones first."""
    segments = []
    while start < extent:
        while lanes > extent - start:
            lanes //= 2
        segments.append(Segment(start, start + lanes, lanes, 1, False))
        start += lanes
    return segments


def width(items: list[Item], target: Target) -> int:
    """Lanes of one vector register of the widest type that the body computes or stores.

    Integers that only serve as positions or in comparisons do not count.
    """
    widest = 1
    for t, _ in items:
        inner = statements(t.body) if isinstance(t, Loop) else (t,)
        for s in inner:
            if isinstance(s, (Store, Accumulate)):
                widest = max(widest, _size(s.target.dtype))
            if not isinstance(s, Loop):
                for v in cost.values(s, opaque=False):
                    if isinstance(v, (Load, Call, Cast)) \
                            and (v.dtype.kind == "f" or isinstance(v, Load)):
                        widest = max(widest, _size(v.dtype))
    return target.vector_bytes // widest


def _size(d: dtype) -> int:
    return 4 if d.name in ("float16", "bfloat16") else d.itemsize


def study(s: Loop, items: list[Item], target: Target) -> Facts:
    """What decides how a vector loop is cut; the same for all its unrolled instances."""
    exact = any(isinstance(place, Local) and place.space == "register" and index.uses(s.var)
                for t, _ in items for place, index in _accesses(t))
    lanes, work = width(items, target), cost.body_ops(s.body)
    if not exact:
        lanes *= registers(s.var.extent, lanes, cost.depth(s.body), work, target)
    apart = any(_apart(v, s.var) for t in s.body if not isinstance(t, Loop)
                for v in cost.values(t))
    return Facts(items, lanes, work, target.masked(_sizes(items)), exact, apart)


def _apart(v: Value, var: Var) -> bool:
    """Whether a value is read, without a mask, from places that are not side by side."""
    if not isinstance(v, Load) or v.mask is not None or not v.index.uses(var):
        return False
    divided = any(isinstance(a, (Div, Mod)) and a.num.uses(var) for a in v.index.atoms())
    return divided or v.index.coefficient(var) not in (1, -1)


def _accesses(t: Stmt) -> Iterator[tuple[Place, Index]]:
    """The places that a statement (not a loop) reads or writes, and where."""
    if isinstance(t, Loop):
        return
    if isinstance(t, (Store, Accumulate)):
        yield t.target, t.index
    for v in cost.values(t):
        if isinstance(v, Load):
            yield v.source, v.index


def _sizes(items: list[Item]) -> frozenset[int]:
    """The sizes of the elements that the items load and store."""
    sizes: set[int] = set()
    for t, _ in items:
        if isinstance(t, Loop):
            for inner in statements(t.body):
                sizes |= _sizes([(inner, {})]) if not isinstance(inner, Loop) else set()
            continue
        if isinstance(t, (Store, Accumulate)):
            sizes.add(t.target.dtype.itemsize)
        sizes.update(v.dtype.itemsize for v in cost.values(t) if isinstance(v, Load))
    return frozenset(sizes)
