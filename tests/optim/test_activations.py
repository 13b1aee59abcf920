"""What a forward pass made is gone after an optimizer's step, without the garbage collector."""
from __future__ import annotations

import gc
import weakref

import pytest

import flambeau as torch
from flambeau.graph.realize import statistics


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_results_in_a_tuple_keep_nothing(no_collector):
    x = torch.randn(3, 4, requires_grad=True) * 2
    seen = weakref.ref(x)
    values, _ = torch.topk(x, 2)
    values.sum().backward()
    del x, values
    assert seen() is None


def test_running_statistics_are_computed_by_the_step(no_collector):
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(2, 2, 6, 6)
    compiled = []
    for _ in range(4):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
        compiled.append(statistics.compiled)
        assert model[1].running_mean._storage.value.value is not None
        assert model[1].running_var._storage.value.value is not None
    assert compiled[1] == compiled[3]
