"""`torch.autograd.functional`: Jacobians, Hessians and products with them.

In: a function of tensors and its inputs. Out: tensors in the nesting of outputs and inputs.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import api
from .grad_mode import enable_grad


def _listed(x: Any, name: str) -> tuple[bool, tuple[Any, ...]]:
    """Whether a tuple was given, and the tensors."""
    ask = api.tensors()
    many = isinstance(x, tuple)
    items = x if many else (x,)
    for i, t in enumerate(items):
        if not ask.is_tensor(t):
            where = f" at index {i} of the tuple" if many else ""
            raise TypeError(f"The {name} given must be either a Tensor or a tuple of Tensors but "
                            f"the value{where} has type {type(t)}.")
    return many, tuple(items)


def _fresh(inputs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    if create_graph:
        return tuple(x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
                     for x in inputs)
    return tuple(x.detach().requires_grad_() for x in inputs)


def _done(result: Any, create_graph: bool) -> Any:
    if isinstance(result, tuple):
        return tuple(_done(r, create_graph) for r in result)
    return result if create_graph else result.detach()


def _evaluate(func: Callable[..., Any], inputs: Any, create_graph: bool, name: str,
              ) -> tuple[bool, tuple[Any, ...], bool, tuple[Any, ...]]:
    many_in, given = _listed(inputs, f"inputs given to {name}")
    xs = _fresh(given, create_graph)
    many_out, outs = _listed(func(*xs), f"outputs of the user-provided function given to {name}")
    return many_in, xs, many_out, outs


def _gradient(outs: Any, xs: Any, gs: Any, create_graph: bool, strict: bool = False) -> list[Any]:
    """Gradients with zeros where an input was not used."""
    ask = api.tensors()
    live = [(o, g) for o, g in zip(outs, gs) if ask.requires(o)]
    if not live:
        if strict:
            raise RuntimeError("The output of the user-provided function does not require "
                               "gradients; this is not allowed in strict mode.")
        return [ask.zeros(x) for x in xs]
    found = api.grad([o for o, _ in live], list(xs), [g for _, g in live], retain_graph=True,
                     create_graph=create_graph, allow_unused=True)
    if strict and any(g is None for g in found):
        raise RuntimeError("The output of the user-provided function is independent of an input; "
                           "this is not allowed in strict mode.")
    return [ask.zeros(x) if g is None else g for g, x in zip(found, xs)]


@enable_grad()
def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """(outputs, v^T J)."""
    many, xs, many_out, outs = _evaluate(func, inputs, create_graph, "vjp")
    if v is None:
        if len(outs) != 1 or outs[0].numel() != 1:
            raise RuntimeError("The vector v can only be None if the user-provided function "
                               "returns a single Tensor with a single element.")
        vs: tuple[Any, ...] = (api.tensors().ones(outs[0]),)
    else:
        _, vs = _listed(v, "v given to vjp")
    grads = tuple(_gradient(outs, xs, vs, create_graph, strict))
    return (_done(outs if many_out else outs[0], create_graph),
            _done(grads if many else grads[0], create_graph))


@enable_grad()
def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """(outputs, J v), by differentiating v^T J by v twice."""
    _, xs, many_out, outs = _evaluate(func, inputs, create_graph, "jvp")
    ask = api.tensors()
    if v is None:
        vs: tuple[Any, ...] = tuple(ask.ones(x) for x in xs)
    else:
        _, vs = _listed(v, "v given to jvp")
    dummies = [ask.zeros(o).requires_grad_() for o in outs]
    grads = _gradient(outs, xs, dummies, True, strict)
    products = tuple(_gradient(grads, dummies, vs, create_graph))
    return (_done(outs if many_out else outs[0], create_graph),
            _done(products if many_out else products[0], create_graph))


@enable_grad()
def jacobian(func: Callable[..., Any], inputs: Any, create_graph: bool = False,
             strict: bool = False, vectorize: bool = False,
             strategy: str = "reverse-mode") -> Any:
    """d(outputs)/d(inputs), each of shape output.shape + input.shape."""
    many, xs, many_out, outs = _evaluate(func, inputs, create_graph, "jacobian")
    rows = tuple(_rows(o, xs, create_graph, strict) for o in outs)
    found: Any = tuple(r if many else r[0] for r in rows)
    return _done(found if many_out else found[0], create_graph)


def _rows(out: Any, xs: tuple[Any, ...], create_graph: bool, strict: bool) -> tuple[Any, ...]:
    """The Jacobian of one output by every input."""
    columns: list[list[Any]] = [[] for _ in xs]
    flat = out.reshape(-1)
    for i in range(flat.numel()):
        one = api.tensors().ones(flat[i])
        for column, g in zip(columns, _gradient((flat[i],), xs, (one,), create_graph, strict)):
            column.append(g)
    return tuple(_stacked(column, out, x) for column, x in zip(columns, xs))


def _stacked(column: list[Any], out: Any, x: Any) -> Any:
    """Rows as one tensor of shape out.shape + x.shape."""
    shape = (*out.shape, *x.shape)
    return api.tensors().stack(column).reshape(shape) if column else x.new_zeros(shape)


@enable_grad()
def hessian(func: Callable[..., Any], inputs: Any, create_graph: bool = False,
            strict: bool = False, vectorize: bool = False,
            outer_jacobian_strategy: str = "reverse-mode") -> Any:
    """The Jacobian of the gradient of a function with one number as result."""
    many, given = _listed(inputs, "inputs given to hessian")

    def gradient(*xs: Any) -> Any:
        out = func(*xs)
        if not api.tensors().is_tensor(out):
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if out.numel() != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should "
                               "contain a single element")
        found = tuple(_gradient((out.reshape(()),), xs, (api.tensors().ones(out.reshape(())),),
                                True, strict))
        return found

    result = jacobian(gradient, given, create_graph=create_graph, strict=strict)
    return result if many else result[0][0]


@enable_grad()
def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """(outputs, v^T H)."""
    many, xs, _, outs = _evaluate(func, inputs, create_graph, "vhp")
    ask = api.tensors()
    _, vs = _listed(v, "v given to vhp") if v is not None else (False, (ask.ones(xs[0]),))
    first = _gradient(outs, xs, (ask.ones(outs[0]),), True, strict)
    found = tuple(_gradient(first, xs, vs, create_graph, strict))
    return _done(outs[0], create_graph), _done(found if many else found[0], create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False,
        strict: bool = False) -> tuple[Any, Any]:
    """(outputs, H v); H is symmetric, so this is vhp."""
    return vhp(func, inputs, v, create_graph, strict)


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
