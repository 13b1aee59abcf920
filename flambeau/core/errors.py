"""Words that several packages' errors share, and the exceptions PyTorch gives a name.

In: nothing. Out: exception types and PyTorch's names of dtypes in messages.
"""
from __future__ import annotations

from .dtype import dtype

SCALAR_NAMES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
    "int64": "Long", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
    "float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double",
    "complex64": "ComplexFloat", "complex128": "ComplexDouble",
}


class OutOfMemoryError(RuntimeError):
    """Memory for a tensor could not be had (torch.OutOfMemoryError)."""


class AcceleratorError(RuntimeError):
    """A device failed (torch.AcceleratorError); never raised on the CPU."""


def scalar_name(kind: dtype) -> str:
    """`Float` for float32, as PyTorch writes dtypes in messages."""
    return SCALAR_NAMES[kind.name]


_CPP_NAMES = {"float32": "float", "float64": "double", "float16": "c10::Half", "int32": "int",
              "bfloat16": "c10::BFloat16", "complex64": "c10::complex<float>",
              "complex128": "c10::complex<double>", "bool": "bool"}


_CPP_WORDS = {"int8": "signed char", "uint8": "unsigned char", "int16": "short", "int32": "int",
              "int64": "long"}


def cpp_name(kind: dtype) -> str:
    """The type in C++, as some messages write it: `float`, `long`, `unsigned char`."""
    return _CPP_WORDS.get(kind.name) or _CPP_NAMES.get(kind.name, kind.name)


def overflow(kind: dtype) -> RuntimeError:
    """The error for a number that a type cannot hold; PyTorch names the type of C++."""
    name = _CPP_NAMES.get(kind.name, f"{kind.name}_t")
    return RuntimeError(f"value cannot be converted to type {name} without overflow")


def type_string(kind: dtype) -> str:
    """`torch.FloatTensor`, the legacy name of a CPU tensor's type."""
    return f"torch.{SCALAR_NAMES[kind.name]}Tensor"


class NotBatched(Exception):
    """The value of one sample was asked for while a function is recorded for a batch of them."""


class LinAlgError(RuntimeError):
    """A matrix does not allow what was asked (torch.linalg.LinAlgError)."""


LinAlgError.__name__ = "_LinAlgError"           # as PyTorch's is called in tracebacks
