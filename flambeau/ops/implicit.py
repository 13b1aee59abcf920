"""How random samples move with their distribution's parameters (implicit reparameterisation).

In: nodes of parameters and samples. Out: nodes. A sample x of distribution function F(x; a) has
dx/da = -(dF/da) / p(x) (Figurnov, Mohamed and Mnih, 2018).

For the gamma distribution dF/da is the integral over (0, x) of p(t) (log t - psi(a)), or minus the
integral over (x, inf); with t = x exp(-s) or x exp(s) the ratio p(t) / p(x) dt is x exp(E(s)) ds
and E falls from 0. The side with less mass is taken, so nothing cancels; s runs to where E = -40,
and Gauss-Legendre quadrature in w, s = S w^3, is good to 1e-7 or better for shapes from 1e-3 to
1e7. The beta distribution goes the same way. All of it in float64.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as a
from .algebra import cast, exp, log, log1p, where
from .fused import like_first
from .table import composite

_POINTS = 32
_DEEP = 40.0                                    # exp(-40) is nothing next to 1
_NEWTON = 8


@cache
def _rule() -> list[tuple[float, float]]:
    """Points w^3 and weights 3 w^2 dw for the integral over (0, 1)."""
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    w = (points + 1) / 2
    return [(float(p), float(q)) for p, q in zip(w**3, 3 * w**2 * weights / 2)]


def _integral(f: Callable[[Node], Node], end: Node) -> Node:
    """The integral of f(s) over (0, end)."""
    total: Node | None = None
    for point, weight in _rule():
        term = f(end * point) * weight
        total = term if total is None else total + term
    assert total is not None
    return total * end


# ---------------------------------------------------------------- gamma


def _end_below(alpha: Node, x: Node) -> Node:
    """Where E(s) = -alpha s + x (1 - exp(-s)) <= -(alpha - x) s - x s^2 / (2 + s) is -40."""
    half = _DEEP - 2 * (alpha - x)
    return (half + a.sqrt(half * half + 8 * _DEEP * alpha)) / (2 * alpha)


def _end_above(alpha: Node, x: Node) -> Node:
    """Where E(s) = alpha s - x (exp(s) - 1) <= -(x - alpha) s - x s^2 / 2 is -40.

    For small x it is the exponential that ends it.
    """
    gap = x - alpha
    end = 2 * _DEEP / (gap + a.sqrt(gap * gap + 2 * _DEEP * x))
    for _ in range(3):
        end = a.min_(end, log1p((alpha * end + _DEEP) / x))
    return end


@composite("gamma_slope", like_first)
def GAMMA_SLOPE(alpha: Node, x: Node) -> Node:  # noqa: N802
    """dx/d alpha of a gamma sample x of shape alpha and rate 1."""
    kind = alpha.dtype
    alpha, x = cast(alpha, dt.float64), cast(x, dt.float64)
    low = a.lt(x, alpha)
    level = log(x) - a.digamma(alpha)
    end = where(low, _end_below(alpha, x), _end_above(alpha, where(low, alpha, x)))
    side = a.pick(low, -1.0, 1.0, dt.float64)
    rate = side * alpha

    def f(s: Node) -> Node:
        return exp(rate * s - x * a.expm1(side * s)) * (level + side * s)
    return cast(side * x * _integral(f, end), kind)


# ---------------------------------------------------------------- beta


def _beta_end(first: Node, second: Node, x: Node) -> Node:
    """Where E(s) = -first s + (second - 1)+ log((1 - x exp(-s)) / (1 - x)) has come to -40."""
    more = a.max_(second - 1, 0.0)
    rest = 1 - x
    # E is concave; Newton's method comes from the right and stays there.
    end = (_DEEP - more * log(rest)) / first
    for _ in range(_NEWTON):
        gone = x * exp(a.neg(end))
        value = more * log((1 - gone) / rest) - first * end + _DEEP
        slope = more * gone / (1 - gone) - first
        end = end - value / slope
    return end


@composite("dirichlet_slope", like_first)
def DIRICHLET_SLOPE(x: Node, alpha: Node, total: Node) -> Node:  # noqa: N802
    """dx/d alpha / (1 - x), for x of Beta(alpha, total - alpha) and its second shape held.

    Over (0, x) it is t = x exp(-s); over (x, 1) the same with the roles of t and 1 - t exchanged.
    """
    kind = x.dtype
    x, alpha, total = cast(x, dt.float64), cast(alpha, dt.float64), cast(total, dt.float64)
    beta = total - alpha
    big_a, big_b = a.max_(alpha, 1.0), a.max_(beta, 1.0)
    low = a.lt(x, big_a / (big_a + big_b))
    level = a.digamma(total) - a.digamma(alpha)
    start = where(low, x, 1 - x)
    first = where(low, alpha, beta)
    second = where(low, beta, alpha)
    ratio = start / (1 - start)
    log_x = log(x)

    def f(s: Node) -> Node:
        # log((1 - start e^-s) / (1 - start)) without cancellation
        gain = log1p(a.neg(ratio) * a.expm1(a.neg(s)))
        log_t = where(low, log_x - s, log1p(a.neg(start) * exp(a.neg(s))))
        return exp((second - 1) * gain - first * s) * (log_t + level)

    side = a.pick(low, -1.0, 1.0, dt.float64)
    slope = side * start * _integral(f, _beta_end(first, second, start))
    return cast(slope / (1 - x), kind)


# ---------------------------------------------------------------- samples with a derivative


def _gamma_rule(g: Node, out: Node, alpha: Node, _drawn: Node) -> tuple[Node, None]:
    return g * GAMMA_SLOPE(alpha, out), None


@composite("standard_gamma", like_first, vjp=_gamma_rule)
def GAMMA_SAMPLE(alpha: Node, drawn: Node) -> Node:  # noqa: N802, ARG001
    """The numbers `drawn`, as a function of their shape parameter."""
    return drawn


def _dirichlet_rule(g: Node, out: Node, alpha: Node, _drawn: Node) -> tuple[Node, None]:
    last = (alpha.ndim - 1,)
    total = a.expand(a.sum_(alpha, last), alpha.shape)
    mean = a.sum_(out * g, last)
    return DIRICHLET_SLOPE(out, alpha, total) * (g - mean), None


@composite("sample_dirichlet", like_first, vjp=_dirichlet_rule)
def DIRICHLET_SAMPLE(alpha: Node, drawn: Node) -> Node:  # noqa: N802, ARG001
    """The rows `drawn`, as a function of their concentrations."""
    return drawn
