"""The text of each IR for a few programs, kept in tests/golden.

A change of the compiler shows here as a change of text. To accept it:
FLAMBEAU_UPDATE_GOLDEN=1 python -m pytest tests/graph/test_golden.py
"""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flambeau.core import dtype as dt
from flambeau.graph.decompose import decompose
from flambeau.graph.fuse import fuse
from flambeau.graph.lower import lower
from flambeau.graph.node import Node, text
from flambeau.graph.primitive import INPUT, PRIMITIVES, const
from flambeau.graph.simplify import simplify
from flambeau.kernel import loopnest
from flambeau.ops.algebra import exp  # noqa: F401 - gives nodes their operators

GOLDEN = Path(__file__).parent.parent / "golden"


def given(slot: int, *shape: int) -> Node:
    return Node(INPUT, (), (slot, 0, shape, dt.float32), shape, dt.float32)


def softmax() -> list[Node]:
    x = given(0, 64, 1000)
    e = exp(x - PRIMITIVES["amax"](x, dims=(1,)))
    return [e / PRIMITIVES["sum"](e, dims=(1,))]


def layer_norm() -> list[Node]:
    x = given(0, 32, 128)
    mean = PRIMITIVES["sum"](x, dims=(1,)) * (1 / 128)
    centred = x - mean
    var = PRIMITIVES["sum"](centred * centred, dims=(1,)) * (1 / 128)
    scale = PRIMITIVES["rsqrt"](var + 1e-5)
    return [centred * scale * given(1, 128) + given(2, 128)]


def linear_relu() -> list[Node]:
    x, w, b = given(0, 24, 64), given(1, 32, 64), given(2, 32)
    y = PRIMITIVES["dot"](x, w, a_dims=(0, 1), b_dims=(2, 1), out_dims=(0, 2), dtype=dt.float32)
    return [PRIMITIVES["max"](y + b, const(0, dt.float32))]


def column_sums() -> list[Node]:
    return [PRIMITIVES["sum"](given(0, 128, 512), dims=(0,))]


def total() -> list[Node]:
    x = given(0, 1024, 1024)
    return [PRIMITIVES["sum"](x * x, dims=(0, 1))]


def in_place_writes() -> list[Node]:
    x = given(0, 8, 100) + 1.0
    for column in range(3):
        x = PRIMITIVES["write"](x, const(0, dt.float32), shape=(8,), stride=(100,), offset=column)
    return [x]


PROGRAMS = [softmax, layer_norm, linear_relu, column_sums, total, in_place_writes]


def describe(roots: list[Node]) -> str:
    """The graph, what is computed together, and the loops."""
    parts = ["# graph", text(roots)]
    primitives = simplify(decompose(roots))
    groups = fuse(primitives)
    parts += ["", "# groups"]
    parts += [f"{g.kind}{g.shape} over {g.dims}: {', '.join(n.op.name for n in g.nodes)}"
              for g in groups]
    parts += ["", "# loops"]
    for step in lower(primitives, 3).steps:
        assert isinstance(step, list)
        parts += [loopnest.text(k) for k in step]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_text_is_as_kept(program: Callable[[], list[Node]]) -> None:
    path = GOLDEN / f"{program.__name__}.txt"
    found = describe(program())
    if os.environ.get("FLAMBEAU_UPDATE_GOLDEN"):
        path.write_text(found)
    assert found == path.read_text()
