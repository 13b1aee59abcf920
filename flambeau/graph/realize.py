"""Gives nodes their values: the one place that owns when and how pending work is computed.

In: nodes somebody looks at. Out: the same nodes with `value` set and sources dropped.
"""
from __future__ import annotations

import numpy as np

from ..runtime.buffer import Buffer
from .interpret import evaluate
from .node import Node


def realize(nodes: list[Node]) -> None:
    """Compute every node of the list that has no value yet."""
    pending = [n for n in nodes if n.value is None]
    for node, array in zip(pending, evaluate(pending)):
        node.value = Buffer.from_numpy(np.array(array, node.dtype.numpy, order="C", copy=True))
        node.src = ()
