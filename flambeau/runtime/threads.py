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
spin, then a condition variable of the platform.  A worker that is woken on its caller's own
processor moves to another (Linux, where the scheduler may leave both there for milliseconds while
another processor idles).  The pool's memory and code are never freed: a
worker may be looking at them while the interpreter goes down.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import time

from flambeau.core.config import config
from flambeau.runtime import cpus, native
from flambeau.runtime import pool_ir as layout

SPIN_SECONDS = 50e-6
"""How long a thread looks for work before it sleeps: programs follow each other closely."""

_STACK_BYTES = 8 << 20

def _platform_functions() -> list[int]:
    """Addresses of lock, unlock, wait, wake all, wake one, in the order of ``pool_ir``."""
    names: tuple[str, ...]
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
    if sys.platform == "linux":
        names += ("sched_getcpu", "sched_getaffinity", "sched_setaffinity")
    return [ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names]


class ThreadPool:
    """The process's pool: a block of memory at a fixed address, and the threads that watch it.

    The address stays the same over ``set_num_threads`` and in a forked child; a child that has
    not asked for the address again runs everything in its one thread.
    """

    def __init__(self) -> None:
        names = ("fb_parallel", "fb_worker", "fb_resize", "fb_spin")
        self.functions = native.load(layout.pool_ir(), names)
        pool_and_number = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
        self._worker = pool_and_number(self.functions["fb_worker"])
        self._resize = pool_and_number(self.functions["fb_resize"])
        self._spin = pool_and_number(self.functions["fb_spin"])
        block = ctypes.create_string_buffer(layout.BYTES + 128)
        # Leaked on purpose, see the module's docstring.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(block))
        self.address = (ctypes.addressof(block) + 127) // 128 * 128
        self._format()
        self._spins = self._measure_spins()

    def _format(self) -> None:
        """Write an empty pool of one thread over the block; nobody else may be using it."""
        ctypes.memset(self.address, 0, layout.BYTES)
        calls = _platform_functions()
        for index, address in enumerate(calls):
            self._word(layout.CALLS + 8 * index).value = address
        self._word(layout.THREADS).value = 1
        if sys.platform != "win32":
            library = ctypes.CDLL(None)
            library.pthread_mutex_init(ctypes.c_void_p(self.address + layout.MUTEX), None)
            library.pthread_cond_init(ctypes.c_void_p(self.address + layout.WORK), None)
            library.pthread_cond_init(ctypes.c_void_p(self.address + layout.DONE), None)
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
            crowded = count > len(cpus.available_cpus())
            self._word(layout.SPIN).value = 1 if crowded else self._spins
            self._count = count

    def _start(self, first: int, count: int) -> None:
        """Start the workers ``first … count - 1``; with fewer where the system gives no more."""
        previous = threading.stack_size()
        try:
            threading.stack_size(_STACK_BYTES)
        except (ValueError, RuntimeError):
            pass
        self._word(layout.THREADS).value = count
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
    return config.num_threads or cpus.default_num_threads()


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
    cpus.default_num_threads.cache_clear()
    if _pool is not None:
        _pool.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
