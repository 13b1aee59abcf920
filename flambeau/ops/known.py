"""What is known of a node's values now: a number, an array, bounds. Realises when it must.

In: nodes. Out: Python numbers and NumPy arrays. Used where a result's shape depends on values
(`extremes`), and to check indices (`within`).
"""
from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..core.dtype import BY_NUMPY
from ..core.follow import watch
from ..graph.node import Node
from ..graph.primitive import BUFFER
from ..graph.realize import realize
from ..runtime.buffer import Buffer

Array = np.ndarray[Any, Any]
# operations whose values are among those of their first source
_KEEPS = frozenset("reshape permute expand slice unfold as_strided alias take".split())


def array(x: Node) -> Array:
    """The values, computed now."""
    if x.value is None:
        realize([x])
    return np.asarray(x.value.numpy(x.dtype.numpy, x.shape))


def item(x: Node) -> Any:
    """The value of a node of one element as a Python number."""
    return array(x).reshape(-1)[0].item()


def integer(value: Any) -> int:
    """An int argument, which may come as an integral tensor of one element."""
    if isinstance(value, Node):
        if value.size != 1 or value.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(item(value))
    return operator.index(value)


def extremes(x: Node) -> tuple[int, int]:
    """The least and the greatest value of an integer node (0, -1 when empty)."""
    array(x)                                    # a look that a recorder must know of
    return _exact(x)


def _exact(x: Node) -> tuple[int, int]:
    if x.value is None:
        realize([x])
    values = np.asarray(x.value.unwatched(x.dtype.numpy, x.shape))
    found = (int(values.min()), int(values.max())) if values.size else (0, -1)
    x.facts = found
    return found


def bounds(x: Node) -> tuple[int, int]:
    """A range that holds every value of an integer node: the extremes of what it is part of, or
    what follows from how it is made, where that is known."""
    found = x.facts
    if found is None:
        found = x.facts = _derived_bounds(x) or _exact(x)
    relied(x, *found)
    return found


def within(x: Node, low: int, high: int) -> bool:
    """Whether every value v of an integer node has low <= v <= high."""
    least, most = bounds(x)
    if least < low or most > high:
        least, most = _exact(x)
    if x.size and (least < low or most > high):
        return False
    relied(x, low, high)
    return True


def relied(x: Node, low: int, high: int) -> None:
    """Tell a recorder that what a check came to holds while all values are in [low, high]."""
    if watch.recorder is None:
        return
    while x.value is None and (x.op.name in _KEEPS or x.op.name == "cast"):
        x = x.src[0]
    if x.value is not None:
        watch.recorder.bounded(x, low, high)


def _derived_bounds(x: Node) -> tuple[int, int] | None:
    """Bounds that follow from how the node is made, without computing it."""
    if x.size == 0:
        return 0, -1
    if x.value is not None:
        return None
    node = x
    while node.value is None and node.op.name in _KEEPS and node.facts is None:
        node = node.src[0]
    if node.facts is not None:
        return node.facts
    name = node.op.name
    if node.value is not None:
        return bounds(node) if node is not x and node.size <= 4 * x.size else None
    if name == "iota":
        return 0, node.shape[node.attrs[1]] - 1
    if name == "argsort":
        return 0, node.src[0].shape[node.attrs[0]] - 1
    if name == "search":
        return 0, node.src[0].shape[-1]
    if name in ("const", "scalar"):
        return int(node.attrs[0]), int(node.attrs[0])
    if name == "argmax" or name == "argmin":
        return 0, max(node.src[0].shape[node.attrs[0]] - 1, 0)
    if name == "cast" and node.src[0].dtype.kind in "iub" and node.dtype.itemsize >= 4:
        return _derived_bounds(node.src[0])
    return None


def constant(values: Array) -> Node:
    """A computed node with these values."""
    values = np.asarray(values, order="C")
    made = Node(BUFFER, (), (), values.shape, BY_NUMPY[values.dtype])
    made.value = Buffer.from_numpy(values)
    if watch.recorder is not None:
        watch.recorder.made(made)
    return made
