"""The disk cache of object code.

In: a key (any text that determines the code: usually the IR) and bytes.  Out: the same bytes in
this or a later process, or None.  Called by ``codegen`` and ``runtime/native.py``::

    code = cache.load(ir)
    if code is None:
        code = compile(ir)
        cache.store(ir, code)

The fingerprint of the machine and of the compiler is part of every key, so a directory shared by
two machines holds both.  Nothing here raises for trouble with a disk: a cache that cannot be used
is counted and switched off, and the program goes on compiling.

An entry is a file: magic, SHA-256 of key, SHA-256 of payload, length of payload, payload.
It is written beside its name and renamed, so a reader sees a whole file or none.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import stat
import struct
import threading
import time
from dataclasses import asdict, dataclass
from functools import lru_cache

from flambeau.core.config import config
from flambeau.core.version import VERSION

MAX_BYTES = 1 << 30
"""The directory is cut back to 3/4 of this, least recently used first, when it grows over it."""

_MAGIC = b"flambeau-object\x01"
_HEADER = struct.Struct("<16s32s32sQ")
_SUFFIX = ".o"
_TEMPORARY = ".tmp"
_STORES_PER_SCAN = 256
_LOOKS_PER_STORE = 8
_FIRST_SCAN_ODDS = 16
_TOUCH_SECONDS = 3600.0
_STALE_SECONDS = 3600.0
# Trouble that will not pass within this process: stop trying.
_LASTING = frozenset(
    {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.ENOTDIR}
)


@dataclass(slots=True)
class Statistics:
    """What the cache of this process has done so far."""

    hits: int = 0
    misses: int = 0
    stores: int = 0
    corrupt: int = 0
    evicted: int = 0
    errors: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    disabled: str = ""


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """What object code depends on besides its source: flambeau, LLVM, and this processor."""
    import llvmlite
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features().flatten()
    return ";".join(
        (
            f"flambeau {VERSION}",
            f"llvmlite {llvmlite.__version__}",
            f"llvm {'.'.join(map(str, llvm.llvm_version_info))}",
            llvm.get_process_triple(),
            llvm.get_host_cpu_name(),
            ",".join(sorted(features.split(","))),
        )
    )


class DiskCache:
    """One directory of entries.  Safe with many threads and many processes at once."""

    def __init__(self, directory: str | None, max_bytes: int = MAX_BYTES) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.statistics = Statistics()
        self._ready = False
        self._bytes_until_scan = max_bytes // 16
        self._stores_until_scan = _STORES_PER_SCAN
        # A generator of its own: the program's `random` numbers are none of ours to take.
        if random.Random().randrange(_FIRST_SCAN_ODDS) == 0:
            # Many short processes, none of which stores much, must not outgrow the bound.
            self._stores_until_scan = 1
        if directory is None:
            self._disable("switched off")

    def load(self, key: str) -> bytes | None:
        """The bytes stored under ``key``, or None."""
        if self.statistics.disabled:
            return None
        digest = _key_digest(key)
        try:
            if not self._prepare(create=False):
                self.statistics.misses += 1
                return None
            path = self._path(digest)
            with open(path, "rb") as file:
                content = file.read()
                age = time.time() - os.fstat(file.fileno()).st_mtime
            payload = _payload(content, digest)
            if payload is None:
                self.statistics.corrupt += 1
                self.statistics.misses += 1
                os.unlink(path)
                return None
            if age > _TOUCH_SECONDS:
                os.utime(path)
        except FileNotFoundError:
            self.statistics.misses += 1
            return None
        except (OSError, MemoryError) as error:
            self.statistics.misses += 1
            self._trouble(error)
            return None
        self.statistics.hits += 1
        self.statistics.bytes_read += len(payload)
        return payload

    def store(self, key: str, payload: bytes) -> None:
        """Keep ``payload`` under ``key``; the last writer wins."""
        if self.statistics.disabled:
            return
        digest = _key_digest(key)
        header = _HEADER.pack(_MAGIC, digest, hashlib.sha256(payload).digest(), len(payload))
        try:
            if not self._prepare(create=True):
                return
            self._write(self._path(digest), header + payload)
            self.statistics.stores += 1
            self.statistics.bytes_written += len(payload)
            self._stores_until_scan -= 1
            self._bytes_until_scan -= len(payload)
            if self._stores_until_scan <= 0 or self._bytes_until_scan <= 0:
                self.evict()
        except (OSError, MemoryError) as error:
            self._trouble(error)

    def evict(self) -> None:
        """Bring the directory under its bound, and sweep up what killed writers left."""
        self._stores_until_scan = _STORES_PER_SCAN
        self._bytes_until_scan = self.max_bytes // 16
        entries = []
        now = time.time()
        for entry, info in self._scan():
            if entry.name.endswith(_SUFFIX):
                entries.append((info.st_mtime, info.st_size, entry.path))
            elif entry.name.endswith(_TEMPORARY) and now - info.st_mtime > _STALE_SECONDS:
                _unlink(entry.path)
        # A look at every file takes a while (70,000 of them, half a second), so as many stores pass
        # before the next one as make it cheap for each.
        self._stores_until_scan = max(_STORES_PER_SCAN, len(entries) // _LOOKS_PER_STORE)
        total = sum(size for _, size, _ in entries)
        if total <= self.max_bytes:
            return
        entries.sort()
        for _, size, path in entries:
            if total <= self.max_bytes * 3 // 4:
                break
            if _unlink(path):
                self.statistics.evicted += 1
            total -= size

    def clear(self) -> int:
        """Remove every entry and left-over; returns how many files went."""
        try:
            files = [
                entry.path
                for entry, _ in self._scan()
                if entry.name.endswith((_SUFFIX, _TEMPORARY))
            ]
        except OSError as error:
            self._trouble(error)
            return 0
        return sum(_unlink(path) for path in files)

    def usage(self) -> tuple[int, int]:
        """(number of entries, bytes on disk)."""
        try:
            sizes = [info.st_size for entry, info in self._scan() if entry.name.endswith(_SUFFIX)]
        except OSError:
            return (0, 0)
        return (len(sizes), sum(sizes))

    def _scan(self) -> list[tuple[os.DirEntry[str], os.stat_result]]:
        """The plain files of the directory; another process may remove some meanwhile."""
        found: list[tuple[os.DirEntry[str], os.stat_result]] = []
        if self.directory is None or not os.path.isdir(self.directory):
            return found
        with os.scandir(self.directory) as entries:
            for entry in entries:
                try:
                    info = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(info.st_mode):
                    found.append((entry, info))
        return found

    def _path(self, digest: bytes) -> str:
        return os.path.join(self.directory or "", digest.hex()[:40] + _SUFFIX)

    def _prepare(self, create: bool) -> bool:
        """Whether the directory is there and only ours; made on the first store."""
        if self._ready:
            return True
        assert self.directory is not None
        if create:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
        try:
            info = os.stat(self.directory)
        except FileNotFoundError:
            return False
        # Entries are run as machine code, so nobody else may be able to write them.
        if hasattr(os, "getuid"):
            if info.st_uid != os.getuid():
                self._disable(f"{self.directory} belongs to another user")
                return False
            if info.st_mode & 0o022:
                self._disable(f"{self.directory} can be written by other users")
                return False
        self._ready = True
        return True

    def _write(self, path: str, content: bytes) -> None:
        """Write beside ``path`` and rename over it."""
        temporary = f"{path}.{os.getpid()}.{threading.get_ident()}{_TEMPORARY}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            with open(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            _unlink(temporary)
            raise

    def _trouble(self, error: BaseException) -> None:
        """Count an error; switch off for one that will last, or after many."""
        self.statistics.errors += 1
        # Somebody may have removed the directory: look again next time.
        self._ready = False
        lasting = getattr(error, "errno", None) in _LASTING and os.name != "nt"
        if lasting or self.statistics.errors >= 8:
            self._disable(str(error))

    def _disable(self, reason: str) -> None:
        self.statistics.disabled = reason


def _key_digest(key: str) -> bytes:
    """SHA-256 of the fingerprint and the key."""
    text = f"{fingerprint()}\0{key}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _payload(content: bytes, digest: bytes) -> bytes | None:
    """The payload of an entry, or None if it is not whole, not ours, or not for this key."""
    if len(content) < _HEADER.size:
        return None
    magic, key, checksum, length = _HEADER.unpack_from(content)
    payload = content[_HEADER.size :]
    if magic != _MAGIC or key != digest or length != len(payload):
        return None
    if hashlib.sha256(payload).digest() != checksum:
        return None
    return payload


def _unlink(path: str) -> bool:
    """Remove a file; False if it could not be, or was gone already."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


_current: tuple[str | None, DiskCache] | None = None


def current() -> DiskCache:
    """The cache under ``config.cache_dir``; a change of that setting gives a fresh one.

    Entries lie in a directory of their own below it, made with mode 0700, so that naming a
    directory that others use (``FLAMBEAU_CACHE=/tmp``) neither exposes nor changes it.
    """
    global _current
    root = config.cache_dir
    if _current is None or _current[0] != root:
        directory = None if root is None else os.path.join(root, "objects")
        _current = (root, DiskCache(directory))
    return _current[1]


def load(key: str) -> bytes | None:
    """The bytes stored under ``key`` on this machine, or None."""
    return current().load(key)


def store(key: str, payload: bytes) -> None:
    """Keep ``payload`` under ``key``."""
    current().store(key, payload)


def statistics() -> dict[str, int | str]:
    """The counts of this process: hits, misses, stores, corrupt, evicted, errors, bytes."""
    return asdict(current().statistics)
