"""`gradcheck` and `gradgradcheck`: recorded gradients against differences of the function.

In: a function and float64 (or complex128) inputs. Out: True, or GradcheckError.
Works through the methods of the tensors it is given; the reference is central differences.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import api


class GradcheckError(RuntimeError):
    """The gradients differ, or the inputs cannot be checked."""


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _array(t: Any) -> np.ndarray[Any, Any]:
    return np.array(t.detach().resolve_conj().numpy())


def _reals(t: Any) -> np.ndarray[Any, Any]:
    """The elements in a row; of complex ones the real parts and then the imaginary ones."""
    flat = _array(t).ravel()
    return np.concatenate([flat.real, flat.imag]) if flat.dtype.kind == "c" else flat


def _numeric(fn: Callable[..., Any], inputs: tuple[Any, ...], which: int, eps: float,
             ) -> list[np.ndarray[Any, Any]]:
    """d(output)/d(input `which`) by central differences, one (inputs, outputs) matrix an output."""
    x = inputs[which]
    base = _array(x)
    columns: list[list[Any]] = []
    steps = (eps, 1j * eps) if base.dtype.kind == "c" else (eps,)
    for at in np.ndindex(base.shape):
        row: list[Any] = []
        for step in steps:
            ends = []
            for sign in (1, -1):
                moved = base.copy()
                moved[at] += sign * step
                given = list(inputs)
                given[which] = _like(x, moved)
                ends.append([_reals(o) for o in _outputs(fn, tuple(given))])
            row.append([(a - b) / (2 * eps) for a, b in zip(*ends)])
        columns.append(row)
    count = len(_outputs(fn, inputs))
    result = []
    for k in range(count):
        rows = [[part[k] for part in row] for row in columns]
        result.append(np.array([r[0] if len(r) == 1 else r[0] + 1j * r[1] for r in rows]))
    return result


def _like(x: Any, values: np.ndarray[Any, Any]) -> Any:
    return x.new_tensor(values, dtype=x.dtype).requires_grad_(x.requires_grad)


def _outputs(fn: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Any]:
    ask = api.tensors()
    return [o for o in _tuple(fn(*inputs)) if ask.is_tensor(o) and ask.differentiable(o)]


def _analytic(outputs: list[Any], inputs: list[Any], k: int) -> list[np.ndarray[Any, Any]]:
    """Rows d(output k)/d(input), (inputs, outputs), for every input; outputs as `_reals`."""
    out = outputs[k]
    columns: list[list[np.ndarray[Any, Any]]] = [[] for _ in inputs]
    kind = _array(out).dtype
    units = (1, 1j) if kind.kind == "c" else (1,)
    for at, unit in ((at, unit) for unit in units for at in range(out.numel())):
        seed = np.zeros(out.numel(), kind)
        seed[at] = unit
        g = out.detach().new_tensor(seed, dtype=out.dtype).reshape(out.shape)
        found = api.grad([out], inputs, [g], retain_graph=True, allow_unused=True)
        for column, x, d in zip(columns, inputs, found):
            column.append(np.zeros(x.numel(), _array(x).dtype) if d is None else
                          _array(d).ravel())
    return [np.stack(c, 1) if c else np.zeros((x.numel(), 0)) for c, x in zip(columns, inputs)]


def gradcheck(func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5,
              rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0,
              check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
              check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
              check_forward_ad: bool = False, check_backward_ad: bool = True,
              fast_mode: bool = False, masked: bool | None = None) -> bool:
    """Whether the gradients of func at `inputs` are those of its differences."""
    given = _tuple(inputs)
    try:
        (_check_fast if fast_mode else _check)(func, given, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _wanted(given: tuple[Any, ...]) -> list[int]:
    """The places of the inputs to check."""
    ask = api.tensors()
    wanted = [i for i, x in enumerate(given) if ask.is_tensor(x) and ask.requires(x)]
    if not wanted:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but "
                         "none of the them have requires_grad=True.")
    return wanted


def _expect_zero(differences: np.ndarray[Any, Any], atol: float, k: int, i: int) -> None:
    """Refuse a function that has no gradient and yet changes."""
    if np.abs(differences).max(initial=0) > atol:
        raise GradcheckError("Numerical gradient for function expected to be zero; "
                             f"output {k}, input {i}")


def _check(func: Callable[..., Any], given: tuple[Any, ...], eps: float, atol: float,
           rtol: float) -> None:
    wanted = _wanted(given)
    ask = api.tensors()
    outputs = [o for o in _outputs(func, given) if ask.requires(o)]
    if not outputs:
        for i in wanted:
            for k, matrix in enumerate(_numeric(func, given, i, eps)):
                _expect_zero(matrix, atol, k, i)
        return
    numeric = {i: _numeric(func, given, i, eps) for i in wanted}
    differentiable = [k for k, o in enumerate(_outputs(func, given)) if ask.requires(o)]
    for place, k in enumerate(differentiable):
        rows = _analytic(outputs, [given[i] for i in wanted], place)
        for i, analytic in zip(wanted, rows):
            expected = numeric[i][k]
            if not np.allclose(analytic, expected, rtol, atol):
                raise GradcheckError(f"Jacobian mismatch for output {k} with respect to input "
                                     f"{i},\n"
                                     f"numerical:{expected}\nanalytical:{analytic}\n")


def _check_fast(func: Callable[..., Any], given: tuple[Any, ...], eps: float, atol: float,
                rtol: float) -> None:
    """One number of each Jacobian, along a random direction of its input and one of its output.

    A wrong element shows in it unless the directions happen to hide it; the cost does not grow
    with the number of elements.
    """
    wanted = _wanted(given)
    ask = api.tensors()
    rng = np.random.default_rng(0)
    outputs = _outputs(func, given)
    seeds = [_direction(o, rng) for o in outputs]
    live = [k for k, o in enumerate(outputs) if ask.requires(o)]
    found = {k: api.grad([outputs[k]], [given[i] for i in wanted], [_like(outputs[k], seeds[k])],
                         retain_graph=True, allow_unused=True) for k in live}
    for place, i in enumerate(wanted):
        way = _direction(given[i], rng)
        ends = []
        for sign in (1, -1):
            moved = list(given)
            moved[i] = _like(given[i], _array(given[i]) + sign * eps * way)
            ends.append([_array(o) for o in _outputs(func, tuple(moved))])
        for k, (high, low) in enumerate(zip(*ends)):
            slope = (high - low) / (2 * eps)
            if k not in live:
                _expect_zero(slope, atol, k, i)
                continue
            d = found[k][place]
            analytic = 0.0 if d is None else np.vdot(_array(d), way).real
            numeric = np.vdot(seeds[k], slope).real
            room = atol * np.abs(way).sum() * np.abs(seeds[k]).sum()
            if not np.abs(analytic - numeric) <= room + rtol * np.abs(numeric):
                raise GradcheckError(f"Jacobian mismatch for output {k} with respect to input {i}, "
                                     "along random directions,\n"
                                     f"numerical:{numeric}\nanalytical:{analytic}\n")


def _direction(x: Any, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Random values of x's shape whose squares sum to one."""
    values = rng.standard_normal(tuple(x.shape))
    if x.is_complex():
        values = values + 1j * rng.standard_normal(tuple(x.shape))
    return np.asarray(values / max(float(np.linalg.norm(values.ravel())), 1e-30))


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *,
                  eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
                  gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
                  nondet_tol: float = 0.0, check_undefined_grad: bool = True,
                  check_grad_dtypes: bool = False, check_batched_grad: bool = False,
                  check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
                  fast_mode: bool = False, masked: bool = False) -> bool:
    """`gradcheck` of the gradient itself, by the inputs and by the incoming gradients."""
    ask = api.tensors()
    given = _tuple(inputs)
    outs = [o for o in _outputs(func, given) if ask.requires(o)]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        seeds = tuple(o.detach().new_tensor(rng.standard_normal(tuple(o.shape)), dtype=o.dtype)
                      .requires_grad_() for o in outs)
    else:
        seeds = _tuple(grad_outputs)
    count = len(given)

    def gradient(*args: Any) -> Any:
        xs, gs = args[:count], args[count:]
        results = [o for o in _outputs(func, tuple(xs)) if ask.requires(o)]
        wanted = [x for x in xs if ask.is_tensor(x) and ask.requires(x)]
        found = api.grad(results, wanted, list(gs), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(gradient, given + seeds, eps=eps, atol=atol, rtol=rtol,
                     raise_exception=raise_exception, fast_mode=fast_mode)
