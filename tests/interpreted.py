"""Values by the NumPy meaning of the graph, for tests with too many programs to compile."""
from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from flambeau.core.errors import NotBatched
from flambeau.graph import interpret
from flambeau.graph import node as graph_node
from flambeau.graph import realize as graph_realize
from flambeau.graph.primitive import SAMPLE
from flambeau.runtime.buffer import Buffer


def _array(node: Any) -> Any:
    if node.op.name == "spec":
        blank = np.nan if node.dtype.kind in "fc" else 0
        return np.full(node.shape, blank, node.dtype.numpy)
    return node.value.numpy(node.dtype.numpy, node.shape)


def interpreted(nodes: list[Any], **_: Any) -> None:
    """As graph.realize.realize."""
    for node in graph_node.topological([n for n in nodes if n.value is None]):
        if node.value is not None or node.op.name == "spec":
            continue
        if node.op is SAMPLE:
            raise NotBatched("the value of one sample is needed")
        if node.op.expand is not None:
            inner = node.op.expand(*node.src, *node.attrs)
            interpreted([inner])
            array = _array(inner)
        else:
            with np.errstate(all="ignore"):
                array = interpret._meaning(node, [_array(s) for s in node.src])
        array = np.array(array, node.dtype.numpy, order="C", copy=True).reshape(node.shape)
        node.value = Buffer.from_numpy(array)
        node.src = ()


@contextlib.contextmanager
def by_interpreter() -> Iterator[None]:
    """Every module computes with `interpreted`."""
    old = graph_realize.realize
    changed = [m for m in list(sys.modules.values())
               if m is not None and m.__dict__.get("realize") is old]
    for module in changed:
        module.realize = interpreted  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in changed:
            module.realize = old  # type: ignore[attr-defined]
