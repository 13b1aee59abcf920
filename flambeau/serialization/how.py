"""How one file is read: the arguments of a `load`, and the checks both formats share.

In: `read.load`. Out: `How`, which unpickles, and the parts of a storage's name, checked.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtype import dtype as DType  # noqa: N812
from ..tensor.storages import TypedStorage, UntypedStorage
from .devices import Restore
from .names import find, is_torch
from .unpickler import Bounded, UnpicklingError, WeightsUnpickler

SIMPLE = "Weights only load failed. "
ADVICE = ("This file can still be loaded, to do so you have two options, do those steps only if "
          "you trust the source of the checkpoint.\n"
          "\t(1) Pass `weights_only=False` to `torch.load`: that runs whatever code the file "
          "names.\n\t(2) Keep `weights_only=True` and follow this message.\n\t")


class How:
    """The arguments of one `load`."""

    __slots__ = ("args", "module", "restore", "weights_only")

    def __init__(self, restore: Restore, weights_only: bool, module: Any, args: dict[str, Any],
                 ) -> None:
        self.restore = restore
        self.weights_only = weights_only
        self.module = module
        self.args = args

    def unpickle(self, source: Bounded, persistent: Any = None) -> Any:
        """The next pickle of a file."""
        if not self.weights_only:
            return trusting(source, self.module, persistent, self.args).load()
        try:
            return WeightsUnpickler(source, persistent, self.args["encoding"]).load()
        except UnpicklingError as error:
            raise UnpicklingError(_explained(str(error))) from None
        except (EOFError, RuntimeError, NotImplementedError, AssertionError):
            raise
        except Exception as error:      # a damaged pickle makes anything fail anywhere
            raise UnpicklingError(_explained(f"{type(error).__name__}: {error}")) from None


def _explained(text: str) -> str:
    if text.startswith("Unsupported global"):
        return f"{SIMPLE}{ADVICE}WeightsUnpickler error: {text}"
    return f"{SIMPLE}\nWeightsUnpickler error: {text}"


def trusting(source: Any, module: Any, persistent: Any, args: dict[str, Any]) -> Any:
    """An unpickler that makes anything, with PyTorch's names read as ours."""
    class Unpickler(module.Unpickler):  # type: ignore[misc]
        def persistent_load(self, pid: Any) -> Any:
            if persistent is None:
                raise UnpicklingError("the pickle names a storage where none can be")
            return persistent(pid)

        def find_class(self, name: str, attr: str) -> Any:
            if is_torch(name):
                return find(name, attr)
            return super().find_class(name, attr)

    return Unpickler(_Lines(source), **args)


class _Lines:
    """A bounded file as `pickle` wants it."""

    def __init__(self, source: Bounded) -> None:
        self.source = source
        self.read = source.read

    def readline(self) -> bytes:
        return self.source.readline().encode() + b"\n"


def swap(memory: np.ndarray[Any, Any], kind: DType) -> None:
    """Turn the bytes of each number round."""
    width = kind.itemsize // 2 if kind.kind == "c" else kind.itemsize
    if width > 1:
        memory.view(f"u{width}").byteswap(inplace=True)


def checked_pid(pid: Any) -> tuple[Any, str, str, int]:
    """Class, key, location and number of elements, all of the right kinds."""
    if type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage":
        raise RuntimeError("Unknown typename for persistent_load, expected 'storage'")
    cls, key, location, count = pid[1:5]
    if cls is not UntypedStorage and not (isinstance(cls, type) and issubclass(cls, TypedStorage)
                                          and cls.kind is not None):
        raise RuntimeError("a storage of an unknown class in the file")
    if type(key) is not str or type(location) is not str or type(count) is not int or count < 0:
        raise RuntimeError("a storage in the file has a key, location or size of a wrong kind")
    return cls, key, location, count


def typed(storage: Any, kind: DType | None) -> Any:
    """A loaded storage as what tensors are rebuilt from."""
    if isinstance(storage, TypedStorage):
        storage = storage.untyped()
    if not isinstance(storage, UntypedStorage):
        raise RuntimeError(f"map_location gave an object of type {type(storage).__name__}, "
                           "expected a storage")
    return storage if kind is None else TypedStorage(wrap_storage=storage, dtype=kind)
