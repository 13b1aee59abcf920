"""DataLoader with worker processes: order, errors, deaths, ends; and no hang in any of them."""

from __future__ import annotations

import collections
import os
import signal
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.utils import data as D  # noqa: N812

METHODS = ["fork", "spawn", "forkserver"] if hasattr(os, "fork") else ["spawn"]
FORK = "fork" if hasattr(os, "fork") else None
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Squares(D.Dataset):
    """i -> (i, i * i), with accidents on demand."""

    def __init__(self, n: int, **accidents: Any) -> None:
        self.n = n
        self.accidents = accidents

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Any:
        accident = self.accidents.get(f"at{i}")
        if accident == "exit":
            os._exit(3)
        if accident == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if accident == "sleep":
            time.sleep(30)
        if accident == "unpicklable":
            return lambda: i
        if isinstance(accident, Exception):
            raise accident
        return torch.tensor([i]), i * i


class Stream(D.IterableDataset):
    """0 .. n-1, shared among the workers."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Any:
        info = D.get_worker_info()
        if info is None:
            return iter(range(self.n))
        return iter(range(info.id, self.n, info.num_workers))


class Noise(D.Dataset):
    """The random numbers that a worker gets."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, i: int) -> Any:
        info = D.get_worker_info()
        return torch.rand(1), np.random.rand(), 0 if info is None else info.seed


@pytest.mark.parametrize("method", METHODS)
def test_every_start_method_keeps_the_order(method: str) -> None:
    loader = D.DataLoader(Squares(10), batch_size=3, num_workers=2,
                          multiprocessing_context=method)
    got = [(x.flatten().tolist(), y.tolist()) for x, y in loader]
    assert got == [(list(range(a, min(a + 3, 10))), [i * i for i in range(a, min(a + 3, 10))])
                   for a in range(0, 10, 3)]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_streams(workers: int) -> None:
    got = list(D.DataLoader(Stream(11), batch_size=2, num_workers=workers))
    assert sorted(torch.cat(got).tolist()) == list(range(11))
    got = list(D.DataLoader(Stream(11), batch_size=2, num_workers=workers, drop_last=True))
    assert all(len(b) == 2 for b in got)
    assert sorted(int(b) for b in D.DataLoader(Stream(5), batch_size=None, num_workers=workers)
                  ) == [0, 1, 2, 3, 4]


def test_persistent_workers() -> None:
    loader = D.DataLoader(Squares(6), batch_size=2, num_workers=2, persistent_workers=True)
    first = [y.tolist() for _, y in loader]
    pids = [w.process.pid for w in loader._iterator._workers]
    for _ in loader:
        break                                   # an epoch given up half-way
    assert [y.tolist() for _, y in loader] == first
    assert [w.process.pid for w in loader._iterator._workers] == pids
    stream = D.DataLoader(Stream(7), num_workers=2, persistent_workers=True)
    for _ in range(3):
        assert sorted(int(b) for b in stream) == list(range(7))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_raising_worker_is_named(workers: int) -> None:
    loader = D.DataLoader(Squares(6, at3=ValueError("bad sample")), batch_size=2,
                          num_workers=workers)
    with pytest.raises(ValueError, match="bad sample") as caught:
        list(loader)
    if workers:
        assert "Caught ValueError in DataLoader worker process 1." in str(caught.value)
        assert "Original Traceback" in str(caught.value)
        assert "__getitem__" in str(caught.value)


class Odd(Exception):
    """Its constructor cannot take a text alone."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(a, b)


def test_odd_exceptions() -> None:
    with pytest.raises(RuntimeError, match="Caught Odd in DataLoader worker process 0"):
        list(D.DataLoader(Squares(2, at1=Odd(1, 2)), num_workers=1))
    with pytest.raises(KeyError, match="Caught KeyError"):
        list(D.DataLoader(Squares(2, at1=KeyError("k")), num_workers=1))
    with pytest.raises(Exception, match="in DataLoader worker process 0"):
        list(D.DataLoader(Squares(2, at1="unpicklable"), num_workers=1, batch_size=None))


@pytest.mark.skipif(FORK is None, reason="signals")
@pytest.mark.parametrize(("accident", "text"), [("kill", "killed by signal: SIGKILL"),
                                                ("exit", "exited unexpectedly")])
def test_a_dead_worker_is_named_at_once(accident: str, text: str) -> None:
    loader = D.DataLoader(Squares(8, at5=accident), batch_size=2, num_workers=2)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=text) as caught:
        list(loader)
    assert "pid" in str(caught.value)
    assert time.monotonic() - start < 4


def test_timeout() -> None:
    loader = D.DataLoader(Squares(4, at2="sleep"), num_workers=1, timeout=1,
                          multiprocessing_context=FORK)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="DataLoader timed out after 1"):
        list(loader)
    assert time.monotonic() - start < 10


def fail(worker: int) -> None:
    raise RuntimeError(f"init of {worker}")


def test_worker_init_fn() -> None:
    with pytest.raises(RuntimeError, match="init of 0"):
        list(D.DataLoader(Squares(4), num_workers=1, worker_init_fn=fail))


def test_seeds() -> None:
    torch.manual_seed(5)
    a = [[x.tolist(), float(n), int(s)] for x, n, s in D.DataLoader(Noise(), num_workers=2)]
    torch.manual_seed(5)
    b = [[x.tolist(), float(n), int(s)] for x, n, s in D.DataLoader(Noise(), num_workers=2)]
    assert a == b
    assert a[0] != a[1]
    assert a[1][2] == a[0][2] + 1
    generator = torch.Generator().manual_seed(5)
    c = [int(s) for *_, s in D.DataLoader(Noise(), num_workers=2, generator=generator)]
    assert c == [row[2] for row in a]


def test_out_of_order() -> None:
    loader = D.DataLoader(Squares(9), batch_size=2, num_workers=3, in_order=False)
    assert sorted(y for _, b in loader for y in b.tolist()) == [i * i for i in range(9)]


def test_big_orders_and_answers_do_not_block() -> None:
    """Orders and answers that fill both pipes at once."""
    n = 60_000
    loader = D.DataLoader(Big(), batch_sampler=[list(range(n))] * 6, num_workers=2,
                          prefetch_factor=3)
    assert sum(len(b) for b in loader) == 6 * n


class Big(D.Dataset):
    """A batch at once."""

    def __getitems__(self, indices: list[int]) -> list[int]:
        return indices

    def __len__(self) -> int:
        return 1


ORPHAN = """
import os, flambeau as torch, time
from flambeau.utils import data as D
class Slow(D.Dataset):
    def __len__(self): return 100
    def __getitem__(self, i): return os.getpid()
it = iter(D.DataLoader(Slow(), num_workers=2))
print(int(next(it)), int(next(it)), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(FORK is None, reason="signals")
def test_workers_end_with_their_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(p) for p in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 15
    while any(alive(p) for p in pids):
        assert time.monotonic() < until
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_arguments_are_checked() -> None:
    ds = Squares(4)
    for how, text in (
        ({"num_workers": -1}, "num_workers"), ({"timeout": -1}, "timeout"),
        ({"prefetch_factor": 2}, "prefetch_factor"), ({"persistent_workers": True}, "persistent"),
        ({"sampler": [0], "shuffle": True}, "mutually exclusive"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None"),
        ({"batch_size": 0}, "batch_size should be a positive"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context"),
        ({"multiprocessing_context": "no", "num_workers": 1}, "valid start method"),
    ):
        with pytest.raises(ValueError, match=text):
            D.DataLoader(ds, **how)
    for how in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
        with pytest.raises(ValueError, match="IterableDataset"):
            D.DataLoader(Stream(3), **how)
    loader = D.DataLoader(ds)
    with pytest.raises(ValueError, match="should not be set"):
        loader.batch_size = 3
    loader.num_workers = 0


def test_a_stream_longer_than_it_says() -> None:
    class Liar(Stream):
        def __len__(self) -> int:
            return 2

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert len(list(D.DataLoader(Liar(5)))) == 5
    assert len([w for w in seen if "Length of IterableDataset" in str(w.message)]) == 1


Pair = collections.namedtuple("Pair", "a b")


def test_collate() -> None:
    c = D.default_collate
    made = c([Pair(1, {"x": np.ones(2, np.float32), "s": "p"}),
              Pair(2, {"x": np.zeros(2, np.float32), "s": "q"})])
    assert type(made) is Pair
    assert made.a.tolist() == [1, 2]
    assert made.b["x"].dtype is torch.float32
    assert made.b["s"] == ["p", "q"]
    assert c([1.5, 2.5]).dtype is torch.float64
    assert c([True, False]).dtype is torch.bool
    assert c([b"a", b"b"]) == [b"a", b"b"]
    with pytest.raises(TypeError, match="batch must contain"):
        c([None])
    with pytest.raises(TypeError, match="batch must contain"):
        c([np.array(["a"])])
    with pytest.raises(RuntimeError, match="equal size"):
        c([[1, 2], [1]])
    with pytest.raises(RuntimeError, match="equal size"):
        c([torch.ones(2), torch.ones(3)])
    grad = torch.ones(2, requires_grad=True)
    assert c([grad, grad]).requires_grad
    assert c([torch.ones(2, 3).t(), torch.zeros(3, 2)])[0].tolist() == [[1, 1]] * 3


def test_rows_are_what_indexing_gives() -> None:
    x = torch.arange(24.0).reshape(4, 6)
    for source in (x, x.t(), x[1:, ::2], x[:, 1], x + 1, x.expand(2, 4, 6), x.int()):
        ds = D.TensorDataset(source)
        for i in (0, -1, len(ds) - 1):
            assert ds[i][0].tolist() == source[i].tolist()
        got = D.default_collate([ds[i][0] for i in (1, 0, 1)])
        assert got.tolist() == [source[i].tolist() for i in (1, 0, 1)]
        assert got.dtype is source.dtype
        with pytest.raises(IndexError):
            ds[len(ds)]
    ds = D.TensorDataset(x)
    ds[2][0][0] = 99
    assert x[2, 0].item() == 99
    leaf = torch.ones(2, 3, requires_grad=True)
    D.default_collate([row[0] for row in D.TensorDataset(leaf)]).sum().backward()
    assert leaf.grad.tolist() == [[1] * 3] * 2


def test_datasets() -> None:
    joined = D.ConcatDataset([range(3), range(10, 12)])
    assert list(joined) == [0, 1, 2, 10, 11] or [joined[i] for i in range(5)] == [0, 1, 2, 10, 11]
    assert joined[-1] == 11
    with pytest.raises(ValueError, match="absolute value"):
        joined[-6]
    stacked = D.StackDataset(a=[1, 2], b=D.Subset([5, 6, 7], [2, 0]))
    assert stacked.__getitems__([1, 0]) == [{"a": 2, "b": 5}, {"a": 1, "b": 7}]
    with pytest.raises(ValueError, match="Size mismatch"):
        D.StackDataset([1], [1, 2])
    parts = D.random_split(range(10), [0.25, 0.25, 0.5], generator=torch.Generator())
    assert [len(p) for p in parts] == [3, 2, 5]
    assert sorted(x for p in parts for x in p) == list(range(10))
    with pytest.raises(ValueError, match="does not equal"):
        D.random_split(range(3), [1, 1])
