"""The worker threads: one pool, parked in compiled code.

In: the address of a native function and a range.  Out: the range, done by all threads.  Programs
emitted by ``codegen`` call it; Python hands them the two addresses::

    void fb_parallel(ptr pool, ptr fn, ptr ctx, i64 n, i64 grain)
    void fn(ptr ctx, i64 lo, i64 hi, i64 thread_id)

``[0, n)`` is cut into chunks ``[k*grain, min((k+1)*grain, n))``.  ``fn`` is called once for each
chunk, and the cut depends on ``n`` and ``grain`` only, so a result that depends on the chunk and
not on ``thread_id`` has the same bits with any number of threads.  ``thread_id`` is below
``get_num_threads()`` and no two threads have the same one within a call.  When the pool is busy
(a nested call, or another Python thread's), the caller runs all its chunks with ``thread_id`` 0;
scratch memory must therefore belong to the ``ctx`` of the call.

How it works.  A worker is a Python daemon thread that calls ``fb_worker`` through ctypes, which
lets go of the GIL, and never comes back while the pool keeps its size.  One 64-bit word holds the
generation (high half: odd while a job is open) and the number of workers inside (low half).  A
worker joins by adding one to exactly the word it saw open, so a late one can never join a job that
was closed meanwhile, and the caller need not wait for workers that are asleep.  Waiting is a short
spin, then a condition variable of the platform.  The pool's memory and code are never freed: a
worker may be looking at them while the interpreter goes down.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import time
from functools import lru_cache

from flambeau.core.config import config
from flambeau.runtime import native

SPIN_SECONDS = 50e-6
"""How long a thread looks for work before it sleeps: programs follow each other closely."""

_STACK_BYTES = 8 << 20

# Byte offsets in the pool.  Words that different threads write lie on lines of their own.
_BUSY = 0
_STATE = 128
_NEXT = 256
_JOB = 384
_THREADS = 448
_SPIN = 456
_CALLS = 464
_SLEEPERS = 512
_WAITING = 576
_MUTEX = 640
_WORK = 768
_DONE = 896
_BYTES = 1024


def _available_cpus() -> set[int]:
    """The logical processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _physical_cores(cpus: set[int]) -> int:
    """How many cores ``cpus`` are: two hyperthreads share the vector units of one core."""
    cores = set()
    for cpu in cpus:
        path = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        text = _read(path)
        cores.add(text if text else f"cpu {cpu}")
    return len(cores)


def _read(path: str) -> str:
    """The text of a small file, or nothing."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _quota_of(folder: str) -> float:
    """The processors that one cgroup folder allows, version 2 or 1; infinity for no limit."""
    words = _read(os.path.join(folder, "cpu.max")).split()
    if not words:
        quota = _read(os.path.join(folder, "cpu.cfs_quota_us"))
        period = _read(os.path.join(folder, "cpu.cfs_period_us"))
        words = [quota, period] if quota and period else []
    try:
        limit, interval = (float(word) for word in words)
    except ValueError:
        return math.inf
    return limit / interval if limit > 0 and interval > 0 else math.inf


def _cgroup_quota(root: str = "/sys/fs/cgroup", membership: str = "/proc/self/cgroup") -> float:
    """The processors that the cgroup of this process, and those above it, allow."""
    quota = math.inf
    for line in _read(membership).splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3:
            continue
        _, controllers, path = parts
        if controllers == "":
            tops = [root, os.path.join(root, "unified")]
        elif "cpu" in controllers.split(","):
            tops = [os.path.join(root, controllers), os.path.join(root, "cpu")]
        else:
            continue
        # In a container the path is often the host's and not there: the top is then our own.
        names = [name for name in path.split("/") if name]
        for top in tops:
            for depth in range(len(names) + 1):
                quota = min(quota, _quota_of(os.path.join(top, *names[:depth])))
    return quota


@lru_cache(maxsize=1)
def default_num_threads() -> int:
    """The machine's number: cores in our affinity mask, at most the cgroup quota, at least 1."""
    cores = _physical_cores(_available_cpus())
    quota = _cgroup_quota()
    allowed = cores if quota == math.inf else math.ceil(quota)
    return max(1, min(cores, allowed))


def _pause() -> str:
    """The instruction that tells the processor that we are spinning."""
    if native.is_x86():
        return "call void @llvm.x86.sse2.pause()"
    if native.is_arm():
        return "call void @llvm.aarch64.hint(i32 1)"
    return 'call void asm sideeffect "", ""()'


def _field(name: str, offset: int) -> str:
    return f"  %{name} = getelementptr i8, ptr %pool, i64 {offset}\n"


def _call(index: int, result: str, arguments: str) -> str:
    """A call of function number ``index`` in the pool's table of platform functions."""
    return (
        f"  %slot{index} = getelementptr i8, ptr %pool, i64 {_CALLS + 8 * index}\n"
        f"  %function{index} = load ptr, ptr %slot{index}\n"
        f"  %result{index} = call {result} %function{index}({arguments})\n"
    )


def _platform_ir() -> str:
    """Lock, unlock, wait and wake, over functions whose addresses lie in the pool."""
    mutex = _field("mutex", _MUTEX)
    # SleepConditionVariableSRW takes a timeout and flags besides.
    wait = "ptr %cond, ptr %mutex"
    if sys.platform == "win32":
        wait += ", i32 -1, i32 0"
    parts = (
        ("lock", "ptr %pool", mutex + _call(0, "i32", "ptr %mutex")),
        ("unlock", "ptr %pool", mutex + _call(1, "i32", "ptr %mutex")),
        ("wait", "ptr %pool, ptr %cond", mutex + _call(2, "i32", wait)),
        ("wake_all", "ptr %pool, ptr %cond", _call(3, "i32", "ptr %cond")),
        ("wake_one", "ptr %pool, ptr %cond", _call(4, "i32", "ptr %cond")),
    )
    return "\n".join(
        f"define internal void @{name}({parameters}) noinline {{\n{body}  ret void\n}}"
        for name, parameters, body in parts
    )


_CLAIM_IR = f"""
define internal void @claim(ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %grain, i64 %id) {{
entry:
{_field("next", _NEXT)}
  br label %loop
loop:
  %lo = atomicrmw add ptr %next, i64 %grain monotonic
  %more = icmp slt i64 %lo, %n
  br i1 %more, label %body, label %exit
body:
  %end = add i64 %lo, %grain
  %hi = call i64 @llvm.smin.i64(i64 %end, i64 %n)
  call void %fn(ptr %ctx, i64 %lo, i64 %hi, i64 %id)
  br label %loop
exit:
  ret void
}}
"""

_PARALLEL_IR = f"""
define void @fb_parallel(ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %wanted) {{
entry:
{_field("busy", _BUSY)}{_field("state", _STATE)}{_field("next", _NEXT)}{_field("job", _JOB)}
{_field("threads", _THREADS)}{_field("sleepers", _SLEEPERS)}
{_field("work", _WORK)}
  %grain = call i64 @llvm.smax.i64(i64 %wanted, i64 1)
  %small = icmp sle i64 %n, %grain
  br i1 %small, label %serial, label %several
several:
  %count = load atomic i64, ptr %threads monotonic, align 8
  %alone = icmp sle i64 %count, 1
  br i1 %alone, label %serial, label %acquire
acquire:
  %pair = cmpxchg ptr %busy, i64 0, i64 1 acquire monotonic
  %won = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %won, label %publish, label %serial

publish:
  %job_ctx = getelementptr i8, ptr %job, i64 8
  %job_n = getelementptr i8, ptr %job, i64 16
  %job_grain = getelementptr i8, ptr %job, i64 24
  store ptr %fn, ptr %job
  store ptr %ctx, ptr %job_ctx
  store atomic i64 %n, ptr %job_n monotonic, align 8
  store i64 %grain, ptr %job_grain
  store atomic i64 0, ptr %next monotonic, align 8
  %opened = atomicrmw add ptr %state, i64 4294967296 seq_cst
  %asleep = load atomic i64, ptr %sleepers seq_cst, align 8
  %any = icmp sgt i64 %asleep, 0
  br i1 %any, label %wake, label %run
wake:
  ; as many as there are chunks beyond the caller's own
  %last = sub i64 %n, 1
  %helpers = udiv i64 %last, %grain
  call void @lock(ptr %pool)
  %few = icmp slt i64 %helpers, %asleep
  br i1 %few, label %wake_some, label %wake_each
wake_each:
  call void @wake_all(ptr %pool, ptr %work)
  br label %woken
wake_some:
  %left = phi i64 [ %helpers, %wake ], [ %less, %wake_some ]
  call void @wake_one(ptr %pool, ptr %work)
  %less = sub i64 %left, 1
  %again = icmp sgt i64 %less, 0
  br i1 %again, label %wake_some, label %woken
woken:
  call void @unlock(ptr %pool)
  br label %run

run:
  call void @claim(ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %grain, i64 0)
  %closed = atomicrmw add ptr %state, i64 4294967296 seq_cst
  %inside = trunc i64 %closed to i32
  %finished = icmp eq i32 %inside, 0
  br i1 %finished, label %release, label %others
others:
  call void @await_workers(ptr %pool)
  br label %release
release:
  store atomic i64 0, ptr %busy release, align 8
  ret void

serial:
  %nonempty = icmp sgt i64 %n, 0
  br i1 %nonempty, label %chunk, label %exit
chunk:
  %lo = phi i64 [ 0, %serial ], [ %hi, %chunk ]
  %end = add i64 %lo, %grain
  %hi = call i64 @llvm.smin.i64(i64 %end, i64 %n)
  call void %fn(ptr %ctx, i64 %lo, i64 %hi, i64 0)
  %more = icmp slt i64 %hi, %n
  br i1 %more, label %chunk, label %exit
exit:
  ret void
}}

define internal void @await_workers(ptr %pool) noinline {{
entry:
{_field("state", _STATE)}{_field("spin", _SPIN)}{_field("waiting", _WAITING)}
{_field("done", _DONE)}
  %limit = load atomic i64, ptr %spin monotonic, align 8
  br label %look
look:
  %i = phi i64 [ 0, %entry ], [ %i1, %pause ]
  %word = load atomic i64, ptr %state acquire, align 8
  %inside = trunc i64 %word to i32
  %finished = icmp eq i32 %inside, 0
  br i1 %finished, label %exit, label %pause
pause:
  PAUSE
  %i1 = add i64 %i, 1
  %on = icmp slt i64 %i1, %limit
  br i1 %on, label %look, label %sleep
sleep:
  call void @lock(ptr %pool)
  %was = atomicrmw xchg ptr %waiting, i64 1 seq_cst
  br label %check
check:
  %word2 = load atomic i64, ptr %state seq_cst, align 8
  %inside2 = trunc i64 %word2 to i32
  %finished2 = icmp eq i32 %inside2, 0
  br i1 %finished2, label %awake, label %rest
rest:
  call void @wait(ptr %pool, ptr %done)
  br label %check
awake:
  store atomic i64 0, ptr %waiting seq_cst, align 8
  call void @unlock(ptr %pool)
  br label %exit
exit:
  ret void
}}
"""

_WORKER_IR = f"""
define void @fb_worker(ptr %pool, i64 %id) {{
entry:
{_field("state", _STATE)}{_field("next", _NEXT)}{_field("job", _JOB)}{_field("threads", _THREADS)}
{_field("spin", _SPIN)}{_field("sleepers", _SLEEPERS)}{_field("waiting", _WAITING)}
{_field("work", _WORK)}{_field("done", _DONE)}
  %job_ctx = getelementptr i8, ptr %job, i64 8
  %job_n = getelementptr i8, ptr %job, i64 16
  %job_grain = getelementptr i8, ptr %job, i64 24
  br label %top
top:
  %seen = phi i32 [ 0, %entry ], [ %generation, %late ], [ %generation, %left ], [ %seen, %awake ]
  %limit = load atomic i64, ptr %spin monotonic, align 8
  br label %look
look:
  %i = phi i64 [ 0, %top ], [ %i1, %pause ], [ %i, %join ]
  %count = load atomic i64, ptr %threads acquire, align 8
  %surplus = icmp sge i64 %id, %count
  br i1 %surplus, label %exit, label %look2
look2:
  %word = load atomic i64, ptr %state acquire, align 8
  %high = lshr i64 %word, 32
  %generation = trunc i64 %high to i32
  %open = trunc i32 %generation to i1
  %fresh = icmp ne i32 %generation, %seen
  %ready = and i1 %open, %fresh
  br i1 %ready, label %glance, label %pause
pause:
  PAUSE
  %i1 = add i64 %i, 1
  %on = icmp slt i64 %i1, %limit
  br i1 %on, label %look, label %sleep

glance:
  ; nothing left to claim: stay out, so that the caller need not wait for us
  %claimed = load atomic i64, ptr %next monotonic, align 8
  %size = load atomic i64, ptr %job_n monotonic, align 8
  %void = icmp sge i64 %claimed, %size
  br i1 %void, label %late, label %join
late:
  br label %top
join:
  %word1 = add i64 %word, 1
  %pair = cmpxchg ptr %state, i64 %word, i64 %word1 acq_rel acquire
  %joined = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %joined, label %run, label %look
run:
  %fn = load ptr, ptr %job
  %ctx = load ptr, ptr %job_ctx
  %n = load atomic i64, ptr %job_n monotonic, align 8
  %grain = load i64, ptr %job_grain
  call void @claim(ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %grain, i64 %id)
  %leaving = atomicrmw sub ptr %state, i64 1 seq_cst
  %inside = trunc i64 %leaving to i32
  %lastone = icmp eq i32 %inside, 1
  %awaited = load atomic i64, ptr %waiting seq_cst, align 8
  %asked = icmp ne i64 %awaited, 0
  %tell = and i1 %lastone, %asked
  br i1 %tell, label %report, label %left
report:
  call void @lock(ptr %pool)
  call void @wake_all(ptr %pool, ptr %done)
  call void @unlock(ptr %pool)
  br label %left
left:
  br label %top

sleep:
  call void @lock(ptr %pool)
  %up = atomicrmw add ptr %sleepers, i64 1 seq_cst
  br label %check
check:
  %word2 = load atomic i64, ptr %state seq_cst, align 8
  %high2 = lshr i64 %word2, 32
  %generation2 = trunc i64 %high2 to i32
  %open2 = trunc i32 %generation2 to i1
  %fresh2 = icmp ne i32 %generation2, %seen
  %ready2 = and i1 %open2, %fresh2
  %count2 = load atomic i64, ptr %threads acquire, align 8
  %surplus2 = icmp sge i64 %id, %count2
  %stir = or i1 %ready2, %surplus2
  br i1 %stir, label %awake, label %rest
rest:
  call void @wait(ptr %pool, ptr %work)
  br label %check
awake:
  %down = atomicrmw sub ptr %sleepers, i64 1 seq_cst
  call void @unlock(ptr %pool)
  br label %top
exit:
  ret void
}}

define void @fb_resize(ptr %pool, i64 %count) {{
entry:
{_field("threads", _THREADS)}{_field("work", _WORK)}
  call void @lock(ptr %pool)
  store atomic i64 %count, ptr %threads seq_cst, align 8
  call void @wake_all(ptr %pool, ptr %work)
  call void @unlock(ptr %pool)
  ret void
}}

define void @fb_spin(ptr %pool, i64 %count) {{
entry:
{_field("state", _STATE)}{_field("threads", _THREADS)}
  br label %look
look:
  %i = phi i64 [ 0, %entry ], [ %i1, %look ]
  %a = load atomic i64, ptr %threads acquire, align 8
  %b = load atomic i64, ptr %state acquire, align 8
  PAUSE
  %i1 = add i64 %i, 1
  %on = icmp slt i64 %i1, %count
  br i1 %on, label %look, label %exit
exit:
  ret void
}}

declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)
"""


def pool_ir() -> str:
    """The whole native side of the pool as LLVM IR; refers to no symbol outside itself."""
    text = _platform_ir() + _CLAIM_IR + _PARALLEL_IR + _WORKER_IR
    return text.replace("PAUSE", _pause()) + _pause_declaration()


def _pause_declaration() -> str:
    if native.is_x86():
        return "declare void @llvm.x86.sse2.pause()\n"
    if native.is_arm():
        return "declare void @llvm.aarch64.hint(i32)\n"
    return ""


def _platform_functions() -> list[int]:
    """Addresses of lock, unlock, wait, wake all, wake one, as ``_platform_ir`` calls them."""
    if sys.platform == "win32":
        library = ctypes.WinDLL("kernel32")
        names = (
            "AcquireSRWLockExclusive",
            "ReleaseSRWLockExclusive",
            "SleepConditionVariableSRW",
            "WakeAllConditionVariable",
            "WakeConditionVariable",
        )
    else:
        library = ctypes.CDLL(None)
        names = (
            "pthread_mutex_lock",
            "pthread_mutex_unlock",
            "pthread_cond_wait",
            "pthread_cond_broadcast",
            "pthread_cond_signal",
        )
    return [ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names]


class ThreadPool:
    """The process's pool: a block of memory at a fixed address, and the threads that watch it.

    The address stays the same over ``set_num_threads`` and in a forked child; a child that has
    not asked for the address again runs everything in its one thread.
    """

    def __init__(self) -> None:
        names = ("fb_parallel", "fb_worker", "fb_resize", "fb_spin")
        self.functions = native.load(pool_ir(), names)
        pool_and_number = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        self._worker = pool_and_number(self.functions["fb_worker"])
        self._resize = pool_and_number(self.functions["fb_resize"])
        self._spin = pool_and_number(self.functions["fb_spin"])
        block = ctypes.create_string_buffer(_BYTES + 128)
        # Leaked on purpose, see the module's docstring.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(block))
        self.address = (ctypes.addressof(block) + 127) // 128 * 128
        self._format()
        self._spins = self._measure_spins()

    def _format(self) -> None:
        """Write an empty pool of one thread over the block; nobody else may be using it."""
        ctypes.memset(self.address, 0, _BYTES)
        calls = _platform_functions()
        (ctypes.c_void_p * len(calls)).from_address(self.address + _CALLS)[:] = calls
        self._word(_THREADS).value = 1
        if sys.platform != "win32":
            library = ctypes.CDLL(None)
            library.pthread_mutex_init(ctypes.c_void_p(self.address + _MUTEX), None)
            library.pthread_cond_init(ctypes.c_void_p(self.address + _WORK), None)
            library.pthread_cond_init(ctypes.c_void_p(self.address + _DONE), None)
        self._workers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._count = 0

    def _word(self, offset: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(self.address + offset)

    def _measure_spins(self) -> int:
        """How many looks fit into ``SPIN_SECONDS``: a pause takes 10 to 140 cycles."""
        looks = 500
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            self._spin(self.address, looks)
            best = min(best, time.perf_counter() - start)
        return max(1, int(looks * SPIN_SECONDS / max(best, 1e-7)))

    def resize(self, count: int) -> None:
        """Bring the pool to ``count`` threads, the caller's included."""
        with self._lock:
            if count == self._count:
                return
            running = len(self._workers)
            if count - 1 < running:
                # A number must not be given out again before its thread has left.
                self._resize(self.address, count)
                for worker in self._workers[count - 1 :]:
                    worker.join()
                del self._workers[count - 1 :]
            elif count - 1 > running:
                self._start(running + 1, count)
            # Spinning for a processor that another of our threads needs only delays it.
            crowded = count > len(_available_cpus())
            self._word(_SPIN).value = 1 if crowded else self._spins
            self._count = count

    def _start(self, first: int, count: int) -> None:
        """Start the workers ``first … count - 1``; with fewer where the system gives no more."""
        previous = threading.stack_size()
        try:
            threading.stack_size(_STACK_BYTES)
        except (ValueError, RuntimeError):
            pass
        self._word(_THREADS).value = count
        try:
            for number in range(first, count):
                worker = threading.Thread(
                    target=self._worker,
                    args=(self.address, number),
                    name=f"flambeau-worker-{number}",
                    daemon=True,
                )
                worker.start()
                self._workers.append(worker)
        except RuntimeError:
            self._resize(self.address, len(self._workers) + 1)
        finally:
            threading.stack_size(previous)

    def reset_after_fork(self) -> None:
        """In the child: no worker came along, and any lock may have been held."""
        self._format()


_pool: ThreadPool | None = None
_pool_lock = threading.Lock()
# What the pool was last brought to; 0 makes the next ``pool_address`` look again.
_applied: int | None = 0


def _the_pool() -> ThreadPool:
    global _pool
    if _pool is None:
        with _pool_lock:
            if _pool is None:
                _pool = ThreadPool()
    return _pool


def pool_address() -> int:
    """The address of the pool, its workers started; ask at every launch of a program."""
    global _applied
    wanted = config.num_threads
    if wanted != _applied:
        _the_pool().resize(get_num_threads())
        _applied = wanted
    return _pool.address  # type: ignore[union-attr]


def parallel_address() -> int:
    """The address of ``fb_parallel``; the same for the life of the process."""
    return _the_pool().functions["fb_parallel"]


def get_num_threads() -> int:
    """How many threads a program may use, the calling one included."""
    return config.num_threads or default_num_threads()


def set_num_threads(count: int) -> None:
    """Use ``count`` threads from now on.  Waits for a job that is running to end."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(count).__name__}")
    if count < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    config.num_threads = count
    pool_address()


def _after_fork() -> None:
    global _applied, _pool_lock
    _applied = 0
    _pool_lock = threading.Lock()
    default_num_threads.cache_clear()
    if _pool is not None:
        _pool.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
