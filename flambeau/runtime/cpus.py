"""How many threads a program should use: the affinity mask, the cores, the cgroup's quota.

In: the operating system.  Out: numbers by which ``threads`` sizes its pool.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache


def available_cpus() -> set[int]:
    """The logical processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _physical_cores(cpus: set[int]) -> int:
    """How many cores ``cpus`` are: two hyperthreads share the vector units of one core."""
    cores = set()
    for cpu in cpus:
        path = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        text = read_small(path)
        cores.add(text if text else f"cpu {cpu}")
    return len(cores)


def read_small(path: str) -> str:
    """The text of a small file, or nothing."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _quota_of(folder: str) -> float:
    """The processors that one cgroup folder allows, version 2 or 1; infinity for no limit."""
    words = read_small(os.path.join(folder, "cpu.max")).split()
    if not words:
        quota = read_small(os.path.join(folder, "cpu.cfs_quota_us"))
        period = read_small(os.path.join(folder, "cpu.cfs_period_us"))
        words = [quota, period] if quota and period else []
    try:
        limit, interval = (float(word) for word in words)
    except ValueError:
        return math.inf
    return limit / interval if limit > 0 and interval > 0 else math.inf


def _cgroup_quota(root: str = "/sys/fs/cgroup", membership: str = "/proc/self/cgroup") -> float:
    """The processors that the cgroup of this process, and those above it, allow."""
    quota = math.inf
    for line in read_small(membership).splitlines():
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
    cores = _physical_cores(available_cpus())
    quota = _cgroup_quota()
    allowed = cores if quota == math.inf else math.ceil(quota)
    return max(1, min(cores, allowed))
