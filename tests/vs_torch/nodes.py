"""Compare node functions with PyTorch: values and gradients, through `graph.interpret`."""
import importlib
import pkgutil

import numpy as np
import torch

from flambeau.core import dtype as dt
from flambeau.graph.interpret import evaluate
from flambeau.graph.node import Node
from flambeau.graph.primitive import BUFFER
from flambeau.ops import derive
from flambeau.runtime.buffer import Buffer

_ops = importlib.import_module("flambeau.ops")  # the package; the attribute is torch.ops
for _module in pkgutil.iter_modules(_ops.__path__):     # every derivative rule is declared
    importlib.import_module(f"flambeau.ops.{_module.name}")


def node(t):
    """A computed node with the values of a torch tensor."""
    t = t.detach()
    kind = getattr(dt, str(t.dtype).split(".")[1].replace("bool", "bool_"))
    if t.dtype is torch.bfloat16:
        values = t.float().numpy().astype(kind.numpy)
    else:
        values = t.numpy()
    made = Node(BUFFER, (), (), tuple(t.shape), kind)
    made.value = Buffer.from_numpy(np.array(values, order="C", copy=True))
    return made


def swap(value):
    if isinstance(value, torch.Tensor):
        return node(value)
    if isinstance(value, torch.dtype):
        return getattr(dt, str(value).split(".")[1].replace("bool", "bool_"))
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(swap(v) for v in value)
    return value


def flat(result):
    if isinstance(result, (Node, torch.Tensor)):
        return [result]
    if isinstance(result, (list, tuple)):
        return [r for part in result for r in flat(part)]
    return []


def tensors(args):
    for a in args:
        if isinstance(a, torch.Tensor):
            yield a
        elif isinstance(a, (list, tuple)):
            yield from tensors(a)


def check(ours, theirs, *args, grad=True, tol=2e-5, **kw):
    """Values, shapes, dtypes, and gradients of sum(w * out) by each float input, agree."""
    pairs = {}
    nodes = _swap_keep(args, pairs)
    named = {k: _swap_keep(v, pairs) for k, v in kw.items()}
    mine = flat(ours(*nodes, **named))
    true = flat(theirs(*args, **kw))
    assert len(mine) == len(true), (len(mine), len(true))
    for got, want, array in zip(mine, true, evaluate(mine)):
        assert got.shape == tuple(want.shape), (got.shape, want.shape)
        assert got.dtype.name == str(want.dtype).split(".")[1], (got.dtype, want.dtype)
        _close(array, want, tol)
    if grad:
        _gradients(mine, true, pairs, tol)


def _swap_keep(value, pairs):
    if isinstance(value, torch.Tensor):
        if id(value) not in pairs:
            pairs[id(value)] = (value, node(value))
        return pairs[id(value)][1]
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        return type(value)(_swap_keep(v, pairs) for v in value)
    return swap(value)


def _close(array, want, tol):
    want = want.detach()
    if want.dtype is torch.bfloat16:
        want, array = want.float(), array.astype(np.float32)
    np.testing.assert_allclose(array, want.resolve_conj().numpy(), rtol=tol, atol=tol,
                               equal_nan=True)


def _gradients(mine, true, pairs, tol):
    wrt = [(t, n) for t, n in pairs.values() if t.requires_grad]
    if not wrt:
        return
    totals = [None] * len(wrt)
    loss = 0
    for got, want in zip(mine, true):
        if not want.requires_grad:
            continue
        w = torch.randn(want.shape, dtype=want.dtype)
        loss = loss + (want * w.conj()).sum()
        for i, d in enumerate(derive.reverse(got, node(w), [n for _, n in wrt])):
            if d is not None:
                totals[i] = d if totals[i] is None else totals[i] + d
    if isinstance(loss, int):
        return
    expected = torch.autograd.grad(loss.real if loss.is_complex() else loss, [t for t, _ in wrt],
                                   allow_unused=True)
    for total, want, (t, _) in zip(totals, expected, wrt):
        if want is None or total is None:
            value = want if total is None else torch.from_numpy(evaluate([total])[0])
            assert value is None or not value.any(), "a gradient is missing on one side"
            continue
        assert total.shape == tuple(t.shape)
        _close(evaluate([total])[0], want, tol * 5)


def raises_alike(ours, theirs, *args, **kw):
    """Both raise, ours an exception of the same type with the same words."""
    try:
        theirs(*args, **kw)
    except Exception as error:  # noqa: BLE001
        expected = error
    else:
        raise AssertionError("PyTorch raises nothing")
    try:
        ours(*swap(args), **{k: swap(v) for k, v in kw.items()})
    except type(expected) as error:
        return str(error), str(expected)
    raise AssertionError(f"nothing raised; PyTorch: {expected!r}")


def leaf(*shape, dtype=torch.float64):
    return torch.randn(shape, dtype=dtype, requires_grad=True)
