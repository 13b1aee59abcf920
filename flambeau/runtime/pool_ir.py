"""The native side of the thread pool, as LLVM IR text.

In: nothing but the platform.  Out: ``pool_ir()``, which defines ``fb_parallel``, ``fb_worker``,
``fb_resize`` and ``fb_spin`` and refers to no symbol outside itself: the addresses of the
platform's functions lie in the pool (``CALLS``).  Called by ``threads``, whose docstring has
the protocol.
"""

from __future__ import annotations

import sys

from flambeau.runtime import native

# Byte offsets in the pool.  Words that different threads write lie on lines of their own.
BUSY = 0
STATE = 128
NEXT = 256
JOB = 384
THREADS = 448
SPIN = 456
CALLS = 512
SLEEPERS = 640
CALLER = 648
WAITING = 704
MUTEX = 768
WORK = 896
DONE = 1024
BYTES = 1152

CPU_SET_BYTES = 1024
"""Room for 8192 processors in an affinity mask."""


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
        f"  %slot{index} = getelementptr i8, ptr %pool, i64 {CALLS + 8 * index}\n"
        f"  %function{index} = load ptr, ptr %slot{index}\n"
        f"  %result{index} = call {result} %function{index}({arguments})\n"
    )


# A scheduler that finds no idle processor near the waker puts the woken thread on the waker's own.
# Leaving that processor out of our mask for a moment makes the kernel move us at once.
_PLACEMENT_IR = f"""
define internal void @note_caller(ptr %pool) {{
{_field("caller", CALLER)}{_call(5, "i32", "")}
  store atomic i32 %result5, ptr %caller monotonic, align 8
  ret void
}}
define internal void @leave_caller(ptr %pool) noinline {{
entry:
  %mask = alloca [{CPU_SET_BYTES} x i8], align 64
{_field("caller", CALLER)}{_call(5, "i32", "")}
  %theirs = load atomic i32, ptr %caller monotonic, align 8
  %same = icmp eq i32 %theirs, %result5
  %known = icmp ult i32 %result5, {CPU_SET_BYTES * 8}
  %move = and i1 %same, %known
  br i1 %move, label %read, label %exit
read:
{_call(6, "i32", f"i32 0, i64 {CPU_SET_BYTES}, ptr %mask")}
  %ok = icmp eq i32 %result6, 0
  br i1 %ok, label %shift, label %exit
shift:
  ; the set is an array of unsigned long: 64 bits each on the targets that we have
  %cpu = zext i32 %result5 to i64
  %index = lshr i64 %cpu, 6
  %place = and i64 %cpu, 63
  %bit = shl i64 1, %place
  %kept = xor i64 %bit, -1
  %at = getelementptr i64, ptr %mask, i64 %index
  %full = load i64, ptr %at
  %less = and i64 %full, %kept
  store i64 %less, ptr %at
{_call(7, "i32", f"i32 0, i64 {CPU_SET_BYTES}, ptr %mask")}
  store i64 %full, ptr %at
  %back = call i32 %function7(i32 0, i64 {CPU_SET_BYTES}, ptr %mask)
  br label %exit
exit:
  ret void
}}
"""

_NO_PLACEMENT_IR = """
define internal void @note_caller(ptr %pool) {
  ret void
}
define internal void @leave_caller(ptr %pool) {
  ret void
}
"""


def _platform_ir() -> str:
    """Lock, unlock, wait and wake, over functions whose addresses lie in the pool."""
    mutex = _field("mutex", MUTEX)
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
    text = "\n".join(
        f"define internal void @{name}({parameters}) noinline {{\n{body}  ret void\n}}"
        for name, parameters, body in parts
    )
    return text + (_PLACEMENT_IR if sys.platform == "linux" else _NO_PLACEMENT_IR)


_CLAIM_IR = f"""
define internal void @claim(ptr %pool, ptr %fn, ptr %ctx, i64 %n, i64 %grain, i64 %id) {{
entry:
{_field("next", NEXT)}
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
{_field("busy", BUSY)}{_field("state", STATE)}{_field("next", NEXT)}{_field("job", JOB)}
{_field("threads", THREADS)}{_field("sleepers", SLEEPERS)}
{_field("work", WORK)}
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
  call void @note_caller(ptr %pool)
  %last = sub i64 %n, 1
  %helpers = udiv i64 %last, %grain
  ; through the lock, so that a worker that is about to wait does wait; but wake after it, or
  ; the woken one would run into the lock and sleep once more
  call void @lock(ptr %pool)
  call void @unlock(ptr %pool)
  %few = icmp slt i64 %helpers, %asleep
  br i1 %few, label %wake_some, label %wake_each
wake_each:
  call void @wake_all(ptr %pool, ptr %work)
  br label %run
wake_some:
  %left = phi i64 [ %helpers, %wake ], [ %less, %wake_some ]
  call void @wake_one(ptr %pool, ptr %work)
  %less = sub i64 %left, 1
  %again = icmp sgt i64 %less, 0
  br i1 %again, label %wake_some, label %run

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
{_field("state", STATE)}{_field("spin", SPIN)}{_field("waiting", WAITING)}
{_field("done", DONE)}
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
{_field("state", STATE)}{_field("next", NEXT)}{_field("job", JOB)}{_field("threads", THREADS)}
{_field("spin", SPIN)}{_field("sleepers", SLEEPERS)}{_field("waiting", WAITING)}
{_field("work", WORK)}{_field("done", DONE)}
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
  br i1 %fresh, label %changed, label %pause
changed:
  ; a job that came and went between two looks still says that more may follow: spin on
  br i1 %open, label %glance, label %late
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
  call void @leave_caller(ptr %pool)
  br label %top
exit:
  ret void
}}

define void @fb_resize(ptr %pool, i64 %count) {{
entry:
{_field("threads", THREADS)}{_field("work", WORK)}
  call void @lock(ptr %pool)
  store atomic i64 %count, ptr %threads seq_cst, align 8
  call void @wake_all(ptr %pool, ptr %work)
  call void @unlock(ptr %pool)
  ret void
}}

define void @fb_spin(ptr %pool, i64 %count) {{
entry:
{_field("state", STATE)}{_field("threads", THREADS)}
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
