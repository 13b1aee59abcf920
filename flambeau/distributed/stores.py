"""Key-value stores that processes meet at; in one process a dict."""
from __future__ import annotations

from datetime import timedelta
from typing import Any


class DistError(RuntimeError):
    """Something between processes failed."""


class DistBackendError(DistError):
    """The backend failed."""


class DistNetworkError(DistError):
    """The network failed."""


class DistStoreError(DistError):
    """A store failed."""


class DistQueueEmptyError(DistStoreError):
    """A queue of a store is empty."""


class Store:
    """Values (bytes) by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._values: dict[str, bytes] = {}
        self.timeout = timedelta(minutes=5)

    def set(self, key: str, value: str | bytes) -> None:
        self._values[key] = value.encode() if isinstance(value, str) else bytes(value)

    def get(self, key: str) -> bytes:
        """The value; DistStoreError where PyTorch would wait for another process to set it."""
        if key not in self._values:
            raise DistStoreError(f"wait timeout: no process has set the key {key!r}")
        return self._values[key]

    def add(self, key: str, amount: int) -> int:
        total = int(self._values.get(key, b"0")) + amount
        self._values[key] = str(total).encode()
        return total

    def append(self, key: str, value: str | bytes) -> None:
        more = value.encode() if isinstance(value, str) else bytes(value)
        self._values[key] = self._values.get(key, b"") + more

    def check(self, keys: list[str]) -> bool:
        return all(key in self._values for key in keys)

    def wait(self, keys: list[str], timeout: timedelta | None = None) -> None:
        for key in keys:
            self.get(key)

    def compare_set(self, key: str, expected: str, desired: str) -> bytes:
        found = self._values.get(key)
        if (found is None and expected == "") or found == expected.encode():
            self.set(key, desired)
        return self._values.get(key, expected.encode())

    def delete_key(self, key: str) -> bool:
        return self._values.pop(key, None) is not None

    def num_keys(self) -> int:
        return len(self._values)

    def multi_get(self, keys: list[str]) -> list[bytes]:
        return [self.get(key) for key in keys]

    def multi_set(self, keys: list[str], values: list[Any]) -> None:
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def set_timeout(self, timeout: timedelta) -> None:
        self.timeout = timeout


class HashStore(Store):
    """A store for the threads of a process."""


class FileStore(Store):
    """A store in a file; in one process the file is not needed."""

    def __init__(self, file_name: str, world_size: int = -1) -> None:
        super().__init__()
        self.path = file_name


class TCPStore(Store):
    """A store behind a socket; in one process none is opened."""

    def __init__(self, host_name: str, port: int, world_size: int | None = None,
                 is_master: bool = False, timeout: timedelta = timedelta(minutes=5),
                 wait_for_workers: bool = True, **kwargs: Any) -> None:
        super().__init__()
        if world_size is not None and world_size > 1:
            raise RuntimeError(f"flambeau runs in one process: a store for {world_size} is not "
                               "supported")
        self.host, self.port, self.timeout = host_name, port, timeout


class PrefixStore(Store):
    """A store whose names begin with a prefix in another."""

    def __init__(self, prefix: str, store: Store) -> None:
        super().__init__()
        self.prefix, self.underlying_store = prefix, store

    def set(self, key: str, value: str | bytes) -> None:
        self.underlying_store.set(f"{self.prefix}/{key}", value)

    def get(self, key: str) -> bytes:
        return self.underlying_store.get(f"{self.prefix}/{key}")

    def add(self, key: str, amount: int) -> int:
        return self.underlying_store.add(f"{self.prefix}/{key}", amount)


__all__ = ["DistBackendError", "DistError", "DistNetworkError", "DistQueueEmptyError",
           "DistStoreError", "FileStore", "HashStore", "PrefixStore", "Store", "TCPStore"]
