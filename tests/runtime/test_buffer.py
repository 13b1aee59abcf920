"""Buffers: aligned, reused, alive as long as anybody looks at them."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from flambeau.core.config import config
from flambeau.runtime import buffer, pages
from flambeau.runtime.buffer import LARGE, Buffer, Pool

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZES = [0, 1, 63, 64, 65, 1000, 1024, 1025, 4096, 5000, 100_000, LARGE - 1, LARGE, 3_000_001]


@pytest.mark.parametrize("nbytes", SIZES)
def test_aligned_and_writable_to_the_end(nbytes):
    buffers = [Buffer(nbytes) for _ in range(3)]
    for number, each in enumerate(buffers):
        assert each.address % 64 == 0
        assert each.nbytes == nbytes
        assert each.owner is None
        assert not each.pinned
        each.numpy("uint8", (nbytes,)).fill(number + 1)
    for number, each in enumerate(buffers):
        assert (each.numpy("uint8", (nbytes,)) == number + 1).all()


def test_live_blocks_do_not_overlap():
    rng = np.random.default_rng(0)
    live: list[Buffer] = []
    for nbytes in rng.integers(0, 400_000, 600):
        live.append(Buffer(int(nbytes)))
        if len(live) > 40:
            live.pop(int(rng.integers(0, 40)))
        spans = sorted((each.address, each.address + each.nbytes) for each in live)
        for (_, end), (start, _) in itertools.pairwise(spans):
            assert end <= start


@pytest.mark.parametrize("nbytes", [64, 5000, LARGE, 10_000_000])
def test_a_freed_block_is_used_again(nbytes):
    first = Buffer(nbytes)
    address = first.address
    del first
    second = Buffer(nbytes - 7)
    assert second.address == address


def test_slack_is_at_most_an_eighth():
    for nbytes in list(range(1, 5000, 7)) + [2**k + 1 for k in range(12, 33)]:
        before = buffer.statistics().allocated
        held = Buffer(nbytes)
        taken = buffer.statistics().allocated - before
        assert nbytes <= taken <= max(nbytes + 63, nbytes * 9 / 8)
        del held


def test_statistics():
    buffer.reset_peak()
    before = buffer.statistics()
    one = Buffer(1 << 20)
    two = Buffer(1 << 20)
    during = buffer.statistics()
    assert during.allocated == before.allocated + (2 << 20)
    del one, two
    after = buffer.statistics()
    assert after.allocated == before.allocated
    assert after.peak == during.allocated
    assert after.reserved >= during.allocated


def test_trim_returns_pages():
    held = [Buffer(8 << 20) for _ in range(4)]
    del held
    before = buffer.statistics().reserved
    assert buffer.trim() >= 32 << 20
    assert buffer.statistics().reserved <= before - (32 << 20)
    assert Buffer(8 << 20).address


def test_retention_is_bounded():
    pool = Pool(limit=4 << 20)
    blocks = []
    for _ in range(10):
        blocks.append(Buffer(1 << 20, pool))
    addresses = [each.address for each in blocks]
    for each in blocks:
        each._size = 0
    for address in addresses:
        pool.give(address, 1 << 20)
    assert pool.allocated == 0
    assert pool.reserved <= 4 << 20
    assert pool.peak == 10 << 20


def test_negative_size():
    with pytest.raises(ValueError, match="must not be negative"):
        Buffer(-1)


def test_out_of_memory_says_what_was_asked():
    with pytest.raises(MemoryError, match=r"cannot allocate \d+ bytes \(.*GiB\)"):
        Buffer(1 << 52)
    assert Buffer(100).address


def test_out_of_memory_first_returns_what_is_kept(monkeypatch):
    kept = Buffer(40 << 20)
    del kept
    system = pages.map_memory
    refused = []

    def refuse_once(length):
        if not refused:
            refused.append(length)
            return 0
        return system(length)

    monkeypatch.setattr(pages, "map_memory", refuse_once)
    before = buffer.statistics().reserved
    held = Buffer(123 << 20)
    assert refused
    assert buffer.statistics().reserved <= before + held._size - (40 << 20)


def test_array_keeps_the_buffer_alive():
    held = Buffer(1 << 20)
    address = held.address
    array = held.numpy(np.float32, (256, 1024))
    array[...] = 7
    assert array.ctypes.data == address
    assert array.flags.writeable
    del held
    gc.collect()
    others = [Buffer(1 << 20) for _ in range(3)]
    assert address not in [each.address for each in others]
    view = array[3:5].T
    del array
    assert (view == 7).all()
    del view
    assert Buffer(1 << 20).address == address


def test_array_with_strides_and_offset():
    held = Buffer(1000)
    flat = held.numpy(np.int32, (250,))
    flat[:] = np.arange(250)
    part = held.numpy(np.int32, (3, 4), strides=(4, 40), offset=80)
    np.testing.assert_array_equal(part, 20 + np.arange(3)[:, None] + 10 * np.arange(4))
    broadcast = held.numpy(np.int32, (5, 2), strides=(0, 4))
    assert (broadcast == [0, 1]).all()
    scalar = held.numpy(np.int32, (), offset=996)
    assert scalar == 249
    with pytest.raises((ValueError, TypeError)):
        held.numpy(np.int32, (251,))
    with pytest.raises((ValueError, TypeError)):
        held.numpy(np.int32, (2,), offset=996)


def test_other_dtypes():
    import ml_dtypes

    held = Buffer(64)
    half = held.numpy(ml_dtypes.bfloat16, (32,))
    half[:] = 1.5
    assert (held.numpy(np.uint16, (32,)) == 0x3FC0).all()
    assert held.numpy(np.complex64, (2, 4)).shape == (2, 4)
    assert held.numpy(bool, (0,)).size == 0


def test_from_numpy_shares():
    array = np.arange(12, dtype=np.float64)
    shared = Buffer.from_numpy(array)
    assert shared.address == array.ctypes.data
    assert shared.nbytes == 96
    assert shared.owner is array
    assert shared.pinned
    shared.numpy(np.float64, (12,))[5] = -1
    assert array[5] == -1
    count = sys.getrefcount(array)
    del shared
    assert sys.getrefcount(array) == count - 1


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1],
        lambda a: a[:, ::-2],
        lambda a: a.T,
        lambda a: a[2:2],
        lambda a: a[1:3, 1:3],
        lambda a: np.broadcast_to(a[:1], (9, 5)),
    ],
)
def test_from_numpy_of_a_view_covers_it(view):
    array = view(np.arange(30, dtype=np.int32).reshape(6, 5))
    shared = Buffer.from_numpy(array)
    offset = array.__array_interface__["data"][0] - shared.address
    again = shared.numpy(array.dtype, array.shape, array.strides, offset)
    np.testing.assert_array_equal(again, array)


def test_read_only_stays_read_only():
    array = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    assert not Buffer.from_numpy(array).numpy(np.uint8, (16,)).flags.writeable


def test_many_threads():
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for turn in range(300):
            nbytes = int(rng.choice([64, 640, 5000, LARGE + 5]))
            held = Buffer(nbytes)
            array = held.numpy(np.uint8, (nbytes,))
            mark = (seed * 31 + turn) % 251
            array.fill(mark)
            if array[0] != mark or array[-1] != mark:
                failures.append((seed, turn))

    before = buffer.statistics().allocated
    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert buffer.statistics().allocated == before


def run(code, **environment):
    environ = {**os.environ, "PYTHONPATH": ROOT, **environment}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_gives_two_pools():
    code = """
import os
from flambeau.runtime.buffer import Buffer
held = Buffer(1 << 20)
array = held.numpy("uint8", (1 << 20,)); array[:] = 1
child = os.fork()
if child == 0:
    array[:] = 2
    others = [Buffer(n) for n in (100, 1 << 20, 1 << 22)]
    del held, array, others
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert (array == 1).all()
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_another_thread_allocates():
    code = """
import os, signal
from flambeau.runtime import buffer
buffer._pool._lock.acquire()
child = os.fork()
if child == 0:
    signal.alarm(5)
    buffer.Buffer(3 << 20)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_exit_with_live_buffers():
    done = run("from flambeau.runtime.buffer import Buffer\nx = [Buffer(n) for n in (1, 1 << 20)]")
    assert (done.returncode, done.stderr) == (0, "")


def test_guarded_blocks_work():
    with config(check={"guard"}):
        for nbytes in SIZES:
            held = Buffer(nbytes)
            assert held.address % 64 == 0
            held.numpy("uint8", (nbytes,)).fill(1)
            del held


GUARD = """
import ctypes
from flambeau.runtime.buffer import Buffer
held = Buffer({nbytes})
print("made", flush=True)
{act}
print("survived", flush=True)
"""


@pytest.mark.parametrize(
    ("nbytes", "act"),
    [
        (4096, "ctypes.memset(held.address + 4096, 1, 1)"),
        (64, "ctypes.string_at(held.address + 64, 1)"),
        (4096, "ctypes.memset(held.address - 1, 1, 1)"),
        (100, "ctypes.memset(held.address + 100, 1, 1); del held"),
        (100, "ctypes.memset(held.address - 1, 1, 1); del held"),
        (5000, "address = held.address; del held; ctypes.memset(address, 1, 1)"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_guard_stops_a_stray_access(nbytes, act):
    done = run(GUARD.format(nbytes=nbytes, act=act), FLAMBEAU_CHECK="guard")
    assert done.stdout == "made\n", done.stdout + done.stderr
    assert done.returncode < 0
