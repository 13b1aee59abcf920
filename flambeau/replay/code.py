"""Which Python code a call runs, what that code reads by name, and what it calls in C.

In: a call, followed with `sys.setprofile`. Out: `Seen`: the code objects outside flambeau that ran,
the attribute names in them, and the calls that cannot be repeated (`print`, `time.time`, ...).
Code of flambeau and of the standard library's pure parts is trusted: it reads nothing but what it
is given, except where it says so to the recorder.
"""
from __future__ import annotations

import dis
import os
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..core.trace import PACKAGE

# Parts of the standard library that compute from what they are given alone.
PURE = frozenset({
    "abc", "bisect", "cmath", "collections", "contextlib", "copy", "copyreg", "dataclasses",
    "enum", "fractions", "functools", "heapq", "inspect", "itertools", "keyword", "math",
    "numbers", "operator", "re", "reprlib", "statistics", "string", "struct", "textwrap", "types",
    "typing", "typing_extensions", "warnings", "weakref", "builtins", "array", "numpy"})
# C modules behind them.
_PURE_C = frozenset({"_abc", "_bisect", "_collections", "_collections_abc", "_functools",
                     "_heapq", "_operator", "_sre", "_struct", "_typing", "_warnings", "_weakref",
                     "_weakrefset", "_thread"})
# Builtins that reach outside, or show what a call may not depend on.
_EFFECTS = frozenset({"print", "input", "open", "exec", "eval", "compile", "breakpoint", "id",
                      "hash", "globals", "locals", "vars", "dir", "__import__",
                      "start_new_thread", "interrupt_main"})
# What numpy.random has that holds no stream of its own: seeded by what it is given.
_SEEDED = frozenset({"RandomState", "Generator", "default_rng", "SeedSequence", "PCG64",
                     "PCG64DXSM", "MT19937", "Philox", "SFC64"})
# Names of what reads attributes whose names are nowhere in the code.
_DYNAMIC = frozenset({"asdict", "astuple", "attrgetter", "__dict__", "__getattribute__",
                      "__match_args__", "__slots__"})
_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})

Chain = tuple[str, ...]


def root(name: str | None) -> str:
    """The package that a dotted name begins with."""
    return (name or "").partition(".")[0]


def pure_module(name: str | None) -> bool:
    """Whether what a module has can be taken as fixed and free of effects."""
    first = root(name)
    if first == "numpy" and name is not None and name.startswith("numpy.random"):
        return False
    return first in PURE or first in _PURE_C or first == "flambeau" or first == "torch" and (
        getattr(sys.modules.get(first), "__file__", "") or "").startswith(PACKAGE)


_TOOLS = frozenset({"llvmlite", "ml_dtypes"})   # what flambeau itself is built on
_FOLLOWED: list[CodeType | None] = [None]        # where the following of a call begins
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_SITE = tuple(_LIBRARY + name for name in ("site-packages", "dist-packages"))
_STDLIB = frozenset(
    file for name in PURE if (file := getattr(sys.modules.get(name), "__file__", None)))
_kinds: dict[str, bool] = {}


def trusted(code: CodeType) -> bool:
    """Whether code is flambeau's, or a pure part of the standard library or NumPy."""
    file = code.co_filename
    found = _kinds.get(file)
    if found is None:
        found = _kinds[file] = _trusted_file(file)
    return found


def _trusted_file(file: str) -> bool:
    if file.startswith(PACKAGE):
        return not file.startswith(PACKAGE + "examples")
    for name, module in list(sys.modules.items()):
        if root(name) in PURE and getattr(module, "__file__", None) == file:
            return pure_module(name)
    return file in _STDLIB or file == "<frozen abc>"


class Seen:
    """What one call ran: `codes` by id, the `names` in them, and why it cannot be repeated."""

    def __init__(self) -> None:
        self.codes: dict[int, CodeType] = {}
        self.names: set[str] = set()
        self.effects: list[str] = []
        self.dynamic = False                    # attributes are read by names made at run time
        self._known: dict[int, CodeType | None] = {}

    def follow(self, frame: Any, event: str, argument: Any) -> None:
        """What `sys.setprofile` calls."""
        code = frame.f_code
        if event == "call":
            if id(code) not in self._known:
                if _for_others(code, frame):
                    return
                self._known[id(code)] = code
                if not trusted(code) and not _generated(frame):
                    self.codes[id(code)] = code
                    self.names.update(words(code))
                    self.dynamic = (self.dynamic or not _DYNAMIC.isdisjoint(code.co_names)
                                    or any(step.opname == "MATCH_CLASS"
                                           for step in dis.get_instructions(code)))
        elif event == "c_call" and id(code) in self.codes:
            self._c_call(argument, code)

    def _c_call(self, function: Any, code: CodeType) -> None:
        if function is getattr or function is hasattr or function is setattr:
            self.dynamic = True
        elif not repeatable(function):
            name = getattr(function, "__qualname__", repr(function))
            module = getattr(function, "__module__", None)
            self.effects.append(f"{code.co_name} calls {module + '.' if module else ''}{name}")


def _generated(frame: Any) -> bool:
    """A method that `dataclass` or `namedtuple` wrote for flambeau, or for a pure tuple."""
    if frame.f_code.co_filename != "<string>":
        return False
    name = str(frame.f_globals.get("__name__", ""))
    return name.startswith("namedtuple_") or pure_module(name)


def _library(code: CodeType) -> bool:
    """Whether code is the standard library's."""
    file = code.co_filename
    return (file.startswith("<frozen ") or file.startswith(_LIBRARY)
            and not file.startswith(_SITE))


def _for_others(code: CodeType, frame: Any) -> bool:
    """Whether code runs for flambeau, NumPy or an import, and not for the program: the compiler
    behind flambeau, what the standard library does for them, a module's first lines."""
    if trusted(code):
        return False
    if root(frame.f_globals.get("__name__")) in _TOOLS:
        return True
    library = _library(code)
    caller = frame.f_back
    while caller is not None and caller.f_code is not _FOLLOWED[0]:
        file = caller.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return True
        if library and not _library(caller.f_code):
            if (trusted(caller.f_code) or root(caller.f_globals.get("__name__")) in _TOOLS
                    or _by_numpy(code, frame.f_back)):
                return True
            library = False
        caller = caller.f_back
    return False


def _by_numpy(code: CodeType, caller: Any) -> bool:
    """Whether NumPy's C code called this, as every `RandomState(seed)` does before it takes the
    seed. What a generator without a seed gives differs from recording to recording."""
    return (code.co_name in ("getrandbits", "RLock")
            and root(code.co_filename.replace("\\", "/").rpartition("/")[2]) in
            ("random", "threading")
            and caller is not None and "RandomState" in caller.f_code.co_names
            and code.co_name not in caller.f_code.co_names)


def repeatable(function: Any) -> bool:
    """Whether a C function does nothing but compute from its arguments (or change them)."""
    owner = getattr(function, "__self__", None)
    if owner is None or isinstance(owner, ModuleType):
        module = owner.__name__ if owner is not None else getattr(function, "__module__", None)
        if module is None:                      # a method of a type, called through the type
            kind = getattr(function, "__objclass__", None)
            return kind is not None and _plain_type(kind)
        if module == "builtins" or module == "_thread":
            return function.__name__ not in _EFFECTS
        if module == "sys":
            return function.__name__ in ("_getframe", "getrefcount", "exc_info", "intern")
        return pure_module(module)
    return _plain_type(owner if isinstance(owner, type) else type(owner))


def _plain_type(kind: type) -> bool:
    """A type whose methods touch nothing but the object: builtin containers, NumPy's arrays, types
    that a Python class statement made (their C methods are object's)."""
    module = kind.__module__
    if module == "numpy.random" or module.startswith("numpy.random."):
        return kind.__name__ in _SEEDED or kind.__name__.lstrip("_") in _SEEDED
    if module in ("_io", "io", "socket", "_thread", "datetime", "random", "_random"):
        return False
    return root(module) in PURE or root(module) in _PURE_C or bool(kind.__flags__ & (1 << 9))


def words(code: CodeType) -> Iterator[str]:
    """Every name and string in a code object: what attributes it may read."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple):
            yield from (c for c in constant if isinstance(c, str))


_chains: dict[int, tuple[CodeType, tuple[Chain, ...]]] = {}


def chains(code: CodeType) -> tuple[Chain, ...]:
    """The global names that code reads, each with the attributes read from it at once."""
    known = _chains.get(id(code))
    if known is None:
        known = _chains[id(code)] = (code, tuple(dict.fromkeys(_find_chains(code))))
    return known[1]


def _find_chains(code: CodeType) -> Iterator[Chain]:
    chain: list[str] = []
    for step in dis.get_instructions(code):
        if chain and step.opname in _ATTRIBUTES:
            chain.append(str(step.argval))
            continue
        if step.opname in ("CACHE", "PRECALL", "EXTENDED_ARG"):
            continue
        if chain:
            yield tuple(chain)
            chain = []
        if step.opname in _LOADS:
            chain = [str(step.argval)]
    if chain:
        yield tuple(chain)


def nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions defined in it."""
    stack = [code]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(c for c in one.co_consts if isinstance(c, CodeType))


def fixed_callable(value: Any) -> str | None:
    """Why a value that code names (a C type, a Cython function) may not be called; None if it may.

    Builtin functions are seen when they are called and Python functions run Python code: both pass.
    """
    if isinstance(value, (FunctionType, type(len), type(str.join), type(object.__init__))):
        return None
    module = getattr(value, "__module__", None)
    if isinstance(value, type):
        if value.__flags__ & (1 << 9) or pure_module(module):
            return None
        if module is not None and module.startswith("numpy.random"):
            return None if value.__name__ in _SEEDED else f"{module}.{value.__name__}"
        return f"{module}.{value.__name__}"
    function = getattr(value, "__func__", value)
    if type(function).__name__ == "cython_function_or_method":
        return f"{getattr(value, '__name__', value)} of {type(value.__self__).__name__}" if hasattr(
            value, "__self__") else str(value)
    return None
