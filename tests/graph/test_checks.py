"""The checks of FLAMBEAU_CHECK: they pass on good programs and say what is wrong with bad ones."""
from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import dtype as dt
from flambeau.core.config import config
from flambeau.core.symbol import Var, of
from flambeau.graph import primitive
from flambeau.graph.node import Node
from flambeau.graph.primitive import PRIMITIVES
from flambeau.graph.realize import realize
from flambeau.graph.verify import MalformedGraph, verify
from flambeau.kernel.loopnest import Buffer, Call, Const, Kernel, Load, Loop, Read, Store
from flambeau.kernel.verify import MalformedKernel
from flambeau.kernel.verify import verify as verify_kernel
from flambeau.runtime.buffer import Buffer as Memory

from .random_graphs import check


def leaf(array: np.ndarray) -> Node:
    node = Node(primitive.BUFFER, (), (), array.shape, dt.BY_NUMPY[array.dtype])
    node.value = Memory.from_numpy(array)
    return node


def test_random_graphs_are_well_formed_after_each_pass() -> None:
    with config(check={"ir", "interp"}):
        for seed in range(900, 930):
            check(seed)


def test_graph_with_a_wrong_shape_is_refused() -> None:
    x = leaf(np.zeros((2, 3), "float32"))
    bad = Node(PRIMITIVES["exp"], (x,), (), (3, 2), dt.float32)
    with pytest.raises(MalformedGraph, match="exp says float32"):
        verify([bad], "a pass")


def kernel(store: Store) -> Kernel:
    buffers = tuple(b for b in (store.target,) if isinstance(b, Buffer))
    return Kernel("k", buffers, (), (Loop(I, "vector", (store,)),))


I = Var("i", 8)  # noqa: E741 - the loop variable's name in the field
OUT = Buffer("out", 0, dt.float32, 8)


def test_store_outside_its_buffer_is_refused() -> None:
    with pytest.raises(MalformedKernel, match=r"reaches 1..8 of 8"):
        verify_kernel(kernel(Store(OUT, of(I) + 1, Const(0.0, dt.float32))))


def test_name_read_before_it_is_bound_is_refused() -> None:
    with pytest.raises(MalformedKernel, match="t0 is read before"):
        verify_kernel(kernel(Store(OUT, of(I), Read("t0", dt.float32))))


def test_operands_of_two_types_are_refused() -> None:
    mixed = Call("add", (Const(0.0, dt.float32), Const(0.0, dt.float64)), dt.float32)
    with pytest.raises(MalformedKernel, match="operands of add differ"):
        verify_kernel(kernel(Store(OUT, of(I), mixed)))


def test_load_of_foreign_memory_is_refused() -> None:
    other = Buffer("other", 1, dt.float32, 8)
    with pytest.raises(MalformedKernel, match="other is not memory"):
        verify_kernel(kernel(Store(OUT, of(I), Load(other, of(I), dt.float32))))


def test_nan_hunt_names_the_line_that_made_it() -> None:
    x = leaf(np.array([1.0, -1.0], "float32"))
    with config(check={"nan"}):
        root = PRIMITIVES["sqrt"](x)                     # this line is named
        with pytest.raises(RuntimeError, match=r"sqrt\[2\] gave NaN: recorded at .*test_checks"):
            realize([PRIMITIVES["add"](root, x)])


def test_late_error_names_the_recording_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from flambeau.graph import realize as module

    def fail(*args: object) -> None:
        raise MemoryError("no more memory")

    monkeypatch.setattr(module, "_run", fail)
    node = PRIMITIVES["exp"](leaf(np.zeros(3, "float32")))
    with pytest.raises(MemoryError) as caught:
        realize([node])
    assert any("exp[3], recorded at" in note and "test_checks" in note
               for note in caught.value.__notes__)
