"""The unpickler behind `weights_only=True`: builds data, calls only what a list allows.

In: the bytes of a pickle. Out: the object, or UnpicklingError naming what was refused. It is a loop
over a stack (no recursion), reads only bytes that are there, and calls a function only if it is on
the list with arguments of the right kinds.
"""
from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from . import safe
from .allowed import ALLOWED, BLOCKED, check_call, check_key

UnpicklingError = pickle.UnpicklingError
MARK = object()


class Bounded:
    """A file of which at most `left` bytes are there to read."""

    __slots__ = ("file", "left")

    def __init__(self, file: Any, left: int) -> None:
        self.file = file
        self.left = left

    def read(self, n: int) -> bytes:
        if n < 0 or n > self.left:
            raise EOFError("pickle data was truncated")
        data = self.file.read(n)
        if len(data) != n:
            raise EOFError("pickle data was truncated")
        self.left -= n
        return data

    def readline(self) -> str:
        line = self.file.readline(min(self.left, 4096))
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise EOFError("pickle data was truncated")
        return line[:-1].decode("utf-8")


def resolve(module: str, name: str) -> Any:
    """The object of a GLOBAL, if it is allowed."""
    if module == "__builtin__":
        module = "builtins"
    full = f"{module}.{name}"
    found = safe.added(full)
    if found is None and module == "builtins":
        found = safe.added(name)
    if found is not None:
        return found
    root = module.split(".", 1)[0]
    if root in BLOCKED:
        raise UnpicklingError(f"Trying to load unsupported GLOBAL {full} whose module {module} is "
                              "blocked.")
    make = ALLOWED.get(full)
    if make is None:
        short = name if module == "builtins" else full
        raise UnpicklingError(
            f"Unsupported global: GLOBAL {short} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{short}])` or the "
            f"`torch.serialization.safe_globals([{short}])` context manager to allowlist this "
            "global if you trust this class/function.")
    return make()


class WeightsUnpickler:
    """One run over a pickle. `persistent_load` makes storages of what stands for them."""

    def __init__(self, source: Bounded, persistent_load: Callable[[Any], Any] | None = None,
                 encoding: str = "utf-8") -> None:
        self.source = source
        self.persistent = persistent_load
        self.encoding = encoding
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def load(self) -> Any:
        read = self.source.read
        actions = ACTIONS
        while True:
            code = read(1)[0]
            if code == pickle.STOP[0]:
                if len(self.stack) != 1 or self.stack[0] is MARK:
                    raise UnpicklingError("the pickle does not end with one object")
                return self.stack[0]
            action = actions.get(code)
            if action is None:
                raise UnpicklingError(f"Unsupported operand {code}")
            action(self)

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise UnpicklingError("the pickle takes from an empty stack")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise UnpicklingError("the pickle takes from an empty stack")
        return self.stack[-1]

    def marked(self) -> list[Any]:
        """What was pushed since the last mark."""
        stack = self.stack
        at = len(stack) - 1
        while at >= 0 and stack[at] is not MARK:
            at -= 1
        if at < 0:
            raise UnpicklingError("the pickle has no mark")
        items = stack[at + 1:]
        del stack[at:]
        return items

    def number(self, form: str, n: int) -> int:
        return struct.unpack(form, self.source.read(n))[0]

    def text(self, n: int) -> str:
        return self.source.read(n).decode("utf-8", "surrogatepass")

    def push(self, x: Any) -> None:
        self.stack.append(x)


# ---------------------------------------------------------------- what each opcode does

Action = Callable[[WeightsUnpickler], None]


def _proto(u: WeightsUnpickler) -> None:
    version = u.source.read(1)[0]
    if not 0 <= version <= 5:
        raise UnpicklingError(f"unsupported pickle protocol: {version}")


def _global(u: WeightsUnpickler) -> None:
    module = u.source.readline()
    name = u.source.readline()
    u.push(resolve(module, name))


def _stack_global(u: WeightsUnpickler) -> None:
    name, module = u.pop(), u.pop()
    if type(name) is not str or type(module) is not str:
        raise UnpicklingError("STACK_GLOBAL requires str")
    u.push(resolve(module, name))


def _newobj(u: WeightsUnpickler) -> None:
    args, cls = u.pop(), u.pop()
    if type(args) is not tuple:
        raise UnpicklingError("NEWOBJ expects a tuple of arguments")
    if isinstance(cls, type) and safe.is_added(cls):
        u.push(cls.__new__(cls, *args))
    elif cls is OrderedDict and not args:
        u.push(OrderedDict())
    elif cls is set and not args:
        u.push(set())
    else:
        raise UnpicklingError("Can not create new object for nonallowlisted class "
                              f"{_named(cls)}")


def _reduce(u: WeightsUnpickler) -> None:
    args, fn = u.pop(), u.pop()
    if type(args) is not tuple:
        raise UnpicklingError("REDUCE expects a tuple of arguments")
    if not safe.is_added(fn):
        check_call(fn, args)
    u.push(fn(*args))


def _named(obj: Any) -> str:
    if isinstance(obj, type) or callable(obj):
        return safe.full_name(obj)
    return f"an object of type {type(obj).__name__}"


def _build(u: WeightsUnpickler) -> None:
    state = u.pop()
    obj = u.top()
    if safe.is_added(type(obj)):
        _set_state(obj, state)
        return
    if type(obj) is OrderedDict:
        if type(state) is not dict:
            raise UnpicklingError("the state of an OrderedDict must be a dict")
        for key in state:
            if type(key) is not str or hasattr(OrderedDict, key):
                raise UnpicklingError(f"BUILD may not set OrderedDict.{key}")
        obj.__dict__.update(state)
        return
    raise UnpicklingError("Can only build OrderedDict or types allowlisted via "
                          f"`add_safe_globals`, but got {_named(type(obj))}")


def _set_state(obj: Any, state: Any) -> None:
    """What pickle does for an object of a class that the user allowed."""
    setter = getattr(obj, "__setstate__", None)
    if setter is not None:
        setter(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        obj.__dict__.update(state)
    for name, value in (slots or {}).items():
        setattr(obj, name, value)


def _append(u: WeightsUnpickler) -> None:
    item = u.pop()
    target = u.top()
    if type(target) is not list:
        raise UnpicklingError(f"Can only append to lists, but got {type(target).__name__}")
    target.append(item)


def _appends(u: WeightsUnpickler) -> None:
    items = u.marked()
    target = u.top()
    if type(target) is not list:
        raise UnpicklingError(f"Can only extend lists, but got {type(target).__name__}")
    target.extend(items)


def _put_items(target: Any, items: list[Any]) -> None:
    if type(target) not in (dict, OrderedDict, Counter) and not safe.is_added(type(target)):
        raise UnpicklingError(f"Can only set items of dicts, but got {type(target).__name__}")
    if len(items) % 2:
        raise UnpicklingError("a dict got a key without a value")
    for i in range(0, len(items), 2):
        check_key(items[i])
        target[items[i]] = items[i + 1]


def _setitem(u: WeightsUnpickler) -> None:
    value, key = u.pop(), u.pop()
    _put_items(u.top(), [key, value])


def _setitems(u: WeightsUnpickler) -> None:
    items = u.marked()
    _put_items(u.top(), items)


def _additems(u: WeightsUnpickler) -> None:
    items = u.marked()
    target = u.top()
    if type(target) is not set:
        raise UnpicklingError(f"Can only add to sets, but got {type(target).__name__}")
    for x in items:
        check_key(x)
        target.add(x)


def _dict(u: WeightsUnpickler) -> None:
    items = u.marked()
    made: dict[Any, Any] = {}
    _put_items(made, items)
    u.push(made)


def _tuple(n: int) -> Action:
    def make(u: WeightsUnpickler) -> None:
        items = [u.pop() for _ in range(n)]
        u.push(tuple(reversed(items)))

    return make


def _get(form: str, n: int) -> Action:
    def get(u: WeightsUnpickler) -> None:
        i = u.number(form, n)
        if i not in u.memo:
            raise UnpicklingError(f"Memo value not found at index {i}")
        u.push(u.memo[i])

    return get


def _put(form: str, n: int) -> Action:
    def put(u: WeightsUnpickler) -> None:
        u.memo[u.number(form, n)] = u.top()

    return put


def _memoize(u: WeightsUnpickler) -> None:
    u.memo[len(u.memo)] = u.top()


def _persid(u: WeightsUnpickler) -> None:
    pid = u.pop()
    if u.persistent is None:
        raise UnpicklingError("A load persistent id instruction was encountered, but no "
                              "persistent_load function was specified.")
    if type(pid) is tuple and pid and pid[0] == "module":
        raise UnpicklingError("Only persistent_load of storage is allowed, but got module")
    u.push(u.persistent(pid))


def _string(form: str, n: int) -> Action:
    """A str of Python 2."""
    def string(u: WeightsUnpickler) -> None:
        size = u.number(form, n)
        data = u.source.read(size)
        u.push(data if u.encoding == "bytes" else data.decode(u.encoding))

    return string


def _long(form: str, n: int) -> Action:
    return lambda u: u.push(int.from_bytes(u.source.read(u.number(form, n)), "little",
                                           signed=True))


def _text(form: str, n: int) -> Action:
    return lambda u: u.push(u.text(u.number(form, n)))


def _bytes(form: str, n: int) -> Action:
    return lambda u: u.push(u.source.read(u.number(form, n)))


def _pop(u: WeightsUnpickler) -> None:
    if not u.stack:
        raise UnpicklingError("the pickle takes from an empty stack")
    u.stack.pop()


ACTIONS: dict[int, Action] = {code[0]: action for code, action in {
    pickle.PROTO: _proto,
    pickle.FRAME: lambda u: u.number("<Q", 8) and None,
    pickle.GLOBAL: _global, pickle.STACK_GLOBAL: _stack_global,
    pickle.NEWOBJ: _newobj, pickle.REDUCE: _reduce, pickle.BUILD: _build,
    pickle.APPEND: _append, pickle.APPENDS: _appends,
    pickle.SETITEM: _setitem, pickle.SETITEMS: _setitems, pickle.ADDITEMS: _additems,
    pickle.MARK: lambda u: u.push(MARK), pickle.POP: _pop,
    pickle.POP_MARK: lambda u: u.marked() and None,
    pickle.TUPLE: lambda u: u.push(tuple(u.marked())),
    pickle.TUPLE1: _tuple(1), pickle.TUPLE2: _tuple(2), pickle.TUPLE3: _tuple(3),
    pickle.EMPTY_TUPLE: lambda u: u.push(()), pickle.EMPTY_LIST: lambda u: u.push([]),
    pickle.EMPTY_DICT: lambda u: u.push({}), pickle.EMPTY_SET: lambda u: u.push(set()),
    pickle.LIST: lambda u: u.push(u.marked()), pickle.DICT: _dict,
    pickle.NONE: lambda u: u.push(None), pickle.NEWTRUE: lambda u: u.push(True),
    pickle.NEWFALSE: lambda u: u.push(False),
    pickle.BININT: lambda u: u.push(u.number("<i", 4)),
    pickle.BININT1: lambda u: u.push(u.number("<B", 1)),
    pickle.BININT2: lambda u: u.push(u.number("<H", 2)),
    pickle.BINFLOAT: lambda u: u.push(u.number(">d", 8)),
    pickle.LONG1: _long("<B", 1), pickle.LONG4: _long("<i", 4),
    pickle.BINUNICODE: _text("<I", 4), pickle.SHORT_BINUNICODE: _text("<B", 1),
    pickle.BINUNICODE8: _text("<Q", 8),
    pickle.BINBYTES: _bytes("<I", 4), pickle.SHORT_BINBYTES: _bytes("<B", 1),
    pickle.BINBYTES8: _bytes("<Q", 8),
    pickle.BYTEARRAY8: lambda u: u.push(bytearray(u.source.read(u.number("<Q", 8)))),
    pickle.SHORT_BINSTRING: _string("<B", 1), pickle.BINSTRING: _string("<i", 4),
    pickle.BINGET: _get("<B", 1), pickle.LONG_BINGET: _get("<I", 4),
    pickle.BINPUT: _put("<B", 1), pickle.LONG_BINPUT: _put("<I", 4), pickle.MEMOIZE: _memoize,
    pickle.BINPERSID: _persid,
}.items()}

__all__ = ["Bounded", "UnpicklingError", "WeightsUnpickler", "resolve"]
