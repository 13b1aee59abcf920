"""einsum and tensordot: labels to `dot` nodes.

In: an equation (or the sublist form) and nodes. Out: a node.

    einsum("bij,bjk->bik", %0, %1)  ->  dot(%0, %1, (0, 1, 2), (0, 2, 3), (0, 1, 3))
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import dtype as dt
from ..graph.node import Node
from . import algebra as alg
from . import promotion as pro
from .contraction import contract
from .table import public
from .view import diagonal

Labels = list[Any]                             # letters or ints; the dims of "..." are (-n .. -1)


@public("torch.einsum", "functional.einsum")
def einsum(*args: Any) -> Node:
    """Sum of products over labelled dims (every form of torch.einsum)."""
    if not args:
        raise ValueError("einsum(): must specify the equation string and at least one operand, "
                         "or at least one operand and its subscripts list")
    if isinstance(args[0], Node):
        operands, inputs, output = _sublists(args)
    else:
        given = args[1:]
        if len(given) == 1 and isinstance(given[0], (list, tuple)):
            given = tuple(given[0])
        operands = list(given)
        inputs, output = _parse(args[0], len(operands))
    return _contract_all(operands, inputs, output)


def _sublists(args: Sequence[Any]) -> tuple[list[Node], list[Labels], Labels | None]:
    operands = list(args[0:len(args) - len(args) % 2:2])
    inputs = [list(s) for s in args[1::2]]
    return operands, inputs, list(args[-1]) if len(args) % 2 else None


def _parse(equation: str, count: int) -> tuple[list[Labels], Labels | None]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    inputs = [_letters(part, i) for i, part in enumerate(left.split(","))]
    if len(inputs) > count:
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    if len(inputs) < count:
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    return inputs, _letters(right, -1) if arrow else None


def _letters(text: str, operand: int) -> Labels:
    where = "in the output" if operand < 0 else f"for operand {operand}"
    if text.count("...") > 1:
        raise RuntimeError(f"einsum(): found '.' {where} for which an ellipsis was already found")
    out: Labels = []
    while text:
        if text.startswith("..."):
            out.append(Ellipsis)
            text = text[3:]
            continue
        if text[0] == ".":
            raise RuntimeError(f"einsum(): found '.' {where} that is not part of any ellipsis")
        if not (text[0].isascii() and text[0].isalpha()):
            raise RuntimeError(f"einsum(): invalid subscript given at index {0} in the equation "
                               f"string, subscripts must be in [a-zA-Z]")
        out.append(text[0])
        text = text[1:]
    return out


def _stretch(labels: Labels, ndim: int, i: int) -> Labels:
    """The labels of every dim: an ellipsis becomes -n .. -1."""
    if Ellipsis not in labels:
        if len(labels) != ndim:
            raise RuntimeError("einsum(): the number of subscripts in the equation "
                               f"({len(labels)}) does not match the number of dimensions ({ndim}) "
                               f"for operand {i} and no ellipsis was given")
        return labels
    hidden = ndim - (len(labels) - 1)
    if hidden < 0:
        raise RuntimeError(f"einsum(): the number of subscripts in the equation ({len(labels) - 1})"
                           f" is more than the number of dimensions ({ndim}) for operand {i}")
    at = labels.index(Ellipsis)
    return labels[:at] + [(k,) for k in range(-hidden, 0)] + labels[at + 1:]


def _output(given: Labels | None, inputs: list[Labels]) -> Labels:
    seen = [label for labels in inputs for label in labels]
    dots = max((sum(isinstance(x, tuple) for x in labels) for labels in inputs), default=0)
    ellipsis = [(k,) for k in range(-dots, 0)]
    if given is None:
        plain = [x for x in seen if not isinstance(x, tuple)]
        return ellipsis + sorted({x for x in plain if plain.count(x) == 1})
    out: Labels = []
    for label in given:
        if label is Ellipsis:
            out.extend(ellipsis)
            continue
        if label in out:
            raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the "
                               "output")
        if label not in seen:
            raise RuntimeError(f"einsum(): output subscript {label} does not appear in the "
                               "equation for any input operand")
        out.append(label)
    return out


def _contract_all(operands: list[Node], inputs: list[Labels], output: Labels | None) -> Node:
    inputs = [_stretch(labels, x.ndim, i) for i, (x, labels) in enumerate(zip(operands, inputs))]
    out = _output(output, inputs)
    number = {label: k for k, label in enumerate(dict.fromkeys(x for s in inputs for x in s))}
    extent: dict[int, int] = {}
    terms = []
    for i, (x, labels) in enumerate(zip(pro.promote(*operands), inputs)):
        dims = [number[label] for label in labels]
        for d, n, label in zip(dims, x.shape, labels):
            if n != 1 and extent.get(d, 1) not in (1, n):
                raise RuntimeError(f"einsum(): subscript {_name(label)} has size {n} for operand "
                                   f"{i} which does not broadcast with previously seen size "
                                   f"{extent[d]}")
            extent[d] = max(extent.get(d, 1), n) if n else 0
        terms.append(_distinct(x, dims))
    wanted = tuple(number[label] for label in out)
    return _reduce_terms(terms, wanted, extent)


def _name(label: Any) -> Any:
    return "..." if isinstance(label, tuple) else label


def _distinct(x: Node, dims: list[int]) -> tuple[Node, list[int]]:
    """Repeated labels of one operand become its diagonal."""
    while len(set(dims)) < len(dims):
        label = next(d for d in dims if dims.count(d) > 1)
        first = dims.index(label)
        second = dims.index(label, first + 1)
        x = diagonal(x, 0, first, second)
        dims = [d for i, d in enumerate(dims) if i not in (first, second)] + [label]
    return x, dims


def _reduce_terms(terms: list[tuple[Node, list[int]]], wanted: tuple[int, ...],
                  extent: dict[int, int]) -> Node:
    """Contract two at a time, from the left, summing each label when its last use is over."""
    while len(terms) > 1:
        (a, a_dims), (b, b_dims), *rest = terms
        needed = set(wanted).union(*(d for _, d in rest))
        a, a_dims = _sum_lone(a, a_dims, needed | set(b_dims))
        b, b_dims = _sum_lone(b, b_dims, needed | set(a_dims))
        a, b = pro.promote(a, b)                   # a sum of integers is an int64
        out = [d for d in dict.fromkeys((*a_dims, *b_dims)) if d in needed]
        if not rest:
            out = [d for d in wanted if d in out]
        terms = [(contract(a, b, tuple(a_dims), tuple(b_dims), tuple(out)), out), *rest]
    x, dims = terms[0]
    x, dims = _sum_lone(x, dims, set(wanted))
    x = alg.permute(x, [dims.index(d) for d in wanted])
    return alg.expand(x, tuple(extent[d] for d in wanted))


def _sum_lone(x: Node, dims: list[int], needed: set[int]) -> tuple[Node, list[int]]:
    """Sum the dims nothing else uses."""
    lone = tuple(i for i, d in enumerate(dims) if d not in needed)
    if not lone:
        return x, dims
    if x.dtype.kind in "biu":
        x = alg.cast(x, dt.int64)
    x = alg.squeeze(alg.sum_(x, lone), lone)
    return x, [d for d in dims if d in needed]


@public("torch.tensordot", "functional.tensordot")
def tensordot(a: Node, b: Node, dims: Any = 2) -> Node:
    """Contract the dims of a with those of b: a number of them, or two lists."""
    if isinstance(dims, Node):
        from .known import array
        dims = array(dims).tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        first: Any = range(a.ndim - dims, a.ndim)
        second: Any = range(dims)
    else:
        first, second = dims
        first = [first] if isinstance(first, int) else first
        second = [second] if isinstance(second, int) else second
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    for i, j in zip(first, second):
        n, m = a.shape[i], b.shape[j]
        if n != m and 1 not in (n, m):
            raise RuntimeError("contracted dimensions need to match, but first has size "
                               f"{n} in dim {i - a.ndim if isinstance(dims, int) else i} and "
                               f"second has size {m} in dim {j}")
    a_dims = list(range(a.ndim))
    b_dims = list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(first, second):
        b_dims[pro.wrap_dim(j, b.ndim)] = pro.wrap_dim(i, a.ndim)
    out = tuple(d for d in a_dims if d not in b_dims) + tuple(d for d in b_dims if d >= a.ndim)
    a, b = (_single(x, labels, y, other) for x, labels, y, other in (
        (a, a_dims, b, b_dims), (b, b_dims, a, a_dims)))
    return contract(a, b, tuple(a_dims), tuple(b_dims), out)


def _single(x: Node, labels: list[int], y: Node, other: list[int]) -> Node:
    """A contracted dim whose partner has extent 1 is summed first."""
    lone = tuple(i for i, d in enumerate(labels)
                 if d in other and y.shape[other.index(d)] == 1 and x.shape[i] != 1)
    return alg.sum_(x, lone)
