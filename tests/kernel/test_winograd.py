"""Winograd's schedule of 3x3 convolutions against NumPy in float64, for every kind of block."""
from __future__ import annotations

import ctypes

import numpy as np
import pytest

from flambeau.codegen import cpu
from flambeau.core.dtype import bfloat16, bool_, dtype, float32, int64
from flambeau.core.symbol import Index
from flambeau.kernel.cost import Machine
from flambeau.kernel.gemm import Contraction, Windows, contraction
from flambeau.kernel.interpret import interpret
from flambeau.kernel.loopnest import (
    Buffer,
    Call,
    Const,
    FromIndex,
    Kernel,
    Load,
    Stmt,
    Store,
    Value,
)
from flambeau.kernel.verify import verify
from flambeau.kernel.winograd import WinogradPlan, winograd_kernels, winograd_plan
from flambeau.runtime import threads

TAPS = 3


def _inside(y: Index, x: Index, high: int, wide: int) -> Call:
    tests = [Call(op, (FromIndex(i, int64), Const(bound, int64)), bool_)
             for i, end in ((y, high), (x, wide)) for op, bound in (("ge", 0), ("lt", end))]
    first, second = (Call("and", (a, b), bool_) for a, b in (tests[:2], tests[2:]))
    return Call("and", (first, second), bool_)


class Case:
    """images x channels x high x wide, padded by `pad`, to `outputs` channels; plus a bias."""

    def __init__(self, images: int, channels: int, outputs: int, high: int, wide: int, pad: int,
                 d: dtype = float32) -> None:
        self.x_shape, self.pad = (images, channels, high, wide), pad
        places = (high + 2 * pad - 2, wide + 2 * pad - 2)
        self.out_shape = (images, outputs, *places)
        rng = np.random.default_rng(0)
        sizes = (images * channels * high * wide, outputs * channels * 9, outputs)
        self.arrays = [rng.standard_normal(n).astype(t.numpy)
                       for n, t in zip(sizes, (d, d, float32))]
        self.arrays.append(np.full(int(np.prod(self.out_shape)), np.nan, "f4"))
        x, w, bias, out = (Buffer(name, k, d if k < 2 else float32, self.arrays[k].size)
                           for k, name in enumerate("xwbo"))

        def load(_b: Index, n: Index, c: Index, at: tuple[Index, ...]) -> Value:
            y, z = at[0] - pad, at[1] - pad
            index = (n * channels + c) * (high * wide) + y * wide + z
            return Load(x, index, d, _inside(y, z, high, wide) if pad else None)

        def store(_b: Index, m: Index, n: Index, at: tuple[Index, ...],
                  total: Value) -> tuple[Stmt, ...]:
            index = ((n * outputs + m) * places[0] + at[0]) * places[1] + at[1]
            return (Store(out, index, Call("add", (total, Load(bias, m, float32)), float32)),)

        def load_b(b: Index, k: Index, n: Index) -> Value:
            image, place = n // (places[0] * places[1]), n % (places[0] * places[1])
            at = (place // places[1] + k % 9 // 3, place % places[1] + k % 3)
            return load(b, image, k // 9, at)

        def store_flat(b: Index, m: Index, n: Index, total: Value) -> tuple[Stmt, ...]:
            image, place = n // (places[0] * places[1]), n % (places[0] * places[1])
            return store(b, m, image, (place // places[1], place % places[1]), total)
        windows = Windows(images, channels, places, (3, 3), (1, 1), (1, 1),
                          (high + 2 * pad, wide + 2 * pad), load, store)
        self.contraction = Contraction(
            "conv", outputs, images * places[0] * places[1], channels * 9,
            lambda _b, m, k: Load(w, m * (channels * 9) + k, d), load_b, store_flat,
            self._temporary, 1, d, windows=windows)

    def _temporary(self, name: str, d: dtype, size: int) -> Buffer:
        self.arrays.append(np.zeros(size, d.numpy))
        return Buffer(name, len(self.arrays) - 1, d, size)

    def run(self, kernels: list[Kernel], compiled: bool) -> np.ndarray:
        for kernel in kernels:
            verify(kernel)
        if compiled:
            slots = (ctypes.c_void_p * len(self.arrays))(*[a.ctypes.data for a in self.arrays])
            cpu.compile_program("conv", kernels).run(slots)
        else:
            for kernel in kernels:
                interpret(kernel, dict(enumerate(self.arrays)))
        return self.arrays[3].reshape(self.out_shape)

    def want(self) -> np.ndarray:
        x, w, bias = (self.arrays[k].astype("f8") for k in range(3))
        channels, outputs = self.x_shape[1], self.out_shape[1]
        pads = ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad))
        padded = np.pad(x.reshape(self.x_shape), pads)
        seen = np.lib.stride_tricks.sliding_window_view(padded, (TAPS, TAPS), (2, 3))
        taps = w.reshape(outputs, channels, TAPS, TAPS)
        return np.einsum("ocij,ncyxij->onyx", taps, seen).transpose(1, 0, 2, 3) \
            + bias[:, None, None]


SIZES = [(2, 8, 8, 8, 8, 1), (3, 8, 10, 7, 5, 1), (2, 9, 8, 14, 13, 0), (4, 8, 12, 4, 4, 1),
         (1, 8, 8, 9, 33, 2), (5, 16, 8, 3, 3, 1), (2, 8, 24, 12, 12, 1)]


@pytest.mark.parametrize("machine", [Machine(), Machine(32, 16), Machine(16, 32, masks=False)])
@pytest.mark.parametrize("size", SIZES)
def test_the_plan_that_is_chosen(size: tuple[int, ...], machine: Machine) -> None:
    case = Case(*size)
    plan = winograd_plan(case.contraction, machine)
    assert plan is not None
    got = case.run(winograd_kernels(case.contraction, plan[0]), compiled=True)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=2e-5)


PLANS = [WinogradPlan(1, 1, 8, False, (4, 16), 16), WinogradPlan(2, 4, 4, True, (3, 8), 8),
         WinogradPlan(1, 3, 8, True, (8, 4), 4), WinogradPlan(3, 2, 8, False, (5, 32), 16)]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("plan", PLANS)
def test_blocks_that_do_not_divide(plan: WinogradPlan, compiled: bool) -> None:
    """Bands and groups of images that run past the end."""
    case = Case(4, 8, 8, 7, 9, 1)
    got = case.run(winograd_kernels(case.contraction, plan), compiled)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=2e-5)


def test_halves_are_summed_in_float32() -> None:
    case = Case(2, 16, 8, 8, 8, 1, bfloat16)
    plan = winograd_plan(case.contraction, Machine())
    assert plan is not None
    got = case.run(winograd_kernels(case.contraction, plan[0]), compiled=True)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=2e-5)


def test_error_is_that_of_a_direct_sum() -> None:
    """Within three times the error of adding up the products one by one."""
    case = Case(1, 256, 32, 16, 16, 1)
    plan = winograd_plan(case.contraction, Machine())
    assert plan is not None
    want = case.want()
    quick = case.run(winograd_kernels(case.contraction, plan[0]), compiled=True) - want
    case.arrays = case.arrays[:4]
    direct = case.run(contraction(_without_windows(case.contraction)), compiled=True) - want
    assert np.sqrt((quick ** 2).mean()) < 3 * np.sqrt((direct ** 2).mean())


def _without_windows(c: Contraction) -> Contraction:
    return Contraction(c.name, c.m, c.n, c.k, c.load_a, c.load_b, c.store, c.temporary)


def test_large_convolutions_take_it() -> None:
    names = [k.name for k in contraction(Case(8, 64, 64, 28, 28, 1).contraction)]
    assert names == ["conv_weights", "conv"]
    few = contraction(Case(1, 8, 8, 6, 6, 1).contraction)
    assert "conv_weights" not in [k.name for k in few]


def test_result_does_not_depend_on_threads() -> None:
    before, results = threads.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            case = Case(4, 32, 256, 12, 12, 1)
            results.append(case.run(contraction(case.contraction), compiled=True).copy())
    finally:
        threads.set_num_threads(before)
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()
