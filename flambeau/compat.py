"""Presents flambeau under the name `torch`, so that a program written for PyTorch runs unchanged.

In: `as_torch()`, called by a program or by ``python -m flambeau prog.py``. Out: `import torch`,
`from torch.nn import functional`, `importlib.util.find_spec("torch")`,
`importlib.metadata.version("torch")` and pickles that name `torch.*` all find flambeau's modules:
`torch.x` *is* `flambeau.x`, the same object, never a copy.

    import flambeau.compat
    flambeau.compat.as_torch()
    import torch                        # flambeau
"""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import flambeau

TORCH_VERSION = "2.13.0"
"""The PyTorch whose API flambeau has; what `torch.__version__` says while presented."""

_FOLDER = Path(__file__).parent / "presented"
_METADATA = f"""Metadata-Version: 2.1
Name: torch
Version: {TORCH_VERSION}
Summary: flambeau, presented as PyTorch
"""


class _Distribution(importlib.metadata.Distribution):
    """What `importlib.metadata` is told about `torch`."""

    def read_text(self, filename: str) -> str | None:
        return _METADATA if filename == "METADATA" else None

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        return _FOLDER / path


class _Loader(importlib.abc.Loader):
    """Gives `torch.x` the module flambeau.x, which keeps its own name and spec."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just put the spec of `torch.x` here.
        module.__spec__ = self.spec


class _Finder(importlib.abc.MetaPathFinder):
    """Answers for `torch` and everything below it, and for nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "torch" and not fullname.startswith("torch."):
            return None
        module = _module("flambeau" + fullname[len("torch") :])
        if module is None:
            return None
        is_package = hasattr(module, "__path__")
        spec = importlib.machinery.ModuleSpec(fullname, _Loader(module), is_package=is_package)
        spec.origin = getattr(module, "__file__", None)
        return spec

    def find_distributions(
        self, context: importlib.metadata.DistributionFinder.Context | None = None
    ) -> Iterator[importlib.metadata.Distribution]:
        name = None if context is None else context.name
        if name is None or name.lower() == "torch":
            yield _Distribution()


_finder = _Finder()


def _module(name: str) -> ModuleType | None:
    """The module of that name: a file's, or a namespace that its parent holds; None if neither."""
    parent, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise                       # something that the module itself needs is missing
    holder = _module(parent) if parent else None
    try:
        found = getattr(holder, last, None)
    except ImportError:
        return None
    return found if isinstance(found, ModuleType) else None


def is_presented() -> bool:
    """Whether `import torch` gives flambeau in this process."""
    return _finder in sys.meta_path


def as_torch() -> None:
    """Make `torch` mean flambeau in this process, from now on; a second call changes nothing.

    RuntimeError if PyTorch itself is already imported: two modules cannot share a name.
    """
    loaded = sys.modules.get("torch")
    if loaded is not None and loaded is not flambeau and not _is_ours(loaded):
        place = getattr(loaded, "__file__", "an unknown place")
        raise RuntimeError(
            f"flambeau cannot be presented as torch: PyTorch is already imported, from {place}. "
            "Call flambeau.compat.as_torch() before the first import of torch, or run the program "
            "by: python -m flambeau PROGRAM"
        )
    if not is_presented():
        sys.meta_path.insert(0, _finder)
    for name in [name for name in sys.modules if name.startswith("torch.")]:
        del sys.modules[name]
    sys.modules["torch"] = flambeau
    flambeau.__version__ = TORCH_VERSION
    flambeau.__name__ = "torch"         # what programs compare names of modules with


def for_children(environ: dict[str, str] | os._Environ[str], path: list[str]) -> None:
    """Let the processes that this one starts find flambeau as `torch` too.

    Puts the folder `presented` first on the module search path `path` (which multiprocessing hands
    to its children) and in `environ`'s PYTHONPATH (which any other Python program reads).
    """
    folders = [str(_FOLDER), str(_FOLDER.parent.parent)]
    before = environ.get("PYTHONPATH")
    environ["PYTHONPATH"] = os.pathsep.join([*folders, *([before] if before else [])])
    path[1:1] = [folder for folder in folders if folder not in path]


def _is_ours(module: Any) -> bool:
    """Whether `module` is the stand-in of `presented/torch`, in the middle of its import."""
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).parent == _FOLDER / "torch"


def undo() -> None:
    """Take the name back; modules that hold flambeau as `torch` keep it."""
    if is_presented():
        sys.meta_path.remove(_finder)
    names: Iterable[str] = [name for name in sys.modules if name.split(".")[0] == "torch"]
    for name in names:
        del sys.modules[name]
    from flambeau.core.version import VERSION

    flambeau.__version__ = VERSION
    flambeau.__name__ = "flambeau"
