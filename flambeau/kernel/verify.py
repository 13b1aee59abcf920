"""What a well-formed kernel is: checked after lowering when FLAMBEAU_CHECK holds "ir".

In: a `Kernel`. Out: nothing, or `MalformedKernel` with the statement at fault. Called by
`graph/program` and by tests.

Checked: loop variables are used inside their loops only; names are bound before they are read;
operations exist and have operands of one type; every access that no mask guards lies inside its
memory; a parallel loop is outermost, a vector loop innermost.
"""
from __future__ import annotations

from ..core import dtype as dt
from ..core.symbol import Index, Opaque, Var
from .loopnest import (
    OPERATIONS,
    REDUCERS,
    Accumulate,
    Call,
    Cast,
    Const,
    FromIndex,
    Kernel,
    Let,
    Load,
    Loop,
    Prefetch,
    Read,
    Stmt,
    Store,
    Target,
    Value,
    children,
    text,
    value_text,
)

MIXED = {"where", "bitcast", "copysign"}         # operations whose operands may differ in type


class MalformedKernel(AssertionError):
    """A kernel that breaks a rule of the loop IR: a bug of the compiler, not of the user."""


def verify(kernel: Kernel) -> None:
    """Check a kernel; raises MalformedKernel."""
    try:
        _Scope(kernel).body(kernel.body, depth=0)
    except MalformedKernel as error:
        raise MalformedKernel(f"{error}\n{text(kernel)}") from None


class _Scope:
    def __init__(self, kernel: Kernel) -> None:
        self.memory: set[int] = {id(m) for m in (*kernel.buffers, *kernel.locals)}
        self.loops: set[Var] = set()
        self.names: dict[str, dt.dtype] = {}

    def body(self, body: tuple[Stmt, ...], depth: int) -> None:
        bound = []
        for s in body:
            if isinstance(s, Let):
                self.value(s.value)
                self.names[s.name] = s.value.dtype
                bound.append(s.name)
            elif isinstance(s, Loop):
                self.loop(s, depth)
            elif isinstance(s, Prefetch):
                self.index(s.index)
            else:
                self.write(s)
        for name in bound:
            self.names.pop(name, None)

    def loop(self, s: Loop, depth: int) -> None:
        if s.kind not in ("parallel", "seq", "unroll", "vector"):
            raise MalformedKernel(f"loop {s.var.name}: no kind {s.kind!r}")
        if s.kind == "parallel" and depth:
            raise MalformedKernel(f"parallel loop {s.var.name} is not outermost")
        if s.stop is not None:
            if s.kind != "seq":
                raise MalformedKernel(f"{s.kind} loop {s.var.name} stops before its end")
            self.index(s.stop)
        if s.var in self.loops:
            raise MalformedKernel(f"loop variable {s.var.name} runs in its own loop")
        self.loops.add(s.var)
        self.body(s.body, depth + 1)
        self.loops.discard(s.var)

    def write(self, s: Store | Accumulate) -> None:
        self.value(s.value)
        guarded = isinstance(s, Store) and s.mask is not None
        if isinstance(s, Store) and s.mask is not None:
            self.value(s.mask)
        if isinstance(s, Accumulate) and s.op not in REDUCERS:
            raise MalformedKernel(f"no reducer {s.op!r}")
        if s.value.dtype is not s.target.dtype:
            raise MalformedKernel(f"{s.target.name}: {s.target.dtype.name} is given "
                                  f"{s.value.dtype.name}: {value_text(s.value)}")
        self.access(s.target, s.index, guarded)

    def access(self, target: Target, index: Index, guarded: bool) -> None:
        if id(target) not in self.memory:
            raise MalformedKernel(f"{target.name} is not memory of this kernel")
        self.index(index)
        if not guarded and not (index.low >= 0 and index.high < target.size):
            raise MalformedKernel(f"{target.name}[{index}] reaches {index.low}..{index.high} of "
                                  f"{target.size}")

    def index(self, index: Index) -> None:
        for atom in index.atoms():
            if isinstance(atom, Var) and atom not in self.loops:
                raise MalformedKernel(f"{atom.name} is used outside its loop: {index}")
            if isinstance(atom, Opaque):
                self.value(atom.value)  # type: ignore[arg-type]

    def value(self, root: Value) -> None:
        stack = [root]
        while stack:
            v = stack.pop()
            stack.extend(children(v))
            if isinstance(v, Read) and v.name not in self.names:
                raise MalformedKernel(f"{v.name} is read before it is bound")
            if isinstance(v, Load):
                self.access(v.source, v.index, v.mask is not None)
            elif isinstance(v, FromIndex):
                self.index(v.index)
            elif isinstance(v, Call):
                self.call(v)
            elif not isinstance(v, (Const, Cast, Read)):
                raise MalformedKernel(f"not a value: {v!r}")

    def call(self, v: Call) -> None:
        if v.op not in OPERATIONS:
            raise MalformedKernel(f"no operation {v.op!r}")
        if v.op not in MIXED and len({a.dtype for a in v.args}) > 1:
            kinds = ", ".join(a.dtype.name for a in v.args)
            raise MalformedKernel(f"operands of {v.op} differ in type: {kinds}")
