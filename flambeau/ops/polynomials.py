"""Orthogonal polynomials by their three-term recurrences (DLMF 18.9).

In: x and the degree n, nodes or numbers. Out: a node; 0 for a negative degree. The degrees are
looked at, since the number of steps depends on them.

    special.hermite_polynomial_h(x, 3)  ->  8x^3 - 12x
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.node import Node
from . import algebra as a
from .algebra import where
from .known import array
from .promotion import promote_float
from .table import public

# (the polynomial of degree 1, the step from degrees k and k - 1 to k + 1)
Step = Callable[[Node, Node, Node, int], Node]


def _chebyshev(x: Node, p: Node, before: Node, k: int) -> Node:
    return 2 * x * p - before


def _hermite_h(x: Node, p: Node, before: Node, k: int) -> Node:
    return 2 * x * p - 2 * k * before


def _hermite_he(x: Node, p: Node, before: Node, k: int) -> Node:
    return x * p - k * before


def _laguerre(x: Node, p: Node, before: Node, k: int) -> Node:
    return ((2 * k + 1 - x) * p - k * before) / (k + 1)


def _legendre(x: Node, p: Node, before: Node, k: int) -> Node:
    return ((2 * k + 1) * x * p - k * before) / (k + 1)


def _evaluate(x: Node, n: Node, highest: int, first: Callable[[Node], Node], step: Step) -> Node:
    """The polynomial of each element's own degree, all of them at most `highest`."""
    degree = a.trunc(n)
    zero = x * 0 + n * 0
    before, p = zero + 1, first(x)
    out = where(a.eq(degree, 0), before, zero)
    for k in range(1, highest + 1):
        out = where(a.eq(degree, k), p, out)
        if k < highest:
            before, p = p, step(x, p, before, k)
    return out


def _polynomial(name: str, first: Callable[[Node], Node], step: Step,
                shifted: bool = False, *, doc: str) -> None:
    @public(f"special.{name}")
    def apply(input: Node | float, n: Node | float) -> Node:
        highest = int(np.max(array(n), initial=0)) if isinstance(n, Node) else int(n)
        x, degree = promote_float(input, n)
        return _evaluate(2 * x - 1 if shifted else x, degree, highest, first, step)
    apply.__name__ = name
    apply.__doc__ = doc


FIRST: dict[str, Callable[[Node], Any]] = {
    "t": lambda x: x, "u": lambda x: 2 * x, "v": lambda x: 2 * x - 1, "w": lambda x: 2 * x + 1,
}
for _kind, (_letter, _first) in zip(("first", "second", "third", "fourth"), FIRST.items()):
    _polynomial(f"chebyshev_polynomial_{_letter}", _first, _chebyshev,
                doc=f"The Chebyshev polynomial of the {_kind} kind, {_letter.upper()}_n.")
    _polynomial(f"shifted_chebyshev_polynomial_{_letter}", _first, _chebyshev, shifted=True,
                doc=f"{_letter.upper()}_n(2 x - 1): see chebyshev_polynomial_{_letter}.")
_polynomial("hermite_polynomial_h", lambda x: 2 * x, _hermite_h,
            doc="The physicists' Hermite polynomial, H_n.")
_polynomial("hermite_polynomial_he", lambda x: x, _hermite_he,
            doc="The probabilists' Hermite polynomial, He_n.")
_polynomial("laguerre_polynomial_l", lambda x: 1 - x, _laguerre,
            doc="The Laguerre polynomial, L_n.")
_polynomial("legendre_polynomial_p", lambda x: x, _legendre, doc="The Legendre polynomial, P_n.")
