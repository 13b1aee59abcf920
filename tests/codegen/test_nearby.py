"""Lanes at constant distances are read by contiguous loads that stay inside."""
from __future__ import annotations

import numpy as np
import pytest

from flambeau.codegen import cpu
from flambeau.codegen.nearby import windows
from flambeau.core.dtype import dtype, float32, int8, int64
from flambeau.core.symbol import Index, Var, of
from flambeau.kernel.loopnest import Buffer, Kernel, Load, Loop, Store

from .compare import check


@pytest.mark.parametrize("offsets,most", [
    ([2 * k for k in range(16)], 2), ([k // 2 + 100 * (k % 2) for k in range(16)], 2),
    ([k % 4 + 10 * (k // 4) for k in range(16)], 4), ([3 - k for k in range(4)], 1),
    ([5 * k for k in range(4)], 4), ([0, 0, 0, 7], 2)])
def test_every_lane_is_in_a_window(offsets: list[int], most: int) -> None:
    found = windows(offsets)
    assert found is not None and len(found) <= most
    assert all(any(k in w for w in found) for k in offsets)
    assert min(w.start for w in found) >= min(offsets)
    assert max(w.start + w.size for w in found) <= max(offsets) + 1


def test_too_many_or_too_near_the_end() -> None:
    assert windows([9 * k for k in range(16)]) is None
    assert windows([0, 1, 2, 0]) is None


def _index(form: str, p: Index, j: Index) -> Index:
    if form == "stride 2":
        return p * 96 + j * 2 + 1
    if form == "rows of 8":
        return (p * 48 + j) // 8 * 12 + (p * 48 + j) % 8
    if form == "two planes":
        return j % 2 * 384 + p * 24 + j // 2
    return (p * 48 + j) // 3 + (p * 48 + j) % 4 * 5


@pytest.mark.parametrize("form", ["stride 2", "rows of 8", "two planes", "mixed"])
@pytest.mark.parametrize("d", [float32, int8, int64], ids=lambda d: d.name)
def test_kernels_agree_with_the_interpreter(form: str, d: dtype) -> None:
    p, j = Var("p", 8), Var("j", 48)
    index = _index(form, of(p), of(j))
    source, target = Buffer("x", 0, d, index.high + 1), Buffer("y", 1, d, 8 * 48)
    store = Store(target, of(p) * 48 + of(j), Load(source, index, d))
    kernel = Kernel("nearby", (source, target), (),
                    (Loop(p, "seq", (Loop(j, "vector", (store,)),)),))
    check(kernel, {source: (np.arange(source.size) % 100).astype(d.numpy),
                   target: np.zeros(target.size, d.numpy)})


def test_no_gather_is_left() -> None:
    p, j = Var("p", 8), Var("j", 64)
    source, target = Buffer("x", 0, float32, 1024), Buffer("y", 1, float32, 512)
    store = Store(target, of(p) * 64 + of(j), Load(source, of(p) * 128 + of(j) * 2, float32))
    kernel = Kernel("nearby", (source, target), (),
                    (Loop(p, "seq", (Loop(j, "vector", (store,)),)),))
    assert "gather" not in cpu.program_ir([kernel]).text
