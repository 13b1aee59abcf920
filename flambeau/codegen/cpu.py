"""Programs for the processor we run on: kernels to machine code that is ready to call.

In: a name and `kernel.loopnest.Kernel`s. Out: a `Program`. Called by `graph/realize`.

    program = compile_program("softmax", kernels)
    program.run(slots)                  # slots: ctypes array of addresses, one for each slot

The native entry is `void entry(ptr slots, ptr pool, ptr parallel, ptr scratch)`. It walks a table
of the kernels in order (by `fb_walk`, compiled once for all programs), and shares one out by
`fb_parallel` (see `runtime.threads`) when it has enough work.
"""
from __future__ import annotations

import ctypes
import hashlib
import itertools
import sys
import threading
import time
import weakref
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import llvmlite.binding as llvm

from ..kernel.loopnest import Kernel, Repeat, each, structure
from ..runtime import cache, native, threads
from . import cost, external
from .llvm import Function, KernelEmitter
from .target import Target, host
from .tiles import in_squares

PARALLEL_NS = 25_000.0
"""Work for which waking other threads pays."""
CHUNK_NS = 10_000.0
"""The least work of one chunk."""
AWAKE = 0.25
"""The part of that work that is worth sharing in a Repeat, where threads are still looking."""
CHUNKS = 32
"""Chunks of a large kernel: some for each thread, the same number on every machine."""

_ENTRY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                          ctypes.c_void_p)
_WALK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64,
                         ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                         ctypes.c_int64)
_numbers = itertools.count()
_lock = threading.Lock()
native.hold_over_fork(_lock)


@dataclass(frozen=True, slots=True)
class Module:
    """IR text of a program, but for the functions that it finds compiled."""

    text: str
    scratch_bytes: int
    externals: tuple[str, ...]
    locals: bool                     # whether any kernel has memory to be turned into registers
    defined: tuple[str, ...] = ()    # its functions
    found: tuple[str, ...] = ()      # those of other programs that it runs


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a step once it is machine code; `rows` of the table are its own."""

    name: str
    flops: int
    bytes: int
    origin: Any
    rows: int


class Program:
    """Compiled kernels. `slots` is an array of addresses; see `kernel.loopnest.Buffer`.

    `kernels` are the steps' names, costs and origins; what they do is in the machine code alone.
    """

    def __init__(self, name: str, kernels: tuple[Label, ...], scratch_bytes: int,
                 library: Any, others: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.kernels = kernels
        self.scratch_bytes = scratch_bytes
        self._library = library          # keeps the code mapped
        self._others = others            # and that of functions of other programs
        self.address: int = library["entry"]
        self._entry = _ENTRY(self.address)

    def run(self, slots: Any) -> None:
        """Run all kernels; `slots` is a ctypes array, or the address of a table, of addresses."""
        self._call(self._entry, slots)

    def run_timed(self, slots: Any) -> list[float]:
        """Run the kernels one by one (a Repeat as one); returns the seconds of each."""
        seconds = []
        walk, table = _WALK(_walker()), self._library["kernels"]

        def some(first: int, last: int) -> Any:
            return lambda *rest: walk(table, first, last, self.scratch_bytes, *rest, 0)
        row = 0
        for label in self.kernels:
            start = time.perf_counter()
            self._call(some(row, row + label.rows), slots)
            seconds.append(time.perf_counter() - start)
            row += label.rows
        return seconds

    def _call(self, function: Any, slots: Any) -> None:
        pool, parallel = threads.pool_address(), threads.parallel_address()
        if not self.scratch_bytes:
            function(slots, pool, parallel, None)
            return
        with _scratch.lend(self.scratch_bytes * threads.get_num_threads()) as address:
            function(slots, pool, parallel, address)


class _Loan:
    """A block of scratch memory for the time of one call."""

    def __init__(self, owner: _Scratch, size: int) -> None:
        self.owner = owner
        self.size = size

    def __enter__(self) -> int:
        self.block = self.owner.take(self.size)
        return (ctypes.addressof(self.block) + 63) // 64 * 64

    def __exit__(self, *error: object) -> None:
        self.owner.give(self.block)


class _Scratch:
    """Blocks that calls borrow: each call has its own, and the pages stay warm."""

    def __init__(self) -> None:
        self.free: list[Any] = []

    def lend(self, size: int) -> _Loan:
        return _Loan(self, size)

    def take(self, size: int) -> Any:
        try:
            block = self.free.pop()
        except IndexError:
            block = b""
        if len(block) < size + 64:
            block = (ctypes.c_char * (size + 64))()
        return block

    def give(self, block: Any) -> None:
        self.free.append(block)


_scratch = _Scratch()


# ---------------------------------------------------------------- IR of a program


def grain(count: int, ns: float, awake: float = 1.0) -> int:
    """Iterations of one chunk: at least CHUNK_NS of work (less, by a factor, if the threads are
    `awake`), about CHUNKS chunks."""
    each = max(ns / count, 1e-3)
    return max(1, min(count, max(int(CHUNK_NS * awake / each) + 1, -(-count // CHUNKS))))


# A row without a function repeats the `grain` rows after it `count` times.
_WALK_IR = """
define void @fb_walk(ptr %table, i64 %first, i64 %last, i64 %stride,
                     ptr %slots, ptr %pool, ptr %parallel, ptr %scratch, i64 %turn) {
entry:
%ctx = alloca [5 x ptr], align 16
store ptr %slots, ptr %ctx, align 16
%at1 = getelementptr ptr, ptr %ctx, i64 1
store ptr %scratch, ptr %at1, align 8
%at2 = getelementptr ptr, ptr %ctx, i64 2
store i64 %stride, ptr %at2, align 8
%at7 = getelementptr ptr, ptr %ctx, i64 4
store i64 %turn, ptr %at7, align 8
%alone = icmp eq ptr %pool, null
br label %next
next:
%i = phi i64 [%first, %entry], [%i1, %serial], [%i1, %share], [%end, %turns]
%more = icmp slt i64 %i, %last
br i1 %more, label %one, label %done
one:
%i1 = add i64 %i, 1
%row = getelementptr {ptr, i64, i64, ptr}, ptr %table, i64 %i
%fn = load ptr, ptr %row, align 8
%at5 = getelementptr i64, ptr %row, i64 3
%places = load ptr, ptr %at5, align 8
%at6 = getelementptr ptr, ptr %ctx, i64 3
store ptr %places, ptr %at6, align 8
%at3 = getelementptr i64, ptr %row, i64 1
%count = load i64, ptr %at3, align 8
%at4 = getelementptr i64, ptr %row, i64 2
%grain = load i64, ptr %at4, align 8
%repeat = icmp eq ptr %fn, null
br i1 %repeat, label %begin, label %run
run:
%small = icmp eq i64 %grain, 0
%here = or i1 %alone, %small
br i1 %here, label %serial, label %share
serial:
call void %fn(ptr %ctx, i64 0, i64 %count, i64 0)
br label %next
share:
call void %parallel(ptr %pool, ptr %fn, ptr %ctx, i64 %count, i64 %grain)
br label %next
begin:
%end = add i64 %i1, %grain
br label %turns
turns:
%t = phi i64 [0, %begin], [%t1, %again]
%left = icmp slt i64 %t, %count
br i1 %left, label %again, label %next
again:
%t1 = add i64 %t, 1
call void @fb_walk(ptr %table, i64 %i1, i64 %end, i64 %stride,
                   ptr %slots, ptr %pool, ptr %parallel, ptr %scratch, i64 %t)
br label %turns
done:
ret void
}
"""

_ENTRY_IR = """
declare void @fb_walk(ptr, i64, i64, i64, ptr, ptr, ptr, ptr, i64)
define void @entry(ptr %slots, ptr %pool, ptr %parallel, ptr %scratch) #0 {
call void @fb_walk(ptr @kernels, i64 0, i64 COUNT, i64 STRIDE,
                   ptr %slots, ptr %pool, ptr %parallel, ptr %scratch, i64 0)
ret void
}
"""


@lru_cache(maxsize=1)
def _walker() -> int:
    """The address of the loop over a program's kernels, which all programs share."""
    return native.load(_WALK_IR, ("fb_walk",))["fb_walk"]


ROW = "{ptr, i64, i64, ptr}"
NAME = "kernel_without_name"


def _row(index: int, name: str, kernel: Kernel, f: Function, target: Target,
         awake: float) -> str:
    """A kernel's row of the table: its function, iterations, grain (0 to run in one piece), and
    where its buffers are."""
    ns = cost.nanoseconds(kernel, target.vector_bytes)
    shared = f.parallel and f.count > 1 and ns >= PARALLEL_NS * awake
    step = grain(f.count, ns, awake) if shared else 0
    return f"{ROW} {{ptr @{name}, i64 {f.count}, i64 {step}, ptr @p{index}}}"


def _places(index: int, kernel: Kernel) -> str:
    """(slot, offset, step) of each buffer."""
    one = "{i64, i64, i64}"
    places = ", ".join(f"{one} {{i64 {b.slot}, i64 {b.offset}, i64 {b.step}}}"
                       for b in kernel.buffers)
    return f"@p{index} = internal constant [{len(kernel.buffers)} x {one}] [{places}]"


def _table(program: Sequence[Kernel | Repeat], rows: list[str]) -> list[str]:
    """The rows of a program's kernels, with a row before those that are repeated."""
    out, left = [], iter(rows)
    for k in program:
        if isinstance(k, Repeat):
            out.append(f"{ROW} {{ptr null, i64 {k.count}, i64 {len(k.kernels)}, ptr null}}")
            out += [next(left) for _ in k.kernels]
        else:
            out.append(next(left))
    return out


def program_ir(program: Sequence[Kernel | Repeat], target: Target | None = None,
               known: Container[str] = ()) -> Module:
    """The LLVM IR of a program for a target (this machine's unless given).

    A function is named by its text. Those `known` are declared only: a kernel that differs in how
    often its parallel loop turns, or that an earlier program has, is compiled once.
    """
    target = target or host()
    kernels = [in_squares(k, target) for k in each(program)]
    shared: dict[str, int] = {}
    which = [shared.setdefault(structure(k), len(shared)) for k in kernels]
    first = [which.index(i) for i in range(len(shared))]
    functions = [KernelEmitter(kernels[at], target).function(NAME) for at in first]
    names = [_name(f) for f in functions]
    new = {n: f for n, f in zip(names, functions) if n not in known}
    declarations: dict[str, str] = {}
    externals: set[str] = set()
    for f in new.values():
        declarations.update(f.declarations)
        externals |= f.externals
    found = sorted(set(names) - set(new))
    again = [AWAKE if isinstance(k, Repeat) else 1.0 for k in program for _ in each([k])]
    rows = _table(program, [_row(i, names[w], k, functions[w], target, awake)
                            for i, (w, k, awake) in enumerate(zip(which, kernels, again))])
    count, scratch = len(rows), max((f.scratch_bytes for f in functions), default=0)
    table = f"@kernels = constant [{count} x {ROW}] [{', '.join(rows)}]"
    entry = _ENTRY_IR.replace("STRIDE", str(scratch)).replace("COUNT", str(count))
    parts = [f'target triple = "{target.triple}"', *declarations.values(),
             *(f"declare void @{n}(ptr, i64, i64, i64)" for n in found),
             *(f.text.replace(NAME, n, 1) for n, f in new.items()),
             *(_places(i, k) for i, k in enumerate(kernels)), table, entry,
             f"attributes #0 = {{ {_attributes(target)} }}"]
    tiles = any(m.space == "register" for at, n in zip(first, names) if n in new
                for m in kernels[at].locals)
    return Module("\n".join(parts), scratch, tuple(sorted(externals)), tiles, tuple(new),
                  tuple(found))


def _name(f: Function) -> str:
    """What a function is called: alike for functions with the same text."""
    whole = "\n".join([f.text, *(f.declarations[d] for d in sorted(f.declarations))])
    return "k" + hashlib.sha256(whole.encode()).hexdigest()[:24]


def _attributes(target: Target) -> str:
    words = ["nounwind", '"no-builtins"', '"no-stack-arg-probe"']
    if target.vector_bytes == 64:
        words.append('"prefer-vector-width"="512" "min-legal-vector-width"="512"')
    return " ".join(words)


# ---------------------------------------------------------------- machine code


def _new_machine() -> Any:
    """The linker puts a program's code and constants together, so short addresses reach; Windows'
    linker has no stubs for what lies farther."""
    native.initialize()
    target = host()
    model = "jitdefault" if sys.platform == "win32" else "small"
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=2, reloc="pic", codemodel=model,
        jit=model == "jitdefault")


@lru_cache(maxsize=1)
def _machine() -> Any:
    return _new_machine()


@lru_cache(maxsize=1)
def _linker() -> Any:
    return llvm.create_lljit_compiler(_new_machine())


def optimised(module: Module) -> Any:
    """The LLVM module of a program, after its passes.

    The text is already hoisted, merged and vectorised: what is left to do before code generation
    is to turn the locals into registers. LLVM's -O1 took ten times as long and gave the same code.
    """
    made = llvm.parse_assembly(module.text)
    machine = _machine()
    made.data_layout = str(machine.target_data)
    if module.locals:
        options = llvm.create_pipeline_tuning_options(speed_level=1)
        builder = llvm.create_pass_builder(machine, options)
        passes = llvm.create_new_function_pass_manager()
        passes.add_sroa_pass()
        for function in made.functions:
            if not function.is_declaration:
                passes.run(function, builder)
    return made


def object_code(module: Module) -> bytes:
    """Machine code of a program, from the cache if it is there."""
    code = cache.load(module.text)
    if code is None:
        code = _machine().emit_object(optimised(module))
        cache.store(module.text, code)
    return code


def assembly(kernels: Sequence[Kernel | Repeat]) -> str:
    """The assembly of a program (FLAMBEAU_SHOW=asm)."""
    with _lock:
        text: str = _machine().emit_assembly(optimised(program_ir(kernels)))
    return text


_linked: weakref.WeakValueDictionary[bytes, Any] = weakref.WeakValueDictionary()
_homes: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
"""The library in which a function is, while a program that runs it lives."""


def _link(module: Module, homes: dict[str, Any]) -> Any:
    """The module's code in memory; programs with the same text share it."""
    digest = hashlib.sha256(module.text.encode()).digest()
    library = _linked.get(digest)
    if library is None:
        builder = llvm.JITLibraryBuilder().add_object_img(object_code(module))
        for symbol in module.externals:
            builder.import_symbol(symbol, external.address(symbol))
        for symbol in module.found:
            builder.import_symbol(symbol, homes[symbol][symbol])
        builder.import_symbol("fb_walk", _walker())
        for symbol in ("entry", "kernels", *module.defined):
            builder.export_symbol(symbol)
        name = f"program{next(_numbers)}"
        library = builder.add_current_process().link(_linker(), name)
        _linked[digest] = library
        for symbol in module.defined:
            _homes.setdefault(symbol, library)
    return library


def compile_program(name: str, program: Sequence[Kernel | Repeat]) -> Program:
    """Compile (or fetch) and link `program`, whose kernels run in order."""
    with _lock:
        homes = dict(_homes)
        module = program_ir(program, known=homes)
        library = _link(module, homes)
    others = tuple({id(homes[n]): homes[n] for n in module.found}.values())
    return Program(name, tuple(map(_label, program)), module.scratch_bytes, library, others)


def _label(k: Kernel | Repeat) -> Label:
    """A step without what it does."""
    rows = 1 + len(k.kernels) if isinstance(k, Repeat) else 1
    return Label(k.name, k.flops, k.bytes, k.origin, rows)
