"""Element types and PyTorch's promotion lattice.

In: nothing. Out: `dtype` objects (`float32`, …) used by every package, and `promote_types`.
"""
from __future__ import annotations

import ml_dtypes
import numpy as np


class dtype:  # noqa: N801 - PyTorch's name
    """An element type: `name`, its NumPy twin, its size in bytes and its kind (b, u, i, f or c)."""

    __slots__ = ("name", "numpy", "itemsize", "kind", "is_floating_point", "is_complex",
                 "is_signed", "rank", "llvm", "__weakref__")

    name: str
    numpy: np.dtype
    itemsize: int
    kind: str
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    rank: int
    llvm: str

    def __init__(self, name: str, numpy: np.dtype, kind: str, rank: int, llvm: str) -> None:
        self.name = name
        self.numpy = numpy
        self.itemsize = numpy.itemsize
        self.kind = kind
        self.is_floating_point = kind == "f"
        self.is_complex = kind == "c"
        self.is_signed = kind in "ifc"
        self.rank = rank
        self.llvm = llvm

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return "bool_" if self.name == "bool" else self.name

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: object) -> dtype:
        return self

    def to_complex(self) -> dtype:
        """The complex type whose parts have this type (torch.dtype.to_complex)."""
        return {"float64": complex128, "float32": complex64, "complex128": complex128}.get(
            self.name, complex64)

    def to_real(self) -> dtype:
        """The type of the parts of a complex type; itself when real (torch.dtype.to_real)."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)


# rank orders a kind by width; `llvm` is the type of one element in memory.
bool_ = dtype("bool", np.dtype(np.bool_), "b", 0, "i8")
uint8 = dtype("uint8", np.dtype(np.uint8), "u", 1, "i8")
int8 = dtype("int8", np.dtype(np.int8), "i", 1, "i8")
int16 = dtype("int16", np.dtype(np.int16), "i", 2, "i16")
int32 = dtype("int32", np.dtype(np.int32), "i", 3, "i32")
int64 = dtype("int64", np.dtype(np.int64), "i", 4, "i64")
uint16 = dtype("uint16", np.dtype(np.uint16), "u", 2, "i16")
uint32 = dtype("uint32", np.dtype(np.uint32), "u", 3, "i32")
uint64 = dtype("uint64", np.dtype(np.uint64), "u", 4, "i64")
float16 = dtype("float16", np.dtype(np.float16), "f", 1, "half")
bfloat16 = dtype("bfloat16", np.dtype(ml_dtypes.bfloat16), "f", 1, "bfloat")
float32 = dtype("float32", np.dtype(np.float32), "f", 2, "float")
float64 = dtype("float64", np.dtype(np.float64), "f", 3, "double")
complex64 = dtype("complex64", np.dtype(np.complex64), "c", 2, "float")
complex128 = dtype("complex128", np.dtype(np.complex128), "c", 3, "double")

# Names that programs compare with and tables map to. Nothing computes with them: LLVM has no such
# types, so a program over them is refused when it is compiled.
float8_e4m3fn = dtype("float8_e4m3fn", np.dtype(ml_dtypes.float8_e4m3fn), "f", 0, "float8")
float8_e5m2 = dtype("float8_e5m2", np.dtype(ml_dtypes.float8_e5m2), "f", 0, "float8")
float8_e4m3fnuz = dtype("float8_e4m3fnuz", np.dtype(ml_dtypes.float8_e4m3fnuz), "f", 0, "float8")
float8_e5m2fnuz = dtype("float8_e5m2fnuz", np.dtype(ml_dtypes.float8_e5m2fnuz), "f", 0, "float8")
float8_e8m0fnu = dtype("float8_e8m0fnu", np.dtype(ml_dtypes.float8_e8m0fnu), "f", 0, "float8")
complex32 = dtype("complex32", np.dtype("V4"), "c", 1, "half2")

ALL = (bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64,
       float16, bfloat16, float32, float64, complex64, complex128)
BY_NAME = {d.name: d for d in ALL}
BY_NUMPY = {d.numpy: d for d in ALL}
KIND_ORDER = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest type of the lattice that holds both (torch.promote_types)."""
    if a is b:
        return a
    found = _PROMOTED.get((a, b))
    if found is None:
        raise RuntimeError(f"Promotion for {_scalar(a)}, {_scalar(b)} is not supported")
    return found


def _scalar(d: dtype) -> str:
    return d.name


def _promote(a: dtype, b: dtype) -> dtype | None:
    if KIND_ORDER[a.kind] > KIND_ORDER[b.kind]:
        a, b = b, a
    if a.kind == "b":
        return b
    if b.kind == "c":
        if a.kind == "f" and a.rank == 3 or a.kind == "c" and a.rank == 3:
            return complex128
        return b
    if b.kind == "f":
        if a.kind != "f":
            return b
        if a.rank == b.rank:
            return float32 if a is not b else a
        return a if a.rank > b.rank else b
    if a.kind == b.kind:
        return a if a.rank >= b.rank else b
    unsigned, signed = (a, b) if a.kind == "u" else (b, a)
    if signed.rank > unsigned.rank:
        return signed
    # PyTorch refuses these from uint16 on; here they are what the array API standard says.
    return {1: int16, 2: int32, 3: int64}.get(unsigned.rank)


_PROMOTED = {(a, b): r for a in ALL for b in ALL if (r := _promote(a, b)) is not None}
