"""A compiled graph: what `graph/realize` runs.

In: a template graph (inputs, primitives or composites). Out: `Program.run(inputs, numbers)` gives
the buffers of the results. Compiling calls the stages in turn.
"""
from __future__ import annotations

import ctypes
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..codegen.cpu import Program as Native
from ..codegen.cpu import assembly, compile_program, program_ir
from ..codegen.search import Search
from ..codegen.sort import Order, Sort
from ..codegen.target import host, machine
from ..core.config import config
from ..core.trace import describe, say_where
from ..core.watch import WATCHERS, Launch
from ..kernel.loopnest import Buffer as Slot
from ..kernel.loopnest import each
from ..kernel.loopnest import text as kernel_text
from ..kernel.verify import verify as verify_kernel
from ..runtime.buffer import Buffer
from ..runtime.buffer import statistics as memory_statistics
from . import interpret
from .decompose import decompose
from .lower import Foreign, Sorting, lower
from .node import Node, text
from .pairs import split_complex
from .primitive import INPUT, RESHAPE, SEARCH
from .simplify import simplify
from .verify import verify


@dataclass(frozen=True, slots=True)
class Result:
    """Where a result comes from: slot `slot` of the program, at `offset` bytes."""

    slot: int
    offset: int
    nbytes: int
    fresh: bool                     # made by the program (not one of its inputs)


@dataclass(frozen=True, slots=True)
class Sorter:
    """A sort or a search, and the memory that it reads and writes."""

    made: Sort | Search
    step: Sorting

    def run(self, table: list[int]) -> None:
        """Compute."""
        places = [*self.step.sources, self.step.target]
        self.made.run(*[table[b.slot] + b.offset for b in places])


class Program:
    """Steps in order, and where their inputs and results are."""

    def __init__(self, roots: list[Node], inputs: int, name: str,
                 donated: frozenset[int] = frozenset()) -> None:
        self.name = name
        self.inputs = inputs
        _show("graph", lambda: text(roots))
        _tell_stage(name, "recorded", roots)
        primitives = _primitives(roots, name)
        _show("fusion", lambda: text(primitives))
        targets = [_memory_of(p) for p in primitives]
        made: dict[int, Node] = {}
        for node in targets:
            if node.op is not INPUT and node.size:
                made.setdefault(id(node), node)
        order = {key: k for k, key in enumerate(made)}
        lowered = lower(list(made.values()), inputs, donated, machine(host()))
        for watcher in tuple(WATCHERS):
            watcher.lowered(name, lowered)
        self.sizes = [0 if k in lowered.in_place else n.size * n.dtype.itemsize
                      for k, n in enumerate(made.values())]
        self.arena = lowered.arena
        self.results = [_result(n, order, inputs, lowered.in_place) for n in targets]
        self.steps: list[Native | Sorter | Foreign] = []
        for k, step in enumerate(lowered.steps):
            if isinstance(step, Foreign):
                self.steps.append(step)
            elif isinstance(step, Sorting):
                self.steps.append(Sorter(_ready(step.node), step))
            elif step:
                _show("loops", lambda kernels=step: "\n".join(map(kernel_text, kernels)))
                _show("llvm", lambda kernels=step: program_ir(kernels).text)
                _show("asm", lambda kernels=step: assembly(kernels))
                if "ir" in config.check:
                    for kernel in each(step):
                        verify_kernel(kernel)
                self.steps.append(compile_program(f"{name}_{k}", step))

    def run(self, inputs: list[tuple[Buffer, int]], numbers: bytes) -> list[Buffer]:
        """Compute the results.

        `inputs` are the leaves' buffers and the byte offsets at which they begin, `numbers` the
        varying scalars.
        """
        table = [b.address + offset for b, offset in inputs]
        scalars = ctypes.create_string_buffer(numbers) if numbers else None
        if scalars is not None:
            table.append(ctypes.addressof(scalars))
        fresh = [Buffer(n) for n in self.sizes]
        table.extend([b.address for b in fresh])
        arena = Buffer(self.arena) if self.arena else None
        if arena is not None:
            table.append(arena.address)
        self.run_steps(table, (ctypes.c_void_p * len(table))(*table))
        if WATCHERS:
            allocated, now = memory_statistics().allocated, time.perf_counter()
            for watcher in tuple(WATCHERS):
                watcher.memory(now, allocated)
        out: list[Buffer] = []
        for r in self.results:
            if r.fresh:
                out.append(fresh[r.slot - self.inputs] if r.slot >= self.inputs else Buffer(0))
            elif r.slot < len(inputs) and not inputs[r.slot][0].pinned:
                out.append(inputs[r.slot][0])
            else:
                copy = Buffer(r.nbytes)
                ctypes.memmove(copy.address, table[r.slot] + r.offset, r.nbytes)
                out.append(copy)
        return out

    def run_steps(self, table: Any, slots: Any) -> None:
        """Run on a table of addresses: the inputs', the numbers', the results', the arena's; as
        something to index, and as a ctypes array."""
        watched = bool(WATCHERS) or "launch" in config.show
        for step in self.steps:
            if watched:
                self._watched(step, table, slots)
            elif isinstance(step, Foreign):
                _foreign(step, table)
            elif isinstance(step, Sorter):
                step.run(table)
            else:
                step.run(slots)

    def _watched(self, step: Native | Sorter | Foreign, table: list[int], slots: Any) -> None:
        """Run a step, its kernels one by one, and tell how long each took."""
        start = time.perf_counter()
        if isinstance(step, Native):
            for kernel, seconds in zip(step.kernels, step.run_timed(slots)):
                _tell(Launch(self.name, kernel.name, "kernel", start, seconds, kernel.flops,
                             kernel.bytes, kernel.origin))
                start += seconds
            return
        if isinstance(step, Sorter):
            kind, node = "sort", step.step.node
            name = node.op.name
            step.run(table)
        else:
            kind, node = "host", step.node
            name = node.attrs[0]
            _foreign(step, table)
        seconds = time.perf_counter() - start
        moved = sum(n.size * n.dtype.itemsize for n in (*node.src, node))
        _tell(Launch(self.name, name, kind, start, seconds, 0, moved, node.origin))


def _primitives(roots: list[Node], name: str) -> list[Node]:
    """The passes over the tensor graph, in turn; FLAMBEAU_CHECK=ir looks at what each one left."""
    for apply in (decompose, split_complex, simplify):
        roots = apply(roots)
        _tell_stage(name, apply.__name__, roots)
        if "ir" in config.check:
            verify(roots, apply.__name__)
    return roots


def _memory_of(node: Node) -> Node:
    """The node whose row-major elements a root has."""
    while node.op is RESHAPE:
        node = node.src[0]
    return node


def _result(node: Node, order: dict[int, int], inputs: int, in_place: dict[int, int]) -> Result:
    nbytes = node.size * node.dtype.itemsize
    if node.op is INPUT:
        return Result(node.attrs[0], node.attrs[1], nbytes, False)
    if not node.size:
        return Result(-1, 0, 0, True)
    k = order[id(node)]
    if k in in_place:
        return Result(in_place[k], 0, nbytes, False)
    return Result(inputs + k, 0, nbytes, True)


def _array(slot: Slot, table: list[int], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    nbytes = slot.size * slot.dtype.itemsize
    raw = (ctypes.c_char * nbytes).from_address(table[slot.slot] + slot.offset)
    return np.frombuffer(memoryview(raw), slot.dtype.numpy).reshape(shape)


def _ready(node: Node) -> Sort | Search:
    """The ready-made code for an ARGSORT or SEARCH."""
    if node.op is SEARCH:
        edges, values = node.src
        each = values.shape[-1] if edges.ndim > 1 else values.size
        return Search(values.size // each, edges.shape[-1], each, values.dtype, node.attrs[0])
    dim, descending, count = node.attrs
    keys = node.src[0]
    outer, inner = math.prod(keys.shape[:dim]), math.prod(keys.shape[dim + 1:])
    return Sort(Order(outer * inner, keys.shape[dim], inner, keys.dtype, descending, count))


def _foreign(step: Foreign, table: list[int]) -> None:
    """Run a step in NumPy (LAPACK, FFT) on the program's memory; an error gets the user's line."""
    sources = [_array(b, table, s.shape) for b, s in zip(step.sources, step.node.src)]
    try:
        with np.errstate(all="ignore"):             # NaN in, NaN out: no warning, as in PyTorch
            out = interpret.MEANING[step.node.op.name](step.node, *sources)
    except Exception as error:
        say_where(error, step.node)
        raise
    _array(step.target, table, step.node.shape)[...] = out


def _tell(launch: Launch) -> None:
    """Tell those who watch, and print a line (FLAMBEAU_SHOW=launch)."""
    for watcher in tuple(WATCHERS):
        watcher.launch(launch)
    if "launch" in config.show:
        print(f"{launch.name:32} {launch.seconds * 1e3:9.3f} ms {launch.gflops:8.1f} GFLOP/s "
              f"{launch.gbytes:7.1f} GB/s  {describe(launch.origin)}")


def _tell_stage(program: str, name: str, roots: list[Node]) -> None:
    for watcher in tuple(WATCHERS):
        watcher.stage(program, name, roots)


def _show(what: str, make: Any) -> None:
    if what in config.show:
        print(f"---- {what} {time.strftime('%H:%M:%S')}\n{make()}")
