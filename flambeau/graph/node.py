"""The tensor graph: immutable nodes that say *what* to compute.

In: operations called by `tensor/dispatch` and by expansions. Out: `Node`, read by `graph/realize`.
A node holds no tensor. Once it has a value it drops its sources; only `graph/realize` sets `value`.

    %0 = buffer() : float32(4, 3)
    %1 = exp(%0) : float32(4, 3)
    %2 = sum(%1, dims=(1,)) : float32(4, 1)
"""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.dtype import dtype
from ..core.trace import caller

Shape = tuple[int, ...]
DType = dtype                                   # in a class whose attribute is called dtype
Rule = Callable[..., tuple[Shape, dtype]]


class Op:
    """An operation: how its result looks and, unless primitive, what it means in simpler ones.

    name      the operation's name
    params    the names of its attributes, in the order of `Node.attrs`
    infer     (*src, *attrs) -> (shape, dtype); raises PyTorch's error for bad input
    expand    (*src, *attrs) -> Node for a composite, None for a primitive
    vjp       (g, out, *src, *attrs) -> one gradient (or None) per source; an argument whose name
              starts with an underscore is read for its shape and dtype alone: its value is not kept
    kind      for a primitive: which lowering treats it (map, move, reduce, dot, index, scan, ...)
    """

    __slots__ = ("name", "params", "infer", "expand", "vjp", "kind", "defaults", "_needs", "vjps")

    def __init__(self, name: str, infer: Rule, *, params: tuple[str, ...] = (),
                 expand: Callable[..., Node] | None = None,
                 vjp: Callable[..., tuple[Node | None, ...]] | None = None, kind: str = "") -> None:
        self.name = name
        self.params = params
        self.infer = infer
        self.expand = expand
        self.vjp = vjp
        self.kind = kind
        self._needs: dict[int, tuple[bool, tuple[bool, ...]]] = {}     # of `saved`, by count
        self.vjps: dict[int, Op] = {}          # ops/derive.py: the derivative by source i, an Op

    def __call__(self, *src: Node, **attrs: Any) -> Node:
        if not self.params:
            return Node(self, src, (), *self.infer(*src))
        values = tuple([attrs[p] for p in self.params])
        return Node(self, src, values, *self.infer(*src, *values))

    def saved(self, count: int) -> tuple[bool, tuple[bool, ...]]:
        """Whether the derivative reads the result, and which of `count` sources it reads."""
        found = self._needs.get(count)
        if found is None:
            found = self._needs[count] = self._read(count)
        return found

    def _read(self, count: int) -> tuple[bool, tuple[bool, ...]]:
        if self.vjp is None:
            return True, (True,) * count
        names, rest = [], False
        for p in inspect.signature(self.vjp).parameters.values():
            rest = rest or p.kind is p.VAR_POSITIONAL
            names.append(not p.name.startswith("_"))
        return names[1], (True,) * count if rest else tuple(names[2:2 + count])

    def __repr__(self) -> str:
        return self.name


class Node:
    """One operation applied to nodes. `value` is its buffer once computed (runtime Buffer)."""

    __slots__ = ("op", "src", "attrs", "shape", "dtype", "value", "origin", "facts", "__weakref__")

    op: Op
    src: tuple[Node, ...]
    attrs: tuple[Any, ...]
    shape: Shape
    dtype: dtype
    value: Any
    origin: Any
    facts: Any                                  # (low, high) of a realised index, found once

    def __init__(self, op: Op, src: tuple[Node, ...], attrs: tuple[Any, ...], shape: Shape,
                 dtype: DType) -> None:
        self.op = op
        self.src = src
        self.attrs = attrs
        self.shape = shape
        self.dtype = dtype
        self.value = None
        self.origin = caller()
        self.facts = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        n = 1
        for extent in self.shape:
            n *= extent
        return n

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.dtype.name}{list(self.shape)}>"

    if TYPE_CHECKING:                       # attached by ops/algebra, which knows the primitives
        def __add__(self, other: Any) -> Node: ...
        def __radd__(self, other: Any) -> Node: ...
        def __sub__(self, other: Any) -> Node: ...
        def __rsub__(self, other: Any) -> Node: ...
        def __mul__(self, other: Any) -> Node: ...
        def __rmul__(self, other: Any) -> Node: ...
        def __truediv__(self, other: Any) -> Node: ...
        def __rtruediv__(self, other: Any) -> Node: ...
        def __pow__(self, other: Any) -> Node: ...
        def __neg__(self) -> Node: ...
        def __invert__(self) -> Node: ...
        def __lt__(self, other: Any) -> Node: ...
        def __le__(self, other: Any) -> Node: ...
        def __gt__(self, other: Any) -> Node: ...
        def __ge__(self, other: Any) -> Node: ...
        def __and__(self, other: Any) -> Node: ...
        def __or__(self, other: Any) -> Node: ...
        def __xor__(self, other: Any) -> Node: ...


def made(op: Op, src: tuple[Node, ...], attrs: tuple[Any, ...], shape: Shape, dtype: DType,
         origin: Any) -> Node:
    """A node of a known place in the user's program, which is dear to find."""
    node = Node.__new__(Node)
    node.op, node.src, node.attrs, node.shape, node.dtype = op, src, attrs, shape, dtype
    node.value, node.origin, node.facts = None, origin, None
    return node


def strides(shape: Shape) -> tuple[int, ...]:
    """Row-major steps, in elements."""
    out = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        out[i] = out[i + 1] * shape[i + 1]
    return tuple(out)


def topological(roots: list[Node]) -> list[Node]:
    """Every node the roots depend on and that has no value yet, sources first. Iterative."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(r, False) for r in reversed(roots)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
            continue
        if id(node) in seen:
            continue
        seen.add(id(node))
        stack.append((node, True))
        if node.value is None:
            stack.extend((s, False) for s in reversed(node.src) if id(s) not in seen)
    return order


def text(roots: list[Node]) -> str:
    """The graph below the roots, one line a node (FLAMBEAU_SHOW=graph, golden tests)."""
    names: dict[int, str] = {}
    lines = []
    for node in topological(roots):
        names[id(node)] = f"%{len(names)}"
        words = [names[id(s)] for s in node.src] if node.value is None else []
        words += [f"{p}={a!r}" for p, a in zip(node.op.params, node.attrs)]
        op = "buffer" if node.value is not None else node.op.name
        shape = ", ".join(map(str, node.shape))
        lines.append(f"{names[id(node)]} = {op}({', '.join(words)}) : {node.dtype.name}({shape})")
    return "\n".join(lines)
