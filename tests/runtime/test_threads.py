"""The thread pool: every index once, whatever else goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from . import native_functions as native
import numpy as np
import pytest

from flambeau.core.config import config
from flambeau.runtime import cpus, threads

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(autouse=True)
def restore_threads():
    before = config.num_threads
    yield
    config.num_threads = before
    threads.pool_address()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("n", [0, 1, 5, 64, 1000])
@pytest.mark.parametrize("grain", [-1, 1, 7, 1000])
def test_every_index_once(count, n, grain):
    threads.set_num_threads(count)
    marks = np.zeros(n + 8, dtype=np.int64)
    native.repeat("increment", marks, n, grain, 50)
    assert (marks[:n] == 50).all()
    assert (marks[n:] == 0).all()


def test_negative_range_is_empty():
    marks = np.zeros(4, dtype=np.int64)
    native.parallel("increment", marks, -3, 1)
    assert (marks == 0).all()


def test_chunks_do_not_depend_on_the_number_of_threads():
    cuts = []
    for count in (1, 2, 5):
        threads.set_num_threads(count)
        sizes = np.zeros(103, dtype=np.int64)
        native.parallel("chunk_size", sizes, 103, 10)
        cuts.append(sizes)
    expected = np.zeros(103, dtype=np.int64)
    expected[::10] = 10
    expected[100] = 3
    for sizes in cuts:
        np.testing.assert_array_equal(sizes, expected)


def test_workers_take_part():
    threads.set_num_threads(3)
    seen = set()
    for _ in range(50):
        numbers = np.full(12, -1, dtype=np.int64)
        native.parallel("who", numbers, 12, 1)
        assert set(numbers) <= {0, 1, 2}
        seen |= set(numbers.tolist())
        if len(seen) == 3:
            break
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("count", [2, 4])
def test_returns_when_the_last_worker_is_done(count):
    threads.set_num_threads(count)
    for _ in range(20):
        marks = np.zeros(12, dtype=np.int64)
        native.parallel("slow_helper", marks, 12, 1)
        assert (marks == 1).all()


@pytest.mark.parametrize("pause", [0.0, 0.0005])
def test_stress_from_spinning_and_from_sleep(pause):
    threads.set_num_threads(4)
    marks = np.zeros(300, dtype=np.int64)
    rounds = 200 if pause else 20
    for _ in range(rounds):
        native.repeat("increment", marks, 300, 7, 1 if pause else 200)
        if pause:
            time.sleep(pause)
    assert (marks == rounds * (1 if pause else 200)).all()


def test_thread_numbers_are_not_shared():
    threads.set_num_threads(4)
    tallies = np.zeros((4, 8), dtype=np.int64)
    native.repeat("tally", tallies, 1000, 3, 2000)
    assert tallies.sum() == 2_000_000


def test_two_python_threads_at_once():
    threads.set_num_threads(3)
    arrays = [np.zeros(500, dtype=np.int64) for _ in range(4)]

    def work(marks):
        for _ in range(20):
            native.repeat("increment", marks, 500, 9, 100)

    callers = [threading.Thread(target=work, args=(marks,)) for marks in arrays]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
        assert not caller.is_alive()
    for marks in arrays:
        assert (marks == 2000).all()


def test_nested_call_runs_in_its_caller():
    threads.set_num_threads(3)
    rows, row = 20, 30
    marks = np.zeros((rows, row), dtype=np.int64)
    job = np.array(
        [
            threads.parallel_address(),
            threads.pool_address(),
            native.functions()["increment"],
            marks.ctypes.data,
            row,
        ],
        dtype=np.int64,
    )
    native.repeat("nested", job, rows, 1, 500)
    assert (marks == 500).all()


def test_set_num_threads_changes_the_workers():
    def workers():
        return [t for t in threading.enumerate() if t.name.startswith("flambeau-worker")]

    address = threads.pool_address()
    for count in (4, 1, 3, 2, 6, 1, 2):
        threads.set_num_threads(count)
        assert threads.get_num_threads() == count
        assert len(workers()) == count - 1
        assert threads.pool_address() == address
        tallies = np.zeros((6, 8), dtype=np.int64)
        native.repeat("tally", tallies, 100, 1, 100)
        assert tallies.sum() == 10_000
        assert (tallies[count:] == 0).all()


def test_config_sets_the_threads_for_a_block():
    threads.set_num_threads(3)
    with config(num_threads=1):
        threads.pool_address()
        numbers = np.full(8, -1, dtype=np.int64)
        native.parallel("who", numbers, 8, 1)
        assert (numbers == 0).all()
    assert threads.get_num_threads() == 3


def test_resizing_while_another_thread_works():
    threads.set_num_threads(3)
    marks = np.zeros(200, dtype=np.int64)
    stop = threading.Event()
    calls = 0

    def work():
        nonlocal calls
        while not stop.is_set():
            native.repeat("increment", marks, 200, 3, 20)
            calls += 20

    caller = threading.Thread(target=work)
    caller.start()
    for count in [1, 4, 2, 5] * 5:
        config.num_threads = count
        threads.pool_address()
    stop.set()
    caller.join(10)
    assert not caller.is_alive()
    assert (marks == calls).all()


@pytest.mark.parametrize(
    ("value", "error"), [(0, RuntimeError), (-2, RuntimeError), (1.5, TypeError), (True, TypeError)]
)
def test_bad_counts(value, error):
    with pytest.raises(error, match="set_num_threads expects"):
        threads.set_num_threads(value)


def run_python(code, **environment):
    """Run ``code`` in a fresh interpreter, with the test functions at hand."""
    environ = {**os.environ, **environment}
    environ["PYTHONPATH"] = os.pathsep.join([os.path.dirname(os.path.dirname(HERE)), HERE])
    prelude = (
        "import os, sys, threading, time, numpy as np, native_functions as native\n"
        "from flambeau.runtime import threads\n"
        "marks = np.zeros(100, dtype=np.int64)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", prelude + code],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_the_pool_is_busy():
    code = """
threads.set_num_threads(3)
old_pool = threads.pool_address()
go = True
def work():
    other = np.zeros(100, dtype=np.int64)
    while go:
        native.repeat("increment", other, 100, 1, 100)
thread = threading.Thread(target=work)
thread.start()
for _ in range(10):
    child = os.fork()
    if child == 0:
        # serial before the pool is asked for again, and with workers after
        native.parallel("increment", marks, 100, 1)
        names = [t.name for t in threading.enumerate() if "flambeau" in t.name]
        good = threads.pool_address() == old_pool and len(names) == 2
        native.repeat("increment", marks, 100, 1, 99)
        os._exit(0 if good and (marks == 100).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
go = False
thread.join()
native.repeat("increment", marks, 100, 1, 100)
assert (marks == 100).all()
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_another_thread_compiles():
    code = """
import signal
from flambeau.runtime import native as loader
go = True
def work():
    while go:
        loader._compile(native.IR)
        time.sleep(0.001)         # the lock is not fair: let the fork have it
thread = threading.Thread(target=work)
thread.start()
for _ in range(10):
    time.sleep(0.003)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        loader._compile(native.IR)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
go = False
thread.join()
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit(0)",
        "import atexit; atexit.register(native.repeat, 'increment', marks, 100, 1, 10)",
        "os._exit(0)",
        "import gc; del marks; gc.collect()",
    ],
)
def test_exit_is_clean(ending):
    code = f"threads.set_num_threads(4)\nnative.repeat('increment', marks, 100, 1, 1000)\n{ending}"
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_pool_first_asked_for_at_exit():
    code = "import atexit\natexit.register(native.repeat, 'increment', marks, 100, 1, 10)"
    done = run_python(code, FLAMBEAU_NUM_THREADS="3")
    assert done.returncode == 0, done.stderr


def test_environment_sets_the_number():
    done = run_python("print(threads.get_num_threads())", FLAMBEAU_NUM_THREADS="5")
    assert done.stdout.strip() == "5", done.stderr


def test_second_start_compiles_nothing(tmp_path):
    code = (
        "from flambeau.runtime import cache\nthreads.pool_address()\n"
        "print(cache.statistics()['hits'], cache.statistics()['stores'])"
    )
    environment = {"FLAMBEAU_CACHE": str(tmp_path)}
    first = run_python(code, **environment)
    second = run_python(code, **environment)
    assert first.stdout.split() == ["0", "1"], first.stderr
    assert second.stdout.split() == ["1", "0"], second.stderr


@pytest.mark.parametrize(
    ("files", "membership", "expected"),
    [
        ({}, "0::/\n", float("inf")),
        ({"cpu.max": "max 100000"}, "0::/\n", float("inf")),
        ({"cpu.max": "150000 100000"}, "0::/\n", 1.5),
        ({"cpu.max": "400000 100000", "a/cpu.max": "max 100000", "a/b/cpu.max": "200000 100000"},
         "0::/a/b\n", 2.0),
        ({"a/cpu.max": "100000 100000", "a/b/cpu.max": "200000 100000"}, "0::/a/b\n", 1.0),
        ({"cpu.max": "300000 100000"}, "0::/a/path/of/the/host\n", 3.0),
        ({"cpu,cpuacct/x/cpu.cfs_quota_us": "250000", "cpu,cpuacct/x/cpu.cfs_period_us": "100000"},
         "4:memory:/x\n3:cpu,cpuacct:/x\n", 2.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "1:cpu:/\n",
         float("inf")),
        ({"cpu.max": "nonsense"}, "garbage\n", float("inf")),
    ],
)  # fmt: skip
def test_cgroup_quota(tmp_path, files, membership, expected):
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (tmp_path / "membership").write_text(membership)
    found = cpus._cgroup_quota(str(tmp_path / "root"), str(tmp_path / "membership"))
    assert found == expected


def test_default_is_within_the_affinity_mask():
    assert 1 <= cpus.default_num_threads() <= len(cpus.available_cpus())
