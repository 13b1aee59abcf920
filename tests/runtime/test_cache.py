"""The disk cache: right bytes or none, whatever happens to the files."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from flambeau.core.config import config
from flambeau.runtime import cache
from flambeau.runtime.cache import DiskCache

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")


@pytest.fixture
def disk(tmp_path):
    return DiskCache(str(tmp_path / "objects"))


def entries(disk):
    return sorted(os.path.join(disk.directory, name) for name in os.listdir(disk.directory))


def test_round_trip(disk):
    assert disk.load("key") is None
    disk.store("key", b"payload")
    disk.store("empty", b"")
    assert disk.load("key") == b"payload"
    assert disk.load("empty") == b""
    assert disk.load("another key") is None
    assert DiskCache(disk.directory).load("key") == b"payload"
    counts = disk.statistics
    assert (counts.hits, counts.misses, counts.stores, counts.errors) == (2, 2, 2, 0)


def test_last_writer_wins(disk):
    disk.store("key", b"first")
    disk.store("key", b"second")
    assert disk.load("key") == b"second"
    assert len(entries(disk)) == 1


@pytest.mark.parametrize("where", [0, 20, 60, 85, 200, -1])
def test_one_flipped_bit_is_a_miss(disk, where):
    disk.store("key", bytes(range(256)))
    (path,) = entries(disk)
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[where] ^= 1
    with open(path, "wb") as file:
        file.write(content)
    assert disk.load("key") is None
    assert disk.statistics.corrupt == 1
    assert entries(disk) == []
    disk.store("key", b"again")
    assert disk.load("key") == b"again"


@pytest.mark.parametrize("length", [0, 1, 87, 88, 100, 343])
def test_a_truncated_file_is_a_miss(disk, length):
    disk.store("key", bytes(256))
    (path,) = entries(disk)
    os.truncate(path, length)
    assert disk.load("key") is None
    assert entries(disk) == []


def test_a_file_of_another_key_is_a_miss(disk):
    disk.store("key", b"one")
    (path,) = entries(disk)
    disk.store("other", b"two")
    (other,) = set(entries(disk)) - {path}
    os.replace(other, path)
    assert disk.load("key") is None
    assert not os.path.exists(path)


def test_the_machine_is_part_of_the_key(disk, monkeypatch):
    disk.store("key", b"here")
    monkeypatch.setattr(cache, "fingerprint", lambda: "another machine")
    assert disk.load("key") is None
    monkeypatch.undo()
    assert disk.load("key") == b"here"


def test_fingerprint_names_what_code_depends_on():
    import llvmlite.binding as llvm

    text = cache.fingerprint()
    assert llvm.get_host_cpu_name() in text
    assert llvm.get_process_triple() in text
    assert ".".join(map(str, llvm.llvm_version_info)) in text
    assert f"{sys.version_info.major}.{sys.version_info.minor}." not in text.split(";")[0]


def test_eviction_takes_the_least_recently_used(tmp_path):
    disk = DiskCache(str(tmp_path / "objects"), max_bytes=10_000)
    disk._stores_until_scan = 1000
    disk._bytes_until_scan = 1_000_000
    now = time.time()
    for number in range(20):
        before = set(os.listdir(disk.directory)) if number else set()
        disk.store(f"key {number}", bytes(1000))
        (name,) = set(os.listdir(disk.directory)) - before
        age = 20_000 - 100 * number
        os.utime(os.path.join(disk.directory, name), (now - age, now - age))
    # Used again just now: the oldest entry must survive.
    assert disk.load("key 0") == bytes(1000)
    disk.evict()
    assert disk.usage()[1] <= 10_000 * 3 // 4
    assert disk.load("key 0") is not None
    assert disk.load("key 19") is not None
    assert disk.load("key 1") is None


def test_the_bound_holds_without_asking(tmp_path):
    disk = DiskCache(str(tmp_path / "objects"), max_bytes=20_000)
    for number in range(200):
        disk.store(f"key {number}", bytes(500))
    assert disk.usage()[1] <= 20_000 + 20_000 // 16 + 600
    assert disk.statistics.evicted > 0


def test_stores_do_not_list_the_directory(disk, monkeypatch):
    disk._stores_until_scan = 256
    scans = []
    scan = DiskCache._scan
    monkeypatch.setattr(DiskCache, "_scan", lambda self: scans.append(1) or scan(self))
    for number in range(200):
        disk.store(f"key {number}", b"small")
    assert scans == []


def test_old_left_overs_are_swept(disk):
    disk.store("key", b"payload")
    old = os.path.join(disk.directory, "x.o.1.2.tmp")
    new = os.path.join(disk.directory, "y.o.1.2.tmp")
    for path in (old, new):
        with open(path, "wb") as file:
            file.write(b"half")
    os.utime(old, (1, 1))
    disk.evict()
    assert not os.path.exists(old)
    assert os.path.exists(new)


def test_clear_and_usage(disk):
    for number in range(5):
        disk.store(f"key {number}", bytes(100))
    count, size = disk.usage()
    assert count == 5
    assert size > 500
    assert disk.clear() == 5
    assert disk.usage() == (0, 0)
    assert disk.load("key 0") is None


def test_directory_removed_meanwhile(disk):
    disk.store("key", b"payload")
    disk.clear()
    os.rmdir(disk.directory)
    assert disk.load("key") is None
    disk.store("key", b"lost")
    disk.store("key", b"back")
    assert disk.load("key") == b"back"


@posix
def test_directory_is_private(disk):
    disk.store("key", b"payload")
    assert os.stat(disk.directory).st_mode & 0o777 == 0o700
    assert os.stat(entries(disk)[0]).st_mode & 0o777 == 0o600


@posix
def test_a_directory_that_others_can_write_is_not_trusted(tmp_path):
    directory = tmp_path / "objects"
    DiskCache(str(directory)).store("key", b"payload")
    directory.chmod(0o777)
    disk = DiskCache(str(directory))
    assert disk.load("key") is None
    assert "other users" in disk.statistics.disabled


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_cannot_be_written(disk, monkeypatch, number):
    disk.store("key", b"payload")

    def fail(*_arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    disk.store("other", b"payload")
    assert disk.statistics.errors == 1
    if os.name != "nt":
        assert disk.statistics.disabled
    assert not [name for name in os.listdir(disk.directory) if name.endswith(".tmp")]
    disk.store("third", b"payload")


def test_directory_is_a_file(tmp_path):
    (tmp_path / "objects").write_text("in the way")
    disk = DiskCache(str(tmp_path / "objects"))
    assert disk.load("key") is None
    for _ in range(20):
        disk.store("key", b"payload")
    assert disk.load("key") is None
    assert disk.statistics.disabled


def test_switched_off():
    disk = DiskCache(None)
    disk.store("key", b"payload")
    assert disk.load("key") is None
    assert disk.statistics.disabled == "switched off"
    assert disk.usage() == (0, 0)
    assert disk.clear() == 0


def test_module_functions_follow_the_setting(tmp_path):
    with config(cache_dir=str(tmp_path / "a")):
        cache.store("key", b"a")
        assert cache.load("key") == b"a"
        assert cache.statistics()["hits"] == 1
        with config(cache_dir=str(tmp_path / "b")):
            assert cache.load("key") is None
        with config(cache_dir=None):
            cache.store("key", b"nowhere")
            assert cache.load("key") is None
        assert cache.load("key") == b"a"


RACE = """
import hashlib, sys
from flambeau.runtime.cache import DiskCache
disk = DiskCache(sys.argv[1], max_bytes=150_000)
wrong = 0
for turn in range(60):
    for number in range(12):
        key = f"key {number}"
        expected = hashlib.sha256(key.encode()).digest() * (20 * number + 1)
        found = disk.load(key)
        wrong += found not in (None, expected)
        if found is None or (turn + number) % 3 == 0:
            disk.store(key, expected)
        if turn % 20 == 19:
            disk.evict()
counts = disk.statistics
print(wrong, counts.corrupt, counts.errors, counts.hits > 0, repr(counts.disabled))
"""


def start(code, *arguments):
    environ = {**os.environ, "PYTHONPATH": ROOT}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@posix
def test_eight_processes_at_once(tmp_path):
    racers = [start(RACE, str(tmp_path / "objects")) for _ in range(8)]
    for racer in racers:
        out, err = racer.communicate(timeout=60)
        assert out.split() == ["0", "0", "0", "True", "''"], out + err


STORE_FOREVER = """
import sys
from flambeau.runtime.cache import DiskCache
disk = DiskCache(sys.argv[1])
disk.store("first", b"the first store imports LLVM for the fingerprint")
print("ready", flush=True)
number = 0
while True:
    disk.store(f"key {number % 4}", bytes([number % 4]) * 300_000)
    number += 1
"""


@posix
def test_a_writer_killed_at_any_moment(tmp_path):
    directory = str(tmp_path / "objects")
    for turn in range(5):
        writer = start(STORE_FOREVER, directory)
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.007 * turn)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        writer.stderr.close()
        disk = DiskCache(directory)
        for number in range(4):
            assert disk.load(f"key {number}") in (None, bytes([number]) * 300_000)
        assert disk.statistics.corrupt == 0
    assert disk.usage()[0] > 0


def test_a_full_directory_is_looked_through_seldom(disk, monkeypatch):
    monkeypatch.setattr(cache, "_STORES_PER_SCAN", 2)
    for i in range(80):
        disk.store(f"key {i}", b"payload")
    disk.evict()
    assert disk._stores_until_scan == 80 // cache._LOOKS_PER_STORE


def test_the_programs_random_numbers_are_left_alone(tmp_path):
    before = random.getstate()
    DiskCache(str(tmp_path / "objects"))
    assert random.getstate() == before
