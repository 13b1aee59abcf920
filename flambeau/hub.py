"""torch.hub: weights and programs kept in a folder of the user's.

In: names and addresses. Out: state dicts and models. Files that are there already, `file:`
addresses and local folders work; what would need the network is fetched by urllib.
"""
from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
from types import ModuleType
from typing import Any
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from .serialization import load as _load

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
READ_DATA_CHUNK = 128 * 1024
ENV_TORCH_HOME = "TORCH_HOME"
MODULE_HUBCONF = "hubconf.py"
VAR_DEPENDENCY = "dependencies"
_folder: list[str] = []


def _get_torch_home() -> str:
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.getenv(ENV_TORCH_HOME, os.path.join(cache, "torch")))


def get_dir() -> str:
    """The folder of fetched files: `set_dir`'s, or hub in $TORCH_HOME."""
    return _folder[0] if _folder else os.path.join(_get_torch_home(), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    _folder[:] = [os.path.expanduser(d)]


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None,
                         progress: bool = True) -> None:
    """Fetch `url` into the file `dst`; RuntimeError if its SHA-256 does not begin as told."""
    digest = hashlib.sha256()
    target = os.path.expanduser(dst)
    request = Request(url, headers={"User-Agent": "flambeau"})  # noqa: S310
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target) or ".")
    try:
        with urlopen(request) as source, os.fdopen(handle, "wb") as file:  # noqa: S310
            while chunk := source.read(READ_DATA_CHUNK):
                file.write(chunk)
                digest.update(chunk)
        found = digest.hexdigest()
        if hash_prefix is not None and found[: len(hash_prefix)] != hash_prefix:
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{found}")')
        shutil.move(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def load_state_dict_from_url(url: str, model_dir: str | None = None, map_location: Any = None,
                             progress: bool = True, check_hash: bool = False,
                             file_name: str | None = None, weights_only: bool = False) -> Any:
    """What the file at `url` holds; it is fetched once, into `model_dir`."""
    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress)
    return _load(path, map_location=map_location, weights_only=weights_only)


def _import_module(name: str, path: str) -> ModuleType:
    """The module of the file at `path`."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _hubconf(repo_or_dir: str, source: str) -> ModuleType:
    if source.lower() not in ("github", "local"):
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    if source.lower() == "github":
        raise RuntimeError("flambeau fetches no programs: clone the repository and use "
                           "source='local'")
    path = os.path.join(repo_or_dir, MODULE_HUBCONF)
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    sys.path.insert(0, repo_or_dir)
    try:
        module = _import_module(MODULE_HUBCONF, path)
    finally:
        sys.path.remove(repo_or_dir)
    missing = [name for name in getattr(module, VAR_DEPENDENCY, ())
               if importlib.util.find_spec(name) is None]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _entry(module: ModuleType, name: str) -> Any:
    if not isinstance(name, str):
        raise ValueError("Invalid input: model should be a string of function name")
    found = getattr(module, name, None)
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return found


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", trust_repo: Any = None,
         force_reload: bool = False, verbose: bool = True, skip_validation: bool = False,
         **kwargs: Any) -> Any:
    """What the entry point `model` of a local folder's hubconf.py gives."""
    return _entry(_hubconf(repo_or_dir, source), model)(*args, **kwargs)


def list(github: str, force_reload: bool = False, skip_validation: bool = False,  # noqa: A001
         trust_repo: Any = None, verbose: bool = True, source: str = "local") -> Any:
    """The entry points of a local folder's hubconf.py."""
    module = _hubconf(github, source)
    return [name for name in dir(module)
            if callable(getattr(module, name)) and not name.startswith("_")]


def help(github: str, model: str, force_reload: bool = False,  # noqa: A001
         skip_validation: bool = False, trust_repo: Any = None, source: str = "local") -> Any:
    """The docstring of an entry point."""
    return _entry(_hubconf(github, source), model).__doc__


__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url",
           "set_dir"]
