"""spawn raises what a process raised; tensors travel by value."""

from __future__ import annotations

import os
from typing import Any

import pytest

import flambeau as torch
from flambeau import multiprocessing as mp


def put(i: int, queue: Any) -> None:
    queue.put((i, torch.full((2,), float(i))))


def fail(i: int) -> None:
    if i == 1:
        raise ValueError("from the second")


def leave(i: int) -> None:
    os._exit(7)


def test_spawn() -> None:
    queue = mp.get_context("spawn").SimpleQueue()
    mp.spawn(put, (queue,), nprocs=2)
    found = dict(queue.get() for _ in range(2))
    assert found[1].tolist() == [1, 1]


def test_failures_are_raised() -> None:
    with pytest.raises(mp.ProcessRaisedException, match="from the second") as caught:
        mp.spawn(fail, nprocs=2)
    assert caught.value.error_index == 1
    with pytest.raises(mp.ProcessExitedException, match="exit code 7"):
        mp.spawn(leave)


def test_absent_devices() -> None:
    assert not torch.cuda.is_available()
    assert torch.cuda.device_count() == 0
    with pytest.raises(AssertionError, match="not compiled with CUDA"):
        torch.cuda.current_device()
    with pytest.raises(AssertionError, match="not compiled with CUDA"):
        torch.cuda.Stream()
    assert not isinstance(torch.ones(1), torch.cuda.FloatTensor)
    with torch.cuda.device(0), torch.cuda.stream(None):
        assert torch.cuda.memory_allocated() == 0
    assert not torch.backends.mps.is_available()
    with torch.backends.cudnn.flags(benchmark=True):
        assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.benchmark
    assert not hasattr(torch, "npu")
