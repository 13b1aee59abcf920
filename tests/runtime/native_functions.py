"""Chunk functions in LLVM IR that the thread pool's tests run."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import numpy as np

from flambeau.runtime import native, threads

IR = """
; one more at each index of the chunk
define void @increment(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {
entry:
  br label %loop
loop:
  %i = phi i64 [ %lo, %entry ], [ %i1, %loop ]
  %at = getelementptr i64, ptr %ctx, i64 %i
  %old = load i64, ptr %at
  %new = add i64 %old, 1
  store i64 %new, ptr %at
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %hi
  br i1 %more, label %loop, label %exit
exit:
  ret void
}

; writes hi - lo at lo, and takes a few microseconds about it
define void @chunk_size(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {
entry:
  %at = getelementptr i64, ptr %ctx, i64 %lo
  %size = sub i64 %hi, %lo
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i1, %loop ]
  store volatile i64 %size, ptr %at
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, 5000
  br i1 %more, label %loop, label %exit
exit:
  ret void
}

; writes the thread's number at each chunk's place, after a while
define void @who(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {
entry:
  %at = getelementptr i64, ptr %ctx, i64 %lo
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i1, %loop ]
  store volatile i64 %id, ptr %at
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, 400000
  br i1 %more, label %loop, label %exit
exit:
  ret void
}

; takes its time on every thread but the caller's, and only then writes
define void @slow_helper(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {
entry:
  %at = getelementptr i64, ptr %ctx, i64 %lo
  %helper = icmp ne i64 %id, 0
  %times = select i1 %helper, i64 1000000, i64 50000
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i1, %loop ]
  store volatile i64 0, ptr %at
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %times
  br i1 %more, label %loop, label %exit
exit:
  store i64 1, ptr %at
  ret void
}

; adds to a counter of the thread's own, with no atomics: two threads of one number would lose some
define void @tally(ptr %ctx, i64 %lo, i64 %hi, i64 %id) {
  %offset = shl i64 %id, 3
  %at = getelementptr i64, ptr %ctx, i64 %offset
  %size = sub i64 %hi, %lo
  %old = load volatile i64, ptr %at
  %new = add i64 %old, %size
  store volatile i64 %new, ptr %at
  ret void
}

; %job: parallel, pool, fn, ctx, n, grain.  A chunk of a job that runs a job.
define void @nested(ptr %job, i64 %lo, i64 %hi, i64 %id) {
  %p1 = getelementptr ptr, ptr %job, i64 1
  %p2 = getelementptr ptr, ptr %job, i64 2
  %p3 = getelementptr ptr, ptr %job, i64 3
  %p4 = getelementptr ptr, ptr %job, i64 4
  %parallel = load ptr, ptr %job
  %pool = load ptr, ptr %p1
  %fn = load ptr, ptr %p2
  %ctx = load ptr, ptr %p3
  %row = load i64, ptr %p4
  %first = mul i64 %lo, %row
  %at = getelementptr i64, ptr %ctx, i64 %first
  call void %parallel(ptr %pool, ptr %fn, ptr %at, i64 %row, i64 3)
  ret void
}

define void @repeat(ptr %parallel, ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %grain, i64 %times) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i1, %loop ]
  call void %parallel(ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %grain)
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %times
  br i1 %more, label %loop, label %exit
exit:
  ret void
}
"""

NAMES = ("increment", "chunk_size", "who", "slow_helper", "tally", "nested", "repeat")


@lru_cache(maxsize=1)
def functions() -> dict[str, int]:
    return native.load(IR, NAMES)


def parallel(name: str, ctx: np.ndarray, n: int, grain: int) -> None:
    """One call of ``fb_parallel`` from this Python thread."""
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)(
        threads.parallel_address()
    )
    call(threads.pool_address(), functions()[name], ctx.ctypes.data, n, grain)


def repeat(name: str, ctx: np.ndarray, n: int, grain: int, times: int) -> None:
    """``times`` calls of ``fb_parallel``, back to back in native code."""
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, *[ctypes.c_int64] * 3)(
        functions()["repeat"]
    )
    parallel_address = threads.parallel_address()
    pool = threads.pool_address()
    call(parallel_address, pool, functions()[name], ctx.ctypes.data, n, grain, times)
