"""What this machine is and what it can do: vector width, caches, peak arithmetic, bandwidth.

In: the operating system, and two generated loops.  Out: numbers that ``codegen`` schedules by, that
``FLAMBEAU_SHOW=launch`` gives its percentages of, and that ``python -m flambeau doctor`` prints.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import llvmlite.binding as llvm

from flambeau.core.config import config
from flambeau.core.watch import LIMITS
from flambeau.runtime import native, threads
from flambeau.runtime.buffer import Buffer
from flambeau.runtime.cpus import read_small

# fmt: off
_NOTABLE_FEATURES = (
    "sse4.2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512dq",
    "avx512vnni", "avx512bf16", "avx512fp16", "avxvnni", "amx-tile", "amx-int8", "amx-bf16",
    "neon", "dotprod", "fullfp16", "bf16", "i8mm", "sve", "sve2", "sme",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class CacheSizes:
    """Bytes of the data caches that one core sees; a level it lacks equals the one below."""

    l1d: int
    l2: int
    l3: int


@dataclass(frozen=True, slots=True)
class Peak:
    """Float32 fused multiply-adds, in GFLOP/s (two operations each)."""

    one_thread: float
    all_threads: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a kernel: arithmetic in GFLOP/s (float32), memory in GB/s."""

    gflops: float
    gbytes: float

    def seconds(self, flops: int, nbytes: int) -> float:
        """The least time for work that streams through memory (the roofline).

        Data that stay in a cache move faster, so a kernel can need less.
        """
        return max(flops / self.gflops, nbytes / self.gbytes) / 1e9


@lru_cache(maxsize=1)
def features() -> frozenset[str]:
    """The processor features that LLVM generates code for, in LLVM's names."""
    return frozenset(name for name, on in llvm.get_host_cpu_features().items() if on)


def isa_names() -> tuple[str, ...]:
    """The features worth telling a person about."""
    return tuple(name for name in _NOTABLE_FEATURES if name in features())


def cpu_name() -> str:
    """LLVM's name of the processor, such as ``znver4`` or ``apple-m1``."""
    return str(llvm.get_host_cpu_name())


def vector_bytes() -> int:
    """The width of a vector register in bytes: 64, 32 or 16."""
    if "avx512f" in features():
        return 64
    if "avx" in features():
        return 32
    return 16


@lru_cache(maxsize=1)
def cache_sizes() -> CacheSizes:
    """The data caches of the first core, from the system where it tells."""
    if sys.platform == "darwin":
        found = _caches_of_sysctl()
    elif sys.platform == "win32":
        found = _caches_of_windows()
    else:
        found = _caches_of_sysfs()
    return _complete(found)


def _complete(found: dict[int, int]) -> CacheSizes:
    """Sizes by level, with what is usual where the system was silent."""
    if not found:
        return CacheSizes(l1d=32 << 10, l2=1 << 20, l3=8 << 20)
    l1d = found.get(1, 32 << 10)
    l2 = found.get(2, max(l1d, 512 << 10))
    return CacheSizes(l1d, l2, found.get(3, l2))


def _caches_of_sysfs(folder: str = "/sys/devices/system/cpu/cpu0/cache") -> dict[int, int]:
    try:
        names = os.listdir(folder)
    except OSError:
        return {}
    entries = []
    for name in names:
        parts = (read_small(f"{folder}/{name}/{file}") for file in ("level", "type", "size"))
        level, kind, size = parts
        scale = {"K": 10, "M": 20, "G": 30}.get(size[-1:], 0)
        digits = size.rstrip("KMG")
        if kind in ("Data", "Unified") and level.isdigit() and digits.isdigit():
            entries.append((int(level), int(digits) << scale))
    return dict(entries)


def _caches_of_sysctl() -> dict[int, int]:
    """macOS; ``perflevel0`` are the fast cores."""
    library = ctypes.CDLL(None)
    found = {}
    for level, name in ((1, "l1dcachesize"), (2, "l2cachesize"), (3, "l3cachesize")):
        for prefix in ("hw.perflevel0.", "hw."):
            value = ctypes.c_uint64()
            length = ctypes.c_size_t(8)
            status = library.sysctlbyname(
                (prefix + name).encode(), ctypes.byref(value), ctypes.byref(length), None, 0
            )
            if status == 0 and value.value:
                found[level] = value.value
                break
    return found


def _caches_of_windows() -> dict[int, int]:
    """Windows; the table has one record of 32 bytes for each core, cache and so on."""
    query = ctypes.WinDLL("kernel32").GetLogicalProcessorInformation  # type: ignore[attr-defined]
    length = ctypes.c_uint32(0)
    query(None, ctypes.byref(length))
    table = ctypes.create_string_buffer(length.value)
    if not query(table, ctypes.byref(length)):
        return {}
    return _caches_in_table(table.raw[: length.value])


def _caches_in_table(table: bytes) -> dict[int, int]:
    """Data and unified caches among SYSTEM_LOGICAL_PROCESSOR_INFORMATION records (64-bit)."""
    relation_cache, unified, data = 2, 0, 2
    found: dict[int, int] = {}
    whole = len(table) // 32 * 32
    for record in struct.iter_unpack("<QIxxxxBBHII4x", table[:whole]):
        _, relation, level, _, _, size, kind = record
        if relation == relation_cache and kind in (unified, data):
            found.setdefault(level, size)
    return found


_ACCUMULATORS = 12
_FMA_STEPS = 20_000


def _fma_ir() -> str:
    """A chunk function: each index is ``_FMA_STEPS`` rounds over independent accumulators.

    Twelve chains cover two units of four cycles' latency and fit in sixteen registers with the
    two operands; ``x = x * 0.5 + 1`` stays finite.
    """
    vector = f"<{vector_bytes() // 4} x float>"
    numbers = range(_ACCUMULATORS)
    phis = "\n".join(
        f"  %x{i} = phi {vector} [ %start, %outer ], [ %y{i}, %inner ]" for i in numbers
    )
    steps = "\n".join(
        f"  %y{i} = call {vector} @llvm.fma({vector} %x{i}, {vector} %a, {vector} %b)"
        for i in numbers
    )
    sums = "\n".join(
        f"  %s{i + 1} = fadd {vector} %{f's{i}' if i else 'start'}, %y{i}" for i in numbers
    )
    return f"""
define void @fma_peak(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {{
entry:
  %a = load {vector}, ptr %ctx, align 64
  %second = getelementptr i8, ptr %ctx, i64 64
  %b = load {vector}, ptr %second, align 64
  %third = getelementptr i8, ptr %ctx, i64 128
  %start = load {vector}, ptr %third, align 64
  br label %outer
outer:
  %i = phi i64 [ %lo, %entry ], [ %i1, %next ]
  br label %inner
inner:
  %j = phi i64 [ 0, %outer ], [ %j1, %inner ]
{phis}
{steps}
  %j1 = add i64 %j, 1
  %on = icmp slt i64 %j1, {_FMA_STEPS}
  br i1 %on, label %inner, label %next
next:
{sums}
  %line = add i64 %id, 3
  %offset = shl i64 %line, 6
  %sink = getelementptr i8, ptr %ctx, i64 %offset
  store {vector} %s{_ACCUMULATORS}, ptr %sink, align 64
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %hi
  br i1 %more, label %outer, label %exit
exit:
  ret void
}}
declare {vector} @llvm.fma.v{vector_bytes() // 4}f32({vector}, {vector}, {vector})
""".replace("@llvm.fma(", f"@llvm.fma.v{vector_bytes() // 4}f32(")


_SWEEP_IR = """
define void @sweep(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {
entry:
  br label %loop
loop:
  %i = phi i64 [ %lo, %entry ], [ %i1, %loop ]
  %at = getelementptr <16 x float>, ptr %ctx, i64 %i
  %x = load <16 x float>, ptr %at, align 64
  %y = fneg <16 x float> %x
  store <16 x float> %y, ptr %at, align 64
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %hi
  br i1 %more, label %loop, label %exit
exit:
  ret void
}
"""


def _runner(function: int, ctx: int) -> Callable[[int, int], None]:
    """``run(n, grain)``: one call of ``fb_parallel`` over ``function``."""
    prototype = ctypes.CFUNCTYPE(
        None,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int64,
        ctypes.c_int64,
    )
    parallel = prototype(threads.parallel_address())

    def run(n: int, grain: int) -> None:
        parallel(threads.pool_address(), function, ctx, n, grain)

    return run


def _best_seconds(action: Callable[[], None], times: Iterable[int]) -> float:
    """The least of several timings: everything else on the machine only adds."""
    best = float("inf")
    for _ in times:
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def measure_peak() -> Peak:
    """GFLOP/s of a loop of nothing but vector fused multiply-adds; takes about 0.1 s."""
    function = native.load(_fma_ir(), ("fma_peak",))["fma_peak"]
    count = threads.get_num_threads()
    buffer = Buffer(64 * (3 + count))
    operands = buffer.numpy("float32", (3 + count, 16))
    operands[:3] = [[0.5], [1.0], [0.0]]
    run = _runner(function, buffer.address)
    flops = 2.0 * (vector_bytes() // 4) * _ACCUMULATORS * _FMA_STEPS
    chunks = 16
    # One chunk never leaves the calling thread.
    one = _best_seconds(lambda: run(chunks, chunks), range(10))
    every = _best_seconds(lambda: run(chunks * count, 1), range(10))
    return Peak(flops * chunks / one / 1e9, flops * chunks * count / every / 1e9)


def measure_bandwidth(nbytes: int | None = None) -> float:
    """GB/s, reads plus writes, of changing a block in place that is far larger than the caches."""
    if nbytes is None:
        nbytes = min(max(64 << 20, 4 * cache_sizes().l3), 512 << 20)
    function = native.load(_SWEEP_IR, ("sweep",))["sweep"]
    buffer = Buffer(nbytes)
    lines = nbytes // 64
    buffer.numpy("uint8", (nbytes,)).fill(0)
    run = _runner(function, buffer.address)
    seconds = _best_seconds(lambda: run(lines, 1 << 12), range(8))
    return 2.0 * lines * 64 / seconds / 1e9


@lru_cache(maxsize=8)
def _limits_of(count: int) -> Limits:
    peak = measure_peak()
    return Limits(peak.all_threads if count > 1 else peak.one_thread, measure_bandwidth())


def limits() -> Limits:
    """The limits of the threads in use; measured once, which takes about a second."""
    return _limits_of(threads.get_num_threads())


LIMITS.append(lambda flops, nbytes: limits().seconds(flops, nbytes))


def description() -> dict[str, str]:
    """The facts that cost nothing to know, as ``doctor`` prints them."""
    sizes = cache_sizes()
    return {
        "processor": cpu_name(),
        "target": llvm.get_process_triple(),
        "isa": " ".join(isa_names()),
        "vector": f"{vector_bytes()} bytes",
        "threads": str(threads.get_num_threads()),
        "caches": f"L1d {sizes.l1d >> 10} KB, L2 {sizes.l2 >> 10} KB, L3 {sizes.l3 >> 10} KB",
        "disk cache": config.cache_dir or "off",
    }
