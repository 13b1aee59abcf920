"""`torch.func`: derivatives of functions as functions.

In: a function of tensors (in any nesting). Out: its gradient, Jacobian, Hessian, their products.
They nest: a transform inside another is itself differentiated. Each output element costs one walk
back (`jacrev`, `jacfwd`, `hessian`); `jvp` is the derivative of the walk back by its start.
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd.api import grad as gradients
from ..autograd.grad_mode import enable_grad
from ..tensor import functionalize as f
from ..tensor.creation import zeros, zeros_like
from ..tensor.names import PUBLIC
from ..tensor.tensor import Tensor
from ..core.pytree import TreeSpec, tree_flatten, tree_map, tree_unflatten
from ._levels import fresh, leaf, moment, released


def _by(outputs: list[Any], inputs: list[Any], starts: list[Any] | None) -> list[Any]:
    """Gradients of outputs by inputs, zeros where there are none; themselves recorded."""
    live = [i for i, o in enumerate(outputs) if isinstance(o, Tensor) and f.requires_grad(o)]
    wanted = [x for x in inputs if isinstance(x, Tensor)]
    if not live:
        return [zeros_like(x) for x in wanted]
    begin = None if starts is None else [starts[i] for i in live]
    return list(gradients([outputs[i] for i in live], wanted, begin, retain_graph=True,
                          create_graph=True, allow_unused=True, materialize_grads=True))


# ---------------------------------------------------------------- grad


def _chosen(args: tuple[Any, ...], argnums: Any) -> tuple[int, ...]:
    """The positions of the arguments to differentiate by."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in numbers:
        if not -len(args) <= i < len(args):
            raise RuntimeError(f"Got argnum={i}, but only {len(args)} positional inputs")
    return tuple(i % len(args) for i in numbers)


def _freshened(args: tuple[Any, ...], numbers: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
    """The arguments with the chosen ones made fresh; and those, in their nesting."""
    made = list(args)
    for i in numbers:
        made[i] = tree_map(fresh, args[i])
    return made, [made[i] for i in numbers]


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False,
                   ) -> Callable[..., Any]:
    """args -> (gradient by the chosen arguments, value)."""
    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        since = moment()
        with enable_grad():
            numbers = _chosen(args, argnums)
            made, chosen = _freshened(args, numbers)
            result = func(*made, **kwargs)
            value, aux = result if has_aux else (result, None)
            _check_scalar(value)
            leaves, spec = tree_flatten(chosen)
            found = tree_unflatten(_by([value], leaves, None), spec)
        found = found[0] if isinstance(argnums, int) else tuple(found)
        answer = (found, (value, aux) if has_aux else value)
        return released(answer, since)

    return call


def _check_scalar(value: Any) -> None:
    if not isinstance(value, Tensor):
        raise RuntimeError("Expected the differentiated function to return a tensor, got type "
                           f"{type(value)}")
    if value._shape:
        raise RuntimeError("Expected the differentiated function to return a scalar tensor, got "
                           f"tensor with {len(value._shape)} dims. Maybe you wanted to use the "
                           "vjp or jacrev APIs instead?")


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """args -> gradient of a scalar function by the chosen arguments."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return call


# ---------------------------------------------------------------- vjp, jvp


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(value, function that takes cotangents to gradients[, aux])."""
    since = moment()
    with enable_grad():
        made = [tree_map(fresh, p) for p in primals]
        result = func(*made)
    value, aux = result if has_aux else (result, None)
    leaves, spec = tree_flatten(made)
    outputs, out_spec = tree_flatten(value)
    for o in outputs:
        if not isinstance(o, Tensor):
            raise RuntimeError(f"vjp(f, *primals): Expected f(*primals) to return only tensors, "
                               f"got unsupported type {type(o)}")

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        starts, given = tree_flatten(cotangents)
        if given != out_spec:
            raise RuntimeError("Expected pytree structure of cotangents to be the same as pytree "
                               "structure of outputs to the function.")
        with enable_grad():
            found = _by(outputs, leaves, starts)
        answer = tuple(tree_unflatten(found, spec))
        return released(answer, since)

    shown = released(value, since)
    return (shown, pull, released(aux, since)) if has_aux else (shown, pull)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False,
        has_aux: bool = False) -> Any:
    """(value, derivative along the tangents[, aux])."""
    if not isinstance(primals, tuple) or not primals:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to be a non-empty tuple.")
    flat, spec = tree_flatten(primals)
    along, given = tree_flatten(tangents)
    if spec != given:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to have the "
                           "same python structure.")
    since = moment()
    with enable_grad():
        leaves = [fresh(x) for x in flat]
        result = func(*tree_unflatten(leaves, spec))
        value, aux = result if has_aux else (result, None)
        outputs, out_spec = tree_flatten(value)
        moved = _pushed(outputs, leaves, along)
    answer: tuple[Any, ...] = (value, tree_unflatten(moved, out_spec))
    answer = (*answer, aux) if has_aux else answer
    return released(answer, since)


def _pushed(outputs: list[Any], leaves: list[Any], along: list[Any]) -> list[Any]:
    """Derivatives of outputs along tangents.

    The walk back is linear in its starts u: its derivative by u, taken with the tangents, is the
    Jacobian times them.
    """
    starts = [leaf(zeros_like(o)) for o in outputs]
    back = _by(outputs, leaves, starts)
    live = [(g, t) for g, t in zip(back, along) if f.requires_grad(g)]
    if not live:
        return [zeros_like(o) for o in outputs]
    return _by([g for g, _ in live], starts, [t for _, t in live])


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """(value, function that takes tangents to derivatives at this point)."""
    since = moment()
    flat, spec = tree_flatten(primals)
    with enable_grad():
        leaves = [fresh(x) for x in flat]
        value = func(*tree_unflatten(leaves, spec))
    outputs, out_spec = tree_flatten(value)

    def push(*tangents: Any) -> Any:
        along, given = tree_flatten(tangents)
        if given != spec:
            raise RuntimeError("Expected the tangents to have the structure of the primals.")
        with enable_grad():
            moved = _pushed(outputs, leaves, along)
        return released(tree_unflatten(moved, out_spec), since)

    return released(value, since), push


# ---------------------------------------------------------------- Jacobians


def jacrev(func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False,
           chunk_size: int | None = None, _preallocate_and_copy: bool = False,
           ) -> Callable[..., Any]:
    """args -> Jacobian: for each output, for each chosen argument, of shape output + argument."""
    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        since = moment()
        with enable_grad():
            numbers = _chosen(args, argnums)
            made, chosen = _freshened(args, numbers)
            result = func(*made, **kwargs)
            value, aux = result if has_aux else (result, None)
            leaves, spec = tree_flatten(chosen)
            outputs, out_spec = tree_flatten(value)
            rows = [_jacobian(o, leaves, spec, isinstance(argnums, int)) for o in outputs]
        found = tree_unflatten(rows, out_spec)
        return released((found, aux) if has_aux else found, since)

    return call


def _jacobian(output: Any, leaves: list[Any], spec: TreeSpec, single: bool) -> Any:
    """The derivatives of one tensor by all leaves."""
    torch = PUBLIC["torch"]
    if not isinstance(output, Tensor):
        raise RuntimeError("jacrev: expected f to return only tensors, got type "
                           f"{type(output).__name__}")
    flat = output.reshape(-1)
    rows = [_by([flat[i]], leaves, None) for i in range(flat._shape[0])]
    found = []
    for k, x in enumerate(leaves):
        shape = output._shape + x._shape
        found.append(torch["stack"]([r[k] for r in rows]).reshape(shape) if rows
                     else zeros(shape, dtype=x.dtype))
    made = tree_unflatten(found, spec)
    return made[0] if single else tuple(made)


def jacfwd(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable[..., Any]:
    """As `jacrev`; the result is the same, and so is the way it is found."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """args -> the Jacobian of the Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)
