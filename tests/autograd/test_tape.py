"""The tape and the backward walk: edges, freeing, hooks, modes, custom functions."""
from __future__ import annotations

import threading
from typing import Any

import pytest

import flambeau as torch
from flambeau.autograd import Function, grad, gradcheck, gradgradcheck
from flambeau.autograd.function import once_differentiable


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_second_walk_needs_retained_values() -> None:
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_walk_without_saved_values_can_be_repeated() -> None:
    x = leaf(1, 2)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_long_chain_does_not_recurse() -> None:
    x = leaf(1)
    y = x
    for _ in range(5000):
        y = y + 1
    assert grad(y, x)[0].tolist() == [1.0]


def test_same_value_with_two_histories() -> None:
    x = leaf(3)
    assert grad(x * x.detach(), x)[0].tolist() == [3.0]
    assert grad(x * x, x)[0].tolist() == [6.0]


def test_saved_value_modified() -> None:
    x = leaf(1, 2, 3)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="at version 1; expected version 0 instead"):
        y.sum().backward()


def test_only_what_the_derivative_reads_is_checked() -> None:
    x, w = leaf(1, 2), torch.ones(2, dtype=torch.float64)
    y = x * 1
    z = y * w                                   # the gradient of y reads w alone
    y.add_(1)
    assert grad(z.sum(), x)[0].tolist() == [1.0, 1.0]


def test_roots_are_checked() -> None:
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.ones(1).backward()
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        (leaf(1, 2) * 2).backward()
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (leaf(1, 2) * 2).backward(torch.ones(3, dtype=torch.float64))


def test_unused_inputs() -> None:
    x, y = leaf(1), leaf(2)
    with pytest.raises(RuntimeError, match="not have been used"):
        grad((x * 2).sum(), [x, y])
    assert grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert grad((x * 2).sum(), [x, y], materialize_grads=True)[1].tolist() == [0.0]


def test_hooks_in_order() -> None:
    x = leaf(1, 2)
    seen: list[Any] = []
    y = x * 3
    y.retain_grad()
    handle = y.register_hook(lambda g: seen.append("y") or g * 2)
    x.register_hook(lambda g: seen.append("x"))
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    y.sum().backward()
    assert seen == ["y", "x", [6.0, 6.0]]
    assert y.grad.tolist() == [2.0, 2.0]
    handle.remove()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [9.0, 9.0]


def test_modes_are_of_their_thread() -> None:
    found: list[bool] = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: found.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not torch.is_grad_enabled()
    assert found == [True]


def test_no_grad_decorates_generators() -> None:
    @torch.no_grad()
    def steps() -> Any:
        yield torch.is_grad_enabled()
        yield torch.is_grad_enabled()

    outside = []
    for inside in steps():
        assert not inside
        outside.append(torch.is_grad_enabled())
    assert outside == [True, True]


def test_inference_tensors() -> None:
    with torch.inference_mode():
        x = torch.ones(2, dtype=torch.float64)
    assert x.is_inference()
    with pytest.raises(RuntimeError, match="cannot be saved for backward"):
        x * leaf(1, 2)
    with pytest.raises(RuntimeError, match="outside InferenceMode"):
        x.add_(1)


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any, scale: float) -> Any:
        y = x.exp() * scale
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        assert ctx.needs_input_grad == (True, False)
        return g * y, None


def test_custom_function_and_its_second_derivative() -> None:
    x = leaf(0.5, 1.5)
    assert Exp.apply(x, 2.0).grad_fn.name() == "ExpBackward"
    assert gradcheck(lambda t: Exp.apply(t, 2.0), (x,))
    assert gradgradcheck(lambda t: Exp.apply(t, 2.0), (x,))


def test_custom_function_is_checked() -> None:
    class Short(Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Short.apply(leaf(1), leaf(2)).sum().backward()


def test_once_differentiable() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2 * ctx.saved_tensors[0]

    x, v = leaf(3), leaf(1)
    first, = grad(Double.apply(x), x, v, create_graph=True)
    assert first.tolist() == [6.0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad(first.sum(), v)


def test_anomaly_names_the_line() -> None:
    x = leaf(0)
    with pytest.warns(UserWarning, match="Anomaly"), torch.autograd.detect_anomaly():
        y = x / x                               # the line
        with pytest.raises(RuntimeError, match="nan"), pytest.warns(UserWarning, match="test_tape"):
            y.sum().backward()
