"""The tensor as an object: memory it shares, protocols, constructors, indexing errors."""
from __future__ import annotations

import copy
import gc
import pickle
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.tensor.tensor import Tensor


def test_from_numpy_shares_both_ways() -> None:
    a = np.ones(3, np.float32)
    t = torch.from_numpy(a)
    before = t + 1
    a[0] = 5
    assert t.tolist() == [5.0, 1.0, 1.0]
    assert before.tolist() == [2.0, 2.0, 2.0]
    t.mul_(2)
    assert a.tolist() == [10.0, 2.0, 2.0]


def test_numpy_shares_with_views_and_later_writes() -> None:
    t = torch.zeros(2, 3)
    row = t[1].numpy()
    t += 1
    assert row.tolist() == [1.0, 1.0, 1.0]
    row[0] = 9
    assert t.tolist() == [[1.0, 1.0, 1.0], [9.0, 1.0, 1.0]]


def test_pinned_write_keeps_old_values_of_others() -> None:
    t = torch.ones(3)
    a = t.numpy()
    y = t * 2
    t.add_(1)
    assert a.tolist() == [2.0, 2.0, 2.0]
    assert y.tolist() == [2.0, 2.0, 2.0]


def test_a_storage_is_unpinned_when_its_array_is_gone() -> None:
    t = torch.ones(3)
    a = t.numpy()
    assert t._storage.pin is not None
    del a
    gc.collect()
    t + 1
    assert t._storage.pin is None


def test_views_keep_their_strides() -> None:
    x = torch.arange(24.0).view(2, 3, 4)
    assert x.transpose(0, 2).stride() == (1, 4, 12)
    assert x[1, :, ::2].storage_offset() == 12
    assert x.permute(2, 0, 1).contiguous().stride() == (6, 3, 1)
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.transpose(0, 1).view(-1)


def test_channels_last() -> None:
    x = torch.arange(24.0).view(1, 2, 3, 4)
    y = x.to(memory_format=torch.channels_last)
    assert y.stride() == (24, 1, 8, 2)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(x, y)
    assert torch.equal(x + 1, y.add_(1))


def test_pickle_and_deepcopy() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.tag = "kept"
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other.tolist() == [1.0, 2.0]
        assert other.requires_grad
        assert other._storage is not x._storage
    assert copy.deepcopy(x).tag == "kept"
    with pytest.raises(RuntimeError, match="deepcopy protocol"):
        copy.deepcopy(x * 2)


def test_deepcopy_keeps_sharing() -> None:
    x = torch.zeros(4)
    a, b = copy.deepcopy([x, x[1:]])
    a[2] = 5
    assert b.tolist() == [0.0, 5.0, 0.0]


@pytest.mark.parametrize(("data", "kind"), [
    ([1, 2], torch.int64), ([1, 2.0], torch.float32), ([True], torch.bool),
    ([1, 2j], torch.complex64),
    (np.float64(1), torch.float64), ([np.int32(1)], torch.int32), ([], torch.float32),
])
def test_inferred_dtype(data: Any, kind: Any) -> None:
    assert torch.tensor(data).dtype is kind


@pytest.mark.parametrize(("data", "error"), [
    ([[1], [1, 2]], ValueError), ("a", TypeError), (None, RuntimeError), ([2 ** 70], ValueError),
])
def test_bad_data(data: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        torch.tensor(data)


@pytest.mark.parametrize(("key", "error"), [
    (5, IndexError), ((0, 0, 0), IndexError), (1.5, IndexError), ("a", TypeError),
    (slice(None, None, -1), ValueError), ([True], IndexError), ([0, 9], IndexError),
])
def test_bad_index(key: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        torch.zeros(3, 4)[key]


def test_numbers() -> None:
    assert float(torch.tensor(2)) == 2.0
    assert [10, 20][torch.tensor(1)] == 20
    with pytest.raises(ValueError, match="only one element"):
        float(torch.zeros(2))
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(torch.zeros(2))
    assert format(torch.tensor(1.234), ".1f") == "1.2"


def test_foreign_operands() -> None:
    x = torch.ones(2)
    assert (np.float32(2) * x).tolist() == [2.0, 2.0]
    assert isinstance(np.ones(2) + x, Tensor)
    with pytest.raises(TypeError):
        x + "a"
    assert (x == None) is False  # noqa: E711 - the operator is what is tested


def test_out() -> None:
    out = torch.empty(0)
    assert torch.add(torch.ones(2), 1, out=out) is out
    assert out.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.add(torch.ones(2), 1, out=torch.empty(2, dtype=torch.int64))


def test_in_place_results_must_fit() -> None:
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.ones(2, dtype=torch.int64).mul_(1.5)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        torch.ones(2).add_(torch.ones(3, 2))
    with pytest.raises(RuntimeError, match="single memory location"):
        torch.ones(1).expand(3).add_(1)


def test_subclasses() -> None:
    class Mine(torch.Tensor):
        seen: list[str] = []

        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (),
                               kwargs: Any = None) -> Any:
            cls.seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs)

    x = torch.ones(2).as_subclass(Mine)
    assert type(x + 1) is Mine
    assert type(torch.cat([x, x])) is Mine
    assert type(x[0]) is Mine
    assert Mine.seen == ["add", "cat", "__getitem__"]


def test_meta() -> None:
    x = torch.empty(2, 3, device="meta")
    assert (x @ x.t()).device.type == "meta"
    with pytest.raises(NotImplementedError, match="no data"):
        x.sum().item()


def test_random_fills_follow_the_seed() -> None:
    torch.manual_seed(3)
    a = torch.rand(5)
    b = torch.empty(5).uniform_(generator=torch.Generator().manual_seed(3))
    assert torch.equal(a, b)
