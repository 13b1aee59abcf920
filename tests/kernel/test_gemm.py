"""Contractions against NumPy in float64: by the interpreter, and as machine code."""
from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from flambeau.codegen import cpu
from flambeau.core.dtype import bfloat16, bool_, dtype, float16, float32, float64, int32, int64
from flambeau.core.symbol import Index, const
from flambeau.kernel.gemm import Contraction, Machine, build, contraction, problem_of
from flambeau.kernel.gemm_dot import DotPlan
from flambeau.kernel.gemm_plan import Choice, choose, every_choice
from flambeau.kernel.gemm_row import RowPlan
from flambeau.kernel.gemm_tile import TilePlan
from flambeau.kernel.interpret import interpret
from flambeau.kernel.loopnest import Buffer, Call, Const, FromIndex, Kernel, Load, Store, text
from flambeau.runtime import threads

TOLERANCE = {float64: 1e-12, float32: 1e-4, float16: 1e-4, bfloat16: 1e-4, int32: 0, int64: 0}


class Case:
    """A product with its memory; `arrays` holds one for each slot, of several cases if shared."""

    def __init__(self, batch: int, m: int, n: int, k: int, turn_a: bool = False,
                 turn_b: bool = False, d: dtype = float32, seed: int = 0,
                 epilogue: bool = False, arrays: list[np.ndarray] | None = None) -> None:
        self.shape = (batch, m, n, k)
        self.turn_a, self.turn_b, self.epilogue = turn_a, turn_b, epilogue
        rng = np.random.default_rng(seed)
        half = d in (float16, bfloat16)
        self.out = float32 if half else d
        self.arrays: list[np.ndarray] = [] if arrays is None else arrays
        self.a = self._filled("a", d, batch * m * k, rng)
        self.b = self._filled("b", d, batch * k * n, rng)
        self.c = self._filled("c", self.out, batch * m * n, rng)
        self.bias = self._filled("bias", self.out, n, rng)
        self.more = self._filled("more", self.out, batch * m * n, rng)
        self.second = self._filled("second", self.out, batch * m * n, rng)
        self.contraction = Contraction("mm", m, n, k, self._load_a, self._load_b, self._store,
                                       self._temporary, batch, d)

    def _filled(self, name: str, d: dtype, size: int, rng: np.random.Generator) -> Buffer:
        whole = rng.integers(-9, 9, size)
        values = rng.standard_normal(size) if d.kind == "f" else whole
        self.arrays.append(values.astype(d.numpy))
        return Buffer(name, len(self.arrays) - 1, d, size)

    def _temporary(self, name: str, d: dtype, size: int) -> Buffer:
        """Shared memory that starts as NaN (or a number that is never right)."""
        self.arrays.append(np.full(size, np.nan if d.kind == "f" else 12345, d.numpy))
        return Buffer(name, len(self.arrays) - 1, d, size)

    def __getitem__(self, b: Buffer) -> np.ndarray:
        return self.arrays[b.slot]

    def _load_a(self, b: Index, i: Index, k: Index) -> Load:
        _, m, _, kk = self.shape
        at = k * m + i if self.turn_a else i * kk + k
        return Load(self.a, b * (m * kk) + at, self.a.dtype)

    def _load_b(self, b: Index, k: Index, j: Index) -> Load:
        _, _, n, kk = self.shape
        at = j * kk + k if self.turn_b else k * n + j
        return Load(self.b, b * (n * kk) + at, self.b.dtype)

    def _store(self, b: Index, i: Index, j: Index, total: object) -> tuple[Store, ...]:
        """c = total; or c = tanh(total + bias) + more, and second = total * 2."""
        _, m, n, _ = self.shape
        at, d = b * (m * n) + i * n + j, self.out
        if not self.epilogue:
            return (Store(self.c, at, total),)
        biased = Call("add", (total, Load(self.bias, j, d)), d)
        value = Call("add", (Call("tanh", (biased,), d), Load(self.more, at, d)), d)
        twice = Call("mul", (total, Const(2.0, d)), d)
        return (Store(self.c, at, value), Store(self.second, at, twice))

    def total(self) -> np.ndarray:
        batch, m, n, k = self.shape
        wide = "f8" if self.out.kind == "f" else "i8"
        a, b = self[self.a].astype(wide), self[self.b].astype(wide)
        a = a.reshape(batch, k, m).transpose(0, 2, 1) if self.turn_a else a.reshape(batch, m, k)
        b = b.reshape(batch, n, k).transpose(0, 2, 1) if self.turn_b else b.reshape(batch, k, n)
        return a @ b

    def expected(self) -> np.ndarray:
        total = self.total()
        if self.epilogue:
            more = self[self.more].astype(total.dtype).reshape(total.shape)
            return np.tanh(total + self[self.bias]) + more
        return total

    def check(self) -> None:
        want = self.expected()
        got = self[self.c].reshape(want.shape).astype(want.dtype)
        scale = TOLERANCE[self.contraction.dtype]
        np.testing.assert_allclose(got, want, rtol=scale, atol=scale * max(1, self.shape[3]) ** 0.5)
        if self.epilogue:
            twice = self[self.second].reshape(want.shape)
            np.testing.assert_allclose(twice, 2 * self.total(), rtol=scale, atol=scale * 9)

    def slots(self) -> ctypes.Array:
        return (ctypes.c_void_p * len(self.arrays))(*[x.ctypes.data for x in self.arrays])


def run_interpreted(case: Case, kernels: list[Kernel]) -> None:
    for kernel in kernels:
        interpret(kernel, dict(enumerate(case.arrays)))
    case.check()


def run_compiled(cases: list[Case], kernels: list[Kernel]) -> None:
    """Cases that share their arrays as one module: compiling is most of the time."""
    cpu.compile_program("gemm", kernels).run(cases[0].slots())
    for case in cases:
        case.check()


def random_case(rng: random.Random, limit: int, arrays: list[np.ndarray]) -> Case:
    if rng.random() < 0.1:
        size = (1, rng.randint(1, 16), rng.randint(1, 16), rng.randint(1000, 2500))
    else:
        size = (rng.choice((1, 1, 1, 2, 5)), *(rng.randint(1, limit) for _ in range(3)))
    d = rng.choice((float32, float32, float64, bfloat16, float16, int32, int64))
    epilogue = d.kind == "f" and rng.random() < 0.3
    return Case(*size, rng.random() < 0.5, rng.random() < 0.5, d, rng.getrandbits(32), epilogue,
                arrays)


# ---------------------------------------------------------------- every schedule


@pytest.mark.parametrize("seed", range(8))
def test_chosen_schedules_compiled(seed: int) -> None:
    rng, arrays = random.Random(seed), list[np.ndarray]()
    cases = [random_case(rng, rng.choice((8, 20, 70, 70, 130)), arrays) for _ in range(20)]
    run_compiled(cases, [k for case in cases for k in contraction(case.contraction)])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("machine", [Machine(), Machine(32, 16), Machine(16, 32, masks=False)])
def test_every_schedule_compiled(seed: int, machine: Machine) -> None:
    rng, arrays = random.Random(seed), list[np.ndarray]()
    cases = [random_case(rng, rng.choice((8, 40, 130)), arrays) for _ in range(8)]
    kernels: list[Kernel] = []
    for case in cases:
        options = list(every_choice(problem_of(case.contraction), machine))
        kernels += build(case.contraction, rng.choice(options))
    run_compiled(cases, kernels)


@pytest.mark.parametrize("seed", range(25))
def test_every_schedule_interpreted(seed: int) -> None:
    rng = random.Random(seed)
    case = random_case(rng, 24, [])
    if case.shape[3] > 100:
        case = Case(1, 3, 5, 1100, case.turn_a, case.turn_b)
    options = list(every_choice(problem_of(case.contraction), Machine(16, 16)))
    run_interpreted(case, build(case.contraction, rng.choice(options)))


@pytest.mark.parametrize("seed", range(25))
def test_tiles_of_any_size_interpreted(seed: int) -> None:
    """Sizes the cost model would not pick: blocks larger than C, K blocks that do not divide."""
    rng = random.Random(seed)
    case = Case(rng.choice((1, 2)), *(rng.randint(1, 30) for _ in range(3)), rng.random() < 0.5,
                rng.random() < 0.5, epilogue=rng.random() < 0.5)
    plan = TilePlan(rng.randint(1, 5), 4 * rng.randint(1, 3), 4, rng.randint(1, 40),
                    rng.randint(1, 4), rng.choice((100, 7, 5)), rng.random() < 0.5,
                    rng.choice(("none", "block", "shared")), rng.random() < 0.5)
    run_interpreted(case, build(case.contraction, Choice(plan, False, rng.choice((1, 1, 3)), 0.0)))


@pytest.mark.parametrize(("m", "k", "chunks"), [(1, 17, 1), (3, 40, 1), (4, 33, 4), (1, 3, 1)])
def test_rows_added_up(m: int, k: int, chunks: int) -> None:
    """The form for one row against a large matrix, with k's that do not divide by its depth."""
    case = Case(2, m, 48, k, epilogue=True)
    plan = RowPlan(24, 4, True)
    run_interpreted(case, build(case.contraction, Choice(plan, False, chunks, 0.0)))
    case = Case(2, m, 48, k, turn_a=True)
    run_compiled([case], build(case.contraction, Choice(plan, False, chunks, 0.0)))


# ---------------------------------------------------------------- forms


def test_empty_sum_is_zero() -> None:
    case = Case(2, 5, 7, 0)
    case.arrays[0] = np.zeros(1, "f4")
    case.arrays[1] = np.zeros(1, "f4")
    program = cpu.compile_program("empty", contraction(case.contraction))
    program.run(case.slots())
    assert not case.arrays[2].any()


def test_no_elements_no_kernels() -> None:
    assert contraction(Case(1, 0, 7, 3).contraction) == []


@pytest.mark.parametrize("which", ["a", "b"])
def test_operand_shared_by_the_batch(which: str) -> None:
    """An operand without a batch dimension: one product of more rows, or of more columns."""
    case = Case(3, 5, 7, 9)
    c = case.contraction
    if which == "a":
        c = replace(c, load_a=lambda b, i, k: case._load_a(const(0), i, k))
        case.arrays[0][:] = np.tile(case.arrays[0][:45], 3)
    else:
        c = replace(c, load_b=lambda b, k, j: case._load_b(const(0), k, j))
        case.arrays[1][:] = np.tile(case.arrays[1][:63], 3)
    run_interpreted(case, contraction(c))


def test_loader_with_mask_and_arithmetic() -> None:
    """A is a window of a padded signal: a[i, k] = 2 * x[i + k - 2], zero outside."""
    case = Case(1, 40, 6, 5)
    x = case.arrays[0][:40].copy()

    def load_a(b: Index, i: Index, k: Index) -> Call:
        at = i + k - 2
        inside = Call("and", (
            Call("ge", (FromIndex(at, int64), Const(0, int64)), bool_),
            Call("lt", (FromIndex(at, int64), Const(40, int64)), bool_)), bool_)
        return Call("mul", (Load(case.a, at, float32, inside), Const(2.0, float32)), float32)
    padded = np.zeros(44, "f4")
    padded[2:42] = x
    window = np.stack([padded[i:i + 5] for i in range(40)])
    want = 2 * window @ case.arrays[1].reshape(5, 6)
    kernels = contraction(replace(case.contraction, load_a=load_a))
    interpreted = Case(1, 40, 6, 5)
    for kernel in kernels:
        interpret(kernel, dict(enumerate(case.arrays)))
    np.testing.assert_allclose(case.arrays[2].reshape(40, 6), want, rtol=1e-5, atol=1e-5)
    case.arrays[2][:] = interpreted.arrays[2]
    cpu.compile_program("window", kernels).run(case.slots())
    np.testing.assert_allclose(case.arrays[2].reshape(40, 6), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("side", "masked"), [(16, True), (8, False), (12, True), (6, True),
                                              (7, False)])
@pytest.mark.parametrize("compiled", [False, True])
def test_convolution_window(side: int, masked: bool, compiled: bool) -> None:
    """B is the 3 x 3 windows of images, [c, ky, kx] x [image, y, x], masked or padded."""
    images, channels, out = 2, 3, 5
    case = Case(1, out, images * side * side, channels * 9)
    pad = 0 if masked else 1
    wide = side + 2 * pad
    x = np.random.default_rng(1).standard_normal((images, channels, side, side)).astype("f4")
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    case.arrays[1] = (x if masked else padded).ravel().copy()
    source = Buffer("b", 1, float32, case.arrays[1].size)

    def load_b(b: Index, k: Index, n: Index) -> Load:
        image, place = n // (side * side), n % (side * side)
        y, z = place // side + (k % 9) // 3 - 1 + pad, place % side + k % 3 - 1 + pad
        at = (image * channels + k // 9) * (wide * wide) + y * wide + z
        return Load(source, at, float32, _inside(y, z, side) if masked else None)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    want = np.einsum("ocij,ncyxij->onyx", case.arrays[0].reshape(out, channels, 3, 3), windows)
    kernels = contraction(replace(case.contraction, load_b=load_b))
    if compiled:
        cpu.compile_program("window", kernels).run(case.slots())
    else:
        for kernel in kernels:
            interpret(kernel, dict(enumerate(case.arrays)))
    np.testing.assert_allclose(case.arrays[2].reshape(want.shape), want, rtol=1e-4, atol=1e-4)


def _inside(y: Index, z: Index, side: int) -> Call:
    """Whether 0 <= y < side and 0 <= z < side."""
    tests = [Call(op, (FromIndex(i, int64), Const(bound, int64)), bool_)
             for i in (y, z) for op, bound in (("ge", 0), ("lt", side))]
    first, second = (Call("and", (a, b), bool_) for a, b in (tests[:2], tests[2:]))
    return Call("and", (first, second), bool_)


@pytest.mark.parametrize("shape", [(1, 200, 300, 700), (1, 40, 20, 20000), (1, 4, 500, 900),
                                   (20, 33, 21, 40)])
def test_result_does_not_depend_on_threads(shape: tuple[int, int, int, int]) -> None:
    """The same bits on one thread and on several."""
    before = threads.get_num_threads()
    results = []
    try:
        for count in (1, 2, 3):
            threads.set_num_threads(count)
            case = Case(*shape, turn_b=True)
            cpu.compile_program("threads", contraction(case.contraction)).run(case.slots())
            results.append(case.arrays[2].copy())
    finally:
        threads.set_num_threads(before)
    assert (results[0] == results[1]).all()
    assert (results[0] == results[2]).all()


def chosen(case: Case) -> Choice:
    return choose(problem_of(case.contraction), Machine())


def describe(choice: Choice) -> str:
    plan = choice.plan
    if isinstance(plan, DotPlan):
        return "dot"
    if isinstance(plan, RowPlan):
        return "row"
    return plan.pack_b + ("+split" if choice.chunks > 1 else "")


@pytest.mark.parametrize(("make", "wanted"), [
    (lambda: Case(1, 1024, 1024, 1024), {"shared", "block"}),
    (lambda: Case(1, 1024, 1024, 1024, turn_b=True), {"shared", "block"}),
    (lambda: Case(1, 1, 4096, 1024, turn_b=True), {"dot"}),
    (lambda: Case(1, 1, 1024, 2048), {"row"}),
    (lambda: Case(1, 32, 64, 8), {"none"}),
    (lambda: Case(12, 64, 64, 32, turn_b=True), {"block"}),
])
def test_the_schedule_that_fits(make: Callable[[], Case], wanted: set[str]) -> None:
    assert describe(chosen(make())) in wanted


def test_tiny_products_are_serial() -> None:
    kernels = contraction(Case(1, 32, 64, 8).contraction)
    assert len(kernels) == 1
    assert kernels[0].parallel is None


def test_text() -> None:
    """4 x 6 times 6 x 8 with vectors of 4: two panels, one register tile each."""
    plan = TilePlan(4, 4, 4, 4, 2, 6, False, "none", False)
    kernels = build(Case(1, 4, 8, 6).contraction, Choice(plan, False, 1, 0.0))
    assert [text(k) for k in kernels] == ["""\
kernel mm(a: float32[24], b: float32[48], c: float32[32])
  register acc4x4: float32[16]
  seq p in 2:
    unroll i in 4:
      vector j in 4:
        acc4x4[4*i + j] = 0.0
    seq k in 6:
      unroll i in 4:
        vector j in 4:
          acc4x4[4*i + j] fma= mul(a[6*i + k], b[8*k + 4*p + j])
    unroll i in 4:
      vector j in 4:
        total = acc4x4[4*i + j]
        c[8*i + 4*p + j] = total"""]


def test_an_epilogue_takes_no_registers_from_the_tile() -> None:
    """Its constants are read behind the tile's loop, not kept across it."""
    case = Case(1, 240, 512, 128, epilogue=True)
    lines = cpu.program_ir(contraction(case.contraction)).text.splitlines()
    loops = [i for i, line in enumerate(lines) if line.startswith("loop") and line.endswith(":")]
    products = [i for i, line in enumerate(lines) if "llvm.fma" in line and "%v" in line]
    fetched = [i for i, line in enumerate(lines) if "load volatile float" in line]
    first = min(i for i in products if i > loops[0])
    assert fetched and min(fetched) > first


def test_a_long_epilogue_is_not_run_across_its_arrays() -> None:
    case = Case(1, 384, 1536, 2048, turn_a=True, epilogue=True)
    assert problem_of(case.contraction).touched == 4
    assert not chosen(case).swap
