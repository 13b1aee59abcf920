"""Writes objects as PyTorch's pickles: storages apart from the rest, our classes under its names.

In: any object. Out: `data.pkl` and the storages it names, in the order of their keys.
"""
from __future__ import annotations

import pickle
from typing import Any

from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.constants import layout, memory_format
from ..tensor.storage import Storage
from ..tensor.storages import LEGACY, TypedStorage, UntypedStorage
from .devices import location_tag
from .names import layout_of_name, torch_name


class Storages:
    """Gives every cell its key, and remembers under which type it was saved."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        self.cells: list[Storage] = []
        self.kinds: dict[int, Any] = {}

    def persistent_id(self, obj: Any) -> tuple[Any, ...] | None:
        """What stands for a storage in the pickle."""
        if isinstance(obj, TypedStorage):
            kind, count = obj.dtype, obj.size()
            cls = type(obj) if type(obj) is not TypedStorage else _class_of(kind)
        elif isinstance(obj, UntypedStorage):
            kind, count, cls = None, obj.nbytes(), UntypedStorage
        else:
            return None
        cell = obj._cell
        before = self.kinds.setdefault(id(cell), kind)
        if before is not kind:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data "
                               "as different types")
        key = self.keys.get(id(cell))
        if key is None:
            key = self.keys[id(cell)] = str(len(self.cells))
            self.cells.append(cell)
        return "storage", cls, key, location_tag(obj), count


def _class_of(kind: DType) -> Any:
    from ..tensor.storages import BY_DTYPE
    if kind not in LEGACY:
        raise RuntimeError(f"no storage class for {kind}")
    return BY_DTYPE[kind]


# typeshed does not know the pure-Python pickler.
_Python: Any = pickle._Pickler


class TorchPickler(_Python):  # type: ignore[misc]
    """The pure-Python pickler: the C one would insist on importing what it names."""

    def __init__(self, file: Any, protocol: int, storages: Any) -> None:
        super().__init__(file, protocol)
        self.storages = storages

    def persistent_id(self, obj: Any) -> Any:
        return self.storages.persistent_id(obj)

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (DType, memory_format)):
            return obj.name
        if isinstance(obj, layout):
            return layout_of_name, (repr(obj),)
        return NotImplemented

    def save_global(self, obj: Any, name: str | None = None) -> None:
        found = torch_name(obj)
        if found is None:
            super().save_global(obj, name)
            return
        module, name = found
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)

    dispatch = dict(_Python.dispatch)


def _save_type(self: TorchPickler, obj: Any) -> None:
    if obj in (type(None), type(NotImplemented), type(...)):
        self.save_reduce(type, ((None if obj is type(None) else NotImplemented
                                 if obj is type(NotImplemented) else ...),), obj=obj)
        return
    self.save_global(obj)


def _save_function(self: TorchPickler, obj: Any) -> None:
    self.save_global(obj)


TorchPickler.dispatch[type] = _save_type
TorchPickler.dispatch[type(_save_function)] = _save_function


def foreign_pickler(module: Any, file: Any, protocol: int, storages: Storages) -> Any:
    """A pickler of a `pickle_module` that the user chose (dill, cloudpickle)."""
    class Pickler(module.Pickler):  # type: ignore[misc]
        def persistent_id(self, obj: Any) -> Any:
            return storages.persistent_id(obj)

    return Pickler(file, protocol)


__all__ = ["Storages", "TorchPickler", "foreign_pickler"]
