"""Decides what is computed together: groups of nodes, each of which becomes a kernel or two.

In: primitives in order, and which of them are results. Out: `Group`s in the order they run. A node
is *computed* when a group makes it (a result, a reduction, a contraction, ...) and *virtual* when
its readers work it out again where they need it.

    softmax(x) over dim 1 of (64, 1000):
      row(64, 1000) over (1,): amax, sum, div          one kernel, three passes over a row in cache
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field

from . import chain as chains
from .chain import Chain
from .decompose import SKEW
from .loop import lies
from .node import Node, Shape, topological
from .primitive import (
    ARGSORT,
    AS_STRIDED,
    AS_STRIDED_AT,
    CAST,
    CAT,
    DOT,
    EXPAND,
    HOST,
    INPUT,
    LOOP,
    PAD,
    PERMUTE,
    PUT,
    RESHAPE,
    SCAN,
    SEARCH,
    SLICE,
    TAKE,
    UNFOLD,
    WRITE,
    WRITE_AT,
)

HEAVY = 8               # operations above which recomputing a shared value costs more than a load
NEAR = 12               # groups looked back for one to join
PARTS = 8               # of a concatenation that are made together
MANY = 24               # computed nodes a group may hold
LONG = 400              # operations worked out again at most before a value is kept
_WEIGHTS = {"div": 4, "sqrt": 4, "rsqrt": 4, "reciprocal": 4, "floordiv": 8, "mod": 8, "rem": 8,
            "pow": 30, "exp": 10, "log": 12, "tanh": 14, "sigmoid": 14, "erf": 16, "sin": 16,
            "cos": 16, "expm1": 12, "log1p": 14, "lgamma": 60, "digamma": 60, "erfinv": 40,
            "tan": 30, "asin": 30, "acos": 30, "atan": 20, "atan2": 30, "sinh": 20, "cosh": 20}
WINDOW = 12             # elements up to which a reduction is written out in place of a loop
ALONE = {SCAN, ARGSORT, SEARCH, HOST, PUT, WRITE, WRITE_AT, LOOP}
LOADABLE = {EXPAND, RESHAPE, PERMUTE, SLICE, AS_STRIDED, CAST, PAD, UNFOLD, SKEW}


@dataclass(slots=True, eq=False)
class Group:
    """Nodes computed by one kernel.

    kind "map": everything over `shape`, or joined of pieces of that shape; "row": reductions of
    `shape` over `dims`, and maps over it or over the kept dims; "dot": a contraction and the maps
    that follow it; "chain": a `Chain` and the maps that follow its sinks; "alone": one node.
    """

    kind: str
    shape: Shape
    dims: tuple[int, ...]
    nodes: list[Node] = field(default_factory=list)
    stored: list[Node] = field(default_factory=list)
    reads: set[int] = field(default_factory=set)
    windows: bool = False           # holds reductions of a few elements, written out
    pieces: bool = False            # holds concatenations, all parts of which a turn makes
    chain: Chain | None = None

    @property
    def kept(self) -> Shape:
        return tuple(1 if d in self.dims else n for d, n in enumerate(self.shape))


def weight_of(node: Node) -> int:
    """The cost of one element, in additions."""
    if node.op.kind == "map":
        return _WEIGHTS.get(node.op.name, 1)
    return 2 if node.op in (CAT, TAKE) or node.op.name in ("pad", "skew") else 0


def fuse(roots: list[Node]) -> list[Group]:
    """Group the graph below the roots."""
    return _Fusion(roots).run()


class _Fusion:
    def __init__(self, roots: list[Node]) -> None:
        order = topological(roots)
        self.roots = {id(r) for r in roots}
        found = chains.find(order, self.roots)
        self.order = chains.ordered(roots, order, found)
        self.chain_of = {id(n): c for c in found for n in c.members}
        self.chain_at: dict[int, int] = {}
        self.wide: set[int] = set().union(*(c.wide for c in found))
        self.groups: list[Group] = []
        self.group_of: dict[int, int] = {}            # computed node -> its group
        self.level: dict[int, int] = {}               # the last group a node waits for
        self.barrier: dict[int, int] = {}             # ... through a path that moves elements
        self.reads: dict[int, frozenset[int]] = {}    # memory a virtual node reads
        self.weight: dict[int, int] = {}
        self.windows, self.absorbed = _windows(self.order, self.roots)
        self.must = self._required()

    def run(self) -> list[Group]:
        for node in self.order:
            self._measure(node)
            if id(node) in self.chain_of:
                self._place_chained(node, self.chain_of[id(node)])
            elif id(node) in self.must:
                self._place(node)
        self._keep_shared()
        self._mark_stored()
        return self.groups

    # ------------------------------------------------------------ what has to be computed

    def _required(self) -> set[int]:
        must = set(self.roots)
        for node in self.order:
            op = node.op
            if id(node) in self.absorbed:
                continue
            if id(node) in self.wide or id(node) in self.chain_of:
                if op is DOT:
                    must.update(id(source_of(s)) for s in node.src if id(s) not in self.wide)
                continue
            if op.kind in ("reduce", "dot", "scan", "sort", "host") or op in ALONE:
                must.add(id(node))
            if op is DOT:
                must.update(id(source_of(s)) for s in node.src)
            elif op in (AS_STRIDED, ARGSORT, SEARCH, HOST):
                must.update(id(s) for s in node.src)
            elif op in (PUT, WRITE, WRITE_AT, AS_STRIDED_AT):
                must.update(id(s) for s in node.src[:1])
            elif op is LOOP:
                # The first states are copied to where the others will follow.
                states = node.attrs[0].states
                must.update(id(lies(s).base) for s in node.src[states:])
        return must

    def _measure(self, node: Node) -> None:
        """Levels, reads and weight of a node from its sources."""
        level = barrier = -1
        reads: set[int] = set()
        weight = weight_of(node)
        moves = self._moves(node)
        for s in node.src:
            inner = self.level[id(s)]
            level = max(level, inner)
            barrier = max(barrier, inner if moves or _stretches(node, s) else self.barrier[id(s)])
            if id(s) in self.group_of or s.op.kind == "leaf":
                reads.add(id(s))
            else:
                reads |= self.reads[id(s)]
                weight += self.weight[id(s)]
        if id(node) in self.windows:
            weight = (weight + 1) * _count(node)
        self.level[id(node)] = level
        self.barrier[id(node)] = barrier
        self.reads[id(node)] = frozenset(reads)
        self.weight[id(node)] = weight
        if weight > LONG and node.op.kind == "map" and id(node) not in self.wide:
            self.must.add(id(node))

    def _moves(self, node: Node) -> bool:
        """Whether an element of the node is made of elements at other places."""
        if node.op.kind == "reduce":
            return id(node) in self.absorbed
        if id(node) in self.must and piece_of(node) is not None:
            return False
        return node.op.kind not in ("map", "leaf") and node.op is not EXPAND

    # ------------------------------------------------------------ where it is computed

    def _place_chained(self, node: Node, chain: Chain) -> None:
        """A member of a chain: the first one opens its group."""
        at = self.chain_at.get(id(chain))
        if at is None:
            at = self.chain_at[id(chain)] = len(self.groups)
            self.groups.append(Group("chain", chain.shape, (), chain=chain))
        self._put(node, at)

    def _place(self, node: Node) -> None:
        if node.op.kind == "leaf" and (id(node) not in self.roots or node.op is INPUT):
            return
        at = self._join(node)
        if at is None:
            at = len(self.groups)
            self.groups.append(_new_group(node, id(node) in self.windows))
        group = self.groups[at]
        if id(node) in self.windows:
            group.windows = True
        elif piece_of(node) is not None:
            group.pieces = True
        elif node.op.kind == "reduce" and group.kind == "map":
            group.kind, group.dims = "row", node.attrs[0]
        self._put(node, at)

    def _put(self, node: Node, at: int) -> None:
        group = self.groups[at]
        group.nodes.append(node)
        group.reads |= self.reads[id(node)] | {id(node)}
        self.group_of[id(node)] = at
        self.level[id(node)] = at
        self.barrier[id(node)] = -1
        self.reads[id(node)] = frozenset((id(node),))
        self.weight[id(node)] = 0

    def _join(self, node: Node) -> int | None:
        if node.op is DOT or node.op in ALONE:
            return None
        level, barrier = self.level[id(node)], self.barrier[id(node)]
        last = len(self.groups) - 1
        for at in [level, *range(last, max(level, last - NEAR), -1)]:
            if at < 0 or at <= barrier:
                continue
            group = self.groups[at]
            if self._fits(node, group) and (at == level or self._shares(node, group)):
                return at
        return None

    def _shares(self, node: Node, group: Group) -> bool:
        return bool(self.reads[id(node)] & group.reads)

    def _fits(self, node: Node, group: Group) -> bool:
        if len(group.nodes) >= MANY or group.kind == "alone":
            return False
        if group.chain is not None:
            return self._ends(node, group, group.chain)
        if id(node) in self.windows:
            return group.kind == "map" and node.shape == group.shape
        piece = piece_of(node)
        if piece is not None:
            return group.kind == "map" and piece == group.shape
        if node.op.kind == "reduce":
            shape = node.src[0].shape
            if group.kind == "map":
                return shape == group.shape and not (group.windows or group.pieces)
            return group.kind == "row" and shape == group.shape and node.attrs[0] == group.dims
        if group.kind == "dot":
            return node.shape == group.shape and not self._heavy_gather(node)
        if node.shape == group.shape:
            return True
        return group.kind == "row" and node.shape == group.kept

    def _ends(self, node: Node, group: Group, chain: Chain) -> bool:
        """Whether a map can follow one of a chain's sums over columns, row by row."""
        if node.op.kind != "map":
            return False
        own = {id(n): n for n in group.nodes if id(n) in self.reads[id(node)]}
        sinks = [n for n in own.values() if n.op.kind != "reduce"]
        if len(sinks) != 1 or sinks[0].shape != node.shape:
            return False
        return chains.by_rows(sinks[0], chain)

    def _heavy_gather(self, node: Node) -> bool:
        return node.op in (CAT, TAKE)

    # ------------------------------------------------------------ what is kept in memory

    def _keep_shared(self) -> None:
        """A costly virtual value that several groups need is stored by the first of them."""
        demand: dict[int, set[int]] = {}
        aligned: dict[int, set[int]] = {}
        for node in reversed(self.order):
            own = self.group_of.get(id(node))
            if own is None:
                own = self._promote(node, demand.get(id(node), set()),
                                    aligned.get(id(node), set()))
            groups = {own} if own is not None else demand.get(id(node), set())
            straight = {own} if own is not None else aligned.get(id(node), set())
            moves = self._moves(node)
            for s in node.src:
                if id(s) in self.group_of:
                    continue
                demand.setdefault(id(s), set()).update(groups)
                if not moves and not _stretches(node, s):
                    aligned.setdefault(id(s), set()).update(straight)

    def _promote(self, node: Node, groups: set[int], straight: set[int]) -> int | None:
        if len(groups) < 2 or node.op.kind != "map" or self.weight[id(node)] <= HEAVY:
            return None
        first = min(groups)
        group = self.groups[first]
        if first not in straight or group.kind in ("alone", "chain") or id(node) in self.wide:
            return None
        if node.shape != group.shape and not (group.kind == "row" and node.shape == group.kept):
            return None
        self.must.add(id(node))
        self.group_of[id(node)] = first
        group.nodes.append(node)
        return first

    def _mark_stored(self) -> None:
        """Which computed nodes have readers outside their group (or are results)."""
        position = {id(n): i for i, n in enumerate(self.order)}
        outside: set[int] = set(self.roots)
        for at, group in enumerate(self.groups):
            group.nodes.sort(key=lambda n: position[id(n)])
            stack = [s for n in group.nodes for s in n.src]
            seen: set[int] = set()
            while stack:
                node = stack.pop()
                if id(node) in seen:
                    continue
                seen.add(id(node))
                own = self.group_of.get(id(node))
                if own is None:
                    stack.extend(node.src)
                elif own != at:
                    outside.add(id(node))
        for group in self.groups:
            group.stored = [n for n in group.nodes if id(n) in outside or group.kind == "alone"]


def _new_group(node: Node, window: bool) -> Group:
    if window:
        return Group("map", node.shape, ())
    if node.op is DOT:
        return Group("dot", node.shape, ())
    if node.op in ALONE:
        return Group("alone", node.shape, ())
    if node.op.kind == "reduce":
        return Group("row", node.src[0].shape, node.attrs[0])
    return Group("map", piece_of(node) or node.shape, ())


def piece_of(node: Node) -> Shape | None:
    """The shape of the parts of a concatenation that one kernel makes side by side.

        cat(a * b, a + b)   ->   vector i: out[i] = a[i] * b[i];  out[n + i] = a[i] + b[i]

    What the parts share is then worked out once. Short rows are left to one loop over all.
    """
    if node.op is not CAT or not 2 <= len(node.src) <= PARTS:
        return None
    dim, shape = node.attrs[0], node.src[0].shape
    if any(s.shape != shape for s in node.src):
        return None
    pairs = shape[dim] == 1 and len(node.src) == 2        # the parts of complex numbers
    return shape if dim < node.ndim - 1 or shape[dim] >= 16 or pairs else None


def _count(node: Node) -> int:
    """How many elements a reduction makes one of."""
    return math.prod(node.src[0].shape[d] for d in node.attrs[0])


def _windows(order: list[Node], roots: set[int]) -> tuple[set[int], set[int]]:
    """Reductions of so few elements (a pooling window) that lanes go over the results instead.

    Not those whose result is spread over the reduced elements again, as softmax does: there one
    kernel over rows does all. The second set: those that only another of them reads (the windows
    of one dim inside those of the next), which are written out inside it.
    """
    readers: dict[int, list[Node]] = {}
    for node in order:
        for s in node.src:
            readers.setdefault(id(s), []).append(node)
    windows = {id(n) for n in order if n.op.kind == "reduce" and 1 < _count(n) <= WINDOW
               and n.size >= 16 and not _spread(n, readers, roots)}
    absorbed: dict[int, int] = {}
    for node in order:
        if id(node) in windows and id(node) not in roots:
            last = _only_reader(node, readers, roots)
            inner = absorbed.get(id(node), 1) * _count(node)
            if last is not None and id(last) in windows and inner * _count(last) <= 2 * WINDOW:
                absorbed[id(node)] = inner
    return windows, set(absorbed)


def _only_reader(node: Node, readers: dict[int, list[Node]], roots: set[int]) -> Node | None:
    """The one node that reads it, through moves that have one reader each."""
    while True:
        found = readers.get(id(node), [])
        if len(found) != 1 or id(found[0]) in roots:
            return found[0] if len(found) == 1 and found[0].op.kind == "reduce" else None
        if found[0].op.kind != "move":
            return found[0]
        node = found[0]


def _spread(node: Node, readers: dict[int, list[Node]], roots: set[int]) -> bool:
    """Whether the result meets the reduced elements again, element by element."""
    stack = list(readers.get(id(node), []))
    seen: set[int] = set()
    while stack:
        reader = stack.pop()
        if id(reader) in seen or reader.shape == node.shape:
            continue
        seen.add(id(reader))
        if reader.op.kind == "reduce" and reader.attrs == node.attrs:
            continue
        if reader.op.kind == "move" and reader.op is not EXPAND:
            continue
        if id(reader) in roots or (reader.op.kind != "map" and reader.op is not EXPAND):
            return True
        stack.extend(readers.get(id(reader), []))
    return False


def _stretches(node: Node, src: Node) -> bool:
    """Whether `src` broadcasts into `node` other than along dims of extent 1 of equal rank."""
    return len(src.shape) != len(node.shape) and math.prod(src.shape) != 1


def source_of(node: Node) -> Node:
    """The node whose memory an operand of a contraction reads."""
    while node.op in LOADABLE and node.op is not AS_STRIDED and node.src:
        node = node.src[0]
    return node if node.op is not AS_STRIDED else node.src[0]
