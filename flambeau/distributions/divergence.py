"""The table of KL divergences, by the types of p and q.

In: two distributions. Out: KL(p || q), of their batch shape. The pairs themselves stand in
`kl` and `kl_pairs`.
"""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..nn.base import Tensor
from .distribution import Distribution

Rule = Callable[[Any, Any], Tensor]

_KL_REGISTRY: dict[tuple[type, type], Rule] = {}
# What was found for pairs that are not in the table themselves.
_KL_MEMOIZE: dict[tuple[type, type], Any] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """Decorator: the function computes KL(p || q) for p of type_p and q of type_q, or subclasses.

    Where several pairs fit, the most derived one is taken.
    """
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(kind, type):          # Pyro's bases derive from no class of ours
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {kind}")

    def enter(rule: Rule) -> Rule:
        _KL_REGISTRY[type_p, type_q] = rule
        _KL_MEMOIZE.clear()
        return rule
    return enter


def _dispatch_kl(type_p: type, type_q: type) -> Any:
    """The rule of the most derived pair that fits, or NotImplemented."""
    matches = [(p, q) for p, q in _KL_REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not matches:
        return NotImplemented
    order_p, order_q = type_p.__mro__, type_q.__mro__
    left = min(matches, key=lambda m: (order_p.index(m[0]), order_q.index(m[1])))
    right = min(matches, key=lambda m: (order_q.index(m[1]), order_p.index(m[0])))
    rule = _KL_REGISTRY[left]
    if rule is not _KL_REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({left[0].__name__}, {right[1].__name__})", RuntimeWarning, stacklevel=3)
    return rule


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q) = E_p log(p(x) / q(x)) in nats, of the broadcast batch shape."""
    key = type(p), type(q)
    rule = _KL_MEMOIZE.get(key)
    if rule is None:
        rule = _KL_MEMOIZE[key] = _dispatch_kl(*key)
    if rule is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {p.__class__.__name__} and q type "
            f"{q.__class__.__name__}")
    return rule(p, q)
