"""``python -m flambeau``: runs PyTorch programs on flambeau, and tells about this machine.

    python -m flambeau train.py --epochs 3      a program, with `import torch` giving flambeau
    python -m flambeau -m package.train         a module
    python -m flambeau doctor                   what this machine is and how fast
    python -m flambeau cache [clear]            the compiled code kept on disk
"""
from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType

USAGE = """usage: python -m flambeau PROGRAM.py [ARGUMENT ...]    run it with flambeau as torch
       python -m flambeau -m MODULE [ARGUMENT ...]     run a module so
       python -m flambeau doctor                       this machine: what it is, how fast
       python -m flambeau cache                        where compiled code is kept, how much
       python -m flambeau cache clear                  remove it
       python -m flambeau --version
"""


class _Program(importlib.machinery.SourceFileLoader):
    """Runs a file as `__main__` and leaves no bytecode beside it, as Python itself does."""

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        pass


def _refuse(message: str) -> int:
    print(f"flambeau: {message}", file=sys.stderr)
    return 2


def _run(path: str, spec: importlib.machinery.ModuleSpec | None) -> int:
    """Run the file at `path` as `__main__`; `spec` is the module's when it was named by -m.

    The module stays `__main__` to the end of the process: what runs at exit, and processes that
    multiprocessing starts, look for it there.
    """
    from flambeau import compat

    compat.as_torch()
    compat.for_children(os.environ, sys.path)
    main = ModuleType("__main__")
    main.__file__ = path
    main.__spec__ = spec
    main.__package__ = spec.parent if spec is not None else None
    sys.modules["__main__"] = main
    _Program("__main__", path).exec_module(main)
    return 0


def _run_program(path: str, arguments: list[str]) -> int:
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        folder, path = os.path.abspath(path), os.path.join(path, "__main__.py")
    if not os.path.isfile(path):
        return _refuse(f"can't open file {path!r}: no such file\n\n{USAGE}")
    sys.argv[:] = [path, *arguments]
    sys.path[0] = folder
    return _run(path, None)


def _run_module(name: str, arguments: list[str]) -> int:
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not os.path.isfile(spec.origin):
        return _refuse(f"no module named {name}, or none that can be run")
    sys.argv[:] = [spec.origin, *arguments]
    return _run(spec.origin, spec)


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    first, *rest = arguments
    if first == "--version":
        from flambeau.core.version import VERSION

        print(f"flambeau {VERSION}")
        return 0
    if first == "doctor":
        from flambeau.debug import doctor

        return doctor.main(rest)
    if first == "cache":
        from flambeau.debug import doctor

        return doctor.cache_main(rest)
    if first == "-m":
        return _run_module(rest[0], rest[1:]) if rest else _refuse(f"-m needs a name\n\n{USAGE}")
    if first.startswith("-"):
        return _refuse(f"unknown option {first}\n\n{USAGE}")
    return _run_program(first, rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
