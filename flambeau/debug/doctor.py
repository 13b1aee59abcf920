"""``python -m flambeau doctor`` and ``cache``: this machine as flambeau sees it.

In: `runtime/machine`, `runtime/cache`. Out: a page of text, a fact a line.

    processor    znver5
    vector       64 bytes
    peak         266 GFLOP/s on one thread, 532 on 2 (float32 multiply-adds, measured)
"""
from __future__ import annotations

import platform
import sys
import textwrap

import llvmlite
import llvmlite.binding as llvm
import ml_dtypes
import numpy as np

from flambeau.core.config import config
from flambeau.core.version import VERSION
from flambeau.runtime import cache, machine, threads

_COLUMN = 13


def _print(facts: dict[str, str]) -> None:
    for name, value in facts.items():
        lines = textwrap.wrap(value, 96 - _COLUMN, break_long_words=False) or [""]
        print(f"{name:{_COLUMN}}{lines[0]}")
        for line in lines[1:]:
            print(f"{'':{_COLUMN}}{line}")


def versions() -> dict[str, str]:
    """What flambeau stands on."""
    numbers = ".".join(map(str, llvm.llvm_version_info))
    return {
        "flambeau": VERSION,
        "python": f"{platform.python_version()} ({platform.python_implementation()}) "
        f"on {platform.system()} {platform.release()}",
        "packages": f"numpy {np.__version__}, llvmlite {llvmlite.__version__} (LLVM {numbers}), "
        f"ml_dtypes {ml_dtypes.__version__}",
    }


def measurements() -> dict[str, str]:
    """What the processor and the memory reach; takes about a second."""
    peak = machine.measure_peak()
    bandwidth = machine.measure_bandwidth()
    count = threads.get_num_threads()
    several = f", {peak.all_threads:.0f} on {count}" if count > 1 else ""
    return {
        "peak": f"{peak.one_thread:.0f} GFLOP/s on one thread{several} "
        "(float32 multiply-adds, measured)",
        "memory": f"{bandwidth:.1f} GB/s read and written on {count} "
        f"thread{'s' * (count > 1)} (measured)",
    }


def disk_cache() -> dict[str, str]:
    """Where compiled code is kept and how much of it there is."""
    current = cache.current()
    if current.directory is None:
        return {"location": "off (FLAMBEAU_CACHE=0, or no home directory)"}
    entries, nbytes = current.usage()
    facts = {
        "location": current.directory,
        "content": f"{entries:,} entries, {nbytes / 1e6:.1f} MB of at most "
        f"{current.max_bytes / 1e6:,.0f} MB",
    }
    if current.statistics.disabled:
        facts["trouble"] = current.statistics.disabled
    return facts


def main(arguments: list[str]) -> int:
    """``doctor``: print everything; 0 if what flambeau needs is there."""
    if arguments:
        print("usage: python -m flambeau doctor", file=sys.stderr)
        return 2
    _print(versions())
    facts = machine.description()
    facts.pop("disk cache", None)
    _print(facts)
    _print(measurements())
    _print({"disk cache": "; ".join(disk_cache().values())})
    settings = {"show": config.show, "check": config.check, "eager": config.eager}
    changed = ", ".join(f"{name}={value}" for name, value in settings.items() if value)
    _print({"settings": changed or "as they come"})
    return 0


def cache_main(arguments: list[str]) -> int:
    """``cache``: print where it is and its size; ``cache clear`` empties it."""
    if arguments == ["clear"]:
        print(f"{cache.current().clear():,} files removed")
        return 0
    if arguments:
        print("usage: python -m flambeau cache [clear]", file=sys.stderr)
        return 2
    _print(disk_cache())
    return 0
