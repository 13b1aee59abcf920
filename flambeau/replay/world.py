"""The Python state that a call can see, found by walking from the function; later, whether it is
still as it was.

In: a function, its arguments' objects, and the code that it ran. Out: `World`: every container on
the way (module dicts, closures, globals, parameter groups, ...), the objects in it, and the tensors
reached. `changed()` compares identities in a few C loops; what differs is then compared by value if
it is a plain number or string. What cannot be looked into (files, iterators, random generators) is
`opaque`, and a call that names it is not replayed.
"""
from __future__ import annotations

import builtins
import functools
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from itertools import chain
from operator import contains, getitem, is_, methodcaller
from typing import Any

import numpy as np

from ..nn.modules.module import Module
from ..optim.optimizer import Optimizer, RuleOptimizer
from ..tensor.generator import Generator
from ..tensor.tensor import Tensor
from .code import chains, fixed_callable, nested, pure_module, root
from .objects import PLAIN, python_class, same, slot_names, transparent

SMALL_ARRAY = 4096                               # bytes of NumPy arrays that are compared at a call
LIMIT = 50_000                                   # objects, beyond which nothing is replayed
_DICTS = (dict, OrderedDict, defaultdict)
_POLICY = __name__.replace(".world", ".replayed")
_values = methodcaller("values")
_cell = types.CellType.cell_contents.__get__  # type: ignore[attr-defined]


class Kind:
    """Containers of one kind, what they held, and where they stand in words."""

    __slots__ = ("empty", "full", "held", "lengths", "objects", "read", "sizes", "where")

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read = read
        self.objects: list[Any] = []
        self.held: list[Any] = []
        self.lengths: list[int] = []
        self.where: list[str] = []

    def add(self, container: Any, where: str) -> list[Any]:
        found = list(self.read(container))
        self.objects.append(container)
        self.held += found
        self.lengths.append(len(found))
        self.where.append(where)
        return found

    def freeze(self) -> None:
        """Nothing is added any more."""
        self.full = [c for c, n in zip(self.objects, self.lengths) if n]
        self.sizes = [n for n in self.lengths if n]
        self.empty = [c for c, n in zip(self.objects, self.lengths) if not n]

    def intact(self) -> bool:
        """Whether every container holds the objects that it held."""
        return (not any(self.empty) and list(map(len, self.full)) == self.sizes
                and all(map(is_, chain.from_iterable(map(self.read, self.full)), self.held)))

    def change(self) -> str | None:
        """What changed, in words; equal plain values are taken over as the new ones."""
        at = 0
        for container, length, where in zip(self.objects, self.lengths, self.where):
            now = list(self.read(container))
            if len(now) != length:
                return f"{where} has {len(now)} entries, not {length}"
            for i, (old, new) in enumerate(zip(self.held[at:at + length], now)):
                if old is not new:
                    if not same(old, new):
                        return f"{where}{_key(container, i)}: {_short(old)} -> {_short(new)}"
                    self.held[at + i] = new
            at += length
        return None


def _key(container: Any, i: int) -> str:
    if hasattr(container, "keys"):
        key = list(container)[i]
        return f".{key}" if isinstance(key, str) else f"[{_short(key)}]"
    return f"[{i}]"


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, PLAIN) else f"<{type(value).__name__}>"
    return text if len(text) < 60 else text[:57] + "..."


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:                           # not assigned yet
        return NotImplemented


class Rate:
    """An option of a parameter group that may change from call to call: the learning rate."""

    __slots__ = ("group", "key")

    def __init__(self, group: dict[str, Any], key: str) -> None:
        self.group = group
        self.key = key


class World:
    """What a walk found.

    tensors  the tensors reached, each once, and `places`, where
    rates    learning rates, which are inputs
    counts   tensors of optimizers' state without dims, with their names
    opaque   what could not be looked into, in words
    codes    ids of the code of every function reached, and of the functions defined in it
    """

    def __init__(self, names: set[str], codes: dict[int, Any], all_names: bool) -> None:
        self.names = names
        self.ran = codes
        self.all_names = all_names
        self.dicts = Kind(_values)               # also class dicts, which are mapping proxies
        self.keys = Kind(iter)
        self.spaces: list[Any] = []              # dicts of objects, whose last name is compared
        self.lists = Kind(iter)
        self.cells: list[Any] = []
        self.cell_held: list[Any] = []
        self.slots: list[tuple[Any, Any, Any, str]] = []      # (dict, key, value, where)
        self.absent_from: list[Any] = []         # dicts that do not have the names `absent`
        self.absent: list[str] = []
        self.counted: list[Any] = []             # dicts of objects of which some values are held
        self.copies: list[tuple[Any, Any, str]] = []          # sets and small arrays
        self.tensors: list[Tensor] = []
        self.places: list[str] = []
        self.rates: list[Rate] = []
        self.counts: list[tuple[Any, Tensor]] = []
        self.opaque: list[str] = []
        self.codes: set[int] = set()
        self.seen: dict[int, Any] = {}
        self._stack: list[tuple[Any, str, str | None]] = []

    # ------------------------------------------------------------ the walk

    def walk(self, value: Any, where: str) -> None:
        """Enter a value and what it leads to."""
        self._stack.append((value, where, None))
        while self._stack:
            value, where, name = self._stack.pop()
            if isinstance(value, PLAIN) or id(value) in self.seen:
                continue
            self.seen[id(value)] = value
            if len(self.seen) > LIMIT:
                self.opaque.append(f"{where}: more than {LIMIT} objects")
                self._stack.clear()
                return
            if not self._enter(value, where) and self._named(name):
                self.opaque.append(f"{where} is a {type(value).__name__}")

    def _named(self, name: str | None) -> bool:
        return name is None or self.all_names or name in self.names

    def _push(self, value: Any, where: str, name: str | None = None) -> None:
        if not isinstance(value, PLAIN):
            self._stack.append((value, where, name))

    def _enter(self, value: Any, where: str) -> bool:
        """Note a value and what it holds; False if that cannot be seen."""
        if isinstance(value, Tensor):
            self._tensor(value, where)
        elif type(value) is list or type(value) is deque:
            for i, item in enumerate(self.lists.add(value, where)):
                self._push(item, f"{where}[{i}]")
        elif isinstance(value, tuple):
            for i, item in enumerate(value):
                self._push(item, f"{where}[{i}]")
        elif type(value) in _DICTS or type(value) is types.MappingProxyType:
            self._dict(value, where)
        elif isinstance(value, (set, frozenset)):
            self._set(value, where)
        elif isinstance(value, np.ndarray):
            return self._array(value, where)
        elif isinstance(value, type):
            self._class(value, where)
        elif isinstance(value, types.ModuleType):
            self._module(value, where)
        else:
            return self._callable(value, where) or self._object(value, where)
        return True

    def _callable(self, value: Any, where: str) -> bool:
        """Functions and what wraps them."""
        if isinstance(value, types.FunctionType):
            self._function(value, where)
        elif isinstance(value, types.MethodType):
            if fixed_callable(value) is not None:
                return False
            self._push(value.__func__, where)
            self._push(value.__self__, f"{where}.__self__")
        elif isinstance(value, functools.partial):
            for part in (value.func, value.args, value.keywords):
                self._push(part, where)
        elif isinstance(value, (staticmethod, classmethod, functools._lru_cache_wrapper)):
            self._push(value.__wrapped__, where)
        elif isinstance(value, property):
            for part in (value.fget, value.fset, value.fdel):
                self._push(part, where)
        elif isinstance(value, functools.cached_property):
            self._push(value.func, where)
        elif isinstance(value, weakref.ref):
            self._push(value(), where)
        elif type(value).__name__ == "Replayed" and type(value).__module__ == _POLICY:
            self._push(value._replays, where)    # another compiled function: the function itself
        elif isinstance(value, (types.BuiltinFunctionType, types.WrapperDescriptorType,
                                types.MethodDescriptorType, types.GetSetDescriptorType,
                                types.MemberDescriptorType, types.ClassMethodDescriptorType,
                                types.MethodWrapperType, np.ufunc, types.GenericAlias)):
            owner = getattr(value, "__self__", None)
            if owner is not None:
                self._push(owner, f"{where}.__self__")
        else:
            return False
        return True

    def _tensor(self, t: Tensor, where: str) -> None:
        self.tensors.append(t)
        self.places.append(where)
        own = getattr(t, "__dict__", None)
        if own:
            self._dict(own, where)
        auto = t._auto
        if auto is not None:
            for hooks in (auto.hooks, auto.post):
                if hooks is not None:
                    for hook in self.dicts.add(hooks, f"{where}'s hooks"):
                        self._push(hook, f"a hook of {where}")
            if auto.base is not None:
                self._push(auto.base, f"{where}._base")

    def _dict(self, value: Any, where: str) -> None:
        found = self.dicts.add(value, where)
        for key, item in zip(self.keys.add(value, where), found):
            self._push(item, f"{where}{_key_text(key)}", key if isinstance(key, str) else None)
            self._push(key, f"a key of {where}")

    def _attributes(self, space: Any, where: str) -> None:
        """The dict of an object or class. Of its names the last is compared: no other can go and
        leave all values in their order."""
        found = self.dicts.add(space, where)
        self.spaces.append(space)
        for name, item in zip(list(space), found):
            if name not in ("__dict__", "__weakref__"):
                self._push(item, f"{where}.{name}", name)

    def _set(self, value: Any, where: str) -> None:
        if isinstance(value, set):
            self.copies.append((value, set(value), where))
        for item in value:
            self._push(item, where)

    def _array(self, value: Any, where: str) -> bool:
        if value.nbytes > SMALL_ARRAY or value.dtype.kind == "O":
            return False
        self.copies.append((value, value.copy(), where))
        return True

    # ------------------------------------------------------------ code

    def _function(self, fn: types.FunctionType, where: str) -> None:
        if _ours(fn):
            return
        self.codes.update(id(c) for c in nested(fn.__code__))
        for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or ()):
            held = _contents(cell)
            self.cells.append(cell)
            self.cell_held.append(held)
            self._push(held, f"{name} (of {fn.__name__})")
        self._push(fn.__defaults__, f"{where}'s defaults")
        self._push(fn.__kwdefaults__, f"{where}'s defaults")
        if fn.__dict__:
            self._dict(fn.__dict__, where)
        for code in nested(fn.__code__):
            if id(code) in self.ran:
                for names in chains(code):
                    self._global(fn.__globals__, names)

    def _global(self, space: dict[str, Any], names: tuple[str, ...]) -> None:
        """A global name with the attributes read from it: as far as modules go."""
        first = names[0]
        if first in space:
            value = space[first]
            self.slots.append((space, first, value, first))
        else:
            self.absent_from.append(space)
            self.absent.append(first)
            if not hasattr(builtins, first):
                return
            value = getattr(builtins, first)
        path = first
        for name in names[1:]:
            if not isinstance(value, types.ModuleType):
                break
            owner, path = value, f"{path}.{name}"
            if name not in vars(owner):          # found by a module's __getattr__, or an error
                self.absent_from.append(vars(owner))
                self.absent.append(name)
                return
            value = vars(owner)[name]
            if not pure_module(owner.__name__):
                self.slots.append((vars(owner), name, value, path))
        self._use(value, path)

    def _use(self, value: Any, where: str) -> None:
        """A value that code gets by its name."""
        refused = fixed_callable(value)
        if refused is not None:
            self.opaque.append(f"{where} ({refused}) may depend on what flambeau cannot see")
        elif not (isinstance(value, (type, types.BuiltinFunctionType, np.ufunc))
                  and pure_module(getattr(value, "__module__", None))):
            self._push(value, where)

    def _module(self, value: types.ModuleType, where: str) -> None:
        """A module that is held as an object: what code may read from it by name."""
        if pure_module(value.__name__):
            return
        space = vars(value)
        for name in sorted(self.names & space.keys()):
            if not pure_module(value.__name__):
                self.slots.append((space, name, space[name], f"{where}.{name}"))
            self._use(space[name], f"{where}.{name}")

    def _class(self, value: type, where: str) -> None:
        if not python_class(value) or root(value.__module__) == "flambeau" or pure_module(
                value.__module__):
            return
        self._attributes(vars(value), value.__name__)
        for base in (*value.__bases__, type(value)):
            self._push(base, base.__name__)

    # ------------------------------------------------------------ objects

    def _object(self, value: Any, where: str) -> bool:
        kind = type(value)
        if isinstance(value, Generator):
            return True
        if isinstance(value, Optimizer):
            self._optimizer(value, where)
            return True
        if not transparent(kind):
            return False
        self._push(kind, kind.__name__)
        space = getattr(value, "__dict__", None)
        ours = root(kind.__module__) == "flambeau" or isinstance(value, Module)
        if space is not None:
            if ours or self.all_names:
                self._attributes(space, where)
            else:
                self.counted.append(space)
                self.spaces.append(space)
                for name in sorted(self.names & space.keys()):
                    self.slots.append((space, name, space[name], f"{where}.{name}"))
                    self._push(space[name], f"{where}.{name}", name)
        for name in slot_names(kind):
            if (ours or self._named(name)) and hasattr(value, name):
                held = getattr(value, name)
                self.slots.append((_Attributes(value), name, held, f"{where}.{name}"))
                self._push(held, f"{where}.{name}", name)
        if isinstance(value, (list, deque)):
            for i, item in enumerate(self.lists.add(value, where)):
                self._push(item, f"{where}[{i}]")
        elif isinstance(value, dict):
            self._dict(value, where)
        elif isinstance(value, set):
            self._set(value, where)
        return True

    def _optimizer(self, value: Any, where: str) -> None:
        self._push(type(value), type(value).__name__)
        rule = isinstance(value, RuleOptimizer) and root(type(value).__module__) == "flambeau"
        free = rule and "param_groups" not in self.names and not self.all_names
        for group in value.param_groups if free else ():
            if type(group.get("lr")) is float:
                self._group(group, where)
        self._attributes(vars(value), where)
        if rule:
            for own in value.state.values():
                self.counts += [(k, v) for k, v in own.items()
                                if isinstance(v, Tensor) and not v._shape]

    def _group(self, group: dict[str, Any], where: str) -> None:
        """A parameter group of an optimizer of ours: its learning rate is an input."""
        self.seen[id(group)] = group
        self.rates.append(Rate(group, "lr"))
        self.keys.add(group, where)
        for key, item in group.items():
            if key not in ("lr", "initial_lr"):
                self.slots.append((group, key, item, f"{where}'s {key}"))
                self._push(item, f"{where}'s {key}")

    # ------------------------------------------------------------ is it as it was?

    def freeze(self) -> None:
        """Prepare for `changed`: no more walking."""
        self.slot_spaces = [s[0] for s in self.slots]
        self.slot_keys = [s[1] for s in self.slots]
        self.slot_held = [s[2] for s in self.slots]
        for kind in (self.dicts, self.keys, self.lists):
            kind.freeze()
        self.keys.empty = []                     # the same dicts
        self.spaces = [s for s in self.spaces if s]
        self.last_names = list(map(_last, self.spaces))
        self.counts_held = list(map(len, self.counted))
        self.ids = set(self.seen)
        self.seen = {}

    def intact(self) -> bool:
        """Whether every container holds the very objects that it held: the quick look."""
        try:
            return (all(map(is_, map(_cell, self.cells), self.cell_held))
                    and all(map(is_, map(getitem, self.slot_spaces, self.slot_keys),
                                self.slot_held))
                    and self.dicts.intact() and self.keys.intact() and self.lists.intact()
                    and all(map(is_, map(next, map(reversed, self.spaces)), self.last_names))
                    and not any(map(contains, self.absent_from, self.absent))
                    and list(map(len, self.counted)) == self.counts_held
                    and not any(map(_differs, self.copies)))
        except (KeyError, ValueError, AttributeError, StopIteration):
            return False

    def changed(self) -> str | None:
        """What is not as it was, in words, or None."""
        if self.intact():
            return None
        for i, (cell, old) in enumerate(zip(self.cells, self.cell_held)):
            new = _contents(cell)
            if not same(old, new):
                return f"a closure's variable: {_short(old)} -> {_short(new)}"
            self.cell_held[i] = new
        for i, (space, key, _, where) in enumerate(self.slots):
            try:
                new = space[key]
            except (KeyError, AttributeError):
                return f"{where} is gone"
            if not same(self.slot_held[i], new):
                return f"{where}: {_short(self.slot_held[i])} -> {_short(new)}"
            self.slot_held[i] = new
        for kind in (self.dicts, self.keys, self.lists):
            found = kind.change()
            if found is not None:
                return found
        for space, name in zip(self.absent_from, self.absent):
            if name in space:
                return f"{name} is there now"
        if (list(map(_last, self.spaces)) != self.last_names
                or list(map(len, self.counted)) != self.counts_held):
            return "an object's attributes have other names"
        for copy in self.copies:
            if _differs(copy):
                return f"{copy[2]} has other elements"
        return None


class _Attributes:
    """An object with slots, read as a dict of them."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __getitem__(self, name: str) -> Any:
        return getattr(self.value, name)


def _last(space: Any) -> Any:
    return next(reversed(space), None)


def _differs(copy: tuple[Any, Any, str]) -> bool:
    now, then, _ = copy
    if isinstance(now, np.ndarray):
        return (now.dtype != then.dtype or now.shape != then.shape
                or now.tobytes() != then.tobytes())
    return bool(now != then)


def _key_text(key: Any) -> str:
    return f".{key}" if isinstance(key, str) else f"[{_short(key)}]"


def _ours(fn: types.FunctionType) -> bool:
    """A function of flambeau or of the library's pure parts, not one made round a user's."""
    return (pure_module(fn.__module__) and "<locals>" not in fn.__qualname__
            and "__wrapped__" not in fn.__dict__)
