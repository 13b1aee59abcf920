"""The `*_copy` functions: a view's elements as a tensor of their own.

In: nodes. Out: nodes; the node form of each view, declared as no view.

    transpose_copy(x, 0, 1)  ->  permute(x, (1, 0))
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.node import Node
from . import algebra as alg
from . import complex_, splitting, view
from .table import public

_FORMS: dict[str, Callable[..., Any]] = {
    "as_strided": view.as_strided, "diagonal": view.diagonal, "expand": view.broadcast_to,
    "permute": view.permute, "select": view.select, "slice": view.slice_dim,
    "split": splitting.split, "split_with_sizes": splitting.split_with_sizes,
    "squeeze": view.squeeze, "t": view.t, "transpose": view.transpose, "unbind": splitting.unbind,
    "unfold": view.unfold, "unsqueeze": view.unsqueeze, "view": view.view,
    "view_as_complex": complex_.view_as_complex, "view_as_real": complex_.view_as_real,
}
for _name, _form in _FORMS.items():
    public(f"torch.{_name}_copy")(_form)
public("narrow_copy")(view.narrow)


@public("torch.alias_copy")
def alias_copy(input: Node) -> Node:
    """A copy of the input."""
    return alg.reshape(input, input.shape)
