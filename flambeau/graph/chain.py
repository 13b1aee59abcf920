"""Finds attention: contractions whose large result only feeds maps, rows' reductions and further
contractions, so that it need not be in memory.

In: primitives in order. Out: `Chain`s, each of which becomes one kernel that makes the large values
a block of rows at a time, in scratch. Called by `fuse`.

    s = dot(q, k)  (b, n, s)            a chain of shape (b, n, s): sources s; reductions amax, sum;
    e = exp(s - amax(s))                sinks o. s and e are worked out in scratch.
    o = dot(e, v)  (b, n, e)

A gradient needs the same large values again, after the forward chain: it is a chain of its own
that works them out once more, with the reductions of the first one read from memory.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field

from .node import Node, Shape
from .primitive import CAST, CONST, DOT, EXPAND, IOTA, PRIMITIVES, RESHAPE, WHERE

LEAST = 16                  # rows and columns below which a chain is not worth it
DEEP = 256                  # elements of the small dims of its contractions
LONG = 1 << 14              # the longest row
FEW = 64                    # rows of all batch elements below which sums over them are no chain


@dataclass(slots=True, eq=False)
class Chain:
    """`shape`: (batch…, rows, columns) of the large values. `sources`: contractions that give
    large values; `sinks`: those that read them; `reductions`: of rows, made here. `below`: what
    lies above the diagonal (column > row) counts for nothing."""

    shape: Shape
    level: int
    sources: list[Node] = field(default_factory=list)
    sinks: list[Node] = field(default_factory=list)
    reductions: list[Node] = field(default_factory=list)
    wide: set[int] = field(default_factory=set)
    inside: set[int] = field(default_factory=set)
    below: bool = False

    @property
    def members(self) -> list[Node]:
        return [*self.reductions, *self.sinks]


def find(order: list[Node], roots: set[int]) -> list[Chain]:
    """The chains of a graph; no two share a member."""
    readers: dict[int, list[Node]] = {}
    for node in order:
        for s in node.src:
            readers.setdefault(id(s), []).append(node)
    chains: list[Chain] = []
    taken: set[int] = set()
    for node in order:
        if id(node) in taken or not _is_source(node):
            continue
        region = _region(node, readers, roots)
        if region is None or any(id(n) in taken for n in region.members) or region.wide & taken:
            continue
        found = _chains(region, order, readers)
        if found:
            chains += found
            taken |= region.wide | {id(n) for n in region.members}
    return chains


# ---------------------------------------------------------------- what a region is


def _is_source(node: Node) -> bool:
    """A contraction that gives large rows from short ones: (…, n, e) and (…, s, e) -> (…, n, s)."""
    if node.op is not DOT or node.ndim < 2 or node.dtype.kind != "f":
        return False
    if min(node.shape[-2:]) < LEAST or node.shape[-1] > LONG:
        return False
    a_dims, b_dims, out_dims, _ = node.attrs
    n, s = out_dims[-2:]
    sides = [(n in dims, s in dims) for dims in (a_dims, b_dims)]
    if sorted(sides) != [(False, True), (True, False)]:
        return False
    batch = {d for d, size in zip(out_dims[:-2], node.shape) if size > 1}
    if batch and not batch & set(a_dims) & set(b_dims):
        return False                    # a layer's weights: a product like any other
    return 0 < _inner(node) <= DEEP


def _inner(dot: Node) -> int:
    """The number of products of a sum."""
    a_dims, b_dims, out_dims, _ = dot.attrs
    extent = dict(zip(a_dims, dot.src[0].shape)) | dict(zip(b_dims, dot.src[1].shape))
    return math.prod(n for d, n in extent.items() if d not in out_dims)


def sink_form(sink: Node, wide: set[int]) -> tuple[int, bool] | None:
    """(which operand is large, whether the sum runs over columns and not over rows), if the
    contraction is one that a chain can end with."""
    large = [k for k, s in enumerate(sink.src) if id(s) in wide]
    if len(large) != 1:
        return None
    dims, other, out_dims = sink.attrs[large[0]], sink.attrs[1 - large[0]], sink.attrs[2]
    n, s = dims[-2:]
    gone = [d for d in dims if d not in out_dims]
    if len(gone) != 1 or gone[0] not in (n, s) or gone[0] not in other:
        return None
    kept = n if gone[0] == s else s
    if kept in other or any(d not in out_dims for d in other if d != gone[0]):
        return None
    rest = [d for d in out_dims if d not in dims]
    extent = dict(zip(out_dims, sink.shape))
    if not rest or math.prod(extent[d] for d in rest) > DEEP or sink.dtype.kind != "f":
        return None
    return large[0], gone[0] == s


def by_rows(sink: Node, chain: Chain) -> bool:
    """Whether the result of a sink is (batch…, rows, small): what follows may go row by row."""
    form = sink_form(sink, chain.wide)
    if form is None or not form[1]:
        return False
    return bool(sink.attrs[2][:-1] == sink.attrs[form[0]][:-1])


def _region(start: Node, readers: dict[int, list[Node]], roots: set[int]) -> Chain | None:
    """Everything large that hangs together with a source; None if some of it must be in memory."""
    shape = start.shape
    region = Chain(shape, 0)
    stack = [start]
    while stack:
        node = stack.pop()
        if id(node) in region.wide:
            continue
        if id(node) in roots or node.dtype.kind not in "fb":
            return None
        region.wide.add(id(node))
        if node.op is DOT:
            region.sources.append(node)
        stack.extend(s for s in node.src if s.shape == shape and _from_source(s))
        for reader in readers.get(id(node), []):
            if reader.op.kind == "map" and reader.shape == shape:
                stack.append(reader)
            elif reader.op.kind == "reduce" and reader.attrs[0] == (len(shape) - 1,):
                if reader not in region.reductions:
                    region.reductions.append(reader)
            elif reader.op is DOT:
                if reader not in region.sinks:
                    region.sinks.append(reader)
            else:
                return None
    if not region.reductions or not region.sinks:
        return None
    if any(sink_form(s, region.wide) is None for s in region.sinks):
        return None
    return region


def _from_source(root: Node) -> bool:
    """Whether a large value is made of a source's result, element by element."""
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if _is_source(node):
            return True
        if node.op.kind == "map":
            stack.extend(s for s in node.src if s.shape == root.shape)
    return False


# ---------------------------------------------------------------- one chain after the other


def _chains(region: Chain, order: list[Node], readers: dict[int, list[Node]]) -> list[Chain]:
    """The region cut where a sink's result is needed for other large values; [] if that cannot be
    done."""
    level = _levels(region, order)
    found: dict[int, Chain] = {}
    ids = {id(n) for n in (*region.reductions, *region.sinks)}
    for node in order:
        if id(node) in ids:
            at = level[id(node)]
            chain = found.setdefault(at, Chain(region.shape, at, wide=region.wide))
            (chain.sinks if node.op is DOT else chain.reductions).append(node)
    for chain in found.values():
        if not _complete(chain, order, level):
            return []
    return [found[at] for at in sorted(found)]


def _levels(region: Chain, order: list[Node]) -> dict[int, int]:
    """How many sinks, one behind the other, have to be finished before a node is worked out."""
    sinks = {id(s) for s in region.sinks}
    level: dict[int, int] = {}
    for node in order:
        level[id(node)] = max(
            (level[id(s)] + (id(s) in sinks) for s in node.src), default=0)
    return level


def _complete(chain: Chain, order: list[Node], level: dict[int, int]) -> bool:
    """Fill in the sources and what lies inside; whether the chain can be one kernel."""
    own = {id(n) for n in chain.members}
    depends: set[int] = set(own)
    for node in order:
        if level[id(node)] == chain.level and id(node) not in own:
            if any(id(s) in depends for s in node.src):
                depends.add(id(node))
    seen: set[int] = set()
    stack = [s for n in chain.members for s in n.src]
    while stack:
        node = stack.pop()
        if id(node) in seen or (id(node) in own and node.op.kind != "reduce"):
            continue
        seen.add(id(node))
        if id(node) in chain.wide and node.op is DOT:
            chain.sources.append(node)
        elif id(node) in chain.wide or id(node) in depends:
            if id(node) not in own and id(node) in depends:
                if node.op.kind not in ("map", "leaf") and node.op is not EXPAND:
                    return False
                chain.inside.add(id(node))
            stack.extend(node.src)
    adds_up = any(not form[1] for s in chain.sinks
                  if (form := sink_form(s, chain.wide)) is not None)
    if adds_up and math.prod(chain.shape[:-2]) * chain.shape[-2] < FEW:
        return False
    chain.below = _nothing_above(chain)
    return True


# ---------------------------------------------------------------- causal masks


def _nothing_above(chain: Chain) -> bool:
    """Whether elements with column > row change no reduction and no sink."""
    known: dict[int, str] = {}
    for r in chain.reductions:
        wanted = {"amax": "-inf", "sum": "0"}.get(r.op.name, "")
        if _above(r.src[0], chain, known) != wanted:
            return False
    for s in chain.sinks:
        form = sink_form(s, chain.wide)
        if form is None or _above(s.src[form[0]], chain, known) != "0":
            return False
    return True


def _above(root: Node, chain: Chain, known: dict[int, str]) -> str:
    """What a large value is where column > row: "-inf", "0" or "" (not known)."""
    stack = [root]
    while stack:
        node = stack[-1]
        inner = [s for s in node.src if id(s) in chain.wide and id(s) not in known]
        if inner and node.op.kind == "map":
            stack += inner
            continue
        stack.pop()
        known[id(node)] = _above_of(node, known, chain.shape)
    return known[id(root)]


def _above_of(node: Node, known: dict[int, str], shape: Shape) -> str:
    def what(s: Node) -> str:
        return known.get(id(s), "") or _number(s)
    name, src = node.op.name, node.src
    if node.op is WHERE:
        if is_later(src[0], shape):
            return what(src[1])
        return what(src[1]) if what(src[1]) == what(src[2]) else ""
    if name == "mul":
        return "0" if "0" in (what(src[0]), what(src[1])) else ""
    if name == "div":
        return "0" if what(src[0]) == "0" else ""
    if name in ("sub", "add"):
        return "-inf" if known.get(id(src[0])) == "-inf" else ""
    if name == "exp":
        return "0" if what(src[0]) == "-inf" else ""
    if node.op is CAST or name == "neg":
        return what(src[0]) if node.op is CAST or what(src[0]) == "0" else ""
    return ""


def _number(node: Node) -> str:
    while node.op in (EXPAND, RESHAPE):
        node = node.src[0]
    if node.op is not CONST:
        return ""
    return "0" if node.attrs[0] == 0 else "-inf" if node.attrs[0] == -math.inf else ""


def is_later(node: Node, shape: Shape) -> bool:
    """Whether the node says column > row."""
    if node.op is PRIMITIVES["gt"]:
        column, row = node.src
    elif node.op is PRIMITIVES["lt"]:
        row, column = node.src
    else:
        return False
    return _counts(column, len(shape) - 1, shape) and _counts(row, len(shape) - 2, shape)


def _counts(node: Node, dim: int, shape: Shape) -> bool:
    """Whether the node is its own position along a dim of a large value."""
    if node.op is not IOTA:
        return False
    return len(node.shape) - len(shape) + dim == node.attrs[1] and node.attrs[1] >= 0


# ---------------------------------------------------------------- order


def ordered(roots: list[Node], order: list[Node], chains: list[Chain]) -> list[Node]:
    """The nodes with each chain's members (and what lies between them) one behind the other."""
    if not chains:
        return order
    position = {id(n): i for i, n in enumerate(order)}
    of: dict[int, Chain] = {}
    for chain in chains:
        of |= {id(n): chain for n in chain.members} | dict.fromkeys(chain.inside, chain)
    inner: dict[int, list[Node]] = {id(c): [] for c in chains}
    for node in order:
        if id(node) in of:
            inner[id(of[id(node)])].append(node)
    out: list[Node] = []
    done: set[int] = set()
    stack: list[tuple[Node, bool]] = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        group = inner[id(of[id(node)])] if id(node) in of else [node]
        if ready:
            done |= {id(n) for n in group}
            out += group
            continue
        stack.append((node, True))
        own = {id(n) for n in group}
        needs = {id(s): s for n in group for s in n.src if id(s) not in own}
        stack.extend((s, False) for s in sorted(
            needs.values(), key=lambda s: -position[id(s)]) if id(s) not in done)
    return out
