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


def _float_function(op: Callable[[Node], Node], *names: str, doc: str) -> Callable[[Node], Node]:
    @public(*names, inplace=True)
    def apply(input: Node) -> Node:
        return op(input if input.dtype.kind in "fc" else promote_float(input)[0])
    apply.__name__ = names[0].split(".")[-1]
    apply.__doc__ = doc
    return apply


exp = _float_function(a.exp, "exp", doc="e to the power of the input.")
exp2 = _float_function(a.exp2, "exp2", "special.exp2", doc="2 to the power of the input.")
expm1 = _float_function(a.expm1, "expm1", "special.expm1", doc="exp(input) - 1, exact near 0.")
log = _float_function(a.log, "log", doc="The natural logarithm.")
log2 = _float_function(a.log2, "log2", doc="The logarithm to base 2.")
log10 = _float_function(a.log10, "log10", doc="The logarithm to base 10.")
log1p = _float_function(a.log1p, "log1p", "special.log1p", doc="log(1 + input), exact near 0.")
sin = _float_function(a.sin, "sin", doc="The sine of radians.")
cos = _float_function(a.cos, "cos", doc="The cosine of radians.")
tan = _float_function(a.tan, "tan", doc="The tangent of radians.")
asin = _float_function(a.asin, "asin", "arcsin", doc="The inverse sine, in radians.")
acos = _float_function(a.acos, "acos", "arccos", doc="The inverse cosine, in radians.")
atan = _float_function(a.atan, "atan", "arctan", doc="The inverse tangent, in radians.")
sinh = _float_function(a.sinh, "sinh", doc="The hyperbolic sine.")
cosh = _float_function(a.cosh, "cosh", doc="The hyperbolic cosine.")
tanh = _float_function(a.tanh, "tanh", "nn.functional.tanh", doc="The hyperbolic tangent.")
asinh = _float_function(a.asinh, "asinh", "arcsinh", doc="The inverse hyperbolic sine.")
acosh = _float_function(a.acosh, "acosh", "arccosh", doc="The inverse hyperbolic cosine.")
atanh = _float_function(a.atanh, "atanh", "arctanh", doc="The inverse hyperbolic tangent.")
erf = _float_function(a.erf, "erf", "special.erf", doc="The error function.")
erfc = _float_function(a.erfc, "erfc", "special.erfc",
                       doc="1 - erf(input), exact for large inputs.")
erfinv = _float_function(a.erfinv, "erfinv", "special.erfinv", doc="The inverse of erf.")
lgamma = _float_function(a.lgamma, "lgamma", "special.gammaln",
                         doc="The logarithm of the gamma function's absolute value.")
digamma = _float_function(a.digamma, "digamma", "special.digamma", "special.psi",
                          doc="The derivative of lgamma.")
sigmoid = _float_function(a.sigmoid, "sigmoid", "special.expit", "nn.functional.sigmoid",
                          doc="1 / (1 + exp(-input)).")


@public("atan2", "arctan2", inplace=True)
def atan2(input: Node, other: Node) -> Node:
    """The angle of the point (other, input), between -pi and pi."""
    only_tensors("atan2", input, other)
    x, y = promote_float(input, other)
    return a.atan2(x, y)
