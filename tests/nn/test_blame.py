"""An error inside a network says which of its modules it came from."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau import nn


class Block(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.proj = nn.Linear(size, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.proj(x)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(Block(4), nn.ReLU(), Block(6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def notes(call: object, *args: object) -> list[str]:
    with pytest.raises(RuntimeError) as caught:
        call(*args)  # type: ignore[operator]
    return [n for n in getattr(caught.value, "__notes__", []) if n.startswith("flambeau: in ")]


def test_the_path_of_the_module() -> None:
    assert notes(Net(), torch.ones(2, 4)) == ["flambeau: in layers.2.proj (Linear) of Net"]


def test_a_layer_by_itself() -> None:
    assert notes(nn.Linear(4, 5), torch.ones(2, 3)) == ["flambeau: in Linear"]


def test_with_hooks() -> None:
    net = Net()
    net.layers[2].register_forward_hook(lambda *a: None)
    net.register_forward_pre_hook(lambda *a: None)
    assert notes(net, torch.ones(2, 4)) == ["flambeau: in layers.2.proj (Linear) of Net"]


def test_a_module_that_another_only_calls() -> None:
    other = Net()

    class Outer(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return other(x)

    assert notes(Outer(), torch.ones(2, 4)) == ["flambeau: in layers.2.proj (Linear) of Net"]
