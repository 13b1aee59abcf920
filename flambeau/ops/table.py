"""The table of public operations: what PyTorch calls them and which node function makes them.

In: `@public` and `composite` in the files of this package. Out: `TABLE`, from which
`tensor/dispatch` attaches `torch.*`, `Tensor.*`, in-place and `out=` forms.

An entry's function takes PyTorch's arguments with every Tensor already a `Node` (Python numbers
stay numbers, lists stay lists), checks them, and returns a Node, or a tuple or list of them.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ..graph.node import Node, Op

F = TypeVar("F", bound=Callable[..., Any])
Fixed = Callable[[dict[str, Any]], tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One public operation.

    names     "exp": torch.exp and Tensor.exp; "torch.cat", "Tensor.abs", "nn.functional.relu",
              "special.expm1", "linalg.inv": just there
    inplace   also the form with a trailing underscore (torch.exp_, Tensor.exp_)
    view      for a view: (Layout, *args) -> Layout with the same arguments as `fn`
    out       accepts out= (every non-view does unless said otherwise)
    now       computed at the call: the values may be refused, and programs expect that there
    fixed     arguments by name -> (a function's name, the arguments by which it has no gradient)
    """

    fn: Callable[..., Any]
    names: tuple[str, ...]
    inplace: bool = False
    view: Callable[..., Any] | None = None
    out: bool = True
    now: bool = False
    fixed: Fixed | None = None


TABLE: dict[str, Entry] = {}


def public(*names: str, inplace: bool = False, view: Callable[..., Any] | None = None,
           out: bool = True, now: bool = False, fixed: Fixed | None = None,
           ) -> Callable[[F], F]:
    """Declare the decorated node function as PyTorch's operation of these names."""
    def declare(fn: F) -> F:
        entry = Entry(fn, names, inplace, view, out and view is None, now, fixed)
        for name in names:
            if name in TABLE:
                raise ValueError(f"two entries for {name}")
            TABLE[name] = entry
        return fn
    return declare


def composite(name: str, infer: Callable[..., Any], params: tuple[str, ...] = (),
              vjp: Callable[..., Any] | None = None) -> Callable[[Callable[..., Node]], Op]:
    """Make an Op from its expansion: `fn(*src, *attrs) -> Node` in terms of simpler operations.

    It is one node when recorded. Its derivative comes from the expansion unless `vjp` is given.
    """
    def declare(fn: Callable[..., Node]) -> Op:
        return Op(name, infer, params=params, expand=fn, vjp=vjp)
    return declare


def derivative(op: Op) -> Callable[[F], F]:
    """Give a primitive its derivative: (g, out, *src, *attrs) -> a gradient or None per source."""
    def declare(fn: F) -> F:
        op.vjp = fn
        return fn
    return declare
