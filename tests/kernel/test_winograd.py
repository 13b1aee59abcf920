"""Winograd's schedule of 3x3 convolutions against NumPy in float64, for every kind of block."""
from __future__ import annotations

import ctypes
from dataclasses import replace

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
from flambeau.kernel.winograd_weight import WeightPlan, weight_kernels, weight_plan
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
        self.windows = Windows(images, channels, places, (3, 3), (1, 1), (1, 1),
                               (high + 2 * pad, wide + 2 * pad), load, store)
        self.contraction = Contraction(
            "conv", outputs, images * places[0] * places[1], channels * 9,
            lambda _b, m, k: Load(w, m * (channels * 9) + k, d), load_b, store_flat,
            self._temporary, 1, d, windows=self.windows)

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
    plan, _ = winograd_plan(case.contraction, case.windows, machine)
    got = case.run(winograd_kernels(case.contraction, case.windows, plan), compiled=True)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=2e-5)


PLANS = [WinogradPlan(1, 1, 8, False, (4, 16), 16), WinogradPlan(2, 4, 4, True, (3, 8), 8),
         WinogradPlan(1, 3, 8, True, (8, 4), 4), WinogradPlan(3, 2, 8, False, (5, 32), 16)]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("plan", PLANS)
def test_blocks_that_do_not_divide(plan: WinogradPlan, compiled: bool) -> None:
    """Bands and groups of images that run past the end."""
    case = Case(4, 8, 8, 7, 9, 1)
    got = case.run(winograd_kernels(case.contraction, case.windows, plan), compiled)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=2e-5)


def test_halves_are_summed_in_float32() -> None:
    case = Case(2, 16, 8, 8, 8, 1, bfloat16)
    plan, _ = winograd_plan(case.contraction, case.windows, Machine())
    got = case.run(winograd_kernels(case.contraction, case.windows, plan), compiled=True)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=2e-5)


def test_error_is_that_of_a_direct_sum() -> None:
    """Within three times the error of adding up the products one by one."""
    case = Case(1, 256, 32, 16, 16, 1)
    plan, _ = winograd_plan(case.contraction, case.windows, Machine())
    want = case.want()
    quick = case.run(winograd_kernels(case.contraction, case.windows, plan), compiled=True) - want
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


class WeightCase(Case):
    """The gradient of a weight: `arrays[3]` is the gradient of the result, `arrays[1]` the sum."""

    def __init__(self, *size: int) -> None:
        super().__init__(*size)
        images, outputs, *places = self.out_shape
        channels = self.x_shape[1]
        rng = np.random.default_rng(1)
        self.arrays[3] = rng.standard_normal(self.arrays[3].size).astype("f4")
        self.arrays[1][:] = np.nan
        g = Buffer("g", 3, float32, self.arrays[3].size)
        w = Buffer("w", 1, float32, self.arrays[1].size)

        def gradient(_b: Index, m: Index, n: Index, at: tuple[Index, ...]) -> Value:
            index = ((n * outputs + m) * places[0] + at[0]) * places[1] + at[1]
            return Load(g, index, float32)

        def load_a(b: Index, m: Index, k: Index) -> Value:
            image, place = k // (places[0] * places[1]), k % (places[0] * places[1])
            return gradient(b, m, image, (place // places[1], place % places[1]))

        def load_b(b: Index, k: Index, n: Index) -> Value:
            image, place = k // (places[0] * places[1]), k % (places[0] * places[1])
            at = (place // places[1] + n % 9 // 3, place % places[1] + n % 3)
            return self.windows.load(b, image, n // 9, at)

        def store(_b: Index, m: Index, n: Index, total: Value) -> tuple[Stmt, ...]:
            return (Store(w, m * (channels * 9) + n, total),)
        self.windows = replace(self.windows, store=None, gradient=gradient)
        self.contraction = Contraction(
            "weight", outputs, channels * 9, images * places[0] * places[1], load_a, load_b,
            store, self._temporary, windows=self.windows)

    def run(self, kernels: list[Kernel], compiled: bool) -> np.ndarray:
        super().run(kernels, compiled)
        return self.arrays[1].reshape(self.out_shape[1], self.x_shape[1], TAPS, TAPS)

    def want(self) -> np.ndarray:
        pads = ((0, 0), (0, 0), (self.pad, self.pad), (self.pad, self.pad))
        padded = np.pad(self.arrays[0].astype("f8").reshape(self.x_shape), pads)
        seen = np.lib.stride_tricks.sliding_window_view(padded, (TAPS, TAPS), (2, 3))
        g = self.arrays[3].astype("f8").reshape(self.out_shape)
        return np.einsum("noyx,ncyxij->ocij", g, seen)


@pytest.mark.parametrize("machine", [Machine(), Machine(32, 16), Machine(16, 32, masks=False)])
@pytest.mark.parametrize("size", [(2, 16, 8, 8, 8, 1), (4, 16, 12, 4, 4, 1), (3, 16, 10, 7, 5, 1),
                                  (1, 32, 8, 9, 33, 2), (2, 48, 9, 14, 13, 0)])
def test_weight_gradients(size: tuple[int, ...], machine: Machine) -> None:
    case = WeightCase(*size)
    found = weight_plan(case.contraction, case.windows, machine)
    assert found is not None
    got = case.run(weight_kernels(case.contraction, case.windows, found[0]), compiled=True)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("plan", [
    WeightPlan(WinogradPlan(1, 1, 8, False, (4, 16), 16), 2),
    WeightPlan(WinogradPlan(3, 4, 4, False, (3, 8), 8), 1),
    WeightPlan(WinogradPlan(1, 3, 8, False, (8, 4), 4), 8)])
def test_weight_blocks_that_do_not_divide(plan: WeightPlan, compiled: bool) -> None:
    case = WeightCase(4, 16, 8, 7, 9, 1)
    got = case.run(weight_kernels(case.contraction, case.windows, plan), compiled)
    np.testing.assert_allclose(got, case.want(), rtol=1e-5, atol=1e-4)


def test_weight_gradients_need_lanes_of_channels() -> None:
    case = WeightCase(2, 12, 8, 8, 8, 1)
    assert weight_plan(case.contraction, case.windows, Machine()) is None


def test_weight_gradients_do_not_depend_on_threads() -> None:
    before, results = threads.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            case = WeightCase(8, 64, 64, 16, 16, 1)
            kernels = contraction(case.contraction)
            assert [k.name for k in kernels] == ["weight_partial", "weight"]
            results.append(case.run(kernels, compiled=True).copy())
    finally:
        threads.set_num_threads(before)
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()
