"""Views made a second time come from a recipe: they must be what the first one was."""
from __future__ import annotations

import pytest

import flambeau as torch

CALLS = [
    lambda x: x.view(4, 6), lambda x: x.view((6, 4)), lambda x: x.reshape(-1), lambda x: x.t(),
    lambda x: x.transpose(0, 1), lambda x: x[1], lambda x: x[1:, 2:5], lambda x: x[None, ..., 3],
    lambda x: x[::2], lambda x: x[-1, None], lambda x: x.unsqueeze(1), lambda x: x[()],
    lambda x: x.narrow(1, 2, 3), lambda x: x.expand(2, 3, 8), lambda x: x.permute(1, 0),
    lambda x: x.select(0, 2), lambda x: x.diagonal(), lambda x: x.T, lambda x: x.view(torch.int32),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("source", ["plain", "transposed", "integer"])
def test_a_view_made_again_equals_the_first(call, source) -> None:
    def fresh():
        x = torch.arange(24.0).reshape(3, 8).clone()
        if source == "transposed":
            return torch.arange(24.0).reshape(8, 3).clone().t()
        return x.int() if source == "integer" else x.requires_grad_()
    a, b = fresh(), fresh()
    try:
        first = call(a)
    except RuntimeError:
        with pytest.raises(RuntimeError):
            call(b)
        return
    second = call(b)
    assert second.shape == first.shape and second.stride() == first.stride()
    assert second.storage_offset() == first.storage_offset() and second.dtype is first.dtype
    assert second.tolist() == first.tolist()
    assert type(second.grad_fn) is type(first.grad_fn)
    assert second.requires_grad is first.requires_grad
    if first.requires_grad:
        weights = torch.arange(1.0, 1 + first.numel()).view(first.shape)
        (first * weights).sum().backward()
        (second * weights).sum().backward()
        assert b.grad.tolist() == a.grad.tolist() and b.grad.sum() > 0


def test_equal_keys_of_other_types_are_other_calls() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert x[1].shape == (3,)
    assert x[1, None].shape == (1, 3)
    assert x[(1,)].shape == (3,)
    assert x[True].shape == (1, 2, 3)
    assert x[[1]].shape == (1, 3)
    assert x[1:2, (0, 1)].shape == (1, 2)
    assert x[torch.tensor(1):].shape == (1, 3)
    assert x.view(3, 2).shape == (3, 2)
    with pytest.raises(TypeError):
        x.view(3.0, 2)
    with pytest.raises(IndexError):
        x[2]
    with pytest.raises(IndexError):
        x[1.0]


def test_a_write_between_is_seen() -> None:
    x = torch.zeros(4)
    a = x[1]
    x.add_(1)
    b = x[1]
    assert a.item() == b.item() == 1.0
    b.fill_(7)
    assert x.tolist() == [1, 7, 1, 1]


def test_a_stretched_view_may_be_copied_onto_itself() -> None:
    x = torch.arange(3.0)
    a, b = x.expand(2, 3), x.expand(2, 3)
    a.copy_(b)
    assert x.tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="more than one element of the written-to"):
        a.copy_(x.flip(0))
