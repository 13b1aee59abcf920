"""Pages from the operating system: map, unmap, forbid.

In: lengths in bytes.  Out: addresses as integers, 0 where the system has no more.  Called by
``buffer``.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys

PAGE = mmap.PAGESIZE
HUGE = 1 << 21
"""What a huge page is on x86-64 and on AArch64 with pages of 4 KB."""

_MADV_HUGEPAGE = getattr(mmap, "MADV_HUGEPAGE", None)

if sys.platform == "win32":
    _COMMIT_AND_RESERVE = 0x3000
    _READ_WRITE = 0x04
    _NO_ACCESS = 0x01
    _RELEASE = 0x8000
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.VirtualAlloc.restype = ctypes.c_void_p
    _kernel.VirtualAlloc.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_uint32,
        ctypes.c_uint32,
    )
    _kernel.VirtualFree.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32)
    _kernel.VirtualProtect.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_uint32,
        ctypes.c_void_p,
    )

    def map_memory(length: int) -> int:
        """The address of ``length`` fresh zero bytes, page-aligned, or 0."""
        return _kernel.VirtualAlloc(None, length, _COMMIT_AND_RESERVE, _READ_WRITE) or 0

    def unmap(address: int, length: int) -> None:
        """Return what ``map_memory(length)`` gave."""
        _kernel.VirtualFree(address, 0, _RELEASE)

    def forbid(address: int, length: int) -> None:
        """Make whole pages inaccessible."""
        before = ctypes.c_uint32()
        _kernel.VirtualProtect(address, length, _NO_ACCESS, ctypes.byref(before))

    def memory_bytes() -> int:
        """The memory of the machine in bytes."""
        kilobytes = ctypes.c_uint64()
        _kernel.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
        return kilobytes.value * 1024 or 1 << 32

else:
    _libc = ctypes.CDLL(None)
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    )
    _libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    _libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    _libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    _FAILED = ctypes.c_void_p(-1).value
    _ACCESS = mmap.PROT_READ | mmap.PROT_WRITE
    _KIND = mmap.MAP_PRIVATE | mmap.MAP_ANON

    def _map(length: int) -> int:
        address = _libc.mmap(None, length, _ACCESS, _KIND, -1, 0)
        return 0 if address == _FAILED else address

    def map_memory(length: int) -> int:
        """The address of ``length`` fresh zero bytes, page-aligned, or 0.

        From ``HUGE`` bytes on it is aligned to a huge page and the system is asked for them.
        """
        length = _whole_pages(length)
        if length < HUGE or _MADV_HUGEPAGE is None:
            return _map(length)
        address = _map(length + HUGE)
        if not address:
            return 0
        start = (address + HUGE - 1) // HUGE * HUGE
        if start > address:
            _libc.munmap(address, start - address)
        end = start + length
        if end < address + length + HUGE:
            _libc.munmap(end, address + length + HUGE - end)
        _libc.madvise(start, length, _MADV_HUGEPAGE)
        return start

    def unmap(address: int, length: int) -> None:
        """Return what ``map_memory(length)`` gave."""
        _libc.munmap(address, _whole_pages(length))

    def forbid(address: int, length: int) -> None:
        """Make whole pages inaccessible."""
        _libc.mprotect(address, length, 0)

    def memory_bytes() -> int:
        """The memory that this process may use, in bytes: the machine's, or its cgroup's."""
        try:
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (ValueError, OSError):
            total = 1 << 32
        for path in (
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ):
            try:
                with open(path, encoding="ascii") as file:
                    total = min(total, int(file.read()))
            except (OSError, ValueError):
                continue
        return total


def _whole_pages(length: int) -> int:
    return (length + PAGE - 1) // PAGE * PAGE


def fill(address: int, length: int, value: int) -> None:
    """Set each of ``length`` bytes to ``value``."""
    ctypes.memset(address, value, length)


def read(address: int, length: int) -> bytes:
    """A copy of ``length`` bytes."""
    return ctypes.string_at(address, length)
