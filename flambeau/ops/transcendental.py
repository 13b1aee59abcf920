"""Exponentials, logarithms, trigonometry and their like: one map primitive each.

In: a node of any real dtype (integers become the default float). Out: a node.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.node import Node
from . import algebra as a
from .promotion import only_tensors, promote_float
from .table import public

Number = Any


def _float_function(op: Callable[[Node], Node], *names: str) -> Callable[[Node], Node]:
    @public(*names, inplace=True)
    def apply(input: Node) -> Node:
        return op(input if input.dtype.kind in "fc" else promote_float(input)[0])
    apply.__name__ = names[0].split(".")[-1]
    return apply


exp = _float_function(a.exp, "exp")
exp2 = _float_function(a.exp2, "exp2", "special.exp2")
expm1 = _float_function(a.expm1, "expm1", "special.expm1")
log = _float_function(a.log, "log")
log2 = _float_function(a.log2, "log2")
log10 = _float_function(a.log10, "log10")
log1p = _float_function(a.log1p, "log1p", "special.log1p")
sin = _float_function(a.sin, "sin")
cos = _float_function(a.cos, "cos")
tan = _float_function(a.tan, "tan")
asin = _float_function(a.asin, "asin", "arcsin")
acos = _float_function(a.acos, "acos", "arccos")
atan = _float_function(a.atan, "atan", "arctan")
sinh = _float_function(a.sinh, "sinh")
cosh = _float_function(a.cosh, "cosh")
tanh = _float_function(a.tanh, "tanh", "nn.functional.tanh")
asinh = _float_function(a.asinh, "asinh", "arcsinh")
acosh = _float_function(a.acosh, "acosh", "arccosh")
atanh = _float_function(a.atanh, "atanh", "arctanh")
erf = _float_function(a.erf, "erf", "special.erf")
erfc = _float_function(a.erfc, "erfc", "special.erfc")
erfinv = _float_function(a.erfinv, "erfinv", "special.erfinv")
lgamma = _float_function(a.lgamma, "lgamma", "special.gammaln")
digamma = _float_function(a.digamma, "digamma", "special.digamma", "special.psi")
sigmoid = _float_function(a.sigmoid, "sigmoid", "special.expit", "nn.functional.sigmoid")


@public("atan2", "arctan2", inplace=True)
def atan2(input: Node, other: Node) -> Node:
    only_tensors("atan2", input, other)
    x, y = promote_float(input, other)
    return a.atan2(x, y)
