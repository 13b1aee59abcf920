"""Gradients as nodes and as tensors: the rules the backward walk works with.

In: steps of the tape. Out: `Plain` (gradients are nodes) and `Recorded` (gradients are tensors with
a tape of their own, for create_graph=True), installed in `autograd.engine`.
"""
from __future__ import annotations


from ..autograd import engine
from ..autograd.grad_mode import state
from ..autograd.tape import Auto, OpGradFn
from ..core import trace
from ..graph.node import Node, Op
from ..graph.primitive import ALIAS, BUFFER, PRIMITIVES, SPEC
from ..graph.realize import recorded
from ..ops import derive
from . import functionalize, recording
from .functionalize import edge_of, read, wrap
from .labels import of_op
from .pinning import array_of
from .recording import spec_of, step
from .tensor import Tensor

_reads: dict[tuple[Op, int, int], tuple[bool, ...]] = {}


def reads(fn: OpGradFn, i: int) -> tuple[bool, ...]:
    """Which values the gradient of source i reads: the result, then each source.

    Found once for an operation by building that gradient on stand-ins and looking what it reaches.
    """
    key = (fn.op, i, len(fn.src))
    found = _reads.get(key)
    if found is None:
        found = _reads[key] = _reached(fn, i)
    return found


def _reached(fn: OpGradFn, i: int) -> tuple[bool, ...]:
    marks = [Node(BUFFER, (), (), n.shape, n.dtype) for n in (fn.out, *fn.src)]
    g = Node(BUFFER, (), (), fn.out.shape, fn.out.dtype)
    grads = derive.source_gradients(fn.op, g, marks[0], tuple(marks[1:]), fn.attrs, only=i)
    seen: set[int] = set()
    stack = [d for d in (grads[i],) if d is not None]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            stack.extend(node.src)
    return tuple(id(m) in seen for m in marks)


def _check(fn: OpGradFn, i: int) -> None:
    flags = reads(fn, i)
    for position, flag in enumerate(flags, -1):
        if flag:
            fn.check(position)


def pack(fn: OpGradFn, inputs: dict[int, Tensor]) -> None:
    """Hand the values that a step keeps to the innermost saved_tensors_hooks."""
    to_value, to_tensor = state.pack[-1]
    packed = []
    src = list(fn.src)
    for position, node in [*enumerate(src), (-1, fn.out)]:
        if node.op is SPEC or node.op.kind == "leaf" and node.value is None:
            continue
        owner = inputs.get(id(node))
        before, state.pack = state.pack, ()
        try:
            packed.append((position, to_value(wrap(node) if owner is None else owner), to_tensor))
        finally:
            state.pack = before
        if position < 0:
            fn.out = spec_of(node)
        else:
            src[position] = spec_of(node)
    fn.src = tuple(src)
    fn.stores = ()
    fn.packed = tuple(packed)


def unpacked(fn: OpGradFn) -> OpGradFn:
    """The step with the values that its hooks give back."""
    made = type(fn)(fn.op, fn.attrs, fn.out, fn.src, fn.edges, (), fn.origin)
    src = list(fn.src)
    for position, value, to_tensor in fn.packed:
        node = read(to_tensor(value))
        if position < 0:
            made.out = node
        else:
            src[position] = node
    made.src = tuple(src)
    return made


recording._packer[0] = pack


class Plain:
    """Gradients are nodes; nothing of the walk is recorded."""

    def add(self, a: Node, b: Node) -> Node:
        return PRIMITIVES["add"](a, b)

    def derive(self, fn: OpGradFn, g: Node) -> list[Node | None]:
        if fn.packed is not None:
            fn = unpacked(fn)
        before = trace._fixed[0]
        trace._fixed[0] = fn.origin
        try:
            found: list[Node | None] = []
            for i, edge in enumerate(fn.edges):
                if edge is None:
                    found.append(None)
                    continue
                if fn.stores:
                    _check(fn, i)
                if fn.op is ALIAS:
                    found.append(g)
                    continue
                found.append(derive.final_gradient(fn.op, g, fn.out, fn.src, fn.attrs, i))
            recorded(g)
            return found
        finally:
            trace._fixed[0] = before

    def lift(self, node: Node) -> Node:
        return node

    def wrap(self, g: Node) -> Tensor:
        return wrap(g)

    def unwrap(self, t: Tensor) -> Node:
        return read(t)

    def retain(self, t: Tensor, g: Node) -> None:
        t._auto.grad = wrap(g)

    def accumulate(self, t: Tensor, g: Node) -> None:
        auto = t._auto
        have = auto.grad
        if have is None:
            auto.grad = wrap(g)
            return
        functionalize.store(have, PRIMITIVES["add"](read(have), g))

    def has_nan(self, g: Node) -> bool:
        return _nan(g)


class Recorded:
    """Gradients are tensors, and making them is recorded."""

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b

    def derive(self, fn: OpGradFn, g: Tensor) -> list[Tensor | None]:
        known = fn if fn.packed is None else unpacked(fn)
        return [None if edge is None else self._one(fn, known, g, i)
                for i, edge in enumerate(fn.edges)]

    def _one(self, fn: OpGradFn, known: OpGradFn, g: Tensor, i: int) -> Tensor:
        _check(fn, i)
        if fn.op is ALIAS:
            return g
        before = trace._fixed[0]
        trace._fixed[0] = fn.origin
        try:
            node = derive.gradient(fn.op, read(g), known.out, known.src, fn.attrs, i)
        finally:
            trace._fixed[0] = before
        t = wrap(node)
        edges = (edge_of(g), (fn, 0), *fn.edges)
        live = tuple(None if n.op is SPEC else e for n, e in zip(node.src, edges))
        if any(e is not None for e in live):
            made = step(node, of_op(fn.name() + "Backward"), live, {}, None)
            t._auto = Auto(True, made, 0)
        return t

    def lift(self, node: Node) -> Tensor:
        return wrap(node)

    def wrap(self, g: Tensor) -> Tensor:
        return g

    def unwrap(self, t: Tensor) -> Tensor:
        return t

    def retain(self, t: Tensor, g: Tensor) -> None:
        t._auto.grad = g

    def accumulate(self, t: Tensor, g: Tensor) -> None:
        auto = t._auto
        auto.grad = g if auto.grad is None else auto.grad + g

    def has_nan(self, g: Tensor) -> bool:
        return _nan(read(g))


def _nan(node: Node) -> bool:
    array = array_of(node)
    return bool((array != array).any())


def release(fn: OpGradFn) -> None:
    """After a step: let go of what it read; a second walk over it is then an error."""
    if fn.src is None:
        return
    if fn.packed is not None:
        fn.packed = None
        fn.src = None  # type: ignore[assignment]
        return
    if fn.out.op is SPEC and all(s.op is SPEC for s in fn.src):
        return
    read_any = any(any(reads(fn, i)) for i, e in enumerate(fn.edges) if e is not None)
    if read_any:
        fn.src = None  # type: ignore[assignment]
        fn.out = None
        fn.stores = ()
        return
    fn.src = tuple(spec_of(s) for s in fn.src)
    fn.out = spec_of(fn.out)


OpGradFn.release = release  # type: ignore[method-assign,assignment]
engine.install(Plain(), Recorded())
