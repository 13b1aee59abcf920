"""The settings of flambeau; the only file that reads the environment.

In: ``FLAMBEAU_NUM_THREADS``, ``FLAMBEAU_CACHE``, ``FLAMBEAU_SHOW``, ``FLAMBEAU_CHECK`` and
``FLAMBEAU_EAGER``, read once at import.  Out: one object, ``config``, whose attributes every
package reads and which is also a context manager factory::

    from flambeau.core.config import config

    if "graph" in config.show: ...
    with config(show={"graph"}, num_threads=1): ...

Settings belong to the process, not to a thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

SHOW_NAMES = frozenset({"graph", "fusion", "loops", "llvm", "asm", "launch", "cache"})
CHECK_NAMES = frozenset({"ir", "interp", "nan", "guard"})

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


def _names(value: str | Iterable[str], known: frozenset[str], what: str) -> frozenset[str]:
    """The set of names in ``value`` ("a,b" or an iterable); ValueError for an unknown one."""
    parts = value.split(",") if isinstance(value, str) else value
    names = frozenset(part.strip() for part in parts if part.strip())
    unknown = names - known
    if unknown:
        raise ValueError(
            f"{what}: unknown name {', '.join(sorted(unknown))}; "
            f"the names are {', '.join(sorted(known))}"
        )
    return names


def _flag(value: str | bool | int, what: str) -> bool:
    """The truth of a switch: a bool, 0 or 1, or one of the usual words."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{what}: expected 0 or 1, got {value!r}")


def _threads(value: str | int | None, what: str) -> int | None:
    """A thread count of at least 1, or None for the machine's own number."""
    if value is None or value == "":
        return None
    try:
        count = int(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what}: expected a positive number, got {value!r}") from None
    if count < 1:
        raise ValueError(f"{what}: expected a positive number, got {value!r}")
    return count


def _default_cache_dir(environ: Mapping[str, str]) -> str | None:
    """The user's cache directory by the platform's custom; None where there is no home."""
    if sys.platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return os.path.join(local, "flambeau", "cache") if local else None
    xdg = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):
        return os.path.join(xdg, "flambeau")
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        return None
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "flambeau")
    return os.path.join(home, ".cache", "flambeau")


def _cache_dir(value: str | None, environ: Mapping[str, str]) -> str | None:
    """The directory of the disk cache: the platform's, the one named, or None for none."""
    if value is None or value == "":
        return _default_cache_dir(environ)
    if value.strip().lower() in _FALSE:
        return None
    return os.path.abspath(os.path.expanduser(value))


class Config:
    """The settings.  Assign an attribute to change one, or call the object in a ``with``.

    ``num_threads``: int, or None for the machine's number.
    ``cache_dir``: directory of the disk cache, or None when it is off.
    ``show``, ``check``: frozensets of names.  ``eager``: bool.
    """

    __slots__ = ("cache_dir", "check", "eager", "num_threads", "show")

    num_threads: int | None
    cache_dir: str | None
    show: frozenset[str]
    check: frozenset[str]
    eager: bool

    def __init__(self, environ: Mapping[str, str]) -> None:
        settings = {
            "num_threads": environ.get("FLAMBEAU_NUM_THREADS"),
            "cache_dir": _cache_dir(environ.get("FLAMBEAU_CACHE"), environ),
            "show": environ.get("FLAMBEAU_SHOW", ""),
            "check": environ.get("FLAMBEAU_CHECK", ""),
            "eager": environ.get("FLAMBEAU_EAGER", "0"),
        }
        for name, value in settings.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        what = f"flambeau.config.{name}"
        if name == "num_threads":
            value = _threads(value, what)  # type: ignore[arg-type]
        elif name == "show":
            value = _names(value, SHOW_NAMES, what)  # type: ignore[arg-type]
        elif name == "check":
            value = _names(value, CHECK_NAMES, what)  # type: ignore[arg-type]
        elif name == "eager":
            value = _flag(value, what)  # type: ignore[arg-type]
        elif name == "cache_dir":
            value = None if value is None else os.fspath(value)  # type: ignore[call-overload]
        else:
            raise AttributeError(
                f"flambeau.config has no setting {name!r}; it has {', '.join(self.__slots__)}"
            )
        object.__setattr__(self, name, value)

    @contextmanager
    def __call__(self, **settings: object) -> Iterator[Config]:
        """Change settings for the length of a ``with``; the old values come back after it."""
        before = {name: getattr(self, name) for name in self.__slots__}
        try:
            for name, value in settings.items():
                setattr(self, name, value)
            yield self
        finally:
            for name in settings:
                if name in before:
                    setattr(self, name, before[name])

    def __repr__(self) -> str:
        items = (f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Config({', '.join(items)})"


config = Config(os.environ)
