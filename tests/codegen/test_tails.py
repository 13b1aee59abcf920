"""No kernel writes behind its last element, whatever is left for the last vector."""
from __future__ import annotations

import ctypes

import numpy as np
import pytest

from flambeau.codegen import cpu
from flambeau.core.dtype import bfloat16, bool_, float16, float32, int8, int16, int32, int64
from flambeau.core.symbol import Var, of
from flambeau.kernel.loopnest import Buffer, Cast, Kernel, Load, Loop, Store

GUARD = 0xA5
PAIRS = [(float32, bfloat16), (float32, float16), (int32, int16), (int32, int8), (int64, int32),
         (int64, int8), (int16, int8), (float32, bool_), (int8, int64)]


@pytest.mark.parametrize("source, target", PAIRS, ids=lambda d: d.name)
def test_narrowing_stores_stay_inside(source, target):
    for n in (*range(1, 36), 65, 129, 257):
        x, y = Buffer("x", 0, source, n), Buffer("y", 1, target, n)
        i = Var("i", n)
        store = Store(y, of(i), Cast(Load(x, of(i), source), target))
        kernel = Kernel("cast", (x, y), (), (Loop(i, "vector", (store,)),))
        data = (np.arange(n) % 100).astype(source.numpy)
        memory = np.full(n * target.itemsize + 64, GUARD, np.uint8)
        slots = (ctypes.c_void_p * 2)(data.ctypes.data, memory.ctypes.data)
        cpu.compile_program("cast", [kernel]).run(slots)
        out = memory[:n * target.itemsize].view(target.numpy)
        np.testing.assert_array_equal(out, data.astype(target.numpy), f"{n}")
        assert (memory[n * target.itemsize:] == GUARD).all(), n
