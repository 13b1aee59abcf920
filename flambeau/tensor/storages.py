"""The storage objects that programs see: `UntypedStorage` (bytes) and `TypedStorage` (elements).

In: tensors' cells (`tensor/storage.Storage`). Out: objects with PyTorch's methods over the same
cell, and the legacy classes (`FloatStorage`, ...) that files name.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtype as dt
from ..core.device import CPU, META, check_device
from ..core.device import device as Device  # noqa: N812
from ..core.dtype import dtype as DType  # noqa: N812
from ..core.layout import Layout, contiguous_stride
from ..graph.primitive import spec
from ..runtime.buffer import Buffer
from . import functionalize as f
from . import pinning
from .storage import INFERENCE, Storage
from .tensor import Tensor, method

Array = np.ndarray[Any, Any]

# The legacy names of element types, by which files know them.
LEGACY = {
    dt.float64: "Double", dt.float32: "Float", dt.float16: "Half", dt.bfloat16: "BFloat16",
    dt.int64: "Long", dt.int32: "Int", dt.int16: "Short", dt.int8: "Char", dt.uint8: "Byte",
    dt.bool_: "Bool", dt.complex64: "ComplexFloat", dt.complex128: "ComplexDouble",
}


# ---------------------------------------------------------------- cells


def make_cell(nbytes: int, kind: DType) -> Storage:
    """A fresh cell of that many bytes, contents undefined."""
    count = nbytes // kind.itemsize
    return Storage(pinning.buffer_node(Buffer(nbytes), (count,), kind))


def cell_of_array(array: Array, kind: DType) -> Storage:
    """A cell over a private contiguous array of bytes, which it keeps."""
    buffer = Buffer.from_numpy(array)
    return Storage(pinning.buffer_node(buffer, (array.nbytes // kind.itemsize,), kind))


def meta_cell(nbytes: int, kind: DType) -> Storage:
    """A storage with a size and no memory."""
    return Storage(spec((nbytes // kind.itemsize,), kind), META)


def nbytes_of(cell: Storage) -> int:
    """The bytes of a storage."""
    return cell.value.size * cell.value.dtype.itemsize


def bytes_of(cell: Storage) -> Array:
    """The cell's bytes as a flat uint8 array, computed now; not to be written to."""
    if cell.device is META:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    node = cell.value if cell.pin is None else pinning.current(cell)
    return pinning.array_of(node).reshape(-1).view(np.uint8)


def retype(cell: Storage, kind: DType) -> None:
    """Let a cell of plain bytes hold elements of a type from now on."""
    value = cell.value
    if value.dtype is kind:
        return
    nbytes = nbytes_of(cell)
    if value.dtype is not dt.uint8 or nbytes % kind.itemsize:
        raise RuntimeError(f"a storage of {nbytes} bytes that holds {value.dtype} cannot be viewed "
                           f"as {kind}")
    shape = (nbytes // kind.itemsize,)
    if cell.device is META:
        cell.value = spec(shape, kind)
    elif value.value is None:
        raise RuntimeError(f"a storage in use as {value.dtype} cannot be viewed as {kind}")
    else:
        cell.value = pinning.buffer_node(value.value, shape, kind)


def tensor_over(cell: Storage, shape: tuple[int, ...], stride: tuple[int, ...], offset: int,
                kind: DType) -> Tensor:
    """A plain tensor that looks at a cell; sizes, strides and offset are checked against it."""
    for what, numbers in (("size", shape), ("stride", stride), ("storage_offset", (offset,))):
        for n in numbers:
            if type(n) is not int:
                raise TypeError(f"{what} must consist of ints, but got {type(n).__name__}")
    if len(shape) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: {len(stride)} strides for "
                           f"{len(shape)} dimensions")
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: "
                           f"{list(shape)}")
    if any(s < 0 for s in stride):
        raise RuntimeError("Negative strides are not supported at the moment, got strides: "
                           f"{list(stride)}")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    layout = Layout(shape, stride, offset)
    retype(cell, kind)
    if layout.span > cell.value.size or layout.numel >= 1 << 63 or offset >= 1 << 63:
        raise RuntimeError(
            f"setStorage: sizes {list(shape)}, strides {list(stride)}, storage offset {offset}, "
            f"and itemsize {kind.itemsize} requiring a storage size of "
            f"{layout.span * kind.itemsize} are out of bounds for storage of size "
            f"{nbytes_of(cell)}")
    t = f.wrap(cell.value, cell.device)
    t._storage = cell
    if t._counter is not INFERENCE:
        t._counter = cell
    whole = (offset == 0 and layout.numel == cell.value.size
             and layout.stride == contiguous_stride(shape))
    t._shape = shape
    t._layout = None if whole else layout
    return t


# ---------------------------------------------------------------- bytes


class UntypedStorage:
    """The bytes under a tensor. `UntypedStorage(n)` makes n; `UntypedStorage([1, 2])` these."""

    __slots__ = ("__weakref__", "_cell")
    __module__ = "torch.storage"

    def __init__(self, *args: Any, device: Any = None) -> None:
        place = CPU if device is None else check_device(device)
        given = args[0] if args else 0
        if isinstance(given, int):
            cell = meta_cell(given, dt.uint8) if place is META else make_cell(given, dt.uint8)
        else:
            cell = cell_of_array(np.array(list(given), np.uint8), dt.uint8)
        self._cell = cell

    @classmethod
    def from_file(cls, filename: str, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first `nbytes` of a file, as private memory; sharing writes is not supported."""
        if shared:
            raise RuntimeError("flambeau's storages do not write to files: shared must be False")
        found = np.fromfile(filename, np.uint8, nbytes)
        if found.size < nbytes:
            raise RuntimeError(f"unable to read {nbytes} bytes: {filename} has {found.size}")
        return cls._of(cell_of_array(found, dt.uint8))

    @classmethod
    def _of(cls, cell: Storage) -> UntypedStorage:
        made = object.__new__(cls)
        made._cell = cell
        return made

    @property
    def device(self) -> Device:
        return self._cell.device

    @property
    def dtype(self) -> DType:
        return dt.uint8

    @property
    def _cdata(self) -> int:
        return id(self._cell)

    is_cuda = False
    is_sparse = False

    def nbytes(self) -> int:
        return nbytes_of(self._cell)

    def size(self) -> int:
        return nbytes_of(self._cell)

    __len__ = size

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def element_size(self) -> int:
        return 1

    def untyped(self) -> UntypedStorage:
        return self

    def data_ptr(self) -> int:
        if self._cell.device is META or not self.nbytes():
            return 0
        return pinning.expose(self._cell).buffer.address

    def _flat(self) -> Tensor:
        """The storage as a tensor of its elements."""
        value = self._cell.value
        return tensor_over(self._cell, (value.size,), (1,), 0, value.dtype)

    def _memory(self) -> Array:
        return bytes_of(self._cell)

    def __getitem__(self, key: Any) -> Any:
        found = self._memory()[key]
        if isinstance(key, slice):
            return UntypedStorage._of(cell_of_array(np.array(found), dt.uint8))
        return int(found)

    def __setitem__(self, key: Any, value: Any) -> None:
        array = np.array(self._memory())
        array[key] = value
        self._put(array)

    def _put(self, array: Array) -> None:
        """Replace all bytes."""
        kind = self._cell.value.dtype
        source = Tensor._from_array(array.view(kind.numpy), kind)  # type: ignore[attr-defined]
        f.store(self._flat(), f.read(source))

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        return self._memory().tolist()

    def __bytes__(self) -> bytes:
        return self._memory().tobytes()

    def clone(self) -> UntypedStorage:
        return UntypedStorage._of(cell_of_array(np.array(self._memory()), dt.uint8))

    def copy_(self, source: Any, non_blocking: bool = False) -> UntypedStorage:
        if source.nbytes() != self.nbytes():
            raise RuntimeError("size mismatch in copy_ of storages")
        self._put(np.array(bytes_of(source._cell)))
        return self

    def fill_(self, value: int) -> UntypedStorage:
        self._put(np.full(self.nbytes(), value, np.uint8))
        return self

    def cpu(self) -> UntypedStorage:
        return self

    def cuda(self, device: Any = None, non_blocking: bool = False) -> UntypedStorage:
        raise AssertionError("Torch not compiled with CUDA enabled")

    def to(self, *, device: Any, non_blocking: bool = False) -> UntypedStorage:
        place = check_device(device)
        if place is self._cell.device:
            return self
        return UntypedStorage._of(meta_cell(self.nbytes(), self._cell.value.dtype))

    def is_shared(self) -> bool:
        return False

    def is_pinned(self, device: Any = "cuda") -> bool:
        return False

    def share_memory_(self) -> UntypedStorage:
        return self

    def pin_memory(self, device: Any = "cuda") -> UntypedStorage:
        return self

    def resize_(self, size: int) -> UntypedStorage:
        kind = self._cell.value.dtype
        array = np.zeros(size, np.uint8)
        have = self._memory()[:size]
        array[:len(have)] = have
        self._cell.value = cell_of_array(array, kind).value
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and other._cell is self._cell

    def __hash__(self) -> int:
        return hash(id(self._cell))

    def __repr__(self) -> str:
        head = f"[torch.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"
        if self.device is META:
            return "...\n" + head
        return "".join(f" {x}\n" for x in self.tolist()) + head

    def __deepcopy__(self, memo: dict[int, Any]) -> UntypedStorage:
        cell = memo.get(id(self._cell))
        if cell is None:
            kind = self._cell.value.dtype
            cell = memo[id(self._cell)] = cell_of_array(np.array(self._memory()), kind)
        return UntypedStorage._of(cell)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild_storage, (self._cell,)


def rebuild_storage(cell: Storage) -> UntypedStorage:
    """The unpickled storage."""
    return UntypedStorage._of(cell)


def rebuild_cell(array: Array, name: str) -> Storage:
    """The unpickled cell."""
    return cell_of_array(np.ascontiguousarray(array), dt.BY_NAME[name])


def _reduce_cell(cell: Storage) -> tuple[Any, ...]:
    """Cells pickle (not the objects round them), so that what shares a cell still does."""
    if cell.device is META:
        return meta_cell, (nbytes_of(cell), cell.value.dtype)
    return rebuild_cell, (np.array(bytes_of(cell)), cell.value.dtype.name)


Storage.__reduce__ = _reduce_cell  # type: ignore[assignment,method-assign]


# ---------------------------------------------------------------- elements


class TypedStorage:
    """The elements under a tensor: an `UntypedStorage` and the type to read it with."""

    __slots__ = ("__weakref__", "_untyped_storage", "dtype")
    __module__ = "torch.storage"
    kind: Any = None

    def __init__(self, *args: Any, wrap_storage: Any = None, dtype: DType | None = None,
                 device: Any = None, _internal: bool = False) -> None:
        self.dtype: DType = self.kind or dtype or dt.float32
        if wrap_storage is not None:
            self._untyped_storage = wrap_storage
            return
        given = args[0] if args else 0
        if isinstance(given, int):
            cell = make_cell(given * self.dtype.itemsize, self.dtype)
        else:
            cell = cell_of_array(np.array(list(given), self.dtype.numpy), self.dtype)
        self._untyped_storage = UntypedStorage._of(cell)

    @property
    def _cell(self) -> Storage:
        return self._untyped_storage._cell

    @property
    def device(self) -> Device:
        return self._untyped_storage.device

    @property
    def _cdata(self) -> int:
        return self._untyped_storage._cdata

    is_cuda = False
    is_sparse = False

    def untyped(self) -> UntypedStorage:
        return self._untyped_storage

    def nbytes(self) -> int:
        return self._untyped_storage.nbytes()

    def size(self) -> int:
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def element_size(self) -> int:
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        return self._untyped_storage.data_ptr()

    def _array(self) -> Array:
        return bytes_of(self._cell).view(self.dtype.numpy)

    def tolist(self) -> list[Any]:
        array = self._array()
        return (array.astype(np.float32) if self.dtype is dt.bfloat16 else array).tolist()

    def __getitem__(self, key: Any) -> Any:
        found = self._array()[key]
        return found.item() if not isinstance(key, slice) else found.tolist()

    def __setitem__(self, key: Any, value: Any) -> None:
        array = np.array(self._array())
        array[key] = value
        self._untyped_storage._put(array.view(np.uint8))

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def fill_(self, value: Any) -> TypedStorage:
        self[:] = value
        return self

    def clone(self) -> TypedStorage:
        cell = cell_of_array(np.array(self._array()), self.dtype)
        return TypedStorage(wrap_storage=UntypedStorage._of(cell), dtype=self.dtype)

    def cpu(self) -> TypedStorage:
        return self

    def is_shared(self) -> bool:
        return False

    def share_memory_(self) -> TypedStorage:
        return self

    def pickle_storage_type(self) -> str:
        return f"{LEGACY[self.dtype]}Storage"

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, TypedStorage) and other._cell is self._cell
                and other.dtype is self.dtype)

    def __hash__(self) -> int:
        return hash(id(self._cell))

    def __repr__(self) -> str:
        head = (f"[torch.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size "
                f"{self.size()}]")
        return "".join(f" {x}\n" for x in self.tolist()) + head

    def __deepcopy__(self, memo: dict[int, Any]) -> TypedStorage:
        inner = self._untyped_storage.__deepcopy__(memo)
        return TypedStorage(wrap_storage=inner, dtype=self.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild_typed, (self._untyped_storage, self.dtype.name)


def rebuild_typed(untyped: UntypedStorage, name: str) -> TypedStorage:
    """A typed storage from what pickle wrote of it."""
    return TypedStorage(wrap_storage=untyped, dtype=dt.BY_NAME[name])


def _legacy_class(name: str, kind: DType) -> type[TypedStorage]:
    made = type(name, (TypedStorage,), {
        "__slots__": (), "kind": kind, "__module__": "torch",
        "__doc__": f"A storage of {kind.name} elements."})
    return made


CLASSES: dict[str, type[TypedStorage]] = {
    f"{word}Storage": _legacy_class(f"{word}Storage", kind) for kind, word in LEGACY.items()}
BY_DTYPE: dict[DType, type[TypedStorage]] = {cls.kind: cls for cls in CLASSES.values()}


# ---------------------------------------------------------------- of tensors


@method
def untyped_storage(self: Tensor) -> UntypedStorage:
    """The tensor's memory, as bytes."""
    return UntypedStorage._of(self._storage)


@method
def storage(self: Tensor) -> TypedStorage:
    """The tensor's memory, in its type."""
    return TypedStorage(wrap_storage=UntypedStorage._of(self._storage), dtype=self.dtype)


@method
def _typed_storage(self: Tensor) -> TypedStorage:
    return storage(self)


@method
def storage_type(self: Tensor) -> type[TypedStorage]:
    """The class of `storage()`."""
    return BY_DTYPE[self.dtype]


@method
def _from_array(array: Array, kind: DType) -> Tensor:
    """A plain tensor of a private array."""
    return f.wrap(pinning.array_node(array, kind))


Tensor._from_array = staticmethod(_from_array)  # type: ignore[attr-defined]


def is_storage(obj: Any, /) -> bool:
    """Whether `obj` is a storage object (torch.is_storage)."""
    return isinstance(obj, (UntypedStorage, TypedStorage))
