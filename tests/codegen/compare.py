"""Run a kernel as machine code and by the interpreter, and compare."""
from __future__ import annotations

import ctypes
from collections.abc import Mapping

import numpy as np

from flambeau.codegen import cpu
from flambeau.core.dtype import dtype
from flambeau.kernel.interpret import interpret
from flambeau.kernel.loopnest import Buffer, Call, Kernel, Value

SIZES = (1, 3, 7, 16, 31, 64, 100, 257)


def run(kernel: Kernel, arrays: Mapping[Buffer, np.ndarray]) -> dict[Buffer, np.ndarray]:
    """Fresh copies of the arrays after the compiled kernel."""
    out = {b: np.array(a, copy=True) for b, a in arrays.items()}
    table = (ctypes.c_void_p * (1 + max(b.slot for b in out)))()
    for b, a in out.items():
        table[b.slot] = a.ctypes.data - b.offset
    cpu.compile_program(kernel.name, [kernel]).run(table)
    return out


def expect(kernel: Kernel, arrays: Mapping[Buffer, np.ndarray]) -> dict[Buffer, np.ndarray]:
    """Fresh copies of the arrays after the interpreted kernel."""
    out = {b: np.array(a, copy=True) for b, a in arrays.items()}
    interpret(kernel, out)
    return out


def check(kernel: Kernel, arrays: Mapping[Buffer, np.ndarray], rtol: float = 0.0,
          atol: float = 0.0) -> None:
    """Machine code and interpreter agree in every buffer; exactly unless told otherwise."""
    got, want = run(kernel, arrays), expect(kernel, arrays)
    for b in arrays:
        x, y = comparable(got[b]), comparable(want[b])
        np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, equal_nan=True,
                                   err_msg=f"{kernel.name}: {b.name}")


def comparable(x: np.ndarray) -> np.ndarray:
    """Small floats as float32: NumPy cannot compare bfloat16 closely."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def call(op: str, *args: Value, dtype: dtype | None = None) -> Call:
    """A Call whose result has the type of its last argument unless told otherwise."""
    return Call(op, args, dtype or args[-1].dtype)


def sample(d: dtype, n: int, seed: int = 0, special: bool = True) -> np.ndarray:
    """Values of every kind: for floats zeros, infinities, NaN and denormals too."""
    rng = np.random.default_rng(seed)
    if d.kind == "b":
        return rng.random(n) < 0.5
    if d.kind in "iu":
        info = np.iinfo(d.numpy)
        x = rng.integers(info.min, info.max, n, dtype=d.numpy, endpoint=True)
        x[::3] = rng.integers(0, 7, x[::3].size).astype(d.numpy)
        if special and n > 4:
            x[1], x[2], x[4] = info.min, info.max, 0
        return x
    x = (rng.standard_normal(n) * 3).astype(np.float32).astype(d.numpy)
    if special and n > 8:
        for k, v in enumerate((0.0, -0.0, np.inf, -np.inf, np.nan, 1e-41, 0.5, 1.5)):
            x[k] = v
    return x
