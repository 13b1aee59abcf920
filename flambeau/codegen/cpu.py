"""Programs for the processor we run on: kernels to machine code that is ready to call.

In: a name and `kernel.loopnest.Kernel`s. Out: a `Program`. Called by `graph/realize`.

    program = compile_program("softmax", kernels)
    program.run(slots)                  # slots: ctypes array of addresses, one for each slot

The native entry is `void entry(ptr slots, ptr pool, ptr parallel, ptr scratch)`. It runs the
kernels in order; each has a launcher `void launch_<i>` of the same type, so that one can be timed
by itself. A launcher calls `fb_parallel` (see `runtime.threads`) when the kernel has enough work.
"""
from __future__ import annotations

import ctypes
import itertools
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import llvmlite.binding as llvm

from ..kernel.loopnest import Kernel
from ..runtime import cache, native, threads
from . import cost, external
from .llvm import Function, KernelEmitter
from .target import Target, host

PARALLEL_NS = 25_000.0
"""Work for which waking other threads pays."""
CHUNK_NS = 10_000.0
"""The least work of one chunk."""
CHUNKS = 32
"""Chunks of a large kernel: some for each thread, the same number on every machine."""

_ENTRY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                          ctypes.c_void_p)
_numbers = itertools.count()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Module:
    """IR text of a whole program."""

    text: str
    launchers: tuple[str, ...]
    scratch_bytes: int
    externals: tuple[str, ...]


class Program:
    """Compiled kernels. `slots` is an array of addresses; see `kernel.loopnest.Buffer`."""

    def __init__(self, name: str, kernels: tuple[Kernel, ...], scratch_bytes: int,
                 library: Any, launchers: tuple[str, ...]) -> None:
        self.name = name
        self.kernels = kernels
        self.scratch_bytes = scratch_bytes
        self._library = library          # keeps the code mapped
        self.address: int = library["entry"]
        self._entry = _ENTRY(self.address)
        self._launchers = launchers

    def run(self, slots: Any) -> None:
        """Run all kernels; `slots` is a ctypes array, or the address of a table, of addresses."""
        self._call(self._entry, slots)

    def run_timed(self, slots: Any) -> list[float]:
        """Run the kernels one by one; returns the seconds of each."""
        seconds = []
        for name in self._launchers:
            launch = _ENTRY(self._library[name])
            start = time.perf_counter()
            self._call(launch, slots)
            seconds.append(time.perf_counter() - start)
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


def grain(count: int, ns: float) -> int:
    """Iterations of one chunk: at least CHUNK_NS of work, about CHUNKS chunks."""
    each = max(ns / count, 1e-3)
    return max(1, min(count, max(int(CHUNK_NS / each) + 1, -(-count // CHUNKS))))


def _launcher(index: int, kernel: Kernel, f: Function, stride: int, target: Target) -> str:
    ns = cost.nanoseconds(kernel, target.vector_bytes)
    head = f"""define void @launch_{index}(ptr %slots, ptr %pool, ptr %parallel, ptr %scratch) #0 {{
entry:
%ctx = alloca [3 x ptr], align 16
store ptr %slots, ptr %ctx, align 16
%at1 = getelementptr ptr, ptr %ctx, i64 1
store ptr %scratch, ptr %at1, align 8
%at2 = getelementptr ptr, ptr %ctx, i64 2
store i64 {stride}, ptr %at2, align 8
"""
    serial = f"call void @k{index}(ptr %ctx, i64 0, i64 {f.count}, i64 0)\nret void\n}}"
    if not f.parallel or f.count < 2 or ns < PARALLEL_NS:
        return head + serial
    step = grain(f.count, ns)
    return head + f"""%alone = icmp eq ptr %pool, null
br i1 %alone, label %serial, label %share
share:
call void %parallel(ptr %pool, ptr @k{index}, ptr %ctx, i64 {f.count}, i64 {step})
ret void
serial:
""" + serial


def program_ir(kernels: Sequence[Kernel], target: Target | None = None) -> Module:
    """The LLVM IR of a program for a target (this machine's unless given)."""
    target = target or host()
    functions = [KernelEmitter(k, target).function(f"k{i}") for i, k in enumerate(kernels)]
    scratch = max((f.scratch_bytes for f in functions), default=0)
    declarations: dict[str, str] = {}
    externals: set[str] = set()
    for f in functions:
        declarations.update(f.declarations)
        externals |= f.externals
    launchers = tuple(f"launch_{i}" for i in range(len(functions)))
    calls = "".join(f"call void @{n}(ptr %slots, ptr %pool, ptr %parallel, ptr %scratch)\n"
                    for n in launchers)
    entry = ("define void @entry(ptr %slots, ptr %pool, ptr %parallel, ptr %scratch) #0 {\n"
             + calls + "ret void\n}")
    parts = [f'target triple = "{target.triple}"', *declarations.values(),
             *(f.text for f in functions),
             *(_launcher(i, k, f, scratch, target)
               for i, (k, f) in enumerate(zip(kernels, functions))),
             entry, f"attributes #0 = {{ {_attributes(target)} }}"]
    return Module("\n".join(parts), launchers, scratch, tuple(sorted(externals)))


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


def optimised(text: str) -> Any:
    """The LLVM module of IR text, after its passes."""
    machine = _machine()
    module = llvm.parse_assembly(text)
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_interleaving = False
    options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def object_code(module: Module) -> bytes:
    """Machine code of a program, from the cache if it is there."""
    code = cache.load(module.text)
    if code is None:
        code = _machine().emit_object(optimised(module.text))
        cache.store(module.text, code)
    return code


def assembly(kernels: Sequence[Kernel]) -> str:
    """The assembly of a program (FLAMBEAU_SHOW=asm)."""
    with _lock:
        return _machine().emit_assembly(optimised(program_ir(kernels).text))


def compile_program(name: str, kernels: Sequence[Kernel]) -> Program:
    """Compile (or fetch) and link `kernels`, which the program runs in order."""
    module = program_ir(kernels)
    with _lock:
        code = object_code(module)
        linker = _linker()
        builder = llvm.JITLibraryBuilder().add_object_img(code)
        for symbol in module.externals:
            builder.import_symbol(symbol, external.address(symbol))
        for symbol in ("entry", *module.launchers):
            builder.export_symbol(symbol)
        library = builder.add_current_process().link(linker, f"program{next(_numbers)}")
    return Program(name, tuple(kernels), module.scratch_bytes, library, module.launchers)
